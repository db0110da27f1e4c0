r"""The mean loss of a linear model as a function of coefficients and intercept together.

.. math:: R(W, b) = \sum_i \frac{s_i}{\sum s}\, \ell(y_i, W'x_i + b)

Gradient training minimises it, plus a penalty. Exact solvers use `Smooth` instead, where the
intercept is already minimised out. W is (n_features, n_targets), b (n_targets,); features are in
the order of `Groups`. `MomentRisk` needs only `Moments` (squared loss, all samples at once);
`SampleRisk` holds the samples.
"""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from scipy import sparse

from shrinklin.data.gram import gram_multiply_adds, takes_gram_to_train
from shrinklin.data.moments import Moments
from shrinklin.losses.squared import SquaredLoss
from shrinklin.objective.quadratic import GramQuadratic

# Removed columns stay in memory, and in products, until at most this share is left.
_COPIED = 0.8


class Risk(ABC):
    """R.

    Attributes
    ----------
    shape : tuple
        (n_features, n_targets).
    n_samples : int
    fit_intercept : bool
        Whether b may move.
    setup_multiply_adds : int
        Multiply-adds of the matrix products before the first evaluation.
    """

    shape: tuple
    n_samples: int
    fit_intercept: bool
    setup_multiply_adds = 0

    @abstractmethod
    def evaluate(self, W, b, rows=None):
        """R and its gradients in W and in b; an unbiased estimate from some rows."""

    @abstractmethod
    def value(self, W, b):
        """R."""

    @abstractmethod
    def constant(self):
        """The best b for W = 0, and R there."""

    @abstractmethod
    def keep(self, features):
        """R of models with only these features."""

    @abstractmethod
    def value_multiply_adds(self):
        """Multiply-adds of the matrix products in `value`."""

    @abstractmethod
    def gradient_multiply_adds(self, rows=None):
        """Multiply-adds of the matrix products in `evaluate`."""


class MomentRisk(Risk):
    """R of the squared loss from G, C and v about the means, without data.

    With δ = b − (y_mean − W'x_mean), the distance of b from its optimum,
    R = ½⟨W, GW⟩ − ⟨C, W⟩ + ½v + ½‖δ‖². Without an intercept this is true only for b = 0, where
    training leaves it.
    """

    def __init__(self, G, C, yy, x_mean, y_mean, n_samples, fit_intercept, kept=None):
        self.G, self.C, self.yy = RemainingColumns(G, kept), C, yy
        self.x_mean, self.y_mean = x_mean, y_mean
        self.shape, self.n_samples, self.fit_intercept = C.shape, n_samples, fit_intercept

    @classmethod
    def from_moments(cls, moments, order, fit_intercept):
        """From `Moments`, with their features in `order`."""
        f = GramQuadratic(moments, order, fit_intercept)
        x_mean = f.x_mean[order]
        return cls(f.G, f.C, f.yy, x_mean, f.y_mean, f.n_samples, fit_intercept)

    def evaluate(self, W, b, rows=None):
        if rows is not None:
            raise ValueError("moments do not contain single rows: evaluate all rows.")
        GW, off = self._product(W), self._off(W, b)
        gradient = GW - self.C + np.outer(self.x_mean, off)
        return self._value(W, GW, off), gradient, off

    def value(self, W, b):
        return self._value(W, self._product(W), self._off(W, b))

    def constant(self):
        # Without an intercept y_mean is 0.
        return self.y_mean, 0.5 * self.yy

    def _product(self, W):
        product = self.G.product(W)
        return product if self.G.kept is None else product[self.G.kept]

    def _off(self, W, b):
        return b + self.x_mean @ W - self.y_mean

    def _value(self, W, GW, off):
        return 0.5 * (self.yy + np.vdot(W, GW - 2 * self.C) + off @ off)

    def keep(self, features):
        columns = self.G.keep(features)
        # Rows are copied when columns are.
        G = columns.X if columns.kept is not None else columns.X[self.G.chosen(features)]
        return MomentRisk(
            G,
            self.C[features],
            self.yy,
            self.x_mean[features],
            self.y_mean,
            self.n_samples,
            self.fit_intercept,
            columns.kept,
        )

    def value_multiply_adds(self):
        return self.shape[0] ** 2 * self.shape[1]

    def gradient_multiply_adds(self, rows=None):
        return self.value_multiply_adds()


