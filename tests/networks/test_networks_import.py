"""Tests in this folder import torch at the top, and have one thread of it."""

import torch

from shrinklin import networks


def test_networks_are_there_with_torch():
    assert networks.__doc__


def test_torch_has_one_thread():
    assert torch.get_num_threads() == 1
