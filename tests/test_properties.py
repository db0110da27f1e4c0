"""What holds for every problem, on problems that nobody chose.

With ``--hypothesis-profile=fuzz`` (`make fuzz`) there are 10 000 problems, made from a seed
that the report's first lines name; without it 300, which are always the same. A failure ends
with the problem in a few words: ``Problem(...).given()`` of `drawn` has its numbers.

Every check stands beside estimators that are wrong and that it rejects, at the end.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from drawn import Problem, problems
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    SignVariance,
    Threshold,
    regularization_path,
)

pytestmark = pytest.mark.untraced

# Problems of one run of a test; a fuzz run has many such runs, each from its own seed.
N_PROBLEMS = {"sound": 100, "related": 125, "trained": 40, "path": 20, "chunks": 10, "cv": 5}
N_FUZZED = 10_000
TOL = 1e-8
# Of f(0): what two searches for the least of a bridge may differ by. Hardly any lie further apart
# than a twentieth; p = 1 with nearly equal columns was seen to.
APART = 0.2


def runs(config):
    """Seeds of the runs of every test; None for the one whose problems are always the same."""
    if config.getoption("--hypothesis-profile", None) != "fuzz":
        return [None]
    first = config.fuzz_seed
    return range(first, first + round(N_FUZZED / sum(N_PROBLEMS.values())))


def pytest_generate_tests(metafunc):
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", runs(metafunc.config))


def hold(name, run, check, *strategies):
    """Check it on the problems of that run."""
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


class Fitted:
    """A model, what it was given, and whether it said that it fell short."""

    def __init__(self, given, model, short):
        self.given, self.model, self.short = given, model, short
        self.judge, self.W = given.judge(), np.atleast_2d(model.coef_).T
        self.b = np.atleast_1d(model.intercept_)

    @property
    def value(self):
        return self.judge.value(self.W, self.b)

    def slack(self, share, carried=None):
        """So much of f(0), and what rounding may make of F, also at what is `carried` here."""
        digits = max(self.digits, carried.digits if carried else 0)
        return slack(self.judge, self.W, share, digits)

    @property
    def digits(self):
        return digits_of(self.given.problem)


def digits_of(problem):
    """What is lost of F where X, its products and the model are in float32, and in float64."""
    return 1e-5 if problem.layout == "float32" else 1e-11


def slack(judge, W, share, digits):
    """So much of f(0), and what rounding may make of F at W."""
    lost = digits**2 * judge.origin() + judge.rounding(W)
    return max(share, digits) * judge.at_zero() + lost


def fit(given, mutant=None, **params):
    """`Fitted`; None where the data are beyond what float64 can do, and the error says so."""
    return attempt(given, given.estimator(tol=TOL, **params), mutant)


def attempt(given, estimator, mutant, may_end=(), may_warn=None):
    """The same of an estimator; an error with one of the words `may_end` gives None as well."""
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
    """A clear error, for data beyond float64 alone."""
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
    """F is what it is said to be, not above that of zero, and b is the best."""
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


def test_a_fit_is_sound(run):
    hold("sound", run, check_sound, problems())


FAR = {"task": "classification", "share": 0.0, "columns": "far", "weights": "uneven"}
# What long runs found, shrunk.
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
    # Where the rounding of means was taken for a direction.
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


# A fit beside that of the same problem said otherwise.


def permuted_samples(given, rng):
    order = rng.permutation(len(given.X))
    s = None if given.s is None else given.s[order]
    return replace(given, X=given.X[order], y=given.y[order], s=s), lambda W, b: (W, b), 1


def permuted_features(given, rng):
    order = rng.permutation(given.X.shape[1])
    labels = None if given.labels is None else [given.labels[j] for j in order]
    omega = None if given.feature_weights is None else given.feature_weights[order]
    other = replace(given, X=given.X[:, order], labels=labels, feature_weights=omega)
    return other, lambda W, b: (W[order], b), 1


def permuted_targets(given, rng):
    if given.problem.task == "classification":
        order = rng.permutation(given.problem.n_targets + 1)
        y = np.argsort(order)[given.y]
        if len(order) > 2:
            return replace(given, y=y), lambda W, b: (W[:, order], b[order]), 1
        sign = 1 if order[0] == 0 else -1
        return replace(given, y=y), lambda W, b: (sign * W, sign * b), 1
    if given.y.ndim == 1:
        return replace(given, y=given.y[:, None]), lambda W, b: (W, b), 1
    order = rng.permutation(given.y.shape[1])
    return replace(given, y=given.y[:, order]), lambda W, b: (W[:, order], b[order]), 1


def doubled_rows(given, rng):
    s = None if given.s is None else np.tile(given.s, 2)
    X, y = np.concatenate([given.X] * 2), np.concatenate([given.y] * 2)
    return replace(given, X=X, y=y, s=s), lambda W, b: (W, b), 1


def scaled_weights(given, rng):
    s = np.ones(len(given.X)) if given.s is None else given.s
    return replace(given, s=s * 10 ** rng.uniform(-100, 100)), lambda W, b: (W, b), 1


def weightless_rows(given, rng):
    some = rng.integers(len(given.X), size=3)
    s = np.ones(len(given.X)) if given.s is None else given.s
    X = np.concatenate([given.X, -2 * given.X[some]])
    y = np.concatenate([given.y, given.y[rng.permutation(some)]])
    return replace(given, X=X, y=y, s=np.append(s, np.zeros(3))), lambda W, b: (W, b), 1


def scaled_targets(given, rng):
    """y by c scales W by c if alpha goes by c^{2 − power}."""
    if given.problem.task == "classification":
        return permuted_targets(given, rng)
    # float64 has to hold alpha.
    c = 2.0 ** rng.integers(-40 if given.alpha > 1e-280 else 0, 40 if given.alpha < 1e280 else 0)
    alpha = given.alpha * c ** (2 - _power(given))
    return replace(given, y=c * given.y, alpha=alpha), lambda W, b: (c * W, c * b), c**2


def scaled_features(given, rng):
    """Columns of a group by c are weights ω by c^power."""
    p = given.X.shape[1]
    codes = np.arange(p) if given.labels is None else np.array(given.labels)
    c = (2.0 ** rng.integers(-20, 20, p))[codes]
    omega = given.feature_weights
    if omega is None:
        omega = np.sqrt(np.bincount(codes, minlength=p)[codes])
    if given.problem.layout == "float32":
        c = np.ones(p)
    other = replace(given, X=c * given.X, feature_weights=omega * c ** _power(given))
    return other, lambda W, b: (W / c[:, None], b), 1


def stored_otherwise(given, rng):
    layout = rng.choice(["dense", "csr", "csc", "fortran"])
    X = given.stored().astype(float)
    problem = replace(given.problem, layout=str(layout))
    return replace(given, X=X, problem=problem), lambda W, b: (W, b), 1


def solved_otherwise(given, rng):
    problem = replace(given.problem, solver=str(rng.choice(["gram", "columns"])))
    return replace(given, problem=problem), lambda W, b: (W, b), 1


def _power(given):
    return {"group lasso": 1, "p=2": 2 / 3, "p=1": 1 / 2}[given.problem.penalty]


RELATIONS = [
    permuted_samples,
    permuted_features,
    permuted_targets,
    doubled_rows,
    scaled_weights,
    weightless_rows,
    scaled_targets,
    scaled_features,
    stored_otherwise,
    solved_otherwise,
]


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
    """Two ends of a descent differ by the gap that tol allows, two searches by little."""
    convex = second.given.problem.penalty == "group lasso"
    if convex and (first.short or second.short):
        return
    apart = 2 * TOL + 10 * first.digits if convex else APART
    assert abs(second.value - carried) <= second.slack(apart, first)


def check_same_predictions(first, second, W, b):
    """F lies at least ½ mean‖XW − XW*‖² above its least, so that the gap bounds that too."""
    problem = second.given.problem
    convex = problem.penalty == "group lasso" and problem.task == "regression"
    if not convex or first.short or second.short:
        return
    judge = second.judge
    squares = (judge.share * (judge.raw(W, b) - judge.raw(second.W, second.b)) ** 2).sum()
    assert squares <= 8 * second.slack(2 * TOL + 10 * first.digits, first)


def check_warm_start(first, second, W, b, carried, mutant):
    """A fit that begins at a model does not end above it."""
    estimator = second.given.estimator(tol=TOL, warm_start=True)
    if mutant is not None:
        estimator.__class__ = mutant
    estimator.coef_ = W.T if second.model.coef_.ndim == 2 else W[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(second.given.laid_out(), second.given.y, second.given.s)
    begun = Fitted(second.given, estimator, False)
    assert begun.value <= carried + 10 * begun.slack(1e-9, first)


def test_the_same_problem_said_otherwise(run):
    relations, numbers = st.sampled_from(RELATIONS), st.integers(0, 100)
    hold("related", run, check_related, problems(), relations, numbers)


# Gradient training.

REMOVALS = (None, Threshold(0.05), SignVariance())


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
    # λ|β| + λ₂‖a‖^p is no less than the penalty on βa that is left at its best.
    moved = first.judge.kept(first.W, first.b)
    allowed = 1e-6 * first.value + first.slack(1e-9) + (np.sqrt(2 * first.value) + moved) * moved
    assert first.model.objective_ >= float(first.value - allowed)


def train(given, solver, mutant):
    estimator = given.estimator(random_state=0).set_params(solver=solver)
    return attempt(given, estimator, mutant, may_end=["diverged", "cannot begin"])


def test_gradient_training(run):
    kinds = [st.sampled_from(values) for values in ([0.05, 1.0, 1e-3], REMOVALS, [None, 1, 4])]
    hold("trained", run, check_trained, problems(), *kinds)


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


def test_paths(run):
    hold("path", run, check_path, problems(), st.integers(1, 5))


FREE = {"task": "classification", "free": True}
FOUND_PATHS = [
    # No number in the search for an intercept.
    Problem(penalty="p=1", n_samples=4, n_features=9, n_targets=3, **FREE),
    Problem(n_samples=15, n_targets=4, share=1e-6, seed=212, columns="collinear", response="zero",
            weights="uneven", layout="csr", **FREE),
    # Minutes, where only some samples are told apart.
    Problem(n_samples=12, n_features=8, n_targets=8, share=0.0, seed=12, columns="sparse",
            response="constant", groups="pairs", **FREE),
    # The diagonal of the Gram matrix was raised as where means come off later.
    Problem(n_samples=4, columns="collinear", weights="uneven", free=True),
]  # fmt: skip


@pytest.mark.parametrize("problem", FOUND_PATHS, ids=repr)
def test_paths_that_were_not_sound_are(problem):
    check_path(problem, 4)


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


def test_data_in_chunks(run):
    numbers = [st.integers(0, 1000), st.integers(1, 8), st.integers(1, 4)]
    kinds = st.sampled_from(["group lasso", "p=2", "p=1"]), st.integers(1, 23)
    hold("chunks", run, check_chunks, *numbers, *kinds)


# What splits of few rows may lack.
FEW_ROWS = ["n_splits", "of fold", "one class"]
CV_ESTIMATORS = {
    ("regression", True): GroupLassoRegressorCV,
    ("regression", False): ShrinkNetRegressorCV,
    ("classification", True): GroupLassoClassifierCV,
    ("classification", False): ShrinkNetClassifierCV,
}


def check_cv(problem, mutant=None):
    """The model of the alpha that was chosen is sound, and that alpha is one of those asked."""
    given = problem.given()
    params = given.estimator(tol=TOL).get_params()
    cv = CV_ESTIMATORS[problem.task, problem.penalty == "group lasso"]
    params = {name: params[name] for name in cv().get_params().keys() & params.keys()}
    estimator = cv(**params).set_params(alphas=4, cv=3)
    fitted = attempt(given, estimator, mutant, may_end=FEW_ROWS, may_warn="least populated class")
    if fitted is None:
        return
    model = fitted.model
    assert model.alpha_ in model.alphas_
    fitted = Fitted(replace(given, alpha=float(model.alpha_)), model, fitted.short)
    check_finite(fitted)
    check_parts(fitted)
    check_value(fitted)


def test_cross_validation(run):
    hold("cv", run, check_cv, problems(n_samples=st.integers(6, 30)))


# What the checks reject.


class _WithoutNumbers(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ * np.nan
        return self


class _Unsteady(GroupLassoRegressor):
    drawn = 0

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        type(self).drawn += 1
        self.coef_ = self.coef_ * (1 + 1e-15 * type(self).drawn)
        return self


class _Doubled(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = 2.5 * self.coef_
        self.objective_ = float(2 * self.objective_)
        return self


class _Rough(GroupLassoRegressor):
    """Stops early and says that it did not."""

    def fit(self, X, y, sample_weight=None):
        tol, self.tol = self.tol, 1e-1
        super().fit(X, y, sample_weight)
        self.tol, self.residual_ = tol, 0.0
        return self


class _Chatty(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        warnings.warn("divided by zero", RuntimeWarning, stacklevel=2)
        return super().fit(X, y, sample_weight)


class _Uncentred(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ = self.intercept_ * (1 + 1e-4)
        return self


class _SwitchOff(ShrinkNetRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.switch_ = self.switch_ * (1 + 1e-13)
        return self


class _Wide(GroupLassoRegressor):
    def get_support(self, indices=False):
        return np.ones(self.n_features_in_, bool)


SOUND_MUTANTS = [
    _WithoutNumbers, _Unsteady, _Doubled, _Rough, _Chatty, _Uncentred, _SwitchOff, _Wide
]  # fmt: skip


@pytest.mark.parametrize("mutant", SOUND_MUTANTS)
def test_a_fit_that_is_not_sound_is_rejected(mutant):
    penalty = "p=2" if issubclass(mutant, ShrinkNetRegressor) else "group lasso"
    problem = Problem(penalty=penalty, n_samples=20, n_features=5, columns="far", share=0.2)
    check_sound(problem)
    with pytest.raises(AssertionError):
        check_sound(problem, mutant)


class _FirstHalf(GroupLassoRegressor):
    """Looks at the first half of the rows."""

    def fit(self, X, y, sample_weight=None):
        half = (X.shape[0] + 1) // 2
        return super().fit(X[:half], y[:half], sample_weight)


class _FirstFeature(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        X = X.copy()
        X[:, 1:] = 0.0
        return super().fit(X, y, sample_weight)


class _FirstTarget(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y * (np.arange(y.shape[1]) == 0), sample_weight)


class _Weightless(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


def scaled(formulation, factor):
    """The same, with strengths times a factor."""

    class Scaled(type(formulation)):
        def strength(self, alpha):
            return factor * super().strength(alpha)

    return Scaled(**vars(formulation))


class _CountsRows(GroupLassoRegressor):
    """Its penalty is in units of sums over the rows."""

    def _formulation(self):
        return scaled(super()._formulation(), 1 / self.rows)

    def fit(self, X, y, sample_weight=None):
        self.rows = X.shape[0]
        return super().fit(X, y, sample_weight)


class _HeavyWeights(GroupLassoRegressor):
    """Does not divide by the sum of the weights."""

    def fit(self, X, y, sample_weight=None):
        self.sum = 1.0 if sample_weight is None else float(np.mean(sample_weight))
        return super().fit(X, y, sample_weight)

    def _formulation(self):
        return scaled(super()._formulation(), 1 / self.sum)


class _Relative(GroupLassoRegressor):
    """An absolute tolerance: it holds small coefficients for none."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = np.where(np.abs(self.coef_) < 0.3, 0.0, self.coef_)
        return self


