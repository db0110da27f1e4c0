"""The exact solver against an independent solver, and its two forms against each other."""

import cvxpy as cp
import numpy as np
import pytest
from sklearn.linear_model import Lasso

from builders import build, every_penalty, prox, solve
from oracles import fista_group_lasso, squared_loss
from problems import PROBLEMS, simulate
from shrinklin.data.gram import takes_gram
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.solvers import coordinate_descent
from shrinklin.solvers.coordinate_descent import CoordinateDescent, _QuadraticBlock
from shrinklin.solvers.newton import NewtonSystem
from shrinklin.solvers.solution import Status
from shrinklin.solvers.working_sets import prox_residuals, prox_steps

every_problem = pytest.mark.parametrize("name", PROBLEMS)


def brute_residual(objective, W):
    """max_g √L_g‖W_g − prox(...)‖, group by group, in plain Python."""
    gradient = objective.smooth.gradient(W)
    worst = 0.0
    for g, (start, stop) in enumerate(
        zip(objective.groups.ptr[:-1], objective.groups.ptr[1:], strict=True)
    ):
        L = objective.lipschitz[g]
        if L > 0:
            z = W[start:stop] - gradient[start:stop] / L
            out = prox(objective.penalty, z, objective.strengths[g] / L)
            worst = max(worst, np.sqrt(L) * np.linalg.norm(W[start:stop] - out))
    return worst / objective.residual_scale


@every_problem
@pytest.mark.parametrize("share", [1 / 3, 1 / 30, 1 / 300])
def test_group_lasso_matches_fista(name, share):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, share=share)
    solution = solve(objective)
    reference = fista_group_lasso(X, Y, objective.strength)
    assert solution.status is Status.CONVERGED
    # FISTA stops short where the scales are uneven: never above, seldom below.
    assert solution.value <= reference * (1 + 1e-9)
    if name not in ("uneven scales", "constant column", "duplicated columns", "correlated"):
        assert solution.value == pytest.approx(reference, rel=1e-7)


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("weights", [None, [1, 1, 1, 0, 0, 0, 2, 2, 2, 2, 0.3, 0.3]])
def test_groups_match_cvxpy(share, weights):
    X, Y = simulate(60, 12, 2, correlation=0.5)
    labels = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    objective = build(X, Y, labels=labels, weights=weights, share=share)
    W, b = cp.Variable((12, 2)), cp.Variable((1, 2))
    blocks = [W[np.flatnonzero(np.equal(labels, g))] for g in range(4)]
    penalty = sum(
        w * cp.norm(B, "fro") for w, B in zip(objective.groups.weights, blocks, strict=True)
    )
    loss = cp.sum_squares(Y - X @ W - np.ones((60, 1)) @ b) / 120
    problem = cp.Problem(cp.Minimize(loss + objective.strength * penalty))
    problem.solve(solver=cp.CLARABEL)
    assert solve(objective).value == pytest.approx(problem.value, rel=1e-7)


@every_problem
@every_penalty
@pytest.mark.parametrize("share", [0.3, 0.01])
def test_residual_is_what_it_says_and_below_tol(name, penalty, share):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, penalty, share=share)
    solution = solve(objective, tol=1e-8)
    assert solution.status is Status.CONVERGED
    assert solution.residual <= 1e-8
    assert brute_residual(objective, solution.W) == pytest.approx(solution.residual, abs=1e-12)
    assert solution.value == pytest.approx(objective.value(solution.W), rel=1e-12)


@every_problem
@every_penalty
def test_never_above_the_start(name, penalty):
    X, Y = PROBLEMS[name]()
    objective = build(X, Y, penalty, share=0.1)
    rng = np.random.default_rng(0)
    for scale in (0, 0.1, 10):
        W = penalty.within(scale * rng.normal(size=objective.shape))
        for max_iter in (1, 3, 1000):
            found = solve(objective, W, max_iter=max_iter)
            assert found.value <= objective.value(W) * (1 + 1e-12)


