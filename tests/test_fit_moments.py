"""A regressor fitted to moments, or in parts, is the one fitted to all the data."""

import pickle
import re
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from equal_moments import far_from_zero, in_chunks
from problems import PROBLEMS, simulate
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    Moments,
    ShrinkNetRegressor,
    regularization_path,
)

REGRESSORS = {
    "group lasso": GroupLassoRegressor(tol=1e-10),
    "ShrinkNet, p = 2": ShrinkNetRegressor(tol=1e-10),
    "ShrinkNet, p = 1": ShrinkNetRegressor(p=1, tol=1e-10),
}


def _weighted(X, Y):
    s = np.random.default_rng(0).uniform(0, 2, len(Y))
    s[::5] = 0
    return X, Y, s


def _changing(X, Y):
    """Columns that are constant within some of the chunks of 14."""
    X[:28, 1] = 0.3
    X[14:, 2] = -5
    return X, Y


# Data, and what the regressor is told about them.
CASES = {
    "plain": (lambda X, Y: (X, Y), {}),
    "weights": (_weighted, {}),
    "one target": (lambda X, Y: (X, Y[:, 0]), {}),
    "one column of Y": (lambda X, Y: (X, Y[:, :1]), {}),
    "no intercept": (lambda X, Y: (X + 1, Y - 2), {"fit_intercept": False}),
    "means": (lambda X, Y: (X + 30 * np.arange(12), Y - 50), {}),
    "groups": (lambda X, Y: (X, Y), {"groups": np.arange(12) % 4}),
    "feature weights": (lambda X, Y: (X, Y), {"feature_weights": [0, 2, *[1.0] * 10]}),
    "constant for a while": (_changing, {}),
    "sparse": (lambda X, Y: (sparse.csr_array(np.where(np.abs(X) < 0.8, 0, X)), Y), {}),
    "sparse, weights": (
        lambda X, Y: (sparse.csc_array(np.maximum(X, 0)), *_weighted(X, Y)[1:]),
        {},
    ),
    "float32": (lambda X, Y: (X.astype(np.float32), Y), {}),
    "no signal": (lambda X, Y: (X, Y), {"alpha": 1e3}),
}


def cut(data, size):
    return in_chunks(*data, size=size)


def partial(model, chunks):
    *first, last = chunks
    with warnings.catch_warnings():
        # The first rows alone can be fitted without error, which is hard to do to 10 digits.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for chunk in first:
            model.partial_fit(*chunk)
    return model.partial_fit(*last)


def assert_same_model(found, expected):
    tolerance = 1e-8 if expected.coef_.dtype == np.float64 else 1e-6
    scale = max(np.abs(expected.coef_).max(), 1e-3)
    assert found.coef_.shape == expected.coef_.shape
    assert found.coef_.dtype == expected.coef_.dtype
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=0, atol=tolerance * scale)
    size = np.abs(expected.intercept_).max() + scale
    np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=0, atol=tolerance * size)
    assert np.shape(found.intercept_) == np.shape(expected.intercept_)
    np.testing.assert_array_equal(found.get_support(), expected.get_support())
    assert found.n_features_in_ == expected.n_features_in_


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_moments_and_parts_give_the_model_of_fit(model, name):
    change, told = CASES[name]
    data = change(*simulate(45, 12, 3, noise=0.5))
    model = clone(model).set_params(**told)
    expected = clone(model).fit(*data)
    chunks = cut(data, 14)
    assert_same_model(partial(clone(model), chunks[::-1]), expected)
    found = clone(model).fit_moments(Moments.from_chunks(chunks))
    if name == "float32":
        assert found.coef_.dtype == np.float64  # moments are
        found.coef_, found.intercept_ = (
            a.astype(np.float32) for a in (found.coef_, found.intercept_)
        )
    assert_same_model(found, expected)


@pytest.mark.parametrize("name", PROBLEMS)
def test_on_the_named_problems(name):
    X, Y = PROBLEMS[name]()
    model = GroupLassoRegressor(alpha=0.3, tol=1e-10)
    expected = clone(model).fit(X, Y)
    found = clone(model).fit_moments(Moments.from_data(X, Y))
    np.testing.assert_allclose(found.objective_, expected.objective_, rtol=1e-8)
    assert_close = np.testing.assert_allclose
    assert_close(found.predict(X), expected.predict(X), rtol=0, atol=1e-6 * np.abs(Y).max())


