r"""Minima of a non-convex objective along a path of penalty strengths.

The bridge is not convex, and the result from a single start is often several percent off. So
the path is followed from both ends: from zero with a quick `local_search`, which lets features
in, and from a dense group lasso with a thorough one. What is found at one strength often is a good
start for others nearby, so few strengths are searched with some neighbours on both sides. Every
point found goes into a pool, and each strength κ takes its best point from the pool. If that is
better than the point it had, the search continues from there. As a function of κ, the objective of
a fixed W is the straight line f(W) + κ Σ ω φ(W). So choosing from the pool means reading off the
lower envelope of these lines, and costs nothing. With p = 1, the search also starts from supports
that grow by one group at a time (`greedy`).
"""

from dataclasses import replace
from itertools import combinations

import numpy as np

from shrinklin.objective.quadratic import Quadratic
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.solvers.greedy import greedy_path
from shrinklin.solvers.local_search import improve, majorise_minimise
from shrinklin.solvers.proximal_newton import newton_steps
from shrinklin.solvers.solution import PackedSolution

# With a ridge, minima differ less, and the search from the dense end visits every so many strengths
# of a long path. The others choose from the pool, and descend.
_RIDGED_STEP = 5
# The bridge is followed through at least this many strengths from each end.
_MIN_STEPS = 10
# A single strength is searched with this many neighbours on each side, each _STEP times the last.
# Several strengths get fewer each. Regression with p = 2 does not need that.
_NEIGHBOURS, _STEP = 2, 0.8
# From zero, where the search is quick, a long path is thinned to this many strengths or up to
# twice as many.
_SPARSE_STEPS = 20
_GROUP_LASSO_STEPS = 20
_GROUP_LASSO_EPS = 1e-3
# The dense end needs no more features than _DENSE_FACTOR times those of the sparse end, plus
# _DENSE_EXTRA.
_DENSE_FACTOR, _DENSE_EXTRA = 3, 30
# The group lasso only provides starting points, so it need not be accurate.
_GROUP_LASSO_SWEEPS, _GROUP_LASSO_TOL = 300, 1e-3
# Values with a smaller relative difference belong to the same minimum.
_ALIKE = 1e-6
# Tolerance of descents during the search. Returned solutions have the requested tolerance.
_ROUGH_TOL = 1e-4
# With p = 1, greedy supports lead to lower minima: by 0.1 % on average on small random problems,
# by up to 4 %. With p = 2 they hardly ever do. Every so many strengths of a long path try them.
_GREEDY_STEP = 5
# With at most _SMALL groups, all supports of one or two groups are starts too, and each strength
# tries the best of them.
_SMALL, _SMALL_STARTS = 12, 8
# Ridge of greedy supports of classes, relative to the largest curvature of each group.
_GREEDY_RIDGE = 1e-3
# Number of steps from a trial of the thorough search before it is judged. With p = 1, where steps
# end at kinks, more of them find lower minima.
_GLANCE_STEPS, _GLANCE_STEPS_BETWEEN_KINKS = 2, 4