class _Cold(GroupLassoRegressor):
    """Ends at a bad point unless it begins there."""

    def fit(self, X, y, sample_weight=None):
        warm = self.warm_start
        super().fit(X, y, sample_weight)
        if warm:
            self.coef_ = 0 * self.coef_
        return self


class _NoFeatureWeights(GroupLassoRegressor):
    def _problem(self, solver=None):
        self.feature_weights, kept = None, self.feature_weights
        try:
            return super()._problem(solver)
        finally:
            self.feature_weights = kept


class _Csr(GroupLassoRegressor):
    """Takes the sparse zeros out for the mean."""

    def fit(self, X, y, sample_weight=None):
        X = X + 1.0 * (X.toarray() != 0) if sparse.issparse(X) else X
        return super().fit(X, y, sample_weight)


RELATION_MUTANTS = [
    (_FirstHalf, permuted_samples, {}),
    (_FirstFeature, permuted_features, {}),
    (_FirstTarget, permuted_targets, {"n_targets": 3}),
    (_Weightless, weightless_rows, {}),
    (_CountsRows, doubled_rows, {}),
    (_HeavyWeights, scaled_weights, {}),
    (_Relative, scaled_targets, {}),
    (_NoFeatureWeights, scaled_features, {}),
    (_Csr, stored_otherwise, {"columns": "sparse", "fit_intercept": False}),
    (_Cold, permuted_samples, {}),
]


