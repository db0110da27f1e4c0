"""A ridge on top of the group lasso: its minima are those of other packages.

The objective has ½ρ Σ ‖W_g‖² more, over the groups with a weight.
"""

import cvxpy as cp
import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import ElasticNet, LogisticRegression, MultiTaskElasticNet, Ridge

from classifiers import alpha_for, some_weights
from oracles import group_lasso_log_objective, group_lasso_objective, indicators_of
from peers import NEW_NAMES
from problems import simulate, simulate_classes
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)

SHAPES = {"tall": (60, 12, 3), "wide": (20, 50, 3)}
LAYOUTS = {
    "dense": np.asarray,
    "csc": sparse.csc_array,
    "csr": sparse.csr_array,
}
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_layout = pytest.mark.parametrize("layout", LAYOUTS)
every_gram = pytest.mark.parametrize("gram", ["auto", True, False])
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
EXACT = {"tol": 1e-13, "max_iter": 100_000}


def with_means(X, Y):
    """Some entries are zero, and neither X nor Y is centred."""
    kept = np.random.default_rng(1).random(X.shape) < 0.6
    return X * kept + kept * np.linspace(-1, 1, X.shape[1]), Y + 3


def net(cls, alpha, ridge, **options):
    a = alpha + ridge
    return cls(alpha=a, l1_ratio=alpha / a, **EXACT, **options)


def assert_same(ours, theirs, atol=1e-7):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=atol)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=atol)


# --- regression


@every_shape
@every_gram
@with_and_without_intercept
def test_several_targets_are_a_multi_task_elastic_net(shape, gram, fit_intercept):
    X, Y = with_means(*simulate(*SHAPES[shape]))
    theirs = net(MultiTaskElasticNet, 0.2, 0.3, fit_intercept=fit_intercept).fit(X, Y)
    options = {"fit_intercept": fit_intercept, "solver": CoordinateDescent(gram), "tol": 1e-12}
    ours = GroupLassoRegressor(0.2, ridge=0.3, **options).fit(X, Y)
    assert 0 < ours.get_support().sum() < X.shape[1]
    assert_same(ours, theirs)
    for wrong in ({"ridge": 0.0}, {"ridge": 0.15}, {"ridge": 0.6}):
        other = GroupLassoRegressor(0.2, **wrong, **options).fit(X, Y)
        assert np.abs(other.coef_ - theirs.coef_).max() > 1e-3


@every_shape
@every_layout
@every_gram
@pytest.mark.parametrize("weighted", [True, False])
def test_one_target_is_an_elastic_net(shape, layout, gram, weighted):
    X, Y = with_means(*simulate(*SHAPES[shape]))
    y, s = Y[:, 0], some_weights(len(X)) if weighted else None
    theirs = net(ElasticNet, 0.1, 0.05).fit(X, y, sample_weight=s)
    model = GroupLassoRegressor(0.1, ridge=0.05, solver=CoordinateDescent(gram), tol=1e-12)
    assert_same(model.fit(LAYOUTS[layout](X), y, s), theirs)


@every_layout
def test_a_working_set_with_a_gram_matrix_of_its_own(layout):
    X, Y = with_means(*simulate(60, 1200, 2))
    theirs = net(MultiTaskElasticNet, 0.5, 0.2).fit(X, Y)
    ours = GroupLassoRegressor(0.5, ridge=0.2, tol=1e-12).fit(LAYOUTS[layout](X), Y)
    assert 5 < ours.get_support().sum() < 60
    assert_same(ours, theirs)


@with_and_without_intercept
def test_moments_and_chunks_give_the_same(fit_intercept):
    X, Y = with_means(*simulate(60, 12, 3))
    s = some_weights(60)
    model = GroupLassoRegressor(0.2, ridge=0.3, fit_intercept=fit_intercept, tol=1e-12)
    whole = model.fit(X, Y, s)
    assert_same(GroupLassoRegressor(**model.get_params()).fit_moments(
        Moments.from_data(X, Y, sample_weight=s)
    ), whole)  # fmt: skip
    chunked = GroupLassoRegressor(**model.get_params())
    for rows in (slice(0, 25), slice(25, 60)):
        chunked.partial_fit(X[rows], Y[rows], sample_weight=s[rows])
    assert_same(chunked, whole)


@every_layout
@every_gram
@pytest.mark.parametrize("ridge", [1e-3, 0.5])
def test_without_alpha_it_is_ridge_regression(layout, gram, ridge):
    X, Y = with_means(*simulate(40, 12, 3))
    X[:, 5], X[:, 7] = X[:, 4], 0.0
    theirs = Ridge(alpha=40 * ridge).fit(X, Y)
    X = LAYOUTS[layout](X)
    for cls in (GroupLassoRegressor, ShrinkNetRegressor):
        model = cls(0.0, ridge=ridge, solver=CoordinateDescent(gram), tol=1e-12).fit(X, Y)
        assert_same(model, theirs)
        assert not model.coef_[:, 7].any()
    assert GroupLassoRegressor(0.0, ridge=ridge).fit(X, Y).dual_gap_ < 1e-5


