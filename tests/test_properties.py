"""Properties of every problem, on random problems.

With ``--hypothesis-profile=fuzz`` (`make fuzz`) there are 10 000 problems, made from a seed that
the first lines of the report name; without it there are 300, always the same. A failure ends with
the problem in a few words: ``Problem(...).given()`` of `drawn` has its numbers.

The checks are in `property_checks`; test_property_mutants.py shows estimators that they reject.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from drawn import Problem, problems
from property_checks import (
    check_chunks,
    check_cv,
    check_path,
    check_related,
    check_sound,
    check_trained,
)
from relations import RELATIONS
from shrinklin import SignVariance, Threshold

pytestmark = pytest.mark.untraced

# The number of problems in one run of a test; a fuzz run has many runs, each with its own seed.
N_PROBLEMS = {"sound": 100, "related": 125, "trained": 40, "path": 20, "chunks": 10, "cv": 5}
N_FUZZED = 10_000


def runs(config):
    """The seeds of the runs of every test; None gives problems that are always the same."""
    if config.getoption("--hypothesis-profile", None) != "fuzz":
        return [None]
    first = config.fuzz_seed
    return range(first, first + round(N_FUZZED / sum(N_PROBLEMS.values())))


def pytest_generate_tests(metafunc):
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", runs(metafunc.config))


def hold(name, run, check, *strategies):
    """Call `check` with the problems of this run."""
    random = run is not None
    options = settings(
        max_examples=N_PROBLEMS[name],
        deadline=None,
        database=None,
        derandomize=not random,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if random else [])],
        print_blob=False,
    )

    @options
    @given(st.tuples(*strategies))
    def holds(drawn):
        check(*drawn)

    (seed(run)(holds) if random else holds)()


def test_a_fit_is_sound(run):
    hold("sound", run, check_sound, problems())


FAR = {"task": "classification", "share": 0.0, "columns": "far", "weights": "uneven"}
# Problems on which long runs failed, shrunk.
FOUND = [
    Problem(n_samples=16, n_features=1, y_exponent=-60, fit_intercept=False, layout="float32"),
    Problem(n_samples=2, n_features=2, **FAR),
    Problem(n_samples=5, n_features=6, **FAR),
    Problem(n_samples=10, n_features=2, seed=132, **FAR),
    Problem(n_samples=3, n_features=2, share=0.0, columns="collinear", layout="float32"),
    Problem(n_samples=1, n_features=1, seed=1, y_exponent=20, layout="float32"),
    Problem(
        penalty="p=1",
        n_samples=3,
        n_features=34,
        share=0.01,
        seed=1000,
        columns="duplicated",
        weights="uneven",
        groups="pairs",
        layout="csr",
    ),
    # The rounding of means was taken for a direction.
    Problem(
        n_samples=2,
        n_features=14,
        n_targets=2,
        solver="columns",
        columns="far",
        weights="uneven",
        groups="one",
        free=True,
        layout="float32",
    ),
]


@pytest.mark.parametrize("problem", FOUND, ids=repr)
def test_fits_that_were_not_sound_are(problem):
    check_sound(problem)


def test_the_same_problem_said_otherwise(run):
    relations, numbers = st.sampled_from(RELATIONS), st.integers(0, 100)
    hold("related", run, check_related, problems(), relations, numbers)


# Gradient training.

REMOVALS = (None, Threshold(0.05), SignVariance())


def test_gradient_training(run):
    kinds = [st.sampled_from(values) for values in ([0.05, 1.0, 1e-3], REMOVALS, [None, 1, 4])]
    hold("trained", run, check_trained, problems(), *kinds)


def test_paths(run):
    hold("path", run, check_path, problems(), st.integers(1, 5))


FREE = {"task": "classification", "free": True}
FOUND_PATHS = [
    # NaN in the search for an intercept.
    Problem(penalty="p=1", n_samples=4, n_features=9, n_targets=3, **FREE),
    Problem(n_samples=15, n_targets=4, share=1e-6, seed=212, columns="collinear", response="zero",
            weights="uneven", layout="csr", **FREE),
    # It took minutes, as only some samples are told apart.
    Problem(n_samples=12, n_features=8, n_targets=8, share=0.0, seed=12, columns="sparse",
            response="constant", groups="pairs", **FREE),
    # The diagonal of the Gram matrix was raised as if means were subtracted later.
    Problem(n_samples=4, columns="collinear", weights="uneven", free=True),
]  # fmt: skip


@pytest.mark.parametrize("problem", FOUND_PATHS, ids=repr)
def test_paths_that_were_not_sound_are(problem):
    check_path(problem, 4)


def test_data_in_chunks(run):
    numbers = [st.integers(0, 1000), st.integers(1, 8), st.integers(1, 4)]
    kinds = st.sampled_from(["group lasso", "p=2", "p=1"]), st.integers(1, 23)
    hold("chunks", run, check_chunks, *numbers, *kinds)


def test_cross_validation(run):
    hold("cv", run, check_cv, problems(n_samples=st.integers(6, 30)))
