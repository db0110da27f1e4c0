"""Moments of data that come in chunks."""

import tracemalloc
import weakref

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from equal_moments import assert_equal, in_chunks
from problems import simulate
from shrinklin import Moments
from shrinklin.data.moments import _CHUNK_BYTES


def test_many_chunks_equal_one(monkeypatch):
    X, Y = simulate(100, 6, 2)
    whole = Moments.from_data(X, Y)
    monkeypatch.setattr("shrinklin.data.moments._CHUNK_BYTES", 8 * 6 * 7)
    assert_equal(Moments.from_data(X, Y), whole)


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_chunks_equal_the_whole(size, make):
    X, Y = simulate(50, 6, 3)
    s = np.random.default_rng(1).uniform(0.1, 2, 50)
    chunks = [(make(x), y, w) for x, y, w in in_chunks(X, Y, s, size)]
    whole = Moments.from_data(X, Y, s)
    assert_equal(Moments.from_chunks(chunks), whole)
    assert_equal(Moments.from_chunks(iter(chunks[::-1])), whole)
    assert_equal(sum(Moments.from_data(*chunk) for chunk in chunks), whole)


def test_chunks_of_no_rows_or_no_weight_add_nothing():
    X, Y = simulate(20, 3, 2)
    none, weightless = (X[:0], Y[:0]), (X + 5, Y, np.zeros(20))
    whole = Moments.from_chunks([none, (X[:9], Y[:9]), weightless, none, (X[9:], Y[9:])])
    assert_equal(whole, Moments.from_data(X, Y))


def test_one_chunk_is_in_memory_at_a_time():
    alive = set()

    def make(seed):
        assert not alive
        X, Y = simulate(30, 4, 1, seed=seed)
        alive.add(seed)
        weakref.finalize(X, alive.discard, seed)
        return X, Y

    assert Moments.from_chunks(map(make, range(5))).n_samples == 150
    with pytest.raises(AssertionError):  # a list holds all chunks at once
        Moments.from_chunks(list(map(make, range(5))))


def test_three_tables_of_products_are_in_memory_at_most():
    X, Y = simulate(40, 1500, 1)
    tracemalloc.start()
    moments = Moments.from_chunks(in_chunks(X, Y, size=10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The rest is for rows in float64, some at a time.
    assert peak < 3 * moments.xx.nbytes + 4 * _CHUNK_BYTES


def test_products_stay_symmetric_to_the_bit():
    X, Y = simulate(60, 5, 3)
    moments = Moments.from_chunks(in_chunks(X, Y)) - Moments.from_data(X[:20], Y[:20])
    assert (moments.xx == moments.xx.T).all()
    assert (moments.yy == moments.yy.T).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda c: [], ValueError, "no chunk has a row of weight > 0"),
        (lambda c: [(c[0][0][:0], c[0][1][:0])], ValueError, "no chunk has a row of weight > 0"),
        (lambda c: [*c, c[0][0]], TypeError, r"chunk 3 is of type ndarray and shape \(7, 3\)"),
        (lambda c: [*c, c[0] * 2], TypeError, "chunk 3 is a tuple of 4"),
        (lambda c: c[0], TypeError, r"chunk 0 is of type ndarray.*For data that are not in chunks"),
        (lambda c: ["ab"], TypeError, "chunk 0 is of type str"),
        (lambda c: [*c, (c[0][0], c[1][1][:5])], ValueError, r"chunk 3: X has shape \(7, 3\)"),
        (lambda c: [*c, (c[0][0][:, :2], c[0][1])], ValueError, "chunk 3: .*the same columns"),
        (
            lambda c: [(c[0][0], c[0][1][:, 0]), (c[0][0], c[0][1][:, :1])],
            ValueError,
            "chunk 1: Y had 1 dimensions",
        ),
        (lambda c: [*c, (c[0][0] * np.nan, c[0][1])], ValueError, "chunk 3: 3 of the 3 columns"),
        (lambda c: [(*c[0], -np.ones(7))], ValueError, "chunk 0: sample_weight has 7 negative"),
        (lambda c: [(*c[0], np.zeros(3))], ValueError, "chunk 0: .*inconsistent numbers"),
        (lambda c: [([[1, 2], [3]], [1, 2])], ValueError, "chunk 0: "),
        (lambda c: [(np.array([["a"]]), [1])], ValueError, "chunk 0: X has entries that are not"),
    ],
)
def test_bad_chunks_are_named_by_their_number(change, error, message):
    with pytest.raises(error, match=message):
        Moments.from_chunks(change(in_chunks(*simulate(21, 3, 2))))


def test_names_of_columns_are_kept_and_compared():
    X, Y = simulate(21, 3, 2)
    chunks = in_chunks(pd.DataFrame(X, columns=["a", "b", "c"]), Y)
    assert list(Moments.from_chunks(chunks).feature_names) == ["a", "b", "c"]
    swapped = chunks[1][0][["b", "a", "c"]]
    with pytest.raises(ValueError, match="chunk 1: column 0 of X is 'a' in these"):
        Moments.from_chunks([chunks[0], (swapped, chunks[1][1])])


@pytest.mark.parametrize(
    "wrong", [np.zeros((7, 1)), np.array(["0"] * 7), [None] * 7, np.zeros(7, complex)], ids=repr
)
def test_only_weights_that_are_numbers_can_be_zero_in_a_chunk(wrong):
    X, Y = simulate(7, 3, 2)
    with pytest.raises(ValueError, match="chunk 1: sample_weight"):
        Moments.from_chunks([(X, Y), (X, Y, wrong)])
