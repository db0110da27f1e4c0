"""Settings of the tests of networks."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads of torch slow small networks down, and change last digits."""
    import torch

    torch.set_num_threads(1)
