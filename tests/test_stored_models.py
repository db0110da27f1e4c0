"""What is stored is what was solved: `objective_` is the objective of the stored numbers.

The oracle computes it from the formulas in long double. Of a model in float64 it may be off by the
rounding of one evaluation: every raw prediction is a sum of n_features + 1 products, taken of X or
of X less its means, and no loss changes by more than twice what its raw predictions do.
"""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from judge import Judge
from problems import simulate, simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    regularization_path,
)
from shrinklin.solvers.paths import solve_path

REGRESSORS = [GroupLassoRegressor(), ShrinkNetRegressor(), ShrinkNetRegressor(p=1)]
CLASSIFIERS = [GroupLassoClassifier(), ShrinkNetClassifier(), ShrinkNetClassifier(p=1)]
every_estimator = pytest.mark.parametrize("estimator", REGRESSORS + CLASSIFIERS, ids=repr)
every_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=repr)
CROSS_VALIDATED = [
    GroupLassoRegressorCV(), ShrinkNetRegressorCV(), GroupLassoClassifierCV(),
    ShrinkNetClassifierCV(),
]  # fmt: skip


def problem(estimator, dtype=float):
    """Means far from zero, which the intercept has to make up for."""
    if isinstance(estimator, (*map(type, REGRESSORS), GroupLassoRegressorCV, ShrinkNetRegressorCV)):
        X, y = simulate(60, 6, 2, 3)
    else:
        X, y = simulate_classes(60, 6, 3, noise=2)
    return (X + np.arange(6)).astype(dtype), y


def separated():
    """Eight classes along the first feature, and columns that add nothing; the first is free."""
    X = np.random.default_rng(0).normal(size=(40, 6))
    return X, X[:, 0].argsort().argsort() // 5, np.array([0.0, 1, 1, 1, 1, 1])


def penalty_of(estimator):
    return f"p={estimator.p}" if hasattr(estimator, "p") else "group lasso"


def judge_of(estimator, X, y, alpha, feature_weights=None, ridge=0.0):
    kind = "classification" if y.dtype.kind == "i" else "regression"
    wide = X.astype(float)
    penalty = penalty_of(estimator)
    return Judge(wide, y, None, kind, penalty, alpha, None, feature_weights, ridge=ridge)


def off(judge, coef, intercept, value):
    """How far `value` is from F of the numbers, in units of what one evaluation rounds."""
    W, b = np.atleast_2d(coef).T.astype(float), np.atleast_1d(intercept).astype(float)
    X = judge.X.astype(float)
    sizes = (np.abs(X) + np.abs(X.mean(axis=0))) @ np.abs(W) + np.abs(b)
    Z = sizes.max() * (np.abs(judge.raw(W, b)).max() + 1 if judge.regression else 1)
    rounding = 4 * (len(W) + 4) * np.finfo(float).eps * (float(Z) + float(value))
    return float(abs(judge.value(W, b) - value)) / rounding


def assert_stored(estimator, model, X, y, feature_weights=None):
    judge = judge_of(estimator, X, y, model.alpha, feature_weights)
    assert off(judge, model.coef_, model.intercept_, model.objective_) <= 1


@every_estimator
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_fit(estimator, fit_intercept):
    X, y = problem(estimator)
    model = clone(estimator).set_params(alpha=0.05, fit_intercept=fit_intercept).fit(X, y)
    assert model.coef_.any()
    assert_stored(estimator, model, X, y)
    model.intercept_.flat[0] += 1e-3  # another would be seen
    with pytest.raises(AssertionError):
        assert_stored(estimator, model, X, y)


@every_estimator
def test_a_path(estimator):
    X, y = problem(estimator)
    path = regularization_path(estimator, X, y, alphas=4, eps=0.01)
    for alpha, coef, b, value in zip(
        path.alphas, path.coefs, path.intercepts, path.objectives, strict=True
    ):
        assert off(judge_of(estimator, X, y, alpha), coef, b, value) <= 1
    refit = path.refit(X, y)
    for coef, b, value in zip(refit.coefs, refit.intercepts, refit.objectives, strict=True):
        assert off(judge_of(estimator, X, y, 0.0), coef, b, value) <= 1


@pytest.mark.parametrize("estimator", CROSS_VALIDATED, ids=repr)
def test_a_cross_validated_model(estimator):
    X, y = problem(estimator)
    model = clone(estimator).set_params(alphas=4, ridges=[0.01, 0.1], cv=3).fit(X, y)
    judge = judge_of(estimator, X, y, model.alpha_, ridge=model.ridge_)
    assert off(judge, model.coef_, model.intercept_, model.objective_) <= 1


@pytest.mark.parametrize("estimator", [REGRESSORS[0], CLASSIFIERS[1]], ids=repr)
def test_a_model_of_an_information_criterion(estimator):
    X, y = problem(estimator)
    chosen = InformationCriterion(estimator, alphas=4).fit(X, y)
    assert_stored(estimator, chosen.estimator_, X, y)


