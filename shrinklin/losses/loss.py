r"""What a loss tells: its value, its slope and how it bends.

A loss :math:`\ell(y, z)` of targets y and raw predictions z is convex and smooth in z. It sees
(y, z) alone; X and W live one layer up.

Conventions: Y, Z (n_samples, n_targets), weight (n_samples,) with sum 1.
"""

from abc import ABC, abstractmethod

import numpy as np


class Loss(ABC):
    """ℓ.

    Gradient training asks for `evaluate` and `constant`, exact solvers (`objective.likelihood`)
    for the rest too.

    Attributes
    ----------
    curvature_bound : float
        No eigenvalue of the Hessian in z exceeds it.
    unit : float
        Size of a change of z that matters: solvers begin with steps of a few units. Of a loss
        whose slopes are bounded, that bound.
    attained : bool
        Whether the loss of any data has a minimum.
    """

    curvature_bound: float
    unit = 1.0
    attained = True

    @abstractmethod
    def look(self, Y, Z):
        """ℓ of every row, (n_samples,); its gradient in Z; and a `state`.

        Methods below take the state, an array like Z, to tell how the loss bends there.
        """

    def evaluate(self, Y, Z):
        """ℓ of every row, (n_samples,), and its gradient in Z."""
        values, slopes, _ = self.look(Y, Z)
        return values, slopes

    @abstractmethod
    def constant(self, Y, weight):
        """The best z that is the same on every row."""

    @abstractmethod
    def hessian_product(self, state, V):
        """The Hessian in z times V, row by row."""

    @abstractmethod
    def mean_hessian(self, state, weight):
        """H = Σ_i weight_i Hessian_i, (n_targets, n_targets).

        Along directions in which no loss ever bends something is added, so that H is definite.
        """

    @abstractmethod
    def mean_hessian_product(self, state, weight):
        """The diagonal of H, and what multiplies a vector by it, without forming H."""

    @abstractmethod
    def curvatures(self, state):
        """Mean eigenvalue of every row's Hessian, of those that are not 0 by definition."""

    @abstractmethod
    def divergence(self, Y, Z, scale):
        """ℓ*(u) + ℓ(z) − ⟨u, z⟩ of every row, for u the gradient in z times `scale` in [0, 1].

        ℓ* is the conjugate of ℓ in z. Never negative; the duality gap is made of it.
        """

    def intercept_sizes(self, Y, weight):
        """What the gradient of an intercept is small against: (n_targets,)."""
        return np.full(Y.shape[1], self.unit)

    def target_size(self, Y, weight):
        """Mean size of Y, where it is in the units of Z: it counts for rounding."""
        return float(weight @ np.abs(Y).max(axis=1))

    def present(self, Y, weight):
        """Targets whose intercept is finite at its best: a mask (n_targets,)."""
        return np.ones(Y.shape[1], dtype=bool)

    def drop_common_shift(self, Z):
        """Raw predictions (..., n_targets) of least size that mean the same."""
        return Z

    def told_apart(self, Y, state):
        """Whether ℓ falls towards 0 as Z grows."""
        return False


class SeparableLoss(Loss):
    """A sum over targets of a function of each: the state is its second derivative."""

    def hessian_product(self, state, V):
        return state * V

    def mean_hessian(self, state, weight):
        return np.diag(weight @ state)

    def mean_hessian_product(self, state, weight):
        diagonal = weight @ state
        return diagonal, lambda v: diagonal * v

    def curvatures(self, state):
        return state.mean(axis=1)