@pytest.mark.parametrize("size", [1, 7, 45])
@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_chunks_of_any_size(model, size):
    data = _weighted(*simulate(45, 6, 2))
    expected = clone(model).fit(*data)
    chunks = [chunk for chunk in cut(data, size) if chunk[2].any()]
    assert_same_model(partial(clone(model), chunks), expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(cuts=st.sets(st.integers(1, 39)), seed=st.integers(0, 3), order=st.randoms())
def test_any_cuts_in_any_order(cuts, seed, order):
    X, Y, s = _weighted(*simulate(40, 5, 2, seed=seed))
    ends = [0, *sorted(cuts), 40]
    chunks = [(X[a:b], Y[a:b], s[a:b]) for a, b in pairwise(ends)]
    order.shuffle(chunks)
    model = ShrinkNetRegressor(tol=1e-10)
    found = clone(model).fit_moments(Moments.from_chunks(chunks))
    assert_same_model(found, model.fit(X, Y, s))


class ForgetsTheFirst(GroupLassoRegressor):
    """A mutant whose moments begin with the second chunk."""

    def partial_fit(self, X, y, sample_weight=None):
        fresh = getattr(self, "calls", 0) < 2
        self.calls = getattr(self, "calls", 0) + 1
        if fresh:
            self.__dict__.pop("moments_", None)
            self.__dict__.pop("coef_", None)
        return super().partial_fit(X, y, sample_weight)


class AveragesChunks(GroupLassoRegressor):
    """A mutant that fits each chunk and averages the coefficients."""

    def partial_fit(self, X, y, sample_weight=None):
        one = clone(GroupLassoRegressor(**self.get_params())).fit(X, y, sample_weight)
        self.models = [*getattr(self, "models", []), one]
        self.n_features_in_ = one.n_features_in_
        self.coef_ = np.mean([model.coef_ for model in self.models], axis=0)
        self.intercept_ = np.mean([model.intercept_ for model in self.models], axis=0)
        return self


@pytest.mark.parametrize("mutant", [ForgetsTheFirst, AveragesChunks])
def test_mutants_are_rejected(mutant):
    data = simulate(45, 12, 3, noise=0.5)
    expected = GroupLassoRegressor(tol=1e-10).fit(*data)
    with pytest.raises(AssertionError):
        assert_same_model(partial(mutant(tol=1e-10), cut(data, 15)), expected)


# Numerical care.


@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_coefficients_keep_6_digits_at_means_of_1e8(model):
    X, Y, _ = far_from_zero()
    centred = X - 1e8
    expected = clone(model).fit(centred - centred.mean(axis=0), Y - Y.mean(axis=0))
    for found in (
        clone(model).fit(X, Y),
        clone(model).fit_moments(Moments.from_chunks(in_chunks(X, Y, size=61))),
        partial(clone(model), in_chunks(X, Y, size=100)),
    ):
        scale = np.abs(expected.coef_).max()
        np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-6, atol=1e-6 * scale)


# Gradient training.


@pytest.mark.parametrize("model", [GroupLassoRegressor(), ShrinkNetRegressor()])
def test_gradient_training_on_moments_is_that_on_the_data(model):
    X, Y = simulate(60, 8, 2)
    model = model.set_params(solver=GradientDescent(), random_state=0)
    expected = clone(model).fit(X, Y)
    for found in (
        clone(model).fit_moments(Moments.from_chunks(in_chunks(X, Y))),
        partial(clone(model), in_chunks(X, Y, size=30)),
    ):
        # Later on a switch that crosses 0 an epoch earlier makes the two differ for a while.
        losses = [m.history_["loss"][:50] for m in (found, expected)]
        np.testing.assert_allclose(*losses, rtol=1e-8)
        np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-5)


def test_minibatches_need_the_samples():
    X, Y = simulate(20, 3, 2)
    model = ShrinkNetRegressor(solver=GradientDescent(batch_size=5))
    for fit in (
        lambda: model.fit_moments(Moments.from_data(X, Y)),
        lambda: model.partial_fit(X, Y),
    ):
        with pytest.raises(AttributeError) as raised:
            fit()
        assert re.search(
            r"batch_size=5 needs the samples.*batch_size=None", str(raised.value.__cause__)
        )
    assert not hasattr(model, "moments_")


# From one call to the next.


@pytest.mark.parametrize("first", ["fit", "fit_moments"])
def test_after_another_fit_it_begins_anew_and_says_so(first):
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor(tol=1e-10)
    _ = model.fit(X[:20], Y[:20]) if first == "fit" else model.fit_moments(Moments.from_data(X, Y))
    assert not hasattr(model, "moments_")
    with pytest.warns(UserWarning, match=r"keep no moments: partial_fit starts again"):
        model.partial_fit(X[20:], Y[20:])
    assert_same_model(model, GroupLassoRegressor(tol=1e-10).fit(X[20:], Y[20:]))


@pytest.mark.parametrize("fit", ["fit", "fit_moments"])
def test_another_fit_drops_the_moments(fit):
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor().partial_fit(X, Y)
    assert model.moments_.n_samples == 40
    _ = model.fit(X, Y) if fit == "fit" else model.fit_moments(model.moments_)
    assert not hasattr(model, "moments_")


