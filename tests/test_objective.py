import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import sparse

from builders import (
    CLASS_PROBLEMS,
    build,
    build_classes,
    descend,
    every_penalty,
    every_unbounded_penalty,
    solve,
)
from oracles import exact_lasso, exact_logistic_lasso
from problems import PROBLEMS, simulate, simulate_classes
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    Moments,
    ShrinkNetRegressor,
    regularization_path,
)
from shrinklin.objective import certificate
from shrinklin.objective.likelihood import Seen
from shrinklin.objective.quadratic import ColumnQuadratic, GramQuadratic
from shrinklin.solvers.paths import solve_path
from shrinklin.solvers.solution import Status
from shrinklin.solvers.working_sets import prox_residuals

LABELS = {"singletons": None, "groups": [i // 3 for i in range(12)]}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@every_penalty
def test_strength_max_is_where_zero_stops_being_a_fixed_point(penalty, labels):
    X, Y = simulate(60, 12, 3)
    weights = np.repeat([0.5, 1.0, 2.0, 3.0], 3)
    objective = build(X, Y, penalty, labels=labels, weights=weights)
    zero = np.zeros(objective.shape)
    gradient = objective.smooth.gradient(zero)
    largest = objective.strength_max()
    assert not prox_residuals(objective.at(largest * (1 + 1e-9)), zero, gradient).any()
    assert prox_residuals(objective.at(largest * (1 - 1e-9)), zero, gradient).any()


@every_unbounded_penalty
def test_strength_max_is_taken_after_unpenalised_features(penalty):
    X, Y = simulate(60, 12, 3, correlation=0.7)
    objective = build(X, Y, penalty, weights=[0, 0, *np.ones(10)])
    largest = objective.strength_max()
    start = objective.smooth.minimise(np.zeros(objective.shape), np.arange(2))
    gradient = objective.smooth.gradient(start)
    for factor, stays in ((1 + 1e-6, True), (1 - 1e-6, False)):
        residuals = prox_residuals(objective.at(factor * largest), start, gradient)
        assert (residuals[2:].max() == 0) == stays


@pytest.mark.parametrize("name", PROBLEMS)
def test_gap_bounds_the_excess_and_closes(name):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, share=0.1)
    best = solve(objective, tol=1e-10)
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for max_iter in (1, 2, 4):
        rough = solve(objective, max_iter=max_iter, tol=1e-12)
        excess = rough.value - best.value
        assert objective.duality_gap(rough.W) >= excess - 1e-12 * best.value


def test_gap_with_unpenalised_features():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, weights=[0, 0, *np.ones(10)], share=0.2)
    best = solve(objective)
    assert best.W[:2].all()
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    off = best.W.copy()
    off[0] += 0.1
    # The two are equal there, but for rounding: differences of sums of the size of f(0).
    above = objective.value(off) - best.value
    rounding = 16 * np.finfo(float).eps * objective.smooth.value_at_zero
    assert objective.duality_gap(off) >= above - rounding


def test_gap_of_no_penalty_is_the_excess_over_least_squares():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, strength=0.0)
    W = objective.smooth.minimise(np.zeros(objective.shape), np.arange(12))
    assert objective.duality_gap(W) <= 1e-10
    zero = np.zeros_like(W)
    assert objective.duality_gap(zero) == pytest.approx(objective.value(zero) - objective.value(W))


def test_a_gap_that_skips_the_scaling_is_rejected(monkeypatch):
    # The mutant takes the residual itself for dual feasible.
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, share=0.3)
    best, W = solve(objective), np.zeros(objective.shape)
    excess = objective.value(W) - best.value
    assert excess <= objective.duality_gap(W)
    monkeypatch.setattr(certificate, "_feasible", lambda *args: np.inf)
    assert objective.duality_gap(W) < excess


