"""What the compiled loops take, and that they leave Python alone."""

import sys
import threading
import time

import numpy as np
import pytest

from builders import compiled_prox
from shrinklin import kernels, proximal
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso


class Quotient:
    """A penalty whose prox is a function of Python."""

    convex = True
    l1_ratio = None

    @staticmethod
    def prox(z, t, out):
        with np.errstate(divide="ignore"):
            out[:] = z / t


class Threshold(Quotient):
    l1_ratio = 0.25

    @staticmethod
    def prox(z, t, s, out):
        out[:] = [t, s]


def sweeps(penalty, coef, gradient, G, n_sweeps=50):
    n = len(G)
    rest = np.diagonal(G).copy(), np.full(n, 1.0), np.arange(n + 1), 1e-13, n_sweeps
    return kernels.gram_sweeps(kernels.prox_of(penalty), coef, gradient, G, *rest)


def problem(n_features=40, n_targets=3, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(2 * n_features, n_features))
    return A.T @ A / len(A), -rng.normal(size=(n_targets, n_features))


def test_a_prox_in_python_is_called():
    np.testing.assert_array_equal(compiled_prox(Quotient(), np.array([2.0, 6.0]), 2.0), [1.0, 3.0])
    np.testing.assert_array_equal(compiled_prox(Quotient(), np.ones(2), 0.0), np.inf)
    # t is the share of the norm, s that of the absolute values of two features.
    expected = [0.75 * 8, 0.25 * 8 / np.sqrt(2)]
    ptr, one = np.array([0, 2]), np.ones(1)
    found = kernels.prox_steps(
        kernels.prox_of(Threshold()), np.zeros((1, 2)), np.zeros((1, 2)), one, 8 * one, ptr
    )
    np.testing.assert_allclose(found[0], expected, rtol=1e-15)


def test_a_prox_in_python_gives_what_the_compiled_one_gives():
    class Slow(Quotient):
        @staticmethod
        def prox(z, t, out):
            norm = np.linalg.norm(z)
            out[:] = max(0.0, 1 - t / norm) * z

    G, gradient = problem()
    found = [np.zeros_like(gradient), np.zeros_like(gradient)]
    for penalty, coef in zip((Slow(), GroupLasso()), found, strict=True):
        sweeps(penalty, coef, gradient.copy(), G)
    assert found[0].any()
    assert (found[0] == 0).any()
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)


def test_the_gradient_follows_the_coefficients():
    # 3 features go through a loop, 40 through BLAS.
    for n_features in (3, 40):
        G, start = problem(n_features)
        coef, gradient = np.zeros_like(start), start.copy()
        sweeps(GroupLasso(), coef, gradient, G)
        assert coef.any()
        np.testing.assert_allclose(gradient, start + coef @ G, atol=1e-12)


@pytest.mark.parametrize("size", [5, 100])
def test_many_entries_are_sorted_as_few(size):
    """The prox of Bridge1 sorts: by insertion, or by the C library."""
    rng = np.random.default_rng(size)
    z, t = rng.normal(size=size), 0.4
    out = np.empty(size)
    Bridge1.prox(z, t, out)
    kept = out != 0
    assert 0 < kept.sum() < size or size == 5
    # Stationary: w − z + t sign(w) / (2 √‖w‖₁) = 0 where w is not zero.
    slope = t / (2 * np.sqrt(np.abs(out).sum()))
    np.testing.assert_allclose((out - z)[kept], -slope * np.sign(z)[kept], atol=1e-14)
    assert np.abs(z[~kept]).max(initial=0.0) <= slope


def test_data_that_cannot_be_written_are_only_read():
    G, gradient = problem()
    G.flags.writeable = False
    coef = np.zeros_like(gradient)
    assert sweeps(GroupLasso(), coef, gradient.copy(), G) > 0
    gradient.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        sweeps(GroupLasso(), coef, gradient, G)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_sparse_indices_may_be_short_or_long(dtype):
    coef, gradient = np.zeros((1, 2)), -np.ones((1, 2))
    data, one = np.array([1.0, 2.0]), np.ones(2)
    made = kernels.sparse_sweeps(
        kernels.prox_of(GroupLasso()), coef, gradient, 0 * one, data, np.arange(2, dtype=dtype),
        np.arange(3, dtype=dtype), 0 * one, 2, data**2, 0 * one, np.arange(3), 1e-12, 9,
    )  # fmt: skip
    assert made > 0
    np.testing.assert_allclose(coef, [[1.0, 0.25]])


@pytest.mark.parametrize(
    ("prox", "arguments"),
    [
        (proximal.GROUP_LASSO, (0.5, 0.1, np.empty(2))),
        (SparseGroupLasso(0.5).prox, (0.5, np.empty(2))),
        (SparseGroupLasso(0.5).prox, (0.5,)),
    ],
)
def test_a_prox_is_called_with_all_its_arguments(prox, arguments):
    with pytest.raises(TypeError, match=r"give z, t(, s)? and out\."):
        prox(np.ones(2), *arguments)


def test_a_prox_writes_as_much_as_it_reads():
    with pytest.raises(ValueError, match="z has 3 entries, and out has 2"):
        proximal.GROUP_LASSO(np.ones(3), 0.1, np.empty(2))
    proximal.GROUP_LASSO(np.empty(0), 0.1, np.empty(0))


@pytest.mark.untraced
def test_other_threads_run_during_a_sweep():
    """The loops release the GIL: without that, no other thread would count before they end."""
    G, gradient = problem(400, 10)
    begun, ended, counts = threading.Event(), threading.Event(), [0]

    def count():
        begun.set()
        while not ended.is_set():
            counts[0] += 1
            time.sleep(0)  # lets others run

    before = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)  # threads are not switched otherwise
    thread = threading.Thread(target=count)
    try:
        thread.start()
        begun.wait()
        at = counts[0]
        sweeps(SparseGroupLasso(0.5), np.zeros_like(gradient), gradient, G, n_sweeps=20)
        assert counts[0] > at
    finally:
        ended.set()
        sys.setswitchinterval(before)
        thread.join()
