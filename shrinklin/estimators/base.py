"""What all estimators share: input checks, the fit, feature selection, warnings and messages.

The order of a fit: check the parameters and the data, make a `Problem` of them, solve it, and
store the fitted attributes. Only this module warns about solutions that did not converge. The
penalty is in `formulations`, the loss in `tasks`.
"""

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import signature
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.estimators.parameters import ANY_ESTIMATOR, documented
from shrinklin.estimators.plain import PlainModel
from shrinklin.estimators.selector import Selector
from shrinklin.estimators.summary import SummarisedModel
from shrinklin.gradient.descent import GradientDescent
from shrinklin.gradient.stream import Stream
from shrinklin.groups import Groups
from shrinklin.messages import progress, warn
from shrinklin.precision import predictions
from shrinklin.problem.problem import Problem
from shrinklin.problem.tasks import Target
from shrinklin.selection.alphas import alpha_grid, largest_useful_alpha
from shrinklin.selection.path import path_of_solutions
from shrinklin.solvers.solution import Status
from shrinklin.validation.data import SPARSE_FORMATS, diagnosis, features
from shrinklin.validation.parameters import by_column, check_flag, check_real, check_whole
from shrinklin.validation.weights import relative_weights


class LinearModel(SummarisedModel, PlainModel, Selector):
    """A model ``coef_`` x + ``intercept_`` that selects the features with coefficients."""

    def _get_support_mask(self):
        check_is_fitted(self)
        return np.atleast_2d(self.coef_).any(axis=0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _raw_predictions(self, X):
        """coef_ x + intercept_ for every row x of X."""
        check_is_fitted(self)
        own, dtype = features(X), [np.float64, np.float32]
        try:
            X = validate_data(self, own, accept_sparse=SPARSE_FORMATS, dtype=dtype, reset=False)
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, own, None, error) from error
        return predictions(X, self.coef_, self.intercept_)

    def _progress(self, total, unit):
        return progress(self.verbose, total, type(self).__name__, unit)

    def _report(self, alpha, how):
        """Print a summary of the fit, if `verbose`."""
        if self.verbose:
            kept = f"{self.get_support().sum()} of {self.n_features_in_} features"
            print(f"{type(self).__name__}{alpha}{kept}, {how}.")


