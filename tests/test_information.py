"""Degrees of freedom against finite differences, criteria against formulas written out."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import comb
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LassoLarsIC
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

import shrinklin.selection.freedom
from builders import PENALTIES, build, descend, every_penalty, solve
from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    InformationCriterionDisplay,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)
from shrinklin.estimators.criterion import InformationCriterion
from shrinklin.groups import Groups
from shrinklin.losses.logistic import Binomial, Multinomial
from shrinklin.objective.likelihood import Likelihood
from shrinklin.objective.objective import Objective
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.selection.freedom import degrees_of_freedom

SETTINGS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"labels": [0, 1, 0, 1, 2, 2]},
    "weights": {"weights": [0, 1, 2, 1, 0, 1]},
    "sample weights": {"sample_weight": np.linspace(0, 2, 12)},
}
every_setting = pytest.mark.parametrize("name", SETTINGS)


def fitted_values(objective, X, W):
    return X[:, objective.groups.order] @ W + objective.smooth.intercept(W)


def divergence(fit, Y, h=1e-4, others=0.0):
    """Σ ∂fit/∂y by central differences, entry by entry."""
    total = 0.0
    for i, t in np.ndindex(Y.shape):
        change = np.zeros_like(Y)
        change[i] -= others * h
        change[i, t] += h
        total += (fit(Y + change) - fit(Y - change))[i, t] / (2 * h)
    return total


def regression(penalty, name):
    """The objective of one setting, its minimiser, and the fit as a function of Y."""
    X, Y = simulate(12, 6, 2, seed=1)
    options = SETTINGS[name]
    objective = build(X, Y, penalty, share=0.2, **options)
    W = solve(objective, tol=1e-13).W

    def fit(Y):
        moved = build(X, Y, penalty, objective.strength, **options)
        near = solve(moved, W, tol=1e-13).W
        np.testing.assert_array_equal(near != 0, W != 0)
        return fitted_values(moved, X, near)

    return objective, W, fit, Y, options.get("fit_intercept", True)


@every_penalty
@every_setting
def test_degrees_of_freedom_are_the_divergence(penalty, name):
    objective, W, fit, Y, intercept = regression(penalty, name)
    assert 0 < np.count_nonzero(W) < W.size or name == "groups"
    expected = divergence(fit, Y)
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, abs=1e-6)


def dense_trace(objective, W):
    """tr(H⁻¹ H_f) of full matrices, the penalty's by finite differences of its gradient."""
    q, at = W.shape[1], np.flatnonzero(W)
    G = np.kron(objective.smooth.block(np.arange(len(W))), np.eye(q))[np.ix_(at, at)]

    def slope(w):
        moved = np.zeros(W.size)
        moved[at] = w
        moved = moved.reshape(W.shape)
        args = moved, objective.groups, objective.strengths
        return objective.penalty.curvature(*args).gradient.ravel()[at]

    w, h = W.ravel()[at], 1e-6
    bend = [(slope(w + h * e) - slope(w - h * e)) / (2 * h) for e in np.eye(len(w))]
    return np.trace(np.linalg.solve(G + np.array(bend), G))


@every_penalty
@every_setting
def test_degrees_of_freedom_equal_the_dense_formula(penalty, name):
    objective, W, _, Y, intercept = regression(penalty, name)
    expected = dense_trace(objective, W) + intercept * Y.shape[1]
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, rel=1e-6)


def test_the_dense_formula_rejects_leaving_out_the_rank_one_part(monkeypatch):
    monkeypatch.setattr(shrinklin.selection.freedom, "_correction", lambda S, Q, convex: 0.0)
    for penalty in PENALTIES:
        objective, W, _, Y, _ = regression(penalty, "plain")
        wrong = degrees_of_freedom(objective, W)
        assert abs(wrong - dense_trace(objective, W) - Y.shape[1]) > 0.1


def test_the_divergence_is_not_a_count():
    for penalty in PENALTIES:
        objective, W, _, Y, _ = regression(penalty, "plain")
        df = degrees_of_freedom(objective, W)
        kept = W.any(axis=1).sum()
        for count in (kept, kept + Y.shape[1], np.count_nonzero(W) + Y.shape[1]):
            assert abs(df - count) > 0.1


