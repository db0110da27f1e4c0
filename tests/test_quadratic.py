"""Both representations are the same function, and that function is the loss."""

import numpy as np
import pytest
from scipy import sparse

from builders import build, solve
from oracles import squared_loss
from problems import PROBLEMS, simulate
from shrinklin.data import moments
from shrinklin.data.design import Design
from shrinklin.objective.objective import Objective
from shrinklin.objective.quadratic import Touching
from shrinklin.penalties.group_lasso import GroupLasso


def random_W(objective, seed=0):
    W = np.random.default_rng(seed).normal(size=objective.shape)
    W[1::2] = 0
    return W


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("labels", [None, [2, 0, 1, 0, 2, 2]])
def test_value_is_the_loss_with_the_best_intercept(gram, fit_intercept, labels):
    X, Y = simulate(30, 6, 2)
    X, Y = X + 3, Y - 5
    s = np.random.default_rng(0).uniform(0, 2, 30)
    objective = build(X, Y, labels=labels, gram=gram, sample_weight=s, fit_intercept=fit_intercept)
    quadratic, W = objective.smooth, random_W(objective)
    intercept = quadratic.intercept(W)
    coef = np.empty((2, 6))
    coef[:, objective.groups.order] = W.T

    def loss(b):
        return squared_loss(X, Y, coef, b, s)

    assert quadratic.value(W, quadratic.gradient(W)) == pytest.approx(loss(intercept), rel=1e-12)
    if fit_intercept:
        for step in (1e-4, -1e-4):
            assert loss(intercept + step) > loss(intercept)
    else:
        assert not intercept.any()


@pytest.mark.parametrize("gram", [True, False])
def test_gradient_against_finite_differences(gram):
    X, Y = simulate(30, 6, 2)
    quadratic = build(X, Y, gram=gram).smooth
    W = np.random.default_rng(0).normal(size=(6, 2))
    gradient = quadratic.gradient(W)
    for j, t in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[j, t] = 1e-5
        values = [quadratic.value(V, quadratic.gradient(V)) for V in (W + step, W - step)]
        assert gradient[j, t] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6, abs=1e-8)


def assert_same(a, b):
    np.testing.assert_allclose(a.C, b.C, rtol=1e-9, atol=1e-10 * np.abs(b.C).max())
    np.testing.assert_allclose(a.diagonal, b.diagonal, rtol=1e-9)
    assert a.yy == pytest.approx(b.yy)
    W = np.random.default_rng(0).normal(size=a.C.shape) / np.sqrt(
        np.where(b.diagonal > 0, b.diagonal, 1)
    ).reshape(-1, 1)
    some = np.arange(0, len(W), 2)
    for x, y in [
        (a.gradient(W), b.gradient(W)),
        (a.product(W), b.product(W)),
        (a.cross(some, some[:1]), b.cross(some, some[:1])),
        (a.block(some), b.block(some)),
    ]:
        np.testing.assert_allclose(x, y, rtol=1e-8, atol=1e-9 * np.abs(y).max())


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_equal_gram(name, fit_intercept):
    X, Y = PROBLEMS[name]()
    gram, columns = (
        build(X, Y, gram=gram, fit_intercept=fit_intercept).smooth for gram in (True, False)
    )
    assert_same(columns, gram)


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize(
    "container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]
)
def test_sparse_equals_dense(gram, container):
    X, Y = simulate(40, 9, 2)
    X[np.abs(X) < 1] = 0
    assert_same(build(container(X), Y, gram=gram).smooth, build(X, Y, gram=gram).smooth)


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("name", ["tall", "wide", "duplicated columns", "uneven scales"])
def test_least_squares_has_no_gradient_left(gram, name):
    X, Y = PROBLEMS[name]()
    quadratic = build(X, Y, gram=gram).smooth
    features = np.arange(1, X.shape[1])
    W = quadratic.minimise(np.zeros_like(quadratic.C), features)
    assert not W[0].any()
    scale = np.sqrt(quadratic.diagonal * quadratic.yy)[:, None]
    assert np.abs(quadratic.gradient(W) / scale)[features].max() < 1e-9


def test_lipschitz_is_the_largest_eigenvalue_of_each_block():
    X, Y = simulate(30, 6, 2)
    objective = build(X, Y, labels=[0, 0, 1, 1, 1, 2])
    X = X - X.mean(axis=0)
    expected = [np.linalg.norm(X[:, block], 2) ** 2 / 30 for block in ([0, 1], [2, 3, 4], [5])]
    np.testing.assert_allclose(objective.lipschitz, expected)


def touching(gram, factor=0.3, seed=0):
    """A quadratic that touches a made-up value and gradient, and where."""
    X, Y = simulate(30, 6, 2)
    rng = np.random.default_rng(seed)
    objective = build(X, Y, gram=gram, labels=[0, 0, 1, 1, 1, 2])
    W, gradient = rng.normal(size=(2, 6, 2))
    return objective, Touching(objective.smooth, factor, W, 7.0, gradient), W, gradient


both_forms = pytest.mark.parametrize("gram", [True, False])


@both_forms
def test_touching_quadratic_touches(gram):
    _, quadratic, W, gradient = touching(gram)
    value, slope = quadratic.evaluate(W)
    assert value == pytest.approx(7.0)
    np.testing.assert_allclose(slope, gradient, atol=1e-12)
    zero = np.zeros_like(W)
    assert quadratic.value_at_zero == pytest.approx(quadratic.evaluate(zero)[0])
    np.testing.assert_allclose(quadratic.evaluate(zero)[1], -quadratic.C)


