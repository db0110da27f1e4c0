r"""The logistic losses, in exponential-family form.

With targets y (indicators of the class) and raw predictions z,

.. math:: \ell(y, z) = A(z) - \langle y, z\rangle, \quad P = \nabla A(z)

where A is convex and P are the probabilities. The gradient in z is P − y. The Hessian does not
depend on y, so the state of `Loss` is P.

Conventions: Z, Y, P (n_samples, n_targets). Two classes have one target, the
indicator of the second class; K > 2 classes have K targets.

References
----------
.. [1] Böhning (1992), Multinomial logistic regression algorithm.
"""

from abc import abstractmethod

import numpy as np
from scipy.special import log_expit, log_softmax, xlogy

from shrinklin.losses.loss import Loss

# A class without weight counts as a class with this share.
LEAST_SHARE = 1e-16


class LogisticLoss(Loss):
    """A and what follows from it. If features separate the classes, f has no minimum."""

    attained = False
    is_log_likelihood = True

    @abstractmethod
    def indicators(self, codes, n_classes):
        """Y of the class numbers `codes` (n_samples,)."""

    @abstractmethod
    def partition(self, Z):
        """A(z) of every row, (n_samples,), and P."""

    @abstractmethod
    def values(self, Y, Z, A):
        """ℓ of every row: (n_samples,)."""

    def look(self, Y, Z):
        A, P = self.partition(Z)
        return self.values(Y, Z, A), P - Y, P

    def constant(self, Y, weight):
        return self.constant_of_shares(weight @ Y)

    def constant_of_shares(self, shares):
        """The best z that is the same for every row, given the shares of the classes."""
        return self.link(np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE))

    def intercept_sizes(self, Y, weight):
        # Relative to the shares, as a class may be rare.
        shares = weight @ Y
        return np.where(shares > LEAST_SHARE, shares, 1.0)

    def target_size(self, Y, weight):
        return 0.0

    def present(self, Y, weight):
        everything = np.ones(Y.shape[1], dtype=bool)
        return weight @ Y > LEAST_SHARE if Y.shape[1] > 1 else everything

    def told_apart(self, Y, state):
        # Every sample's own class is by far its most probable one: P > ½.
        return bool(np.abs(state - Y).max() < 0.5)

    def divergence(self, Y, Z, scale):
        # The divergence of P' = scale P + (1 − scale) Y from P. scale (P − Y) is in the domain
        # of ℓ*.
        A, P = self.partition(Z)
        mixed = scale * P + (1 - scale) * Y
        return self.conjugate(mixed) + A - (mixed * Z).sum(axis=1)

    @abstractmethod
    def conjugate(self, Q):
        """A*(q) of every row: minus the entropy."""

    @abstractmethod
    def link(self, shares):
        """The z for which P equals `shares` (n_targets,), all > 0."""

    @abstractmethod
    def log_probabilities(self, Z):
        """Log-probability of every class, (..., n_classes). Accurate for tiny probabilities too."""


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
        # For y = 1, A(z) − z is computed as A(−z), so nothing cancels. (`log_expit` is slower.)
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

    def link(self, shares):
        return np.log(shares / (1 - shares))

    def log_probabilities(self, Z):
        return log_expit(np.concatenate([-Z, Z], axis=-1))


class Multinomial(LogisticLoss):
    """K classes, K raw predictions: A(z) = log Σ_k exp z_k."""

    curvature_bound = 0.5

    def n_constants(self, Y, weight):
        # Adding a number to the constants of all classes changes nothing. A class without weight
        # has none.
        return np.count_nonzero(weight @ Y) - 1

    def indicators(self, codes, n_classes):
        return (codes[:, None] == np.arange(n_classes)).astype(float)

    def partition(self, Z):
        # (`logsumexp` and `softmax` are the same, and compute the exponentials twice.)
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
        # The rows of H sum to 0. So the diagonal is computed from the other entries, as a
        # difference would cancel. H is singular along (1, …, 1), which changes no probability. So
        # a multiple of p̄p̄' is added, where p̄ is the mean of P. If r sums to 0, H s = r is still
        # solved.
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
        # The eigenvalue along (1, …, 1) is 0, so the K − 1 others share the trace.
        return (P * (1 - P)).sum(axis=1) / (P.shape[1] - 1)

    def conjugate(self, Q):
        return xlogy(Q, Q).sum(axis=1)

    def drop_common_shift(self, Z):
        return Z - Z.mean(axis=-1, keepdims=True)

    def link(self, shares):
        return self.drop_common_shift(np.log(shares))

    def log_probabilities(self, Z):
        return log_softmax(Z, axis=-1)


def logistic_loss(n_classes):
    """The logistic loss for this number of classes."""
    return Binomial() if n_classes == 2 else Multinomial()
