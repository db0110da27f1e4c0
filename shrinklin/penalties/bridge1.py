r"""The bridge penalty of ShrinkNet with p = 1: :math:`\varphi(w) = \|w\|_1^{1/2}`.

References
----------
.. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
   selection.
"""

import numpy as np

from shrinklin import proximal
from shrinklin.penalties.penalty import Curvature, Penalty


class Bridge1(Penalty):
    """φ(w) = ‖w‖₁^{1/2}: ShrinkNet with p = 1."""

    power = 0.5
    convex = False

    prox = proximal.BRIDGE1

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
        return (W * model.U < 0) & (model.majoriser > 0)

    def critical_strength(self, gradient, lipschitz, groups):
        r"""L times the maximum of (2/3)^{3/2} (z·v)^{3/2} / ‖v‖ over v ≥ 0, Σv = 1.

        Here z = |gradient|/L. The block leaves zero along the direction v if and only
        if t is below the value for v. On a support of size k, stationarity gives
        v ∝ z − a/3, where a = z·v is the lower root of k a² − 4 Z a + 3 Q with Z = Σz
        and Q = Σz².
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
