r"""The parameters of gradient training, as one vector x.

A parametrization computes the coefficients W and the intercept b from x, the penalty of x, and
the gradient in x from those in W and b:

- `GatedWeights` (ShrinkNet): x = (A, θ, b), W_g = gate(θ_g) A_g, penalty
  Σ_g ω_g (λ |gate(θ_g)| + λ₂ ‖A_g‖_p^p). The gate is a switch, gate(θ) = θ = β, or a filter,
  gate(θ) = max(0, θ).
- `PlainWeights` (group lasso): x = (W, b), penalty α Σ_g ω_g ‖W_g‖₂.

A ridge on W comes on top of both.

At a kink of |gate(θ)| or |a|^p the subgradient is 0. For the norms of the group lasso it is the
one that makes the gradient of the objective smallest, and a group that a step would take through
zero stops at zero. Otherwise steps around a kink of several dimensions would amplify rounding
errors without end. A is (n_features, n_targets), θ (n_groups,); features are in the order of
`Groups`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np

from shrinklin.groups import Groups


class Gate(ABC):
    """The factor in front of a feature, as a function of its parameter θ."""

    @abstractmethod
    def value(self, theta):
        """gate(θ)."""

    @abstractmethod
    def slope(self, theta):
        """gate'(θ)."""

    @abstractmethod
    def inverse(self, value):
        """θ for this value of the gate, or its absolute value, and the sign that remains for A."""

    @abstractmethod
    def draw(self, rng, size):
        """Random θ to begin with."""


class Switch(Gate):
    """θ itself."""

    def value(self, theta):
        return theta

    def slope(self, theta):
        return np.ones_like(theta)

    def inverse(self, value):
        return value, np.ones_like(value)

    def draw(self, rng, size):
        return rng.standard_normal(size)


class Filter(Gate):
    """max(0, θ): once closed it stays closed, as its gradient is 0."""

    def value(self, theta):
        return np.maximum(theta, 0.0)

    def slope(self, theta):
        return (theta > 0).astype(float)

    def inverse(self, value):
        return np.abs(value), np.where(value < 0, -1.0, 1.0)

    def draw(self, rng, size):
        return rng.uniform(size=size)


GATES = {"switch": Switch(), "filter": Filter()}


@dataclass(frozen=True)
class Parametrization(ABC):
    """Layout of x: the weights, then the switches if there are any, then the intercept.

    Attributes
    ----------
    groups : Groups
        Of the features that are left.
    n_targets : int
    ridge : float, default=0.0
        ρ. The penalty of x includes ½ρ Σ ‖W_g‖² over the groups with ω_g > 0.
    """

    groups: Groups
    n_targets: int
    ridge: float = field(default=0.0, kw_only=True)

    @property
    def n_features(self):
        return len(self.groups.order)

    def weights(self, x):
        """A, or W where there are no switches: a view of x."""
        n_weights = self.n_features * self.n_targets
        return x[:n_weights].reshape(self.n_features, self.n_targets)

    def intercept(self, x):
        """b: a view of x."""
        return x[len(x) - self.n_targets :]

    def keep(self, members):
        """The parametrization of only the groups `members`."""
        return replace(self, groups=self.groups.restrict(members))

    def _draw_weights(self, rng):
        # With standardised features and switches, raw predictions have unit size.
        return rng.standard_normal(self.n_features * self.n_targets) / np.sqrt(self.n_features)

    def norms(self, x):
        """‖A_g‖₂: (n_groups,)."""
        return self.groups.norms(self.weights(x))

    @abstractmethod
    def draw(self, rng):
        """Random x to begin with; b is 0."""

    @abstractmethod
    def from_factors(self, gate, A, b):
        """The x with these gate values (n_groups,), weights and intercept."""

    @abstractmethod
    def stuck(self, x):
        """Groups that no gradient will ever move: a mask (n_groups,)."""

    @abstractmethod
    def switch(self, x):
        """θ, a view of x, or None."""

    @abstractmethod
    def gate(self, x):
        """gate(θ): (n_groups,)."""

    def coefficients(self, x):
        """W."""
        return self.groups.spread(self.gate(x))[:, None] * self.weights(x)

    def penalty(self, x):
        """The penalty of x."""
        if not self.ridge:
            return self._penalty(x)
        W = self.coefficients(x)
        return self._penalty(x) + 0.5 * float(np.vdot(self._ridges() * W, W))

    def gradient(self, x, in_W, in_b):
        """Gradient in x of R + penalty, given those of R in W and b."""
        if self.ridge:
            in_W = in_W + self._ridges() * self.coefficients(x)
        return self._gradient(x, in_W, in_b)

    def _ridges(self):
        """ρ of every feature, as a column."""
        return self.groups.spread(np.where(self.groups.weights > 0, self.ridge, 0.0))[:, None]

    @abstractmethod
    def _penalty(self, x):
        """The penalty of x without ridge."""

    @abstractmethod
    def _gradient(self, x, in_W, in_b):
        """Gradient in x of a function plus `_penalty`, given those of the function in W and b."""

    def stopped(self, x, moved):
        """Where a step from x to `moved` ends; here at `moved`."""
        return moved

    def mask(self, members):
        """Entries of x that belong to the groups `members` or to no group: a mask."""
        rows = np.zeros((self.n_features, self.n_targets), dtype=bool)
        rows[self.groups.features(members)] = True
        left = np.ones(self.n_targets, dtype=bool)
        return np.concatenate([rows.ravel(), self._switch_mask(members), left])

    @abstractmethod
    def _switch_mask(self, members):
        """The part of `mask` for θ."""


