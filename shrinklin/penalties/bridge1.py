r"""The bridge penalty of ShrinkNet with p = 1: :math:`\varphi(w) = \|w\|_1^{1/2}`.

References
----------
.. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
   selection.
"""

import math

import numpy as np

from shrinklin.penalties.penalty import Curvature, Penalty


class Bridge1(Penalty):
    """φ(w) = ‖w‖₁^{1/2}: ShrinkNet with p = 1."""

    power = 0.5
    convex = False

    @staticmethod
    def prox(z, t, out):
        """Write the prox of t‖·‖₁^{1/2} at z into out.

        The prox is out = (|z| − μ)₊ sign z with μ = t/(2u) and u² = ‖out‖₁. If it
        keeps the k largest |z|, with sum Z_k, then u is the largest root of
        u³ − Z_k u + kt/2. The result is the candidate with the smallest value,
        among all consistent k and out = 0.
        """
        if t == 0.0:
            out[:] = z
            return
        magnitude = np.sort(np.abs(z))[::-1]
        Z = Q = best = 0.0
        shift = -1.0
        for k in range(1, z.size + 1):
            Z += magnitude[k - 1]
            Q += magnitude[k - 1] ** 2
            # Then there is no root for this k. Tested without a division, as Z may be 0.
            if 0.75 * math.sqrt(3.0) * k * t > Z**1.5:
                continue
            cosine = 0.75 * math.sqrt(3.0) * k * t / Z**1.5
            u = 2.0 * math.sqrt(Z / 3.0) * math.cos(math.acos(-cosine) / 3.0)
            mu = 0.5 * t / u
            following = magnitude[k] if k < z.size else 0.0
            if magnitude[k - 1] <= mu or following > mu:
                continue
            value = 0.5 * (k * mu * mu - Q) + t * u
            if value < best:
                best = value
                shift = mu
        if shift < 0.0:
            out[:] = 0.0
        else:
            out[:] = np.sign(z) * np.maximum(np.abs(z) - shift, 0.0)

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
