"""The solver of the classifiers: what it finds, and how soon."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from builders import (
    CLASS_PROBLEMS,
    build_classes,
    descend,
    every_penalty,
    logistic_regression,
    prox,
)
from oracles import fista_logistic
from problems import simulate_classes
from shrinklin.data.columns import gram_of_parts
from shrinklin.groups import Groups
from shrinklin.linear_systems import conjugate_gradients
from shrinklin.pruning.cost import CostMeter
from shrinklin.solvers import proximal_newton, working_sets
from shrinklin.solvers.newton import NewtonSystem
from shrinklin.solvers.proximal_newton import DiagonalSystem
from shrinklin.solvers.solution import Status

LABELS = {"singletons": None, "groups": [2, 0, 1, 0, 1, 2, 2, 3, 3, 1, 0, 2]}
every_problem = pytest.mark.parametrize("name", CLASS_PROBLEMS)
every_labels = pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
two_or_more = pytest.mark.parametrize("n_classes", [2, 4])


def log_loss_gradient(X, codes, W, intercept):
    """Of the mean log-loss in W, written out."""
    Z = X @ W + intercept
    if W.shape[1] == 1:
        return X.T @ (softmax(np.hstack([0 * Z, Z]), axis=1)[:, 1:] - codes[:, None]) / len(X)
    return X.T @ (softmax(Z, axis=1) - np.eye(W.shape[1])[codes]) / len(X)


def brute_residual(objective, W):
    """max_g √L_g‖W_g − prox(...)‖, group by group, in plain Python."""
    gradient = objective.smooth.evaluate(W)[1]
    worst, groups = 0.0, objective.groups
    for g, L in enumerate(objective.lipschitz):
        if L > 0:
            rows = slice(groups.ptr[g], groups.ptr[g + 1])
            out = prox(objective.penalty, W[rows] - gradient[rows] / L, objective.strengths[g] / L)
            worst = max(worst, np.sqrt(L) * np.linalg.norm(W[rows] - out))
    return worst / objective.residual_scale


@every_problem
@every_penalty
@pytest.mark.parametrize("share", [0.3, 0.03])
def test_residual_is_what_it_says_and_below_tol(name, penalty, share):
    X, codes = CLASS_PROBLEMS[name]()
    objective = build_classes(X, codes, penalty, share=share)
    solution = descend(objective, tol=1e-7, max_iter=3000)
    assert solution.status is Status.CONVERGED
    assert solution.residual <= 1e-7
    assert brute_residual(objective, solution.W) == pytest.approx(solution.residual, abs=1e-11)
    assert solution.value == pytest.approx(objective.value(solution.W), rel=1e-12)


@every_labels
@every_penalty
@two_or_more
def test_groups_and_weights_converge_as_well(labels, penalty, n_classes):
    X, codes = simulate_classes(80, 12, n_classes)
    weights = np.array([0.5, 1, 2, 3])[[2, 0, 1, 0, 1, 2, 2, 3, 3, 1, 0, 2]]
    objective = build_classes(X, codes, penalty, labels=labels, weights=weights, share=0.1)
    solution = descend(objective, tol=1e-8)
    assert solution.status is Status.CONVERGED
    assert brute_residual(objective, solution.W) <= 1e-8
    assert solution.W.any()


@every_penalty
@every_labels
@pytest.mark.parametrize(
    "name", ["three classes", "two classes", "correlated", "duplicated columns"]
)
def test_never_above_the_start(name, penalty, labels):
    X, codes = CLASS_PROBLEMS[name]()
    labels = labels and [labels[j % 12] for j in range(X.shape[1])]
    objective = build_classes(X, codes, penalty, labels=labels, share=0.1)
    rng = np.random.default_rng(0)
    for scale in (0.1, 3):
        W = scale * rng.normal(size=objective.shape)
        start = objective.value(W)
        for max_iter in (1, 7, 100):
            found = descend(objective, W, max_iter=max_iter, tol=1e-6)
            assert found.value <= start * (1 + 1e-12)
            assert found.value == pytest.approx(objective.value(found.W), rel=1e-10)


@pytest.mark.parametrize("name", ["three classes", "two classes", "wide", "iris"])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_group_lasso_matches_fista(name, share):
    X, codes = CLASS_PROBLEMS[name]()
    objective = build_classes(X, codes, share=share)
    value = fista_logistic(X, codes, objective.strength)[0]
    assert descend(objective).value == pytest.approx(value, rel=1e-8)


@every_labels
@two_or_more
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_group_lasso_meets_its_optimality_conditions(labels, n_classes, container):
    X, codes = simulate_classes(80, 12, n_classes, noise=2)
    X[np.abs(X) < 0.5] = 0
    objective = build_classes(container(X), codes, labels=labels, share=0.7)
    solution, groups = descend(objective), objective.groups
    W = np.empty_like(solution.W)
    W[groups.order] = solution.W
    gradient = log_loss_gradient(X, codes, W, objective.smooth.intercept(solution.W))
    active = groups.norms(solution.W) > 0
    for g, strength in enumerate(objective.strengths):
        members = groups.order[groups.ptr[g] : groups.ptr[g + 1]]
        if active[g]:
            expected = -strength * W[members] / np.linalg.norm(W[members])
            np.testing.assert_allclose(gradient[members], expected, atol=1e-8)
        else:
            assert np.linalg.norm(gradient[members]) <= strength * (1 + 1e-8)
    assert active.any()
    assert not active.all()


@every_penalty
@two_or_more
def test_sparse_and_dense_take_the_same_steps(penalty, n_classes):
    X, codes = simulate_classes(80, 12, n_classes, noise=2)
    X[np.abs(X) < 0.5] = 0
    found = [
        descend(build_classes(container(X), codes, penalty, share=0.1))
        for container in (np.asarray, sparse.csr_array, sparse.csc_array)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.W, found[0].W, atol=1e-8)
        # Where a change of F is rounding, that decides whether one more round of sweeps is made.
        assert abs(other.n_iter - found[0].n_iter) <= proximal_newton._SWEEPS


@every_penalty
@two_or_more
def test_weights_are_repeated_rows(penalty, n_classes):
    X, codes = simulate_classes(60, 12, n_classes, noise=2)
    times = np.random.default_rng(0).integers(0, 4, 60)
    weighted = build_classes(X, codes, penalty, sample_weight=5.0 * times, share=0.1)
    X, codes = np.repeat(X, times, axis=0), np.repeat(codes, times)
    repeated = build_classes(X, codes, penalty, share=0.1)
    np.testing.assert_allclose(descend(weighted).W, descend(repeated).W, atol=1e-7)


@two_or_more
def test_stops_at_max_iter(n_classes):
    X, codes = simulate_classes(100, 40, n_classes, 20, correlation=0.99)
    solution = descend(build_classes(X, codes, share=1e-2), max_iter=2, tol=1e-14)
    assert solution.status is Status.MAX_ITER
    assert solution.n_iter == 2


@every_penalty
@two_or_more
def test_stops_where_floating_point_ends(penalty, n_classes):
    X, codes = simulate_classes(100, 40, n_classes, 20, correlation=0.9)
    solution = descend(build_classes(X, codes, penalty, share=0.02), tol=0.0, max_iter=100_000)
    assert solution.status in (Status.PRECISION, Status.CONVERGED)
    assert solution.residual < 1e-9
    assert solution.n_iter < 2000


@two_or_more
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_penalty_is_logistic_regression(n_classes, fit_intercept):
    X, codes = simulate_classes(200, 6, n_classes, noise=3)
    objective = build_classes(X + 1, codes, strength=0.0, fit_intercept=fit_intercept)
    solution = descend(objective)
    assert solution.status is Status.CONVERGED
    W, intercept = logistic_regression(X + 1, codes, fit_intercept=fit_intercept)
    reference = objective.smooth.evaluate(W)[0]
    assert solution.value <= reference * (1 + 1e-12)
    assert solution.value == pytest.approx(reference, rel=1e-9)
    ends = [
        (X + 1) @ solution.W + objective.smooth.intercept(solution.W),
        (X + 1) @ W + intercept,
    ]
    # K raw predictions are known up to a constant.
    ends = [Z - Z.mean(axis=1, keepdims=True) if n_classes > 2 else Z for Z in ends]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-3)


@every_penalty
@two_or_more
def test_more_features_than_samples(penalty, n_classes):
    X, codes = simulate_classes(30, 1500, n_classes, noise=0.5)
    objective = build_classes(X, codes, penalty, share=0.05)
    assert not hasattr(objective.smooth.base, "G")
    solution = descend(objective, tol=1e-7)
    assert solution.status is Status.CONVERGED
    assert brute_residual(objective, solution.W) <= 1e-7
    assert 0 < solution.W.any(axis=1).sum() <= 30 * n_classes


@every_penalty
@two_or_more
def test_units_of_the_features_do_not_matter(penalty, n_classes):
    # Divided by ω^exponent and weighted by ω, a feature is the same feature.
    X, codes = simulate_classes(60, 12, n_classes, noise=2)
    scale = 10.0 ** np.tile([-8, 8, 0], 4)
    exponent = {1.0: 1.0, 2 / 3: 1.5, 0.5: 2.0}[penalty.power]
    plain = build_classes(X, codes, penalty, share=0.1)
    scaled = build_classes(X / scale, codes, penalty, weights=scale ** (-1 / exponent))
    W = descend(scaled.at(plain.strength), tol=1e-7).W / scale[:, None]
    np.testing.assert_allclose(W, descend(plain, tol=1e-7).W, atol=1e-5)


@two_or_more
@pytest.mark.parametrize("share", [1e-2, 1e-4])
def test_ill_conditioned_data_need_few_sweeps(n_classes, share):
    # Plain coordinate descent takes thousands: this is what Newton steps are for.
    X, codes = simulate_classes(300, 40, n_classes, 20, correlation=0.999, noise=0.3)
    solution = descend(build_classes(X, codes, share=share), tol=1e-8)
    assert solution.status is Status.CONVERGED
    assert solution.n_iter < 500


def test_separable_data_under_a_weak_penalty():
    X, codes = simulate_classes(60, 30, 3, noise=0.01)
    objective = build_classes(X, codes, share=1e-4)
    solution = descend(objective, tol=1e-7, max_iter=1000)
    assert solution.status is Status.CONVERGED
    assert objective.duality_gap(solution.W) <= 1e-6 * objective.smooth.value_at_zero


@every_penalty
def test_a_better_start_is_kept(penalty):
    X, codes = simulate_classes(80, 12, 3)
    objective = build_classes(X, codes, penalty, share=0.1)
    solution = descend(objective)
    again = descend(objective, solution.W)
    assert again.n_iter <= 20
    np.testing.assert_allclose(again.W, solution.W, atol=1e-8)


def spd(n, seed=0, condition=1e3):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return (Q * np.geomspace(1, condition, n)) @ Q.T


@pytest.mark.parametrize("preconditioned", [False, True])
def test_conjugate_gradients_solve(preconditioned):
    A = spd(20)
    scale = 10.0 ** np.linspace(-3, 3, 20)
    H = scale[:, None] * A * scale if preconditioned else A
    rhs = np.random.default_rng(1).normal(size=(10, 2))
    diagonal = np.diagonal(H).reshape(10, 2) if preconditioned else 1.0
    D = conjugate_gradients(
        lambda D: (H @ D.ravel()).reshape(10, 2), lambda R: R / diagonal, rhs, 1e-13
    )
    expected = np.linalg.solve(H, rhs.ravel()).reshape(10, 2)
    np.testing.assert_allclose(D, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


def test_conjugate_gradients_are_as_accurate_as_asked():
    H, rhs, products = spd(50), np.random.default_rng(1).normal(size=(50, 1)), []

    def product(D):
        products.append(D)
        return H @ D

    counts = []
    for tol in (0.5, 0.05, 1e-3):
        products.clear()
        D = conjugate_gradients(product, lambda R: R, rhs, tol)
        assert np.linalg.norm(rhs - H @ D) <= tol * np.linalg.norm(rhs)
        assert np.vdot(D, rhs) > 0
        counts.append(len(products))
    assert counts[0] < counts[1] < counts[2]


def test_an_exact_preconditioner_needs_one_step():
    H, rhs, products = spd(20), np.ones((20, 1)), []

    def product(D):
        products.append(D)
        return H @ D

    D = conjugate_gradients(product, lambda R: np.linalg.solve(H, R), rhs, 1e-8)
    assert len(products) == 1
    np.testing.assert_allclose(H @ D, rhs, atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_conjugate_gradients_descend_at_negative_curvature(seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    H = (Q * np.linspace(-1, 3, 12)) @ Q.T
    scale = rng.uniform(0.1, 2, size=(12, 1))
    rhs = rng.normal(size=(12, 1))
    D = conjugate_gradients(lambda D: H @ D, lambda R: scale * R, rhs, 1e-10)
    assert np.isfinite(D).all()
    assert np.vdot(D, rhs) > 0
    # Nothing but negative curvature: the preconditioned gradient is left.
    D = conjugate_gradients(lambda D: -D, lambda R: scale * R, rhs, 1e-10)
    np.testing.assert_allclose(D, scale * rhs)


def thin_classes(n_classes, n_features=1500, n_samples=120):
    """A sparse X whose Gram matrix is not formed, and weights."""
    rng = np.random.default_rng(0)
    shape = n_samples, n_features
    X = sparse.csr_array(rng.random(shape) * (rng.random(shape) < 0.03))
    codes = (X[:, :8] @ rng.normal(size=(8, n_classes)) + 0.1).argmax(axis=1)
    codes[:n_classes] = range(n_classes)
    return X, codes, rng.uniform(0.5, 2, n_samples)


@every_penalty
@two_or_more
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.untraced
def test_sparse_working_sets_find_the_same(penalty, n_classes, fit_intercept):
    X, codes, s = thin_classes(n_classes)
    labels = [j // 2 for j in range(X.shape[1])]
    thin, dense = (
        build_classes(
            x,
            codes,
            penalty,
            labels=labels,
            sample_weight=s,
            fit_intercept=fit_intercept,
            share=0.3,
        )
        for x in (X, X.toarray())
    )
    assert hasattr(thin.smooth.columns(np.arange(3)), "means")
    assert not hasattr(thin.smooth.base, "G")
    found = descend(thin)
    assert found.status is Status.CONVERGED
    assert found.W.any()
    assert brute_residual(dense, found.W) <= 1e-8
    if penalty.convex:
        assert found.value == pytest.approx(descend(dense).value, rel=1e-9)


@every_penalty
@two_or_more
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_sweeps_are_gram_sweeps(penalty, n_classes, fit_intercept):
    from shrinklin import kernels

    X, codes, s = thin_classes(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
    rows = likelihood.columns(np.arange(40))
    ridge = np.linspace(0, 0.2, 40)
    G = gram_of_parts(part for _, part in rows.parts()) + np.diag(ridge)
    ptr = np.array([0, 1, *range(4, 41, 2)])
    lipschitz = np.add.reduceat(np.diagonal(G), ptr[:-1])
    strengths = np.full(len(lipschitz), 1e-4)
    rng = np.random.default_rng(1)
    start, gradient = rng.normal(size=(2, likelihood.C.shape[1], 40)) / 100
    ends = start.copy(), start.copy()
    rest = lipschitz, strengths, ptr, 1e-9, 3
    prox = kernels.prox_of(penalty)
    made = kernels.gram_sweeps(prox, ends[0], gradient.copy(), G, *rest)
    X = rows.values
    gradient = gradient - ridge * start
    thin = kernels.sparse_sweeps(
        prox, ends[1], gradient, ridge, X.data, X.indices, X.indptr, rows.means, 120, *rest
    )
    assert made == thin
    assert not np.allclose(ends[0], start)
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-12)


@every_penalty
@every_labels
def test_a_diagonal_system_is_a_newton_system(penalty, labels):
    groups = Groups.from_labels(12, labels)
    rng = np.random.default_rng(0)
    W, R = rng.normal(size=(2, 12, 3))
    W[groups.ptr[1] : groups.ptr[2]] = 0
    diagonal = rng.uniform(50, 100, 12)
    model = penalty.curvature(W, groups, np.ones(len(groups)))
    meters = CostMeter(), CostMeter()
    R = np.where(model.smooth, R, 0.0)
    expected = NewtonSystem(model, groups, lambda rows: np.diag(diagonal[rows]), meters[0])
    assert expected.definite
    found = DiagonalSystem(model, groups, diagonal, meters[1])
    np.testing.assert_allclose(found.solve(R), expected.solve(R), atol=1e-12)
    assert meters[1].epochs == meters[0].epochs
    assert meters[1].parameter_updates == meters[0].parameter_updates


@pytest.mark.parametrize("cheap", [0, 1e-9, np.inf])
@pytest.mark.parametrize("patience", [-np.inf, np.inf])
@every_penalty
def test_any_preconditioner_leads_to_the_same(monkeypatch, penalty, cheap, patience):
    X, codes = simulate_classes(80, 12, 3)
    objective = build_classes(X, codes, penalty, share=0.1)
    expected = descend(objective).W
    monkeypatch.setattr(proximal_newton, "_CHEAP", cheap)
    monkeypatch.setattr(proximal_newton, "_PATIENCE", patience)
    np.testing.assert_allclose(descend(objective).W, expected, atol=1e-7)


def test_a_working_set_is_no_better_than_what_waits_deserves(monkeypatch):
    X, codes = simulate_classes(100, 60, 3)
    objective = build_classes(X, codes, share=0.05)
    solve_block, asked = working_sets.solve_block, []

    def record(block, tol, max_sweeps):
        asked.append(tol / objective.residual_scale)
        return solve_block(block, tol, max_sweeps)

    monkeypatch.setattr(working_sets, "solve_block", record)
    assert descend(objective, tol=1e-6).residual <= 1e-6
    assert asked[0] > 1e-3
    assert asked[-1] <= 5e-7
