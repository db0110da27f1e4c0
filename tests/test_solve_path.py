"""`solve_path`: minima no worse than simpler searches find, and the same bits every time."""

import gc
import weakref
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from builders import build, build_classes, solve
from problems import random_small, simulate, simulate_classes
from shrinklin import GroupLassoRegressor, ProximalNewton, regularization_path
from shrinklin.data.design import Design
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.solvers.greedy import greedy_path
from shrinklin.solvers.paths import _extrapolated, n_steps, solve_path
from shrinklin.solvers.solution import Solution, Status


def run(objective, strengths, **options):
    options = {"tol": 1e-8, "max_iter": 10_000, **options}
    return solve_path(objective, strengths, CoordinateDescent(), **options)


@pytest.mark.parametrize("p", [1, 2])
def test_shrinknet_path_is_no_worse_than_a_warm_started_one(p):
    X, Y = simulate(60, 30, 3, 10, correlation=0.8, noise=2)
    objective = build(X, Y, {1: Bridge1(), 2: Bridge2()}[p], share=1.0)
    strengths = list(objective.strength * np.geomspace(1, 1e-2, 15))
    W = np.zeros(objective.shape)
    strictly = 0
    for strength, found in zip(strengths, run(objective, strengths), strict=True):
        one_way = solve(objective.at(strength), W, tol=1e-8)
        W = one_way.W
        assert found.value <= one_way.value * (1 + 1e-9)
        strictly += found.value < one_way.value * (1 - 1e-4)
    assert strictly > 0, "the problem is too easy to show anything"


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_never_worse_than_zero_start_or_group_lasso_support(p, seed):
    X, Y = random_small(seed)
    penalty = {1: Bridge1(), 2: Bridge2()}[p]
    objective = build(X, Y, penalty, share=0.2)
    start = np.random.default_rng(seed).normal(size=objective.shape)
    found = run(objective, [objective.strength], start=start)[0]
    rivals = [start, np.zeros(objective.shape)]
    lasso = build(X, Y, GroupLasso())
    for strength in [objective.strength, *(lasso.strength_max() * np.geomspace(1, 1e-3, 20))]:
        support = np.flatnonzero(solve(lasso.at(strength)).W.any(axis=1))
        rivals.append(objective.smooth.minimise(np.zeros(objective.shape), support))
    assert found.value <= min(objective.value(W) for W in rivals) * (1 + 1e-9)


def test_never_worse_than_a_start_from_greedy_supports():
    X, Y = simulate(40, 80, 2, 8, correlation=0.5, noise=1, seed=28)
    objective = build(X, Y, Bridge1(), share=1.0)
    strengths = objective.strength * np.geomspace(0.5, 0.03, 5)
    starts = [solution.W for solution in greedy_path(objective, 40)]
    for strength, found in zip(strengths, run(objective, list(strengths)), strict=True):
        at = objective.at(strength)
        rival = solve(at, min(starts, key=at.value))
        assert found.value <= rival.value * (1 + 1e-6)


@pytest.mark.parametrize(
    ("n_samples", "correlation", "noise", "seed"), [(60, 0.9, 1.0, 25), (40, 0.95, 0.5, 37)]
)
def test_a_single_strength_finds_what_its_path_finds(n_samples, correlation, noise, seed):
    # A search of the strength alone misses up to 1 %.
    X, Y = simulate(n_samples, 24, 3, 10, correlation, noise, seed)
    objective = build(X, Y, Bridge1(), share=1.0, labels=[i // 3 for i in range(24)])
    strengths = list(objective.strength * np.geomspace(1, 0.01, 20))
    path = run(objective, strengths)
    for i in range(2, 9):
        alone = run(objective, [strengths[i]])[0]
        assert alone.value <= path[i].value * (1 + 3e-4)


def hard_problem(seed):
    X, Y = simulate(60, 20, 3, 8, correlation=0.8, noise=2, seed=seed)
    return build(X, Y, Bridge2(), share=0.05)


def without_local_search(monkeypatch):
    monkeypatch.setattr(
        "shrinklin.solvers.search.improve", lambda objective, solution, *_: solution
    )


def test_the_start_is_pooled(monkeypatch):
    problems = [hard_problem(seed) for seed in range(12)]
    best = [run(objective, [objective.strength])[0] for objective in problems]
    without_local_search(monkeypatch)
    missed = 0
    for objective, known in zip(problems, best, strict=True):
        alone = run(objective, [objective.strength])[0]
        helped = run(objective, [objective.strength], start=known.W)[0]
        missed += alone.value > known.value * (1 + 1e-5)
        assert helped.value <= known.value * (1 + 1e-9)
    assert missed > 0, "a search that ignored the start would pass"


class GroupLassoOnly(CoordinateDescent):
    """Leaves a bridge penalty where it starts, so that only the pool of starts finds minima."""

    def solve(self, objective, W, *, tol, max_iter):
        if objective.penalty.convex:
            return super().solve(objective, W, tol=tol, max_iter=max_iter)
        loss, gradient = objective.smooth.evaluate(W)
        intercept = objective.smooth.intercept(W)
        value = objective.value(W)
        return Solution(W, intercept, gradient, loss, value, 0.0, 0, Status.CONVERGED)


def test_refitted_group_lasso_is_pooled(monkeypatch):
    without_local_search(monkeypatch)
    for seed in range(5):
        objective = hard_problem(seed)
        lasso = replace(objective, penalty=GroupLasso())
        support = np.flatnonzero(solve(lasso).W.any(axis=1))
        rival = objective.smooth.minimise(np.zeros(objective.shape), support)
        found = solve_path(
            objective, [objective.strength], GroupLassoOnly(), tol=1e-8, max_iter=1000
        )[0]
        assert found.value <= objective.value(rival) * (1 + 1e-9)


@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2()], ids=type)
@pytest.mark.parametrize("n", [1, 4, 12, 45])
def test_reports_as_often_as_announced(penalty, n):
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, penalty, share=1.0)
    strengths = list(objective.strength * np.geomspace(0.9, 1e-2, n))
    ticks = []
    run(objective, strengths, report=lambda: ticks.append(1))
    assert len(ticks) == n_steps(objective, strengths)


