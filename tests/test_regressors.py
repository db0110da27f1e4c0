"""Regressors solve the problems that they state, compared with scikit-learn and with oracles."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LinearRegression, MultiTaskLasso

from oracles import bridge, group_lasso_objective, group_sum, squared_loss
from problems import PROBLEMS, random_small, simulate
from regressors import ESTIMATORS, every_estimator
from shrinklin import CoordinateDescent, GroupLassoRegressor, ShrinkNetRegressor
from shrinklin.factored import bridge_strength

every_problem = pytest.mark.parametrize("name", PROBLEMS)


def alpha_for(X, Y, share):
    """A share of the smallest alpha for which the group lasso selects nothing."""
    gradient = (X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0)) / len(X)
    return share * np.linalg.norm(gradient, axis=1).max()


# --- group lasso


@every_problem
@pytest.mark.parametrize("share", [1 / 3, 1 / 30])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_group_lasso_is_multi_task_lasso(name, share, fit_intercept):
    X, Y = PROBLEMS[name]()
    alpha = alpha_for(X, Y, share)
    ours = GroupLassoRegressor(alpha, fit_intercept=fit_intercept).fit(X, Y)
    theirs = MultiTaskLasso(alpha, fit_intercept=fit_intercept, tol=1e-14, max_iter=200_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(X, Y)
    ours, theirs = (
        group_lasso_objective(X, Y, m.coef_, m.intercept_, alpha) for m in (ours, theirs)
    )
    assert ours <= theirs * (1 + 1e-8)
    assert ours >= theirs * (1 - 1e-8)


@pytest.mark.parametrize("share", [1 / 3, 1 / 30])
def test_with_one_target_it_is_lasso(share):
    X, Y = simulate(50, 15, 1)
    y, alpha = Y.ravel(), alpha_for(X, Y, share)
    ours = GroupLassoRegressor(alpha, tol=1e-9).fit(X, y)
    theirs = Lasso(alpha, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-7)
    assert isinstance(ours.intercept_, float)


@every_problem
def test_all_zero_at_alpha_max_and_not_below(name):
    X, Y = PROBLEMS[name]()
    alpha_max = alpha_for(X, Y, 1)
    empty = GroupLassoRegressor(alpha_max * (1 + 1e-9)).fit(X, Y)
    with pytest.warns(UserWarning, match="No features were selected"):
        selected = empty.transform(X)
    assert selected.shape == (len(X), 0)
    assert not empty.coef_.any()
    assert empty.dual_gap_ <= 1e-12 * (Y**2).sum()
    np.testing.assert_allclose(empty.intercept_, Y.mean(axis=0), atol=1e-12)
    assert GroupLassoRegressor(alpha_max * (1 - 1e-4)).fit(X, Y).coef_.any()


@every_problem
def test_dual_gap_bounds_the_distance_to_multi_task_lasso(name):
    X, Y = PROBLEMS[name]()
    alpha = alpha_for(X, Y, 0.1)
    model = GroupLassoRegressor(alpha).fit(X, Y)
    value = group_lasso_objective(X, Y, model.coef_, model.intercept_, alpha)
    best = GroupLassoRegressor(alpha, tol=1e-9).fit(X, Y) if name != "correlated" else model
    least = group_lasso_objective(X, Y, best.coef_, best.intercept_, alpha)
    assert value - least <= model.dual_gap_ + 1e-12 * value
    assert model.dual_gap_ <= 1e-4 * value


# --- ShrinkNet


@every_problem
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weight_decay", [None, 0.03])
def test_switches_times_weights_are_the_coefficients(name, p, weight_decay):
    X, Y = PROBLEMS[name]()
    model = ShrinkNetRegressor(0.1, p=p, weight_decay=weight_decay).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    np.testing.assert_array_equal(model.switch_ != 0, model.get_support())
    assert (model.switch_ >= 0).all()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]])
def test_factored_objective_is_the_bridge_objective(p, groups):
    X, Y = simulate(60, 12, 3)
    alpha, decay = 0.2, 0.05
    model = ShrinkNetRegressor(alpha, p=p, weight_decay=decay, groups=groups).fit(X, Y)
    labels = list(range(12)) if groups is None else groups
    omega = np.ones(12) if groups is None else np.sqrt(np.bincount(groups)[groups])
    loss = squared_loss(X, Y, model.coef_, model.intercept_)
    kappa = bridge_strength(alpha, decay, p)
    as_bridge = loss + kappa * group_sum(model.coef_, labels, bridge(p), omega)
    # A group has one switch: λ counts once for each group, not for each feature.
    switches = sum(omega[j] * model.switch_[j] for j in np.unique(labels, return_index=True)[1])
    weights = group_sum(model.weight_, labels, lambda a: (np.abs(a) ** p).sum(), omega)
    as_factored = loss + alpha * switches + decay * weights
    assert model.coef_.any()
    assert as_factored == pytest.approx(as_bridge, rel=1e-10)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_strength_gives_equal_coefficients(p):
    X, Y = simulate(60, 12, 3)
    reference = ShrinkNetRegressor(0.1, p=p).fit(X, Y)
    for alpha in (0.01, 0.1, 3.0):
        # κ = (1 + 1/p) λ^{p/(p+1)} (p λ₂)^{1/(p+1)} = 0.1, solved for λ₂.
        decay = (0.1 / (1 + 1 / p)) ** (p + 1) / alpha**p / p
        model = ShrinkNetRegressor(alpha, weight_decay=decay, p=p).fit(X, Y)
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-7)
    wrong = ShrinkNetRegressor(0.1, weight_decay=1.1 * 4 / 270, p=p).fit(X, Y)
    assert np.abs(wrong.coef_ - reference.coef_).max() > 1e-4


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_never_worse_than_zero_warm_start_or_group_lasso_refitted(p, seed):
    X, Y = random_small(seed)
    alpha = alpha_for(X, Y, 0.2)

    def value(coef, intercept):
        penalty = group_sum(coef, list(range(X.shape[1])), bridge(p))
        return squared_loss(X, Y, coef, intercept) + alpha * penalty

    start = ShrinkNetRegressor(alpha / 3, p=p, warm_start=True).fit(X, Y)
    rivals = [value(np.zeros_like(start.coef_), Y.mean(axis=0))]
    rivals += [value(start.coef_, start.intercept_)]
    for share in (1, 0.3, 0.1):
        support = GroupLassoRegressor(share * alpha).fit(X, Y).get_support()
        refit = np.zeros_like(start.coef_)
        if support.any():
            refit[:, support] = LinearRegression().fit(X[:, support], Y).coef_
        rivals.append(value(refit, Y.mean(axis=0) - refit @ X.mean(axis=0)))
    model = start.set_params(alpha=alpha).fit(X, Y)
    assert value(model.coef_, model.intercept_) <= min(rivals) * (1 + 1e-8)


def test_shrinknet_keeps_fewer_features_at_the_same_fit():
    X, Y = simulate(80, 40, 5, 8, noise=2)
    lasso = GroupLassoRegressor(0.5).fit(X, Y)
    target = lasso.score(X, Y)
    kept = [
        model.get_support().sum()
        for model in (ShrinkNetRegressor(a).fit(X, Y) for a in np.geomspace(2, 0.05, 12))
        if model.score(X, Y) >= target
    ]
    assert min(kept) <= lasso.get_support().sum() / 2


# --- what holds for both


@every_estimator
def test_sample_weights_are_repeated_rows(estimator):
    X, Y = simulate(40, 10, 3)
    s = np.random.default_rng(0).integers(0, 4, 40)
    weighted = clone(estimator).fit(X, Y, sample_weight=s)
    scaled = clone(estimator).fit(X, Y, sample_weight=0.1 * s)
    repeated = clone(estimator).fit(np.repeat(X, s, axis=0), np.repeat(Y, s, axis=0))
    for other in (scaled, repeated):
        np.testing.assert_allclose(weighted.coef_, other.coef_, atol=1e-8)
        np.testing.assert_allclose(weighted.intercept_, other.intercept_, atol=1e-8)


@every_estimator
@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("container", ["csr_array", "csc_array", "csr_matrix", "csc_matrix"])
def test_sparse_equals_dense(estimator, gram, container):
    X, Y = simulate(60, 12, 3)
    X[np.abs(X) < 1] = 0
    estimator = clone(estimator).set_params(solver=CoordinateDescent(gram=gram))
    dense = clone(estimator).fit(X, Y)
    X_sparse = getattr(sparse, container)(X)
    model = clone(estimator).fit(X_sparse, Y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-7)
    np.testing.assert_allclose(model.predict(X_sparse), dense.predict(X), atol=1e-6)
    assert model.transform(X_sparse).shape[1] == model.get_support().sum()


@every_estimator
@every_problem
def test_gram_equals_residual_path(estimator, name):
    X, Y = PROBLEMS[name]()
    if name in ("uneven scales", "wide"):
        X, Y = X[:, :6], Y  # equal minima elsewhere may be told apart by rounding
    alpha = alpha_for(X, Y, 0.1)
    models = [
        clone(estimator).set_params(alpha=alpha, solver=CoordinateDescent(gram=gram)).fit(X, Y)
        for gram in (True, False)
    ]
    p = getattr(estimator, "p", None)
    phi = np.linalg.norm if p is None else bridge(p)
    values = [
        squared_loss(X, Y, m.coef_, m.intercept_)
        + alpha * group_sum(m.coef_, list(range(X.shape[1])), phi)
        for m in models
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-7)


@every_estimator
@pytest.mark.parametrize("groups", [None, np.array(list("aabbbccddefg"))])
def test_permuting_features_permutes_coefficients(estimator, groups):
    X, Y = simulate(60, 12, 3)
    order = np.random.default_rng(0).permutation(12)
    straight = clone(estimator).set_params(groups=groups).fit(X, Y)
    permuted = clone(estimator).set_params(groups=None if groups is None else groups[order])
    permuted.fit(X[:, order], Y)
    np.testing.assert_allclose(permuted.coef_, straight.coef_[:, order], atol=1e-7)


@every_estimator
def test_feature_weights_are_column_scales(estimator):
    # Group lasso: divide by ω; bridge p = 2: by ω^{3/2}; p = 1: by ω².
    X, Y = simulate(60, 12, 3)
    omega = np.random.default_rng(0).uniform(0.3, 3, 12)
    exponent = {None: 1, 2: 1.5, 1: 2}[getattr(estimator, "p", None)]
    weighted = clone(estimator).set_params(feature_weights=omega).fit(X, Y)
    scaled = clone(estimator).fit(X / omega**exponent, Y)
    np.testing.assert_allclose(weighted.coef_, scaled.coef_ / omega**exponent, atol=1e-6)
    other = clone(estimator).fit(X / omega ** (exponent + 0.5), Y)
    assert np.abs(weighted.coef_ - other.coef_ / omega ** (exponent + 0.5)).max() > 1e-3


@every_estimator
def test_unpenalised_features_stay_in(estimator):
    X, Y = simulate(60, 12, 3)
    omega = np.ones(12)
    omega[[4, 11]] = 0
    model = clone(estimator).set_params(alpha=1e3, feature_weights=omega).fit(X, Y)
    expected = LinearRegression().fit(X[:, [4, 11]], Y)
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [4, 11])
    np.testing.assert_allclose(model.coef_[:, [4, 11]], expected.coef_, atol=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=repr)
def test_groups_enter_together(estimator):
    X, Y = simulate(60, 12, 3)
    groups = np.repeat(["x", "y", "z", "t"], 3)
    sizes = set()
    for alpha in (0.02, 0.1, 0.3, 0.6, 1.0):
        support = clone(estimator).set_params(alpha=alpha, groups=groups).fit(X, Y).get_support()
        assert all(len(set(support[groups == g])) == 1 for g in "xyzt")
        sizes.add(support.sum())
    assert len(sizes) > 1


@every_estimator
def test_groups_of_one_are_no_groups(estimator):
    X, Y = simulate(60, 12, 3)
    plain = clone(estimator).fit(X, Y)
    grouped = clone(estimator).set_params(groups=np.arange(12)[::-1]).fit(X, Y)
    np.testing.assert_allclose(grouped.coef_, plain.coef_, atol=1e-8)


@every_estimator
@pytest.mark.parametrize("shape", ["1-D", "column", "many"])
def test_shapes_follow_y(estimator, shape):
    X, Y = simulate(40, 6, 3)
    y = {"1-D": Y[:, 0], "column": Y[:, :1], "many": Y}[shape]
    model = clone(estimator).fit(X, y)
    trailing = y.shape[1:]
    assert model.coef_.shape == (*trailing, 6)
    assert np.shape(model.intercept_) == trailing
    assert model.predict(X).shape == y.shape
    if hasattr(model, "weight_"):
        assert model.weight_.shape == model.coef_.shape
        assert model.switch_.shape == (6,)


@every_estimator
def test_same_bits_again(estimator):
    X, Y = simulate(60, 30, 3, 10, correlation=0.8)
    first, second = (clone(estimator).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)


@every_estimator
def test_warm_start_saves_sweeps_and_survives_another_shape(estimator):
    X, Y = simulate(100, 40, 5, 20, correlation=0.9)
    model = clone(estimator).set_params(alpha=0.02, warm_start=True).fit(X, Y)
    cold = model.n_iter_
    coef = model.coef_.copy()
    model.fit(X, Y)
    if isinstance(estimator, GroupLassoRegressor):  # ShrinkNet's n_iter_ is its last descent's
        assert model.n_iter_ <= 2 < cold
    np.testing.assert_allclose(model.coef_, coef, atol=1e-5)
    model.fit(X[:, :7], Y)
    assert model.coef_.shape == (5, 7)


def test_warm_start_knows_the_order_of_groups():
    X, Y = simulate(100, 40, 5, 20, correlation=0.9)
    groups = np.random.default_rng(0).integers(0, 10, 40)
    model = GroupLassoRegressor(0.02, groups=groups, warm_start=True).fit(X, Y)
    cold = model.n_iter_
    assert model.fit(X, Y).n_iter_ <= 2 < cold