def nearly_singular(seed):
    """Few rows of few columns, two of them all but the same: (X, y, share, weights)."""
    rng = np.random.default_rng(seed)
    n_samples, n_features = int(rng.integers(5, 8)), int(rng.integers(1, 4))
    X = rng.normal(size=(n_samples, n_features))
    X[:, -1] = X[:, 0] + 10.0 ** rng.uniform(-10, 0) * X[:, -1]
    X = X * 10.0 ** rng.integers(-2, 3, size=n_features) + rng.choice([0, 100])
    y = X @ rng.normal(size=n_features) + 10.0 ** rng.uniform(-8, 0) * rng.normal(size=n_samples)
    weights = np.where(np.arange(n_features) == rng.integers(6), 0.0, 1.0)
    return X, y, 10.0 ** rng.uniform(-8, -0.3), weights


def above_the_exact_minimum(seed, gram, dtype, **options):
    """By how much F less its gap lies above that, relative to f(0): at a rough W and the best."""
    X, y, share, weights = nearly_singular(seed)
    X = X.astype(dtype)
    fit_intercept = bool(seed % 3)
    objective = build(
        X, y[:, None], gram=gram, weights=weights, share=share, fit_intercept=fit_intercept
    )
    least, at_zero = exact_lasso(X, y, objective.strength, weights, fit_intercept)
    for tol in (1e-3, 1e-12):
        solution = solve(objective, gram=gram, tol=tol)
        assert solution.status is Status.CONVERGED
        gap = objective.duality_gap(solution.W, (solution.loss, solution.gradient), **options)
        assert gap <= (10 * tol + 1e-6) * float(at_zero)
        yield float((Fraction(solution.value) - Fraction(gap) - least) / at_zero)


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gap_is_a_bound_in_exact_arithmetic(gram, dtype):
    for seed in range(15):
        assert max(above_the_exact_minimum(seed, gram, dtype)) <= 0, seed


def test_a_gap_that_does_not_count_rounding_is_rejected():
    options = {"gram": True, "dtype": np.float64, "rounding": 0.0}
    assert any(max(above_the_exact_minimum(seed, **options)) > 0 for seed in range(15))


def of_features_that_cancel():
    """Of which a Gram matrix has next to no digits, beside a penalty that is weak."""
    X, Y = simulate(60, 5, 1)
    huge = 1e6 * np.random.default_rng(1).normal(size=60)
    return build(np.c_[X[:, 1:], huge, huge + X[:, 0]], 0.01 * Y, strength=1e-8)


def test_a_gap_that_may_be_but_rounding_ends_the_search():
    objective = of_features_that_cancel()
    solution, at_zero = solve(objective, max_iter=300), objective.smooth.value_at_zero
    assert solution.status is Status.CONVERGED
    W = solution.W.copy()
    W[3] = np.nextafter(W[3], 1)  # as near as floating point gets
    assert objective.duality_gap(W, rounding=-1.0) <= 1e-9 * at_zero
    assert objective.duality_gap(W, rounding=0.0) > 1e-3 * at_zero
    assert objective.duality_gap(W) > 1e-3 * at_zero


@pytest.mark.parametrize("seed", range(6))
def test_the_gap_of_classes_is_a_bound_in_exact_arithmetic(seed):
    rng = np.random.default_rng(seed)
    X, codes = rng.normal(size=(12, 2)), np.arange(12) % 2
    X[:, 1] = X[:, 0] + 10.0 ** rng.uniform(-8, 0) * X[:, 1]
    X += rng.choice([0, 30])
    objective = build_classes(X, codes, share=10.0 ** rng.uniform(-3, -0.3))
    least = None
    for tol in (1e-11, 1e-3):
        solution = descend(objective, tol=tol)
        gap = objective.duality_gap(solution.W, (solution.loss, solution.gradient))
        if least is None:
            b = objective.smooth.intercept(solution.W)[0]
            least = exact_logistic_lasso(X, codes, objective.strength, solution.W[:, 0], b)
        assert mpmath.mpf(solution.value) - mpmath.mpf(gap) <= least
        assert gap <= 2 * tol + 1e-9


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("name", ["tall", "wide", "many targets", "diabetes"])
def test_rounding_does_not_blur_the_gap_of_data_that_do_not_cancel(name, gram):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, gram=gram, share=0.1)
    best = solve(objective, gram=gram, tol=1e-13)
    gap = objective.duality_gap(best.W, (best.loss, best.gradient))
    assert 0 < gap <= 1e-12 * objective.smooth.value_at_zero


