"""The bridge's minima against brute force over supports."""

from functools import cache
from itertools import islice

import numpy as np
import pytest

from builders import build, solve
from oracles import brute_force_bridge
from problems import random_small, simulate
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.solvers import local_search, search
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.paths import solve_path

PENALTIES = {2: Bridge2(), 1: Bridge1()}


def small_problem(seed, p):
    X, Y = random_small(seed)
    share = 10 ** -np.random.default_rng(seed).uniform(0.05, 2.5)
    return X, Y, build(X, Y, PENALTIES[p], share=share)


@cache
def least(seed, p):
    """The problem's objective, and its minimum by brute force."""
    X, Y, objective = small_problem(seed, p)
    return objective, brute_force_bridge(X, Y, objective.strength, p)


def excess(find, p, n_problems):
    """Relative excess of `find(objective)` over brute force, on every problem."""
    problems = [least(seed, p) for seed in range(n_problems)]
    return np.array([find(objective) / best - 1 for objective, best in problems])


def whole_search(objective):
    solver = CoordinateDescent()
    return solve_path(objective, [objective.strength], solver, tol=1e-6, max_iter=10_000)[0].value


@pytest.mark.parametrize(("p", "n_problems"), [(2, 200), (1, 60)])
@pytest.mark.untraced
def test_global_optimum_in_99_percent(p, n_problems):
    found = excess(whole_search, p, n_problems)
    assert np.mean(found > 1e-6) <= 0.01
    assert found.max() < 1e-3


def test_p_1_needs_starts_of_two_groups(monkeypatch):
    """Here two groups together do what each alone does not, and greedy supports miss them."""
    objective, best = least(1178, 1)
    assert whole_search(objective) <= best * (1 + 1e-6)
    monkeypatch.setattr(search, "_SMALL", 0)
    assert whole_search(objective) > best * (1 + 1e-3)


def test_one_descent_alone_would_be_rejected():
    # What the test above is there to catch.
    found = excess(lambda objective: solve(objective).value, 2, 60)
    assert np.mean(found > 1e-6) > 0.01


def dropping(stationary):
    """All moves that drop a group."""
    costs = stationary.drop_scores()
    pairs = zip(costs, stationary.droppable, strict=True)
    return [local_search.Move(cost, int(g)) for cost, g in pairs]


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("labels", [None, [i // 2 for i in range(12)]])
def test_negative_scores_are_real_improvements(p, labels):
    # The majoriser lies above the objective: after a move of score s the joint
    # minimum over the new support is at most value + s.
    rng = np.random.default_rng(0)
    tried = 0
    for seed in range(12):
        X, Y = simulate(40, 12, 2, 6, correlation=0.6, noise=2, seed=seed)
        objective = build(X, Y, PENALTIES[p], share=0.1 * rng.uniform(0.5, 2), labels=labels)
        start = solve(objective, rng.normal(size=objective.shape))
        stationary = local_search._Stationary(objective, start)
        drops = dropping(stationary)
        stationary.consider(drops, len(objective.groups))
        for move in stationary.additions() + drops + stationary.swaps(drops):
            trial = stationary.after([move])
            W = trial.whole()
            assert trial.value == pytest.approx(objective.value(W), rel=1e-9)
            if p == 2:  # for p = 1 the curvature of a block is a bound
                assert trial.value <= start.value + move.score + 1e-8
            steps = local_search.majorise_minimise(objective, W)
            assert next(steps)[1] == pytest.approx(trial.value, rel=1e-9)
            assert next(steps)[1] <= trial.value + 1e-8
            tried += 1
    assert tried > 50


@pytest.mark.parametrize("labels", [None, [i // 2 for i in range(12)]])
def test_scores_are_the_minima_of_the_quadratic_model(labels):
    # f + ½ Σ d W² + const touches F at the start; without g its minimum is a ridge solve.
    X, Y = simulate(40, 12, 2, 6, correlation=0.6, noise=2)
    objective = build(X, Y, PENALTIES[2], share=0.05, labels=labels)
    start = solve(objective)
    stationary = local_search._Stationary(objective, start)
    groups, support = objective.groups, stationary.support
    d = np.zeros(len(start.W))
    d[support.features] = stationary.model.majoriser[:, 0]
    values = objective.strengths * objective.penalty.values(start.W, groups)
    constants = values - 0.5 * groups.sum(d * (start.W**2).sum(axis=1))
    assert len(stationary.droppable) > 2
    for g, score in zip(stationary.droppable, stationary.drop_scores(), strict=True):
        owner = groups.spread(np.arange(len(groups)))
        rest = np.flatnonzero((owner != support.members[g]) & (d > 0))
        G, C = objective.smooth.block(rest), objective.smooth.C[rest]
        least = 0.5 * (objective.smooth.yy - np.vdot(C, np.linalg.solve(G + np.diag(d[rest]), C)))
        model = least + constants.sum() - constants[support.members[g]]
        assert start.value + score == pytest.approx(model, rel=1e-8)


@pytest.mark.parametrize("p", [1, 2])
def test_majorise_minimise_never_climbs(p):
    X, Y = simulate(40, 12, 3, 6)
    objective = build(X, Y, PENALTIES[p], share=0.2)
    W = np.random.default_rng(0).normal(size=objective.shape)
    steps = islice(local_search.majorise_minimise(objective, W), 50)
    points, values = zip(*steps, strict=True)
    np.testing.assert_allclose(values, [objective.value(W) for W in points], rtol=1e-12)
    assert np.all(np.diff(values) <= 1e-12)
    assert np.isfinite(points).all()


def test_improve_keeps_what_it_cannot_better():
    X, Y = simulate(40, 8, 2)
    objective = build(X, Y, Bridge2(), strength=1e6)
    zero = solve(objective)

    def descend(W):
        return solve(objective, W)

    def glance(objective, W, enough):
        return W, objective.value(W)

    assert local_search.improve(objective, zero, descend, glance) is zero
    assert local_search.improve(objective, zero, descend) is zero
