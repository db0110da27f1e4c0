r"""The duality gap: how far F(W) is from its minimum, at most, for the group lasso.

The residual of W, scaled until ‖∇_g‖ ≤ κ ω_g, is a feasible point of the dual problem, whose value
no F(W) is below. F(W) less that value is

.. math:: \text{mixing} + \sum_g (\kappa\omega_g\|W_g\| + c\,\langle W_g, \nabla_g\rangle)

with c the scale and `Smooth.mixing` what the loss adds: a sum of terms that are not negative, so
that none of its digits cancel.
"""

import numpy as np


def duality_gap(objective, W, evaluated, rounding):
    """See `Objective.duality_gap`."""
    smooth, groups, strengths = objective.smooth, objective.groups, objective.strengths
    loss, gradient = smooth.evaluate(W) if evaluated is None else evaluated
    primal, free = loss + objective.strength * objective.penalty_sum(W), strengths == 0
    gap = 0.0
    if free.any():
        W, first = smooth.minimise(W, groups.features(np.flatnonzero(free))), loss
        loss, gradient = smooth.evaluate(W)
        gap += max(first - loss, 0.0)
    slope, error = (rounding * part for part in smooth.rounding(W, loss))
    off, lost = infeasibility(objective, W, gradient, free, slope)
    products = np.where(free, 0.0, groups.sum((W * gradient).sum(axis=1)))
    best = smooth.dual_scale(loss, products.sum())
    scale = min(_feasible(objective, gradient, margins(objective, slope, off)), best)
    slack = np.maximum(strengths * groups.norms(W) + scale * products, 0.0)
    gap += slack.sum() + smooth.mixing(W, loss, scale)
    gap += error + (scale * lost if scale > 0 else 0.0)
    return float(max(min(gap, primal), 0.0))  # no loss is below 0


def margins(objective, slope, off):
    """What ‖∇_g‖ of every group may grow by: `slope` in `Smooth.sizes`, `off` in `lengths`."""
    smooth, groups = objective.smooth, objective.groups
    sizes, lengths = (np.sqrt(groups.sum(norms**2)) for norms in (smooth.sizes, smooth.lengths))
    return slope * sizes + off * lengths


def infeasibility(objective, W, gradient, free, rounding):
    """`Smooth.infeasibility` where the groups `free` have no penalty."""
    features = objective.groups.features(np.flatnonzero(free))
    return objective.smooth.infeasibility(W, gradient, features, rounding)


def _feasible(objective, gradient, margins):
    """The largest factor that leaves no gradient of a penalised group above κ ω_g."""
    norms = np.maximum(objective.groups.norms(gradient) + margins, 0.0)
    bound = (objective.strengths > 0) & (norms > 0)
    return (objective.strengths[bound] / norms[bound]).min(initial=np.inf)
