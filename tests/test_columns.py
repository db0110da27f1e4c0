"""What a likelihood is told of columns is the same whether they are kept, sparse or read."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from builders import build_classes
from problems import simulate_classes
from shrinklin import GroupLassoClassifier, ShrinkNetClassifier, regularization_path
from shrinklin.data import columns as columns_module
from shrinklin.data import design as design_module
from shrinklin.data import moments as moments_module
from shrinklin.data.columns import (
    CopiedColumns,
    ReadColumns,
    SparseColumns,
    WorkingColumns,
    _Room,
    gram_of_parts,
)
from shrinklin.data.design import Design
from shrinklin.solvers.proximal_newton import _LikelihoodBlock


def data(case):
    """An X of 40 × 30, and weights of which some may be 0."""
    rng = np.random.default_rng(0)
    X, s = rng.normal(size=(40, 30)), rng.uniform(0.1, 2, 40)
    X[:, 3] = 1.0
    if "far" in case:
        X[:, 5] += 1e6
    if "weights" in case:
        s[::3] = 0
        X[::3] = 1e3
    if "sparse" in case:
        return sparse.csr_array(X * (rng.random(X.shape) < 0.3)), s
    if "float32" in case:
        return X.astype(np.float32), s
    return np.asfortranarray(X) if "F" in case else X, s


CASES = ["C", "F", "float32", "one far from zero", "weights", "F, weights", "sparse, weights"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("room", [0, 8, 30])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_rows_of_every_kind_are_columns(monkeypatch, case, room, fit_intercept):
    (X, s), order, rng = data(case), np.roll(np.arange(30), 7), np.random.default_rng(1)
    design = Design(X, s, order, fit_intercept)
    n = design.n_samples
    assert n == np.count_nonzero(s)
    monkeypatch.setattr(columns_module, "_SHARE", 0)
    monkeypatch.setattr(columns_module, "_LEAST_ROOM", 8 * n * room)
    # Several parts and blocks.
    monkeypatch.setattr(columns_module, "_PART", 100)
    monkeypatch.setattr(design_module, "_BLOCK", 100)
    working, used = WorkingColumns(design, 2), s > 0
    exact = X.toarray() if sparse.issparse(X) else X.astype(float)
    exact = exact[used][:, order]
    if fit_intercept:
        exact = exact - np.average(exact, axis=0, weights=s[used])
    exact *= np.sqrt(s[used] / s.sum())[:, None]
    off = 1e-10 * max(1.0, np.abs(X).max() * 1e-3)
    for size in (4, 9, 3, 14, 30, 5, 8):
        some = np.sort(rng.choice(30, size, replace=False))
        rows, columns = working.columns(some), exact[:, some]
        assert working.columns(some.copy()) is rows
        thin = SparseColumns if "sparse" in case else ReadColumns
        assert isinstance(rows, CopiedColumns if size <= room else thin)
        W, R = rng.normal(size=(size, 2)), rng.normal(size=(n, 2))
        W[::2] = 0
        np.testing.assert_allclose(rows.correlate(R), columns.T @ R, atol=off)
        dense = np.hstack([part for _, part in rows.parts()])
        np.testing.assert_allclose(dense, columns.T, atol=off)
        np.testing.assert_allclose(
            gram_of_parts(part for _, part in rows.parts()), columns.T @ columns, atol=off
        )
        # Last: of rows that are read, it may keep those that are alive.
        np.testing.assert_allclose(rows.product(W), columns @ W, atol=off)


def test_a_room_holds_what_is_wanted_and_reads_little():
    rng, matrix, read = np.random.default_rng(0), np.random.default_rng(1).normal(size=(40, 3)), []

    def write(rows, values, slots):
        read.extend(rows)
        values[slots] = matrix[rows]

    room = _Room(40, 20, 3)
    for _ in range(200):
        wanted = np.sort(rng.choice(40, rng.integers(0, 21), replace=False))
        slots = room.gather(wanted, write)
        np.testing.assert_array_equal(np.sort(slots), np.arange(len(wanted)))
        np.testing.assert_array_equal(room.values[slots], matrix[wanted])
    # Whatever fits is read once.
    room, read[:] = _Room(40, 20, 3), []
    for _ in range(50):
        room.gather(np.sort(rng.choice(20, rng.integers(0, 21), replace=False)), write)
    assert sorted(read) == sorted(set(read))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", [GroupLassoClassifier(), ShrinkNetClassifier()], ids=repr)
def test_paths_do_not_depend_on_what_is_kept(monkeypatch, model, n_classes):
    X, y = simulate_classes(150, 40, n_classes, noise=2)
    kept = regularization_path(model.set_params(tol=1e-9), X, y, alphas=8, eps=0.02)
    monkeypatch.setattr(columns_module, "_SHARE", 0)
    monkeypatch.setattr(columns_module, "_LEAST_ROOM", 8 * 150 * 6)
    read = regularization_path(model, X, y, alphas=8, eps=0.02)
    assert kept.n_selected[-1] > 6
    np.testing.assert_allclose(read.objectives, kept.objectives, rtol=1e-9)
    np.testing.assert_allclose(read.coefs, kept.coefs, atol=1e-6 * np.abs(kept.coefs).max())


def test_whoever_asks_for_other_rows_changes_no_block():
    X, codes = simulate_classes(60, 20, 3)
    objective = build_classes(X, codes, share=0.1)
    features = np.arange(5)
    block = _LikelihoodBlock(objective, features, features, np.zeros((5, 3)))
    R = np.random.default_rng(0).normal(size=(60, 3))
    before = block._correlate(R)
    objective.smooth.columns(np.arange(4, 12))
    np.testing.assert_array_equal(block._correlate(R), before)


def peak(model, X, y, sample_weight=None):
    """Bytes that a fit takes at most beside its arguments, of those of X."""
    model.fit(X[:100], y[:100])  # compiled code is not the fit's
    tracemalloc.start()
    try:
        model.fit(X, y, sample_weight)
        return tracemalloc.get_traced_memory()[1] / X.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("model", "n_classes", "order"),
    [
        (GroupLassoClassifier(0.005), 2, "F"),
        (GroupLassoClassifier(0.007), 3, "C"),
        (ShrinkNetClassifier(0.2), 2, "C"),
    ],
)
def test_a_fit_takes_no_copy_of_X(monkeypatch, model, n_classes, order):
    # The stated bound, of less data and constants that are as much less.
    monkeypatch.setattr(columns_module, "_LEAST_ROOM", 2**20)
    monkeypatch.setattr(columns_module, "_PART", 2**15)
    monkeypatch.setattr(moments_module, "_CHUNK_BYTES", 2**19)
    monkeypatch.setattr(moments_module, "_MOST_ROWS_BYTES", 2**20)
    rng = np.random.default_rng(0)
    X = np.asarray(rng.normal(size=(20_000, 300)), order=order)
    noise = 2 * rng.gumbel(size=(20_000, n_classes))
    y = (X[:, :8] @ rng.normal(size=(8, n_classes)) + noise).argmax(axis=1)
    assert peak(model, X, y) < 0.3
    if order == "C":
        assert peak(model, X, y, np.arange(20_000) % 10 > 0) < 0.3