class SparseLinearModel(LinearModel):
    """A linear model that is fitted for one alpha."""

    # The accepted solvers. "auto" is the first one.
    _solvers: tuple
    # Models that were pickled by shrinklin 0.1.0 have none.
    ridge = 0.0
    # Attributes that not every kind of fit sets.
    _of_one_fit = ("residual_", "dual_gap_", "history_", "moments_", "_stream")

    @abstractmethod
    def _formulation(self):
        """The `Formulation`. Its parameters are not checked yet."""

    @abstractmethod
    def _task(self):
        """The `Task`."""

    @abstractmethod
    def _validate(self, X, y):
        """Check X and y, and return them as arrays."""

    def _check_parameters(self, solver=None):
        """Raise an error for wrong parameters. `solver` replaces that of the estimator."""
        check_real("alpha", self.alpha, 0)
        check_real("ridge", self.ridge, 0)
        check_real("tol", self.tol, 0)
        check_whole("max_iter", self.max_iter, 1)
        check_flag("fit_intercept", self.fit_intercept)
        check_flag("warm_start", self.warm_start)
        check_random_state(self.random_state)
        solver, formulation = self._solver() if solver is None else solver, self._formulation()
        trains = isinstance(solver, GradientDescent)
        if trains:
            solver.check(formulation.has_switches)
        formulation.check(self.alpha, trains)

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

    def _problem(self, solver=None):
        """The `Problem` of checked data. `solver` replaces that of the estimator."""
        names = getattr(self, "feature_names_in_", None)
        given = {"groups": self.groups, "feature_weights": self.feature_weights}
        n_features = self.n_features_in_
        given = {name: by_column(name, given[name], names, n_features) for name in given}
        return Problem(
            self._formulation(),
            self._task(),
            Groups.from_labels(self.n_features_in_, given["groups"], given["feature_weights"]),
            self.alpha,
            self.ridge,
            self.fit_intercept,
            self._solver() if solver is None else solver,
            self.tol,
            self.max_iter,
        )

    def _fit(self, X, y, sample_weight):
        with undone_on_error(self):
            problem, X, y, s = checked(self, X, y, sample_weight)
            objective = trained = None
            if problem.trains:
                trained = self._train(problem, lambda: problem.risk(X, y, s))
            else:
                objective = self._optimise(problem, *problem.objective(X, y, s))
        # Last, so that a model that was stopped by Ctrl-C stays even if warnings are errors.
        warn_unless_trained(self, trained)
        warn_if_empty(self, problem, objective)
        return self

    def _optimise(self, problem, objective, target):
        """Fit by an exact solver, and return the objective."""
        objective = objective.with_memory()
        start = problem.previous(self, objective.shape) if self.warm_start else None
        (solution,) = solve(self, problem, objective, [problem.alpha], start)
        become(self, problem.attributes(objective, solution, target))
        self._report_fit(f"residual {solution.residual:.1e} after {self.n_iter_} sweeps")
        return objective

    def _train(self, problem, make_risk):
        """Fit by gradient training, and return what `warn_unless_trained` takes.

        `make_risk()` returns the `Risk` and the `Target`.
        """
        solver, rng = problem.solver, check_random_state(self.random_state)
        # One thread: the same seed should give the same bits, but BLAS rounds differently
        # with other numbers of threads.
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            risk, target = make_risk()
            parametrization = problem.parametrization(risk)
            start = problem.previous_factors(self, risk.shape) if self.warm_start else None
            with self._progress(solver.max_epochs, "epoch") as report:
                trained = solver.train(risk, parametrization, rng, start=start, report=report)
        self._raise_if_diverged(trained, solver, f"after {trained.n_epochs} epochs")
        become(self, problem.trained_attributes(trained, risk, parametrization, target))
        self.history_ = trained.history
        self._report_fit(f"{trained.n_epochs} epochs")
        return trained

    def _go_on(self, problem, make_risk, weight, intercept):
        """Train for one epoch on the next rows of a stream.

        `make_risk()` returns the `Risk` and the `Target` of these rows, and `weight` is the sum
        of their weights. `intercept(risk)` is the initial intercept if nothing was fitted before.
        """
        solver = problem.solver
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            risk, target = make_risk()
            parametrization = problem.parametrization(risk)
            stream = getattr(self, "_stream", None)
            if stream is None:
                rng = private_generator(self.random_state)
                start = problem.previous_factors(self, risk.shape)
                stream = Stream(solver, risk, parametrization, rng, start, intercept(risk))
            stream, trained = stream.go_on(solver, risk, parametrization, weight)
        self._raise_if_diverged(trained, solver, f"in call {trained.n_epochs} of partial_fit")
        become(self, problem.trained_attributes(trained, risk, parametrization, target))
        self._stream = stream
        self._report_fit("1 call" if trained.n_epochs == 1 else f"{trained.n_epochs} calls")

    def _report_fit(self, how):
        self._report(f"(alpha={self.alpha:g}): ", f"objective {self.objective_:.6g}, {how}")

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


# An estimator and its problem.


def checked(estimator, X, y, sample_weight):
    """Check everything, and return the `Problem`, X, y and the sample weights."""
    estimator._check_parameters()
    refuse_moments(estimator, X)
    X, y = estimator._validate(X, y)
    s = relative_weights(sample_weight, X)
    return estimator._problem(), X, y, s


def checked_moments(estimator, moments):
    """Check the parameters, take over the features of `Moments`, and return the `Problem`."""
    estimator._check_parameters()
    estimator.n_features_in_ = moments.n_features
    vars(estimator).pop("feature_names_in_", None)
    if moments.feature_names is not None:
        estimator.feature_names_in_ = moments.feature_names
    name_targets(estimator, moments.target_names)
    return estimator._problem()


def name_targets(estimator, names):
    """Store the names of the targets, if there are any."""
    vars(estimator).pop("target_names_in_", None)
    if names is not None:
        estimator.target_names_in_ = names


