r"""Convert between W and its factored form, a switch times a weight.

For a fixed w = βa, the split that minimises λ|β| + λ₂‖a‖_p^p is
:math:`\beta = (p\lambda_2\|w\|_p^p/\lambda)^{1/(p+1)}`. The minimum is the bridge
penalty :math:`\kappa\|w\|_p^{p/(p+1)}` with

.. math:: \kappa = (1 + 1/p)\,\lambda^{p/(p+1)} (p\lambda_2)^{1/(p+1)}.

The weight decay λ₂ = λ pᵖ/(p+1)^{p+1} makes κ = λ.
"""

import numpy as np


def balanced_weight_decay(alpha, p):
    """λ₂ for which κ = λ = alpha."""
    return alpha * (p / (p + 1)) ** p / (p + 1)


def bridge_strength(alpha, weight_decay, p):
    """κ for λ = alpha and λ₂ = weight_decay."""
    # Each factor has its own power, as the product of λ^p and λ₂ may overflow or underflow.
    return (1 + 1 / p) * alpha ** (p / (p + 1)) * (p * weight_decay) ** (1 / (p + 1))


def split(W, groups, alpha, weight_decay, p):
    """Best (β, A) with W = β A, for λ = alpha: shapes (n_features,) and like W.

    The features of a group share one β ≥ 0; where W_g = 0 both are 0.
    """
    norms = groups.sum((np.abs(W) ** p).sum(axis=1)) ** (1 / p)
    ratio = weight_decay ** (1 / (p + 1)) / alpha ** (1 / (p + 1))
    beta = groups.spread(p ** (1 / (p + 1)) * ratio * norms ** (p / (p + 1)))
    A = W / np.where(beta > 0, beta, 1.0)[:, None]
    return beta, A
