r"""The squared loss as a quadratic in W, in two representations.

.. math:: f(W) = \tfrac12 \langle W, G W\rangle - \langle C, W\rangle + \tfrac12 v

with G (p, p), C (p, q) and v = Σ y². Each is divided by the sum of the sample
weights, and centred if there is an intercept. `GramQuadratic` stores G, which
suits a moderate p. `ColumnQuadratic` keeps X and forms only the entries of G
that are needed, which suits a p much larger than n. `Touching` is not a loss of
the data: it has a multiple of G and is shifted to touch another function.
"""

import copy
from abc import abstractmethod

import numpy as np
from scipy import linalg

from shrinklin.data.design import Design
from shrinklin.data.gram import gram_multiply_adds, takes_gram
from shrinklin.data.moments import Moments, curvature_noise, variance_noise, weighted_mean
from shrinklin.objective.smooth import Smooth
from shrinklin.pruning.cost import CostMeter

# Number of gradients from which others are estimated. If more than this share of the features is
# needed, computing the gradient of these alone is no faster than computing all of it.
_KNOWN, _SHARE_OPEN = 3, 0.2


def quadratic_value(C, yy, W, gradient):
    """f(W) from its gradient GW − C. Also valid on a working set that contains the support."""
    return 0.5 * (yy + np.vdot(W, gradient - C))


def quadratic_of_data(X, Y, sample_weight, order, fit_intercept, gram="auto"):
    """The squared loss of (X, Y), with a Gram matrix or not. "auto" decides by the shape of X."""
    if takes_gram(*X.shape) if gram == "auto" else gram:
        quadratic = GramQuadratic(Moments.from_data(X, Y, sample_weight), order, fit_intercept)
        quadratic.cost.count_product(gram_multiply_adds(X.shape, Y.shape[1]))
        return quadratic
    return ColumnQuadratic(X, Y, sample_weight, order, fit_intercept)


class Quadratic(Smooth):
    """A quadratic f, with what solvers need beyond `Smooth`.

    Attributes
    ----------
    yy : float
        v in the formula above, equal to 2 f(0).
    diagonal : ndarray of shape (n_features,)
        Diagonal of G, to which a ridge belongs.
    x_mean, y_mean : ndarray of shape (n_features,), (n_targets,)
        Means that were subtracted; zeros without an intercept. x_mean is in the user's order.
    """

    yy: float
    x_mean: np.ndarray
    y_mean: np.ndarray
    # The diagonal of the Gram matrix of the loss, without ridge.
    _squares: np.ndarray

    @property
    def diagonal(self):
        return self._squares if self.ridge is None else self._squares + self.ridge

    @abstractmethod
    def _loss_product(self, W):
        """G W without ridge."""

    @abstractmethod
    def _loss_cross(self, left, right):
        """G[left][:, right] without ridge."""

    def product(self, W):
        """G W."""
        return self.with_ridge_slope(self._loss_product(W), W)

    def cross(self, left, right):
        """G[left][:, right] for features `left` and `right`."""
        G = self._loss_cross(left, right)
        if self.ridge is not None:
            left = np.asarray(left)
            G = G + np.where(left[:, None] == np.asarray(right), self.ridge[left][:, None], 0.0)
        return G

    def gradient(self, W):
        """G W − C."""
        return self.product(W) - self.C

    def block(self, features):
        """G[features][:, features]."""
        return self.cross(features, features)

    @abstractmethod
    def project(self, gradient, features):
        """A step D, zero outside `features`, that makes the gradient of `features` zero."""

    @property
    def value_at_zero(self):
        return 0.5 * self.yy

    def evaluate(self, W):
        gradient = self.gradient(W)
        return self.value(W, gradient), gradient

    def value(self, W, gradient):
        """f(W), given its gradient."""
        return quadratic_value(self.C, self.yy, W, gradient)

    def intercept(self, W):
        return self.y_mean - self.x_mean[self.order] @ W

    def value_at(self, W, intercept):
        off = intercept - self.intercept(W)
        return self.loss(W) + 0.5 * float(off @ off)

    def loss(self, W):
        """f(W) without its gradient."""
        return self.evaluate(W)[0]

    def minimise(self, W, features):
        return W + self.project(self.gradient(W), features)

    def lipschitz(self, groups):
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

    def model(self, W):
        return self

    def dual_scale(self, loss, product):
        # ⟨R, Y⟩ / ‖R‖², as Y = R + XW.
        return max(1 - product / (2 * loss), 0.0) if loss > 0 else 1.0

    def mixing(self, W, loss, scale):
        return (1 - scale) ** 2 * max(loss, 0.0)

    @property
    def lengths(self):
        return np.sqrt(self.diagonal)

    @property
    def sizes(self):
        return self.lengths

    def fitted_size(self, W):
        """√Σ_j ‖X_j‖²‖w_j‖²: the size of ‖XW‖ if nothing cancelled."""
        return float(np.linalg.norm(self.sizes[:, None] * W))

    def rounding(self, W, loss):
        fitted, target = self.fitted_size(W), np.sqrt(self.yy)
        size, unit = fitted + target, self.rounding_unit(W)
        # `GramQuadratic` has raised the diagonal of G.
        raised = len(W) * np.finfo(float).eps * fitted
        return unit * size + raised, unit * size**2 + 2 * raised * fitted

    def infeasibility(self, W, gradient, features, rounding):
        if not len(features):
            return 0.0, 0.0
        unit = _unit_scale(self.diagonal[features])
        left = np.linalg.norm(unit * gradient[features])
        left += rounding * np.linalg.norm(unit[:, 0] * self.sizes[features]) * np.sqrt(W.shape[1])
        off = max(left, 0.0) / self.least_singular(features)
        return off, off * np.sqrt(self.yy)

    @abstractmethod
    def least_singular(self, features):
        """Smallest singular value, above rounding, of `features` scaled to unit length."""


