"""What partial_fit carries from call to call: state, removed features, counts, threads."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from problems import simulate_classes
from shrinklin import (
    Annealing,
    Removal,
    SignVariance,
    Threshold,
)
from streams import (
    ESTIMATORS,
    chunks_of,
    every_batch_size,
    every_estimator,
    make,
    same_bits,
    stream,
)


@every_estimator
@every_batch_size
@pytest.mark.parametrize("removal", [Threshold(0.05), SignVariance(0.8)], ids=repr)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_in_mid_stream_goes_on_with_the_same_bits(estimator, batch_size, removal, way):
    if estimator is ESTIMATORS[1]:
        removal = Threshold(0.05)
    chunks = chunks_of() * 3
    setting = {"batch_size": batch_size, "alpha": 0.2, "removal": removal}
    whole = stream(make(estimator, **setting), chunks)
    model = stream(make(estimator, **setting), chunks[:6])
    other = way(model)
    assert same_bits(stream(model, chunks[6:]), whole)
    assert same_bits(stream(other, chunks[6:]), whole)
    assert other.cost_ == whole.cost_
    assert whole.get_support().sum() < 8
    # A clone begins anew.
    assert same_bits(stream(clone(model), chunks), whole)


@every_estimator
def test_shallow_copies_go_on_apart(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2])
    first, second = (stream(copy.copy(model), chunks[2:]) for _ in range(2))
    assert same_bits(first, second)
    assert same_bits(stream(model, chunks[2:]), first)


def test_no_data_are_kept():
    X, y = simulate_classes(5000, 8, 3)
    model = stream(clone(ESTIMATORS[0]), [(X, y)] * 3)
    assert len(pickle.dumps(model)) < 20_000


@every_estimator
def test_it_does_not_grow(estimator):
    X, y = simulate_classes(20, 8, 3)
    removal = Threshold(1e-9) if estimator is ESTIMATORS[1] else SignVariance(0.9, 2.0)
    model = make(estimator, removal=removal, batch_size=7)
    sizes = [len(pickle.dumps(stream(model, [(X, y)] * 40))) for _ in range(2)]
    # Larger numbers may take another byte.
    assert abs(sizes[1] - sizes[0]) < 50


class SeesThreads(Removal):
    def dead(self, watched):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert pools
        assert all(pool["num_threads"] == 1 for pool in pools)
        return np.zeros(len(watched.gate), dtype=bool)


@every_estimator
def test_products_are_of_one_thread(estimator):
    with threadpool_limits(2, "blas"):
        stream(make(estimator, removal=SeesThreads()), chunks_of())


@every_estimator
@every_batch_size
def test_a_removed_feature_never_returns(estimator, batch_size):
    removal = SignVariance(0.5) if estimator is ESTIMATORS[0] else Threshold(0.05)
    model = make(estimator, removal=removal, alpha=0.2, batch_size=batch_size)
    alive = np.ones(8, dtype=bool)
    for X, y in chunks_of() * 6:
        model.partial_fit(X, y, classes=range(3))
        n_removed = sum(n for _, n in model.cost_.removals)
        if estimator is ESTIMATORS[0]:
            assert not model.get_support()[~alive].any()
            assert model.get_support().sum() == 8 - n_removed
            alive = model.get_support()
        np.testing.assert_array_equal(model.coef_.any(axis=0), model.get_support())
    assert 0 < n_removed < 8


@every_estimator
@every_batch_size
def test_annealing_counts_calls(estimator, batch_size):
    removal, chunks = Annealing(3, mu=2.0, pretrain=2), chunks_of() * 4
    model = make(estimator, removal=removal, max_epochs=10, batch_size=batch_size)
    for call, chunk in enumerate(chunks, start=1):
        stream(model, [chunk])
        left = 8 - sum(n for _, n in model.cost_.removals)
        assert left == removal.kept(8, min(call, 10), 10)
    assert left == 3


@every_estimator
def test_nothing_left_is_a_model_of_the_intercept(estimator):
    model = stream(make(estimator, removal=Threshold(1e9)), chunks_of())
    assert not model.get_support().any()
    assert model.intercept_.any()


@every_estimator
def test_what_is_not_penalised_is_not_left_out(estimator):
    omega = np.array([0.0] + [1.0] * 7)
    model = make(estimator, feature_weights=omega, removal=Threshold(1e9))
    stream(model, chunks_of())
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [0])


@every_estimator
@every_batch_size
def test_counts(estimator, batch_size):
    chunks, q = chunks_of(), 3
    model = stream(make(estimator, batch_size=batch_size), chunks)
    n_parameters = 8 * q + q + (8 if estimator is ESTIMATORS[0] else 0)
    sizes = [len(y) for _, y in chunks]
    n_steps = len(sizes) if batch_size is None else sum(-(-n // 7) for n in sizes)
    assert model.cost_.epochs == model.n_iter_ == 5
    assert model.cost_.neuron_epochs == 5 * 8
    assert model.cost_.parameter_updates == n_steps * n_parameters
    # A gradient takes two products, the objectives before and after the steps one each. With a
    # batch of all rows, the gradient shares the product of the first objective.
    n_products = 3 if batch_size is None else 4
    assert model.cost_.multiply_adds == n_products * sum(sizes) * 8 * q