def penalty_in_cvxpy(W, alpha, ridge, groups, omega):
    rows = [(omega[groups == g][0], W[np.flatnonzero(groups == g)]) for g in sorted(set(groups))]
    norms = sum(weight * cp.norm(block, "fro") for weight, block in rows)
    squares = sum(cp.sum_squares(block) for weight, block in rows if weight > 0)
    return alpha * norms + 0.5 * ridge * squares


def least_by_cvxpy(loss, W, b, alpha, ridge, groups, omega, fit_intercept):
    """The minimum, and W."""
    constraints = [] if fit_intercept else [b == 0]
    penalty = penalty_in_cvxpy(W, alpha, ridge, groups, omega)
    value = cp.Problem(cp.Minimize(loss + penalty), constraints).solve(solver="CLARABEL")
    return value, W.value


def ridge_of(coef, ridge, omega):
    return 0.5 * ridge * (np.asarray(coef)[..., omega > 0] ** 2).sum()


GROUPS = np.array([4, 0, 0, 1, 1, 1, 2, 3])
OMEGA = np.array([0, 0.5, 0.5, 2.0, 2.0, 2.0, 1.0, 0.0])


@every_gram
@with_and_without_intercept
@pytest.mark.parametrize("alpha", [0.1, 0.0])
def test_groups_and_free_features_against_cvxpy(gram, fit_intercept, alpha):
    X, Y = with_means(*simulate(30, 8, 2, 8))
    s, ridge = some_weights(30), 0.4
    options = {"groups": GROUPS, "feature_weights": OMEGA, "fit_intercept": fit_intercept}
    solver = CoordinateDescent(gram)
    ours = GroupLassoRegressor(alpha, ridge=ridge, solver=solver, tol=1e-11, **options).fit(X, Y, s)
    value = group_lasso_objective(X, Y, ours.coef_, ours.intercept_, alpha, GROUPS, OMEGA, s)
    value += ridge_of(ours.coef_, ridge, OMEGA)
    assert ours.objective_ == pytest.approx(value, rel=1e-10)
    W, b = cp.Variable((8, 2)), cp.Variable((1, 2))
    root = np.sqrt(s / s.sum())[:, None]
    loss = 0.5 * cp.sum_squares(
        cp.multiply(root @ np.ones((1, 2)), Y - X @ W - np.ones((30, 1)) @ b)
    )
    least, theirs = least_by_cvxpy(loss, W, b, alpha, ridge, GROUPS, OMEGA, fit_intercept)
    assert value == pytest.approx(least, rel=1e-7)
    np.testing.assert_allclose(ours.coef_.T, theirs, atol=1e-4)
    assert ours.dual_gap_ <= 1e-7 * value
    # A ridge on free features would give another model.
    held = np.where(OMEGA > 0, OMEGA, 1e-9)
    other = GroupLassoRegressor(alpha, ridge=ridge, **options | {"feature_weights": held}).fit(
        X, Y, s
    )
    assert np.abs(other.coef_ - ours.coef_).max() > 1e-2


# --- classes


def elastic_logistic(alpha, ridge, total):
    C = 1 / (total * (alpha + ridge))
    name = {} if NEW_NAMES else {"penalty": "elasticnet"}
    return LogisticRegression(
        C=C, l1_ratio=alpha / (alpha + ridge), solver="saga", tol=1e-9, max_iter=50_000,
        random_state=0, **name,
    )  # fmt: skip


@every_layout
@pytest.mark.parametrize("weighted", [True, False])
def test_two_classes_are_elastic_net_logistic_regression(layout, weighted):
    X, y = simulate_classes(60, 8, 2, noise=2)
    X = with_means(X, y)[0]
    s = some_weights(60) if weighted else np.ones(60)
    theirs = elastic_logistic(0.05, 0.1, s.sum()).fit(X, y, s)
    model = GroupLassoClassifier(0.05, ridge=0.1, tol=1e-11)
    assert_same(model.fit(LAYOUTS[layout](X), y, s), theirs, atol=1e-6)
    assert 0 < model.get_support().sum() < 8
    other = elastic_logistic(0.05, 0.105, s.sum()).fit(X, y, s)
    assert np.abs(model.coef_ - other.coef_).max() > 1e-4


