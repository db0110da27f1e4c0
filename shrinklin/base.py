"""What all estimators share: input, the fit, selection, and what they say.

The order of a fit: parameters are checked and the data validated (`_validate`). An exact
solver then gets the objective (`_smooth`) and solves it (`path.solve_path`); gradient
training gets the `Risk` (`_risk`) and descends on it. Attributes are set (`_store`), and a
solution that fell short is reported by a warning, here and nowhere else.
What a model penalises is in `formulations`, what it fits in `regressors` and
`classifiers`.
"""

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinklin.blas import one_blas_thread
from shrinklin.groups import Groups
from shrinklin.messages import progress, warn
from shrinklin.moments import Moments
from shrinklin.objective import Objective
from shrinklin.path import largest_useful_alpha, n_steps, solve_path
from shrinklin.solvers.gradient_descent import GradientDescent, Stream
from shrinklin.solvers.solution import Status
from shrinklin.validation import (
    SPARSE_FORMATS,
    CheckedSelector,
    by_column,
    check_flag,
    check_real,
    check_whole,
    features,
    narrowest,
    predictions,
    relative_weights,
    with_remedy,
)
from shrinklin.version import __version__

# Where a pickle says which version wrote it; scikit-learn does so for its own classes alone.
_PICKLED_BY = "_shrinklin_version"
# Below it, and above its inverse, squares leave the range of float64.
_LEAST = 1e-150


@dataclass(frozen=True)
class Target:
    """What coefficients owe to the y, and the X, that they were fitted to.

    Attributes
    ----------
    dtype : dtype
        Of X.
    trailing : tuple
        Dimensions of ``coef_`` before the features.
    classes : ndarray of shape (n_classes,), or None
    """

    dtype: np.dtype
    trailing: tuple
    classes: np.ndarray | None = None


