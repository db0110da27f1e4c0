"""The two formulations: what is penalised, how strongly, and which attributes a model has.

Both serve regression and classification. A formulation holds only its own parameters. It gets
`alpha` in every call, and knows nothing about the data.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from shrinklin.factored import balanced_weight_decay, bridge_strength, split
from shrinklin.gradient.parametrizations import GATES, GatedWeights, PlainWeights
from shrinklin.messages import warn
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.penalty import Penalty
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso
from shrinklin.precision import narrowest
from shrinklin.validation.parameters import check_flag, check_real

_GROUP_LASSO = GroupLasso()


class Formulation(ABC):
    """What is penalised. If `has_switches`, there is a switch in front of every group."""

    has_switches: bool

    @abstractmethod
    def check(self, alpha, trains):
        """Raise an error for parameters that the solver cannot take.

        It is gradient training if `trains`, else an exact solver.
        """

    @abstractmethod
    def penalty(self):
        """The `Penalty` on W."""

    @abstractmethod
    def strength(self, alpha):
        """The factor of the penalty at `alpha`."""

    @abstractmethod
    def alpha_at(self, strength):
        """The inverse of `strength`."""

    @abstractmethod
    def parametrization(self, groups, n_targets, alpha, gate):
        """The `Parametrization` of gradient training."""

    @abstractmethod
    def split(self, W, groups, alpha):
        """Switches (n_features,) and weights, of W's shape, of an exact solution.

        None if the formulation has no switches.
        """

    @abstractmethod
    def attributes(self, coef, factors, groups, trailing):
        """Fitted attributes for these coefficients and the factors from `split` or training."""

    @abstractmethod
    def factors(self, model, groups):
        """Switches (n_features,) and weights, of W's shape, whose product is W of a model."""

    @abstractmethod
    def start(self, model, groups, W):
        """Gates (n_groups,) and weights, of W's shape, that continue the training of a model."""


@dataclass(frozen=True)
class PlainFormulation(Formulation):
    """Σ_g ω_g φ(W_g), times alpha: a penalty on W itself, without switches.

    Attributes
    ----------
    of : Penalty, default=GroupLasso()
        φ. Gradient training accepts only the group lasso.
    """

    of: Penalty = _GROUP_LASSO

    has_switches = False

    def check(self, alpha, trains):
        if trains and not isinstance(self.of, GroupLasso):
            raise ValueError(
                f"gradient training does not support {type(self.of).__name__}: "
                "give an exact solver."
            )

    def penalty(self):
        return self.of

    def strength(self, alpha):
        return float(alpha)

    def alpha_at(self, strength):
        return strength

    def parametrization(self, groups, n_targets, alpha, gate):
        return PlainWeights(groups, n_targets, float(alpha))

    def split(self, W, groups, alpha):
        return None

    def attributes(self, coef, factors, groups, trailing):
        return {"coef_": coef}

    def factors(self, model, groups):
        W = coefficients(model, groups)
        return np.ones(len(W)), W

    def start(self, model, groups, W):
        return np.ones(len(groups)), W


@dataclass(frozen=True)
class GroupLassoFormulation(PlainFormulation):
    """The group lasso, also with a share of the ℓ1 norm, or with coefficients >= 0.

    Attributes
    ----------
    l1_ratio, positive :
        As given to the estimator.
    """

    l1_ratio: Any = 0.0
    positive: Any = False

    def check(self, alpha, trains):
        check_flag("positive", self.positive)
        check_real("l1_ratio", self.l1_ratio, 0)
        if self.l1_ratio > 1:
            raise ValueError(
                f"l1_ratio={self.l1_ratio!r}: give a number between 0 (group lasso) and 1 (lasso)."
            )
        if trains and (self.positive or self.l1_ratio > 0):
            given = "positive=True" if self.positive else f"l1_ratio={self.l1_ratio!r}"
            raise ValueError(
                f"{given} needs an exact solver, as gradient steps reach neither zero nor a bound: "
                'call fit with solver="auto", or leave it out for gradient training (and for '
                "partial_fit of a classifier)."
            )

    def penalty(self):
        if self.l1_ratio == 0 and not self.positive:
            return self.of
        return SparseGroupLasso(float(self.l1_ratio), bool(self.positive))


