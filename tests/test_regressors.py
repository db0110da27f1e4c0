"""The estimators: the problems they say they solve, and scikit-learn's conventions."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LinearRegression, MultiTaskLasso
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from oracles import bridge, group_lasso_objective, group_sum, squared_loss
from problems import PROBLEMS, random_small, simulate
from shrinklin import (
    CoordinateDescent,
    GroupLassoRegressor,
    ShrinkNetRegressor,
    regularization_path,
)
from shrinklin.factored import bridge_strength

ESTIMATORS = [GroupLassoRegressor(), ShrinkNetRegressor(), ShrinkNetRegressor(p=1)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
every_problem = pytest.mark.parametrize("name", PROBLEMS)
residual_updates = CoordinateDescent(gram=False)


@pytest.mark.parametrize(
    "estimator",
    [
        *ESTIMATORS,
        GroupLassoRegressor(solver=residual_updates),
        ShrinkNetRegressor(solver=residual_updates),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings(
    "ignore:No features were selected", "ignore:.* keeps no feature", "ignore:this .* was fitted by"
)
@pytest.mark.untraced
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


def alpha_for(X, Y, share):
    """A share of the least alpha with an empty group lasso."""
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
    # A group has one switch: λ counts once a group, not once a feature.
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
def test_float32_stays_and_agrees(estimator):
    X, Y = simulate(60, 12, 3)
    double = clone(estimator).fit(X, Y)
    single = clone(estimator).fit(X.astype(np.float32), Y.astype(np.float32))
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-5)


@every_estimator
def test_float32_input_whose_coefficients_do_not_fit_gives_float64(estimator):
    X, Y = simulate(60, 6, 2)
    for x_scale, y_scale in [(1e-30, 1e20), (1e30, 1e-20)]:
        model = clone(estimator).set_params(alpha=0.0)
        model.fit((x_scale * X).astype(np.float32), y_scale * Y)
        assert model.coef_.dtype == np.float64
        assert model.get_support().all()
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(
    ("alpha", "decay"), [(1e-200, 1e200), (1e-300, 1e100), (5e-324, 0.1), (1e200, 1e-200)]
)
def test_extreme_ratios_of_weight_decay_to_alpha(p, alpha, decay):
    X, Y = simulate(40, 4, 2)
    model = ShrinkNetRegressor(alpha, weight_decay=decay, p=p).fit(X, 10 * Y)
    assert np.isfinite(model.coef_).all()
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


@every_estimator
@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("mean", [1e5, 1e8])
def test_sparse_columns_far_from_zero_keep_their_digits(estimator, gram, mean):
    X, Y = simulate(60, 6, 2)
    X[:, :3] += mean
    estimator = clone(estimator).set_params(alpha=0.01, solver=CoordinateDescent(gram=gram))
    dense = clone(estimator).fit(X, Y)
    model = clone(estimator).fit(sparse.csr_array(X), Y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
    assert model.get_support()[:3].any()


@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-5])
def test_collinear_polynomials_are_solved_to_the_gap(alpha):
    x = np.linspace(0, 1, 200)
    X = StandardScaler().fit_transform(np.vander(x, 9, increasing=True)[:, 1:])
    Y = np.c_[np.sin(6 * x), np.cos(5 * x)]
    model = GroupLassoRegressor(alpha).fit(X, Y)
    assert model.dual_gap_ <= 1e-6 * squared_loss(X, Y, 0 * model.coef_, Y.mean(axis=0))
    assert model.n_iter_ < 2000


@every_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_read_only_memory_map(estimator, dtype, tmp_path):
    X, Y = simulate(60, 12, 3)
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    Y.flags.writeable = False
    model = clone(estimator).fit(mapped, Y)
    np.testing.assert_array_equal(model.coef_, clone(estimator).fit(X.astype(dtype), Y).coef_)


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


# --- awkward data

AWKWARD = {
    "constant": lambda X, Y: (np.where(np.arange(8) == 3, 7.1, X), Y, None),
    "all constant": lambda X, Y: (np.ones_like(X), Y, None),
    "duplicates": lambda X, Y: (X[:, [0, 0, 1, 1, 2, 2, 3, 3]], Y, None),
    "p > n": lambda X, Y: (X[:5], Y[:5], None),
    "one feature": lambda X, Y: (X[:, :1], Y, None),
    "one sample": lambda X, Y: (X[:1], Y[:1], None),
    "scales 1e-12 and 1e12": lambda X, Y: (X * 10.0 ** np.tile([-12, 12], 4), Y, None),
    "y all zero": lambda X, Y: (X, 0 * Y, None),
    "y constant": lambda X, Y: (X, 0 * Y + 3.3, None),
    "zero weights": lambda X, Y: (X, Y, np.arange(len(X)) % 2),
    "one weight": lambda X, Y: (X, Y, np.arange(len(X)) == 4),
    "y huge": lambda X, Y: (X, 1e100 * Y, None),
    "y tiny": lambda X, Y: (X, 1e-100 * Y, None),
    "integers": lambda X, Y: (np.round(5 * X).astype(int), np.round(5 * Y).astype(int), None),
}


@every_estimator
@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 1e-3, 0.2, 10])
@pytest.mark.untraced
def test_awkward_data(estimator, gram, kind, alpha):
    X, Y, s = AWKWARD[kind](*simulate(30, 8, 2))
    model = clone(estimator).set_params(alpha=alpha, solver=CoordinateDescent(gram=gram))
    model.fit(X, Y, sample_weight=s)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.predict(X)).all()
    assert model.residual_ <= model.tol
    used = slice(None) if s is None else s > 0
    fitted = squared_loss(X[used], Y[used], model.coef_, model.intercept_)
    mean = np.average(Y, axis=0, weights=s)
    empty = squared_loss(X[used], Y[used], np.zeros_like(model.coef_), mean)
    assert fitted <= empty * (1 + 1e-9) + 1e-300
    if kind in ("constant", "all constant"):
        assert not model.get_support()[3]


# --- scikit-learn


@every_estimator
def test_in_pipeline_grid_search_and_cross_validation(estimator):
    X, Y = simulate(60, 8, 3)
    model = make_pipeline(StandardScaler(), estimator)
    name = type(estimator).__name__.lower()
    search = GridSearchCV(model, {f"{name}__alpha": [0.01, 0.1, 1.0]}, n_jobs=2, cv=3)
    search.fit(X, Y)
    assert search.best_score_ > 0
    by_hand = [
        cross_val_score(clone(model).set_params(**p), X, Y, cv=3).mean()
        for p in search.cv_results_["params"]
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], by_hand)


@every_estimator
def test_pickle_and_clone(estimator):
    X, Y = simulate(40, 6, 2)
    model = clone(estimator).set_params(alpha=0.2, solver=CoordinateDescent(gram=True)).fit(X, Y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert clone(model).get_params()["alpha"] == 0.2
    assert not hasattr(clone(model), "coef_")


@every_estimator
def test_as_a_selection_step(estimator):
    X, Y = simulate(60, 12, 3)
    model = make_pipeline(clone(estimator).set_params(alpha=0.5), LinearRegression()).fit(X, Y)
    support = model[0].get_support()
    assert 0 < support.sum() < 12
    expected = LinearRegression().fit(X[:, support], Y)
    np.testing.assert_allclose(model[-1].coef_, expected.coef_)
    np.testing.assert_array_equal(model[0].get_support(indices=True), np.flatnonzero(support))


@every_estimator
def test_names_of_data_frames(estimator):
    X, Y = simulate(60, 6, 2, 2)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(60) + 7)
    model = clone(estimator).set_params(alpha=0.5).fit(frame, pd.DataFrame(Y))
    names = model.get_feature_names_out()
    np.testing.assert_array_equal(names, np.array(list("abcdef"))[model.get_support()])
    np.testing.assert_array_equal(model.feature_names_in_, list("abcdef"))
    model.set_output(transform="pandas")
    selected = model.transform(frame)
    assert list(selected.columns) == list(names)
    assert selected.index.equals(frame.index)


@every_estimator
def test_sample_weight_is_routed(estimator):
    X, Y = simulate(60, 8, 3)
    s = np.random.default_rng(0).uniform(0, 1, 60)
    folds = [(np.arange(40), np.arange(40, 60))]
    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(estimator).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        result = cross_validate(
            model, X, Y, params={"sample_weight": s}, cv=folds, return_estimator=True
        )
    expected = clone(estimator).fit(X[:40], Y[:40], sample_weight=s[:40])
    np.testing.assert_array_equal(result["estimator"][0].coef_, expected.coef_)
    assert result["test_score"][0] == expected.score(X[40:], Y[40:], sample_weight=s[40:])


# --- what it says

X_OK, Y_OK = simulate(20, 4, 2)


def _with(value, row=0):
    X = X_OK.astype(object if isinstance(value, str) else type(value))
    X[row, 0] = value
    return X


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "parameters", "error", "message"),
    [
        ((_with(np.nan), Y_OK), {}, ValueError, "Input X contains NaN"),
        ((_with(np.inf), Y_OK), {}, ValueError, "Input X contains infinity"),
        ((X_OK, np.where(Y_OK > 1, np.nan, Y_OK)), {}, ValueError, "Input y contains NaN"),
        ((_with("tall"), Y_OK), {}, ValueError, "was given text .*'tall'.*Encode text columns"),
        ((X_OK, np.full(20, "tall")), {}, ValueError, "was given text|takes real numbers"),
        ((X_OK + 0j, Y_OK), {}, ValueError, "Complex data not supported"),
        ((X_OK, Y_OK + 0j), {}, ValueError, "Complex data not supported"),
        ((X_OK[:7], Y_OK), {}, ValueError, r"samples: \[7, 20\]: give X and y the same rows"),
        ((X_OK, Y_OK, np.ones(7)), {}, ValueError, "inconsistent numbers of samples"),
        ((X_OK, Y_OK, np.zeros(20)), {}, ValueError, "sample_weight is zero on every row"),
        ((X_OK, Y_OK, -np.ones(20)), {}, ValueError, "20 negative entries"),
        ((X_OK, Y_OK, np.full(20, np.nan)), {}, ValueError, "sample_weight contains NaN"),
        ((X_OK, Y_OK, np.ones((20, 2))), {}, ValueError, r"sample_weight has shape \(20, 2\)"),
        ((X_OK, Y_OK), {"alpha": -1}, ValueError, "alpha=-1: give a finite number >= 0"),
        ((X_OK, Y_OK), {"alpha": np.nan}, ValueError, "alpha=nan"),
        ((X_OK, Y_OK), {"alpha": "1"}, TypeError, "alpha='1' is not a number"),
        ((X_OK, Y_OK), {"alpha": None}, TypeError, "alpha=None is not a number"),
        ((X_OK, Y_OK), {"tol": -1}, ValueError, "tol=-1"),
        ((X_OK, Y_OK), {"max_iter": 0}, ValueError, "max_iter=0"),
        ((X_OK, Y_OK), {"max_iter": 1.5}, ValueError, "max_iter=1.5"),
        ((X_OK, Y_OK), {"max_iter": True}, ValueError, "max_iter=True"),
        ((X_OK, Y_OK), {"fit_intercept": "no"}, TypeError, "fit_intercept='no': give True or"),
        ((X_OK, Y_OK), {"warm_start": "yes"}, TypeError, "warm_start='yes': give True or"),
        ((X_OK, Y_OK), {"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
        ((X_OK, Y_OK, ["a"] * 20), {}, ValueError, "sample_weight of dtype .* is not numeric"),
        ((X_OK, Y_OK, 1j * np.ones(20)), {}, ValueError, "sample_weight of dtype complex"),
        ((X_OK, Y_OK, 3.0), {}, ValueError, r"sample_weight has shape \(\)"),
        ((1e200 * X_OK, Y_OK), {}, ValueError, "some do not fit in float64"),
        ((X_OK, 1e200 * Y_OK), {}, ValueError, "some do not fit in float64"),
        ((1e-80 * X_OK, 1e80 * Y_OK), {}, ValueError, "some do not fit in float64"),
        ((1e100 * X_OK, 1e-100 * Y_OK), {}, ValueError, "some do not fit in float64"),
        # X·y: its squares are infinite, and no feature would enter.
        ((1e100 * X_OK, 1e100 * Y_OK), {}, ValueError, "some do not fit in float64"),
        ((1e-100 * X_OK, 1e-100 * Y_OK), {}, ValueError, "some do not fit in float64"),
        (([[10**400], [1]], [0.0, 1.0]), {}, ValueError, "a whole number that float64 cannot"),
        ((X_OK, Y_OK, [10**400] * 20), {}, ValueError, "sample_weight of dtype object"),
        ((X_OK, Y_OK), {"alpha": 10**400}, ValueError, "give a finite number >= 0"),
        ((X_OK, Y_OK), {"feature_weights": [10**400] * 4}, ValueError, "is not numeric"),
        ((1e-170 * X_OK, Y_OK), {}, ValueError, "some do not fit in float64"),
        ((X_OK, 1e-200 * Y_OK), {}, ValueError, "some do not fit in float64"),
        ((X_OK, Y_OK), {"solver": "saga"}, ValueError, "solver='saga' is not a solver"),
        ((X_OK, Y_OK), {"groups": [1, 2]}, ValueError, "groups has 2 labels, X has 4"),
        ((X_OK, Y_OK), {"feature_weights": [1, 2]}, ValueError, "one weight a feature"),
        ((X_OK, Y_OK), {"solver": CoordinateDescent("no")}, ValueError, "gram='no'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(estimator, arguments, parameters, error, message):
    with pytest.raises(error, match=message):
        clone(estimator).set_params(**parameters).fit(*arguments)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": "2"}, r"p='2' has no closed-form prox"),
        ({"p": True}, r"p=True has no closed-form prox"),
        ({"p": np.array([1, 2])}, r"p=array.* has no closed-form prox"),
        ({"p": None}, r"p=None has no closed-form prox"),
        ({"p": 3}, r'p=3 has no closed-form prox: solver="auto" accepts p=1 or p=2'),
        ({"weight_decay": 0}, r"weight_decay=0 .*without a minimiser \(statement A.3"),
        ({"weight_decay": -1}, "weight_decay=-1: give a finite number >= 0"),
        ({"weight_decay": 0.1, "alpha": 0}, "alpha=0 with weight_decay=0.1"),
    ],
)
def test_shrinknet_says_what_it_cannot_solve(parameters, message):
    with pytest.raises(ValueError, match=message):
        ShrinkNetRegressor(**parameters).fit(X_OK, Y_OK)


@every_estimator
def test_not_converged_says_so_and_stays_usable(estimator):
    X, Y = simulate(40, 60, 5, 30, correlation=0.5)
    model = clone(estimator).set_params(alpha=1e-3, max_iter=1, tol=1e-300)
    # The search of ShrinkNet makes many descents, and may reach the last digit.
    message = r"residual .* > tol=1e-300 after \d+ sweeps \(max_iter=1\)\. (Increase|Further)"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, Y)
    assert model.residual_ > 0
    assert model.score(X, Y) > 0


@every_estimator
def test_verbose_shows_a_bar_and_a_summary(estimator, capsys):
    clone(estimator).set_params(verbose=1).fit(X_OK, Y_OK)
    out, err = capsys.readouterr()
    assert "100%" in err
    assert "of 4 features" in out
    clone(estimator).fit(X_OK, Y_OK)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("scale", [1e7, 1e8, 1e9])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_features_that_differ_by_rounding_alone(scale, estimator):
    # Rounded, their Gram matrix has a negative eigenvalue, and f fell without end.
    for seed in range(3):
        rng = np.random.default_rng(seed)
        huge = scale * rng.normal(size=160)
        X = np.c_[rng.normal(size=(160, 3)), huge, huge + rng.normal(size=160)]
        y = X[:, 4] - X[:, 3] + 0.01 * rng.normal(size=160)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            path = regularization_path(estimator, X, y, alphas=[10, 1e-3, 1e-9])
        assert (path.objectives >= 0).all()
        assert (path.objectives[0] >= path.objectives).all()
        assert np.abs(path.coefs).max() < 10


@every_estimator
def test_coefficients_below_the_normal_numbers_of_float32_keep_their_digits(estimator):
    X, y = np.array([[0.0], [1.0]], dtype=np.float32), np.array([0.0, 1.0])
    estimator = clone(estimator).set_params(alpha=0.0)
    one, tiny = clone(estimator).fit(X, y), clone(estimator).fit(X, 3e-44 * y)
    assert tiny.coef_.dtype == float
    np.testing.assert_allclose(tiny.coef_, 3e-44 * one.coef_.astype(float), rtol=1e-6)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("solver", ["auto", residual_updates])
def test_without_penalty_the_rounding_of_means_is_no_direction(container, solver):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2, 14)) + np.repeat([0.0, 1000.0], 7), np.array([0.3, 1.7])
    model = GroupLassoRegressor(feature_weights=np.zeros(14), solver=solver)
    model.fit(container(X), y, sample_weight=[400.0, 0.14])
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-9)
    # Of all that fit, in units of the features the least W: none outweighs all the others.
    assert np.abs(model.coef_ * (X[1] - X[0])).max() < y[1] - y[0]
