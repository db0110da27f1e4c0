r"""The objective that solvers minimise: a smooth part plus a block penalty.

.. math:: F(W) = f(W) + \kappa \sum_g \omega_g\, \varphi(W_g)

A ridge penalty belongs to f (see `smooth`). It has the same value for all features of a group.

Conventions
-----------
``W`` (n_features, n_targets), ``gradient`` of the same shape: ∇f(W). Features
are in the internal order of `Groups`. ``lipschitz`` (n_groups,): largest
eigenvalue of the Hessian of f on each group. ``strength`` κ is α for the group
lasso (see `factored` for the bridge); ``strengths`` (n_groups,): κ ω_g. W does
not contain the intercept: f is already minimised over it, or has none.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from shrinklin.groups import Groups
from shrinklin.objective import certificate
from shrinklin.objective.nonnegative import nonnegative_minimum
from shrinklin.objective.smooth import Smooth
from shrinklin.penalties.penalty import Penalty

# Attributes of an objective that do not depend on κ and take time to compute.
_OF_ANY_STRENGTH = ("lipschitz", "residual_scale", "null_model")
# Relative rounding errors of strengths, norms and proxes themselves.
_ULPS = 64 * np.finfo(float).eps


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
        for name in _OF_ANY_STRENGTH:
            other.__dict__[name] = getattr(self, name)
        return other

    def with_memory(self):
        """The same objective, but a call keeps results for the next: see `Smooth.with_memory`.

        An objective that already has a memory is returned unchanged.
        """
        smooth = self.smooth.with_memory()
        if smooth is self.smooth:
            return self
        other = replace(self, smooth=smooth)
        # Computed without memory, so that their bits are always the same.
        other.__dict__.update({name: getattr(self, name) for name in _OF_ANY_STRENGTH})
        return other

    @cached_property
    def lipschitz(self):
        return self.smooth.lipschitz(self.groups)

    @property
    def cost(self):
        """`CostMeter` of all work on f, for any κ."""
        return self.smooth.cost

    @property
    def shape(self):
        return self.smooth.C.shape

    @property
    def strengths(self):
        return self.strength * self.groups.weights

    @property
    def free(self):
        """Mask of the groups that pay neither penalty nor ridge, and have no bound: (n_groups,)."""
        if self.penalty.positive:
            return np.zeros(len(self.groups), dtype=bool)
        return (self.strengths == 0) & (self.ridges == 0)

    @property
    def ridges(self):
        """The ridge of every group: (n_groups,)."""
        return self.smooth.ridges[self.groups.ptr[:-1]]

    @cached_property
    def residual_scale(self):
        """max_g ‖∇_g f(0)‖/√L_g: the residual of W = 0 without penalty.

        Dividing by √L_g makes the scale, and so the whole fit, independent of the
        units of the features.
        """
        L = np.where(self.lipschitz > 0, self.lipschitz, np.inf)
        return float((self.groups.norms(self.smooth.C) / np.sqrt(L)).max(initial=0.0))

    @cached_property
    def holding(self):
        """Norm of ∇_g up to which a zero block stays zero: shape (n_groups,)."""
        return self.penalty.holding(self.strengths, self.lipschitz, self.groups)

    def penalty_sum(self, W):
        """Σ_g ω_g φ(W_g)."""
        return float(self.penalty.total(W, self.groups, self.groups.weights))

    def evaluate(self, W):
        """f(W) and its gradient, exact where needed to decide whether W is the minimum.

        For groups that are zero and stay zero, the gradient may be replaced by another one with
        which they stay zero too. It is no shorter, so the duality gap is still a bound.
        """
        return self.smooth.evaluate_within(W, self.groups, self.holding)

    def value(self, W):
        """F(W)."""
        return self.smooth.evaluate(W)[0] + self.strength * self.penalty_sum(W)

    def value_at(self, W, intercept):
        """F(W) with the given intercept instead of the best one."""
        return self.smooth.value_at(W, intercept) + self.strength * self.penalty_sum(W)

    def model(self, W):
        """The same objective with f replaced by its quadratic model at W."""
        smooth = self.smooth.model(W)
        return self if smooth is self.smooth else replace(self, smooth=smooth)

    @cached_property
    def null_model(self):
        """W with unpenalised groups at their best and all others at zero.

        This is the solution for every κ that is large enough.
        """
        free = self.groups.features(np.flatnonzero(self.groups.weights == 0))
        zero = np.zeros(self.shape, order="F")
        if not len(free):
            return zero
        if self.penalty.positive:
            return nonnegative_minimum(self.smooth, free)
        return self.smooth.minimise(zero, free)

    def strength_max(self):
        """Smallest κ for which no penalised block leaves zero in a step from `null_model`.

        A solver may compute the gradient in another way, or after the unpenalised groups have
        moved within their rounding. So κ is raised by the rounding error that this may add to the
        gradient: about 1e-13 of it, unless the unpenalised groups are nearly collinear. No solver
        then finds a block that leaves zero.
        """
        W, weights = self.null_model, self.groups.weights
        loss, gradient = self.smooth.evaluate(W)
        slope, _ = self.smooth.rounding(W, loss)
        off, _ = certificate.infeasibility(self, W, gradient, weights == 0, slope)
        norms = self.groups.norms(gradient)
        if self.penalty.convex:
            norms = certificate.dual_norms(self, gradient)
        margins = certificate.margins(self, slope, off)
        raised = margins / np.where(norms > 0, norms, np.inf) + _ULPS
        gradient = (1 + self.groups.spread(raised))[:, None] * gradient
        critical = self.penalty.critical_strength(gradient, self.lipschitz, self.groups)
        penalised = weights > 0
        return float((critical[penalised] / weights[penalised]).max(initial=0.0))

    def duality_gap(self, W, evaluated=None, rounding=1.0):
        """F(W) minus the dual value of a feasible point: an upper bound on F(W) − min F.

        Only for a convex penalty; see `certificate`. `evaluated` is f(W) and its gradient, if
        known. The result includes `rounding` times a bound on the rounding errors, those of F(W)
        too. So 1 gives an upper bound, and -1 the smallest gap that these errors allow.
        """
        return certificate.duality_gap(self, W, evaluated, rounding)
