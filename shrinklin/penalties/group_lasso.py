r"""The group lasso: :math:`\varphi(w) = \|w\|_2`.

References
----------
.. [1] Yuan, Lin (2006), Model selection and estimation in regression with
   grouped variables.
"""

from shrinklin import proximal
from shrinklin.penalties.penalty import RadialPenalty


class GroupLasso(RadialPenalty):
    """φ(w) = ‖w‖₂."""

    power = 1.0
    convex = True

    prox = proximal.GROUP_LASSO

    def critical_strength(self, gradient, lipschitz, groups):
        return groups.norms(gradient)