def prepare(estimator, X, y, sample_weight):
    """Check data or `Moments`, and return the `Problem`, the `Objective` and the `Target`."""
    if isinstance(X, Moments):
        check_takes_moments(estimator, y, sample_weight)
        problem = checked_moments(estimator, X)
        return problem, *problem.objective_of_moments(X, np.dtype(float))
    problem, X, y, s = checked(estimator, X, y, sample_weight)
    return problem, *problem.objective(X, y, s)


def check_takes_moments(estimator, y, sample_weight):
    """Raise an error if `Moments` are given to an estimator that needs the samples."""
    if not hasattr(estimator, "fit_moments"):
        raise TypeError(
            f"X is Moments, which {type(estimator).__name__} cannot be fitted to: only the squared "
            "loss can be computed from moments. Give the samples."
        )
    if y is not None or sample_weight is not None:
        raise ValueError(
            "X is Moments, which already contain y and the sample weights: leave out y "
            "and sample_weight."
        )


def refuse_moments(estimator, X, per_fold=False):
    """Raise an error for `Moments`, or a list of them, in the place of X.

    `per_fold` says whether ``fit_moments`` takes one for every fold.
    """
    several = isinstance(X, list | tuple) and any(isinstance(part, Moments) for part in X)
    if not several and not isinstance(X, Moments):
        return
    if not hasattr(estimator, "fit_moments"):
        check_takes_moments(estimator, None, None)
    remedy = "give them to fit_moments"
    if per_fold:
        remedy = "give a list with the Moments of every fold to fit_moments"
    elif several:
        remedy = "give their sum to fit_moments, sum(moments)"
    raise TypeError(f"X is {'a list of ' * several}Moments: {remedy}, or give the samples to fit.")


def solve(estimator, problem, objective, alphas, start=None):
    """Solve for every alpha, show progress, and warn about solutions that did not converge."""
    with estimator._progress(problem.n_steps(objective, alphas), "solve") as report:
        solutions = problem.solve(objective, alphas, start=start, report=report)
    warn_unless_converged(estimator, solutions)
    return solutions


def become(estimator, attributes):
    """Replace the fitted attributes of the estimator."""
    for name in SparseLinearModel._of_one_fit:
        vars(estimator).pop(name, None)
    vars(estimator).update(attributes)


def without_alpha(estimator):
    """A clone of an estimator that can be solved for many alphas."""
    if not isinstance(estimator, SparseLinearModel):
        raise TypeError(
            f"estimator={estimator!r} is not an estimator of shrinklin for one alpha: give a "
            "GroupLasso or ShrinkNet regressor or classifier. Instead of a pipeline, give its last "
            "step and the transformed X."
        )
    estimator = clone(estimator).set_params(alpha=1.0, warm_start=False)
    if isinstance(estimator.solver, GradientDescent):
        raise ValueError(
            f"solver={estimator.solver!r} cannot compute a path: fit each alpha separately, for "
            'instance with GridSearchCV, or give solver="auto".'
        )
    return estimator


@dataclass(frozen=True)
class Template:
    """Makes the models of a path fitted estimators.

    Attributes
    ----------
    estimator : SparseLinearModel
        Not fitted.
    inputs : dict of str to Any
        What a fit takes over from the data: ``n_features_in_``, and names if there are any.
    target : Target
    """

    estimator: SparseLinearModel
    inputs: dict
    target: Target

    def fitted(self, path, i):
        """Model i of the path, with the attributes of a fit that a path knows."""
        model = clone(self.estimator).set_params(alpha=float(path.alphas[i]))
        vars(model).update(self.inputs)
        problem = model._problem()
        solution = SimpleNamespace(
            W=path.coef(i).T[problem.groups.order].astype(float),
            intercept=path.intercepts[i].astype(float),
            n_iter=0 if path.n_iter is None else int(path.n_iter[i]),
        )
        become(model, problem.model_attributes(solution, self.target))
        model.residual_, model.objective_ = float(path.residuals[i]), float(path.objectives[i])
        if path.n_iter is None:
            del model.n_iter_
        return model


