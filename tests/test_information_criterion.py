"""InformationCriterion: its values written out, the alpha it chooses, and what it says."""

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


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_known_variance_agrees_with_lasso_lars(criterion):
    X, Y = simulate(60, 8, 1, seed=5)
    lars = LassoLarsIC(criterion, noise_variance=1.3, fit_intercept=False).fit(X, Y[:, 0])
    # Just before the next feature enters, both count the same features.
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
@pytest.mark.filterwarnings("ignore:No features were selected", "ignore:alpha=.* has the lowest")
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
    # Not from the smallest alpha of an empty model: there p=1 has a second minimum, as low.
    alphas = np.geomspace(0.4, 4e-4, 8)
    fitted = InformationCriterion(estimator, alphas=alphas).fit(X, Y)
    i = int(np.flatnonzero(fitted.alphas_ == fitted.alpha_)[0])
    # ShrinkNet's coef_ is a product of switch and weight, which is rounded.
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
    # Three classes are left, with two free intercepts.
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
    with pytest.warns(UserWarning, match="it is even lower, .* Give noise_variance"):
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
    # The next model has a higher value, a later one a lower value.
    X, Y = random_data(20, 40, seed=138)
    message = r"lowest BIC among candidates, 38\.33, .* it is even lower, 31\.69"
    with pytest.warns(UserWarning, match=message) as caught:
        fitted = InformationCriterion(GroupLassoRegressor(), alphas=12).fit(X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    chosen = fitted.criteria_.argmin()
    assert np.isinf(fitted.criteria_[chosen + 1 :]).all()
    # The same path without the lower value gives no warning.
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
    with pytest.raises(UserWarning, match="it is even lower"):
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
        ({"alphas": 0}, ValueError, "alphas=0: give the number"),
        ({"estimator": "lasso"}, TypeError, "not an estimator of shrinklin"),
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
    with pytest.raises(ValueError, match="scale sample_weight to sum to the number"):
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
        with pytest.raises(TypeError, match="not an InformationCriterion"):
            InformationCriterionDisplay.from_estimator(other)
    with pytest.raises(NotFittedError):
        InformationCriterionDisplay.from_estimator(InformationCriterion(GroupLassoRegressor()))
