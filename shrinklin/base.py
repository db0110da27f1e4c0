"""What all estimators share: input, the fit, selection, and what they say.

The order of a fit: parameters are checked, the data validated, the objective
built (`_objective`), solved (`path.solve_path`), attributes set (`_store`), and
a solution that fell short is reported by a warning, here and nowhere else.
"""

import warnings
from abc import abstractmethod
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinklin.groups import Groups
from shrinklin.objective import Objective
from shrinklin.path import n_steps, solve_path
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.solution import Status
from shrinklin.validation import SPARSE_FORMATS, check_flag, check_real, check_weights

# Below it, and above its inverse, squares leave the range of float64.
_LEAST = 1e-150


class SparseLinearModel(SelectorMixin, BaseEstimator):
    """A linear model whose penalty keeps few features."""

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
    def _objective(self, X, Y, sample_weight):
        """The `Objective` of validated data."""

    def _get_support_mask(self):
        check_is_fitted(self)
        return np.atleast_2d(self.coef_).any(axis=0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_parameters(self):
        check_real("alpha", self.alpha, 0)
        check_real("tol", self.tol, 0)
        whole = isinstance(self.max_iter, Integral) and not isinstance(self.max_iter, bool)
        if not whole or self.max_iter < 1:
            raise ValueError(f"max_iter={self.max_iter!r}: give a whole number of sweeps >= 1.")
        check_flag("fit_intercept", self.fit_intercept)
        check_flag("warm_start", self.warm_start)
        check_random_state(self.random_state)
        self._solver()

    def _solver(self):
        if isinstance(self.solver, str) and self.solver == "auto":
            return CoordinateDescent()
        if isinstance(self.solver, CoordinateDescent):
            return self.solver
        raise ValueError(
            f'solver={self.solver!r} is not a solver: give "auto" or an instance of '
            "shrinklin.CoordinateDescent."
        )

    def _groups(self, n_features):
        return Groups.from_labels(n_features, self.groups, self.feature_weights)

    def _start(self, objective):
        """W of the previous fit, where asked for and of the right shape."""
        if not self.warm_start or not hasattr(self, "coef_"):
            return None
        W = np.atleast_2d(self.coef_).T.astype(float)
        return W[objective.groups.order] if W.shape == objective.shape else None

    def _solve(self, objective, strengths, start=None):
        """A `Solution` for each strength, with a word on those that fell short."""
        with progress(self, n_steps(objective, strengths)) as report:
            solutions = solve_path(
                objective,
                strengths,
                self._solver(),
                tol=self.tol,
                max_iter=self.max_iter,
                start=start,
                report=report,
            )
        warn_unless_converged(self, solutions)
        return solutions

    def _finish(self, solution):
        """Record what the solver says of itself."""
        self.n_iter_ = max(1, solution.n_iter)
        self.residual_ = solution.residual
        if self.verbose:
            print(
                f"{type(self).__name__}(alpha={self.alpha:g}): {self.get_support().sum()} of "
                f"{self.n_features_in_} features, objective {solution.value:.6g}, residual "
                f"{solution.residual:.1e} after {self.n_iter_} sweeps."
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
    warnings.warn(
        f"{type(estimator).__name__} did not converge{where}: {reached} after {worst.n_iter} "
        f"sweeps (max_iter={estimator.max_iter}). {worst.status.value} The coefficients are "
        "usable, but not optimal.",
        ConvergenceWarning,
        stacklevel=4,
    )


@contextmanager
def progress(estimator, total):
    """Yield `report()`, to be called once a solve; a bar if `verbose`."""
    if not estimator.verbose:
        yield lambda: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            f"verbose={estimator.verbose!r} shows a progress bar, which needs tqdm: pip install "
            '"shrinklin[plot]", or set verbose=0.'
        ) from error
    with tqdm(total=total, desc=type(estimator).__name__, unit="solve") as bar:
        yield lambda: bar.update()


def as_coef(W, order, trailing):
    """W (n_features, n_targets) as ``coef_``: the user's features, y's dimensions."""
    coef = np.empty(W.shape[::-1])
    coef[:, order] = W.T
    return coef.reshape(*trailing, -1)


def largest_magnitudes(X, columns):
    """max |entry| of each of `columns`: a dense X is not copied, a sparse one not cut up."""
    if sparse.issparse(X):
        # Thousands of empty columns are common, and each cut reads all of a CSR.
        return abs(X).max(axis=0).toarray().reshape(-1)[columns] if len(columns) else np.empty(0)
    return np.array([abs(X[:, j]).max() for j in columns], dtype=float)


def narrowest(dtype, *arrays):
    """dtype, or float64 where it would turn a value into 0 or infinity."""
    with np.errstate(over="ignore", under="ignore"):
        casts = [array.astype(dtype) for array in arrays]
    kept = all(
        np.isfinite(cast).all() and np.array_equal(cast != 0, array != 0)
        for cast, array in zip(casts, arrays, strict=True)
    )
    return dtype if kept else np.dtype(float)


class SparseLinearRegressor(MultiOutputMixin, RegressorMixin, SparseLinearModel):
    """Shared by the regressors: the squared loss."""

    def _validate(self, X, y):
        if sparse.issparse(y):
            y = y.toarray()
        try:
            X, y = validate_data(
                self,
                X,
                y,
                accept_sparse=SPARSE_FORMATS,
                dtype=[np.float64, np.float32],
                multi_output=True,
                y_numeric=True,
            )
        except ValueError as error:
            if "could not convert string" in str(error):
                raise ValueError(
                    f"{type(self).__name__} was given text ({error}): X and y must be numbers. "
                    "Encode text columns first, for instance with "
                    "sklearn.preprocessing.OneHotEncoder."
                ) from error
            if "inconsistent numbers of samples" in str(error):
                raise ValueError(f"{error}: give X and y the same rows.") from error
            raise
        if y.dtype.kind not in "biuf":
            raise ValueError(
                f"Complex data not supported: y has dtype {y.dtype}, and a regressor takes real "
                "numbers. Fit the real and the imaginary parts as two targets."
                if y.dtype.kind == "c"
                else f"y has dtype {y.dtype}: a regressor takes real numbers. Convert y, or use a "
                "classifier for labels."
            )
        return X, y

    def _objective(self, X, Y, sample_weight):
        groups = self._groups(X.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            quadratic = self._solver().quadratic(
                X, Y, sample_weight, groups.order, self.fit_intercept
            )
        self._check_scale(X, Y, quadratic)
        return Objective(quadratic, self._penalty(), groups, self._strength(self.alpha))

    def _check_scale(self, X, Y, quadratic):
        """Raise where squares of the data overflow or vanish."""
        d = quadratic.diagonal
        finite = np.isfinite(quadratic.yy) and np.isfinite(d).all()
        silent = largest_magnitudes(X, quadratic.order[d == 0])
        sizes = np.concatenate([silent, [abs(Y).max()]])
        if finite and quadratic.yy > 0:
            sizes = np.concatenate([sizes, np.sqrt(d[d > 0]) / np.sqrt(quadratic.yy)])
        sizes = sizes[sizes > 0]
        if not finite or (sizes < _LEAST).any() or (sizes > 1 / _LEAST).any():
            raise ValueError(
                f"{type(self).__name__} works with squares of X, y and y/X, and some do not fit "
                f"in float64: their entries should lie between {_LEAST:g} and {1 / _LEAST:g} in "
                "absolute value, or be 0. Standardise X, or divide X and y by a constant."
            )

    def _prepare(self, X, y, sample_weight):
        """Check everything; return the objective, and the dtype of X and shape of y."""
        self._check_parameters()
        X, y = self._validate(X, y)
        s = check_weights(sample_weight, X)
        Y = y.reshape(len(y), -1).astype(float)
        return self._objective(X, Y, s), X.dtype, y.shape[1:]

    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers, finite. float32 and float64 are taken as they are, dense
            or sparse (CSR or CSC), without a copy; else converted to float64,
            as is float32 where no Gram matrix is formed (`CoordinateDescent`).
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, of which only the ratios matter: a weight of 2 is the
            row given twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For data or parameters outside what is stated here.
        """
        objective, dtype, trailing = self._prepare(X, y, sample_weight)
        start = self._start(objective)
        (solution,) = self._solve(objective, [objective.strength], start)
        self._store(objective, solution, dtype, trailing)
        self._finish(solution)
        return self

    def _store(self, objective, solution, dtype, trailing):
        coef = as_coef(solution.W, objective.groups.order, trailing)
        intercept = objective.quadratic.intercept(solution.W)
        dtype = narrowest(dtype, coef, intercept)
        self.coef_ = coef.astype(dtype)
        intercept = intercept.astype(dtype)
        self.intercept_ = intercept if trailing else intercept[0]

    def predict(self, X):
        """Predict the targets of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets), as y in `fit`.
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse=SPARSE_FORMATS, dtype=[np.float64, np.float32], reset=False
        )
        return X @ self.coef_.T + self.intercept_
