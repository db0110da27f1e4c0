"""Working sets: the outer loop of every exact solver.

1. Score every group by its prox residual. The non-zero groups of W and the
   groups with the largest residuals form the working set.
2. On the working set, alternate sweeps and Newton steps. The sweeps decide which
   groups are active. Newton steps on these make ill-conditioned data easy.
3. Compute the full gradient and start again, until no residual exceeds tol.

For a convex penalty, the point found is the minimum. For the bridge, no change of
a single block improves it; `local_search` and `search` look further.
"""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from shrinklin import kernels
from shrinklin.solvers.solution import Solution, Status

_MIN_WORKING = 10
_NEWTON_STEPS = 5
# The time spent on fewer features than this is negligible.
MANY = 500
# A working set is solved to this share of the largest residual among the groups left out.
_LEFT_OUT = 0.3


def solve(objective, W, restrict, *, tol, max_iter, has_minimum=True):
    """Descend from W (n_features, n_targets) until the residual is ≤ tol.

    `restrict(objective, working, features, W, gradient)` returns the `Block` of the
    groups `working`. `has_minimum` is False if the objective only tends to its infimum: no
    duality gap is then required. Returns a `Solution`. Never warns.
    """
    objective = objective.with_memory()
    scale = objective.residual_scale
    threshold = tol * scale
    # Column-major order: most rows are zero, and this order finds them fastest.
    W = W.copy(order="F")
    n_iter, stalled_on, worst = 0, np.empty(0), np.inf
    while True:
        loss, gradient = objective.evaluate(W)
        # Computed here, together with f(W): later, after other W, the result might differ.
        intercept = objective.smooth.intercept(W)
        residuals = prox_residuals(objective, W, gradient)
        before, worst = worst, residuals.max(initial=0.0)
        if worst <= threshold:
            threshold = 0.3 * worst  # for another round, if the gap requires one
        working = _working_set(objective, W, residuals, threshold)
        # A round aims at less than half the residual. If more is left, it may be rounding.
        lowest = 1e-14 * scale if worst <= 0.5 * before else _rounding(objective, W)
        settled = worst <= lowest or np.array_equal(working, stalled_on)
        small = worst <= tol * scale
        if small and has_minimum and not settled:
            small = _certified(objective, W, (loss, gradient), tol)
        status = _status(small, settled, n_iter >= max_iter)
        if status is not None:
            break
        features = objective.groups.features(working)
        block = restrict(objective, working, features, W[features], gradient[features])
        # Until the groups left out have entered, the working set need not be much more accurate
        # than they are. With more than n features, the next working set changes further digits,
        # so computing them is a waste.
        many = len(features) > max(objective.smooth.n_samples, MANY)
        left_out = np.delete(residuals, working).max(initial=0.0)
        block_tol = max(0.5 * threshold, _LEFT_OUT * left_out, 0.1 * worst if many else 0.0)
        sweeps, stalled = solve_block(block, block_tol, max_iter - n_iter)
        n_iter += sweeps
        stalled_on = working if stalled else np.empty(0)
        block.finish()
        W[features] = block.W
    return solution(objective, W, (loss, gradient, intercept), worst, n_iter, status)


def solution(objective, W, evaluated, worst, n_iter, status):
    """The `Solution` at W.

    `evaluated` is f(W), its gradient and the intercept. `worst` is the largest residual.
    """
    loss, gradient, intercept = evaluated
    scale = objective.residual_scale
    return Solution(
        W=W,
        intercept=intercept,
        gradient=gradient,
        loss=loss,
        value=loss + objective.strength * objective.penalty_sum(W),
        residual=float(worst / scale) if scale > 0 else 0.0,
        n_iter=n_iter,
        status=status,
    )


def refitted(objective, W, loss, gradient, tol=None, n_iter=0):
    """The `Solution` of a refit. `gradient` is 0 except on the features of W.

    tol=None stands for an exact refit.
    """
    if objective.penalty.positive:
        worst = prox_residuals(objective, W, gradient).max(initial=0.0)
    else:
        L = np.where(objective.lipschitz > 0, objective.lipschitz, np.inf)
        worst = (objective.groups.norms(gradient) / np.sqrt(L)).max(initial=0.0)
    evaluated = loss, gradient, objective.smooth.intercept(W)
    small = tol is None or worst <= tol * objective.residual_scale
    status = Status.CONVERGED if small else Status.MAX_ITER
    return solution(objective, W, evaluated, worst, n_iter, status)


def _status(small, settled, spent):
    """The outcome, or None to go on.

    Once settled, only rounding is left. If the residual is too large, the outcome is
    PRECISION. If only the gap is too large, the small residual is enough.
    """
    if small:
        return Status.CONVERGED
    if settled:
        return Status.PRECISION
    return Status.MAX_ITER if spent else None


def _rounding(objective, W):
    """The residual that rounding in the last digits of W may leave.

    Where features nearly cancel, it is far more than 1e-14, and no gap can be certified.
    """
    sizes = np.sqrt(objective.lipschitz) * objective.groups.norms(W)
    return max(1e-14 * objective.residual_scale, np.finfo(float).eps * float(np.linalg.norm(sizes)))


def _certified(objective, W, evaluated, tol):
    """Whether a convex objective is within tol · f(0) of its minimum.

    On ill-conditioned data, a small residual does not prove this. A gap that may be only
    rounding is accepted, as further steps would not reduce it. Without convexity there is no
    gap, and the result is True.
    """
    if not objective.penalty.convex:
        return True
    gap = objective.duality_gap(W, evaluated, rounding=-1.0)
    return gap <= tol * objective.smooth.value_at_zero


