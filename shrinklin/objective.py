r"""The objective that solvers minimise: a smooth part plus a block penalty.

.. math:: F(W) = f(W) + \kappa \sum_g \omega_g\, \varphi(W_g)

Conventions
-----------
``W`` (n_features, n_targets), ``gradient`` of the same shape: ∇f(W). Features
are in the internal order of `Groups`. ``lipschitz`` (n_groups,): largest
eigenvalue of the Hessian of f on each group. ``strength`` κ is α for the group
lasso (see `factored` for the bridge); ``strengths`` (n_groups,): κ ω_g. The
intercept is not in W: f has it minimised out, or has none.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from shrinklin.groups import Groups
from shrinklin.penalties import Penalty
from shrinklin.quadratic import Quadratic


@dataclass(frozen=True)
class Objective:
    """F, for one κ."""

    quadratic: Quadratic
    penalty: Penalty
    groups: Groups
    strength: float

    def at(self, strength):
        """The same objective with another κ."""
        other = replace(self, strength=float(strength))
        # Neither depends on κ.
        other.__dict__.update(lipschitz=self.lipschitz, residual_scale=self.residual_scale)
        return other

    @cached_property
    def lipschitz(self):
        return self.quadratic.lipschitz(self.groups)

    @property
    def shape(self):
        return self.quadratic.C.shape

    @property
    def strengths(self):
        return self.strength * self.groups.weights

    @cached_property
    def residual_scale(self):
        """max_g ‖∇_g f(0)‖/√L_g: the residual of W = 0 without penalty.

        The division makes it, and with it the whole fit, independent of the
        units of the features.
        """
        L = np.where(self.lipschitz > 0, self.lipschitz, np.inf)
        return float((self.groups.norms(self.quadratic.C) / np.sqrt(L)).max(initial=0.0))

    def penalty_sum(self, W):
        """Σ_g ω_g φ(W_g)."""
        return float(self.groups.weights @ self.penalty.values(W, self.groups))

    def value(self, W, gradient=None):
        """F(W)."""
        gradient = self.quadratic.gradient(W) if gradient is None else gradient
        return self.quadratic.value(W, gradient) + self.strength * self.penalty_sum(W)

    def strength_max(self):
        """Least κ for which every penalised block stays at zero in a step from it.

        Unpenalised groups are minimised out first.
        """
        gradient = -self.quadratic.C
        free = self.groups.weights == 0
        if free.any():
            features = self.groups.features(np.flatnonzero(free))
            gradient = self.quadratic.gradient(self.quadratic.project(gradient, features))
        critical = self.penalty.critical_strength(gradient, self.lipschitz, self.groups)
        return float((critical[~free] / self.groups.weights[~free]).max(initial=0.0))

    def duality_gap(self, W, gradient=None):
        """F(W) less the dual value of a feasible point: bounds F(W) − min F.

        For the group lasso. The dual point is the residual of W, after the
        unpenalised groups are minimised out, scaled until ‖∇_g‖ ≤ κ ω_g.
        """
        gradient = self.quadratic.gradient(W) if gradient is None else gradient
        primal = self.value(W, gradient)
        free = self.strengths == 0
        if free.any():
            features = self.groups.features(np.flatnonzero(free))
            W = W + self.quadratic.project(gradient, features)
            gradient = self.quadratic.gradient(W)
        norms = self.groups.norms(gradient)[~free]
        strengths = self.strengths[~free]
        y_r = self.quadratic.yy - np.vdot(self.quadratic.C, W)
        r_r = 2 * self.quadratic.value(W, gradient)
        best = y_r / r_r if r_r > 0 else 1.0
        feasible = (strengths[norms > 0] / norms[norms > 0]).min(initial=np.inf)
        scale = min(best, feasible)
        return max(primal - (scale * y_r - 0.5 * scale**2 * r_r), 0.0)