@pytest.mark.parametrize(("mutant", "relation", "drawn"), RELATION_MUTANTS)
def test_a_fit_that_depends_on_how_it_is_said_is_rejected(mutant, relation, drawn):
    problem = Problem(n_samples=20, n_features=5, **drawn)
    check_relation(problem, relation)
    with pytest.raises(AssertionError):
        check_relation(problem, relation, mutant)


class _Restless(GroupLassoRegressor):
    """Draws from a generator that nobody seeded."""

    def fit(self, X, y, sample_weight=None):
        self.random_state = None
        return super().fit(X, y, sample_weight)


def test_training_from_another_seed_is_rejected():
    with pytest.raises(AssertionError):
        check_trained(Problem(n_samples=20), 0.05, None, 4, _Restless)


class _PathOfHalf(GroupLassoRegressor):
    def _formulation(self):
        return scaled(super()._formulation(), 0.5)


class _LastChunk(GroupLassoRegressor):
    def partial_fit(self, X, y, sample_weight=None):
        return self.fit(X, y, sample_weight)


def test_a_path_of_other_alphas_is_rejected():
    with pytest.raises(AssertionError):
        check_path(Problem(n_samples=20), 4, _PathOfHalf)


class _OtherAlpha(GroupLassoRegressorCV):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.alpha_ = self.alphas_[0]
        return self


