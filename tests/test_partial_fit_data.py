"""Data of partial_fit: kinds of X, classes, weights, and the attributes after a call."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss as mean_log_loss

from oracles import log_loss
from problems import simulate_classes
from shrinklin import (
    Threshold,
)
from streams import (
    ESTIMATORS,
    assert_close,
    chunks_of,
    every_batch_size,
    every_estimator,
    every_number_of_classes,
    learnt,
    make,
    same_bits,
    stream,
)


def objective_of(model, X, y, s=None):
    if not hasattr(model, "switch_"):
        penalty = model.alpha * np.linalg.norm(model.coef_, axis=0).sum()
    else:
        decay = 4 * model.alpha / 27 * (model.weight_**2).sum()
        penalty = model.alpha * np.abs(model.switch_).sum() + decay
    return log_loss(X, y, model.coef_, model.intercept_, s) + penalty


@every_estimator
@every_number_of_classes
def test_attributes_after_a_call(estimator, n_classes):
    model = clone(estimator)
    for k, (X, y) in enumerate(chunks_of(n_classes), start=1):
        s = np.arange(len(y)) % 3 + 1.0
        assert model.partial_fit(X, y, classes=range(n_classes), sample_weight=s) is model
        if set(y) == set(range(n_classes)):
            assert model.objective_ == pytest.approx(objective_of(model, X, y, s), rel=1e-12)
        assert model.n_iter_ == k
    n_rows = 1 if n_classes == 2 else 3
    assert model.coef_.shape == (n_rows, 8)
    assert model.intercept_.shape == (n_rows,)
    np.testing.assert_array_equal(model.classes_, np.arange(n_classes))
    assert model.n_features_in_ == 8
    assert not hasattr(model, "history_")
    if hasattr(model, "switch_"):
        np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


@every_estimator
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@every_batch_size
def test_sparse_equals_dense(estimator, container, batch_size):
    chunks = [(np.where(np.abs(X) < 1, 0, X), y) for X, y in chunks_of()]
    setting = {"batch_size": batch_size, "removal": Threshold(0.05), "alpha": 0.2}
    dense = stream(make(estimator, **setting), chunks)
    model = stream(make(estimator, **setting), [(container(X), y) for X, y in chunks])
    assert_close(model, dense, 1e-10)


@every_estimator
def test_float32_labels_as_text_and_frames(estimator):
    chunks, names = chunks_of(), np.array(["ash", "beech", "cedar"])
    double = stream(clone(estimator), chunks)
    single = stream(clone(estimator), [(X.astype(np.float32), y) for X, y in chunks])
    assert {value.dtype for value in learnt(single).values()} == {np.dtype(np.float32)}
    assert_close(single, double, 1e-4)
    columns = list("abcdefgh")
    for dtype in (str, object):
        named = clone(estimator)
        for k, (X, y) in enumerate(chunks):
            frame = pd.DataFrame(X, columns=columns)
            classes = ["cedar", "ash", "beech"] if k == 0 else None
            named.partial_fit(frame, pd.Series(names[y].astype(dtype)), classes)
        assert same_bits(named, double)
        assert list(named.feature_names_in_) == columns
        np.testing.assert_array_equal(named.predict(frame), names[double.predict(frame.to_numpy())])
    with pytest.raises(ValueError, match="feature names should match"):
        named.partial_fit(frame[columns[::-1]], names[y])


@every_estimator
def test_many_classes_in_small_chunks(estimator):
    # Nearly all labels of a chunk are different, which is no reason for a warning.
    X, y = simulate_classes(90, 5, 40)
    model = clone(estimator)
    for k in range(0, 90, 30):
        model.partial_fit(X[k : k + 30], y[k : k + 30], classes=range(40))
    assert model.predict_proba(X).shape == (90, 40)


@every_estimator
def test_rows_in_any_order_of_classes(estimator):
    X, y = simulate_classes(300, 8, 3, noise=0.3)
    model = make(estimator, alpha=0.01, learning_rate=0.2)
    stream(model, [(X[y == 2][:20], y[y == 2][:20])])
    # It has seen only one class, but the others are still possible.
    assert (model.predict(X) == 2).mean() > 0.9
    P = model.predict_proba(X)
    assert P.shape == (300, 3)
    assert (P > 1e-6).all()
    np.testing.assert_allclose(P.sum(axis=1), 1)
    # Five rows of one class, then five of the next, and so on.
    of_class = {k: X[y == k] for k in range(3)}
    alone = [(of_class[k][m : m + 5], [k] * 5) for m in range(0, 40, 5) for k in range(3)]
    stream(model, alone * 5)
    assert model.score(X, y) > 0.85


def test_a_class_that_the_first_rows_lack_begins_as_half_a_row():
    X = np.random.default_rng(0).normal(size=(10, 4))
    tiny = {"learning_rate": 1e-12}
    for codes, n_classes, shares in [
        ([0] * 10, 2, [9.5, 0.5]),
        ([1] * 10, 2, [0.5, 9.5]),
        ([0] * 3 + [1] * 7, 2, [3, 7]),
        ([0] * 4 + [2] * 6, 3, [4, 0.5, 6]),
    ]:
        model = make(ESTIMATORS[0], **tiny)
        model.partial_fit(X, codes, classes=range(n_classes))
        logs = np.log(np.asarray(shares, dtype=float))
        expected = logs[1:] - logs[0] if n_classes == 2 else logs - logs.mean()
        np.testing.assert_allclose(model.intercept_, expected, atol=1e-9)
    none = make(ESTIMATORS[0], fit_intercept=False).partial_fit(X, [0] * 10, classes=[0, 1])
    assert not none.intercept_.any()


@every_estimator
def test_a_call_of_no_weight_adds_nothing(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2])
    other = copy.deepcopy(model)
    X, y = chunks[2]
    assert other.partial_fit(X, y, sample_weight=np.zeros(len(y))) is other
    other.set_params(class_weight={1: 0}).partial_fit(X[y == 1], y[y == 1])
    other.set_params(class_weight=None)
    assert other.n_iter_ == 2
    assert same_bits(stream(model, chunks[2:]), stream(other, chunks[2:]))


@every_estimator
def test_rows_of_less_weight_count_less(estimator):
    (X, y), (_, _), (Z, z), *_ = chunks_of()
    z = (z + 1) % 3  # contradicts y
    probabilities = []
    for weight in (1e-9, 0.1, 1, 10):
        weights = [None, np.full(len(z), weight)] * 40
        model = stream(make(estimator, alpha=0.001), [(X, y), (Z, z)] * 40, weights=weights)
        probabilities.append(mean_log_loss(y, model.predict_proba(X), labels=range(3)))
    assert (np.diff(probabilities) > 0).all()


@every_estimator
def test_weights_whose_sum_over_all_calls_is_too_large(estimator):
    X, y = simulate_classes(30, 8, 3)
    model = clone(estimator).partial_fit(X, y, range(3), np.full(30, 4e306))
    before = vars(model).copy()
    with pytest.raises(ValueError, match="over all calls of partial_fit is too large for float64"):
        model.partial_fit(X, y, sample_weight=np.full(30, 4e306))
    assert vars(model) == before