def loosely_minimised(monkeypatch, objective):
    """Leaves a gradient on the unpenalised features, to first order of what that costs."""
    smooth, minimise = objective.smooth, objective.smooth.minimise

    def loose(W, features):
        W = minimise(W, features)
        W[features] += 1e-4 * np.arange(1, W.shape[1] + 1)
        return W

    monkeypatch.setattr(smooth, "minimise", loose)


@pytest.mark.parametrize("n_classes", [None, 2, 3])
def test_what_is_left_of_the_gradient_of_unpenalised_features_counts(n_classes, monkeypatch):
    weights = [0, 0, *np.ones(10)]
    if n_classes is None:
        objective = build(*simulate(60, 12, 1), weights=weights, share=0.2)
        best = solve(objective, tol=1e-12)
    else:
        X, codes = simulate_classes(80, 12, n_classes, noise=2)
        objective = build_classes(X, codes, weights=weights, share=0.2)
        best = descend(objective, tol=1e-11)
    loosely_minimised(monkeypatch, objective)
    gap = objective.duality_gap(best.W)
    assert 1e-6 < gap / objective.smooth.value_at_zero < 0.1
    # Mutant: the residual is taken for feasible as it is.
    monkeypatch.setattr(certificate, "infeasibility", lambda *args: (0.0, 0.0))
    assert objective.duality_gap(best.W) < 0.1 * gap


def test_without_an_intercept_that_is_best_there_is_no_bound(monkeypatch):
    X, codes = simulate_classes(80, 12, 2)
    objective = build_classes(X, codes, share=0.3).with_memory()
    best, likelihood = descend(objective, tol=1e-11), objective.smooth
    seen = likelihood.see(best.W)
    off = likelihood.at(seen.Z, seen.prediction.intercept + 0.1)
    likelihood.remember(Seen(best.W, seen.Z, off))
    assert objective.duality_gap(best.W) > off.value - seen.prediction.value


two_or_more = pytest.mark.parametrize("n_classes", [2, 4])


@two_or_more
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@every_penalty
def test_strength_max_of_classes_is_where_zero_stops_being_a_fixed_point(
    penalty, labels, n_classes
):
    X, codes = simulate_classes(60, 12, n_classes)
    weights = np.repeat([0.5, 1.0, 2.0, 3.0], 3)
    objective = build_classes(X, codes, penalty, labels=labels, weights=weights)
    zero = np.zeros(objective.shape)
    gradient = objective.smooth.evaluate(zero)[1]
    largest = objective.strength_max()
    assert not prox_residuals(objective.at(largest * (1 + 1e-9)), zero, gradient).any()
    assert prox_residuals(objective.at(largest * (1 - 1e-9)), zero, gradient).any()
    assert not descend(objective.at(largest * (1 + 1e-9))).W.any()
    assert descend(objective.at(largest * (1 - 1e-2))).W.any()


@two_or_more
@every_unbounded_penalty
def test_strength_max_of_classes_is_taken_after_unpenalised_features(penalty, n_classes):
    X, codes = simulate_classes(80, 12, n_classes, correlation=0.7, noise=2)
    objective = build_classes(X, codes, penalty, weights=[0, 0, *np.ones(10)])
    largest = objective.strength_max()
    start = objective.smooth.minimise(np.zeros(objective.shape), np.arange(2))
    gradient = objective.smooth.evaluate(start)[1]
    for factor, stays in ((1 + 1e-6, True), (1 - 1e-6, False)):
        residuals = prox_residuals(objective.at(factor * largest), start, gradient)
        assert (residuals[2:].max() == 0) == stays
        assert residuals[:2].max() < 1e-7 * objective.residual_scale