def test_a_call_that_fails_leaves_the_moments_as_they_were():
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor(tol=1e-10).partial_fit(X[:20], Y[:20])
    for wrong in (
        (X[20:, :3], Y[20:]),
        (X[20:], Y[20:, 0]),
        (X[20:] * np.nan, Y[20:]),
        (X[20:], Y[20:], -np.ones(20)),
    ):
        with pytest.raises(ValueError, match=r"features|dimensions|targets|NaN|negative"):
            model.partial_fit(*wrong)
    model.partial_fit(X[20:], Y[20:])
    assert model.moments_.n_samples == 40
    assert_same_model(model, GroupLassoRegressor(tol=1e-10).fit(X, Y))


@pytest.mark.parametrize("way", ["fit", "fit_moments", "partial_fit"])
@pytest.mark.parametrize("model", [GroupLassoRegressor(), ShrinkNetRegressor()])
def test_a_call_that_fails_leaves_the_model_as_it_was(model, way):
    X, Y = simulate(40, 5, 2)
    model = clone(model).set_params(alpha=0.01).partial_fit(X[:20], Y[:20])
    before = vars(model).copy()
    # Found out late: that training diverges, or that there are more features than labels.
    diverging = GradientDescent("sgd", learning_rate=1e13, max_epochs=9)
    for wrong in ({"solver": diverging}, {"groups": [0, 1]}):
        data = [X[20:] if way == "partial_fit" else X[20:, :3], Y[20:]]
        if way == "fit_moments":
            data = [Moments.from_data(*data)]
        model.set_params(**wrong)
        with pytest.raises(ValueError, match=r"diverged|2 labels"):
            getattr(model, way)(*data)
        assert vars(model.set_params(solver="auto", groups=None)) == before
    model.partial_fit(X[20:], Y[20:])
    assert_same_model(model, clone(model).partial_fit(X, Y))


@pytest.mark.parametrize("way", ["fit_moments", "partial_fit"])
def test_warnings_of_a_training_come_after_the_model(way):
    X, Y = simulate(40, 5, 2)
    solver = GradientDescent(tol=1e-9, max_epochs=3)
    model = GroupLassoRegressor(solver=solver, random_state=0)
    data = [Moments.from_data(X, Y)] if way == "fit_moments" else [X, Y]
    with pytest.raises(ConvergenceWarning, match="did not converge"):
        getattr(model, way)(*data)
    assert model.n_iter_ == 3
    assert hasattr(model, "moments_") == (way == "partial_fit")
    with pytest.warns(ConvergenceWarning) as caught:
        getattr(clone(model), way)(*data)
    assert caught[0].filename == __file__


def test_rows_of_no_weight_add_nothing_but_cannot_be_all():
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor()
    with pytest.raises(ValueError, match="sample_weight is zero on every row"):
        model.partial_fit(X, Y, np.zeros(40))
    model.partial_fit(X, Y)
    before = model.coef_.copy()
    model.partial_fit(X + 3, Y, np.zeros(40))
    np.testing.assert_array_equal(model.coef_, before)
    assert model.moments_.n_samples == 40


def test_a_pickled_model_goes_on():
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor(tol=1e-10).partial_fit(X[:20], Y[:20])
    model = pickle.loads(pickle.dumps(model)).partial_fit(X[20:], Y[20:])
    assert_same_model(model, GroupLassoRegressor(tol=1e-10).fit(X, Y))


def test_parameters_may_change_between_calls():
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor(alpha=5, tol=1e-10).partial_fit(X[:20], Y[:20])
    model.set_params(alpha=0.2, fit_intercept=False).partial_fit(X[20:], Y[20:])
    expected = GroupLassoRegressor(alpha=0.2, fit_intercept=False, tol=1e-10).fit(X, Y)
    assert_same_model(model, expected)


def test_a_clone_has_seen_nothing():
    X, Y = simulate(40, 5, 2)
    model = clone(GroupLassoRegressor(tol=1e-10).partial_fit(X[:20], Y[:20]))
    model.partial_fit(X[20:], Y[20:])
    assert_same_model(model, GroupLassoRegressor(tol=1e-10).fit(X[20:], Y[20:]))


# Names of features.


def test_names_of_features():
    X, Y = simulate(40, 3, 2)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = GroupLassoRegressor(alpha=0.01).partial_fit(frame[:20], Y[:20])
    model.partial_fit(frame[20:], Y[20:])
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(frame[["b", "a", "c"]], Y)
    named = GroupLassoRegressor(alpha=0.01).fit_moments(Moments.from_data(frame, Y))
    assert list(named.get_feature_names_out()) == ["a", "b", "c"]
    named.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        named.predict(frame[["b", "a", "c"]])
    named.fit_moments(Moments.from_data(X, Y))
    assert not hasattr(named, "feature_names_in_")