@dataclass(frozen=True)
class PlainWeights(Parametrization):
    """Parameters of the group lasso, without switches.

    Attributes
    ----------
    alpha : float
    """

    alpha: float

    def draw(self, rng):
        return np.concatenate([self._draw_weights(rng), np.zeros(self.n_targets)])

    def from_factors(self, gate, A, b):
        return np.concatenate([(self.groups.spread(gate)[:, None] * A).ravel(), b])

    def stuck(self, x):
        return np.zeros(len(self.groups), dtype=bool)

    def switch(self, x):
        return None

    def gate(self, x):
        return np.ones(len(self.groups))

    def coefficients(self, x):
        return self.weights(x)

    def _penalty(self, x):
        return self.alpha * float(self.groups.weights @ self.norms(x))

    def _gradient(self, x, in_W, in_b):
        norms, strengths = self.norms(x), self.alpha * self.groups.weights
        pull = strengths / np.where(norms > 0, norms, 1.0)
        in_weights = in_W + self.groups.spread(pull)[:, None] * self.weights(x)
        zero = np.flatnonzero(norms == 0)
        if len(zero):
            push = self.groups.norms(in_W)[zero]
            left = np.maximum(push - strengths[zero], 0.0) / np.where(push > 0, push, 1.0)
            shares = np.ones(len(norms))
            shares[zero] = left
            in_weights *= self.groups.spread(shares)[:, None]
        return np.concatenate([in_weights.ravel(), in_b])

    def stopped(self, x, moved):
        along = np.einsum("jt,jt->j", self.weights(x), self.weights(moved))
        through = self.groups.spread(self.groups.sum(along) < 0)
        self.weights(moved)[through] = 0.0
        return moved

    def _switch_mask(self, members):
        return np.zeros(0, dtype=bool)


@dataclass(frozen=True)
class GatedWeights(Parametrization):
    """Parameters of ShrinkNet: weights behind gates.

    Attributes
    ----------
    alpha, weight_decay : float
        λ and λ₂.
    p : float
    gate_of : Gate
    """

    alpha: float
    weight_decay: float
    p: float
    gate_of: Gate

    def draw(self, rng):
        A, theta = self._draw_weights(rng), self.gate_of.draw(rng, len(self.groups))
        return np.concatenate([A, theta, np.zeros(self.n_targets)])

    def from_factors(self, gate, A, b):
        theta, sign = self.gate_of.inverse(gate)
        return np.concatenate([(self.groups.spread(sign)[:, None] * A).ravel(), theta, b])

    def stuck(self, x):
        return (self.gate(x) == 0) & (self.norms(x) == 0)

    def switch(self, x):
        return x[len(x) - self.n_targets - len(self.groups) : len(x) - self.n_targets]

    def gate(self, x):
        return self.gate_of.value(self.switch(x))

    def _penalty(self, x):
        powers = self.groups.sum((np.abs(self.weights(x)) ** self.p).sum(axis=1))
        paid = self.alpha * np.abs(self.gate(x)) + self.weight_decay * powers
        return float(self.groups.weights @ paid)

    def _gradient(self, x, in_W, in_b):
        A, gate, omega = self.weights(x), self.gate(x), self.groups.weights
        decay = self.groups.spread(self.weight_decay * omega)[:, None] * self._power_slope(A)
        in_A = self.groups.spread(gate)[:, None] * in_W + decay
        in_gate = self.groups.sum(np.einsum("jt,jt->j", A, in_W))
        in_gate = in_gate + self.alpha * omega * np.sign(gate)
        in_theta = self.gate_of.slope(self.switch(x)) * in_gate
        return np.concatenate([in_A.ravel(), in_theta, in_b])

    def _power_slope(self, A):
        """Derivative of |a|^p, 0 at 0."""
        if self.p == 2:
            return 2 * A
        size = np.abs(A)
        return self.p * np.where(size > 0, size, 1.0) ** (self.p - 1) * np.sign(A)

    def _switch_mask(self, members):
        mask = np.zeros(len(self.groups), dtype=bool)
        mask[members] = True
        return mask
