"""A classifier does not depend on the layout, order, type or names of its data."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from classifiers import (
    assert_same_model,
    every_estimator,
    every_number_of_classes,
    fitted,
    some_weights,
)
from problems import simulate_classes


@every_estimator
@every_number_of_classes
@pytest.mark.parametrize("container", ["csr_array", "csc_matrix"])
def test_sparse_equals_dense(estimator, n_classes, container):
    X, y = simulate_classes(60, 8, n_classes)
    X[np.abs(X) < 1] = 0
    dense = fitted(estimator, X, y, alpha=0.03)
    X_sparse = getattr(sparse, container)(X)
    model = fitted(estimator, X_sparse, y, alpha=0.03)
    assert_same_model(model, dense)
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        of_sparse, of_dense = getattr(model, method)(X_sparse), getattr(dense, method)(X)
        np.testing.assert_allclose(of_sparse, of_dense, atol=1e-5)
    assert model.transform(X_sparse).shape[1] == model.get_support().sum()


@every_estimator
@pytest.mark.parametrize("mean", [1e3, 1e6])
def test_columns_far_from_zero_keep_their_digits(estimator, mean):
    X, y = simulate_classes(60, 6, 3)
    far = X.copy()
    far[:, :3] += mean
    near = fitted(estimator, X, y, alpha=0.03, tol=1e-6)
    assert near.coef_[:, :3].any()
    for container in (np.asarray, sparse.csr_array):
        model = fitted(estimator, container(far), y, alpha=0.03, tol=1e-6)
        np.testing.assert_allclose(model.coef_, near.coef_, atol=1e-5)


@every_estimator
@pytest.mark.parametrize("groups", [None, np.array(list("aabbcdef"))])
def test_permuting_features_permutes_coefficients(estimator, groups):
    X, y = simulate_classes(60, 8, 3)
    order = np.random.default_rng(0).permutation(8)
    straight = fitted(estimator, X, y, groups=groups, alpha=0.03)
    permuted = None if groups is None else groups[order]
    model = fitted(estimator, X[:, order], y, groups=permuted, alpha=0.03)
    np.testing.assert_allclose(model.coef_, straight.coef_[:, order], atol=1e-6)


@every_estimator
def test_permuting_classes_permutes_rows(estimator):
    X, y = simulate_classes(80, 8, 5)
    order = np.array([2, 0, 4, 3, 1])
    straight = fitted(estimator, X, y, alpha=0.03)
    permuted = fitted(estimator, X, np.argsort(order)[y], alpha=0.03)
    assert straight.coef_.any()
    np.testing.assert_allclose(permuted.coef_, straight.coef_[order], atol=1e-6)
    np.testing.assert_allclose(permuted.intercept_, straight.intercept_[order], atol=1e-6)
    np.testing.assert_allclose(permuted.predict_proba(X), straight.predict_proba(X)[:, order],
                               atol=1e-6)  # fmt: skip


@every_estimator
def test_swapping_two_classes_changes_the_sign(estimator):
    X, y = simulate_classes(60, 8, 2)
    straight, swapped = (fitted(estimator, X, codes, alpha=0.03) for codes in (y, 1 - y))
    assert straight.coef_.any()
    np.testing.assert_allclose(swapped.coef_, -straight.coef_, atol=1e-6)
    np.testing.assert_allclose(swapped.intercept_, -straight.intercept_, atol=1e-6)


@every_estimator
@pytest.mark.parametrize(
    "labels",
    [
        np.array(["ash", "birch", "cedar"]),
        np.array(["ash", "birch", "cedar"], dtype=object),
        np.array([-7, 0, 12]),
        np.array([0.0, 1.0, 4.0]),
    ],
)
def test_labels_are_only_names(estimator, labels):
    X, y = simulate_classes(60, 6, 3)
    plain = clone(estimator).set_params(alpha=0.1).fit(X, y)
    model = clone(estimator).set_params(alpha=0.1).fit(X, labels[y])
    np.testing.assert_array_equal(model.classes_, labels)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.predict(X), labels[plain.predict(X)])
    from_list = clone(estimator).set_params(alpha=0.1).fit(X.tolist(), list(labels[y]))
    np.testing.assert_array_equal(from_list.coef_, plain.coef_)


@every_estimator
def test_coefficients_of_the_classes_are_centred(estimator):
    X, y = simulate_classes(80, 8, 5)
    model = fitted(estimator, X, y, alpha=0.03)
    assert model.coef_.any()
    # ‖w‖₁ is smallest about the median, which is unique as the number of classes is odd.
    centre = np.mean if getattr(estimator, "p", 2) == 2 else np.median
    np.testing.assert_allclose(centre(model.coef_, axis=0), 0, atol=1e-6)
    shift = model.coef_.sum(axis=0) @ X.mean(axis=0)
    assert model.intercept_.sum() == pytest.approx(-shift, abs=1e-8)


@every_estimator
@pytest.mark.parametrize("weights", [None, [0, 1, 1, 1, 1, 1, 1, 1]], ids=["all", "but one"])
def test_coefficients_are_centred_without_an_intercept_too(estimator, weights):
    # Adding the same to all classes changes no probability, and the norm only a little: a weak
    # penalty alone cannot tell it from rounding.
    X, y = simulate_classes(80, 8, 5)
    model = clone(estimator).set_params(fit_intercept=False, feature_weights=weights)
    coef = fitted(model, X, y, alpha=1e-5).coef_
    if getattr(estimator, "p", 2) == 1:
        coef = coef[:, :1] if weights else np.zeros(1)
    np.testing.assert_allclose(coef.sum(axis=0), 0, atol=1e-13 * np.abs(coef).max())


@every_estimator
def test_scales_of_features_are_told_to_the_penalty_alone(estimator):
    # Without a penalty scales do not matter: the probabilities are the same.
    X, y = simulate_classes(80, 5, 3, noise=3)
    scale = 10.0 ** np.array([-8, 8, 0, -4, 4])
    model, scaled = (fitted(estimator, x, y, alpha=0) for x in (X, X * scale))
    np.testing.assert_allclose(model.predict_proba(X), scaled.predict_proba(X * scale), atol=1e-6)


@every_estimator
@every_number_of_classes
def test_float32_stays_and_agrees(estimator, n_classes):
    X, y = simulate_classes(60, 8, n_classes)
    estimator = clone(estimator).set_params(alpha=0.03)
    double = clone(estimator).fit(X, y)
    single = clone(estimator).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-5)
    probabilities = single.predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(probabilities, double.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    if hasattr(single, "weight_"):
        np.testing.assert_array_equal(single.coef_, single.weight_ * single.switch_)


@every_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_read_only_memory_map(estimator, dtype, tmp_path):
    X, y = simulate_classes(60, 6, 3)
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    y.flags.writeable = False
    model = clone(estimator).set_params(alpha=0.03).fit(mapped, y)
    other = clone(estimator).set_params(alpha=0.03).fit(X.astype(dtype), y)
    np.testing.assert_array_equal(model.coef_, other.coef_)


@every_estimator
def test_data_are_left_as_they_were(estimator):
    X, y = simulate_classes(60, 6, 3)
    s = some_weights(60)
    before = X.copy(), y.copy(), s.copy()
    model = clone(estimator).set_params(class_weight="balanced").fit(X, y, s)
    model.predict_proba(X)
    for array, old in zip((X, y, s), before, strict=True):
        np.testing.assert_array_equal(array, old)


@every_estimator
def test_same_bits_again(estimator):
    X, y = simulate_classes(60, 15, 3, 8, correlation=0.8)
    first, second = (clone(estimator).set_params(alpha=0.02).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)