@dataclass(frozen=True)
class ShrinkNetFormulation(Formulation):
    """A switch in front of every group: the group bridge penalty.

    Attributes
    ----------
    p, weight_decay :
        As given to the estimator.
    """

    p: Any
    weight_decay: Any

    has_switches = True

    def check(self, alpha, trains):
        if self.weight_decay is not None:
            check_real("weight_decay", self.weight_decay, 0)
        if trains:
            check_real("p", self.p, 0, open_end=True)
        else:
            self._check_exact(alpha)

    def _check_exact(self, alpha):
        """Raise an error if there is no exact solution. Gradient training may still be possible."""
        number = isinstance(self.p, Real) and not isinstance(self.p, bool)
        if not number or self.p not in (1, 2):
            raise ValueError(
                f'p={self.p!r} has no closed-form prox: solver="auto" accepts p=1 or p=2. Use '
                "solver=GradientDescent()."
            )
        without = self._without_minimiser(alpha)
        if without is not None:
            raise ValueError(without)

    def _without_minimiser(self, alpha):
        """Why the objective has no minimiser, and what to do; None if it may have one."""
        if self.weight_decay is None:
            return None
        if self.weight_decay == 0 and alpha > 0:
            return (
                "weight_decay=0 leaves the objective without a minimiser (statement A.3: the "
                "switch can shrink for ever while the weight grows). Give weight_decay > 0, or "
                "None for the value that makes the bridge strength equal alpha."
            )
        if self.weight_decay > 0 and alpha == 0:
            return (
                f"alpha=0 with weight_decay={self.weight_decay!r} leaves the objective without a "
                "minimiser: the weight can shrink for ever while the switch grows. Give "
                "alpha > 0, or weight_decay=None for no penalty at all."
            )
        return None

    def penalty(self):
        return Bridge2() if self.p == 2 else Bridge1()

    def strength(self, alpha):
        if self.weight_decay is None:
            return float(alpha)
        return bridge_strength(alpha, self.weight_decay, self.p)

    def alpha_at(self, strength):
        if self.weight_decay is None:
            return strength
        # For a fixed λ₂, κ is proportional to λ^{p/(p+1)}.
        return (strength / self.strength(1.0)) ** ((self.p + 1) / self.p)

    def decay(self, alpha):
        """λ₂ at λ = alpha."""
        if self.weight_decay is None:
            return balanced_weight_decay(alpha, self.p)
        return float(self.weight_decay)

    def parametrization(self, groups, n_targets, alpha, gate):
        without = self._without_minimiser(alpha)
        if without is not None:
            warn(without, UserWarning)
        alpha = float(alpha)
        return GatedWeights(groups, n_targets, alpha, self.decay(alpha), self.p, GATES[gate])

    def split(self, W, groups, alpha):
        # With alpha = 0 there is no penalty, and any split is correct: take that of alpha = 1.
        alpha = alpha if alpha > 0 else 1.0
        return split(W, groups, alpha, self.decay(alpha), self.p)

    def attributes(self, coef, factors, groups, trailing):
        beta, A = factors
        switch = as_coef(beta[:, None], groups.order, ())
        weight = as_coef(A, groups.order, trailing)
        dtype = narrowest(coef.dtype, switch, weight)
        switch, weight = switch.astype(dtype), weight.astype(dtype)
        return {"coef_": weight * switch, "switch_": switch, "weight_": weight}

    def factors(self, model, groups):
        A = np.atleast_2d(model.weight_).T[groups.order].astype(float)
        return model.switch_[groups.order].astype(float), A

    def start(self, model, groups, W):
        beta, A = self.factors(model, groups)
        gate = beta[groups.ptr[:-1]]
        apart = beta != groups.spread(gate)
        if apart.any():
            # The model had other groups. Give each new group one gate, and keep W.
            gate = np.maximum.reduceat(np.abs(beta), groups.ptr[:-1])
            A = W / np.where(groups.spread(gate) > 0, groups.spread(gate), 1.0)[:, None]
        # A closed filter may have weights. They are dropped if the group has no coefficients.
        out = (groups.sum(np.abs(W).sum(axis=1)) == 0) & (groups.weights > 0)
        return np.where(out, 0.0, gate), np.where(groups.spread(out)[:, None], 0.0, A)


def as_coef(W, order, trailing):
    """W (n_features, n_targets) as ``coef_``: the user's features, y's dimensions."""
    coef = np.empty(W.shape[::-1])
    coef[:, order] = W.T
    return coef.reshape(*trailing, -1)


def coefficients(model, groups):
    """``coef_`` of a model as W, with the features in the order of the groups."""
    return np.atleast_2d(model.coef_).T.astype(float)[groups.order]
