r"""The squared loss as a quadratic in W, in two representations.

.. math:: f(W) = \tfrac12 \langle W, G W\rangle - \langle C, W\rangle + \tfrac12 v

with G (p, p), C (p, q), v = Σ y² (each per unit of sample weight, about the
means when there is an intercept). `GramQuadratic` stores G: right when p is
moderate. `ColumnQuadratic` keeps the data and forms only the columns of G it is
asked for: right when p is much larger than n.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy import linalg, sparse

from shrinklin.moments import far_from_zero, variance_noise, weighted_mean


def quadratic_value(C, yy, W, gradient):
    """f(W) from its gradient GW − C; on a working set that holds the support, too."""
    return 0.5 * (yy + np.vdot(W, gradient - C))


class Quadratic(ABC):
    """f and what solvers ask of it; features are in the order of `Groups`.

    Attributes
    ----------
    C : ndarray of shape (n_features, n_targets)
        Minus the gradient at W = 0.
    yy : float
        v above: 2 f(0).
    diagonal : ndarray of shape (n_features,)
        Diagonal of G.
    order : ndarray of shape (n_features,)
        The user's column at every position.
    n_samples : int
    x_mean, y_mean : ndarray of shape (n_features,), (n_targets,)
        Means taken off, x_mean in the user's order; zeros without an intercept.
    """

    C: np.ndarray
    yy: float
    diagonal: np.ndarray
    order: np.ndarray
    n_samples: int
    x_mean: np.ndarray
    y_mean: np.ndarray

    @abstractmethod
    def gram(self, features):
        """G[:, features]."""

    @abstractmethod
    def gradient(self, W):
        """G W − C."""

    @abstractmethod
    def block(self, features):
        """G[features][:, features]."""

    @abstractmethod
    def project(self, gradient, features):
        """A step D, zero off `features`, that makes their gradient zero."""

    def value(self, W, gradient):
        """f(W), given its gradient."""
        return quadratic_value(self.C, self.yy, W, gradient)

    def intercept(self, W):
        """The intercept that goes with W, which f has minimised out."""
        return self.y_mean - self.x_mean[self.order] @ W

    def least_squares(self, features):
        """W that minimises f with no other features than these."""
        return self.project(-self.C, features)

    def lipschitz(self, groups):
        """Largest eigenvalue of G on every group: shape (n_groups,)."""
        if groups.singletons:
            return self.diagonal
        L = np.empty(len(groups))
        for g, (start, stop) in enumerate(zip(groups.ptr, groups.ptr[1:], strict=False)):
            if stop - start == 1:
                L[g] = self.diagonal[start]
            else:
                block = self.block(np.arange(start, stop))
                L[g] = max(linalg.eigvalsh(block, subset_by_index=[stop - start - 1] * 2)[0], 0)
        return L


class GramQuadratic(Quadratic):
    """f through G itself, built from `Moments` with features taken in `order`."""

    def __init__(self, moments, order, fit_intercept=True):
        self.G, self.C, yy = moments.centred() if fit_intercept else moments.raw()
        if not np.array_equal(order, np.arange(len(order))):
            self.G, self.C = self.G[np.ix_(order, order)], self.C[order]
        self.yy = float(np.trace(yy))
        self.diagonal = np.diagonal(self.G).copy()
        self.order, self.n_samples = order, moments.n_samples
        kept = 1.0 if fit_intercept else 0.0
        self.x_mean, self.y_mean = kept * moments.x_mean, kept * moments.y_mean

    def gram(self, features):
        return self.G[:, features]

    def block(self, features):
        features = np.asarray(features)
        return self.G[features[:, None], features]

    def gradient(self, W):
        alive = np.flatnonzero(W.any(axis=1))
        if len(alive) > len(W) // 2:
            return self.G @ W - self.C
        return self.G[:, alive] @ W[alive] - self.C

    def project(self, gradient, features):
        step = np.zeros_like(gradient)
        scale = _unit_scale(self.diagonal[features])
        M = scale * self.block(features) * scale.T
        step[features] = -scale * _lstsq(M, scale * gradient[features], cond=1e-14)
        return step


class ColumnQuadratic(Quadratic):
    """f through the columns of X, which is neither copied nor centred.

    Rows are scaled by √(s_i/Σs) and centred on the fly, so sparse X stays sparse.
    """

    def __init__(self, X, Y, sample_weight, order, fit_intercept=True):
        # A product of float32 with float64 would convert all of X every time.
        self.X, self.order, self.n_samples = X.astype(float, copy=False), order, X.shape[0]
        self.row_scale = np.sqrt(sample_weight / sample_weight.sum())[:, None]
        self.x_mean = weighted_mean(X, sample_weight)
        noise = variance_noise(self.x_mean)
        if not fit_intercept:
            self.x_mean = np.zeros_like(self.x_mean)
        self.y_mean = weighted_mean(Y, sample_weight)
        if not fit_intercept:
            self.y_mean = np.zeros_like(self.y_mean)
        self.residual_at_zero = self.row_scale * (Y - self.y_mean)
        variance = (self.residual_at_zero**2).sum(axis=0)
        self.residual_at_zero[:, variance <= variance_noise(self.y_mean)] = 0.0
        self.yy = float(np.vdot(self.residual_at_zero, self.residual_at_zero))
        variance = self._variances()
        self.constant = variance <= (noise if fit_intercept else 0.0)
        self.diagonal = np.where(self.constant, 0.0, variance)[order]
        self.C = self._correlate(self.residual_at_zero)

    def _variances(self):
        if not sparse.issparse(self.X):
            return self._dense_variances(np.arange(self.X.shape[1]))
        squares = self.X.multiply(self.X).T @ self.row_scale**2
        variance = np.asarray(squares).reshape(-1) - self.x_mean**2
        far = np.flatnonzero(far_from_zero(variance, self.x_mean))
        variance[far] = self._dense_variances(far)
        return variance

    def _dense_variances(self, original):
        step = max(1, 2**20 // self.X.shape[0])
        parts = [
            (self.scaled(original[start : start + step]) ** 2).sum(axis=0)
            for start in range(0, len(original), step)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def scaled(self, original):
        """Scaled, centred dense copy of the user's columns `original`."""
        columns = self.X[:, original]
        if sparse.issparse(columns):
            columns = columns.toarray()
        return self.row_scale * (columns - self.x_mean[original])

    def columns(self, features):
        """Scaled, centred copy (n_samples, len(features)) of features of X."""
        original = self.order[features]
        columns = self.scaled(original)
        columns[:, self.constant[original]] = 0.0
        return columns

    def _correlate(self, R):
        """Scaled, centred X' R for R (n_samples, any)."""
        scaled = self.row_scale * R
        product = self.X.T @ scaled - np.outer(self.x_mean, scaled.sum(axis=0))
        product[self.constant] = 0.0
        return product[self.order]

    def residual(self, W):
        """Scaled, centred Y − X W."""
        alive = np.flatnonzero(W.any(axis=1))
        return self.residual_at_zero - self.columns(alive) @ W[alive]

    def gram(self, features):
        return self._correlate(self.columns(features))

    def block(self, features):
        columns = self.columns(features)
        return columns.T @ columns

    def gradient(self, W):
        return -self._correlate(self.residual(W))

    def project(self, gradient, features):
        # The gradient on `features` is -X'r: any r with that product will do.
        scale = _unit_scale(self.diagonal[features])
        columns = self.columns(features) * scale.T
        r = _lstsq(columns.T, -scale * gradient[features], cond=1e-12)
        step = np.zeros_like(gradient)
        step[features] = scale * _lstsq(columns, r, cond=1e-12)
        return step


def _unit_scale(diagonal):
    """Column that scales features to unit length; 1 for constant ones."""
    return (1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)))[:, None]


def _lstsq(A, B, cond):
    """Least squares of least norm; directions below cond times the largest are left out."""
    if A.size == 0:
        return np.zeros((A.shape[1], B.shape[1]))
    return linalg.lstsq(A, B, cond=cond, lapack_driver="gelsy", check_finite=False)[0]
