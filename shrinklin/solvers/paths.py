"""Solutions along a path of penalty strengths.

A convex objective is solved from the strongest penalty down, each point warm-started
from the one before. For the bridge see `search`.
"""

import numpy as np

from shrinklin.blas import one_blas_thread
from shrinklin.solvers import search
from shrinklin.solvers.solution import PackedSolution, Solution


def solve_path(objective, strengths, solver, *, tol, max_iter, start=None, report=lambda: None):
    """A `Solution`, of many packed, for each of `strengths`, sorted from large to small.

    `start` is a W to begin from. `report()` is called `n_steps` times.
    """

    def solve(objective, W, max_iter=max_iter, tol=tol):
        return solver.solve(objective, W, tol=tol, max_iter=max_iter)

    with one_blas_thread():
        # One for the whole path: what a descent has computed serves the next.
        objective = objective.with_memory()
        if _convex(objective, strengths):
            W = objective.null_model if start is None else start
            return _follow(objective, strengths, solve, W, report)
        return search.Search(objective, strengths, solve, tol, start, report).run()


def _convex(objective, strengths):
    """Whether a descent is enough: a penalty of no strength is none."""
    return objective.penalty.convex or not any(strengths)


def n_steps(objective, strengths):
    """How often `solve_path` reports."""
    if _convex(objective, strengths):
        return len(strengths)
    return search.n_steps(objective, strengths)


def _follow(objective, strengths, solve, W, report):
    """From W on, each point begun where the last two point to: it is smooth in the strength."""
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
    """W at the last of three strengths on the line through the solutions at the other two.

    Groups that it would take through zero are left there; those that are new stay where
    they are. Further than the step between the two it does not reach.
    """
    before, now = solutions
    step, reach = strengths[0] - strengths[1], strengths[1] - strengths[2]
    if reach > step:
        return now
    alive = np.flatnonzero(objective.groups.norms(now))
    features, groups = objective.groups.features(alive), objective.groups.restrict(alive)
    before, now = before[features], now[features]
    W = now + reach / step * (now - before) if step > 0 else now
    kept = groups.sum((W * now).sum(axis=1)) > 0
    W = np.where(groups.spread(kept)[:, None], W, 0.0)
    new = groups.norms(before) == 0
    start = np.zeros(objective.shape, order="F")
    start[features] = np.where(groups.spread(new)[:, None], now, W)
    return start
