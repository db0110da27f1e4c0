r"""The Huber loss: squared near the target, linear far from it, so that outliers pull less.

.. math:: \ell(y, z) = \sum_t h(z_t - y_t), \quad
          h(r) = \tfrac12 r^2 \text{ if } |r| \le \delta, \text{ else } \delta|r| - \tfrac12\delta^2
"""

import numpy as np
from scipy.optimize import brentq

from shrinklin.losses.loss import SeparableLoss


class Huber(SeparableLoss):
    """h summed over targets; slopes are no larger than δ."""

    curvature_bound = 1.0

    def __init__(self, delta):
        self.unit = delta

    def look(self, Y, Z):
        residual = Z - Y
        slopes = np.clip(residual, -self.unit, self.unit)
        # ½r² and δ|r| − ½δ² in one formula.
        values = (slopes * (residual - 0.5 * slopes)).sum(axis=1)
        return values, slopes, (np.abs(residual) < self.unit).astype(float)

    def constant(self, Y, weight):
        def slope(z, y):
            return weight @ np.clip(z - y, -self.unit, self.unit)

        return np.array(
            [y[0] if np.ptp(y) == 0 else brentq(slope, y.min(), y.max(), args=(y,)) for y in Y.T]
        )

    def divergence(self, Y, Z, scale):
        residual = Z - Y
        dual = scale * np.clip(residual, -self.unit, self.unit)
        values, *_ = self.look(Y, Z)
        # h*(u) = ½u² where |u| ≤ δ.
        return values + (0.5 * dual**2 - dual * residual).sum(axis=1)