class Fractional(Binomial):
    """Of labels that are not 0 or 1."""

    def values(self, Y, Z, A):
        return A - (Y * Z)[:, 0]


LOGISTIC = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"labels": [0, 1, 1, 0]},
    "weights": {"weights": [0, 1, 2, 1]},
    "sample weights": {"s": np.linspace(0.5, 2, 10)},
}


@every_penalty
@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.untraced
def test_logistic_degrees_of_freedom_are_the_divergence(penalty, name, n_classes):
    X, codes = simulate_classes(10, 4, n_classes, seed=1, noise=3)
    codes = np.random.default_rng(1).permutation(codes)
    loss = Fractional() if n_classes == 2 else Multinomial()
    options = LOGISTIC[name]
    groups = Groups.from_labels(4, options.get("labels"), options.get("weights"))
    s, intercept = options.get("s", np.ones(10)), options.get("fit_intercept", True)

    def objective_of(Y, strength):
        smooth = Likelihood(loss, X, Y, s, groups.order, intercept)
        return Objective(smooth, penalty, groups, strength)

    Y = loss.indicators(codes, n_classes)
    objective = objective_of(Y, 1.0)
    objective = objective.at(0.25 * objective.strength_max())
    W = descend(objective, tol=1e-11).W
    assert W.any()

    def fit(Y):
        moved = objective_of(Y, objective.strength)
        near = descend(moved, W, tol=1e-11).W
        np.testing.assert_array_equal(near != 0, W != 0)
        return moved.smooth.predict(moved.smooth.raw_prediction(near)).state

    # With all classes, the labels of a row go on summing to 1.
    expected = divergence(fit, Y, 1e-5, others=0 if n_classes == 2 else 1 / n_classes)
    assert degrees_of_freedom(objective, W, intercept) == pytest.approx(expected, abs=1e-6)


@every_penalty
@pytest.mark.parametrize("n_samples", [30, 8])
def test_without_penalty_the_rank_is_counted(penalty, n_samples):
    X, Y = simulate(n_samples, 6, 3, seed=2)
    X = np.c_[X, X[:, 1], X[:, 1] + X[:, 2], np.full(n_samples, 3.0), 1e4 * X[:, 5]]
    objective = build(X, Y, penalty, 0.0)
    df = degrees_of_freedom(objective, solve(objective).W)
    assert df == pytest.approx(np.linalg.matrix_rank(X - X.mean(axis=0)) * 3 + 3, abs=1e-8)


def test_without_penalty_the_rank_is_counted_of_classes():
    X, y = simulate_classes(60, 3, 3, seed=1, noise=5)
    X = np.c_[X, X[:, 0] - X[:, 1]]
    fitted = InformationCriterion(GroupLassoClassifier(), alphas=[0.0]).fit(X, y)
    assert fitted.degrees_of_freedom_ == pytest.approx(2 * 3 + 2, abs=1e-6)


def test_duplicated_columns_count_once():
    X, Y = simulate(30, 5, 2, seed=3)
    single = build(X, Y, share=0.3)
    W = solve(single, tol=1e-12).W
    twice = build(np.c_[X, X[:, 0]], Y, strength=single.strength)
    split = np.r_[W, 0.3 * W[:1]]
    split[0] *= 0.7
    assert W[0].any()
    df = degrees_of_freedom(single, W)
    assert degrees_of_freedom(twice, split) == pytest.approx(df, abs=1e-8)


@pytest.mark.parametrize("share", [0.5, 0.1, -0.5])
def test_duplicated_columns_with_p_1_make_no_isolated_minimum(share):
    """Along the split of a coefficient f is flat, and the penalty flat or falling."""
    X, Y = simulate(30, 5, 2, seed=3)
    single = build(X, Y, Bridge1(), share=0.3)
    W = solve(single, tol=1e-12).W
    assert W[0].any()
    assert np.isfinite(degrees_of_freedom(single, W))
    split = np.r_[W, share * W[:1]]
    split[0] *= 1 - share
    twice = build(np.c_[X, X[:, 0]], Y, Bridge1(), strength=single.strength)
    assert degrees_of_freedom(twice, split) == np.inf