# Paths, and what is given wrongly.


@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_a_path_of_moments_is_that_of_the_data(model):
    X, Y, s = _weighted(*simulate(60, 8, 2))
    X_new, Y_new, s_new = _weighted(*simulate(50, 8, 2, seed=1))
    moments = Moments.from_chunks(in_chunks(X, Y, s))
    found = regularization_path(model, moments, alphas=8)
    expected = regularization_path(model, X, Y, alphas=8, sample_weight=s)
    np.testing.assert_allclose(found.alphas, expected.alphas)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-7)
    np.testing.assert_allclose(found.intercepts, expected.intercepts, atol=1e-7)
    errors = [
        np.average(((Y_new - Z) ** 2).mean(axis=1), weights=s_new) for Z in found.predict(X_new)
    ]
    held_out = Moments.from_chunks(in_chunks(X_new, Y_new, s_new))
    np.testing.assert_allclose(found.mean_squared_errors(held_out), errors)


def test_what_moments_hold_is_not_given_twice():
    X, Y = simulate(20, 3, 2)
    moments = Moments.from_data(X, Y)
    for given_too in ({"y": Y}, {"sample_weight": np.ones(20)}):
        with pytest.raises(ValueError, match="leave out y and sample_weight"):
            regularization_path(GroupLassoRegressor(), moments, **given_too)


def test_classifiers_have_no_moments():
    moments = Moments.from_data(*simulate(20, 3, 2))
    assert not hasattr(GroupLassoClassifier, "fit_moments")
    with pytest.raises(TypeError, match=r"cannot be fitted to: only the squared loss can"):
        regularization_path(GroupLassoClassifier(), moments)


@pytest.mark.parametrize("wrong", [None, "moments", np.eye(3), (np.eye(3), np.eye(3))], ids=str)
def test_what_is_no_moments_is_refused(wrong):
    with pytest.raises(TypeError, match=r"give shrinklin.Moments, such as Moments.from_data"):
        GroupLassoRegressor().fit_moments(wrong)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"alpha": -1}, "alpha=-1"),
        ({"groups": [0, 1]}, "groups"),
        ({"feature_weights": [1, 1]}, "feature_weights"),
        ({"solver": "newton"}, "is not a solver of GroupLassoRegressor"),
    ],
)
def test_parameters_are_checked(told, message):
    X, Y = simulate(20, 3, 2)
    for fit in (
        lambda model: model.fit_moments(Moments.from_data(X, Y)),
        lambda model: model.partial_fit(X, Y),
    ):
        with pytest.raises(ValueError, match=message):
            fit(GroupLassoRegressor(**told))


# Chunks that differ in more than their rows.


@pytest.mark.parametrize("order", [(np.float32, np.float64), (np.float64, np.float32)])
def test_the_widest_numbers_of_all_chunks_are_those_of_the_model(order):
    X, Y = simulate(40, 5, 2)
    model = GroupLassoRegressor()
    for rows, dtype in zip((slice(20), slice(20, None)), order, strict=True):
        model.partial_fit(X[rows].astype(dtype), Y[rows])
    assert model.coef_.dtype == np.float64
    model.partial_fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == np.float64


def test_moments_of_partial_fit_have_the_names_of_the_features():
    X, Y = simulate(40, 3, 2)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = GroupLassoRegressor().partial_fit(frame[:20], Y[:20]).partial_fit(frame[20:], Y[20:])
    assert list(model.moments_.feature_names) == ["a", "b", "c"]
    assert GroupLassoRegressor().partial_fit(X, Y).moments_.feature_names is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sample_weight": np.zeros((20, 1))}, r"sample_weight has shape \(20, 1\)"),
        ({"sample_weight": np.zeros(7)}, "inconsistent numbers of samples"),
        ({"sample_weight": ["0"] * 20}, "not numeric"),
        ({"sample_weight": 0}, r"sample_weight has shape \(\)"),
        ({"y": np.zeros(20)}, "2 dimensions in these moments, 1 in the others|same columns"),
        ({"y": np.zeros((20, 3))}, "same columns"),
    ],
)
def test_rows_of_no_weight_are_checked_too(wrong, message):
    X, Y = simulate(20, 5, 2)
    model = GroupLassoRegressor().partial_fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(**({"X": X, "y": Y, "sample_weight": np.zeros(20)} | wrong))
    assert model.partial_fit(X, Y, np.zeros(20, int)).moments_.n_samples == 20


@pytest.mark.parametrize("scale", [1e-170, 1e170])
def test_moments_of_numbers_whose_squares_are_none_are_refused(scale):
    X, Y = simulate(20, 3, 2)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = Moments.from_data(X * scale, Y)
    with pytest.raises(
        ValueError, match="squares of X, y, y/X and X·y, but some of them do not fit"
    ):
        GroupLassoRegressor().fit_moments(moments)
