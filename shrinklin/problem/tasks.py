"""The two tasks, regression and classification: the loss, and the format of coefficients."""

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
# Squares of numbers below this, or above its inverse, are outside the range of float64.
_LEAST = 1e-150


@dataclass(frozen=True)
class Target:
    """Properties of X and y that decide the format of the fitted coefficients.

    Attributes
    ----------
    dtype : dtype
        The dtype of X.
    trailing : tuple
        Shape of ``coef_`` without the last dimension, the features.
    classes : ndarray of shape (n_classes,), or None
    """

    dtype: np.dtype
    trailing: tuple
    classes: np.ndarray | None = None


@dataclass(frozen=True)
class Task(ABC):
    """The loss of data.

    Attributes
    ----------
    name : str
        Name of the estimator, for error messages.
    """

    name: str

    # The data whose squares are needed, for error messages.
    squared = "X"

    @property
    def takes_moments(self):
        """Whether `Moments` hold all that the loss needs to know of the data."""
        return False

    @abstractmethod
    def smooth(self, X, y, s, groups, fit_intercept, solver):
        """The `Smooth` part of the objective for validated data, and their `Target`."""

    @abstractmethod
    def risk(self, X, y, s, groups, fit_intercept, whole):
        """The `Risk` of validated data, and their `Target`. `whole` as in `risk_of_data`."""

    def smooth_of_moments(self, moments, dtype, groups, fit_intercept):
        """As `smooth`, from the moments of data. `dtype` is that of X."""
        raise self._needs_samples()

    def risk_of_moments(self, moments, dtype, groups, fit_intercept):
        """As `risk`, from the moments of data. `dtype` is that of X."""
        raise self._needs_samples()

    def _needs_samples(self):
        return TypeError(
            f"{self.name} needs the samples: moments are enough only for the squared loss."
        )

    def check_sizes(self, sizes, finite=True):
        """Raise an error if squares of `sizes` overflow or underflow, or if not `finite`."""
        sizes = sizes[sizes > 0]
        if not finite or (sizes < _LEAST).any() or (sizes > 1 / _LEAST).any():
            raise self.out_of_range()

    def out_of_range(self):
        return ValueError(
            f"{self.name} works with squares of {self.squared}, but some of them do not fit in "
            f"float64: the entries should lie between {_LEAST:g} and {1 / _LEAST:g} in absolute "
            "value, or be 0. Standardise X, or divide the data by a constant."
        )


@dataclass(frozen=True)
class Regression(Task):
    """A loss of real targets.

    Attributes
    ----------
    loss : Loss, default=SquaredLoss()
        Squared loss needs only moments and has its own solvers. Any other loss needs
        `ProximalNewton`.
    """

    loss: Loss = _SQUARED

    squared = "X, y, y/X and X·y"

    @property
    def takes_moments(self):
        return isinstance(self.loss, SquaredLoss)

    def smooth(self, X, y, s, groups, fit_intercept, solver):
        Y = y.reshape(len(y), -1).astype(float, copy=False)
        if not self.takes_moments:
            self.check_sizes(np.concatenate([_largest_magnitudes(X), [abs(Y).max()]]))
            likelihood = Likelihood(self.loss, X, Y, s, groups.order, fit_intercept)
            return likelihood, Target(X.dtype, y.shape[1:])
        quadratic = solver.quadratic(X, Y, s, groups.order, fit_intercept)
        silent = _largest_magnitudes(X, quadratic.order[quadratic.diagonal == 0])
        self._check_scale(silent, abs(Y).max(), quadratic)
        return quadratic, Target(X.dtype, y.shape[1:])

    def smooth_of_moments(self, moments, dtype, groups, fit_intercept):
        if not self.takes_moments:
            raise self._needs_samples()
        quadratic = GramQuadratic(moments, groups.order, fit_intercept)
        silent = np.abs(moments.x_mean[groups.order][quadratic.diagonal == 0])
        spread = np.diagonal(moments.yy) / moments.weight
        largest = np.sqrt(spread + moments.y_mean**2).max()
        # The weighted sums in the moments must not have underflowed either.
        unit = min(1.0, np.sqrt(moments.weight))
        self._check_scale(unit * silent, unit * largest, quadratic)
        return quadratic, _target_of_moments(moments, dtype)

    def risk(self, X, y, s, groups, fit_intercept, whole):
        Y = y.reshape(len(y), -1).astype(float, copy=False)
        self.check_sizes(np.concatenate([_largest_magnitudes(X), [abs(Y).max()]]))
        risk = risk_of_data(self.loss, X, Y, s, groups.order, fit_intercept, whole)
        return risk, Target(X.dtype, y.shape[1:])

    def risk_of_moments(self, moments, dtype, groups, fit_intercept):
        if not self.takes_moments:
            raise self._needs_samples()
        risk = MomentRisk.from_moments(moments, groups.order, fit_intercept)
        return risk, _target_of_moments(moments, dtype)

    def _check_scale(self, silent, largest, quadratic):
        """Raise an error if squares of the data overflow or underflow.

        `silent` holds the largest magnitudes of features that seem constant, `largest` is that
        of Y.
        """
        d = quadratic.diagonal
        finite = np.isfinite(quadratic.yy) and np.isfinite(d).all()
        sizes = np.concatenate([silent, [largest]])
        if finite and quadratic.yy > 0:
            x, y = np.sqrt(d[d > 0]), np.sqrt(quadratic.yy)
            # The gradient is at most x·y.
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
        All class labels, if y holds class numbers and the sample weights already include the
        class weights. None if y holds labels.
    """

    class_weight: Any
    classes: np.ndarray | None = None

    def _coded(self, y, s):
        """Class labels, the class number of every row, and the weights of the rows."""
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
    """max |entry| of each of `columns`, without copying a dense X or slicing a sparse one."""
    if columns is None and not sparse.issparse(X):
        return np.maximum(X.max(axis=0), -X.min(axis=0)).astype(float)
    if columns is None:
        columns = np.arange(X.shape[1])
    if sparse.issparse(X):
        # Thousands of empty columns are common, and slicing a column reads all of a CSR matrix.
        return abs(X).max(axis=0).toarray().reshape(-1)[columns] if len(columns) else np.empty(0)
    return np.array([abs(X[:, j]).max() for j in columns], dtype=float)