def path_of(estimator, problem, objective, target, alphas, solutions):
    """The path of `solutions`, whose models become estimators like this one."""
    inputs = {name: value for name, value in vars(estimator).items() if name.endswith("_in_")}
    names = inputs.get("feature_names_in_")
    path = path_of_solutions(problem, objective, target, alphas, solutions, names)
    return replace(path, template=Template(clone(estimator), inputs, target))


@documented(ANY_ESTIMATOR)
def regularization_path(estimator, X, y=None, *, alphas=100, eps=1e-3, sample_weight=None) -> Any:
    """Solve for many alphas at once, which is faster than one fit for each.

    A group lasso path is solved with warm starts. A ShrinkNet path is solved from both ends and
    improved by a local search. Solutions for different alphas help each other, so those of a
    ShrinkNet path are often better than those of single fits, and seldom worse.

    Parameters
    ----------
    estimator : a regressor or classifier of shrinklin
        An estimator for one alpha. Its parameters are used, except `alpha` and `warm_start`.
        It is not fitted.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or Moments
        The data. A regressor also takes `Moments`, which include the sample weights.
    y : array-like or sparse matrix, default=None
        Targets or class labels, as the estimator takes them. None if X is `Moments`.
    $alphas, $eps
    sample_weight : array-like of shape (n_samples,), default=None
        Weights >= 0. Only their ratios matter: a row of weight 2 counts like two equal rows.

    Returns
    -------
    RegressionPath or ClassificationPath

    Raises
    ------
    ValueError
        If data or parameters are not as described here.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` sweeps did not reach `tol`.

    Notes
    -----
    Only the coefficients of features that some model keeps are stored. A path therefore takes
    the memory of few models, even with many alphas.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import ShrinkNetRegressor, regularization_path
    >>> X, y = load_linnerud(return_X_y=True)
    >>> path = regularization_path(ShrinkNetRegressor(), X, y, alphas=5)
    >>> path.coefs.shape
    (5, 3, 3)
    >>> int(path.at(n_features=1).get_support().sum())
    1
    """
    estimator = without_alpha(estimator)
    problem, objective, target = prepare(estimator, X, y, sample_weight)
    alphas = alpha_grid(alphas, eps, problem, objective)
    objective = objective.with_memory()
    solutions = solve(estimator, problem, objective, alphas)
    return path_of(estimator, problem, objective, target, alphas, solutions)


def warn_unless_converged(estimator, solutions):
    """Warn once about all solutions that did not converge, and say what to do."""
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
    """Warn if gradient training did not converge. `trained` is None after an exact fit."""
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


def warn_if_empty(estimator, problem, objective):
    """Warn if a model keeps no feature because of the default alpha.

    There is no warning if the user chose alpha, or a search does, or if no alpha would let a
    feature enter. There is none after gradient training either, when `objective` is None,
    because the features left then depend on their removal as much as on alpha.
    """
    alpha, given = estimator.alpha, signature(type(estimator)).parameters.get("alpha")
    chosen = given is None or alpha != given.default
    if objective is None or chosen or estimator.get_support().any():
        return
    name, largest = type(estimator).__name__, largest_useful_alpha(problem, objective)
    if largest > 0:
        # Few digits, so that different folds give the same message, which Python shows once.
        warn(
            f"{name} keeps no feature: the default alpha={alpha:g} is not below alpha_max, where "
            f"the first feature enters, which is about {largest:.1g} here. Give an alpha between "
            f"{largest / 1000:.1g} and {largest:.1g}, or let {name}CV choose it; the default suits "
            "standardised data."
        )


@contextmanager
def undone_on_error(estimator):
    """Restore the estimator if an error or Ctrl-C ends the block."""
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


def private_generator(random_state):
    """A random generator that no other code draws from.

    None (numpy's global generator) and a generator may be shared: they only seed a new one.
    """
    given = check_random_state(random_state)
    if random_state is None or given is random_state:
        return np.random.RandomState(given.randint(np.iinfo(np.int32).max))
    return given
