r"""Accelerated proximal gradient in plain numpy: what anyone could write in an afternoon.

FISTA (Beck, Teboulle 2009) with the restart of O'Donoghue, Candès 2015 whenever the step goes
against the momentum, on the Gram matrix where the loss is squared and n_samples > n_features.
It stops at a duality gap of `tol` times the objective of the empty model.
"""

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import expit, log_expit, logsumexp, softmax, xlogy

# Iterations from one look at the gap to the next.
_LOOK = 10
_MAX_ITER = 1_000_000


def fista_path(smooth, alphas, tol):
    """Yield a W for each alpha, warm-started."""
    W = np.zeros(smooth.shape)
    for alpha in alphas:
        W = fista(smooth, alpha, W, tol)
        yield W


def fista(smooth, alpha, W, tol):
    """argmin f(W) + α Σ_j ‖w_j‖, from W."""
    step = 1 / smooth.lipschitz
    momentum, ahead = 1.0, W
    for iteration in range(_MAX_ITER):
        if iteration % _LOOK == 0 and smooth.relative_gap(W, alpha) <= tol:
            break
        new = shrink(ahead - step * smooth.gradient(ahead), step * alpha)
        if np.vdot(ahead - new, new - W) > 0:
            momentum, ahead = 1.0, W
            new = shrink(W - step * smooth.gradient(W), step * alpha)
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / grown * (new - W)
        W, momentum = new, grown
    return W


def shrink(Z, threshold):
    norms = np.sqrt(np.einsum("ij,ij->i", Z, Z))
    return Z * np.maximum(1 - threshold / np.maximum(norms, 1e-300), 0)[:, None]


class Smooth:
    """A loss f: `gradient`, and what the duality gap needs."""

    def relative_gap(self, W, alpha):
        """Of group lasso, at the residual scaled into the dual ball."""
        value, gradient, dual = self.evaluate(W)
        norms = np.sqrt(np.einsum("ij,ij->i", gradient, gradient))
        primal = value + alpha * np.sqrt(np.einsum("ij,ij->i", W, W)).sum()
        return (primal - dual(min(1.0, alpha / norms.max()))) / self.value_at_zero

    @cached_property
    def value_at_zero(self):
        return self.evaluate(np.zeros(self.shape))[0]


class GramSquares(Smooth):
    def __init__(self, X, Y):
        self.n, self.shape = len(X), (X.shape[1], Y.shape[1])
        self.G, self.XY = X.T @ X / self.n, X.T @ Y / self.n
        self.square = np.sum(Y**2) / (2 * self.n)
        self.lipschitz = np.linalg.eigvalsh(self.G)[-1]

    def gradient(self, W):
        return self.G @ W - self.XY

    def evaluate(self, W):
        gradient = self.gradient(W)
        value = self.square + np.vdot(W, gradient - self.XY) / 2
        fitted = self.square - np.vdot(W, self.XY) / 2  # <Y, R>/(2n)
        return value, gradient, lambda s: 2 * s * fitted - s**2 * value


class Squares(Smooth):
    def __init__(self, X, Y):
        self.X, self.Y, self.shape = X, Y, (X.shape[1], Y.shape[1])
        self.lipschitz = largest_eigenvalue(X) / len(Y)

    def gradient(self, W):
        return self.X.T @ (self.X @ W - self.Y) / len(self.Y)

    def evaluate(self, W):
        R = self.Y - self.X @ W
        value, fitted = np.vdot(R, R) / (2 * len(R)), np.vdot(R, self.Y) / (2 * len(R))
        return value, -(self.X.T @ R) / len(R), lambda s: 2 * s * fitted - s**2 * value


class Multinomial(Smooth):
    def __init__(self, X, Y):
        self.X, self.Y, self.shape = X, Y, (X.shape[1], Y.shape[1])
        self.lipschitz = largest_eigenvalue(X) / (2 * len(Y))

    def gradient(self, W):
        return self.X.T @ (softmax(self.X @ W, axis=1) - self.Y) / len(self.Y)

    def evaluate(self, W):
        Z, n = self.X @ W, len(self.Y)
        R = self.Y - softmax(Z, axis=1)
        value = (logsumexp(Z, axis=1).sum() - np.vdot(Z, self.Y)) / n
        return value, -(self.X.T @ R) / n, lambda s: -_entropy_sum(self.Y - s * R) / n


class Logistic(Smooth):
    def __init__(self, X, Y):
        self.X, self.Y, self.shape = X, Y, (X.shape[1], 1)
        self.lipschitz = largest_eigenvalue(X) / (4 * len(Y))

    def gradient(self, W):
        return self.X.T @ (expit(self.X @ W) - self.Y) / len(self.Y)

    def evaluate(self, W):
        Z, n = self.X @ W, len(self.Y)
        R = self.Y - expit(Z)
        value = -(log_expit(-Z).sum() + np.vdot(Z, self.Y)) / n
        return value, -(self.X.T @ R) / n, lambda s: self._dual(self.Y - s * R) / n

    def _dual(self, V):
        return -_entropy_sum(V) - _entropy_sum(1 - V)


def _entropy_sum(V):
    """Σ v log v; rounding may leave a v just below 0."""
    V = np.maximum(V, 0)
    return xlogy(V, V).sum()


def largest_eigenvalue(X):
    """Of X'X, from the smaller of X'X and XX' if that is small, else by Lanczos."""
    if min(X.shape) <= 2000:
        smaller = X.T @ X if X.shape[0] > X.shape[1] else X @ X.T
        return np.linalg.eigvalsh(smaller.toarray() if sparse.issparse(X) else smaller)[-1]
    start = np.ones(min(X.shape))
    return sparse.linalg.svds(X, k=1, v0=start, return_singular_vectors=False)[0] ** 2


def smooth_of(X, Y, loss):
    if loss == "squared":
        gram = X.shape[0] > X.shape[1] and not sparse.issparse(X)
        return (GramSquares if gram else Squares)(X, Y)
    return (Multinomial if loss == "multinomial" else Logistic)(X, Y)
