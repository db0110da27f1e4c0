r"""Losses of raw predictions: the squared one, and logistic ones in exponential-family form.

With targets y (indicators of the class) and raw predictions z, a loss is

.. math:: \ell(y, z) = A(z) - \langle y, z\rangle, \quad P = \nabla A(z)

with A convex. For A = ‖z‖²/2 that is the squared loss but for ‖y‖²/2; for the logistic
ones P are probabilities, P − y the gradient in z, and the Hessian of A
does not depend on y. A loss sees (y, z) alone; X and W live one layer up.

Conventions: Z, Y, P (n_samples, n_targets). Two classes have one target, the
indicator of the second class; K > 2 classes have K targets.

References
----------
.. [1] Böhning (1992), Multinomial logistic regression algorithm.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import log_expit, log_softmax, xlogy

# A class that has no weight counts as one of this share.
LEAST_SHARE = 1e-16


class Loss(ABC):
    """ℓ, as gradient training sees it."""

    @abstractmethod
    def evaluate(self, Y, Z):
        """ℓ of every row, (n_samples,), and its gradient in Z."""

    @abstractmethod
    def constant(self, mean):
        """The best z that is the same on every row, given the mean of y."""


class SquaredLoss(Loss):
    """Half the squared error, summed over targets."""

    def evaluate(self, Y, Z):
        residual = Z - Y
        return 0.5 * np.einsum("it,it->i", residual, residual), residual

    def constant(self, mean):
        return mean


class LogisticLoss(Loss):
    """A and what follows from it.

    Attributes
    ----------
    curvature_bound : float
        No eigenvalue of the Hessian of A exceeds it.
    """

    curvature_bound: float

    @abstractmethod
    def indicators(self, codes, n_classes):
        """Y of the class numbers `codes` (n_samples,)."""

    @abstractmethod
    def partition(self, Z):
        """A(z) of every row, (n_samples,), and P."""

    @abstractmethod
    def values(self, Y, Z, A):
        """ℓ of every row: (n_samples,)."""

    def evaluate(self, Y, Z):
        A, P = self.partition(Z)
        return self.values(Y, Z, A), P - Y

    def constant(self, mean):
        return self.link(np.clip(mean, LEAST_SHARE, 1 - LEAST_SHARE))

    @abstractmethod
    def hessian_product(self, P, V):
        """The Hessian of A at P times V, row by row."""

    @abstractmethod
    def mean_hessian(self, P, weight):
        """H = Σ_i weight_i Hessian_i, (n_targets, n_targets), made definite.

        Along (1, …, 1), which changes no probability, K > 2 classes have no curvature: there a
        multiple of p̄p̄' is added, p̄ the mean of P. Where r sums to 0, H s = r is still solved.
        """

    @abstractmethod
    def mean_hessian_product(self, P, weight):
        """The diagonal of H, and what multiplies a vector by it: n·K each, not n·K²."""

    @abstractmethod
    def curvatures(self, P):
        """Mean eigenvalue of every row's Hessian where it is not 0 by definition."""

    @abstractmethod
    def conjugate(self, Q):
        """A*(q) of every row: minus the entropy."""

    @abstractmethod
    def centred(self, Z):
        """Raw predictions (..., n_targets) of least size that give the same probabilities."""

    @abstractmethod
    def link(self, shares):
        """z with P = shares (n_targets,) > 0."""

    @abstractmethod
    def log_probabilities(self, Z):
        """Logarithm of the probability of every class, (..., n_classes), however small."""


class Binomial(LogisticLoss):
    """Two classes, one raw prediction: A(z) = log(1 + eᶻ)."""

    curvature_bound = 0.25

    def indicators(self, codes, n_classes):
        return (codes == 1).astype(float)[:, None]

    def partition(self, Z):
        small = np.exp(-np.abs(Z))
        A = np.maximum(Z, 0) + np.log1p(small)
        return A[:, 0], np.where(Z >= 0, 1.0, small) / (1 + small)

    def values(self, Y, Z, A):
        # A(z) − z for y = 1 as A(−z): nothing cancels. (`log_expit` is the same, and slower.)
        return np.logaddexp(0, np.where(Y > 0, -Z, Z))[:, 0]

    def hessian_product(self, P, V):
        return P * (1 - P) * V

    def mean_hessian(self, P, weight):
        return np.reshape(weight @ (P * (1 - P)), (1, 1))

    def mean_hessian_product(self, P, weight):
        H = self.mean_hessian(P, weight)
        return H[0], lambda v: H @ v

    def curvatures(self, P):
        return P[:, 0] * (1 - P[:, 0])

    def conjugate(self, Q):
        return (xlogy(Q, Q) + xlogy(1 - Q, 1 - Q))[:, 0]

    def centred(self, Z):
        return Z

    def link(self, shares):
        return np.log(shares / (1 - shares))

    def log_probabilities(self, Z):
        return log_expit(np.concatenate([-Z, Z], axis=-1))


class Multinomial(LogisticLoss):
    """K classes, K raw predictions: A(z) = log Σ_k exp z_k."""

    curvature_bound = 0.5

    def indicators(self, codes, n_classes):
        return (codes[:, None] == np.arange(n_classes)).astype(float)

    def partition(self, Z):
        top = Z.max(axis=1, keepdims=True)
        E = np.exp(Z - top)
        total = E.sum(axis=1, keepdims=True)
        return (top + np.log(total))[:, 0], E / total

    def values(self, Y, Z, A):
        return A - (Y * Z).sum(axis=1)

    def hessian_product(self, P, V):
        PV = P * V
        return PV - P * PV.sum(axis=1, keepdims=True)

    def mean_hessian(self, P, weight):
        # The rows of H sum to 0: a diagonal from the others, as a difference would cancel.
        pairs = P.T @ (weight[:, None] * P)
        np.fill_diagonal(pairs, 0.0)
        diagonal, shares = pairs.sum(axis=0), weight @ P
        H = diagonal.sum() * np.outer(shares, shares) - pairs
        H.flat[:: len(H) + 1] += diagonal
        return H

    def mean_hessian_product(self, P, weight):
        shares, diagonal = weight @ P, weight @ (P * (1 - P))
        return diagonal, lambda v: shares * v - (weight * (P @ v)) @ P

    def curvatures(self, P):
        # Zero along (1, …, 1): K − 1 others share the trace.
        return (P * (1 - P)).sum(axis=1) / (P.shape[1] - 1)

    def conjugate(self, Q):
        return xlogy(Q, Q).sum(axis=1)

    def centred(self, Z):
        return Z - Z.mean(axis=-1, keepdims=True)

    def link(self, shares):
        return self.centred(np.log(shares))

    def log_probabilities(self, Z):
        return log_softmax(Z, axis=-1)


def logistic_loss(n_classes):
    """The loss for so many classes."""
    return Binomial() if n_classes == 2 else Multinomial()
