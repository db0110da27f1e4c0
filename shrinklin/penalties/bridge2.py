r"""The bridge penalty of ShrinkNet with p = 2: :math:`\varphi(w) = \|w\|_2^{2/3}`.

References
----------
.. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
   selection.
.. [2] Cao, Sun, Xu (2013), Fast image deconvolution using closed-form
   thresholding formulas of L_q (q = 1/2, 2/3) regularization.
"""

import math

import numpy as np

from shrinklin.penalties.penalty import RadialPenalty


class Bridge2(RadialPenalty):
    """φ(w) = ‖w‖₂^{2/3}: ShrinkNet with p = 2."""

    power = 2.0 / 3.0
    convex = False

    @staticmethod
    def prox(z, t, out):
        """Write the prox of t‖·‖₂^{2/3} at z into out.

        The prox is zero if and only if ‖z‖ ≤ 2(2t/3)^{3/4}. Otherwise ‖out‖ = ‖z‖ v³,
        where v is the largest root of v⁴ − v + c with c = 2t / (3‖z‖^{4/3}) ≤ 2^{-4/3}.
        The root follows from the resolvent cubic s³ − 4cs − 1, which has one real root
        for these c [2].
        """
        norm = math.sqrt((z * z).sum())
        if norm <= 2.0 * (2.0 * t / 3.0) ** 0.75:
            out[:] = 0.0
        elif t == 0.0:
            out[:] = z
        else:
            c = 2.0 * t / (3.0 * norm ** (4.0 / 3.0))
            if c < 1e-8:
                v = 1.0 - c / 3.0
            else:
                h = 0.5 * (0.75 / c) ** 1.5
                s = 2.0 * math.sqrt(4.0 * c / 3.0) * math.cosh(math.acosh(h) / 3.0)
                root = math.sqrt(s)
                v = 0.5 * (root + math.sqrt(2.0 / root - s))
            # A Newton step removes the rounding error of cosh(acosh) and the missing c² above.
            v -= (v**4 - v + c) / (4.0 * v**3 - 1.0)
            out[:] = v**3 * z

    def critical_strength(self, gradient, lipschitz, groups):
        L = np.where(lipschitz > 0, lipschitz, np.inf)
        # 1.5 L (norm / 2L)^{4/3} with the powers of L collected, so that L = inf gives 0.
        return 1.5 * (groups.norms(gradient) / 2) ** (4 / 3) * L ** (-1 / 3)
