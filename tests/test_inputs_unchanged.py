"""X, y, weights and parameters are never written to, whatever their layout."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from entry_points import (
    CLASSIFIER,
    CODES,
    DENSE,
    FITS,
    OF_WEIGHTS,
    OF_X,
    OF_Y,
    REGRESSOR,
    N,
    P,
    S,
    Y,
)
from shrinklin import (
    GroupLassoClassifier,
    regularization_path,
)


def messy(form, index=np.int32, matrix=False):
    """DENSE with every entry split in two parts, in random order."""
    rows, columns = np.nonzero(DENSE)
    values = DENSE[rows, columns]
    rows, columns = np.tile(rows, 2), np.tile(columns, 2)
    parts = np.concatenate([-values, 2 * values])  # they add up without rounding
    order = np.random.default_rng(1).permutation(len(parts))
    rows, columns, parts = rows[order], columns[order], parts[order]
    kind = getattr(sparse, f"{form}_{'matrix' if matrix else 'array'}")
    if form == "coo":
        return kind((parts, (rows.astype(index), columns.astype(index))), shape=(N, P))
    major, minor = (columns, rows) if form == "csc" else (rows, columns)
    order = np.argsort(major, kind="stable")
    n_major = P if form == "csc" else N
    starts = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=n_major))])
    parts = parts[order].reshape(-1, 1, 1) if form == "bsr" else parts[order]
    X = kind((parts, minor[order], starts), shape=(N, P))
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    return X


MESSY = {"csr": messy("csr"), "csc": messy("csc", np.int64), "coo": messy("coo")}
# Other formats, which are treated like those above.
ALIKE = {
    "csr_matrix": messy("csr", np.int64, matrix=True),
    "csc_matrix": messy("csc", matrix=True),
    "bsr": messy("bsr", np.int64),
    "lil": sparse.lil_array(DENSE),
    "dok": sparse.dok_array(DENSE),
    "dia": sparse.dia_array(DENSE),
}


def arrays(X):
    """The arrays that X, sparse or dense, is made of."""
    if isinstance(X, np.ndarray):
        return [X]
    held = [value if isinstance(value, tuple) else (value,) for value in vars(X).values()]
    return [part for parts in held for part in parts if isinstance(part, np.ndarray)]


def notes(X):
    """What scipy has cached on X about the order of its entries."""
    held = getattr(X, "__dict__", {})
    return {name: held[name] for name in held if "sorted" in name or "canonical" in name}


def untouched(read, X):
    """The result of `read(X)`, as an array; X is read-only and must stay as it was."""
    before, noted = arrays(X), notes(X)
    bits = [part.tobytes() for part in before]
    for part in before:
        part.setflags(write=False)
    try:
        found = read(X)
    finally:
        for part in before:
            part.setflags(write=True)
    after = arrays(X)
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert [part.tobytes() for part in after] == bits
    # Nor may scipy cache on X whether it is sorted: another thread may be reading it.
    assert notes(X) == noted
    return found.toarray() if sparse.issparse(found) else found


def test_messy_data_are_messy():
    for X in MESSY.values():
        np.testing.assert_array_equal(X.toarray(), DENSE)
        assert X.nnz == 2 * np.count_nonzero(DENSE)
    assert not MESSY["csr"].copy().has_sorted_indices
    assert MESSY["csc"].indices.dtype == np.int64


def test_what_is_written_is_seen():
    for form in ("csr", "csc"):
        X = MESSY[form].copy()
        assert not X.copy().has_canonical_format
        with pytest.raises((AssertionError, ValueError)):
            untouched(lambda X: X.sum_duplicates() or X, X)
        with pytest.raises((AssertionError, ValueError)):
            untouched(lambda X: X.eliminate_zeros() or X, X)


@pytest.mark.parametrize("form", MESSY)
@pytest.mark.parametrize("name", OF_X)
def test_sparse_data_are_read_right_and_not_written_to(name, form):
    found = untouched(OF_X[name], MESSY[form])
    np.testing.assert_allclose(found, OF_X[name](DENSE), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("form", ALIKE)
def test_sparse_data_of_other_formats(form):
    for name in ("regressor", "classifier", "predict", "path", "moments"):
        # scipy itself cannot read a read-only LIL.
        read = OF_X[name] if form == "lil" else lambda X, name=name: untouched(OF_X[name], X)
        found = read(ALIKE[form])
        np.testing.assert_allclose(found, OF_X[name](DENSE), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(ALIKE[form].toarray(), DENSE)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", OF_X)
def test_dense_data_are_not_written_to(name, order):
    X = np.array(DENSE, order=order)
    np.testing.assert_array_equal(untouched(OF_X[name], X), OF_X[name](X))


@pytest.mark.parametrize("name", OF_Y)
def test_targets_are_not_written_to(name):
    read, y = OF_Y[name]
    np.testing.assert_array_equal(untouched(read, y.copy()), read(y))


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_are_not_written_to(name):
    np.testing.assert_array_equal(
        untouched(OF_WEIGHTS[name], S.copy()), OF_WEIGHTS[name](S), strict=True
    )


@pytest.mark.parametrize("name", ["regressor", "partial_fit", "path", "moments"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_targets_are_read_right_and_not_written_to(name, form):
    targets = DENSE[:, :2]
    messy_targets = MESSY[form].tocsc()[:, :2].asformat(form)
    fit = FITS[name]
    found = untouched(lambda Y: fit(DENSE, Y, S), messy_targets)
    np.testing.assert_allclose(found, fit(DENSE, targets, S), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("estimator", [REGRESSOR, CLASSIFIER], ids=["regressor", "classifier"])
def test_parameters_are_not_written_to(estimator):
    y = CODES if estimator is CLASSIFIER else Y
    weights, groups = np.array([1.0, 1, 2, 2, 0, 0]), np.array([5, 5, 1, 1, 3, 3])
    alphas = np.array([0.02, 0.1])
    for values in (weights, groups, alphas):
        values.setflags(write=False)
    model = clone(estimator).set_params(groups=groups, feature_weights=weights, warm_start=True)
    model.fit(DENSE, y)
    coef = model.coef_.copy()
    model.coef_.setflags(write=False)
    model.fit(DENSE, y)
    regularization_path(model, DENSE, y, alphas=alphas)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-7)


def test_threads_may_share_data_that_are_not_sorted():
    X = sparse.random(2000, 60, 0.2, format="csr", random_state=0)
    X = X[:, np.random.default_rng(0).permutation(60)]
    assert not X.copy().has_sorted_indices
    before = X.indices.copy()
    y = X[:, [0]].toarray().ravel() > 0.3

    def fit(alpha):
        return GroupLassoClassifier(alpha=alpha).fit(X, y).coef_

    alphas = [0.05, 0.02, 0.05, 0.02]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(fit, alphas))
    np.testing.assert_array_equal(X.indices, before)
    for coef, alpha in zip(found, alphas, strict=True):
        np.testing.assert_array_equal(coef, fit(alpha))