class LinearModel(CheckedSelector, BaseEstimator):
    """A fitted model ``coef_`` x + ``intercept_``, and the features that it kept."""

    def __getstate__(self):
        return {**super().__getstate__(), _PICKLED_BY: __version__}

    def __setstate__(self, state):
        version = state.get(_PICKLED_BY, "an unknown version")
        super().__setstate__({name: value for name, value in state.items() if name != _PICKLED_BY})
        if version != __version__:
            warn(
                f"This {type(self).__name__} was pickled by shrinklin {version} and is read by "
                f"{__version__}: what it lacks or holds otherwise may fail or mislead. Fit it "
                "again, or read it with the version that wrote it."
            )

    def _get_support_mask(self):
        check_is_fitted(self)
        return np.atleast_2d(self.coef_).any(axis=0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _raw_predictions(self, X):
        """coef_ x + intercept_ of every row of X."""
        check_is_fitted(self)
        dtype = [np.float64, np.float32]
        try:
            X = validate_data(
                self, features(X), accept_sparse=SPARSE_FORMATS, dtype=dtype, reset=False
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise with_remedy(self, error) from error
        return predictions(X, self.coef_, self.intercept_)

    def _progress(self, total, unit):
        return progress(self.verbose, total, type(self).__name__, unit)


class SparseLinearModel(LinearModel):
    """A linear model that is fitted for one alpha."""

    # The solvers it accepts, "auto" being the first, and the data whose squares it needs.
    _solvers: tuple
    _squared: str
    # Whether its formulation has switches, and what only one kind of fit sets.
    _has_switches: bool
    _of_one_fit = ("residual_", "dual_gap_", "history_", "moments_", "_stream")

    @abstractmethod
    def _penalty(self):
        """The `Penalty` on W, after checking the parameters it depends on."""

    @abstractmethod
    def _strength(self, alpha):
        """What multiplies that penalty at `alpha`."""

    @abstractmethod
    def _alpha_at(self, strength):
        """The inverse of `_strength`."""

    @abstractmethod
    def _validate(self, X, y):
        """X and y, checked."""

    @abstractmethod
    def _smooth(self, X, y, sample_weight, order):
        """The `Smooth` part of the objective of validated data, and their `Target`."""

    @abstractmethod
    def _risk(self, X, y, sample_weight, order, whole):
        """The `Risk` of validated data, and their `Target`; `whole` as in `risk_of_data`."""

    @abstractmethod
    def _parametrization(self, groups, n_targets, gate):
        """The `Parametrization` of gradient training."""

    @abstractmethod
    def _factors(self, groups, W):
        """Gates (n_groups,) and weights like W of the fitted model, W its coefficients."""

    @abstractmethod
    def _stored_factors(self, groups):
        """What W is the product of: (n_features,) and like W."""

    @abstractmethod
    def _path(self, target, **fields):
        """The `RegularizationPath` of solutions for that target."""

    def _check_parameters(self, solver=None):
        """Raise for parameters that are not accepted, with `solver` in place of the own."""
        check_real("alpha", self.alpha, 0)
        check_real("tol", self.tol, 0)
        check_whole("max_iter", self.max_iter, 1)
        check_flag("fit_intercept", self.fit_intercept)
        check_flag("warm_start", self.warm_start)
        check_random_state(self.random_state)
        solver = self._solver() if solver is None else solver
        if isinstance(solver, GradientDescent):
            solver.check(self._has_switches)

    def _solver(self):
        if isinstance(self.solver, str) and self.solver == "auto":
            return self._solvers[0]()
        if isinstance(self.solver, self._solvers):
            return self.solver
        accepted = " or ".join(f"shrinklin.{solver.__name__}" for solver in self._solvers)
        raise ValueError(
            f'solver={self.solver!r} is not a solver of {type(self).__name__}: give "auto" or an '
            f"instance of {accepted}."
        )

    def _checked(self, X, y, sample_weight):
        """Check everything; return X, y, the sample weights and the `Groups`."""
        self._check_parameters()
        X, y = self._validate(X, y)
        s = relative_weights(sample_weight, X)
        return X, y, s, self._groups_of(X.shape[1], getattr(self, "feature_names_in_", None))

    def _groups_of(self, n_features, names=None):
        """The `Groups` of columns that have those names."""
        given = self._per_feature(names)
        return Groups.from_labels(n_features, given["groups"], given["feature_weights"])

    def _per_feature(self, names):
        """The parameters that hold one entry a feature, in the order of columns of those names."""
        given = {"groups": self.groups, "feature_weights": self.feature_weights}
        return {name: by_column(name, values, names) for name, values in given.items()}

    def _prepare(self, X, y, sample_weight):
        """The `Objective` and the `Target` of data as the user gives them, or of `Moments`."""
        if isinstance(X, Moments):
            self._check_parameters()
            self._check_takes_moments(y, sample_weight)
            self._name_features(X)
            return self._prepare_moments(X, np.dtype(float))
        return self._objective(*self._checked(X, y, sample_weight))

    def _check_takes_moments(self, y, sample_weight):
        if not hasattr(self, "fit_moments"):
            raise TypeError(
                f"X is Moments, which {type(self).__name__} cannot be fitted to: only the squared "
                "loss depends on no more. Give the samples."
            )
        if y is not None or sample_weight is not None:
            raise ValueError(
                "X is Moments, which hold y and the weights of the samples too: leave y and "
                "sample_weight out."
            )

    def _objective(self, X, y, s, groups):
        """The `Objective` and the `Target` of checked data."""
        with np.errstate(over="ignore", invalid="ignore"):
            smooth, target = self._smooth(X, y, s, groups.order)
        return self._penalised(smooth, groups), target

    def _penalised(self, smooth, groups):
        return Objective(smooth, self._penalty(), groups, self._strength(self.alpha))

    def _check_sizes(self, sizes, finite=True):
        """Raise where squares of `sizes` overflow or vanish."""
        sizes = sizes[sizes > 0]
        if not finite or (sizes < _LEAST).any() or (sizes > 1 / _LEAST).any():
            raise self._out_of_range()

    def _out_of_range(self):
        return ValueError(
            f"{type(self).__name__} works with squares of {self._squared}, and some do not "
            f"fit in float64: their entries should lie between {_LEAST:g} and "
            f"{1 / _LEAST:g} in absolute value, or be 0. Standardise X, or divide the data "
            "by a constant."
        )

    def _fit(self, X, y, sample_weight):
        with undone_on_error(self):
            X, y, s, groups = self._checked(X, y, sample_weight)
            objective = trained = None
            if self._trains():
                whole = self.solver.batch_size is None
                trained = self._train(groups, lambda: self._risk(X, y, s, groups.order, whole))
            else:
                objective = self._optimise(*self._objective(X, y, s, groups))
        # Last: where warnings are errors, a model that was stopped by hand is still there.
        warn_unless_trained(self, trained)
        warn_if_empty(self, objective)
        return self

    def _trains(self):
        return isinstance(self._solver(), GradientDescent)

    def _optimise(self, objective, target):
        """Fit by an exact solver; returns the objective."""
        start = self._start(objective.groups, objective.shape)
        (solution,) = self._solve(objective, [objective.strength], start)
        self._keep(objective, solution, target)
        self._report(f"residual {solution.residual:.1e} after {self.n_iter_} sweeps")
        return objective

    def _keep(self, objective, solution, target):
        """Be the model of that solution."""
        # Whether numbers are finite was looked at; BLAS now and then raises the flag of an invalid
        # product although all that went in and came out is finite.
        with one_blas_thread(), np.errstate(invalid="ignore"):
            self._store_solution(objective, solution, target)
        self.n_iter_ = max(1, solution.n_iter)
        self.residual_, self.cost_ = solution.residual, objective.cost
        self.objective_ = self._stored_value(objective, solution)

    def _stored_value(self, objective, solution):
        """F of what is stored: a switch times a weight is no further off than F is by rounding."""
        if self.coef_.dtype == np.float64:
            return solution.value
        W = self._previous_W(objective.groups, objective.shape)
        with one_blas_thread():
            return objective.value_at(W, np.atleast_1d(self.intercept_).astype(float))

    def _train(self, groups, make_risk):
        """Fit by gradient training; `make_risk()` gives the `Risk` and the `Target`.

        Returns what `warn_unless_trained` is then to be told.
        """
        solver, rng = self._solver(), check_random_state(self.random_state)
        # One thread throughout: products of other shapes for other numbers of threads
        # would round otherwise, and the same seed is to give the same bits.
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            risk, target = make_risk()
            parametrization = self._parametrization(groups, risk.shape[1], solver.gate)
            start = self._factors_to_start(groups, risk.shape)
            with self._progress(solver.max_epochs, "epoch") as report:
                trained = solver.train(risk, parametrization, rng, start=start, report=report)
        self._raise_if_diverged(trained, solver, f"after {trained.n_epochs} epochs")
        self._store_trained(groups, trained, target)
        self.objective_ = self._trained_value(groups, trained, risk, parametrization)
        self.n_iter_, self.cost_ = max(1, trained.n_epochs), trained.cost
        self.history_ = trained.history
        self._report(f"{trained.n_epochs} epochs")
        return trained

    def _go_on(self, groups, solver, make_risk, weight, intercept):
        """Gradient training of one epoch on the next rows of a stream.

        `make_risk()` gives their `Risk` and their `Target`, `weight` is the sum of their
        weights; `intercept(risk)` is where the intercept begins if nothing was fitted before.
        """
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            risk, target = make_risk()
            parametrization = self._parametrization(groups, risk.shape[1], solver.gate)
            stream = getattr(self, "_stream", None)
            if stream is None:
                rng = generator_of_ones_own(self.random_state)
                start = self._previous(groups, risk.shape)
                stream = Stream(solver, risk, parametrization, rng, start, intercept(risk))
            stream, trained = stream.go_on(solver, risk, parametrization, weight)
        self._raise_if_diverged(trained, solver, f"in call {trained.n_epochs} of partial_fit")
        self._store_trained(groups, trained, target)
        self.objective_ = self._trained_value(groups, trained, risk, parametrization)
        self.n_iter_, self.cost_, self._stream = trained.n_epochs, trained.cost, stream
        self._report("1 call" if trained.n_epochs == 1 else f"{trained.n_epochs} calls")

    def _trained_value(self, groups, trained, risk, parametrization):
        """The objective of what is stored of gradient training."""
        if self.coef_.dtype == np.float64:
            return trained.value
        beta, A = self._stored_factors(groups)
        b = np.atleast_1d(self.intercept_).astype(float)
        x = parametrization.from_factors(beta[groups.ptr[:-1]], A, b)
        with one_blas_thread():
            loss = risk.value(self._previous_W(groups, risk.shape), b)
        return loss + parametrization.penalty(x)

    def _raise_if_diverged(self, trained, solver, when):
        if trained.status is not Status.DIVERGED:
            return
        begun = f"training with learning_rate={solver.learning_rate:g} diverged"
        remedy = trained.status.value
        if trained.n_epochs == 0:
            begun, remedy = "training cannot begin", "Standardise X, or begin without warm_start."
        raise ValueError(
            f"{type(self).__name__}: {begun}: the objective was {trained.value:g} {when}. {remedy}"
        )

    def _store_solution(self, objective, solution, target):
        """Set the attributes that hold the model of an exact solver."""
        self._store(objective.groups, solution.W, solution.intercept, target)

    def _store_trained(self, groups, trained, target):
        """Set the attributes that hold the model of gradient training."""
        self._store(groups, trained.W, trained.intercept, target)

    def _store(self, groups, W, intercept, target):
        """Set what both have in common."""
        for name in self._of_one_fit:
            self.__dict__.pop(name, None)
        coef = as_coef(W, groups.order, target.trailing)
        dtype = narrowest(target.dtype, coef, intercept)
        self.coef_ = coef.astype(dtype)
        intercept = intercept.astype(dtype)
        self.intercept_ = intercept if target.trailing else intercept[0]

    def _start(self, groups, shape):
        """W of the previous fit, where asked for and of the right shape."""
        return self._previous_W(groups, shape) if self.warm_start else None

    def _previous_W(self, groups, shape):
        if not hasattr(self, "coef_"):
            return None
        W = np.atleast_2d(self.coef_).T.astype(float)
        return W[groups.order] if W.shape == shape else None

    def _factors_to_start(self, groups, shape):
        """Gates, weights and intercept of the previous fit, where asked for."""
        return self._previous(groups, shape) if self.warm_start else None

    def _previous(self, groups, shape):
        """Gates, weights and intercept of the previous fit, if any of the right shape."""
        W = self._previous_W(groups, shape)
        if W is None:
            return None
        kept = 1.0 if self.fit_intercept else 0.0
        return *self._factors(groups, W), kept * np.atleast_1d(self.intercept_)

    def _solve(self, objective, strengths, start=None):
        """`_solutions`, with progress and a word on those that fell short."""
        with self._progress(n_steps(objective, strengths), "solve") as report:
            solutions = self._solutions(objective, strengths, start=start, report=report)
        warn_unless_converged(self, solutions)
        return solutions

    def _solutions(self, objective, strengths, **options):
        """A finite `Solution` for each strength; `options` are those of `solve_path`."""
        # Of a trial step that does not fit; what is returned has to.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            solutions = solve_path(
                objective,
                strengths,
                self._solver(),
                tol=self.tol,
                max_iter=self.max_iter,
                **options,
            )
        if not all(np.isfinite(s.value) and np.isfinite(s.W).all() for s in solutions):
            raise self._out_of_range()
        return solutions

    def _report(self, how):
        if self.verbose:
            print(
                f"{type(self).__name__}(alpha={self.alpha:g}): {self.get_support().sum()} of "
                f"{self.n_features_in_} features, objective {self.objective_:.6g}, {how}."
            )


def warn_unless_converged(estimator, solutions):
    """One ConvergenceWarning for all solutions that fell short, with the remedy."""
    short = [s for s in solutions if s.status is not Status.CONVERGED]
    if not short:
        return
    worst = max(short, key=lambda s: s.residual)
    where = "" if len(solutions) == 1 else f" at {len(short)} of {len(solutions)} alphas"
    reached = f"residual {worst.residual:.1e} > tol={estimator.tol:g}"
    if worst.residual <= estimator.tol:
        reached = f"duality gap > tol={estimator.tol:g} times the loss of zero coefficients"
    reached += f" after {worst.n_iter} sweeps (max_iter={estimator.max_iter})"
    if worst.status is Status.SEPARATED:
        reached = "there is no best model"
    warn(
        f"{type(estimator).__name__} did not converge{where}: {reached}. "
        f"{worst.status.value} The coefficients are usable, but not optimal.",
        ConvergenceWarning,
    )


def warn_unless_trained(estimator, trained):
    """A warning for a training that fell short; `trained` is None after an exact fit."""
    if trained is None or trained.status is Status.CONVERGED:
        return
    status, solver = trained.status, estimator.solver
    reached = {
        Status.MAX_EPOCHS: f"the objective still fell by more than tol={solver.tol} after",
        Status.ROSE: "the objective ended above its first value after",
        Status.ASTRAY: "the loss is above that of a model without features after",
        Status.INTERRUPTED: f"stopped by hand; the model is that of epoch {trained.best_epoch} of",
    }[status]
    warn(
        f"{type(estimator).__name__} did not converge: {reached} {trained.n_epochs} epochs "
        f"(max_epochs={solver.max_epochs}). {status.value}",
        ConvergenceWarning,
    )


def warn_if_empty(estimator, objective):
    """A warning where a model keeps nothing because nobody chose alpha.

    Whoever gives an alpha has a reason, as a search over many has; and where nothing could
    enter no alpha is better. After gradient training, where `objective` is None, removal
    decides as much as alpha does.
    """
    alpha, given = estimator.alpha, signature(type(estimator)).parameters.get("alpha")
    chosen = given is None or alpha != given.default
    if objective is None or chosen or estimator.get_support().any():
        return
    name, largest = type(estimator).__name__, largest_useful_alpha(estimator, objective)
    if largest > 0:
        # So few digits that many folds say the same, which Python shows once.
        warn(
            f"{name} keeps no feature: alpha={alpha:g}, the default, is not below alpha_max, "
            f"where the first one enters, about {largest:.1g} here. Give an alpha between "
            f"{largest / 1000:.1g} and {largest:.1g}, or let {name}CV choose it; the default "
            "suits standardised data."
        )


@contextmanager
def undone_on_error(estimator):
    """Leave the estimator as it was if what is done to it fails, or Ctrl-C ends it."""
    before, rng = vars(estimator).copy(), estimator.random_state
    drawn = rng.get_state() if isinstance(rng, np.random.RandomState) else None
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        if drawn is not None:
            rng.set_state(drawn)
        raise


def generator_of_ones_own(random_state):
    """A generator that no one else draws from: seeded by `random_state` unless that is a seed."""
    given = check_random_state(random_state)
    if random_state is None or given is random_state:
        return np.random.RandomState(given.randint(np.iinfo(np.int32).max))
    return given


def as_coef(W, order, trailing):
    """W (n_features, n_targets) as ``coef_``: the user's features, y's dimensions."""
    coef = np.empty(W.shape[::-1])
    coef[:, order] = W.T
    return coef.reshape(*trailing, -1)


def largest_magnitudes(X, columns=None):
    """max |entry| of each of `columns`: a dense X is not copied, a sparse one not cut up."""
    if columns is None and not sparse.issparse(X):
        return np.maximum(X.max(axis=0), -X.min(axis=0)).astype(float)
    if columns is None:
        columns = np.arange(X.shape[1])
    if sparse.issparse(X):
        # Thousands of empty columns are common, and each cut reads all of a CSR.
        return abs(X).max(axis=0).toarray().reshape(-1)[columns] if len(columns) else np.empty(0)
    return np.array([abs(X[:, j]).max() for j in columns], dtype=float)