@pytest.mark.parametrize("name", CLASS_PROBLEMS)
def test_gap_of_classes_bounds_the_excess_and_closes(name):
    X, codes = CLASS_PROBLEMS[name]()
    objective = build_classes(X, codes, share=0.1)
    best = descend(objective, tol=1e-10)
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for max_iter in (1, 2, 4):
        rough = descend(objective, max_iter=max_iter, tol=1e-12)
        excess = rough.value - best.value
        assert objective.duality_gap(rough.W) >= excess - 1e-12 * best.value


@two_or_more
def test_gap_of_classes_with_unpenalised_features(n_classes):
    X, codes = simulate_classes(80, 12, n_classes, noise=2)
    objective = build_classes(X, codes, weights=[0, 0, *np.ones(10)], share=0.2)
    best = descend(objective)
    assert best.W[:2].all()
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for j in (0, 2, 11):
        off = best.W.copy()
        off[j] += np.linspace(0.1, 0.3, off.shape[1])
        excess = objective.value(off) - best.value
        assert objective.duality_gap(off) >= excess - 3e-10 * best.value


@two_or_more
def test_gap_of_classes_without_penalty_is_the_excess(n_classes):
    X, codes = simulate_classes(150, 6, n_classes, noise=3)
    objective = build_classes(X, codes, strength=0.0)
    W = objective.smooth.minimise(np.zeros(objective.shape), np.arange(6))
    assert objective.duality_gap(W) <= 1e-10
    zero = np.zeros_like(W)
    assert objective.duality_gap(zero) == pytest.approx(objective.value(zero) - objective.value(W))


@two_or_more
def test_a_gap_of_classes_that_skips_the_scaling_is_rejected(n_classes, monkeypatch):
    # The mutant takes P − Y itself for dual feasible.
    X, codes = simulate_classes(80, 12, n_classes)
    objective = build_classes(X, codes, share=0.3)
    best, zero = descend(objective), np.zeros(objective.shape)
    excess = objective.value(zero) - best.value
    assert excess <= objective.duality_gap(zero)
    monkeypatch.setattr(certificate, "_feasible", lambda *args: np.inf)
    assert objective.duality_gap(zero) < excess


KINDS = ["plain", "scales", "groups", "sample weights"]
# From zero, the path of the plain problem begins with what rounding has left.
of_every_kind = pytest.mark.parametrize("seed", [2, 13, 20])


