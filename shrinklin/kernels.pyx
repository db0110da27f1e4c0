# cython: language_level=3, cdivision=True, freethreading_compatible=True
# cython: initializedcheck=False
"""Compiled inner loops over plain arrays, all in ``coef_`` orientation.

``coef`` and ``gradient`` have shape (n_targets, n_features) and are contiguous, so that updating
one target runs along memory. ``prox`` is `prox_of(penalty)`. The loops release the GIL.
"""

from libc.math cimport sqrt
from scipy.linalg.cython_blas cimport daxpy, dgemm

import numpy as np

from shrinklin.proximal cimport Prox, proximal_map

from shrinklin.proximal import PythonProx

ctypedef fused whole:
    int
    long
    long long

# How close t is to the jump of a prox in a tie, relative to t.
cdef double _TIE = 1e-11
# For fewer numbers, a loop is faster than a call of BLAS.
cdef Py_ssize_t _FEW = 16


cdef struct Step:
    # What `_take_step` needs besides the block.
    void *prox
    proximal_map write
    double tie
    double l1_ratio  # negative if the prox has no l1 part


def prox_of(penalty):
    """The argument `prox` of the loops: the prox of the penalty, tie width and ℓ1 ratio."""
    prox = penalty.prox
    if not isinstance(prox, Prox):
        prox = PythonProx(prox, penalty.l1_ratio is not None)
    ratio = -1.0 if penalty.l1_ratio is None else float(penalty.l1_ratio)
    return prox, 0.0 if penalty.convex else _TIE, ratio


cdef Step _step_of(tuple prox):
    cdef Step step
    cdef Prox map = prox[0]
    step.prox, step.write = <void *> map, map.write
    step.tie, step.l1_ratio = prox[1], prox[2]
    return step


cdef Py_ssize_t _largest_group(const Py_ssize_t[::1] ptr) noexcept nogil:
    cdef Py_ssize_t g, largest = 0
    for g in range(ptr.shape[0] - 1):
        largest = max(largest, ptr[g + 1] - ptr[g])
    return largest


