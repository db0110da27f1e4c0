r"""The interface of losses: value, gradient and Hessian.

A loss :math:`\ell(y, z)` of targets y and raw predictions z is convex and smooth in z. It depends
only on (y, z); X and W belong to the layer above.

Conventions: Y, Z (n_samples, n_targets), weight (n_samples,) with sum 1.
"""

from abc import ABC, abstractmethod

import numpy as np


class Loss(ABC):
    """A loss ℓ.

    Gradient training needs `evaluate` and `constant`. Exact solvers (`objective.likelihood`)
    need the other methods too.

    Attributes
    ----------
    curvature_bound : float
        Upper bound on the eigenvalues of the Hessian in z.
    unit : float
        Size of a change of z that matters: solvers start with steps of a few units. If the
        slopes of the loss are bounded, `unit` is the bound.
    is_log_likelihood : bool
        Whether −ℓ is the logarithm of a probability, as information criteria need it.
    attained : bool
        Whether the loss has a minimum for any data.
    """

    curvature_bound: float
    unit = 1.0
    attained = True
    is_log_likelihood = False

    @abstractmethod
    def look(self, Y, Z):
        """ℓ of every row, (n_samples,); its gradient in Z; and a `state`.

        The state is an array like Z. The methods below compute the Hessian at Z from it.
        """

    def evaluate(self, Y, Z):
        """ℓ of every row, (n_samples,), and its gradient in Z."""
        values, slopes, _ = self.look(Y, Z)
        return values, slopes

    @abstractmethod
    def constant(self, Y, weight):
        """The best z that is the same for every row."""

    @abstractmethod
    def hessian_product(self, state, V):
        """The Hessian in z times V, row by row."""

    @abstractmethod
    def mean_hessian(self, state, weight):
        """H = Σ_i weight_i Hessian_i, (n_targets, n_targets).

        Something is added along directions in which the loss never has curvature, so that H is
        definite.
        """

    @abstractmethod
    def mean_hessian_product(self, state, weight):
        """The diagonal of H, and a function that multiplies H by a vector without forming H."""

    @abstractmethod
    def curvatures(self, state):
        """Mean eigenvalue of every row's Hessian, without eigenvalues that are always 0."""

    @abstractmethod
    def divergence(self, Y, Z, scale):
        """ℓ*(u) + ℓ(z) − ⟨u, z⟩ of every row, where u is `scale` times the gradient in z.

        `scale` is in [0, 1], and ℓ* is the conjugate of ℓ in z. Never negative. The duality gap
        is computed from it.
        """

    def intercept_sizes(self, Y, weight):
        """Sizes with which the gradient of an intercept is compared: (n_targets,)."""
        return np.full(Y.shape[1], self.unit)

    def n_constants(self, Y, weight):
        """How many numbers of the best constant the data determine."""
        return Y.shape[1]

    def target_size(self, Y, weight):
        """Mean size of Y if Y has the units of Z, else 0. Used in bounds on rounding errors."""
        return float(weight @ np.abs(Y).max(axis=1))

    def present(self, Y, weight):
        """Mask (n_targets,) of the targets whose best intercept is finite."""
        return np.ones(Y.shape[1], dtype=bool)

    def drop_common_shift(self, Z):
        """The smallest raw predictions (..., n_targets) with the same meaning as Z."""
        return Z

    def told_apart(self, Y, state):
        """Whether ℓ tends to 0 as Z is scaled up."""
        return False


class SeparableLoss(Loss):
    """A sum of one function per target. The state is the second derivative of each."""

    def hessian_product(self, state, V):
        return state * V

    def mean_hessian(self, state, weight):
        return np.diag(weight @ state)

    def mean_hessian_product(self, state, weight):
        diagonal = weight @ state
        return diagonal, lambda v: diagonal * v

    def curvatures(self, state):
        return state.mean(axis=1)
