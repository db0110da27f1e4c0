"""Solutions along a path of penalty strengths.

A convex objective is solved from the strongest penalty down, and each solution is the
warm start for the next. For the bridge, see `search`.
"""

import numpy as np

from shrinklin.blas import one_blas_thread
from shrinklin.solvers import search
from shrinklin.solvers.solution import PackedSolution, Solution


def solve_path(objective, strengths, solver, *, tol, max_iter, start=None, report=lambda: None):
    """A `Solution` for each of `strengths`, which are sorted from large to small.

    If there are several, each is a `PackedSolution`. `start` is a W to start from. `report()`
    is called `n_steps` times.
    """

    def solve(objective, W, max_iter=max_iter, tol=tol):
        return solver.solve(objective, W, tol=tol, max_iter=max_iter)

    with one_blas_thread():
        # One memory for the whole path: each descent uses the results of earlier ones.
        objective = objective.with_memory()
        if _convex(objective, strengths):
            W = objective.null_model if start is None else objective.penalty.within(start)
            return _follow(objective, strengths, solve, W, report)
        return search.Search(objective, strengths, solve, tol, start, report).run()


def _convex(objective, strengths):
    """Whether a descent is enough. With strength 0, any penalty is convex."""
    return objective.penalty.convex or not any(strengths)


def n_steps(objective, strengths):
    """How often `solve_path` calls `report`."""
    if _convex(objective, strengths):
        return len(strengths)
    return search.n_steps(objective, strengths)


def _follow(objective, strengths, solve, W, report):
    """Solve from W on. W is smooth in the strength: each start extrapolates two solutions."""
    solutions: list[Solution | PackedSolution] = []
    last: list[np.ndarray] = []
    for i, strength in enumerate(strengths):
        if i >= 2:
            W = _extrapolated(objective, strengths[i - 2 : i + 1], last)
        solution = solve(objective.at(strength), W)
        solutions.append(solution if len(strengths) == 1 else solution.packed())
        W = solution.W
        last = [*last[-1:], W]
        report()
    return solutions


def _extrapolated(objective, strengths, solutions):
    """W at the last of three strengths, on the line through the solutions at the other two.

    Groups that the line takes through zero are set to zero, and so are entries where they have a
    kink of their own. Groups that are zero in the first
    solution keep their values of the second. If the last strength is further away than the
    other two are from each other, the second solution is returned.
    """
    before, now = solutions
    step, reach = strengths[0] - strengths[1], strengths[1] - strengths[2]
    if reach > step:
        return now
    alive = np.flatnonzero(objective.groups.norms(now))
    features, groups = objective.groups.features(alive), objective.groups.restrict(alive)
    before, now = before[features], now[features]
    W = now + reach / step * (now - before) if step > 0 else now
    kept = groups.spread(groups.sum((W * now).sum(axis=1)) > 0)[:, None]
    if not objective.penalty.radial:
        kept = kept & (W * now > 0)
    W = np.where(kept, W, 0.0)
    new = groups.norms(before) == 0
    start = np.zeros(objective.shape, order="F")
    start[features] = np.where(groups.spread(new)[:, None], now, W)
    return start