def test_a_path_points_to_its_next_solution():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, share=0.1)
    strengths = objective.strength * np.array([1.0, 0.99, 0.98])
    solutions = [solve(objective.at(s), tol=1e-12).W for s in strengths]
    guess = _extrapolated(objective, strengths, solutions[:2])
    # The error of the guess is of second order in the step, that of the last W of first order.
    assert np.abs(guess - solutions[2]).max() < 0.02 * np.abs(solutions[1] - solutions[2]).max()


def test_a_path_points_through_no_zero_and_not_too_far():
    X, Y = simulate(60, 3, 1)
    objective = build(X, Y)
    before, now = np.array([[2.0], [0.0], [1.0]]), np.array([[1.0], [0.5], [1.5]])
    point = [_extrapolated(objective, [3, 2, end], [before, now]).ravel() for end in (1.5, 1, 0.9)]
    np.testing.assert_array_equal(point[0], [0.5, 0.5, 1.75])
    np.testing.assert_array_equal(point[1], [0.0, 0.5, 2.0])
    np.testing.assert_array_equal(point[2], now.ravel())
    np.testing.assert_array_equal(_extrapolated(objective, [2, 2, 2], [now, now]), now)


@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_products_in_float32_are_not_what_ends_a_path(monkeypatch, mean):
    # Rejects code that reports no error of float32 products, and code that takes none.
    X, Y = simulate(60, 2000, 3, 10)
    X, rough, roughly = (X + mean).astype(np.float32), [], Design.correlate_roughly
    monkeypatch.setattr(
        Design, "correlate_roughly", lambda d, R: rough.append(roughly(d, R)) or rough[-1]
    )
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=20, eps=0.1)
    assert rough
    assert all(error > 0 for _, error in rough)
    objective = build(X.astype(float), Y)
    for alpha, coef in zip(path.alphas, path.coefs, strict=True):
        gap = objective.at(alpha).duality_gap(coef.T.astype(float))
        assert gap <= 1e-6 * objective.smooth.value_at_zero


def twice(objective, solver, share=0.1):
    """Whether a path has the same bits and the same cost before and after another path."""
    strengths = objective.strength_max() * np.geomspace(0.8, share, 6)
    options = {"solver": solver, "tol": 1e-8, "max_iter": 1000}
    found = []
    for k in range(3):
        before = copy(objective.cost)
        path = solve_path(objective, strengths / (1 + k % 2), **options)
        found.append(([s.W for s in path], objective.cost.since(before)))
    (first, cost), _, (again, cost_again) = found
    return cost == cost_again and all(map(np.array_equal, first, again))


@pytest.mark.parametrize("classes", [False, True])
def test_the_same_bits_whatever_was_asked_before(classes):
    if classes:
        X, y = simulate_classes(60, 30, 3)
        objective, solver = build_classes(X, y), ProximalNewton()
    else:
        X, Y = simulate(40, 60, 3, 5)
        objective, solver = build(X, Y, gram=False), CoordinateDescent(gram=False)
    assert twice(objective, solver)
    # An objective with a memory fails: results must be kept only while one path is solved.
    assert not twice(objective.with_memory(), solver)


@pytest.mark.parametrize("classes", [False, True])
def test_the_same_bits_whatever_was_known_of_the_objective(classes):
    def made():
        labels, weights = np.arange(60) // 5, np.repeat([0.0, 1.0], [5, 55])
        if classes:
            X, y = simulate_classes(60, 60, 3)
            return build_classes(X, y, labels=labels, weights=weights), ProximalNewton()
        X, Y = simulate(60, 60, 3, 5)
        options = {"labels": labels, "weights": weights, "gram": False}
        return build(X, Y, **options), CoordinateDescent(gram=False)

    def solved(objective, solver):
        return solve_path(objective, [0.01], solver, tol=1e-8, max_iter=1000)[0].W

    objective, solver = made()
    first = solved(objective, solver)
    objective.strength_max()
    np.testing.assert_array_equal(solved(objective, solver), first)
    known, solver = made()
    known.strength_max()
    np.testing.assert_array_equal(solved(known, solver), first)


@pytest.mark.parametrize("classes", [False, True])
def test_data_are_let_go_without_waiting_for_the_garbage_collector(classes):
    # Circles of references would keep copies of X until it runs.
    if classes:
        objective, solver = build_classes(*simulate_classes(60, 30, 3)), ProximalNewton()
    else:
        objective = build(*simulate(40, 60, 3, 5), gram=False)
        solver = CoordinateDescent(gram=False)
    gc.disable()
    try:
        remembering = objective.with_memory()
        solver.solve(remembering, np.zeros(objective.shape), tol=1e-6, max_iter=100)
        alive = [weakref.ref(part.smooth.design) for part in (objective, remembering)]
        del objective, remembering
        assert [ref() for ref in alive] == [None, None]
    finally:
        gc.enable()