@every_layout
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("shape", [(60, 8), (15, 40)])
def test_without_alpha_it_is_logistic_regression(layout, n_classes, shape):
    X, y = simulate_classes(*shape, n_classes, noise=2)
    theirs = LogisticRegression(C=1 / (len(X) * 0.2), tol=1e-12, max_iter=100_000).fit(X, y)
    X = LAYOUTS[layout](X)
    for cls in (GroupLassoClassifier, ShrinkNetClassifier):
        model = cls(0.0, ridge=0.2, tol=1e-11).fit(X, y)
        np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-6)
        shift = theirs.intercept_ - (theirs.intercept_.mean() if n_classes > 2 else 0)
        np.testing.assert_allclose(model.intercept_, shift, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@with_and_without_intercept
@pytest.mark.parametrize("alpha_share", [0.1, 0.0])
def test_groups_and_class_weight_against_cvxpy(n_classes, fit_intercept, alpha_share):
    X, y = simulate_classes(40, 8, n_classes, noise=3)
    alpha, ridge = alpha_for(X, y, alpha_share), 0.1
    weight = {0: 3.0, 1: 0.5, 2: 1.0}
    s = some_weights(40)
    model = GroupLassoClassifier(
        alpha, ridge=ridge, groups=GROUPS, feature_weights=OMEGA, fit_intercept=fit_intercept,
        class_weight={k: weight[k] for k in range(n_classes)}, tol=1e-10,
    ).fit(X, y, s)  # fmt: skip
    s = s * np.array([weight[k] for k in y])
    value = group_lasso_log_objective(
        X, y, model.coef_, model.intercept_, alpha, GROUPS, OMEGA, sample_weight=s
    ) + ridge_of(model.coef_, ridge, OMEGA)
    assert model.objective_ == pytest.approx(value, rel=1e-10)
    Y = indicators_of(y)
    W, b = cp.Variable((8, Y.shape[1])), cp.Variable((1, Y.shape[1]))
    Z = X @ W + np.ones((40, 1)) @ b
    losses = cp.logistic(Z)[:, 0] if n_classes == 2 else cp.log_sum_exp(Z, axis=1)
    loss = (s / s.sum()) @ (losses - cp.sum(cp.multiply(Y, Z), axis=1))
    least, _ = least_by_cvxpy(loss, W, b, alpha, ridge, GROUPS, OMEGA, fit_intercept)
    assert value == pytest.approx(least, rel=1e-6)
    assert value <= least * (1 + 1e-7)


@pytest.mark.parametrize("cls", [GroupLassoClassifier, ShrinkNetClassifier])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("alpha", [0.0, 1e-4])
def test_separable_classes_have_a_minimum(cls, n_classes, alpha):
    X = np.random.default_rng(0).normal(size=(60, 6))
    y = X[:, 0].argsort().argsort() * n_classes // 60
    model = cls(alpha, ridge=1e-4, tol=1e-9).fit(X, y)  # a warning would be an error
    assert model.residual_ <= 1e-9
    assert np.isfinite(model.coef_).all()
    assert (model.predict(X) == y).all()
    if alpha == 0:
        theirs = LogisticRegression(C=1 / (60 * 1e-4), tol=1e-12, max_iter=100_000).fit(X, y)
        np.testing.assert_allclose(
            model.coef_, theirs.coef_, atol=1e-5 * np.abs(theirs.coef_).max()
        )


def test_free_features_that_separate_classes_still_have_none():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    model = GroupLassoClassifier(0.1, ridge=0.1, feature_weights=[0, 1, 1, 1])
    with pytest.warns(Warning, match="separate"):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()


# --- parameters


EVERY_CLASS = [GroupLassoRegressor, GroupLassoClassifier, ShrinkNetRegressor, ShrinkNetClassifier]


@pytest.mark.parametrize("cls", EVERY_CLASS)
@pytest.mark.parametrize(
    ("ridge", "error"),
    [(-1, ValueError), (np.nan, ValueError), (np.inf, ValueError), ("a", TypeError)],
)
def test_a_wrong_ridge_is_refused_in_one_sentence(cls, ridge, error):
    X, y = simulate_classes(30, 4, 2)
    model = cls(ridge=ridge)
    with pytest.raises(error, match=rf"^ridge={ridge!r}[^.]*: give a finite number >= 0\.$"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_a_warm_start_ends_at_the_same_model(cls):
    X, y = simulate_classes(60, 8, 2, noise=2)
    cold = cls(0.05, ridge=0.3, tol=1e-10).fit(X, y)
    warm = cls(0.05, ridge=0.0, tol=1e-10, warm_start=True).fit(X, y)
    assert np.abs(warm.coef_ - cold.coef_).max() > 0.01
    warm.set_params(ridge=0.3).fit(X, y)
    assert_same(warm, cold, atol=1e-6)
    assert warm.fit(X, y).n_iter_ <= 2


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_no_ridge_is_the_default(cls):
    X, y = simulate_classes(60, 8, 2, noise=2)
    default, zero = cls(0.05).fit(X, y), cls(0.05, ridge=0).fit(X, y)
    assert default.ridge == 0
    assert default.coef_.tobytes() == zero.coef_.tobytes()
