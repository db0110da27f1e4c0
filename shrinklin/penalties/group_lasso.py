r"""The group lasso: :math:`\varphi(w) = \|w\|_2`.

References
----------
.. [1] Yuan, Lin (2006), Model selection and estimation in regression with
   grouped variables.
"""

import math

from shrinklin.penalties.penalty import RadialPenalty


class GroupLasso(RadialPenalty):
    """φ(w) = ‖w‖₂."""

    power = 1.0
    convex = True

    @staticmethod
    def prox(z, t, out):
        """Write the prox of t‖·‖₂ at z into out: scale by (1 − t/‖z‖)₊."""
        squared = 0.0
        for i in range(z.size):
            squared += z[i] * z[i]
        norm = math.sqrt(squared)
        scale = 0.0 if norm <= t else 1.0 - t / norm
        for i in range(z.size):
            out[i] = scale * z[i]

    def critical_strength(self, gradient, lipschitz, groups):
        return groups.norms(gradient)
