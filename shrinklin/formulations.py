"""The two formulations, each for regression and classification alike.

A formulation says what is penalised: its `Penalty`, how `alpha` becomes the
strength of it, and the attributes that belong to it.
"""

from numbers import Real

import numpy as np

from shrinklin.base import SparseLinearModel, as_coef
from shrinklin.factored import balanced_weight_decay, bridge_strength, split
from shrinklin.messages import warn
from shrinklin.penalties import Bridge1, Bridge2, GroupLasso
from shrinklin.solvers.gradient_descent import GradientDescent
from shrinklin.solvers.parametrizations import GATES, GatedWeights, PlainWeights
from shrinklin.validation import check_real, narrowest


class GroupLassoModel(SparseLinearModel):
    """Σ_g ω_g ‖W_g‖, times alpha."""

    _has_switches = False

    def _penalty(self):
        return GroupLasso()

    def _strength(self, alpha):
        return float(alpha)

    def _alpha_at(self, strength):
        return strength

    def _parametrization(self, groups, n_targets, gate):
        return PlainWeights(groups, n_targets, float(self.alpha))

    def _factors(self, groups, W):
        return np.ones(len(groups)), W

    def _stored_factors(self, groups):
        W = np.atleast_2d(self.coef_).T[groups.order].astype(float)
        return np.ones(len(W)), W

    def _store_solution(self, objective, solution, target):
        super()._store_solution(objective, solution, target)
        self.dual_gap_ = objective.duality_gap(solution.W, solution.evaluated(objective))


class ShrinkNetModel(SparseLinearModel):
    """A switch before every group: the group bridge penalty."""

    _has_switches = True

    def _check_parameters(self, solver=None):
        super()._check_parameters(solver)
        if self.weight_decay is not None:
            check_real("weight_decay", self.weight_decay, 0)
        if isinstance(self._solver() if solver is None else solver, GradientDescent):
            check_real("p", self.p, 0, open_end=True)
        else:
            self._check_exact()

    def _check_exact(self):
        """Raise where there is no exact solution: gradient training takes what is left."""
        number = isinstance(self.p, Real) and not isinstance(self.p, bool)
        if not number or self.p not in (1, 2):
            raise ValueError(
                f'p={self.p!r} has no closed-form prox: solver="auto" accepts p=1 or p=2. Use '
                "solver=GradientDescent()."
            )
        without = self._without_minimiser()
        if without is not None:
            raise ValueError(without)

    def _without_minimiser(self):
        """Why the objective has no minimiser, and what to do; None if it may have one."""
        if self.weight_decay is None:
            return None
        if self.weight_decay == 0 and self.alpha > 0:
            return (
                "weight_decay=0 leaves the objective without a minimiser (statement A.3: the "
                "switch can shrink for ever while the weight grows). Give weight_decay > 0, or "
                "None for the one that makes the bridge strength equal alpha."
            )
        if self.weight_decay > 0 and self.alpha == 0:
            return (
                f"alpha=0 with weight_decay={self.weight_decay!r} leaves the objective without a "
                "minimiser: the weight can shrink for ever while the switch grows. Give "
                "alpha > 0, or weight_decay=None for no penalty at all."
            )
        return None

    def _penalty(self):
        return Bridge2() if self.p == 2 else Bridge1()

    def _strength(self, alpha):
        if self.weight_decay is None:
            return float(alpha)
        return bridge_strength(alpha, self.weight_decay, self.p)

    def _alpha_at(self, strength):
        if self.weight_decay is None:
            return strength
        # κ grows as λ^{p/(p+1)} at a fixed λ₂.
        return (strength / self._strength(1.0)) ** ((self.p + 1) / self.p)

    def _decay(self, alpha):
        """λ₂ at λ = alpha."""
        if self.weight_decay is None:
            return balanced_weight_decay(alpha, self.p)
        return float(self.weight_decay)

    def _parametrization(self, groups, n_targets, gate):
        without = self._without_minimiser()
        if without is not None:
            warn(without, UserWarning)
        alpha = float(self.alpha)
        return GatedWeights(groups, n_targets, alpha, self._decay(alpha), self.p, GATES[gate])

    def _stored_factors(self, groups):
        A = np.atleast_2d(self.weight_).T[groups.order].astype(float)
        return self.switch_[groups.order].astype(float), A

    def _factors(self, groups, W):
        beta, A = self._stored_factors(groups)
        gate = beta[groups.ptr[:-1]]
        apart = beta != groups.spread(gate)
        if apart.any():
            # They were of other groups then: a gate for all of them, and W as it was.
            gate = np.maximum.reduceat(np.abs(beta), groups.ptr[:-1])
            A = W / np.where(groups.spread(gate) > 0, groups.spread(gate), 1.0)[:, None]
        # A closed filter has weights left: what has no coefficient has neither.
        out = (groups.sum(np.abs(W).sum(axis=1)) == 0) & (groups.weights > 0)
        return np.where(out, 0.0, gate), np.where(groups.spread(out)[:, None], 0.0, A)

    def _store_solution(self, objective, solution, target):
        super()._store_solution(objective, solution, target)
        # Without a penalty any split will do: that of every alpha > 0 does.
        alpha = self.alpha if self.alpha > 0 else 1.0
        groups = objective.groups
        beta, A = split(solution.W, groups, alpha, self._decay(alpha), self.p)
        self._store_factors(groups, beta, A, target)

    def _store_trained(self, groups, trained, target):
        super()._store_trained(groups, trained, target)
        self._store_factors(groups, trained.gate, trained.A, target)

    def _store_factors(self, groups, beta, A, target):
        switch = as_coef(beta[:, None], groups.order, ())
        weight = as_coef(A, groups.order, target.trailing)
        dtype = narrowest(self.coef_.dtype, switch, weight)
        self.switch_, self.weight_ = switch.astype(dtype), weight.astype(dtype)
        self.coef_ = self.weight_ * self.switch_
