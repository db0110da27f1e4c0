"""`l1_ratio` and `positive` of the group lasso against scikit-learn, cvxpy and known cases."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize, nnls
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression

from builders import SPARSE_GROUP_LASSOS, build, solve, sparse_group_norm
from peers import NEW_NAMES
from problems import simulate, simulate_classes
from shrinklin import (
    CoordinateDescent,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
    selection_frequencies,
)
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso

GROUPS = np.array([4, 0, 0, 1, 1, 1, 1, 2])
OMEGA = np.array([0, 0.5, 0.5, 2.0, 2.0, 2.0, 2.0, 1.0])
every_kind = pytest.mark.parametrize(
    ("l1_ratio", "positive"), SPARSE_GROUP_LASSOS.values(), ids=SPARSE_GROUP_LASSOS
)
bounded_or_not = pytest.mark.parametrize("positive", [False, True])


def data(n_targets=1, n_samples=50, seed=0):
    """Correlated features with effects of both signs, some of them small."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, len(GROUPS)))
    X[:, 1:] += 0.6 * X[:, :1]
    effects = np.array([1, 0, 1.5, 1, -1, 0.2, 1, -0.5])[:, None]
    W = effects * rng.uniform(0.5, 1.5, size=(len(GROUPS), n_targets))
    Y = X @ W + rng.normal(size=(n_samples, n_targets))
    return X, Y[:, 0] if n_targets == 1 else Y


def cvxpy_minimum(loss_of, shape, alpha, l1_ratio, positive, ridge=0.0):
    """The least objective, with GROUPS and OMEGA. `loss_of` is a function of W."""
    W = cp.Variable(shape)
    penalty = 0
    for g in set(GROUPS):
        rows = np.flatnonzero(g == GROUPS)
        omega = OMEGA[rows[0]]
        norms = (1 - l1_ratio) * cp.norm(W[rows], "fro")
        norms += l1_ratio / np.sqrt(len(rows)) * cp.sum(cp.abs(W[rows]))
        penalty += alpha * omega * norms + 0.5 * ridge * (omega > 0) * cp.sum_squares(W[rows])
    bounds = [W >= 0] if positive else []
    return cp.Problem(cp.Minimize(loss_of(W) + penalty), bounds).solve(solver="CLARABEL")


def penalty_of(coef, alpha, l1_ratio, ridge=0.0):
    W, total = np.atleast_2d(coef).T, 0.0
    for g in set(GROUPS):
        block, omega = W[g == GROUPS], OMEGA[g == GROUPS][0]
        total += alpha * omega * sparse_group_norm(l1_ratio)(block)
        total += 0.5 * ridge * (omega > 0) * (block**2).sum()
    return total


# --- against others


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("groups", [None, GROUPS], ids=["singletons", "groups"])
@bounded_or_not
def test_the_lasso_is_that_of_scikit_learn(positive, groups, ridge):
    X, y = data()
    options = {"alpha": 0.1 + ridge, "l1_ratio": 0.1 / (0.1 + ridge), "positive": positive}
    theirs = ElasticNet(**options, tol=1e-12).fit(X, y)
    ours = GroupLassoRegressor(
        0.1, l1_ratio=1, positive=positive, groups=groups, ridge=ridge, tol=1e-10
    ).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-9)
    np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)


def test_groups_of_one_feature_are_the_lasso_for_any_ratio():
    X, y = data()
    for positive in (False, True):
        theirs = Lasso(0.1, positive=positive, tol=1e-12).fit(X, y)
        for l1_ratio in (0.0, 0.3, 1.0):
            ours = GroupLassoRegressor(0.1, l1_ratio=l1_ratio, positive=positive, tol=1e-10)
            np.testing.assert_allclose(ours.fit(X, y).coef_, theirs.coef_, atol=1e-9)


def test_the_lasso_of_several_targets_is_one_lasso_for_each():
    X, Y = data(3)
    model = GroupLassoRegressor(0.2, l1_ratio=1, tol=1e-10).fit(X, Y)
    for t in range(3):
        theirs = Lasso(0.2, tol=1e-12).fit(X, Y[:, t])
        np.testing.assert_allclose(model.coef_[t], theirs.coef_, atol=1e-9)


