r"""The bridge penalty of ShrinkNet with p = 2: :math:`\varphi(w) = \|w\|_2^{2/3}`.

References
----------
.. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
   selection.
.. [2] Cao, Sun, Xu (2013), Fast image deconvolution using closed-form
   thresholding formulas of L_q (q = 1/2, 2/3) regularization.
"""

import numpy as np

from shrinklin import proximal
from shrinklin.penalties.penalty import RadialPenalty


class Bridge2(RadialPenalty):
    """φ(w) = ‖w‖₂^{2/3}: ShrinkNet with p = 2."""

    power = 2.0 / 3.0
    convex = False

    prox = proximal.BRIDGE2

    def critical_strength(self, gradient, lipschitz, groups):
        L = np.where(lipschitz > 0, lipschitz, np.inf)
        # 1.5 L (norm / 2L)^{4/3} with the powers of L collected, so that L = inf gives 0.
        return 1.5 * (groups.norms(gradient) / 2) ** (4 / 3) * L ** (-1 / 3)