@pytest.mark.parametrize("entered", [1e-3, 1e-9, 1e-10, 1e-12])
def test_a_feature_counts_as_soon_as_it_has_entered(entered):
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 4)))[0] * np.sqrt(40)
    lasso = GroupLassoRegressor(fit_intercept=False, tol=1e-14)
    choose = InformationCriterion(lasso, alphas=[1 - entered], noise_variance=1.0)
    choose.fit(Q, Q @ [3, 2, 1, 0.5])
    assert choose.n_selected_[0] == 3
    assert choose.degrees_of_freedom_[0] == pytest.approx(3, abs=1e-8)


def test_a_tiny_duplicate_still_counts_nothing():
    X, Y = simulate(30, 5, 1, seed=3)
    single = build(X, Y, share=0.3)
    W = solve(single, tol=1e-12).W
    twice = build(np.c_[X, X[:, 0]], Y, strength=single.strength)
    df = degrees_of_freedom(single, W)
    for share in (1e-4, 1e-8, 1e-12):
        split = np.r_[W, share * W[:1]]
        split[0] *= 1 - share
        assert degrees_of_freedom(twice, split) == pytest.approx(df, abs=1e-6)


def test_orthonormal_design_gives_the_formula_of_yuan_and_lin():
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(40, 8)))[0] * np.sqrt(40)
    Y = X[:, :4] @ rng.normal(size=(4, 3)) + rng.normal(size=(40, 3))
    objective = build(X, Y, share=0.15, fit_intercept=False, labels=[0, 0, 1, 1, 2, 2, 3, 3])
    W = solve(objective, tol=1e-12).W
    norms, full = objective.groups.norms(W), objective.groups.norms(X.T @ Y / 40)
    expected = (norms > 0).sum() + (norms / full * (2 * 3 - 1)).sum()
    assert degrees_of_freedom(objective, W, False) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_group_lasso_counts_at_most_its_coefficients(seed):
    X, Y = simulate(30, 12, 3, correlation=0.5, seed=seed)
    fitted = InformationCriterion(GroupLassoRegressor(), alphas=30).fit(X, Y)
    df, kept = fitted.degrees_of_freedom_, fitted.n_selected_
    assert (df <= 3 * kept + 3 + 1e-9).all()
    assert (df >= kept + 3 - 1e-9).all()
    assert df[0] == 3


def test_a_point_that_is_no_minimum_has_none():
    X, Y = simulate(30, 4, 2, seed=0)
    objective = build(X, Y, Bridge2(), share=0.5)
    assert degrees_of_freedom(objective, np.full((4, 2), 1e-4)) == np.inf


def test_group_lasso_degrees_of_freedom_are_unbiased():
    X, Y = simulate(30, 6, 2, seed=4)
    rng, differences, counts = np.random.default_rng(0), [], []
    objective = build(X, Y, share=0.2)
    centre = fitted_values(objective, X, solve(objective).W)
    for _ in range(120):
        noise = rng.normal(size=Y.shape)
        moved = build(X, Y + noise, strength=objective.strength)
        W = solve(moved, tol=1e-7).W
        covariance = ((fitted_values(moved, X, W) - centre) * noise).sum()
        differences.append(covariance - degrees_of_freedom(moved, W))
        counts.append(covariance - W.any(axis=1).sum() - 2)
    error = np.std(differences) / np.sqrt(120)
    assert abs(np.mean(differences)) < 3 * error
    # The number of features would be far off.
    assert abs(np.mean(counts)) > 5 * error


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_known_variance_agrees_with_lasso_lars(criterion):
    X, Y = simulate(60, 8, 1, seed=5)
    lars = LassoLarsIC(criterion, noise_variance=1.3, fit_intercept=False).fit(X, Y[:, 0])
    # Just before the next feature enters both count the same.
    alphas = lars.alphas_[:-1] * (1 + 1e-9)
    lasso = GroupLassoRegressor(fit_intercept=False, tol=1e-10)
    ours = InformationCriterion(lasso, criterion, alphas=alphas, noise_variance=1.3)
    ours.fit(X, Y[:, 0])
    np.testing.assert_allclose(ours.degrees_of_freedom_, ours.n_selected_, atol=1e-8)
    np.testing.assert_allclose(ours.criteria_, lars.criterion_[:-1], rtol=1e-7)