@pytest.mark.parametrize("estimator", REGRESSORS, ids=repr)
def test_models_of_moments(estimator):
    X, y = problem(estimator)
    model = clone(estimator).set_params(alpha=0.05).fit_moments(Moments.from_data(X, y))
    assert_stored(estimator, model, X, y)
    model = clone(estimator).set_params(alpha=0.05)
    for rows in (slice(None, 20), slice(20, None)):
        model.partial_fit(X[rows], y[rows])
    assert_stored(estimator, model, X, y)


@every_estimator
@pytest.mark.untraced
def test_no_intercept_is_sought_anew(estimator, monkeypatch):
    X, y = problem(estimator)

    def then_none(objective, *args, **options):
        solutions = solve_path(objective, *args, **options)
        monkeypatch.setattr(type(objective.smooth), "intercept", None)
        return solutions

    for use in (lambda: clone(estimator).fit(X, y), lambda: regularization_path(estimator, X, y)):
        with monkeypatch.context() as patch:
            patch.setattr("shrinklin.problem.problem.solve_path", then_none)
            use()
        monkeypatch.undo()


# --- classes that features without penalty tell apart


@every_classifier
@pytest.mark.parametrize("alpha", [0.0, 0.01, 0.1])
def test_a_fit_where_classes_are_told_apart(estimator, alpha):
    X, y, weights = separated()
    model = clone(estimator).set_params(alpha=alpha, feature_weights=weights)
    with pytest.warns(ConvergenceWarning, match="there is no best model"):
        model.fit(X, y)
    assert_stored(estimator, model, X, y, weights)


@every_classifier
def test_a_path_where_classes_are_told_apart(estimator):
    X, y, weights = separated()
    path_of = clone(estimator).set_params(feature_weights=weights)
    with pytest.warns(ConvergenceWarning, match="3 of 3 alphas: there is no best model"):
        path = regularization_path(path_of, X, y, alphas=3)
    for alpha, coef, b, value in zip(
        path.alphas, path.coefs, path.intercepts, path.objectives, strict=True
    ):
        assert off(judge_of(estimator, X, y, alpha, weights), coef, b, value) <= 1
    refit = path.refit(X, y)
    for coef, b, value in zip(refit.coefs, refit.intercepts, refit.objectives, strict=True):
        assert off(judge_of(estimator, X, y, 0.0), coef, b, value) <= 1
        assert value < 1e-5


@pytest.mark.parametrize("estimator", CROSS_VALIDATED[2:], ids=repr)
def test_a_cross_validated_model_where_classes_are_told_apart(estimator):
    X, y, weights = separated()
    model = clone(estimator).set_params(alphas=[0.1, 0.01], cv=2, feature_weights=weights)
    model.set_params(ridges=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    judge = judge_of(estimator, X, y, model.alpha_, weights)
    assert off(judge, model.coef_, model.intercept_, model.objective_) <= 1


# --- float32


@every_estimator
@pytest.mark.parametrize("trained", [False, True])
def test_objectives_in_float32_are_those_of_the_rounded_numbers(estimator, trained):
    X, y = problem(estimator, np.float32)
    model = clone(estimator).set_params(alpha=0.05, random_state=0)
    if trained:
        # Far from a minimum, where a change of the last digit changes F.
        model.set_params(solver=GradientDescent(max_epochs=3, batch_size=10, tol=0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    judge = judge_of(estimator, X, y, model.alpha)
    found = model.objective_ - (paid_above(estimator, model) if trained else 0.0)
    units = off(judge, model.coef_, model.intercept_, found)
    assert units <= 1
    # Numbers that differ in the last digit are told from these.
    other = np.nextafter(model.coef_, np.float32(np.inf))
    assert off(judge, other, model.intercept_, found) > units


def paid_above(estimator, model):
    """What switches and weights pay beyond the bridge, which is the least for their product."""
    if not hasattr(estimator, "p"):
        return 0.0
    p, beta = estimator.p, model.switch_.astype(np.longdouble)
    A = np.atleast_2d(model.weight_).astype(np.longdouble)
    W = np.atleast_2d(model.coef_).astype(np.longdouble)
    decay = model._formulation().decay(model.alpha)
    paid = model.alpha * np.abs(beta).sum() + decay * (np.abs(A) ** p).sum()
    return paid - model.alpha * ((np.abs(W) ** p).sum(axis=0) ** (1 / np.longdouble(p + 1))).sum()


def test_a_path_in_float32():
    X, y = problem(CLASSIFIERS[0], np.float32)
    path = regularization_path(CLASSIFIERS[0], X, y, alphas=4, eps=0.01)
    assert path.coefs.dtype == np.float32
    for alpha, coef, b, value in zip(
        path.alphas, path.coefs, path.intercepts, path.objectives, strict=True
    ):
        assert off(judge_of(CLASSIFIERS[0], X, y, alpha), coef, b, value) <= 1