@every_problem
def test_gram_equals_residual_updates(name):
    X, Y = PROBLEMS[name]()
    values = []
    for gram in (True, False, "auto"):
        objective = build(X, Y, gram=gram, share=0.05)
        values.append(solve(objective, gram=gram).value)
    np.testing.assert_allclose(values, values[0], rtol=1e-9)


@pytest.mark.parametrize("penalty", [Bridge2(), Bridge1()], ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("labels", [None, [i // 4 for i in range(12)]])
def test_gram_and_residual_updates_take_the_same_steps(penalty, labels):
    X, Y = simulate(60, 12, 3)
    W = []
    for gram in (True, False):
        objective = build(X, Y, penalty, gram=gram, share=0.05, labels=labels)
        W.append(solve(objective, gram=gram).W)
    np.testing.assert_allclose(W[0], W[1], atol=1e-9)


def residual_block(penalty, labels, share=0.2):
    X, Y = simulate(30, 40, 3)
    objective = build(X, Y, penalty, gram=False, share=share, labels=labels)
    working = np.arange(len(objective.groups))
    W = 0.1 * np.random.default_rng(0).normal(size=objective.shape)
    solver = CoordinateDescent(gram=False)
    return objective, solver._restrict(objective, working, objective.groups.features(working), W, W)


@every_penalty
@pytest.mark.parametrize(
    "labels", [None, [i // 3 for i in range(40)], [i // 30 for i in range(40)]]
)
def test_a_sweep_by_products_moves_one_group_after_the_other(penalty, labels):
    objective, block = residual_block(penalty, labels)
    W, worst = block.W.copy(), 0.0
    for g, L in enumerate(objective.lipschitz):
        step = np.zeros_like(W)
        rows = objective.groups.features([g])
        gradient = objective.smooth.gradient(W)
        step[rows] = prox_steps(objective, W, gradient, objective.lipschitz)[rows]
        W, worst = W + step, max(worst, np.sqrt(L) * np.linalg.norm(step))
    assert block._sweep() == pytest.approx(worst)
    np.testing.assert_allclose(block.W, W, atol=1e-12)
    np.testing.assert_allclose(block.gradient, objective.smooth.gradient(W), atol=1e-12)
    assert block.loss() == pytest.approx(objective.smooth.evaluate(W)[0])


def test_mixed_sweeps_never_ascend_and_need_fewer():
    made = []
    for mixed in (True, False):
        objective, block = residual_block(GroupLasso(), None, share=0.01)
        if not mixed:
            block._mix = lambda points: None
        values = [block.value()]
        while (made_now := block.sweep(1e-9, 6)) == 6:
            values.append(block.value())
            np.testing.assert_allclose(
                block.gradient, objective.smooth.gradient(block.W), atol=1e-10
            )
        assert (np.diff(values) <= 1e-14).all()
        made.append(6 * len(values) + made_now)
    assert made[0] < 0.7 * made[1]


def test_a_mixture_that_is_worse_is_not_taken():
    _, block = residual_block(GroupLasso(), None)
    before, residual, rng = block.value(), block.residual.copy(), np.random.default_rng(0)
    points = [(rng.normal(size=block.coef.shape), rng.normal(size=residual.shape)) for _ in "abcd"]
    block._mix(points)
    assert block.value() == before
    np.testing.assert_array_equal(block.residual, residual)


@every_penalty
@pytest.mark.parametrize("many", [0, 500])
def test_residuals_are_those_of_the_steps_of_all_groups(penalty, many, monkeypatch):
    monkeypatch.setattr("shrinklin.solvers.working_sets.MANY", many)
    objective, block = residual_block(penalty, None)
    W = np.where(np.arange(40)[:, None] % 3, 0.0, block.W)
    gradient = objective.smooth.gradient(W)
    L = objective.lipschitz
    expected = np.sqrt(L) * objective.groups.norms(prox_steps(objective, W, gradient, L))
    np.testing.assert_allclose(prox_residuals(objective, W, gradient), expected, atol=1e-15)


def test_ill_conditioned_data_needs_few_sweeps():
    # Plain coordinate descent takes thousands: this is what Newton steps are for.
    X, Y = simulate(100, 40, 5, 20, correlation=0.999, noise=0.1)
    solution = solve(build(X, Y, share=1e-4))
    assert solution.status is Status.CONVERGED
    assert solution.n_iter < 300


def test_many_correlated_features_need_few_rounds():
    # A sweep whose moves were small when made is not yet a small residual.
    X, Y = simulate(1000, 500, 3, 60, correlation=0.5, noise=3)
    solution = solve(build(X, Y, share=0.005), tol=1e-6, max_iter=2000)
    assert solution.status is Status.CONVERGED
    assert solution.n_iter < 1000


def test_stops_at_max_iter():
    X, Y = simulate(100, 40, 5, 20, correlation=0.99)
    solution = solve(build(X, Y, share=1e-3), max_iter=2, tol=1e-14)
    assert solution.status is Status.MAX_ITER
    assert solution.n_iter == 2


@pytest.mark.parametrize("strength", [1e-8, 1e-6])
def test_features_that_nearly_cancel_end_in_few_sweeps(strength):
    for seed in range(6):
        X, Y = simulate(40, 5, 1, seed=seed)
        huge = 1e6 * np.random.default_rng(seed).normal(size=40)
        X = np.c_[X[:, 1:], huge, huge + X[:, 0]]
        objective = build(X, 0.01 * Y, strength=strength)
        # No gap is certified: the gradient of what is huge is rounding, and that far above
        # the strength. The residual ends at the last digits of W, of up to 1e-9.
        solution = solve(objective, tol=1e-8, max_iter=1000)
        assert solution.status is Status.CONVERGED
        assert solution.residual <= 1e-8
        rows = build(X, 0.01 * Y, strength=strength, gram=False)
        lowest = solve(rows, tol=1e-8, gram=False).value
        # G is known to the last digits of its diagonal.
        sizes = np.sqrt(objective.smooth.diagonal) * np.abs(solution.W[:, 0])
        rounding = 4 * np.finfo(float).eps * sizes.sum() ** 2
        assert abs(rows.value(solution.W) - lowest) <= rounding < lowest


def test_stops_where_floating_point_ends():
    X, Y = simulate(100, 40, 5, 20, correlation=0.99)
    solution = solve(build(X, Y, share=1e-3), tol=0.0, max_iter=100_000)
    assert solution.status in (Status.PRECISION, Status.CONVERGED)
    assert solution.residual < 1e-9
    assert solution.n_iter < 2000


@every_penalty
@pytest.mark.parametrize("gram", [True, False])
def test_units_of_the_features_do_not_matter(penalty, gram):
    # Divided by ω^exponent and weighted by ω, a feature is the same feature.
    X, Y = simulate(60, 12, 3)
    scale = 10.0 ** np.tile([-8, 8, 0], 4)
    exponent = {1.0: 1.0, 2 / 3: 1.5, 0.5: 2.0}[penalty.power]
    plain = build(X, Y, penalty, gram=gram, share=0.1)
    scaled = build(X / scale, Y, penalty, gram=gram, weights=scale ** (-1 / exponent))
    scaled = scaled.at(plain.strength)
    W = solve(scaled, gram=gram, tol=1e-6).W / scale[:, None]
    np.testing.assert_allclose(W, solve(plain, gram=gram, tol=1e-6).W, atol=1e-5)


def test_no_penalty_is_least_squares():
    X, Y = simulate(60, 12, 3)
    solution = solve(build(X, Y, strength=0.0))
    expected = np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0), rcond=None)[0]
    np.testing.assert_allclose(solution.W, expected, atol=1e-9)


def test_which_problems_take_a_gram_matrix():
    assert takes_gram(100, 1000)
    assert takes_gram(5000, 5000)
    assert not takes_gram(500, 5000)
    assert not takes_gram(50_000, 20_000)
    with pytest.raises(ValueError, match=r"gram='yes': CoordinateDescent accepts"):
        build(np.eye(3), np.eye(3), gram="yes")


def newton_systems_of_a_path():
    """How many are factored on a path along which many groups leave, and its last point."""
    X, Y = simulate(100, 60, 4, 50, correlation=0.95)
    objective, W, systems = build(X, Y), np.zeros((60, 4)), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            coordinate_descent,
            "NewtonSystem",
            lambda *args: systems.append(1) or NewtonSystem(*args),
        )
        for share in np.geomspace(0.5, 0.005, 20):
            W = solve(objective.at(share * objective.strength_max()), W).W
    return len(systems), W


def test_groups_leave_in_a_newton_step(monkeypatch):
    n_systems, W = newton_systems_of_a_path()
    # Mutant: steps that would cross zero are cut short there, one group at a time.
    monkeypatch.setattr(_QuadraticBlock, "_leaving", lambda *args: [])
    n_cut_short, same = newton_systems_of_a_path()
    assert n_systems < 0.7 * n_cut_short, (n_systems, n_cut_short)
    np.testing.assert_allclose(W, same, atol=1e-6)


def residuals_of_a_path(gram):
    X, Y = simulate(19, 80, 4, seed=2)
    objective, W, residuals = build(X, Y, gram=gram), np.zeros((80, 4)), []
    for share in np.geomspace(0.5, 0.01, 10):
        at_share = objective.at(share * objective.strength_max())
        solution = solve(at_share, W, gram=gram, tol=1e-13)
        W = solution.W
        residuals.append(solution.residual)
    return np.array(residuals)


@pytest.mark.parametrize("gram", [True, False])
def test_steps_go_on_where_the_objective_no_longer_tells(gram):
    assert (residuals_of_a_path(gram) <= 1e-13).all()


def test_a_lower_objective_alone_ends_too_early(monkeypatch):
    # Mutant: the gradient has no say.
    monkeypatch.setattr(coordinate_descent, "_settles", lambda *args: False)
    assert (residuals_of_a_path(gram=True) > 1e-13).any()


def wide_gaussian(seed):
    """Independent columns, far more than rows, and a target that one of them gives."""
    X = np.random.default_rng(seed).normal(size=(15, 300))
    return X, (X[:, :1] > 0).astype(float)


def solve_wide(seed, share=2e-3):
    return solve(build(*wide_gaussian(seed), share=share), tol=1e-6, max_iter=1000)


@pytest.mark.parametrize("share", [1e-1, 1e-2, 2e-3])
def test_more_features_than_samples_and_a_weak_penalty_need_few_sweeps(share):
    for seed in range(5):
        (X, Y), solution = wide_gaussian(seed), solve_wide(seed, share)
        alpha = share * build(X, Y).strength_max()
        lasso = Lasso(alpha, tol=1e-9, max_iter=10**6).fit(X, Y[:, 0])
        value = squared_loss(X, Y, lasso.coef_, lasso.intercept_) + alpha * abs(lasso.coef_).sum()
        assert solution.status is Status.CONVERGED
        assert solution.value == pytest.approx(value, abs=1e-6 * Y.var() / 2)


def test_newton_steps_that_do_not_stop_at_kinks_take_too_long(monkeypatch):
    monkeypatch.setattr(_QuadraticBlock, "_up_to_kinks", lambda *args: [])
    assert solve_wide(0).status is Status.MAX_ITER


def test_of_the_steps_the_best_is_taken():
    objective, block = residual_block(GroupLasso(), None)
    rng, gradient = np.random.default_rng(0), block.gradient
    steps = [scale * rng.normal(size=block.W.shape) for scale in (1e-1, 1e-3, 1e-2, 1)]
    values = [objective.value(block.W + step) for step in steps]
    assert block._best(steps, gradient) is steps[int(np.argmin(values))]


def test_up_to_kinks_groups_leave_in_the_order_in_which_they_come_to_zero():
    _, block = residual_block(GroupLasso(), None)
    model, _ = block.curvature_at(block.W, block.gradient)
    at_zero = np.arange(1.0, 41)  # when group j gets there
    at_zero[::2] *= -1  # never
    D = -block.W / at_zero[:, None]
    steps = list(block._up_to_kinks(D, model))
    assert [int((block.W + step == 0).all(axis=1).sum()) for step in steps] == [20, 10, 5, 2, 1]
    np.testing.assert_allclose(block.W + steps[-1], (1 - 2 / at_zero)[:, None] * block.W)
