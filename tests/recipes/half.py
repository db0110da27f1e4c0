r"""The ℓ_{1/2} penalty of a block: :math:`\varphi(w) = \|w\|_2^{1/2}`.

References
----------
.. [1] Xu, Chang, Xu, Zhang (2012), L_{1/2} regularization: a thresholding representation theory
   and a fast solver.
"""

import math

import numpy as np

from shrinklin.penalties.penalty import RadialPenalty


class Half(RadialPenalty):
    """φ(w) = ‖w‖₂^{1/2}."""

    power = 0.5
    convex = False

    @staticmethod
    def prox(z, t, out):
        """Write the prox of t‖·‖₂^{1/2} at z into out.

        Zero iff ‖z‖ ≤ (3/2) t^{2/3}. Otherwise ‖out‖ = u² with u the largest root of
        u³ − ‖z‖u + t/2 [1].
        """
        norm = math.sqrt((z * z).sum())
        if norm <= 1.5 * t ** (2.0 / 3.0):
            out[:] = 0.0
        else:
            cosine = 0.75 * math.sqrt(3.0) * t / norm**1.5
            u = 2.0 * math.sqrt(norm / 3.0) * math.cos(math.acos(-cosine) / 3.0)
            # A Newton step removes the rounding of the cosines.
            u -= (u**3 - norm * u + 0.5 * t) / (3.0 * u**2 - norm)
            out[:] = u**2 / norm * z

    def critical_strength(self, gradient, lipschitz, groups):
        L = np.where(lipschitz > 0, lipschitz, np.inf)
        return (groups.norms(gradient) / 1.5) ** 1.5 / np.sqrt(L)
