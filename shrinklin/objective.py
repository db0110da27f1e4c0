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
from shrinklin.smooth import Smooth


@dataclass(frozen=True)
class Objective:
    """F, for one κ."""

    smooth: Smooth
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
        return self.smooth.lipschitz(self.groups)

    @property
    def cost(self):
        """`CostMeter` of what is done with f, whatever κ is."""
        return self.smooth.cost

    @property
    def shape(self):
        return self.smooth.C.shape

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
        return float((self.groups.norms(self.smooth.C) / np.sqrt(L)).max(initial=0.0))

    @cached_property
    def holding(self):
        """Norm of ∇_g up to which a zero block stays there: shape (n_groups,)."""
        return self.penalty.holding(self.strengths, self.lipschitz)

    def penalty_sum(self, W):
        """Σ_g ω_g φ(W_g)."""
        return float(self.groups.weights @ self.penalty.values(W, self.groups))

    def evaluate(self, W):
        """f(W) and as much of its gradient as tells whether W is the minimum.

        Groups that are zero and would stay so may have another gradient of which that is
        true as well; for the duality gap it is no shorter.
        """
        return self.smooth.evaluate_within(W, self.groups, self.holding)

    def value(self, W):
        """F(W)."""
        return self.smooth.evaluate(W)[0] + self.strength * self.penalty_sum(W)

    def model(self, W):
        """The same objective with f replaced by its quadratic model at W."""
        smooth = self.smooth.model(W)
        return self if smooth is self.smooth else replace(self, smooth=smooth)

    def _free_minimised(self, W, strengths):
        """W with the groups of no strength at their best."""
        free = np.flatnonzero(strengths == 0)
        return self.smooth.minimise(W, self.groups.features(free)) if len(free) else W

    def strength_max(self):
        """Least κ for which every penalised block stays at zero in a step from it.

        Unpenalised groups are minimised out first.
        """
        weights = self.groups.weights
        start = self._free_minimised(np.zeros(self.shape), weights)
        gradient = self.smooth.evaluate(start)[1] if start.any() else -self.smooth.C
        critical = self.penalty.critical_strength(gradient, self.lipschitz, self.groups)
        penalised = weights > 0
        return float((critical[penalised] / weights[penalised]).max(initial=0.0))

    def duality_gap(self, W, evaluated=None):
        """F(W) less the dual value of a feasible point: bounds F(W) − min F.

        For the group lasso. The dual point is the residual of W, after the
        unpenalised groups are minimised out, scaled until ‖∇_g‖ ≤ κ ω_g.
        `evaluated` is f(W) and its gradient, if known.
        """
        loss, gradient = self.smooth.evaluate(W) if evaluated is None else evaluated
        primal = loss + self.strength * self.penalty_sum(W)
        strengths = self.strengths
        if (strengths == 0).any():
            W = self._free_minimised(W, strengths)
            loss, gradient = self.smooth.evaluate(W)
        norms = self.groups.norms(gradient)
        L = np.where(self.lipschitz > 0, self.lipschitz, np.inf)
        left = (norms / np.sqrt(L))[strengths == 0].max(initial=0.0)
        if left > 1e-9 * self.residual_scale:
            return primal  # no minimum, as where classes are told apart; no loss is below 0
        bound = (strengths > 0) & (norms > 0)
        feasible = (strengths[bound] / norms[bound]).min(initial=np.inf)
        return max(primal - self.smooth.dual_value(W, loss, feasible), 0.0)