def test_the_lasso_of_two_classes_is_that_of_scikit_learn():
    X, y = data()
    codes, alpha = (y > 0).astype(int), 0.03
    name = {} if NEW_NAMES else {"penalty": "elasticnet"}
    theirs = LogisticRegression(
        C=1 / (len(y) * alpha), l1_ratio=1, solver="saga", tol=1e-12, max_iter=100_000, **name
    ).fit(X, codes)
    ours = GroupLassoClassifier(alpha, l1_ratio=1, groups=GROUPS, tol=1e-10).fit(X, codes)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)


@every_kind
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_regression_against_cvxpy(l1_ratio, positive, n_targets, ridge):
    X, Y = data(n_targets)
    s, alpha = np.linspace(0.2, 2, len(X)), 0.15
    model = GroupLassoRegressor(
        alpha, l1_ratio=l1_ratio, positive=positive, groups=GROUPS, feature_weights=OMEGA,
        ridge=ridge, tol=1e-10,
    ).fit(X, Y, s)  # fmt: skip
    s = s / s.sum()
    Y = Y.reshape(len(Y), -1)
    X, Y = X - s @ X, Y - s @ Y
    root = np.sqrt(s)[:, None]

    def loss_of(W):
        return 0.5 * cp.sum_squares(root * Y - (root * X) @ W)

    W = np.atleast_2d(model.coef_).T
    ours = 0.5 * (s @ (Y - X @ W) ** 2).sum() + penalty_of(model.coef_, alpha, l1_ratio, ridge)
    assert model.objective_ == pytest.approx(ours, rel=1e-12)
    least = cvxpy_minimum(loss_of, W.shape, alpha, l1_ratio, positive, ridge)
    assert ours == pytest.approx(least, rel=1e-6)
    assert ours <= least * (1 + 1e-7)
    assert model.dual_gap_ <= 1e-8 * least
    assert not positive or (W >= 0).all()
    assert W.any()


@every_kind
@pytest.mark.parametrize("alpha", [0.02, 0.002])
def test_two_classes_against_cvxpy(l1_ratio, positive, alpha):
    X, y = data(n_samples=80)
    codes = (y + np.random.default_rng(1).normal(size=len(y)) > 0).astype(int)
    s = np.linspace(0.2, 2, len(X))
    model = GroupLassoClassifier(
        alpha, l1_ratio=l1_ratio, positive=positive, groups=GROUPS, feature_weights=OMEGA,
        tol=1e-9,
    ).fit(X, codes, s)  # fmt: skip
    s, b = s / s.sum(), cp.Variable()

    def loss_of(W):
        Z = X @ W[:, 0] + b
        return s @ (cp.logistic(Z) - cp.multiply(codes, Z))

    least = cvxpy_minimum(loss_of, (X.shape[1], 1), alpha, l1_ratio, positive)
    assert model.objective_ == pytest.approx(least, rel=1e-6)
    assert model.objective_ <= least * (1 + 1e-7)
    assert model.dual_gap_ <= 1e-6 * least
    assert not positive or (model.coef_ >= 0).all()


def test_where_all_effects_are_negative_nothing_enters():
    X, y = data()
    X = X * -np.sign(X.T @ (y - y.mean()))
    path = regularization_path(GroupLassoRegressor(positive=True), X, y, alphas=5)
    assert not path.coefs.any()
    assert (path.alphas > 0).all()


# --- features without penalty


@pytest.mark.parametrize("gram", [True, False])
def test_without_penalty_it_is_non_negative_least_squares(gram):
    X, Y = data(3)
    model = GroupLassoRegressor(0.0, positive=True, solver=CoordinateDescent(gram)).fit(X, Y)
    A, B = X - X.mean(axis=0), Y - Y.mean(axis=0)
    for t in range(3):
        np.testing.assert_allclose(model.coef_[t], nnls(A, B[:, t])[0], atol=1e-6)
    assert model.dual_gap_ <= 1e-6 * model.objective_


@pytest.mark.parametrize("seed", range(5))
def test_above_alpha_max_only_unpenalised_features_are_left(seed):
    X, Y = data(2, seed=seed)
    X[:, 5] = X[:, 2]  # collinear, and both unpenalised
    omega = np.array([0, 1, 0, 1, 0, 0, 1, 1.0])
    A, B = X - X.mean(axis=0), Y - Y.mean(axis=0)
    A = A * (omega == 0)
    expected = A @ np.array([nnls(A, b)[0] for b in B.T]).T
    objective = build(X, Y, SparseGroupLasso(0.0, True), weights=omega)
    W = objective.null_model
    np.testing.assert_allclose(A @ W, expected, atol=1e-9)
    largest = objective.strength_max()
    for factor in (1 + 1e-9, 1 - 1e-3):
        found = solve(objective.at(factor * largest)).W
        assert found[omega > 0].any() == (factor < 1 and largest > 0)