def with_unpenalised(kind, seed):
    """A few of the features without penalty: (X, Y, labels, weights, sample weights)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 6))
    Y = X[:, :2] @ rng.normal(size=(2, 3)) + 0.1 * rng.normal(size=(60, 3))
    if kind == "scales":
        X *= 10.0 ** rng.uniform(-3, 3, 6)
    labels = [j // 2 for j in range(6)] if kind == "groups" else None
    weights = np.repeat([1, 0, 2], 2) if labels else np.array([1, 2, 3, 0, 0, 1])
    s = rng.uniform(0.1, 2, 60) if kind == "sample weights" else np.ones(60)
    return X, Y, labels, weights, s


def first_models(X, Y, labels, weights, s):
    """(estimator, coef_ at the largest alpha of its grid) of every kind."""
    codes, options = Y.argmax(axis=1), {"groups": labels, "feature_weights": weights}
    for estimator, y, some in (
        (GroupLassoRegressor(), Y, X),
        (GroupLassoRegressor(solver=CoordinateDescent(gram=False)), Y[:, 0], X),
        (GroupLassoRegressor(), Y, sparse.csr_array(X)),
        (ShrinkNetRegressor(), Y, X),
        (ShrinkNetRegressor(p=1, weight_decay=0.01), Y, X),
        (GroupLassoClassifier(), codes, X),
        (GroupLassoClassifier(), codes == codes[0], sparse.csc_array(X)),
    ):
        estimator.set_params(**options)
        path = regularization_path(estimator, some, y, alphas=2, eps=0.5, sample_weight=s)
        yield estimator, path.coefs[0]
        if not isinstance(estimator, GroupLassoClassifier):
            moments = Moments.from_data(some, y, s)
            yield estimator, regularization_path(estimator, moments, alphas=2, eps=0.5).coefs[0]
        if isinstance(estimator, GroupLassoRegressor):
            estimator.set_params(alpha=path.alphas[0]).fit(some, y, sample_weight=s)
            yield estimator, np.atleast_2d(estimator.coef_)


@pytest.mark.parametrize("kind", KINDS)
@of_every_kind
def test_the_first_model_of_a_grid_is_empty_but_for_unpenalised_features(kind, seed):
    X, Y, labels, weights, s = with_unpenalised(kind, seed)
    for estimator, coef in first_models(X, Y, labels, weights, s):
        assert coef[:, weights == 0].all()
        if "ShrinkNet" in type(estimator).__name__:  # may do better with more features at once
            sizes = np.abs(coef * X.std(axis=0))
            assert ((sizes == 0) | (sizes > 1e-6)).all()
        else:
            assert not coef[:, weights > 0].any(), estimator


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gram", [True, False])
@of_every_kind
def test_just_below_the_largest_strength_something_enters(kind, gram, seed):
    X, Y, labels, weights, s = with_unpenalised(kind, seed)
    objective = build(X, Y, labels=labels, weights=weights, gram=gram, sample_weight=s)
    strengths = objective.strength_max() * np.array([1, 1 - 1e-6])
    penalised = objective.groups.spread(objective.groups.weights) > 0
    solver, options = CoordinateDescent(gram), {"tol": 1e-11, "max_iter": 10_000}
    solutions = solve_path(objective, strengths, solver, **options)
    assert [bool(s.W[penalised].any()) for s in solutions] == [False, True]


def test_a_path_that_begins_at_zero_is_rejected():
    # Mutant: penalised features enter before the others are where they belong.
    X, Y, _, weights, _ = with_unpenalised("plain", 13)
    objective, zero = build(X, Y, weights=weights), np.zeros((6, 3))
    objective = objective.at(objective.strength_max())
    assert solve(objective, zero, tol=1e-6).W[weights > 0].any()
    assert not solve(objective, objective.null_model, tol=1e-6).W[weights > 0].any()


def stirred(raised, monkeypatch):
    """How many penalised groups want to leave zero at the largest strength, computed otherwise."""
    if not raised:
        monkeypatch.setattr("shrinklin.objective.objective._ULPS", 0.0)
        monkeypatch.setattr(ColumnQuadratic, "rounding", lambda *args: (0.0, 0.0))
        monkeypatch.setattr(GramQuadratic, "rounding", lambda *args: (0.0, 0.0))
    n_moving = 0
    for kind, seed in itertools.product(KINDS, range(5)):
        X, Y, labels, weights, s = with_unpenalised(kind, seed)
        forms = [
            build(X, Y, labels=labels, weights=weights, gram=gram, sample_weight=s)
            for gram in (True, False)
        ]
        for one, other in (forms, forms[::-1]):
            W = other.null_model
            gradient = other.smooth.gradient(W)
            residuals = prox_residuals(other.at(one.strength_max()), W, gradient)
            n_moving += np.count_nonzero(residuals[other.groups.weights > 0])
    return n_moving


def test_the_largest_strength_counts_rounding(monkeypatch):
    assert stirred(True, monkeypatch) == 0
    assert stirred(False, monkeypatch) > 0
