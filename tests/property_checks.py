"""What has to hold for every problem: one check for each kind of fit."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from drawn import Problem
from shrinklin import (
    GradientDescent,
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
    regularization_path,
)

TOL = 1e-8
# How far apart the values that two searches for a minimum of a bridge find may be, as a share of
# f(0). Nearly all are within 0.05; larger gaps were seen for p = 1 with nearly equal columns.
APART = 0.2


class Fitted:
    """A model, what it was given, and whether it warned that it did not converge."""

    def __init__(self, given, model, short):
        self.given, self.model, self.short = given, model, short
        self.judge, self.W = given.judge(), np.atleast_2d(model.coef_).T
        self.b = np.atleast_1d(model.intercept_)

    @property
    def value(self):
        return self.judge.value(self.W, self.b)

    def slack(self, share, carried=None):
        """A share of f(0) plus the rounding error of F, also of F at a model `carried` here."""
        digits = max(self.digits, carried.digits if carried else 0)
        return slack(self.judge, self.W, share, digits)

    @property
    def digits(self):
        return digits_of(self.given.problem)


def digits_of(problem):
    """The relative rounding error of F, where the model is in float32 or in float64."""
    return 1e-5 if problem.layout == "float32" else 1e-11


def slack(judge, W, share, digits):
    """A share of f(0) plus the rounding error of F at W."""
    lost = digits**2 * judge.origin() + judge.rounding(W)
    return max(share, digits) * judge.at_zero() + lost


def fit(given, mutant=None, **params):
    """A `Fitted`, or None where the data do not fit in float64 and the error says so."""
    return attempt(given, given.estimator(tol=TOL, **params), mutant)


def attempt(given, estimator, mutant, may_end=(), may_warn=None):
    """The same for an estimator; an error with one of the texts `may_end` gives None too."""
    if mutant is not None:
        estimator.__class__ = mutant
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = estimator.fit(given.laid_out(), given.y, given.s)
        except ValueError as error:
            if not any(words in str(error) for words in may_end):
                check_refusal(given.problem, error, ["do not fit in float64"])
            return None
    told = [warning for warning in caught if not may_warn or may_warn not in str(warning.message)]
    for warning in told:
        assert warning.category is ConvergenceWarning, warning.message
    return Fitted(given, model, bool(told))


def check_refusal(problem, error, accepted):
    """Only data that do not fit in float64 may be refused, and the error has to say so."""
    assert not problem.moderate, f"refused: {error}"
    assert any(words in str(error) for words in accepted), error


# A fit by itself.


def check_sound(problem, mutant=None):
    given = problem.given()
    fitted = fit(given, mutant)
    if fitted is None:
        return
    check_finite(fitted)
    check_parts(fitted)
    check_value(fitted)
    check_residual(fitted)
    again = fit(given, mutant)
    assert again.model.coef_.tobytes() == fitted.model.coef_.tobytes()


def check_finite(fitted):
    model, X = fitted.model, fitted.given.laid_out()
    parts = [model.coef_, model.intercept_, model.objective_, model.residual_]
    assert all(np.isfinite(part).all() for part in parts)
    assert np.isfinite(model.predict(X)).all()
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-9)


def check_parts(fitted):
    model = fitted.model
    np.testing.assert_array_equal(model.get_support(), np.atleast_2d(model.coef_).any(axis=0))
    if hasattr(model, "switch_"):
        np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


def check_value(fitted):
    """F is what the model states and not above F at zero, and no other intercept is better."""
    judge = fitted.judge
    assert abs(fitted.value - fitted.model.objective_) <= fitted.slack(1e-7)
    assert fitted.value <= judge.at_zero() + fitted.slack(1e-9)
    if fitted.given.problem.fit_intercept:
        pull, slopes, targets = judge.pull(fitted.W, fitted.b)
        moved = judge.kept(fitted.W, fitted.b)
        assert pull <= 1e-6 * slopes + max(1e-9, 10 * fitted.digits) * targets + moved


def check_residual(fitted):
    if fitted.short:
        return
    assert fitted.model.residual_ <= TOL
    if fitted.model.coef_.dtype == float:
        assert fitted.judge.residual(fitted.W, fitted.b) <= 1e-6


def check_related(problem, relation, number=0, mutant=None):
    given = problem.given()
    other, carry, factor = relation(given, np.random.default_rng(number))
    first, second = fit(given, mutant), fit(other, mutant)
    if first is None or second is None:
        return
    W, b = carry(first.W.astype(float), first.b.astype(float))
    carried = second.judge.value(W, b)
    assert abs(carried / factor - first.value) <= first.slack(1e-6)
    check_same_value(first, second, carried)
    check_same_predictions(first, second, W, b)
    check_warm_start(first, second, W, b, carried, mutant)


def check_relation(problem, relation, mutant=None):
    for number in range(6):
        check_related(problem, relation, number, mutant)


def check_same_value(first, second, carried):
    """Two fits of a convex problem differ by the gap that tol allows, two searches by APART."""
    convex = second.given.problem.penalty == "group lasso"
    if convex and (first.short or second.short):
        return
    apart = 2 * TOL + 10 * first.digits if convex else APART
    assert abs(second.value - carried) <= second.slack(apart, first)


def check_same_predictions(first, second, W, b):
    """F − min F is at least ½ mean‖XW − XW*‖², so the duality gap bounds predictions too."""
    problem = second.given.problem
    convex = problem.penalty == "group lasso" and problem.task == "regression"
    if not convex or first.short or second.short:
        return
    judge = second.judge
    squares = (judge.share * (judge.raw(W, b) - judge.raw(second.W, second.b)) ** 2).sum()
    assert squares <= 8 * second.slack(2 * TOL + 10 * first.digits, first)


def check_warm_start(first, second, W, b, carried, mutant):
    """A fit that starts at a model does not end with a larger F."""
    estimator = second.given.estimator(tol=TOL, warm_start=True)
    if mutant is not None:
        estimator.__class__ = mutant
    estimator.coef_ = W.T if second.model.coef_.ndim == 2 else W[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(second.given.laid_out(), second.given.y, second.given.s)
    begun = Fitted(second.given, estimator, False)
    assert begun.value <= carried + 10 * begun.slack(1e-9, first)


# Gradient training.


def check_trained(problem, rate, removal, batch_size, mutant=None):
    given = problem.given()
    solver = GradientDescent(
        learning_rate=rate,
        max_epochs=8,
        batch_size=batch_size,
        removal=None if problem.penalty == "group lasso" else removal,
    )
    first, second = (train(given, solver, mutant) for _ in range(2))
    if first is None or second is None:
        assert first is second, "one of two trainings from the same seed was refused"
        return
    check_parts(first)
    assert first.model.coef_.tobytes() == second.model.coef_.tobytes()
    assert first.model.intercept_.tobytes() == second.model.intercept_.tobytes()
    parts = [first.model.coef_, first.model.intercept_, first.model.objective_]
    assert all(np.isfinite(part).all() for part in parts)
    # λ|β| + λ₂‖a‖^p is at least the penalty on the coefficients βa, its minimum over all splits.
    moved = first.judge.kept(first.W, first.b)
    allowed = 1e-6 * first.value + first.slack(1e-9) + (np.sqrt(2 * first.value) + moved) * moved
    assert first.model.objective_ >= float(first.value - allowed)


def train(given, solver, mutant):
    estimator = given.estimator(random_state=0).set_params(solver=solver)
    return attempt(given, estimator, mutant, may_end=["diverged", "cannot begin"])


# Paths, cross-validation and chunks.


def check_path(problem, n_alphas, mutant=None):
    given = problem.given()
    estimator = given.estimator(tol=TOL)
    if mutant is not None:
        estimator.__class__ = mutant
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            path = regularization_path(
                estimator, given.laid_out(), given.y, alphas=n_alphas, sample_weight=given.s
            )
        except ValueError as error:
            check_refusal(problem, error, ["do not fit in float64", "finite"])
            return
    for warning in caught:
        assert warning.category is ConvergenceWarning, warning.message
    assert caught or (path.residuals <= TOL).all()
    assert path.alphas.shape == (n_alphas,)
    assert (np.diff(path.alphas) <= 0).all()
    for alpha, coef, b, value in zip(
        path.alphas, path.coefs, path.intercepts, path.objectives, strict=True
    ):
        judge = replace(given, alpha=float(alpha)).judge()
        allowed = slack(judge, coef.T, 1e-7, digits_of(problem))
        assert abs(judge.value(coef.T, b) - value) <= allowed
        assert value <= judge.at_zero() + allowed


def check_chunks(seed, n_features, n_targets, penalty, cut, mutant=None):
    """`partial_fit` of two chunks gives the model of all rows."""
    problem = Problem(
        seed=seed, n_samples=24, n_features=n_features, n_targets=n_targets, penalty=penalty
    )
    given = problem.given()
    whole, chunked = fit(given), given.estimator(tol=TOL)
    if mutant is not None:
        chunked.__class__ = mutant
    for rows in (slice(None, cut), slice(cut, None)):
        with warnings.catch_warnings():
            # One row may be too few for the first fit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            chunked.partial_fit(given.X[rows], given.y[rows])
    apart = abs(Fitted(given, chunked, False).value - whole.value)
    assert apart <= whole.slack(4 * TOL if penalty == "group lasso" else APART)


# Errors that are right where a split has few rows.
FEW_ROWS = ["n_splits", "of fold", "one class"]
CV_ESTIMATORS = {
    ("regression", True): GroupLassoRegressorCV,
    ("regression", False): ShrinkNetRegressorCV,
    ("classification", True): GroupLassoClassifierCV,
    ("classification", False): ShrinkNetClassifierCV,
}


def check_cv(problem, mutant=None):
    """Chosen alpha and ridge are among those to choose from, and the model with them is sound."""
    given = problem.given()
    params = given.estimator(tol=TOL).get_params()
    cv = CV_ESTIMATORS[problem.task, problem.penalty == "group lasso"]
    params = {name: params[name] for name in cv().get_params().keys() & params.keys()}
    ridges = sorted({0.0, given.ridge})
    estimator = cv(**params).set_params(alphas=4, ridges=ridges, cv=3)
    fitted = attempt(given, estimator, mutant, may_end=FEW_ROWS, may_warn="least populated class")
    if fitted is None:
        return
    model = fitted.model
    assert model.alpha_ in model.alphas_
    assert model.ridge_ in ridges
    given = replace(given, alpha=float(model.alpha_), ridge=model.ridge_)
    fitted = Fitted(given, model, fitted.short)
    check_finite(fitted)
    check_parts(fitted)
    check_value(fitted)
