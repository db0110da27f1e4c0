"""The squared loss."""

import numpy as np

from shrinklin.losses.loss import SeparableLoss


class SquaredLoss(SeparableLoss):
    """ℓ(y, z) = ½‖z − y‖². Exact solvers use the faster `objective.quadratic` instead."""

    curvature_bound = 1.0

    def look(self, Y, Z):
        residual = Z - Y
        return 0.5 * np.einsum("it,it->i", residual, residual), residual, np.ones_like(Z)

    def evaluate(self, Y, Z):
        residual = Z - Y
        return 0.5 * np.einsum("it,it->i", residual, residual), residual

    def constant(self, Y, weight):
        return weight @ Y

    def divergence(self, Y, Z, scale):
        return (1 - scale) ** 2 * self.evaluate(Y, Z)[0]