class GramQuadratic(Quadratic):
    """f with a stored G, built from `Moments` with features in the order `order`."""

    def __init__(self, moments, order, fit_intercept=True):
        self.G, self.C, yy = moments.centred() if fit_intercept else moments.raw()
        if not np.array_equal(order, np.arange(len(order))):
            self.G, self.C = self.G[np.ix_(order, order)], self.C[order]
        # Rounding must not leave a negative curvature, along which f would have no minimum.
        self.G.flat[:: len(order) + 1] += curvature_noise(np.diagonal(self.G))
        kept = 1.0 if fit_intercept else 0.0
        self.x_mean, self.y_mean = kept * moments.x_mean, kept * moments.y_mean
        self.yy = float(np.trace(yy))
        self._squares = np.diagonal(self.G).copy()
        self.order, self.n_samples = order, moments.n_samples
        self.cost = CostMeter()

    def _loss_cross(self, left, right):
        return self.G[np.asarray(left)[:, None], right]

    def _loss_product(self, W):
        alive = np.flatnonzero(W.any(axis=1))
        if len(alive) > len(W) // 2:
            self.cost.count_product(len(W), *W.shape)
            return (W.T @ self.G).T
        self.cost.count_product(len(W), len(alive), W.shape[1])
        # G is symmetric, and its rows are contiguous.
        return self.G[alive].T @ W[alive]

    def project(self, gradient, features):
        self.cost.count_product(len(features), len(features), len(features))
        step = np.zeros_like(gradient)
        M, scale = self._correlations(features)
        step[features] = -scale * _lstsq(M, scale * gradient[features], cond=1e-14)
        return step

    def _correlations(self, features):
        scale = _unit_scale(self.diagonal[features])
        return scale * self.block(features) * scale.T, scale

    def least_singular(self, features):
        values = linalg.eigvalsh(self._correlations(features)[0])
        least = max(1e-14, 4 * len(self.G) * np.finfo(float).eps)
        return np.sqrt(_least_kept(values, least))


