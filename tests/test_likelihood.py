"""The logistic loss as a function of W: value, gradient, Hessian and invariances."""

import numpy as np
import pytest
from scipy import optimize, sparse

from builders import CLASS_PROBLEMS, build_classes, descend
from likelihoods import mean_log_loss, noisy, random_W, two_or_more, with_and_without_intercept
from shrinklin.losses.logistic import Multinomial
from shrinklin.objective.likelihood import Likelihood
from shrinklin.objective.quadratic import Touching

every_problem = pytest.mark.parametrize("name", CLASS_PROBLEMS)


def least_log_loss(Z, codes, s, fit_intercept=True):
    """The minimum of `mean_log_loss` over the intercept, by finite differences."""
    if not fit_intercept:
        return mean_log_loss(Z, codes, s)
    Z = Z - Z.mean(axis=0)
    start = np.zeros(Z.shape[1])
    return optimize.minimize(lambda b: mean_log_loss(Z + b, codes, s), start, tol=1e-9).fun


def dense_hessian(likelihood, W, rows):
    """The Hessian of f in the features `rows`, column by column."""
    hessian = likelihood.hessian(likelihood.predict(likelihood.centred_product(W)))
    columns = []
    for j in rows:
        for t in range(W.shape[1]):
            step = np.zeros_like(W)
            step[j, t] = 1
            change = likelihood.design.correlate(hessian.product(likelihood.centred_product(step)))
            columns.append(change[rows].ravel())
    return np.array(columns)


@two_or_more
@with_and_without_intercept
@pytest.mark.parametrize("labels", [None, [2, 0, 1, 0, 2, 2]])
def test_value_is_the_log_loss_with_the_best_intercept(n_classes, fit_intercept, labels):
    X, codes, s = noisy(n_classes)
    objective = build_classes(X, codes, labels=labels, sample_weight=s, fit_intercept=fit_intercept)
    likelihood, W = objective.smooth, random_W(objective.shape)
    Z = X[:, objective.groups.order] @ W
    value = likelihood.evaluate(W)[0]
    assert value == pytest.approx(least_log_loss(Z, codes, s, fit_intercept), rel=1e-9)
    intercept = likelihood.intercept(W)
    assert value == pytest.approx(mean_log_loss(Z + intercept, codes, s), rel=1e-12)
    if not fit_intercept:
        assert not intercept.any()
    zero = np.zeros_like(W)
    assert likelihood.value_at_zero == pytest.approx(likelihood.evaluate(zero)[0], rel=1e-14)
    np.testing.assert_allclose(likelihood.C, -likelihood.evaluate(zero)[1], atol=1e-15)


