r"""The penalties on one block of coefficients, and their proximal operators.

A block :math:`w` holds the coefficients of one group, over all targets:

- group lasso: :math:`\varphi(w) = \|w\|_2`;
- bridge, p = 2: :math:`\varphi(w) = \|w\|_2^{2/3}`;
- bridge, p = 1: :math:`\varphi(w) = \|w\|_1^{1/2}`.

Their proximal operators are compiled: see `solvers.kernels`.

References
----------
.. [1] Yuan, Lin (2006), Model selection and estimation in regression with
   grouped variables.
.. [2] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
   selection.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curvature:
    r"""Second-order model of Σ_g s_g φ(W_g) on its smooth entries.

    The Hessian is diag(d) − Σ_g e_g u_g u_g'. `smooth` marks the entries near
    which the penalty is differentiable; `d` is 0 and `U` is 0 elsewhere.
    `majoriser` (d where the penalty is radial) gives the quadratic
    ½ Σ majoriser·W² + const that touches the penalty at W and lies above it.
    """

    smooth: np.ndarray
    gradient: np.ndarray
    d: np.ndarray
    e: np.ndarray
    U: np.ndarray
    majoriser: np.ndarray


class Penalty(ABC):
    """φ on blocks: what the solvers need to know of it.

    Attributes
    ----------
    code : int
        Which prox `solvers.kernels` runs.
    power : float
        φ(cw) = c^power φ(w) for c > 0.
    convex : bool
    radial : bool
        Whether φ depends on the Euclidean norm alone.
    """

    code: int
    power: float
    convex: bool
    radial = False

    @abstractmethod
    def values(self, W, groups):
        """φ of every block of W (n_features, n_targets): shape (n_groups,)."""

    def holding(self, strengths, curvature):
        """Norm of ∇_g f up to which no step of that curvature takes a block off zero.

        c/2 r² − ‖∇‖ r + s r^power has a minimum off zero only beyond it, at an r no less than
        `jump`; where the penalty is no power of the Euclidean norm it is more than s r^power.
        """
        if self.convex:
            return strengths
        slope = 0.5 * (2 - self.power) / (1 - self.power) * curvature
        # Less what rounding may make of it: the prox decides there.
        return (1 - 1e-9) * slope * self.jump(strengths, curvature)

    def jump(self, strengths, curvature):
        """Least norm of a block that such a step takes off zero, if the penalty is not convex."""
        curvature = np.where(curvature > 0, curvature, np.inf)
        return (2 * (1 - self.power) * strengths / curvature) ** (1 / (2 - self.power))

    @abstractmethod
    def curvature(self, W, groups, strengths):
        """`Curvature` at W of Σ_g strengths_g φ(W_g)."""

    @abstractmethod
    def crossed(self, W, model, groups):
        """Entries of W that lie beyond a kink, seen from where `model` was taken.

        A mask like W; only entries that were smooth there count.
        """

    @abstractmethod
    def critical_strength(self, gradient, lipschitz, groups):
        """Least strength at which a zero block stays zero: shape (n_groups,).

        That is, for which prox(−gradient_g / L_g, strength / L_g) = 0.
        """


class RadialPenalty(Penalty):
    """Shared by the penalties that are a power of the Euclidean norm."""

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

    def crossed(self, W, model, groups):
        beyond = groups.sum((W * model.U).sum(axis=1)) < 0
        return np.repeat(groups.spread(beyond)[:, None], W.shape[1], axis=1)


class GroupLasso(RadialPenalty):
    """φ(w) = ‖w‖₂."""

    code = 0
    power = 1.0
    convex = True

    def critical_strength(self, gradient, lipschitz, groups):
        return groups.norms(gradient)


class Bridge2(RadialPenalty):
    """φ(w) = ‖w‖₂^{2/3}: ShrinkNet with p = 2."""

    code = 1
    power = 2.0 / 3.0
    convex = False

    def critical_strength(self, gradient, lipschitz, groups):
        L = np.where(lipschitz > 0, lipschitz, np.inf)
        # 1.5 L (n / 2L)^{4/3} with L^{-1/3} taken out, so that L = inf gives 0.
        return 1.5 * (groups.norms(gradient) / 2) ** (4 / 3) * L ** (-1 / 3)


class Bridge1(Penalty):
    """φ(w) = ‖w‖₁^{1/2}: ShrinkNet with p = 1."""

    code = 2
    power = 0.5
    convex = False

    def values(self, W, groups):
        return np.sqrt(groups.sum(np.abs(W).sum(axis=1)))

    def curvature(self, W, groups, strengths):
        norms = groups.sum(np.abs(W).sum(axis=1))
        alive = norms > 0
        S = np.where(alive, norms, 1.0)
        slope = np.where(alive, strengths / (2 * np.sqrt(S)), 0.0)
        signs = np.sign(W)
        smooth = signs != 0
        rows = groups.spread(slope)[:, None]
        return Curvature(
            smooth=smooth,
            gradient=rows * signs,
            d=np.zeros_like(W),
            e=slope / (2 * S),
            U=signs,
            majoriser=rows * smooth / np.where(smooth, np.abs(W), 1.0),
        )

    def crossed(self, W, model, groups):
        return W * model.U < 0

    def critical_strength(self, gradient, lipschitz, groups):
        r"""(2/3)^{3/2} max (z·v)^{3/2} / ‖v‖ over v ≥ 0, Σv = 1, times L.

        Along the direction v the block leaves zero iff t is below that. On a
        support of size k, stationarity gives v ∝ z − a/3 with a = z·v the
        lower root of k a² − 4 Z a + 3 Q, Z = Σz, Q = Σz².
        """
        strengths = np.zeros(len(groups))
        for g, L in enumerate(lipschitz):
            if L > 0:
                block = gradient[groups.ptr[g] : groups.ptr[g + 1]]
                strengths[g] = L * _critical_bridge1(np.abs(block).ravel() / L)
        return strengths


def _critical_bridge1(magnitude):
    z = np.sort(magnitude)[::-1]
    k = np.arange(1, z.size + 1)
    Z, Q = np.cumsum(z), np.cumsum(z**2)
    a = (2 * Z - np.sqrt(np.maximum(4 * Z**2 - 3 * k * Q, 0))) / k
    scale = np.where(3 * Z - k * a > 0, 3 * Z - k * a, 1.0)
    b = 2 * a / scale  # ‖v‖²
    valid = (z > a / 3) & (3 * k * Q <= 4 * Z**2) & (b > 0)
    values = np.where(valid, a, 0.0) ** 1.5 / np.sqrt(np.where(valid, b, 1.0))
    return (2 / 3) ** 1.5 * values.max(initial=0.0)
