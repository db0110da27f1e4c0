r"""The interface of penalties: functions :math:`\varphi` of one block of coefficients.

A block holds the coefficients of one group, over all targets. Each penalty has its own file.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curvature:
    r"""Second-order model of Σ_g s_g φ(W_g) on its smooth entries.

    The Hessian is diag(d) − Σ_g e_g u_g u_g'. `smooth` marks the entries near
    which the penalty is differentiable; elsewhere `d` and `U` are 0. The quadratic
    ½ Σ majoriser·W² + const touches the penalty at W and lies above it. If the
    penalty is radial, `majoriser` equals `d`.
    """

    smooth: np.ndarray
    gradient: np.ndarray
    d: np.ndarray
    e: np.ndarray
    U: np.ndarray
    majoriser: np.ndarray


class Penalty(ABC):
    """A penalty φ on blocks, with what solvers need.

    Attributes
    ----------
    power : float
        φ(cw) = c^power φ(w) for c > 0.
    convex : bool
        Whether φ is convex. Then its power has to be 1, and `critical_strength` the dual norm of
        φ, from which the duality gap follows (`objective.certificate`).
    radial : bool
        Whether φ depends only on the Euclidean norm.
    positive : bool
        Whether φ is infinite for a negative entry.
    l1_ratio : float or None
        If it is a number τ, the prox has the arguments (z, t, s, out), where t is 1 − τ times the
        strength, and s is τ times the strength divided by the square root of the number of
        features.
    """

    power: float
    convex: bool
    radial = False
    positive = False
    l1_ratio: float | None = None

    @staticmethod
    @abstractmethod
    def prox(z, t, out):
        """Write argmin_w ½‖w − z‖² + t φ(w) to out, for a block z (size,) and t ≥ 0.

        It is a `Prox`, compiled, or a function of Python, which is slow and must not raise: the
        loops that call it do not see errors.
        """

    @abstractmethod
    def values(self, W, groups):
        """φ of every block of W (n_features, n_targets): shape (n_groups,)."""

    def total(self, W, groups, strengths):
        """Σ_g strengths_g φ(W_g)."""
        return strengths @ self.values(W, groups)

    def within(self, W):
        """W, with entries for which φ is infinite set to zero."""
        return np.maximum(W, 0.0) if self.positive else W

    def holding(self, strengths, curvature, groups=None):
        """Norm of ∇_g f up to which no step with this curvature moves a block away from zero.

        Only if ‖∇‖ is larger does c/2 r² − ‖∇‖ r + s r^power have a minimum other than zero. Its
        r is at least `jump`. A penalty that is not a power of the Euclidean norm is at least
        s r^power, so a block stays at zero up to this norm too. φ may depend on the sizes
        of `groups`; None stands for groups of one feature.
        """
        if self.convex:
            return strengths
        slope = 0.5 * (2 - self.power) / (1 - self.power) * curvature
        # Reduced by a possible rounding error: within it, the prox decides.
        return (1 - 1e-9) * slope * self.jump(strengths, curvature)

    def jump(self, strengths, curvature):
        """Smallest norm of a block after such a step from zero, if the penalty is not convex."""
        curvature = np.where(curvature > 0, curvature, np.inf)
        return (2 * (1 - self.power) * strengths / curvature) ** (1 / (2 - self.power))

    @abstractmethod
    def curvature(self, W, groups, strengths):
        """`Curvature` at W of Σ_g strengths_g φ(W_g)."""

    @abstractmethod
    def crossed(self, W, model, groups):
        """Mask like W of the entries beyond a kink, seen from where `model` was computed.

        Only entries that were smooth there count. A group that pays nothing has no kink at zero.
        """

    def kinks(self, W, D, model, groups):
        """The times, like W, at which entries of W + time·D reach a kink. NaN stands for never.

        Only for a convex penalty.
        """
        return self._times(np.abs(W), D * np.sign(W))

    @staticmethod
    def _times(distance, speed):
        return distance / np.where(speed < 0, -speed, np.nan)

    @abstractmethod
    def critical_strength(self, gradient, lipschitz, groups):
        """Smallest strength at which a zero block stays zero: shape (n_groups,).

        It stays zero if prox(−gradient_g / L_g, strength / L_g) = 0.
        """


class RadialPenalty(Penalty):
    """Base class of penalties that are a power of the Euclidean norm."""

    radial = True

    def values(self, W, groups):
        return groups.norms(W) ** self.power

    def curvature(self, W, groups, strengths):
        norms = groups.norms(W)
        alive = norms > 0
        r = np.where(alive, norms, 1.0)
        d = np.where(alive, strengths * self.power * r ** (self.power - 2), 0.0)
        rows = groups.spread(d)[:, None] * np.ones_like(W)
        return Curvature(
            smooth=np.repeat(groups.spread(alive)[:, None], W.shape[1], axis=1),
            gradient=rows * W,
            d=rows,
            e=(2.0 - self.power) * d,
            U=W / groups.spread(r)[:, None],
            majoriser=rows,
        )

    def kinks(self, W, D, model, groups):
        times = self._times(groups.norms(W), groups.sum((D * model.U).sum(axis=1)))
        return np.repeat(groups.spread(times)[:, None], W.shape[1], axis=1)

    def crossed(self, W, model, groups):
        beyond = groups.sum((W * model.U * (model.majoriser > 0)).sum(axis=1)) < 0
        return np.repeat(groups.spread(beyond)[:, None], W.shape[1], axis=1)