class ColumnQuadratic(Quadratic):
    """f with the columns of X. X is neither copied nor centred (see `Design`)."""

    def __init__(self, X, Y, sample_weight, order, fit_intercept=True):
        self.design = Design(X, sample_weight, order, fit_intercept)
        self.order, self.n_samples = order, self.design.n_samples
        self.cost = self.design.cost
        self.x_mean, self._squares = self.design.x_mean, self.design.diagonal
        self.y_mean = weighted_mean(Y, sample_weight)
        if not fit_intercept:
            self.y_mean = np.zeros_like(self.y_mean)
        self.residual_at_zero = self.design.row_scale * (Y[self.design.used] - self.y_mean)
        variance = (self.residual_at_zero**2).sum(axis=0)
        self.residual_at_zero[:, variance <= variance_noise(self.y_mean)] = 0.0
        self.yy = float(np.vdot(self.residual_at_zero, self.residual_at_zero))
        self.C = np.asfortranarray(self.design.correlate(self.residual_at_zero))
        self._known: _Combinations | None = None

    def with_memory(self):
        if self._known is not None:
            return self
        remembering = copy.copy(self)
        remembering.design = self.design.with_memory()
        remembering._known = _Combinations(self.residual_at_zero, -self.C)
        return remembering

    def _loss_product(self, W):
        return self.design.correlate(self.design.product(W))

    def _loss_cross(self, left, right):
        return self.design.cross(left, right)

    def gradient(self, W):
        return self.with_ridge_slope(self._gradient_of(self._residual(W)), W)

    def _gradient_of(self, residual):
        gradient = -self.design.correlate(residual)
        self._remember(residual, gradient, 0.0)
        return gradient

    def _remember(self, residual, gradient, error):
        if self._known is not None:
            self._known.add(residual, gradient, error)

    def loss(self, W):
        return self._value_of(self._residual(W), W)

    def _value_of(self, residual, W):
        return 0.5 * float(np.vdot(residual, residual)) + self.ridge_of(W)

    def _residual(self, W):
        return self.residual_at_zero - self.design.product(W)

    def evaluate(self, W):
        residual = self._residual(W)
        gradient = self.with_ridge_slope(self._gradient_of(residual), W)
        return self._value_of(residual, W), gradient

    def evaluate_within(self, W, groups, strengths):
        residual = self._residual(W)
        # A ridge does not change the gradient where W is 0.
        gradient = self.with_ridge_slope(self._gradient_within(residual, W, groups, strengths), W)
        return self._value_of(residual, W), gradient

    def _gradient_within(self, residual, W, groups, strengths):
        """The gradient of the loss, for `evaluate_within`."""
        gradient = None
        if self._known is not None:
            gradient = self._within(self._known.estimate(residual), residual, W, groups, strengths)
        if gradient is None:
            product, error = self.design.correlate_roughly(residual)
            self._remember(residual, -product, error)
            if error == 0:
                return -product
            gradient = self._within((-product, error), residual, W, groups, strengths)
        return self._gradient_of(residual) if gradient is None else gradient

    def _within(self, estimate, residual, W, groups, strengths):
        """The gradient of the loss, or None if all of it can be computed as fast.

        `estimate` is (approximate gradient, error). In group g, the norm of the difference from
        the gradient is at most error · ‖X_g‖.
        """
        gradient, error = estimate
        norms = groups.norms(gradient)
        bounds = norms + error * np.sqrt(groups.sum(self._squares))
        open_groups = (bounds > strengths) | (groups.norms(W) > 0) | (norms == 0)
        features = groups.features(np.flatnonzero(open_groups))
        if len(features) > _SHARE_OPEN * len(W):
            return None
        gradient = gradient * groups.spread(bounds / np.where(norms > 0, norms, 1.0))[:, None]
        gradient[features] = -self.design.correlate_some(features, residual)
        return gradient

    @property
    def sizes(self):
        # Means are subtracted from products, not from X.
        return np.sqrt(self.diagonal + (self._squares > 0) * self.x_mean[self.order] ** 2)

    def rounding(self, W, loss):
        # Any residual gives a dual point, so the rounding errors of its own do not matter.
        residual, unit = np.sqrt(2 * loss), self.rounding_unit(W)
        size = residual + self.fitted_size(W) + np.sqrt(self.yy)
        return unit * residual, unit * residual * size

    def least_singular(self, features):
        columns, _ = self._unit_columns(features)
        return _least_kept(linalg.svdvals(columns), self._noise(features))

    def _unit_columns(self, features):
        """Columns scaled to unit length, and their scale. A ridge is one more row for each."""
        scale = _unit_scale(self.diagonal[features])
        columns = self.design.columns(features)
        if self.ridge is not None:
            columns = np.vstack([columns, np.diag(np.sqrt(self.ridge[features]))])
        return columns * scale.T, scale

    def _noise(self, features):
        """Up to this share of the largest, singular values of unit-length features are rounding.

        A feature with a large mean has, after centring, the rounding errors of the mean.
        """
        left = self._squares[features] > 0
        noise = self.design.noise[self.order[features]] * _unit_scale(self.diagonal[features])[:, 0]
        return max(1e-12, noise[left].max(initial=0.0))

    def project(self, gradient, features):
        self.cost.count_product(self.n_samples, len(features), len(features))
        # The gradient on `features` is -X'r. Any r with this product gives the step.
        columns, scale = self._unit_columns(features)
        noise = self._noise(features)
        r = _lstsq(columns.T, -scale * gradient[features], cond=noise)
        step = np.zeros_like(gradient)
        step[features] = scale * _lstsq(columns, r, cond=noise)
        return step