@two_or_more
@with_and_without_intercept
@pytest.mark.untraced
def test_gradient_against_finite_differences(n_classes, fit_intercept):
    X, codes, s = noisy(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
    W = random_W(likelihood.C.shape, 0.5)
    gradient = likelihood.evaluate(W)[1]
    for j, t in [(0, 0), (3, likelihood.C.shape[1] - 1), (5, 0)]:
        step = np.zeros_like(W)
        step[j, t] = 1e-4
        values = [least_log_loss(X @ V, codes, s, fit_intercept) for V in (W + step, W - step)]
        assert gradient[j, t] == pytest.approx((values[0] - values[1]) / 2e-4, abs=1e-6)


@two_or_more
@with_and_without_intercept
def test_hessian_product_is_the_derivative_of_the_residual(n_classes, fit_intercept):
    X, codes, s = noisy(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
    Z, V = random_W(likelihood.Y.shape), random_W(likelihood.Y.shape, seed=1)
    hessian = likelihood.hessian(likelihood.predict(Z))
    plus, minus = likelihood.predict(Z + 1e-5 * V), likelihood.predict(Z - 1e-5 * V)
    change = (plus.residual - minus.residual) / 2e-5
    np.testing.assert_allclose(hessian.product(V), change, atol=1e-8)
    # Multinomial intercepts are known up to a constant.
    moved = (plus.intercept - minus.intercept) / 2e-5
    expected = hessian.intercept_change(V)
    np.testing.assert_allclose(moved - moved[0], expected - expected[0], atol=1e-6)


@two_or_more
@pytest.mark.parametrize("scale", [0, 0.3, 3])
def test_lipschitz_bounds_the_hessian_of_each_block(n_classes, scale):
    X, codes, s = noisy(n_classes)
    labels = [0, 0, 1, 1, 1, 2]
    objective = build_classes(X, codes, labels=labels, sample_weight=s)
    W = random_W(objective.shape, scale)
    for g, L in enumerate(objective.lipschitz):
        H = dense_hessian(objective.smooth, W, np.flatnonzero(np.equal(labels, g)))
        np.testing.assert_allclose(H, H.T, atol=1e-14)
        eigenvalues = np.linalg.eigvalsh(H)
        assert eigenvalues[0] >= -1e-14
        assert eigenvalues[-1] <= L * (1 + 1e-12)
        assert scale > 0 or n_classes > 2 or eigenvalues[-1] > 0.5 * L, "the bound is far off"


def touching(likelihood, W, factor):
    return Touching(likelihood.base, factor, W, *likelihood.evaluate(W))


@two_or_more
@with_and_without_intercept
def test_a_quadratic_of_the_bounding_curvature_lies_above(n_classes, fit_intercept):
    X, codes, s = noisy(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
    bound, refuted = likelihood.loss.curvature_bound, 0
    for seed in range(20):
        W, V = (
            random_W(likelihood.C.shape, scale, seed) for scale in (0.2, 10.0 ** (seed % 4 - 2))
        )
        V = W + V[::-1]
        value = likelihood.evaluate(V)[0]
        assert touching(likelihood, W, bound).evaluate(V)[0] >= value - 1e-14
        refuted += touching(likelihood, W, 0.01 * bound).evaluate(V)[0] < value
    assert refuted > 5, "any quadratic would pass"


@two_or_more
@pytest.mark.parametrize("scale", [0, 0.3, 30])
def test_model_touches(n_classes, scale):
    X, codes, s = noisy(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s).smooth
    W = random_W(likelihood.C.shape, scale)
    value, gradient = likelihood.evaluate(W)
    model_value, model_gradient = likelihood.model(W).evaluate(W)
    assert model_value == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(model_gradient, gradient, atol=1e-10)


def test_model_is_close_at_small_steps():
    # For features that are unrelated to the classes, the mean curvature is the curvature.
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(20_000, 2)), rng.integers(0, 3, 20_000)
    likelihood = build_classes(X, codes).smooth
    W = random_W((2, 3), 0.05)
    W -= W.mean(axis=1, keepdims=True)
    model = likelihood.model(np.zeros_like(W))
    rise = [f.evaluate(W)[0] - f.value_at_zero for f in (model, likelihood)]
    assert rise[0] == pytest.approx(rise[1], rel=0.05)


def assert_same(a, b, scale=1.0):
    """a and b are the same function of W; columns are `scale` times as large in b."""
    np.testing.assert_allclose(b.C, a.C * scale, rtol=1e-9, atol=1e-12 * np.max(scale))
    for size in (0.1, 3):
        W = random_W(a.C.shape, size)
        (value, gradient), (other, other_gradient) = a.evaluate(W), b.evaluate(W / scale)
        assert other == pytest.approx(value, rel=1e-10)
        np.testing.assert_allclose(other_gradient / scale, gradient, rtol=1e-7, atol=1e-11)


@two_or_more
@with_and_without_intercept
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(n_classes, fit_intercept, container):
    X, codes, s = noisy(n_classes)
    X[np.abs(X) < 1] = 0
    dense, thin = (
        build_classes(x, codes, sample_weight=s, fit_intercept=fit_intercept)
        for x in (X, container(X))
    )
    assert_same(dense.smooth, thin.smooth)
    np.testing.assert_allclose(thin.lipschitz, dense.lipschitz)
    W = random_W(dense.shape)
    # Multinomial intercepts are known up to a constant.
    a, b = (f.smooth.intercept(W) for f in (dense, thin))
    np.testing.assert_allclose(a - a[0] * (n_classes > 2), b - b[0] * (n_classes > 2), atol=1e-8)


@two_or_more
@with_and_without_intercept
def test_weights_are_repeated_rows(n_classes, fit_intercept):
    X, codes, _ = noisy(n_classes)
    times = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = build_classes(X, codes, sample_weight=0.1 * times, fit_intercept=fit_intercept)
    repeated = build_classes(
        np.repeat(X, times, axis=0), np.repeat(codes, times), fit_intercept=fit_intercept
    )
    assert_same(weighted.smooth, repeated.smooth)


@two_or_more
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_rows_without_weight_are_dropped(n_classes, container):
    X, codes, s = noisy(n_classes)
    s[::4] = 0
    used = s > 0
    nonsense = X.copy()
    nonsense[~used] = 1e6
    a = build_classes(X[used], codes[used], sample_weight=s[used], n_classes=n_classes)
    b = build_classes(container(nonsense), codes, sample_weight=s)
    assert_same(a.smooth, b.smooth)
    assert b.smooth.n_samples == used.sum()


@two_or_more
def test_order_of_the_features(n_classes):
    X, codes, s = noisy(n_classes)
    order = np.array([3, 0, 5, 1, 4, 2])
    sorted_ = build_classes(X[:, order], codes, sample_weight=s).smooth
    permuted = build_classes(X, codes, labels=np.argsort(order).tolist(), sample_weight=s).smooth
    np.testing.assert_array_equal(permuted.order, np.arange(6))
    labels = [1, 0, 1, 0, 1, 0]
    grouped = build_classes(X, codes, labels=labels, sample_weight=s).smooth
    assert not np.array_equal(grouped.order, np.arange(6))
    assert_same(build_classes(X[:, grouped.order], codes, sample_weight=s).smooth, grouped)
    W = random_W(sorted_.C.shape)
    back = np.empty_like(W)
    back[order] = W
    assert permuted.evaluate(back)[0] == pytest.approx(sorted_.evaluate(W)[0], rel=1e-12)
    a, b = permuted.intercept(back), sorted_.intercept(W)
    np.testing.assert_allclose(a - a[0] * (n_classes > 2), b - b[0] * (n_classes > 2), atol=1e-8)


@two_or_more
@with_and_without_intercept
def test_units_of_the_features_do_not_matter(n_classes, fit_intercept):
    X, codes, s = noisy(n_classes)
    scale = 10.0 ** np.array([-8, 8, 0, 3, -3, 0])
    a, b = (
        build_classes(x, codes, sample_weight=s, fit_intercept=fit_intercept).smooth
        for x in (X, X * scale)
    )
    assert_same(a, b, scale[:, None])
    best = [f.evaluate(f.minimise(np.zeros(f.C.shape), np.arange(6)))[0] for f in (a, b)]
    assert best[0] == pytest.approx(best[1], rel=1e-10)


def test_a_class_without_weight_is_as_good_as_absent():
    X, codes, s = noisy(2)
    absent = build_classes(X, codes, sample_weight=s, n_classes=3).smooth
    W = random_W((6, 3), 0.5)
    value, gradient = absent.evaluate(W)
    pair = build_classes(X, codes, sample_weight=s).smooth
    assert value == pytest.approx(pair.evaluate(W[:, 1:2] - W[:, :1])[0], rel=1e-9)
    np.testing.assert_allclose(gradient[:, 2], 0, atol=1e-12)
    assert np.isfinite(absent.intercept(W)).all()
    assert np.isfinite(absent.evaluate(100 * W)[0])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_alone_has_next_to_no_loss(n_classes):
    X, _, _ = noisy(2)
    likelihood = build_classes(X, np.ones(len(X), dtype=int), n_classes=n_classes).smooth
    assert 0 <= likelihood.value_at_zero < 1e-12
    value, gradient = likelihood.evaluate(random_W(likelihood.C.shape))
    assert 0 <= value < 1e-12
    assert np.isfinite(gradient).all()


@two_or_more
@with_and_without_intercept
@pytest.mark.parametrize("labels", [None, [0, 0, 1, 1, 1, 2]])
def test_dual_values_bound_the_optimum_and_meet_it(n_classes, fit_intercept, labels):
    X, codes, s = noisy(n_classes)
    objective = build_classes(
        X, codes, labels=labels, sample_weight=s, fit_intercept=fit_intercept, share=0.3
    )
    best = descend(objective, tol=1e-11)

    def dual_value(W):
        return objective.value(W) - objective.duality_gap(W)

    for scale in (0, 0.01, 0.1, 1, 10):
        for seed in range(5):
            W = random_W(objective.shape, scale, seed)
            assert dual_value(W) <= best.value * (1 + 1e-12)
            assert dual_value(best.W + 0.01 * W) <= best.value * (1 + 1e-12)
    assert dual_value(best.W) == pytest.approx(best.value, rel=1e-8)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@with_and_without_intercept
def test_rows_are_the_columns_of_the_design(container, fit_intercept):
    X, codes, s = noisy(2, n_features=40)
    X[np.random.default_rng(0).uniform(size=X.shape) > 0.05] = 0
    X[:, 3] = 0.7
    labels = list(range(40))[::-1]
    likelihood = build_classes(
        container(X), codes, labels=labels, sample_weight=s, fit_intercept=fit_intercept
    ).smooth
    rng, W, R = np.random.default_rng(0), random_W((40, 2)), random_W((60, 2))
    for size in (5, 8, 8, 40, 3):  # some of them are those of the last call
        features = np.sort(rng.choice(40, size, replace=False))
        rows, columns = likelihood.columns(features), likelihood.design.columns(features)
        assert hasattr(rows, "means") == (container is not np.asarray)
        dense = np.hstack([part for _, part in rows.parts()])
        np.testing.assert_allclose(dense, columns.T, atol=1e-15)
        np.testing.assert_allclose(rows.product(W[features]), columns @ W[features], atol=1e-13)
        np.testing.assert_allclose(rows.correlate(R), columns.T @ R, atol=1e-13)
        inside = np.zeros_like(W)
        inside[features] = W[features]
        for V in (inside, W):  # with coefficients of these features alone, and of all
            expected = likelihood.design.product(V) / likelihood.design.row_scale
            np.testing.assert_allclose(likelihood.centred_product(V), expected, atol=1e-12)


@two_or_more
def test_what_was_seen_is_of_that_W(n_classes):
    X, codes, s = noisy(n_classes)
    fresh = build_classes(X, codes, sample_weight=s).smooth
    likelihood = fresh.with_memory()
    W = random_W(likelihood.C.shape)
    for _ in range(3):
        value, gradient = likelihood.evaluate(W)
        gradient[:] = np.nan  # belongs to the caller
        again, gradient = likelihood.evaluate(W)
        Z = X @ W
        assert again == value == pytest.approx(least_log_loss(Z, codes, s), rel=1e-9)
        assert np.isfinite(gradient).all()
        W[1] += 1  # in place
        np.testing.assert_allclose(fresh.evaluate(W)[1], likelihood.evaluate(W)[1])


@two_or_more
def test_raw_predictions_that_do_not_fit_are_the_worst(n_classes):
    X, codes, s = noisy(n_classes)
    likelihood = build_classes(X, codes, sample_weight=s).smooth
    Z = random_W(likelihood.Y.shape)
    for wrong in (np.nan, -np.inf if codes[3] else np.inf):
        Z[3, 0] = wrong
        with np.errstate(invalid="ignore"):
            assert likelihood.predict(Z).value == np.inf


def test_no_matrix_of_many_classes_is_formed(monkeypatch):
    # It would cost the cube of the number of classes.
    X, codes, s = noisy(60, n_samples=200)
    monkeypatch.setattr(Multinomial, "mean_hessian", None)
    objective = build_classes(X, codes, sample_weight=s, share=0.5)
    assert descend(objective, tol=1e-6).residual <= 1e-6


def test_the_last_two_coefficients_are_remembered():
    X, codes, s = noisy(3)
    likelihood = build_classes(X, codes, sample_weight=s).smooth
    assert likelihood.see(random_W((6, 3))) is not likelihood.see(random_W((6, 3)))
    likelihood = likelihood.with_memory()
    first, second = likelihood.see(random_W((6, 3))), likelihood.see(random_W((6, 3), seed=1))
    assert likelihood.see(first.W) is first
    assert likelihood.see(second.W) is second


@every_problem
@pytest.mark.parametrize("scale", [0, 1, 10, 100])
def test_the_intercept_leaves_no_gradient(name, scale, monkeypatch):
    X, codes = CLASS_PROBLEMS[name]()
    likelihood = build_classes(X, codes).smooth
    predictions, honest = [], likelihood.at
    monkeypatch.setattr(likelihood, "at", lambda *a: predictions.append(a) or honest(*a))
    units = np.sqrt(np.where(likelihood.design.diagonal > 0, likelihood.design.diagonal, 1))
    for seed in range(5):
        W = random_W(likelihood.C.shape, scale, seed) / units[:, None]
        predictions.clear()
        found = likelihood.predict(likelihood.centred_product(W))
        assert np.isfinite(found.value)
        # The search ends one step after it is off by 1e-9. That step squares the error, unless
        # some class has almost no curvature left.
        off = np.abs((found.state - likelihood.Y).mean(axis=0)).max()
        assert off < (1e-12 if scale <= 1 else 1e-9)
        # If every step had to lower f, rounding would reject good ones and hundreds be tried.
        assert len(predictions) <= 80


@pytest.mark.parametrize("scale", [1, 30, 1000])
@pytest.mark.parametrize("start", [-50.0, 0.0, 50.0])
def test_the_intercept_is_found_from_anywhere(scale, start):
    # One rare class, and raw predictions at two ends with nothing between.
    rng = np.random.default_rng(0)
    codes = (np.arange(100) == 0).astype(int)
    likelihood = build_classes(rng.normal(size=(100, 1)), codes).smooth
    Z = scale * np.sign(rng.normal(size=(100, 1)) - 1)
    found = likelihood.predict(Z, np.array([start]))
    assert abs((found.state - likelihood.Y).mean()) < 1e-9


@pytest.mark.parametrize("size", [1e3, 1e4, 1e6])
@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_an_intercept_is_found_for_raw_predictions_of_any_size(monkeypatch, n_classes, size):
    # Classes along a line: with the right intercept the loss is 0, and far from it the slope does
    # not say where it is.
    x = np.linspace(-5, 5, 80)[:, None]
    codes = np.arange(80) * n_classes // 80
    likelihood = build_classes(x, codes).smooth
    Z = size * x * (np.arange(n_classes) if n_classes > 2 else 1.0)
    assert likelihood.predict(Z).value < 1e-3
    if n_classes == 8 and size == 1e6:
        # Mutant: the search always begins where it does for small predictions.
        monkeypatch.setattr(Likelihood, "_cooled", lambda self, Z: self.intercept_at_zero)
        assert likelihood.predict(Z).value > 1


def test_steps_of_many_intercepts_are_those_of_few(monkeypatch):
    X, codes, s = noisy(5)
    likelihood = build_classes(X, codes, sample_weight=s).smooth
    Z, V = random_W(likelihood.Y.shape), random_W(likelihood.Y.shape, seed=1)
    few = likelihood.predict(Z)
    change = likelihood.hessian(few).intercept_change(V)
    monkeypatch.setattr("shrinklin.objective.likelihood._FORMED", 4)
    many = likelihood.predict(Z)
    np.testing.assert_allclose(many.intercept, few.intercept, atol=1e-10)
    found = likelihood.hessian(many).intercept_change(V)
    np.testing.assert_allclose(found - found[0], change - change[0], atol=1e-7)