ESTIMATORS = [
    GroupLassoRegressor(),
    ShrinkNetRegressor(),
    ShrinkNetRegressor(p=1),
    GroupLassoClassifier(),
]


@pytest.mark.parametrize("estimator", [ESTIMATORS[i] for i in (0, 1, 3)], ids=repr)
@pytest.mark.filterwarnings("ignore:No features were selected", "ignore:the choice of alpha")
@pytest.mark.untraced
def test_check_estimator(estimator):
    results = check_estimator(InformationCriterion(estimator, alphas=2, eps=0.1), on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


def test_criteria_of_regression_written_out():
    X, Y = simulate(50, 8, 3, seed=6)
    fits = {
        name: InformationCriterion(GroupLassoRegressor(), name, alphas=10, gamma=0.5).fit(X, Y)
        for name in ("aic", "bic", "ebic")
    }
    aic, bic, ebic = fits.values()
    df, kept = aic.degrees_of_freedom_, aic.n_selected_
    for i, Z in enumerate(aic.path_.predict(X)):
        deviation = np.sqrt(((Y - Z) ** 2).mean())
        log_likelihood = stats.norm.logpdf(Y, Z, deviation).sum()
        assert aic.log_likelihoods_[i] == pytest.approx(log_likelihood, rel=1e-10)
        assert aic.criteria_[i] == pytest.approx(2 * df[i] - 2 * log_likelihood)
        assert bic.criteria_[i] == pytest.approx(np.log(50) * df[i] - 2 * log_likelihood)
        wrong = np.log(150) * df[i] - 2 * log_likelihood  # n·q in place of n
        assert bic.criteria_[i] != pytest.approx(wrong, abs=1)
        supports = np.log(comb(8, kept[i]))
        assert ebic.criteria_[i] == pytest.approx(bic.criteria_[i] + supports)
    assert bic.alpha_ == bic.alphas_[bic.criteria_.argmin()]
    assert aic.n_selected_[aic.alphas_ == aic.alpha_] >= bic.n_selected_[bic.alphas_ == bic.alpha_]


def test_criteria_of_known_variance_written_out():
    X, Y = simulate(50, 8, 3, seed=6)
    fitted = InformationCriterion(GroupLassoRegressor(), "aic", alphas=6, noise_variance=0.7)
    fitted.fit(X, Y)
    for i, Z in enumerate(fitted.path_.predict(X)):
        log_likelihood = stats.norm.logpdf(Y, Z, np.sqrt(0.7)).sum()
        expected = 2 * fitted.degrees_of_freedom_[i] - 2 * log_likelihood
        assert fitted.criteria_[i] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_criteria_of_classes_written_out(n_classes):
    X, y = simulate_classes(60, 8, n_classes, seed=6)
    fitted = InformationCriterion(ShrinkNetClassifier(), alphas=6, eps=0.1).fit(X, y)
    for i, proba in enumerate(fitted.path_.predict_proba(X)):
        expected = 2 * log_loss(y, proba, normalize=False)
        expected += np.log(60) * fitted.degrees_of_freedom_[i]
        assert fitted.criteria_[i] == pytest.approx(expected, rel=1e-8)
    np.testing.assert_array_equal(fitted.classes_, np.arange(n_classes))
    assert fitted.predict_proba(X).shape == (60, n_classes)
    assert is_classifier(fitted)


@pytest.mark.parametrize("estimator", ESTIMATORS[:3], ids=repr)
def test_the_estimator_is_the_path_s_and_moments_give_the_same(estimator):
    X, Y = simulate(60, 8, 2, seed=7)
    names = np.array([f"x{j}" for j in range(8)])
    # Not from the least alpha of an empty model on: p=1 has a second minimum there, as low.
    alphas = np.geomspace(0.4, 4e-4, 8)
    fitted = InformationCriterion(estimator, alphas=alphas).fit(X, Y)
    i = int(np.flatnonzero(fitted.alphas_ == fitted.alpha_)[0])
    # ShrinkNet's is a product of switch and weight, off by a rounding.
    np.testing.assert_allclose(fitted.estimator_.coef_, fitted.path_.coefs[i], rtol=1e-14)
    np.testing.assert_allclose(fitted.predict(X), fitted.path_.predict(X)[i], rtol=1e-12)
    assert fitted.estimator_.alpha == fitted.alpha_
    assert fitted.score(X, Y) == fitted.estimator_.score(X, Y)
    halves = Moments.from_data(X[:20], Y[:20]) + Moments.from_data(X[20:], Y[20:])
    other = InformationCriterion(estimator, alphas=alphas).fit_moments(halves)
    for name in ("alphas_", "criteria_", "degrees_of_freedom_", "log_likelihoods_"):
        np.testing.assert_allclose(getattr(other, name), getattr(fitted, name), rtol=1e-8)
    np.testing.assert_allclose(other.predict(X), fitted.predict(X), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(fitted.get_feature_names_out(names), names[fitted.get_support()])
    assert is_regressor(fitted)
    assert not hasattr(fitted, "predict_proba")


@pytest.mark.parametrize("estimator", [GroupLassoRegressor(), GroupLassoClassifier()], ids=repr)
def test_weights_count_rows(estimator):
    X, y = simulate_classes(40, 5, 3, seed=8)
    s = np.random.default_rng(0).integers(0, 3, 40)
    weighted = InformationCriterion(estimator, alphas=6).fit(X, y, s)
    repeated = InformationCriterion(estimator, alphas=6)
    repeated.fit(np.repeat(X, s, axis=0), np.repeat(y, s))
    np.testing.assert_allclose(weighted.criteria_, repeated.criteria_, rtol=1e-6)
    assert InformationCriterion(estimator, alphas=6).fit(X, y, 2 * s).criteria_[0] > 1.5 * abs(
        weighted.criteria_[0]
    )


def test_a_class_of_weight_zero_counts_as_rows_of_weight_zero():
    X, codes = simulate_classes(48, 4, 4, seed=8, noise=2)
    y, s = np.array(list("abcd"))[codes], np.linspace(0.5, 2, 48)
    silent = GroupLassoClassifier(class_weight={"a": 0})
    options = {"alphas": 4, "eps": 0.1}
    fitted = InformationCriterion(silent, **options).fit(X, y, s)
    other = InformationCriterion(GroupLassoClassifier(), **options).fit(X, y, s * (y != "a"))
    alone = InformationCriterion(silent, **options).fit(X, y)
    # Three classes are left, of two free intercepts.
    assert fitted.degrees_of_freedom_[0] == alone.degrees_of_freedom_[0] == 2
    for name in ("alphas_", "criteria_", "degrees_of_freedom_", "log_likelihoods_"):
        np.testing.assert_allclose(getattr(fitted, name), getattr(other, name), rtol=1e-9)
    rows = InformationCriterion(GroupLassoClassifier(), **options).fit(X, y, 1.0 * (y != "a"))
    np.testing.assert_allclose(alone.criteria_, rows.criteria_, rtol=1e-9)


def test_ebic_counts_supports_of_penalised_groups():
    X, Y = simulate(50, 8, 2, seed=6)
    weights = np.array([0, 1, 1, 2, 1, 1, 0, 1])
    lasso = GroupLassoRegressor(feature_weights=weights)
    ebic, bic = (InformationCriterion(lasso, c, alphas=8).fit(X, Y) for c in ("ebic", "bic"))
    kept = ebic.path_.coefs[:, :, weights > 0].any(axis=1).sum(axis=1)
    assert ((kept > 0) & (kept < 6)).any()
    expected = bic.criteria_ + 2 * np.log(comb(6, kept))
    np.testing.assert_allclose(ebic.criteria_, expected, rtol=1e-10)


def test_wide_data_are_cut_short_with_a_warning():
    X, Y = simulate(25, 80, 2, seed=2)
    with pytest.warns(UserWarning, match="was cut short: .* Give noise_variance"):
        fitted = InformationCriterion(GroupLassoRegressor(), "aic", alphas=30).fit(X, Y)
    kept = fitted.degrees_of_freedom_ <= 25
    assert not kept.all()
    np.testing.assert_array_equal(np.isfinite(fitted.criteria_), kept)
    known = InformationCriterion(GroupLassoRegressor(), alphas=30, noise_variance=1.0).fit(X, Y)
    assert np.isfinite(known.criteria_).all()


def random_data(n_samples, n_features, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_features)), rng.normal(size=(n_samples, 1))


def test_a_choice_at_the_bound_is_cut_short_only_if_models_beyond_are_lower():
    # The next model has a higher value, one after it a lower one.
    X, Y = random_data(20, 40, seed=138)
    with pytest.warns(UserWarning, match=r"its BIC of 38\.33 .* it is 31\.69") as caught:
        fitted = InformationCriterion(GroupLassoRegressor(), alphas=12).fit(X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    chosen = fitted.criteria_.argmin()
    assert np.isinf(fitted.criteria_[chosen + 1 :]).all()
    # Of the same path without what is lower there is nothing to say.
    InformationCriterion(GroupLassoRegressor(), alphas=fitted.alphas_[: chosen + 2]).fit(X, Y)


def test_a_minimum_among_candidates_is_not_cut_short():
    X, Y = simulate(50, 200, 1, seed=0)
    fitted = InformationCriterion(GroupLassoRegressor(), alphas=12).fit(X, Y)
    candidates = np.flatnonzero(np.isfinite(fitted.criteria_))
    assert fitted.criteria_.argmin() < candidates[-1] < 11


def test_a_fit_that_fails_changes_nothing():
    X, Y = simulate(30, 8, 2, seed=1)
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    choose = InformationCriterion(GroupLassoRegressor(), alphas=5).fit(frame, Y)
    before = vars(choose).copy()
    choose.alphas = [0.0]
    with pytest.raises(ValueError, match="none of the 1 models is a candidate"):
        choose.fit(X[:6], Y[:6])
    assert vars(choose) == before | {"alphas": [0.0]}


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_leaves_a_whole_model():
    X, Y = random_data(20, 40, seed=138)
    choose = InformationCriterion(GroupLassoRegressor(), alphas=12)
    with pytest.raises(UserWarning, match="cut short"):
        choose.fit(X, Y)
    chosen = choose.criteria_.argmin()
    assert choose.alpha_ == choose.alphas_[chosen] == choose.estimator_.alpha
    assert choose.get_support().sum() == choose.n_selected_[chosen]


def test_a_second_fit_leaves_nothing_of_the_first():
    X, y = simulate_classes(40, 4, 2, seed=1)
    choose = InformationCriterion(GroupLassoClassifier(), alphas=3, eps=0.2)
    choose.fit(pd.DataFrame(X, columns=list("abcd")), y)
    assert list(choose.feature_names_in_) == list("abcd")
    choose.fit(X[:, :3], y)
    assert choose.n_features_in_ == 3
    assert not hasattr(choose, "feature_names_in_")
    choose.set_params(estimator=GroupLassoRegressor()).fit(X, y)
    assert not hasattr(choose, "classes_")


def test_a_convergence_warning_names_the_line_of_the_caller():
    X, Y = simulate(40, 10, 2, correlation=0.9)
    lasso = GroupLassoRegressor(tol=1e-14, max_iter=1)
    choose = InformationCriterion(lasso, alphas=3)
    for fit, data in ((choose.fit, (X, Y)), (choose.fit_moments, (Moments.from_data(X, Y),))):
        with pytest.warns(ConvergenceWarning, match="did not converge") as caught:
            fit(*data)
        assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("warm_start", [False, True])
def test_the_parameters_of_the_estimator_are_kept(warm_start):
    X, Y = simulate(30, 4, 2)
    lasso = GroupLassoRegressor(warm_start=warm_start, tol=1e-5)
    fitted = InformationCriterion(lasso, alphas=3).fit(X, Y)
    expected = lasso.get_params() | {"alpha": fitted.alpha_}
    assert fitted.estimator_.get_params() == expected


def test_constant_y_chooses_the_empty_model():
    X, _ = simulate(25, 4, 2)
    fitted = InformationCriterion(GroupLassoRegressor(), alphas=4).fit(X, np.full(25, 3.0))
    assert not np.isnan(fitted.criteria_).any()
    assert fitted.alpha_ == fitted.alphas_[0]
    np.testing.assert_array_equal(fitted.estimator_.predict(X), 3.0)


def test_exact_y_chooses_a_model_of_the_true_features():
    X, _ = simulate(40, 6, 2)
    fitted = InformationCriterion(ShrinkNetRegressor(), eps=1e-9, alphas=30).fit(X, X[:, 0])
    assert np.isfinite(fitted.criteria_).all()
    np.testing.assert_array_equal(fitted.get_support(), np.arange(6) == 0)


def test_its_parameters_can_be_searched():
    X, Y = simulate(60, 5, 2)
    grid = {"criterion": ["aic", "bic"], "estimator__p": [1, 2]}
    search = GridSearchCV(InformationCriterion(ShrinkNetRegressor(), alphas=5), grid, cv=2)
    assert len(search.fit(X, Y).cv_results_["params"]) == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"criterion": "BIC"}, ValueError, "criterion='BIC': give"),
        ({"gamma": 1.5}, ValueError, "gamma=1.5: give a number between 0 and 1"),
        ({"noise_variance": 0}, ValueError, "noise_variance=0: give a finite number > 0"),
        ({"alphas": 0}, ValueError, "alphas=0: give a number"),
        ({"estimator": "lasso"}, TypeError, "not one of shrinklin's"),
        ({"estimator": GroupLassoClassifier(), "noise_variance": 1}, ValueError, "no noise var"),
        ({"alphas": [0.0]}, ValueError, "none of the 1 models is a candidate"),
    ],
)
def test_what_is_refused(options, error, message):
    X, y = simulate_classes(12, 8, 2)
    options = {"estimator": GroupLassoRegressor(), **options}
    with pytest.raises(error, match=message):
        InformationCriterion(**options).fit(X, y)