def test_features_that_separate_under_the_bound():
    X = np.random.default_rng(0).normal(size=(40, 4))
    codes = (X[:, 0] > 0.3).astype(int)
    model = GroupLassoClassifier(0.01, positive=True, feature_weights=[0, 1, 1, 1])
    with pytest.warns(ConvergenceWarning, match="there is no best model. Unpenalised features"):
        model.fit(X, codes)
    assert np.isfinite(model.coef_).all()
    assert model.coef_[0, 0] > 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The bound does not let it separate them, nor does a ridge.
        assert model.fit(-X, codes).coef_[0, 0] == 0
        assert model.set_params(ridge=0.1, feature_weights=None).fit(X, codes).coef_[0, 0] < 10


# --- everything else that a group lasso does


def test_a_ratio_of_zero_is_the_group_lasso_itself():
    for model in (GroupLassoRegressor(), GroupLassoRegressor(l1_ratio=0, positive=False)):
        assert type(model._formulation().penalty()) is GroupLasso


def test_the_general_penalty_agrees_with_the_group_lasso():
    X, Y = simulate(40, 12, 2, seed=3)
    labels = np.repeat([0, 1, 2, 3], 3)
    objective = build(X, Y, labels=labels, share=0.2)
    other = build(X, Y, SparseGroupLasso(0.0), objective.strength, labels=labels)
    assert other.strength_max() == pytest.approx(objective.strength_max(), rel=1e-12)
    found, same = solve(objective), solve(other)
    np.testing.assert_allclose(same.W, found.W, atol=1e-8)
    assert other.duality_gap(found.W) == pytest.approx(objective.duality_gap(found.W), abs=1e-15)


@every_kind
def test_sparse_moments_and_columns_give_the_same(l1_ratio, positive):
    X, Y = data(2)
    X = X * (np.abs(X) > 0.5)
    options = {"l1_ratio": l1_ratio, "positive": positive, "groups": GROUPS, "tol": 1e-10}
    model = GroupLassoRegressor(0.1, **options).fit(X, Y)
    others = [
        GroupLassoRegressor(0.1, **options).fit(sparse.csr_matrix(X), Y),
        GroupLassoRegressor(0.1, **options, solver=CoordinateDescent(gram=False)).fit(X, Y),
        GroupLassoRegressor(0.1, **options).fit_moments(Moments.from_data(X, Y)),
        GroupLassoRegressor(0.1, **options).partial_fit(X[:9], Y[:9]).partial_fit(X[9:], Y[9:]),
    ]
    for other in others:
        np.testing.assert_allclose(other.coef_, model.coef_, atol=1e-8)
    codes = (Y[:, 0] > 0).astype(int)
    model = GroupLassoClassifier(0.02, **options).fit(X, codes)
    other = GroupLassoClassifier(0.02, **options).fit(sparse.csr_matrix(X), codes)
    np.testing.assert_allclose(other.coef_, model.coef_, atol=1e-6)


@every_kind
@pytest.mark.parametrize("cls", [GroupLassoRegressor, GroupLassoClassifier])
def test_a_path_is_its_single_fits(cls, l1_ratio, positive):
    X, y = data()
    y = y if cls is GroupLassoRegressor else (y > 0).astype(int)
    estimator = cls(l1_ratio=l1_ratio, positive=positive, groups=GROUPS, tol=1e-9)
    path = regularization_path(estimator, X, y, alphas=8, eps=0.02)
    assert not path.coefs[0].any()
    assert path.coefs[1].any()
    for alpha, coef in zip(path.alphas[1:], path.coefs[1:], strict=True):
        single = estimator.set_params(alpha=alpha).fit(X, y).coef_
        np.testing.assert_allclose(coef, single.reshape(coef.shape), atol=1e-6)


