"""Compiled inner loops over plain arrays, all in ``coef_`` orientation.

``coef`` and ``gradient`` have shape (n_targets, n_features) and are contiguous,
so that updating one target runs along memory. ``prox`` is `compiled(penalty)`.

Functions compile on first use and are cached on disk. Numba compiles a cached function
again when its own file changes, but not when a function that it calls changes in another
file. So all loops are in this file. A prox is in the file of its penalty: it is compiled
on its own, and the loops call it by its address.
"""

import math
import os
from functools import cache
from threading import Lock

import numpy as np
from numba import cfunc, float64, njit, types
from numba.extending import intrinsic

_PROX = types.void(float64[::1], float64, float64[::1])  # (z, t, out)
_PROX_WITH_L1 = types.void(float64[::1], float64, float64, float64[::1])  # (z, t, s, out)
# Threads that fit for the first time would compile the same prox, and drop each other's.
_ONE_AT_A_TIME = Lock()
# How close t is to the jump of a prox in a tie, relative to t.
_TIE = 1e-11


def compiled(penalty):
    """The argument `prox` of the loops: the address of the penalty's prox, tie width and ℓ1 ratio.

    The last is -1 if the prox has no argument s.
    """
    signature = _PROX if penalty.l1_ratio is None else _PROX_WITH_L1
    ratio = -1.0 if penalty.l1_ratio is None else float(penalty.l1_ratio)
    return _compiled(penalty.prox, signature).address, 0.0 if penalty.convex else _TIE, ratio


def _compiled(prox, signature=_PROX):
    with _ONE_AT_A_TIME:
        return _compiled_once(prox, signature)


@cache
def _compiled_once(prox, signature):
    # A function that was typed in has no file, and the cache on disk goes with files.
    on_disk = os.path.isfile(prox.__code__.co_filename)
    # An exception cannot leave a C function: let a division by zero give inf or NaN instead.
    return cfunc(signature, cache=on_disk, error_model="numpy")(prox)


@intrinsic
def _call(typing, address, z, t, out):
    """Call the prox at `address`.

    An argument of type `numba.types.FunctionType` would need no code here, but passing one
    to a loop takes 12 µs, a tenth of a small fit.
    """

    def generate(context, builder, signature, args):
        pointer = context.get_value_type(types.FunctionType(_PROX).ftype)
        context.call_function_pointer(builder, builder.inttoptr(args[0], pointer), args[1:])
        return context.get_dummy_value()

    return types.void(types.intp, *_PROX.args), generate


@intrinsic
def _call_with_l1(typing, address, z, t, s, out):
    """The same for a prox with an argument s."""

    def generate(context, builder, signature, args):
        pointer = context.get_value_type(types.FunctionType(_PROX_WITH_L1).ftype)
        context.call_function_pointer(builder, builder.inttoptr(args[0], pointer), args[1:])
        return context.get_dummy_value()

    return types.void(types.intp, *_PROX_WITH_L1.args), generate


@njit(cache=True, nogil=True)
def _largest_group(ptr):
    largest = 0
    for g in range(ptr.size - 1):
        largest = max(largest, ptr[g + 1] - ptr[g])
    return largest


@njit(cache=True, nogil=True)
def _take_step(prox, coef, gradient, start, stop, lipschitz, strength, z, change):
    """Prox step of one block: writes new − old to `change` and returns its norm."""
    address, tie, l1_ratio = prox
    size = 0
    for j in range(start, stop):
        for t in range(coef.shape[0]):
            z[size] = coef[t, j] - gradient[t, j] / lipschitz
            size += 1
    t = strength / lipschitz
    # Slices that both calls share: with slices of their own, a step takes a third longer.
    source, target = z[:size], change[:size]
    if l1_ratio >= 0.0:
        s = l1_ratio * t / math.sqrt(stop - start)
        _call_with_l1(address, source, (1.0 - l1_ratio) * t, s, target)  # type: ignore[call-arg]
    else:
        _call(address, source, t, target)  # type: ignore[call-arg]
    # At its jump the prox has two values. Rounding must not make a
    # block go back and forth between them: it crosses only if clear of a tie.
    if tie > 0.0:
        alive = coef[:, start:stop].any()
        if change[:size].any() != alive:
            _call(address, z[:size], t * (1.0 - tie if alive else 1.0 + tie), change[:size])
    size = 0
    squared = 0.0
    for j in range(start, stop):
        for t in range(coef.shape[0]):
            change[size] -= coef[t, j]
            squared += change[size] ** 2
            size += 1
    return np.sqrt(squared)


@njit(cache=True, nogil=True)
def prox_steps(prox, coef, gradient, lipschitz, strengths, ptr):
    """prox(W_g − ∇_g/L_g) − W_g of every group, as if each moved alone.

    A group with L_g = 0 does not move.
    """
    steps = np.zeros_like(coef)
    z = np.empty(_largest_group(ptr) * coef.shape[0])
    change = np.empty_like(z)
    for g in range(ptr.size - 1):
        if lipschitz[g] > 0.0:
            _take_step(
                prox, coef, gradient, ptr[g], ptr[g + 1], lipschitz[g], strengths[g], z, change
            )
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(coef.shape[0]):
                    steps[t, j] = change[i]
                    i += 1
    return steps


