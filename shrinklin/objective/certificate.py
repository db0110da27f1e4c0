r"""The duality gap of the group lasso: an upper bound on F(W) − min F.

The residual of W is scaled until ‖∇_g‖ ≤ κ ω_g for every group. That makes it a feasible point of
the dual problem, and the dual value there is a lower bound on F. The gap, F(W) minus the dual
value, is

.. math:: \text{mixing} + \sum_g (\kappa\omega_g\|W_g\| + c\,\langle W_g, \nabla_g\rangle)

where c is the scale and `Smooth.mixing` is the contribution of the loss. No term of this sum is
negative, so no digits cancel.

With a ridge ρ, the residual has a part of its own for every feature (see `smooth`). A group that
pays nothing but ridge (κ ω_g = 0) needs ‖∇_g‖ = 0. Its part of the residual is changed so that it
is, which adds :math:`c(1-c)\langle W_g, \nabla_g\rangle + c^2\|\nabla_g\|^2/(2\rho)` to the gap.
"""

import numpy as np


def duality_gap(objective, W, evaluated, rounding):
    """See `Objective.duality_gap`."""
    smooth, groups, strengths = objective.smooth, objective.groups, objective.strengths
    loss, gradient = smooth.evaluate(W) if evaluated is None else evaluated
    primal, free = loss + objective.strength * objective.penalty_sum(W), objective.free
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
    held = (strengths == 0) & ~free
    if held.any():
        left = np.maximum(groups.norms(gradient) + margins(objective, slope, off), 0.0)[held]
        slack[held] = scale * (1 - scale) * products[held]
        slack[held] += scale**2 * left**2 / (2 * objective.ridges[held])
    gap += slack.sum() + smooth.mixing(W, loss, scale)
    gap += error + (scale * lost if scale > 0 else 0.0)
    return float(max(min(gap, primal), 0.0))  # losses, and so F, are never negative


def margins(objective, slope, off):
    """How much ‖∇_g‖ of each group may grow.

    `slope` is in units of `Smooth.sizes`, `off` in units of `Smooth.lengths`.
    """
    smooth, groups = objective.smooth, objective.groups
    sizes, lengths = (np.sqrt(groups.sum(norms**2)) for norms in (smooth.sizes, smooth.lengths))
    return slope * sizes + off * lengths


def infeasibility(objective, W, gradient, free, rounding):
    """`Smooth.infeasibility` for the features of the unpenalised groups `free`."""
    features = objective.groups.features(np.flatnonzero(free))
    return objective.smooth.infeasibility(W, gradient, features, rounding)


def _feasible(objective, gradient, margins):
    """The largest scale at which the gradient of every penalised group is at most κ ω_g."""
    norms = np.maximum(objective.groups.norms(gradient) + margins, 0.0)
    bound = (objective.strengths > 0) & (norms > 0)
    return (objective.strengths[bound] / norms[bound]).min(initial=np.inf)