def test_more_features_than_samples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 600))
    y = X[:, :6] @ [1, 2, -1, 1, 0.5, 3] + 0.1 * rng.normal(size=40)
    labels = np.arange(600) // 6
    for l1_ratio, positive in SPARSE_GROUP_LASSOS.values():
        model = GroupLassoRegressor(0.05, l1_ratio=l1_ratio, positive=positive, groups=labels)
        model.fit(X, y)
        assert model.dual_gap_ <= 1e-6 * 0.5 * y.var()
        assert not positive or (model.coef_ >= 0).all()


def test_a_warm_start_below_the_bound_is_moved_to_it():
    X, y = data()
    model = GroupLassoRegressor(0.05, warm_start=True).fit(X, y)
    assert (model.coef_ < 0).any()
    model.set_params(positive=True).fit(X, y)
    fresh = GroupLassoRegressor(0.05, positive=True).fit(X, y)
    np.testing.assert_allclose(model.coef_, fresh.coef_, atol=1e-6)


def test_weights_of_single_features_are_scales_of_columns():
    X, y = data()
    omega = np.linspace(0.5, 2, X.shape[1])
    for l1_ratio, positive in SPARSE_GROUP_LASSOS.values():
        options = {"l1_ratio": l1_ratio, "positive": positive, "tol": 1e-10}
        weighted = GroupLassoRegressor(0.1, feature_weights=omega, **options).fit(X, y)
        scaled = GroupLassoRegressor(0.1, **options).fit(X / omega, y)
        np.testing.assert_allclose(weighted.coef_, scaled.coef_ / omega, atol=1e-8)


def test_default_weights_may_be_given():
    X, y = data()
    omega = np.sqrt(np.bincount(GROUPS)[GROUPS])
    for l1_ratio in (0.4, 1.0):
        ours = GroupLassoRegressor(0.1, groups=GROUPS, l1_ratio=l1_ratio).fit(X, y)
        given = ours.coef_
        ours.set_params(feature_weights=omega).fit(X, y)
        np.testing.assert_array_equal(ours.coef_, given)


@bounded_or_not
def test_degrees_of_freedom_of_a_lasso_are_a_count(positive):
    X, y = data()
    estimator = GroupLassoRegressor(l1_ratio=1, positive=positive)
    chosen = InformationCriterion(estimator, alphas=10).fit(X, y)
    expected = 1 + chosen.path_.n_selected
    np.testing.assert_allclose(chosen.degrees_of_freedom_, expected, rtol=1e-9)


def test_ebic_counts_no_supports_within_groups():
    X, y = data()
    estimator = GroupLassoRegressor(l1_ratio=0.5, groups=GROUPS)
    with pytest.raises(ValueError, match="chooses among single coefficients"):
        InformationCriterion(estimator, "ebic").fit(X, y)
    assert InformationCriterion(estimator, "bic", alphas=5).fit(X, y).alpha_ > 0
    alone = InformationCriterion(GroupLassoRegressor(l1_ratio=0.5), "ebic", alphas=5).fit(X, y)
    assert alone.alpha_ > 0


@pytest.mark.parametrize("gram", [True, False])
def test_refits_keep_to_the_bound(gram):
    X, y = data(n_samples=30)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]  # a refit without bound takes one against the other
    model = GroupLassoRegressorCV(
        30, relax=[0.0], positive=True, cv=3, solver=CoordinateDescent(gram), tol=1e-9
    ).fit(X, y)
    assert model.refit_ridge_ == 0
    A, b = X - X.mean(axis=0), y - y.mean()
    for coef in model.path_.coefs.reshape(-1, X.shape[1]):
        kept = coef != 0
        if kept.any():
            np.testing.assert_allclose(coef[kept], nnls(A[:, kept], b)[0], atol=1e-7)
    codes = (y > 0).astype(int)
    classifier = GroupLassoClassifierCV(10, relax=[0.1], positive=True, cv=3).fit(X, codes)
    assert classifier.refit_ridge_ == 0.1
    assert (classifier.path_.coefs >= 0).all()