def prox_residuals(objective, W, gradient):
    """√L_g‖W_g − prox(W_g − ∇_g f/L_g)‖ of every group: shape (n_groups,).

    `objective` is an `Objective`, or one restricted to a working set.
    If the group moves, the objective falls by at least half the square of its residual.
    """
    groups, L = objective.groups, objective.lipschitz
    if len(groups) <= MANY:
        return np.sqrt(L) * groups.norms(prox_steps(objective, W, gradient, L))
    # The penalty holds groups with small gradients at zero: most of them, if there are many.
    moving = np.flatnonzero((groups.norms(W) > 0) | (groups.norms(gradient) > objective.holding))
    features, some = groups.features(moving), groups.restrict(moving)
    steps = _prox_steps(
        objective.penalty, W[features], gradient[features], L[moving],
        objective.strengths[moving], some.ptr,
    )  # fmt: skip
    residuals = np.zeros(len(groups))
    residuals[moving] = np.sqrt(L[moving]) * some.norms(steps)
    return residuals


def prox_steps(objective, W, gradient, curvature):
    """prox(W_g − ∇_g/c_g) − W_g for curvatures c (n_groups,), in the shape of W."""
    return _prox_steps(
        objective.penalty, W, gradient, curvature, objective.strengths, objective.groups.ptr
    )


def _prox_steps(penalty, W, gradient, curvature, strengths, ptr):
    coef, slope = np.ascontiguousarray(W.T), np.ascontiguousarray(gradient.T)
    prox = kernels.prox_of(penalty)
    return kernels.prox_steps(prox, coef, slope, curvature, strengths, ptr).T


def _working_set(objective, W, residuals, threshold):
    """The groups alive, and up to max(10, as many) others with the largest residuals."""
    alive = objective.groups.norms(W) > 0
    room = max(_MIN_WORKING, int(alive.sum()))
    offenders = np.flatnonzero((residuals > threshold) & ~alive)
    if len(offenders) > room:
        worst = np.argpartition(residuals[offenders], -room)[-room:]
        offenders = offenders[worst]
    alive[offenders] = True
    return np.flatnonzero(alive)


class Block(ABC):
    """The objective on a working set, with W and ∇f kept together.

    Attributes
    ----------
    scale : float
        2 f(0), with which changes of the objective are compared.
    cost : CostMeter
    """

    def __init__(self, objective, working):
        self.penalty = objective.penalty
        self.groups = objective.groups.restrict(working)
        self.strengths = objective.strengths[working]
        self.lipschitz = objective.lipschitz[working]
        self.scale = 2 * objective.smooth.value_at_zero
        self.cost = objective.cost

    @cached_property
    def holding(self):
        """See `Objective.holding`."""
        return self.penalty.holding(self.strengths, self.lipschitz, self.groups)

    @property
    @abstractmethod
    def W(self):
        """(n_features, n_targets)."""

    @property
    @abstractmethod
    def gradient(self):
        """∇f(W)."""

    @abstractmethod
    def loss(self):
        """f(W)."""

    @abstractmethod
    def sweep(self, tol, n_sweeps):
        """Sweep over the coordinates, at most `n_sweeps` times. Returns the number of sweeps."""

    @abstractmethod
    def sweeps_per_round(self):
        """Number of sweeps that cost about as much as one Newton step."""

    @abstractmethod
    def newton_step(self, tol):
        """Take a Newton step if it lowers the objective. Returns whether it did."""

    @abstractmethod
    def polish(self, tol):
        """Reduce the residual well below tol if that is cheap."""

    def finish(self):  # noqa: B027
        """Bring W to its final form."""

    def penalty_sum(self, W):
        return self.penalty.total(W, self.groups, self.strengths)

    def value(self):
        return self.loss() + self.penalty_sum(self.W)

    def curvature(self):
        """The penalty's `Curvature` at W, and ∇F on its smooth entries."""
        return self.curvature_at(self.W, self.gradient)

    def curvature_at(self, W, gradient):
        """The same at any W, given ∇f there."""
        model = self.penalty.curvature(W, self.groups, self.strengths)
        return model, np.where(model.smooth, gradient + model.gradient, 0.0)

    def worst_norm(self, gradient):
        """The largest norm of a group of `gradient`, in units of the residual."""
        moving = self.lipschitz > 0
        norms = self.groups.norms(gradient)[moving] / np.sqrt(self.lipschitz[moving])
        return norms.max(initial=0.0)


def solve_block(block, tol, max_sweeps):
    """Solve the block to tol. Returns the number of sweeps, and whether rounding stopped it."""
    n_sweeps = 0
    value = block.value()
    idle = 0
    while n_sweeps < max_sweeps:
        asked = min(block.sweeps_per_round(), max_sweeps - n_sweeps)
        made = block.sweep(tol, asked)
        n_sweeps += made
        # The sweep measured each group when it moved. Later moves may have changed that.
        if made < asked and prox_residuals(block, block.W, block.gradient).max() <= 2 * tol:
            block.polish(tol)
            return n_sweeps, False
        for _ in range(_NEWTON_STEPS):
            if not block.newton_step(tol):
                break
        previous, value = value, block.value()
        idle = idle + 1 if previous - value <= 1e-15 * block.scale else 0
        if idle == 3:
            return n_sweeps, True
    return n_sweeps, False