def test_data_that_are_refused():
    X, Y = simulate(12, 3, 2)
    choose = InformationCriterion(GroupLassoRegressor())
    with pytest.raises(ValueError, match="Scale sample_weight to sum to the number"):
        choose.fit(X, Y, np.full(12, 1 / 12))
    with pytest.raises(TypeError, match="give them to fit_moments"):
        choose.fit(Moments.from_data(X, Y), None)
    with pytest.raises(TypeError, match=r"give shrinklin\.Moments"):
        choose.fit_moments(X)
    assert not hasattr(InformationCriterion(GroupLassoClassifier()), "fit_moments")


def test_display():
    pytest.importorskip("matplotlib")
    X, Y = simulate(60, 8, 2, seed=7)
    fitted = InformationCriterion(GroupLassoRegressor(), alphas=20).fit(X, Y)
    display = InformationCriterionDisplay.from_estimator(fitted)
    assert display.ax_.get_ylabel() == "BIC"
    left, right = display.ax_.get_xlim()
    assert left > fitted.alphas_[0] > fitted.alphas_[-1] > right
    display.figure_.canvas.draw()
    assert display.ax_selected_.get_xlim() == (left, right)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), fitted.criteria_)
    np.testing.assert_array_equal(display.lines_[1].get_xdata(), fitted.alpha_)
    with pytest.raises(ValueError, match="three 1-D arrays"):
        InformationCriterionDisplay([1.0], [1.0, 2.0], [3], 1.0, "bic")
    for other in (GroupLassoRegressor(), DecisionTreeClassifier().fit(X, Y[:, 0] > 0)):
        with pytest.raises(TypeError, match="no InformationCriterion"):
            InformationCriterionDisplay.from_estimator(other)
    with pytest.raises(NotFittedError):
        InformationCriterionDisplay.from_estimator(InformationCriterion(GroupLassoRegressor()))