class _Combinations:
    """The last residuals and their gradients, to estimate the gradient of another residual.

    Along a path, a residual is nearly in the span of the last few. The part E outside the span
    bounds the error of the estimate: ‖X_g' E‖ ≤ ‖X_g‖ ‖E‖₂.
    """

    def __init__(self, residual, gradient):
        self.residuals, self.gradients = residual.ravel()[None], gradient.T.ravel()[None]
        self.errors = np.zeros(1)

    def add(self, residual, gradient, error):
        """Add these, and keep only the most recent of the others."""
        self.errors = np.append(self.errors[1 - _KNOWN :], error)
        self.residuals = np.vstack([self.residuals[1 - _KNOWN :], residual.ravel()])
        self.gradients = np.vstack([self.gradients[1 - _KNOWN :], gradient.T.ravel()])

    def estimate(self, residual):
        """The gradient of the nearest combination, and ‖E‖₂ plus the errors of its gradients."""
        weights = _lstsq(self.residuals.T, residual.reshape(-1, 1), cond=None)[:, 0]
        left = residual - (weights @ self.residuals).reshape(residual.shape)
        gradient = (weights @ self.gradients).reshape(residual.shape[1], -1).T
        # Every product also has a rounding error.
        rounding = np.abs(weights) @ self.errors + 1e-13 * np.linalg.norm(residual)
        return gradient, np.linalg.norm(left, 2) + rounding


class Touching(Quadratic):
    """A quadratic with Gram matrix c·G, and a given value and gradient at a given W.

    It includes the ridge of `base`, c times as large.
    """

    def __init__(self, base, factor, W, value, gradient):
        self.base, self.factor = base, factor
        self.order, self.n_samples, self.cost = base.order, base.n_samples, base.cost
        self._squares = factor * base.diagonal
        self.C = factor * base.product(W) - gradient
        self.yy = 2 * value - float(np.vdot(W, gradient - self.C))
        # The intercept of the other function is not known here.
        self.x_mean, self.y_mean = np.zeros(len(W)), np.zeros(W.shape[1])

    def _loss_product(self, W):
        return self.factor * self.base.product(W)

    def _loss_cross(self, left, right):
        return self.factor * self.base.cross(left, right)

    def project(self, gradient, features):
        return self.base.project(gradient / self.factor, features)

    def least_singular(self, features):
        return np.sqrt(self.factor) * self.base.least_singular(features)


def _unit_scale(diagonal):
    """Factors, as a column, that scale features to unit length; 1 for constant features."""
    return (1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)))[:, None]


def _least_kept(values, least):
    """The smallest value above `least` times the largest; 1 if there is none."""
    kept = values[values > least * values.max(initial=0.0)]
    return kept.min() if len(kept) else 1.0


def _lstsq(A, B, cond):
    """Least-squares solution of least norm, without directions below cond times the largest."""
    if A.size == 0:
        return np.zeros((A.shape[1], B.shape[1]))
    return linalg.lstsq(A, B, cond=cond, lapack_driver="gelsy", check_finite=False)[0]