cdef inline bint _any(const double *values, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if values[i] != 0.0:
            return True
    return False


cdef inline void _add(double factor, const double *x, double *y, Py_ssize_t n) noexcept nogil:
    """y += factor x."""
    cdef Py_ssize_t i
    cdef int one = 1, length
    if n < _FEW:
        for i in range(n):
            y[i] += factor * x[i]
    else:
        length = <int> n
        daxpy(&length, &factor, <double *> x, &one, y, &one)


cdef double _take_step(
    const Step *step, const double[:, ::1] coef, const double[:, ::1] gradient,
    Py_ssize_t start, Py_ssize_t stop, double lipschitz, double strength, double *z, double *change,
) noexcept nogil:
    """Prox step of one block: writes new − old to `change` and returns its norm."""
    cdef Py_ssize_t n_targets = coef.shape[0], j, k, size = 0
    cdef double t = strength / lipschitz, s = 0.0, squared = 0.0
    cdef bint alive
    for j in range(start, stop):
        for k in range(n_targets):
            z[size] = coef[k, j] - gradient[k, j] / lipschitz
            size += 1
    if step.l1_ratio >= 0.0:
        s = step.l1_ratio * t / sqrt(<double> (stop - start))
        t = (1.0 - step.l1_ratio) * t
    step.write(step.prox, z, size, t, s, change)
    # At its jump the prox has two values. Rounding must not make a
    # block go back and forth between them: it crosses only if clear of a tie.
    if step.tie > 0.0:
        alive = False
        for k in range(n_targets):
            alive = alive or _any(&coef[k, start], stop - start)
        if _any(change, size) != alive:
            t = t * (1.0 - step.tie if alive else 1.0 + step.tie)
            step.write(step.prox, z, size, t, s, change)
    size = 0
    for j in range(start, stop):
        for k in range(n_targets):
            change[size] -= coef[k, j]
            squared += change[size] * change[size]
            size += 1
    return sqrt(squared)


def prox_steps(
    tuple prox, const double[:, ::1] coef, const double[:, ::1] gradient,
    const double[::1] lipschitz, const double[::1] strengths, const Py_ssize_t[::1] ptr,
):
    """prox(W_g − ∇_g/L_g) − W_g of every group, as if each moved alone.

    A group with L_g = 0 does not move.
    """
    cdef Step step = _step_of(prox)
    found = np.zeros((coef.shape[0], coef.shape[1]))
    cdef double[:, ::1] steps = found
    cdef Py_ssize_t size = max(1, _largest_group(ptr) * coef.shape[0]), g, i, j, k
    cdef double[::1] z = np.empty(size), change = np.empty(size)
    with nogil:
        for g in range(ptr.shape[0] - 1):
            if not lipschitz[g] > 0.0:
                continue
            _take_step(
                &step, coef, gradient, ptr[g], ptr[g + 1], lipschitz[g], strengths[g],
                &z[0], &change[0],
            )
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for k in range(coef.shape[0]):
                    steps[k, j] = change[i]
                    i += 1
    return found


def gram_sweeps(
    tuple prox, double[:, ::1] coef, double[:, ::1] gradient, const double[:, ::1] G,
    const double[::1] lipschitz, const double[::1] strengths, const Py_ssize_t[::1] ptr,
    double tol, Py_ssize_t n_sweeps,
):
    """Block coordinate descent on the Gram matrix, in place.

    After the prox step of each block, the gradient of all features is updated.
    Stops after a sweep in which no block moved by more than `tol`, in units of
    `Objective.residual_scale`. Returns the number of sweeps made.
    """
    cdef Step step = _step_of(prox)
    cdef Py_ssize_t n_targets = coef.shape[0], n_features = coef.shape[1]
    cdef Py_ssize_t size = max(1, _largest_group(ptr) * n_targets), sweep, g, i, j, k
    cdef double[::1] z = np.empty(size), change = np.empty(size)
    cdef double worst, moved, L
    with nogil:
        for sweep in range(n_sweeps):
            worst = 0.0
            for g in range(ptr.shape[0] - 1):
                L = lipschitz[g]
                if L == 0.0:
                    continue
                moved = _take_step(
                    &step, coef, gradient, ptr[g], ptr[g + 1], L, strengths[g], &z[0], &change[0]
                )
                if moved == 0.0:
                    continue
                worst = max(worst, sqrt(L) * moved)
                i = 0
                for j in range(ptr[g], ptr[g + 1]):
                    for k in range(n_targets):
                        if change[i] != 0.0:
                            coef[k, j] += change[i]
                            _add(change[i], &G[j, 0], &gradient[k, 0], n_features)
                        i += 1
            if worst <= tol:
                with gil:
                    return sweep + 1
    return n_sweeps


def residual_sweep(
    tuple prox, double[:, ::1] coef, double[:, ::1] residual, const double[:, ::1] columns,
    const double[::1] ridge, const double[:, ::1] grams, const Py_ssize_t[::1] first,
    const double[::1] lipschitz, const double[::1] strengths, const Py_ssize_t[::1] ptr,
):
    """One sweep of the same descent without all of G. Updates the `residual` Y − XW in place.

    G is X'X with `ridge` added to its diagonal. residual (n_targets, n_samples) and columns = X'
    (n_features, n_samples) are contiguous. The gradient of the groups first[b]:first[b + 1] is
    computed by one product. While they move, it is updated with their Gram matrix, which is stored
    in their rows of `grams`. Returns the largest move, in units of `Objective.residual_scale`.
    """
    cdef Step step = _step_of(prox)
    cdef Py_ssize_t n_targets = coef.shape[0], width = 1, b, g, i, j, k, start, stop
    for b in range(first.shape[0] - 1):
        width = max(width, ptr[first[b + 1]] - ptr[first[b]])
    cdef Py_ssize_t size = max(1, _largest_group(ptr) * n_targets)
    cdef double[:, ::1] gradient = np.empty((coef.shape[0], coef.shape[1]))
    cdef double[::1] z = np.empty(size), change = np.empty(size)
    cdef double[::1] moves = np.empty(n_targets * width)
    cdef double worst = 0.0, largest, moved
    with nogil:
        for b in range(first.shape[0] - 1):
            start, stop = ptr[first[b]], ptr[first[b + 1]]
            _descent(columns, residual, start, stop, gradient)
            for k in range(n_targets):
                for j in range(start, stop):
                    gradient[k, j] += ridge[j] * coef[k, j]
            moves[: n_targets * (stop - start)] = 0.0
            largest = 0.0
            for g in range(first[b], first[b + 1]):
                if lipschitz[g] == 0.0:
                    continue
                moved = _take_step(
                    &step, coef, gradient, ptr[g], ptr[g + 1], lipschitz[g], strengths[g],
                    &z[0], &change[0],
                )
                largest = max(largest, sqrt(lipschitz[g]) * moved)
                i = 0
                for j in range(ptr[g], ptr[g + 1]):
                    for k in range(n_targets):
                        if change[i] != 0.0:
                            coef[k, j] += change[i]
                            moves[k * (stop - start) + j - start] = change[i]
                            if stop > ptr[g + 1]:
                                _add(
                                    change[i], &grams[j, ptr[g + 1] - start],
                                    &gradient[k, ptr[g + 1]], stop - ptr[g + 1],
                                )
                        i += 1
            if largest > 0.0:
                _take_away(&moves[0], columns, start, stop, residual)
                worst = max(worst, largest)
    return worst


cdef void _descent(
    const double[:, ::1] columns, const double[:, ::1] residual, Py_ssize_t start, Py_ssize_t stop,
    double[:, ::1] gradient,
) noexcept nogil:
    """gradient[:, start:stop] = −residual X'. BLAS sees every matrix transposed."""
    cdef int m = <int> (stop - start), n = <int> residual.shape[0], k = <int> residual.shape[1]
    cdef int wide = <int> gradient.shape[1]
    cdef double minus = -1.0, zero = 0.0
    dgemm(
        "T", "N", &m, &n, &k, &minus, <double *> &columns[start, 0], &k,
        <double *> &residual[0, 0], &k, &zero, &gradient[0, start], &wide,
    )


cdef void _take_away(
    double *moves, const double[:, ::1] columns, Py_ssize_t start, Py_ssize_t stop,
    double[:, ::1] residual,
) noexcept nogil:
    """residual −= moves X."""
    cdef int m = <int> residual.shape[1], n = <int> residual.shape[0], k = <int> (stop - start)
    cdef double minus = -1.0, one = 1.0
    dgemm(
        "N", "N", &m, &n, &k, &minus, <double *> &columns[start, 0], &m, moves, &k, &one,
        &residual[0, 0], &m,
    )


def subtract_group_sums(
    double[:, :] K, const double[:, :] inverse, const double[:, :] products, const Py_ssize_t[:] owner
):
    """K[g, h] −= Σ inverse[i, j] products[i, j] over i in group g, j in group h, for h ≤ g.

    `owner` (n_rows,) is the group of every row, ascending; the matrices are symmetric.
    """
    cdef Py_ssize_t i, j
    cdef double value
    with nogil:
        for i in range(owner.shape[0]):
            for j in range(i + 1):
                value = inverse[i, j] * products[i, j]
                if i != j and owner[i] == owner[j]:
                    value *= 2.0
                K[owner[i], owner[j]] -= value


def scaled_symmetric(const double[:, ::1] M, const double[::1] scale):
    """scale[i] M[i, j] scale[j]."""
    found = np.empty((M.shape[0], M.shape[0]))
    cdef double[:, ::1] out = found
    cdef Py_ssize_t i, j
    with nogil:
        for i in range(M.shape[0]):
            for j in range(M.shape[0]):
                out[i, j] = scale[i] * M[i, j] * scale[j]
    return found


def mirror_scaled(double[:, :] M, const double[::1] scale):
    """Scale the lower triangle of M in the same way and copy it to the upper one, in place."""
    cdef Py_ssize_t i, j
    with nogil:
        for i in range(M.shape[0]):
            for j in range(i + 1):
                M[i, j] *= scale[i] * scale[j]
                M[j, i] = M[i, j]


def sparse_sweeps(
    tuple prox, double[:, ::1] coef, const double[:, ::1] gradient, const double[::1] ridge,
    const double[::1] data, const whole[::1] indices, const whole[::1] indptr,
    const double[::1] means, Py_ssize_t n_samples, const double[::1] lipschitz,
    const double[::1] strengths, const Py_ssize_t[::1] ptr, double tol, Py_ssize_t n_sweeps,
):
    """The descent of `gram_sweeps` without a Gram matrix, on the rows of `SparseColumns`.

    `coef` is updated in place, while `gradient` remains the gradient at the start, without the part
    of the ridge. What centring subtracts is orthogonal to the centred columns, so `moved` need not
    contain it.
    """
    cdef Step step = _step_of(prox)
    cdef Py_ssize_t n_targets = coef.shape[0], sweep, g, i, j, k, t
    # Uncentred columns times the change of coef.
    cdef double[:, ::1] moved = np.zeros((n_samples, n_targets))
    # The sum of `moved` over samples, weighted by root.
    cdef double[::1] total = np.zeros(n_targets)
    cdef double[:, ::1] here = np.empty((coef.shape[0], coef.shape[1]))
    cdef Py_ssize_t size = max(1, _largest_group(ptr) * n_targets)
    cdef double[::1] z = np.empty(size), change = np.empty(size)
    cdef double worst, length
    with nogil:
        for sweep in range(n_sweeps):
            worst = 0.0
            for g in range(ptr.shape[0] - 1):
                if lipschitz[g] == 0.0:
                    continue
                for j in range(ptr[g], ptr[g + 1]):
                    for t in range(n_targets):
                        here[t, j] = gradient[t, j] + ridge[j] * coef[t, j] - means[j] * total[t]
                    for k in range(indptr[j], indptr[j + 1]):
                        for t in range(n_targets):
                            here[t, j] += data[k] * moved[indices[k], t]
                length = _take_step(
                    &step, coef, here, ptr[g], ptr[g + 1], lipschitz[g], strengths[g],
                    &z[0], &change[0],
                )
                if length == 0.0:
                    continue
                worst = max(worst, sqrt(lipschitz[g]) * length)
                i = 0
                for j in range(ptr[g], ptr[g + 1]):
                    for t in range(n_targets):
                        coef[t, j] += change[i]
                        total[t] += change[i] * means[j]
                        for k in range(indptr[j], indptr[j + 1]):
                            moved[indices[k], t] += change[i] * data[k]
                        i += 1
            if worst <= tol:
                with gil:
                    return sweep + 1
    return n_sweeps