def test_a_model_of_another_alpha_than_was_chosen_is_rejected():
    problem = Problem(n_samples=20)
    check_cv(problem)
    with pytest.raises(AssertionError):
        check_cv(problem, _OtherAlpha)


def test_forgotten_chunks_are_rejected():
    with pytest.raises(AssertionError):
        check_chunks(0, 4, 2, "group lasso", 12, _LastChunk)


def test_classifiers_are_held_to_the_same():
    class Biased(GroupLassoClassifier):
        def _formulation(self):
            return scaled(super()._formulation(), 2 if self.classes_first else 1)

        def fit(self, X, y, sample_weight=None):
            self.classes_first = y[0] == 0
            return super().fit(X, y, sample_weight)

    problem = Problem(task="classification", n_samples=20, n_targets=2, share=0.3)
    with pytest.raises(AssertionError):
        check_relation(problem, permuted_targets, Biased)


def test_searches_of_the_bridge_may_not_lie_far_apart():
    class Greedy(ShrinkNetClassifier):
        def _formulation(self):
            return scaled(super()._formulation(), 30 if self.first > 0 else 1)

        def fit(self, X, y, sample_weight=None):
            self.first = X[0, 0]
            return super().fit(X, y, sample_weight)

    problem = Problem(task="classification", penalty="p=2", n_samples=20, share=0.05)
    with pytest.raises(AssertionError):
        check_relation(problem, permuted_samples, Greedy)
