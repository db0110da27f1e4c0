r"""The duality gap of a convex penalty: an upper bound on F(W) − min F.

The residual of W is scaled until :math:`\varphi^\circ(\nabla_g) \le \kappa \omega_g` for every
group, where :math:`\varphi^\circ` is the dual norm of φ (`Penalty.critical_strength`): the
Euclidean norm for the group lasso. That makes it a feasible point of the dual problem, and the dual
value there is a lower bound on F. The gap, F(W) minus the dual value, is

.. math:: \text{mixing} + \sum_g (\kappa\omega_g\varphi(W_g) + c\,\langle W_g, \nabla_g\rangle)

where c is the scale and `Smooth.mixing` is the contribution of the loss. No term of this sum is
negative, so no digits cancel.

With a ridge ρ, the residual has a part of its own for every feature (see `smooth`). A group that
pays nothing but ridge (κ ω_g = 0) needs ‖∇_g‖ = 0. Its part of the residual is changed so that it
is, which adds :math:`c(1-c)\langle W_g, \nabla_g\rangle + c^2\|\nabla_g\|^2/(2\rho)` to the gap.

If W has to be >= 0, a group that pays no penalty needs ∇_g ≥ 0 instead. The part of ∇_g that is
below zero is then what is changed, and the rest adds its products with W_g.
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
    off, lost = infeasibility(objective, W, gradient, _unpaid(objective), slope)
    short, changed = 0.0, np.zeros(1)
    if (strengths == 0).any():
        short = _short(objective, gradient)
        changed = np.where(free, 0.0, groups.sum((W * short).sum(axis=1)))
    products = groups.sum((W * (gradient - short)).sum(axis=1))
    best = smooth.dual_scale(loss, (products + changed).sum())
    scale = min(_feasible(objective, gradient, margins(objective, slope, off)), best)
    slack = np.maximum(strengths * objective.penalty.values(W, groups) + scale * products, 0.0)
    held = (strengths == 0) & (objective.ridges > 0)
    if held.any():
        left = np.maximum(groups.norms(short) + margins(objective, slope, off), 0.0)[held]
        slack[held] += scale * (1 - scale) * changed[held]
        slack[held] += scale**2 * left**2 / (2 * objective.ridges[held])
    gap += slack.sum() + smooth.mixing(W, loss, scale)
    gap += error + (scale * lost if scale > 0 else 0.0)
    return float(max(min(gap, primal), 0.0))  # losses, and so F, are never negative


def _unpaid(objective):
    """Mask of the groups that pay neither penalty nor ridge: (n_groups,)."""
    return (objective.strengths == 0) & (objective.ridges == 0)


def _short(objective, gradient):
    """The part of the gradient that a dual point may not have: of groups without penalty."""
    unpaid = objective.strengths == 0
    forbidden = np.minimum(gradient, 0.0) if objective.penalty.positive else gradient
    return np.where(objective.groups.spread(unpaid)[:, None], forbidden, 0.0)


def margins(objective, slope, off):
    """How much ‖∇_g‖ of each group may grow.

    `slope` is in units of `Smooth.sizes`, `off` in units of `Smooth.lengths`.
    """
    smooth, groups = objective.smooth, objective.groups
    sizes, lengths = (np.sqrt(groups.sum(norms**2)) for norms in (smooth.sizes, smooth.lengths))
    return slope * sizes + off * lengths


def infeasibility(objective, W, gradient, free, rounding):
    """`Smooth.infeasibility` for the features of the unpenalised groups `free`."""
    features, smooth = objective.groups.features(np.flatnonzero(free)), objective.smooth
    if not objective.penalty.positive:
        return smooth.infeasibility(W, gradient, features, rounding)
    # Only what pulls a coefficient up has to be removed. That may pull up others in turn.
    short, chosen = np.minimum(gradient, 0.0), W[features].any(axis=1)
    while True:
        off, lost = smooth.infeasibility(W, short, features[chosen], rounding)
        near = rounding * smooth.sizes[features] + off * smooth.lengths[features]
        pulled = ~chosen & (gradient[features].min(axis=1, initial=np.inf) <= near)
        if not pulled.any():
            return off, lost
        chosen |= pulled


def dual_norms(objective, gradient):
    """φ°(∇_g) of every group, in units in which a change of ∇_g by ε adds at most ε."""
    penalty, groups = objective.penalty, objective.groups
    norms = penalty.critical_strength(gradient, objective.lipschitz, groups)
    return norms * penalty.holding(1.0, objective.lipschitz, groups)


def _feasible(objective, gradient, margins):
    """The largest scale at which φ°(∇_g) of every penalised group is at most κ ω_g."""
    norms = np.maximum(dual_norms(objective, gradient) + margins, 0.0)
    bound = (objective.strengths > 0) & (norms > 0)
    return (objective.holding[bound] / norms[bound]).min(initial=np.inf)
