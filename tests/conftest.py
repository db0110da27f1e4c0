"""Settings that have to be in place before numpy and scipy are imported."""

import os

import pytest

# Without it scikit-learn skips one of the checks in `check_estimator`.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Pictures are drawn without a screen.
os.environ.setdefault("MPLBACKEND", "agg")
# Processes of pytest-xdist share the cores: threads of their own would be in each other's way.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """The cores that this process may use: pytest-xdist counts those of the whole machine."""
    import joblib

    return joblib.cpu_count()