class RemainingColumns:
    """The columns of X that removal has left, in any order, with means and weights as they are.

    `Design` is not used, because training takes batches of rows, and because nothing is centred:
    the intercept moves with the weights.

    X belongs to the user at first. It is copied when at most `_COPIED` of its columns are left,
    not earlier: a copy may cost as much as many epochs.

    Attributes
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_stored)
    kept : ndarray of shape (n_features,), or None
        Columns of X; None for all.
    """

    def __init__(self, X, kept=None):
        self.X, self.kept = X, kept

    @property
    def n_features(self):
        return self.X.shape[1] if self.kept is None else len(self.kept)

    def rows(self, rows):
        """The same columns, of some rows."""
        return RemainingColumns(self.X[rows], self.kept)

    def keep(self, features):
        """Some of the columns."""
        kept = self.chosen(features)
        if len(kept) > _COPIED * self.X.shape[1]:
            return RemainingColumns(self.X, kept)
        # Twice as fast as slicing a dense X.
        is_sparse = sparse.issparse(self.X)
        return RemainingColumns(self.X[:, kept] if is_sparse else np.take(self.X, kept, axis=1))

    def chosen(self, features):
        """Positions of these features in X."""
        return features if self.kept is None else self.kept[features]

    def product(self, W):
        """The columns times W."""
        if self.kept is None:
            return self.X @ W
        spread = np.zeros((self.X.shape[1], W.shape[1]))
        spread[self.kept] = W
        return self.X @ spread

    def correlate(self, R):
        """The transposed columns times R."""
        product = self.X.T @ R
        return product if self.kept is None else product[self.kept]

    def n_entries(self):
        """Number of entries, without the zeros of a sparse X."""
        if not sparse.issparse(self.X):
            return self.X.shape[0] * self.n_features
        per_column = np.asarray((self.X != 0).sum(axis=0)).reshape(-1)
        return int(per_column.sum() if self.kept is None else per_column[self.kept].sum())


class SampleRisk(Risk):
    """R of any loss, from the columns of X that remain and from Y."""

    def __init__(self, loss, X, Y, weight, fit_intercept, kept=None):
        self.loss, self.columns, self.Y, self.weight = loss, RemainingColumns(X, kept), Y, weight
        self.shape = self.columns.n_features, Y.shape[1]
        self.n_samples, self.fit_intercept = len(Y), fit_intercept

    def evaluate(self, W, b, rows=None):
        columns, Y, weight = self.columns, self.Y, self.weight
        if rows is not None:
            columns, Y = columns.rows(rows), Y[rows]
            weight = weight[rows] * (len(weight) / len(rows))
        values, residual = self.loss.evaluate(Y, columns.product(W) + b)
        residual *= weight[:, None]
        offset = residual.sum(axis=0) if self.fit_intercept else np.zeros_like(b)
        return float(weight @ values), columns.correlate(residual), offset

    def value(self, W, b):
        values, _ = self.loss.evaluate(self.Y, self.columns.product(W) + b)
        return float(self.weight @ values)

    def constant(self):
        n_targets = self.Y.shape[1]
        b = self.loss.constant(self.Y, self.weight) if self.fit_intercept else np.zeros(n_targets)
        values, _ = self.loss.evaluate(self.Y, np.tile(b, (self.n_samples, 1)))
        return b, float(self.weight @ values)

    def keep(self, features):
        columns = self.columns.keep(features)
        return SampleRisk(
            self.loss, columns.X, self.Y, self.weight, self.fit_intercept, columns.kept
        )

    @cached_property
    def _n_entries(self):
        return self.columns.n_entries()

    def value_multiply_adds(self):
        return self._n_entries * self.shape[1]

    def gradient_multiply_adds(self, rows=None):
        share = 1 if rows is None else len(rows) / self.n_samples
        return round(2 * share * self.value_multiply_adds())


def risk_of_data(loss, X, Y, sample_weight, order, fit_intercept, whole):
    """The `Risk` of the rows with positive weight; `whole` if every step takes all of them."""
    used = sample_weight > 0
    if not used.all():
        X, Y, sample_weight = X[used], Y[used], sample_weight[used]
    n_samples, n_features = X.shape
    if whole and isinstance(loss, SquaredLoss) and takes_gram_to_train(n_samples, n_features):
        moments = Moments.from_data(X, Y, sample_weight)
        risk = MomentRisk.from_moments(moments, order, fit_intercept)
        risk.setup_multiply_adds = gram_multiply_adds(X.shape, Y.shape[1])
        return risk
    # Otherwise every product of float32 with float64 would convert all of X.
    X = X.astype(float, copy=False)
    if sparse.issparse(X) and not whole:
        X = X.tocsr()
    # So that the sum cannot overflow. Division by a power of two is exact.
    weight = np.ldexp(sample_weight, -np.frexp(sample_weight.max())[1])
    weight /= weight.sum()
    kept = None if np.array_equal(order, np.arange(n_features)) else order
    return SampleRisk(loss, X, Y, weight, fit_intercept, kept)
