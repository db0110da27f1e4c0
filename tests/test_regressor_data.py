"""Regressors on awkward data: float32, extreme scales, constant and collinear columns."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from oracles import squared_loss
from problems import simulate
from regressors import ESTIMATORS, every_estimator, residual_updates
from shrinklin import (
    CoordinateDescent,
    GroupLassoRegressor,
    ShrinkNetRegressor,
    regularization_path,
)


@every_estimator
def test_float32_stays_and_agrees(estimator):
    X, Y = simulate(60, 12, 3)
    double = clone(estimator).fit(X, Y)
    single = clone(estimator).fit(X.astype(np.float32), Y.astype(np.float32))
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-5)


@every_estimator
def test_float32_input_whose_coefficients_do_not_fit_gives_float64(estimator):
    X, Y = simulate(60, 6, 2)
    for x_scale, y_scale in [(1e-30, 1e20), (1e30, 1e-20)]:
        model = clone(estimator).set_params(alpha=0.0)
        model.fit((x_scale * X).astype(np.float32), y_scale * Y)
        assert model.coef_.dtype == np.float64
        assert model.get_support().all()
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(
    ("alpha", "decay"), [(1e-200, 1e200), (1e-300, 1e100), (5e-324, 0.1), (1e200, 1e-200)]
)
def test_extreme_ratios_of_weight_decay_to_alpha(p, alpha, decay):
    X, Y = simulate(40, 4, 2)
    model = ShrinkNetRegressor(alpha, weight_decay=decay, p=p).fit(X, 10 * Y)
    assert np.isfinite(model.coef_).all()
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


@every_estimator
@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("mean", [1e5, 1e8])
def test_sparse_columns_far_from_zero_keep_their_digits(estimator, gram, mean):
    X, Y = simulate(60, 6, 2)
    X[:, :3] += mean
    estimator = clone(estimator).set_params(alpha=0.01, solver=CoordinateDescent(gram=gram))
    dense = clone(estimator).fit(X, Y)
    model = clone(estimator).fit(sparse.csr_array(X), Y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
    assert model.get_support()[:3].any()


@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-5])
def test_collinear_polynomials_are_solved_to_the_gap(alpha):
    x = np.linspace(0, 1, 200)
    X = StandardScaler().fit_transform(np.vander(x, 9, increasing=True)[:, 1:])
    Y = np.c_[np.sin(6 * x), np.cos(5 * x)]
    model = GroupLassoRegressor(alpha).fit(X, Y)
    assert model.dual_gap_ <= 1e-6 * squared_loss(X, Y, 0 * model.coef_, Y.mean(axis=0))
    assert model.n_iter_ < 2000


@every_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_read_only_memory_map(estimator, dtype, tmp_path):
    X, Y = simulate(60, 12, 3)
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    Y.flags.writeable = False
    model = clone(estimator).fit(mapped, Y)
    np.testing.assert_array_equal(model.coef_, clone(estimator).fit(X.astype(dtype), Y).coef_)


AWKWARD = {
    "constant": lambda X, Y: (np.where(np.arange(8) == 3, 7.1, X), Y, None),
    "all constant": lambda X, Y: (np.ones_like(X), Y, None),
    "duplicates": lambda X, Y: (X[:, [0, 0, 1, 1, 2, 2, 3, 3]], Y, None),
    "p > n": lambda X, Y: (X[:5], Y[:5], None),
    "one feature": lambda X, Y: (X[:, :1], Y, None),
    "one sample": lambda X, Y: (X[:1], Y[:1], None),
    "scales 1e-12 and 1e12": lambda X, Y: (X * 10.0 ** np.tile([-12, 12], 4), Y, None),
    "y all zero": lambda X, Y: (X, 0 * Y, None),
    "y constant": lambda X, Y: (X, 0 * Y + 3.3, None),
    "zero weights": lambda X, Y: (X, Y, np.arange(len(X)) % 2),
    "one weight": lambda X, Y: (X, Y, np.arange(len(X)) == 4),
    "y huge": lambda X, Y: (X, 1e100 * Y, None),
    "y tiny": lambda X, Y: (X, 1e-100 * Y, None),
    "integers": lambda X, Y: (np.round(5 * X).astype(int), np.round(5 * Y).astype(int), None),
}


@every_estimator
@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 1e-3, 0.2, 10])
@pytest.mark.untraced
def test_awkward_data(estimator, gram, kind, alpha):
    X, Y, s = AWKWARD[kind](*simulate(30, 8, 2))
    model = clone(estimator).set_params(alpha=alpha, solver=CoordinateDescent(gram=gram))
    model.fit(X, Y, sample_weight=s)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.predict(X)).all()
    assert model.residual_ <= model.tol
    used = slice(None) if s is None else s > 0
    fitted = squared_loss(X[used], Y[used], model.coef_, model.intercept_)
    mean = np.average(Y, axis=0, weights=s)
    empty = squared_loss(X[used], Y[used], np.zeros_like(model.coef_), mean)
    assert fitted <= empty * (1 + 1e-9) + 1e-300
    if kind in ("constant", "all constant"):
        assert not model.get_support()[3]


@pytest.mark.parametrize("scale", [1e7, 1e8, 1e9])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_features_that_differ_by_rounding_alone(scale, estimator):
    # By rounding, their Gram matrix had a negative eigenvalue, and f fell without end.
    for seed in range(3):
        rng = np.random.default_rng(seed)
        huge = scale * rng.normal(size=160)
        X = np.c_[rng.normal(size=(160, 3)), huge, huge + rng.normal(size=160)]
        y = X[:, 4] - X[:, 3] + 0.01 * rng.normal(size=160)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            path = regularization_path(estimator, X, y, alphas=[10, 1e-3, 1e-9])
        assert (path.objectives >= 0).all()
        assert (path.objectives[0] >= path.objectives).all()
        assert np.abs(path.coefs).max() < 10


@every_estimator
def test_coefficients_below_the_normal_numbers_of_float32_keep_their_digits(estimator):
    X, y = np.array([[0.0], [1.0]], dtype=np.float32), np.array([0.0, 1.0])
    estimator = clone(estimator).set_params(alpha=0.0)
    one, tiny = clone(estimator).fit(X, y), clone(estimator).fit(X, 3e-44 * y)
    assert tiny.coef_.dtype == float
    np.testing.assert_allclose(tiny.coef_, 3e-44 * one.coef_.astype(float), rtol=1e-6)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("solver", ["auto", residual_updates])
def test_without_penalty_the_rounding_of_means_is_no_direction(container, solver):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2, 14)) + np.repeat([0.0, 1000.0], 7), np.array([0.3, 1.7])
    model = GroupLassoRegressor(feature_weights=np.zeros(14), solver=solver)
    model.fit(container(X), y, sample_weight=[400.0, 0.14])
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-9)
    # Of all W that fit, it is the smallest in units of the features: no entry outweighs the rest.
    assert np.abs(model.coef_ * (X[1] - X[0])).max() < y[1] - y[0]