@both_forms
@pytest.mark.parametrize("factor", [0.3, 1e-12])
def test_touching_quadratic_is_its_own_taylor_series(gram, factor):
    objective, quadratic, W, gradient = touching(gram, factor)
    G = factor * objective.smooth.block(np.arange(6))
    np.testing.assert_allclose(quadratic.block(np.arange(6)), G)
    np.testing.assert_allclose(quadratic.cross(np.arange(6), [4, 1]), G[:, [4, 1]], atol=1e-15)
    np.testing.assert_allclose(quadratic.product(W), G @ W, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(quadratic.diagonal, np.diagonal(G))
    for seed in range(5):
        D = np.random.default_rng(seed).normal(size=W.shape)
        D[seed] = 0
        value, slope = quadratic.evaluate(W + D)
        expected = 7.0 + np.vdot(gradient, D) + 0.5 * np.vdot(D, G @ D)
        assert value == pytest.approx(expected, rel=1e-10)
        np.testing.assert_allclose(slope, gradient + G @ D, atol=1e-12)


@both_forms
def test_touching_quadratic_has_no_gradient_left_at_its_minimum(gram):
    _, quadratic, W, _ = touching(gram)
    features = np.array([0, 2, 3])
    best = quadratic.minimise(W, features)
    np.testing.assert_array_equal(best[[1, 4, 5]], W[[1, 4, 5]])
    assert np.abs(quadratic.evaluate(best)[1][features]).max() < 1e-10


@both_forms
def test_touching_quadratic_scales_the_eigenvalues(gram):
    objective, quadratic, _, _ = touching(gram)
    expected = 0.3 * objective.smooth.lipschitz(objective.groups)
    np.testing.assert_allclose(quadratic.lipschitz(objective.groups), expected)


def test_the_quadratic_touches_itself():
    objective, _, W, _ = touching(True)
    itself = Touching(objective.smooth, 1.0, W, *objective.smooth.evaluate(W))
    assert_same(itself, objective.smooth)
    solutions = [
        solve(Objective(smooth, GroupLasso(), objective.groups, 0.1))
        for smooth in (itself, objective.smooth)
    ]
    np.testing.assert_allclose(solutions[0].W, solutions[1].W, atol=1e-10)


@pytest.mark.parametrize("labels", [None, [i // 3 for i in range(60)]])
@pytest.mark.parametrize("shift", [0, 1e-3, 0.05, 0.3, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_left_out_of_a_gradient_could_not_move(labels, shift, dtype):
    X, Y = simulate(40, 60, 3, 5)
    X = X.astype(dtype)
    objective = build(X, Y, gram=False, labels=labels, share=0.5)
    start = solve(objective, gram=False).W
    rng = np.random.default_rng(0)
    quadratic = objective.smooth.with_memory()
    groups, strengths = objective.groups, objective.strengths
    quadratic._known.add(quadratic._residual(start), quadratic.gradient(start), 0.0)
    for _ in range(4):
        W = start * (1 + shift * rng.normal(size=start.shape))
        value, gradient = quadratic.evaluate_within(W, groups, strengths)
        exact = quadratic.gradient(W)
        assert value == pytest.approx(quadratic.value(W, exact), rel=1e-10)
        same = np.isclose(gradient, exact, rtol=1e-9, atol=1e-12).all(axis=1)
        same = groups.sum(same.astype(float)) == (groups.sizes if labels else 1)
        left_out = groups.norms(gradient)[~same]
        assert not groups.norms(start)[~same].any()
        assert (left_out <= strengths[~same] * (1 + 1e-12)).all()
        assert (left_out >= groups.norms(exact)[~same] * (1 - 1e-9)).all()
        assert shift != 1e-3 or (~same).any()


def test_what_is_not_zero_has_its_gradient():
    X, Y = simulate(40, 60, 3, 5)
    objective = build(X, Y, gram=False, share=0.5)
    W = solve(objective, gram=False).W
    _, gradient = objective.smooth.evaluate_within(W, objective.groups, 3 * objective.strengths)
    alive = W.any(axis=1)
    np.testing.assert_allclose(gradient[alive], objective.smooth.gradient(W)[alive], rtol=1e-9)


def test_few_gradients_of_all_features_make_a_path(monkeypatch):
    X, Y = simulate(60, 2000, 3, 10)
    objective = build(X, Y)
    seen, correlate = [], Design.correlate
    monkeypatch.setattr(Design, "correlate", lambda d, R: seen.append(1) or correlate(d, R))
    W = np.zeros(objective.shape)
    for strength in objective.strength_max() * np.geomspace(1, 0.3, 20):
        W = solve(objective.at(strength), W, tol=1e-6).W
    assert len(seen) <= 20


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("offset", [0, 3, 30])
def test_no_curvature_is_negative(container, offset, monkeypatch):
    """Of equal columns, whose means take digits off their products: there f has no minimum."""

    def least_curvature(seed):
        X, Y = simulate(4, 20, 1, seed=seed)
        X = np.repeat(X, 2, axis=1) + offset
        s = [200.0, 0.01, 0.3, 5.0]
        G = build(container(X), Y, gram=True, sample_weight=s).smooth.G
        # As eigvalsh rounds.
        return np.linalg.eigvalsh(G)[0] + 1e-15 * np.trace(G)

    assert min(least_curvature(seed) for seed in range(20)) >= 0
    if container is np.asarray or offset != 3:
        return  # columns are centred before they are multiplied
    # Mutant: what rounding takes off is as small as what is left.
    monkeypatch.setattr(moments, "curvature_noise", lambda squares: 0 * squares)
    assert min(least_curvature(seed) for seed in range(20)) < 0