class Search:
    """Two-ended search for the minima of a non-convex objective.

    `found` holds the best solution so far for every strength of `visited`: those that are
    requested, and their neighbours. Other strengths only lead from one to the next.
    """

    def __init__(self, objective, strengths, solve, tol, start, report):
        self.objective, self.strengths = objective, strengths
        self.solve, self.report = solve, report
        self.rough_tol = max(tol, _ROUGH_TOL)
        self.visited = _with_neighbours(objective, strengths)
        step = 1 if objective.smooth.ridge is None or _few(strengths) else _RIDGED_STEP
        self.searched = set(self.visited[::step])
        self.found: dict[float, PackedSolution] = {}
        self.pool = _Pool(objective)
        self.pool.add(objective.null_model)
        if start is not None:
            self.pool.add(start)

    def run(self):
        down, up = passes(self.objective, self.strengths)
        sparse_end = self._follow(down, self.objective.null_model, thorough=False)
        dense_end = self._follow_group_lasso(sparse_end)
        self._follow(up, dense_end, thorough=True)
        if _few(self.strengths):
            for strength in self.strengths:
                self._settle(strength, dense_end)
        if not self.objective.penalty.radial:
            self._follow_greedy()
        for strength in [*self.visited, *self.visited[::-1]]:
            value, W = self.pool.best(strength)
            if value < self.found[strength].value * (1 - _ALIKE):
                self._settle(strength, W)
        return [self._polished(strength) for strength in self.strengths]

    def _follow(self, strengths, W, thorough):
        for strength in strengths:
            W = self._settle(strength, W, thorough).W
            self.report()
        return W

    def _settle(self, strength, W, thorough=True):
        """Descend from W. At strengths that are searched, continue with a local search."""
        objective = self.objective.at(strength)

        def solve(W):
            return self.solve(objective, W, tol=self.rough_tol)

        solution = solve(W)
        if strength in self.visited:
            if strength in self.searched or not thorough:
                solution = improve(objective, solution, solve, _glance if thorough else None)
            known = self.found.get(strength)
            if thorough and (known is None or solution.value < known.value):
                self.found[strength] = solution.packed()
        self.pool.add(solution.W, solution.loss)
        return solution

    def _polished(self, strength):
        self.report()
        return self.solve(self.objective.at(strength), self.found[strength].W).packed()

    def _follow_group_lasso(self, sparse_end):
        """Add group lasso solutions and their refits to the pool; return the densest solution."""
        lasso = replace(self.objective, penalty=GroupLasso())
        enough = _DENSE_FACTOR * int(sparse_end.any(axis=1).sum()) + _DENSE_EXTRA
        smooth = self.objective.smooth
        # With a ridge, more features than samples may help.
        most = smooth.n_samples if smooth.ridge is None else len(sparse_end)
        enough = min(enough, most, len(sparse_end))
        grid = lasso.strength_max() * np.geomspace(1, _GROUP_LASSO_EPS, _GROUP_LASSO_STEPS)
        W, support = lasso.null_model, np.empty(0, dtype=int)
        thinned = self.strengths[:: -(-len(self.strengths) // _GROUP_LASSO_STEPS)]
        for strength in sorted([*grid, *thinned], reverse=True):
            solution = self.solve(lasso.at(strength), W, _GROUP_LASSO_SWEEPS, _GROUP_LASSO_TOL)
            W = solution.W
            self.pool.add(W, solution.loss)
            previous, support = support, np.flatnonzero(W.any(axis=1))
            if not np.array_equal(support, previous):
                model = self.objective.smooth.model(W)
                self.pool.add(model.minimise(np.zeros_like(W), support))
            if len(support) >= enough:
                break
        return W

    def _follow_greedy(self):
        """Settle from supports that grow by one group at a time; of few groups, from more."""
        grown, small = _Pool(self.objective), len(self.objective.groups) <= _SMALL
        most = max(len(solution.support) for solution in self.found.values())
        for solution in greedy_path(_with_some_ridge(self.objective), most, n_trials=1):
            grown.add(solution.W)
        if small:
            for W in _of_one_or_two(self.objective):
                grown.add(W)
        few = _few(self.strengths)
        for strength in self.strengths[:: 1 if few else _GREEDY_STEP]:
            for _, W in grown.lowest(strength, _SMALL_STARTS if few and small else 1):
                self._settle(strength, W)


def _of_one_or_two(objective):
    """Minima of f, or of its model at 0, on supports of one or two penalised groups."""
    model, groups = objective.smooth.model(objective.null_model), objective.groups
    free, penalised = np.flatnonzero(groups.weights == 0), np.flatnonzero(groups.weights)
    for size in (1, 2):
        for some in combinations(penalised, size):
            features = groups.features(np.union1d(free, some))
            yield model.minimise(np.zeros(objective.shape), features)


def _with_some_ridge(objective):
    """The objective for greedy supports: those of classes need a ridge."""
    smooth, L = objective.smooth, objective.lipschitz
    if isinstance(smooth, Quadratic) or smooth.ridge is not None:
        return objective
    ridge = _GREEDY_RIDGE * np.where(L > 0, L, 1.0) * (objective.groups.weights > 0)
    return replace(objective, smooth=smooth.ridged(objective.groups.spread(ridge)))


def n_steps(objective, strengths):
    """How often a search calls `report`."""
    return sum(map(len, passes(objective, strengths))) + len(strengths)


def passes(objective, strengths):
    """The strengths to follow downwards from zero, and upwards from the dense end.

    Strengths are added before and between the requested ones, enough to follow the solution.
    If there are many, only a share is followed from zero.
    """
    grid = _with_more_between(objective, strengths)[::-1]
    if _few(strengths):
        return [s for s in grid[::-1] if s >= strengths[-1]], grid
    step = max(1, len(grid) // _SPARSE_STEPS)
    return grid[::step][::-1], grid


def _few(strengths):
    return len(strengths) < _MIN_STEPS


def _with_more_between(objective, strengths):
    visited = _with_neighbours(objective, strengths)
    largest, least = objective.strength_max(), min((s for s in strengths if s > 0), default=0)
    if least == 0 or largest <= least:
        return visited
    return sorted({*visited, *np.geomspace(least, largest, _MIN_STEPS)}, reverse=True)


def _with_neighbours(objective, strengths):
    easy = objective.penalty.radial and isinstance(objective.smooth, Quadratic)
    if easy or not _few(strengths):
        return strengths
    largest, each = objective.strength_max(), -(-_NEIGHBOURS // len(strengths))
    steps = _STEP ** np.arange(-each, each + 1.0)
    near = {float(s) for s in np.outer(strengths, steps).flat if 0 < s < largest}
    return sorted({*strengths, *near}, reverse=True)


def _glance(objective, W, enough):
    """A few steps from W: the W reached and F there. The steps succeed if F is below `enough`."""
    quadratic = isinstance(objective.smooth, Quadratic)
    steps = (majorise_minimise if quadratic else newton_steps)(objective, W)
    W, value = next(steps)
    for _ in range(_GLANCE_STEPS if objective.penalty.radial else _GLANCE_STEPS_BETWEEN_KINKS):
        before = value
        W, value = next(steps)
        # Steps shrink, so all further gains together are about as large as the last one.
        if value < enough or value - enough > 3 * (before - value):
            break
    return W, value


class _Pool:
    """Points W with f(W) and Σ ω φ(W). Any strength can pick its best point."""

    def __init__(self, objective):
        self.objective = objective
        self.points, self.smooth, self.penalty = [], [], []

    def add(self, W, loss=None):
        loss = self.objective.smooth.evaluate(W)[0] if loss is None else loss
        alive = np.flatnonzero(W.any(axis=1))
        self.points.append((alive, W[alive]))
        self.smooth.append(loss)
        self.penalty.append(self.objective.penalty_sum(W))

    def best(self, strength):
        """(F, W) of the best point."""
        return next(self.lowest(strength, 1))

    def lowest(self, strength, n):
        """Yield (F, W) of the n best points."""
        values = np.array(self.smooth) + strength * np.array(self.penalty)
        for i in np.argsort(values, kind="stable")[:n]:
            W = np.zeros(self.objective.shape)
            alive, rows = self.points[i]
            W[alive] = rows
            yield values[i], W