@pytest.mark.parametrize("of_cv", [False, True])
def test_refits_of_a_path_keep_to_the_bound(of_cv):
    X, Y = data(3, n_samples=30, seed=2)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    options = {"positive": True, "groups": [0, 0, 1, 2, 3, 4, 5, 6]}
    if of_cv:
        path = GroupLassoRegressorCV(5, cv=3, **options).fit(X, Y).path_
    else:
        path = regularization_path(GroupLassoRegressor(**options), X, Y, alphas=5)
    refits, some_left = path.refit(X, Y), False
    for i in range(1, len(path)):
        kept = path.coef(i).any(axis=0)
        theirs = LinearRegression(positive=True).fit(X[:, kept], Y).coef_
        np.testing.assert_allclose(refits.coef(i)[:, kept], theirs, atol=1e-9)
        assert not refits.coef(i)[:, ~kept].any()
        assert refits.n_selected[i] == theirs.any(axis=0).sum() == refits[i].get_support().sum()
        some_left |= refits.n_selected[i] < kept.sum()
    assert some_left  # of the two that are nearly equal, the bound holds one
    assert (refits.residuals < 1e-8).all()
    assert refits.kept_coefs.any(axis=(0, 1)).all()


def test_refits_of_a_path_of_classes_keep_to_the_bound():
    X, y = data(n_samples=200, seed=2)
    X, codes = X[:, :5], (y + 3 * np.random.default_rng(0).normal(size=200) > 0).astype(int)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    estimator = GroupLassoClassifier(positive=True, groups=[0, 0, 1, 2, 3])
    path = regularization_path(estimator, X, codes, alphas=4)
    refits, kept = path.refit(X, codes), path.coef(-1).any(axis=0)

    def loss_and_gradient(w):
        z = X[:, kept] @ w[1:] + w[0]
        off = expit(z) - codes
        slopes = np.append(off.mean(), X[:, kept].T @ off / len(off))
        return np.logaddexp(0, z).mean() - (codes * z).mean(), slopes

    bounds = [(None, None)] + [(0, None)] * kept.sum()
    theirs = minimize(loss_and_gradient, np.zeros(len(bounds)), jac=True, bounds=bounds, tol=1e-14)
    assert refits.objectives[-1] == pytest.approx(theirs.fun, abs=1e-9)
    assert (refits.coefs >= 0).all()
    assert refits.n_selected[-1] < kept.sum()


def test_cross_validation_and_selection_frequencies_take_both():
    X, y = data()
    options = {"l1_ratio": 0.5, "positive": True, "groups": GROUPS}
    model = GroupLassoRegressorCV(10, cv=3, **options).fit(X, y)
    single = GroupLassoRegressor(model.alpha_, **options, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.coef_, single.coef_, atol=1e-6)
    estimator = GroupLassoRegressor(0.1, **options)
    assert selection_frequencies(estimator, X, y, n_resamples=4, random_state=0).any()


# --- refusals


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, "0.5", True])
def test_an_impossible_ratio_is_refused(value):
    X, y = data()
    with pytest.raises((ValueError, TypeError), match=r"l1_ratio.*give"):
        GroupLassoRegressor(l1_ratio=value).fit(X, y)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_bound_is_true_or_false(value):
    X, y = data()
    with pytest.raises(TypeError, match=r"positive.*True or False"):
        GroupLassoRegressor(positive=value).fit(X, y)


@pytest.mark.parametrize("given", [{"positive": True}, {"l1_ratio": 0.5}], ids=str)
def test_gradient_training_refuses_them(given):
    X, y = data()
    with pytest.raises(ValueError, match=f"{next(iter(given))}=.*needs an exact solver"):
        GroupLassoRegressor(**given, solver=GradientDescent()).fit(X, y)
    with pytest.raises(ValueError, match="partial_fit of a classifier"):
        GroupLassoClassifier(**given).partial_fit(X, y > 0, classes=[False, True])


def test_a_softmax_of_three_classes_has_no_bound():
    X, codes = simulate_classes(40, 5, 3)
    estimators = GroupLassoClassifier(positive=True), GroupLassoClassifierCV(positive=True, cv=2)
    for estimator in estimators:
        with pytest.raises(ValueError, match=r"positive=True with 3 classes.*OneVsRest"):
            estimator.fit(X, codes)
    assert GroupLassoClassifier(0.01, l1_ratio=0.5).fit(X, codes).coef_.any()


@pytest.mark.parametrize("cls", [ShrinkNetRegressor, ShrinkNetClassifier])
def test_shrinknet_has_neither(cls):
    for given in ({"positive": True}, {"l1_ratio": 0.5}):
        with pytest.raises(TypeError, match="unexpected keyword"):
            cls(**given)
