"""The two tasks: what the loss of validated data is, and what coefficients owe to y."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from shrinklin.gradient.risk import MomentRisk, risk_of_data
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.loss import Loss
from shrinklin.losses.squared import SquaredLoss
from shrinklin.objective.likelihood import Likelihood, likelihood_of_data
from shrinklin.objective.quadratic import GramQuadratic
from shrinklin.validation.weights import weigh_classes

_SQUARED = SquaredLoss()
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


@dataclass(frozen=True)
class Task(ABC):
    """Losses of data.

    Attributes
    ----------
    name : str
        Of the estimator, for errors.
    """

    name: str

    # The data whose squares it needs.
    squared = "X"

    @abstractmethod
    def smooth(self, X, y, s, groups, fit_intercept, solver):
        """The `Smooth` part of the objective of validated data, and their `Target`."""

    @abstractmethod
    def risk(self, X, y, s, groups, fit_intercept, whole):
        """The `Risk` of validated data, and their `Target`; `whole` as in `risk_of_data`."""

    def smooth_of_moments(self, moments, dtype, groups, fit_intercept):
        """As `smooth`, of moments of an X of that dtype."""
        raise self._needs_samples()

    def risk_of_moments(self, moments, dtype, groups, fit_intercept):
        """As `risk`, of moments of an X of that dtype."""
        raise self._needs_samples()

    def _needs_samples(self):
        return TypeError(f"{self.name} needs the samples: moments tell the squared loss alone.")

    def check_sizes(self, sizes, finite=True):
        """Raise where squares of `sizes` overflow or vanish."""
        sizes = sizes[sizes > 0]
        if not finite or (sizes < _LEAST).any() or (sizes > 1 / _LEAST).any():
            raise self.out_of_range()

    def out_of_range(self):
        return ValueError(
            f"{self.name} works with squares of {self.squared}, and some do not "
            f"fit in float64: their entries should lie between {_LEAST:g} and "
            f"{1 / _LEAST:g} in absolute value, or be 0. Standardise X, or divide the data "
            "by a constant."
        )


@dataclass(frozen=True)
class Regression(Task):
    """A loss of real targets.

    Attributes
    ----------
    loss : Loss, default=SquaredLoss()
        The squared loss needs no samples, but moments: it has solvers of its own. Any other is
        for `ProximalNewton`.
    """

    loss: Loss = _SQUARED

    squared = "X, y, y/X and X·y"

    @property
    def _is_squared(self):
        return isinstance(self.loss, SquaredLoss)

    def smooth(self, X, y, s, groups, fit_intercept, solver):
        Y = y.reshape(len(y), -1).astype(float, copy=False)
        if not self._is_squared:
            self.check_sizes(np.concatenate([_largest_magnitudes(X), [abs(Y).max()]]))
            likelihood = Likelihood(self.loss, X, Y, s, groups.order, fit_intercept)
            return likelihood, Target(X.dtype, y.shape[1:])
        quadratic = solver.quadratic(X, Y, s, groups.order, fit_intercept)
        silent = _largest_magnitudes(X, quadratic.order[quadratic.diagonal == 0])
        self._check_scale(silent, abs(Y).max(), quadratic)
        return quadratic, Target(X.dtype, y.shape[1:])

    def smooth_of_moments(self, moments, dtype, groups, fit_intercept):
        if not self._is_squared:
            raise self._needs_samples()
        quadratic = GramQuadratic(moments, groups.order, fit_intercept)
        silent = np.abs(moments.x_mean[groups.order][quadratic.diagonal == 0])
        spread = np.diagonal(moments.yy) / moments.weight
        largest = np.sqrt(spread + moments.y_mean**2).max()
        # Sums are what must not have vanished.
        unit = min(1.0, np.sqrt(moments.weight))
        self._check_scale(unit * silent, unit * largest, quadratic)
        return quadratic, _target_of_moments(moments, dtype)

    def risk(self, X, y, s, groups, fit_intercept, whole):
        Y = y.reshape(len(y), -1).astype(float, copy=False)
        self.check_sizes(np.concatenate([_largest_magnitudes(X), [abs(Y).max()]]))
        risk = risk_of_data(self.loss, X, Y, s, groups.order, fit_intercept, whole)
        return risk, Target(X.dtype, y.shape[1:])

    def risk_of_moments(self, moments, dtype, groups, fit_intercept):
        if not self._is_squared:
            raise self._needs_samples()
        risk = MomentRisk.from_moments(moments, groups.order, fit_intercept)
        return risk, _target_of_moments(moments, dtype)

    def _check_scale(self, silent, largest, quadratic):
        """Raise where squares of the data overflow or vanish.

        `silent` are the sizes of features that look constant, `largest` is that of Y.
        """
        d = quadratic.diagonal
        finite = np.isfinite(quadratic.yy) and np.isfinite(d).all()
        sizes = np.concatenate([silent, [largest]])
        if finite and quadratic.yy > 0:
            x, y = np.sqrt(d[d > 0]), np.sqrt(quadratic.yy)
            # The gradient is no larger than x·y.
            sizes = np.concatenate([sizes, x / y, x * y])
        self.check_sizes(sizes, finite)


@dataclass(frozen=True)
class Classification(Task):
    """The logistic loss.

    Attributes
    ----------
    class_weight :
        As given to the estimator.
    classes : ndarray of shape (n_classes,), default=None
        Where all of them are known y holds their numbers, and weights of rows are those of the
        classes too. None where y holds labels.
    """

    class_weight: Any
    classes: np.ndarray | None = None

    def _coded(self, y, s):
        """Classes, their number on every row, and the weights of the rows."""
        if self.classes is not None:
            return self.classes, y, s
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes, weigh_classes(self.class_weight, classes, codes, s)

    def smooth(self, X, y, s, groups, fit_intercept, solver):
        classes, codes, s = self._coded(y, s)
        likelihood = likelihood_of_data(X, codes, len(classes), s, groups.order, fit_intercept)
        d = likelihood.design.diagonal
        silent = _largest_magnitudes(X, likelihood.order[d == 0])
        self.check_sizes(np.concatenate([silent, np.sqrt(d)]), np.isfinite(d).all())
        n_targets = likelihood.C.shape[1]
        return likelihood, Target(X.dtype, (n_targets,), classes)

    def risk(self, X, y, s, groups, fit_intercept, whole):
        classes, codes, s = self._coded(y, s)
        self.check_sizes(_largest_magnitudes(X))
        loss = logistic_loss(len(classes))
        Y = loss.indicators(codes, len(classes))
        risk = risk_of_data(loss, X, Y, s, groups.order, fit_intercept, whole)
        return risk, Target(X.dtype, Y.shape[1:], classes)


def _target_of_moments(moments, dtype):
    return Target(dtype, moments.y_mean.shape[: moments.y_ndim - 1])


def _largest_magnitudes(X, columns=None):
    """max |entry| of each of `columns`: a dense X is not copied, a sparse one not cut up."""
    if columns is None and not sparse.issparse(X):
        return np.maximum(X.max(axis=0), -X.min(axis=0)).astype(float)
    if columns is None:
        columns = np.arange(X.shape[1])
    if sparse.issparse(X):
        # Thousands of empty columns are common, and each cut reads all of a CSR.
        return abs(X).max(axis=0).toarray().reshape(-1)[columns] if len(columns) else np.empty(0)
    return np.array([abs(X[:, j]).max() for j in columns], dtype=float)
