import numpy as np
import pytest

from builders import CLASS_PROBLEMS, build, build_classes, descend, solve
from problems import PROBLEMS, simulate, simulate_classes
from shrinklin.penalties import Bridge1, Bridge2, GroupLasso
from shrinklin.solvers.working_sets import prox_residuals

LABELS = {"singletons": None, "groups": [i // 3 for i in range(12)]}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2(), Bridge1()], ids=type)
def test_strength_max_is_where_zero_stops_being_a_fixed_point(penalty, labels):
    X, Y = simulate(60, 12, 3)
    weights = np.repeat([0.5, 1.0, 2.0, 3.0], 3)
    objective = build(X, Y, penalty, labels=labels, weights=weights)
    zero = np.zeros(objective.shape)
    gradient = objective.smooth.gradient(zero)
    largest = objective.strength_max()
    assert not prox_residuals(objective.at(largest * (1 + 1e-9)), zero, gradient).any()
    assert prox_residuals(objective.at(largest * (1 - 1e-9)), zero, gradient).any()


@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2(), Bridge1()], ids=type)
def test_strength_max_is_taken_after_unpenalised_features(penalty):
    X, Y = simulate(60, 12, 3, correlation=0.7)
    objective = build(X, Y, penalty, weights=[0, 0, *np.ones(10)])
    largest = objective.strength_max()
    start = objective.smooth.minimise(np.zeros(objective.shape), np.arange(2))
    gradient = objective.smooth.gradient(start)
    for factor, stays in ((1 + 1e-6, True), (1 - 1e-6, False)):
        residuals = prox_residuals(objective.at(factor * largest), start, gradient)
        assert (residuals[2:].max() == 0) == stays


@pytest.mark.parametrize("name", PROBLEMS)
def test_gap_bounds_the_excess_and_closes(name):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, share=0.1)
    best = solve(objective, tol=1e-10)
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for max_iter in (1, 2, 4):
        rough = solve(objective, max_iter=max_iter, tol=1e-12)
        excess = rough.value - best.value
        assert objective.duality_gap(rough.W) >= excess - 1e-12 * best.value


def test_gap_with_unpenalised_features():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, weights=[0, 0, *np.ones(10)], share=0.2)
    best = solve(objective)
    assert best.W[:2].all()
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    off = best.W.copy()
    off[0] += 0.1
    # The two are equal there, but for rounding.
    above = objective.value(off) - best.value
    assert objective.duality_gap(off) >= above * (1 - 1e-12)


def test_gap_of_no_penalty_is_the_excess_over_least_squares():
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, strength=0.0)
    W = objective.smooth.minimise(np.zeros(objective.shape), np.arange(12))
    assert objective.duality_gap(W) <= 1e-10
    zero = np.zeros_like(W)
    assert objective.duality_gap(zero) == pytest.approx(objective.value(zero) - objective.value(W))


def test_a_gap_that_skips_the_scaling_is_rejected():
    # The mutant takes the residual itself for dual feasible.
    X, Y = simulate(60, 12, 3)
    objective = build(X, Y, share=0.3)
    best = solve(objective)
    W = np.zeros(objective.shape)
    r_y = objective.smooth.yy - np.vdot(objective.smooth.C, W)
    mutant = objective.value(W) - (r_y - 0.5 * objective.smooth.yy)
    assert mutant < objective.value(W) - best.value <= objective.duality_gap(W)


two_or_more = pytest.mark.parametrize("n_classes", [2, 4])


@two_or_more
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2(), Bridge1()], ids=type)
def test_strength_max_of_classes_is_where_zero_stops_being_a_fixed_point(
    penalty, labels, n_classes
):
    X, codes = simulate_classes(60, 12, n_classes)
    weights = np.repeat([0.5, 1.0, 2.0, 3.0], 3)
    objective = build_classes(X, codes, penalty, labels=labels, weights=weights)
    zero = np.zeros(objective.shape)
    gradient = objective.smooth.evaluate(zero)[1]
    largest = objective.strength_max()
    assert not prox_residuals(objective.at(largest * (1 + 1e-9)), zero, gradient).any()
    assert prox_residuals(objective.at(largest * (1 - 1e-9)), zero, gradient).any()
    assert not descend(objective.at(largest * (1 + 1e-9))).W.any()
    assert descend(objective.at(largest * (1 - 1e-2))).W.any()


@two_or_more
@pytest.mark.parametrize("penalty", [GroupLasso(), Bridge2(), Bridge1()], ids=type)
def test_strength_max_of_classes_is_taken_after_unpenalised_features(penalty, n_classes):
    X, codes = simulate_classes(80, 12, n_classes, correlation=0.7, noise=2)
    objective = build_classes(X, codes, penalty, weights=[0, 0, *np.ones(10)])
    largest = objective.strength_max()
    start = objective.smooth.minimise(np.zeros(objective.shape), np.arange(2))
    gradient = objective.smooth.evaluate(start)[1]
    for factor, stays in ((1 + 1e-6, True), (1 - 1e-6, False)):
        residuals = prox_residuals(objective.at(factor * largest), start, gradient)
        assert (residuals[2:].max() == 0) == stays
        assert residuals[:2].max() < 1e-7 * objective.residual_scale


@pytest.mark.parametrize("name", CLASS_PROBLEMS)
def test_gap_of_classes_bounds_the_excess_and_closes(name):
    X, codes = CLASS_PROBLEMS[name]()
    objective = build_classes(X, codes, share=0.1)
    best = descend(objective, tol=1e-10)
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for max_iter in (1, 2, 4):
        rough = descend(objective, max_iter=max_iter, tol=1e-12)
        excess = rough.value - best.value
        assert objective.duality_gap(rough.W) >= excess - 1e-12 * best.value


@two_or_more
def test_gap_of_classes_with_unpenalised_features(n_classes):
    X, codes = simulate_classes(80, 12, n_classes, noise=2)
    objective = build_classes(X, codes, weights=[0, 0, *np.ones(10)], share=0.2)
    best = descend(objective)
    assert best.W[:2].all()
    assert objective.duality_gap(best.W) <= 1e-8 * best.value
    for j in (0, 2, 11):
        off = best.W.copy()
        off[j] += np.linspace(0.1, 0.3, off.shape[1])
        excess = objective.value(off) - best.value
        assert objective.duality_gap(off) >= excess - 3e-10 * best.value


@two_or_more
def test_gap_of_classes_without_penalty_is_the_excess(n_classes):
    X, codes = simulate_classes(150, 6, n_classes, noise=3)
    objective = build_classes(X, codes, strength=0.0)
    W = objective.smooth.minimise(np.zeros(objective.shape), np.arange(6))
    assert objective.duality_gap(W) <= 1e-10
    zero = np.zeros_like(W)
    assert objective.duality_gap(zero) == pytest.approx(objective.value(zero) - objective.value(W))


@two_or_more
def test_a_gap_of_classes_that_skips_the_scaling_is_rejected(n_classes):
    # The mutant takes P − Y itself for dual feasible.
    X, codes = simulate_classes(80, 12, n_classes)
    objective = build_classes(X, codes, share=0.3)
    best, zero = descend(objective), np.zeros(objective.shape)
    value = objective.value(zero)
    mutant = value - objective.smooth.dual_value(zero, value, 1.0)
    assert mutant < value - best.value <= objective.duality_gap(zero)