@njit(cache=True, nogil=True)
def gram_sweeps(prox, coef, gradient, G, lipschitz, strengths, ptr, tol, n_sweeps):
    """Block coordinate descent on the Gram matrix, in place.

    After the prox step of each block, the gradient of all features is updated.
    Stops after a sweep in which no block moved by more than `tol`, in units of
    `Objective.residual_scale`. Returns the number of sweeps made.
    """
    z = np.empty(_largest_group(ptr) * coef.shape[0])
    change = np.empty_like(z)
    n_targets = coef.shape[0]
    for sweep in range(n_sweeps):
        worst = 0.0
        for g in range(ptr.size - 1):
            L = lipschitz[g]
            if L == 0.0:
                continue
            moved = _take_step(prox, coef, gradient, ptr[g], ptr[g + 1], L, strengths[g], z, change)
            if moved == 0.0:
                continue
            worst = max(worst, math.sqrt(L) * moved)
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(n_targets):
                    delta = change[i]
                    i += 1
                    if delta != 0.0:
                        coef[t, j] += delta
                        for k in range(coef.shape[1]):
                            gradient[t, k] += delta * G[j, k]
        if worst <= tol:
            return sweep + 1
    return n_sweeps


@njit(cache=True, nogil=True)
def residual_sweep(
    prox, coef, residual, columns, ridge, grams, first, lipschitz, strengths, ptr
):  # fmt: skip
    """One sweep of the same descent without all of G. Updates the `residual` Y − XW in place.

    G is X'X with `ridge` added to its diagonal. residual (n_targets, n_samples) and columns = X'
    (n_features, n_samples) are contiguous. The gradient of the groups first[b]:first[b + 1] is
    computed by one product. While they move, it is updated with their Gram matrix, which is stored
    in their rows of `grams`. Returns the largest move, in units of `Objective.residual_scale`.
    """
    n_targets = coef.shape[0]
    gradient = np.empty_like(coef)
    z = np.empty(_largest_group(ptr) * n_targets)
    change = np.empty_like(z)
    worst = 0.0
    for b in range(first.size - 1):
        start, stop = ptr[first[b]], ptr[first[b + 1]]
        X = columns[start:stop]
        gradient[:, start:stop] = -np.dot(residual, X.T)
        gradient[:, start:stop] += ridge[start:stop] * coef[:, start:stop]
        moves = np.zeros((n_targets, stop - start))
        largest = 0.0
        for g in range(first[b], first[b + 1]):
            L, begin, end = lipschitz[g], ptr[g], ptr[g + 1]
            if L == 0.0:
                continue
            moved = _take_step(prox, coef, gradient, begin, end, L, strengths[g], z, change)
            largest = max(largest, math.sqrt(L) * moved)
            i = 0
            for j in range(begin, end):
                for t in range(n_targets):
                    delta = change[i]
                    i += 1
                    if delta != 0.0:
                        coef[t, j] += delta
                        moves[t, j - start] = delta
                        for k in range(end, stop):
                            gradient[t, k] += delta * grams[j, k - start]
        if largest > 0.0:
            residual -= np.dot(moves, X)
            worst = max(worst, largest)
    return worst


@njit(cache=True, nogil=True)
def subtract_group_sums(K, inverse, products, owner):
    """K[g, h] −= Σ inverse[i, j] products[i, j] over i in group g, j in group h, for h ≤ g.

    `owner` (n_rows,) is the group of every row, ascending; the matrices are symmetric.
    """
    for i in range(owner.size):
        for j in range(i + 1):
            value = inverse[i, j] * products[i, j]
            if i != j and owner[i] == owner[j]:
                value *= 2.0
            K[owner[i], owner[j]] -= value


@njit(cache=True, nogil=True)
def scaled_symmetric(M, scale):
    """scale[i] M[i, j] scale[j]."""
    out = np.empty_like(M)
    for i in range(len(M)):
        for j in range(len(M)):
            out[i, j] = scale[i] * M[i, j] * scale[j]
    return out


@njit(cache=True, nogil=True)
def mirror_scaled(M, scale):
    """Scale the lower triangle of M in the same way and copy it to the upper one, in place."""
    for i in range(len(M)):
        for j in range(i + 1):
            M[i, j] *= scale[i] * scale[j]
            M[j, i] = M[i, j]


@njit(cache=True, nogil=True)
def sparse_sweeps(
    prox, coef, gradient, ridge, data, indices, indptr, means, n_samples, lipschitz, strengths,
    ptr, tol, n_sweeps,
):  # fmt: skip
    """The descent of `gram_sweeps` without a Gram matrix, on the rows of `SparseColumns`.

    `coef` is updated in place, while `gradient` remains the gradient at the start, without the part
    of the ridge. What centring subtracts is orthogonal to the centred columns, so `moved` need not
    contain it.
    """
    n_targets = coef.shape[0]
    moved = np.zeros((n_samples, n_targets))  # uncentred columns times the change of coef
    total = np.zeros(n_targets)  # the sum of `moved` over samples, weighted by root
    here = np.empty_like(coef)
    z = np.empty(_largest_group(ptr) * n_targets)
    change = np.empty_like(z)
    for sweep in range(n_sweeps):
        worst = 0.0
        for g in range(ptr.size - 1):
            L = lipschitz[g]
            if L == 0.0:
                continue
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(n_targets):
                    here[t, j] = gradient[t, j] + ridge[j] * coef[t, j] - means[j] * total[t]
                for k in range(indptr[j], indptr[j + 1]):
                    for t in range(n_targets):
                        here[t, j] += data[k] * moved[indices[k], t]
            size = _take_step(prox, coef, here, ptr[g], ptr[g + 1], L, strengths[g], z, change)
            if size == 0.0:
                continue
            worst = max(worst, math.sqrt(L) * size)
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(n_targets):
                    coef[t, j] += change[i]
                    total[t] += change[i] * means[j]
                    for k in range(indptr[j], indptr[j + 1]):
                        moved[indices[k], t] += change[i] * data[k]
                    i += 1
        if worst <= tol:
            return sweep + 1
    return n_sweeps
