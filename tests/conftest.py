"""Settings that have to be in place before numpy and scipy are imported."""

import os
import secrets
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from without_torch import why_without_torch

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


# What test_recipes.py puts into a copy of the package.
collect_ignore = ["recipes"]
# Its failed assertions show their values, as those in test files do.
pytest.register_assert_rewrite("property_checks")
# `make fuzz`: see test_properties.py.
settings.register_profile("fuzz")


ROOT = Path(__file__).parents[1]


class SkippedWithoutTorch:
    """Reports every file of networks as skipped, before it would import torch."""

    def __init__(self, reason):
        self.reason = reason

    def pytest_make_collect_report(self, collector):
        folders = (ROOT / "tests" / "networks", ROOT / "shrinklin" / "networks")
        if not isinstance(collector, pytest.File) or not {*folders} & {*collector.path.parents}:
            return None
        where = collector.path.relative_to(ROOT).as_posix(), None, self.reason
        return pytest.CollectReport(collector.nodeid, "skipped", where, [])


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Matplotlib warns of more than 20, and a test may turn warnings into errors."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


# How many instances of a parametrized test coverage follows, in each process.
FOLLOWED = 3
RUN: Counter = Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Coverage, which makes Python half as slow again, does not follow what only repeats.

    That is marked `untraced`, or has been followed with other parameters. (The marker `no_cover`
    of pytest-cov has no effect in the processes of pytest-xdist.)
    """
    test = item.nodeid.partition("[")[0]
    RUN[test] += 1
    repeats = item.get_closest_marker("untraced") or RUN[test] > FOLLOWED
    if not item.config.getoption("cov_source", None) or not repeats:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz-seed", type=int, help="seed of the first problems of --hypothesis-profile=fuzz"
    )


def pytest_configure(config):
    # One for all processes of pytest-xdist.
    known = getattr(config, "workerinput", {}).get("fuzz_seed", config.getoption("--fuzz-seed"))
    config.fuzz_seed = secrets.randbelow(10**6) if known is None else known
    # Hooks of this file are not called for what is in shrinklin/, those of a plugin are.
    if reason := why_without_torch():
        config.pluginmanager.register(SkippedWithoutTorch(reason))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["fuzz_seed"] = node.config.fuzz_seed


def pytest_report_header(config):
    return f"seed of the problems: to see them again, give --fuzz-seed={config.fuzz_seed}"


def pytest_runtest_logreport(report):
    # At once: a run may be stopped long before pytest shows its failures.
    if report.failed and "test_properties.py" in report.nodeid:
        print(f"\n{report.nodeid}\n{report.longreprtext}", flush=True)
