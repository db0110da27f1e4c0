"""Compiled inner loops over plain arrays, all in ``coef_`` orientation.

``coef`` and ``gradient`` have shape (n_targets, n_features) and are contiguous,
so that updating one target runs along memory. ``code`` is `Penalty.code`.
Functions compile on first use and are cached on disk.
"""

import numpy as np
from numba import njit

from shrinklin import penalties

_prox_group_lasso = njit(cache=True, nogil=True)(penalties.prox_group_lasso)
_prox_bridge2 = njit(cache=True, nogil=True)(penalties.prox_bridge2)
_prox_bridge1 = njit(cache=True, nogil=True)(penalties.prox_bridge1)


@njit(cache=True, nogil=True)
def prox(code, z, t, out):
    """Prox of the penalty `code` at z (size of the block,), written to out."""
    if code == 0:
        _prox_group_lasso(z, t, out)
    elif code == 1:
        _prox_bridge2(z, t, out)
    else:
        _prox_bridge1(z, t, out)


@njit(cache=True, nogil=True)
def _largest_group(ptr):
    largest = 0
    for g in range(ptr.size - 1):
        largest = max(largest, ptr[g + 1] - ptr[g])
    return largest


@njit(cache=True, nogil=True)
def _take_step(code, coef, gradient, start, stop, lipschitz, strength, z, change):
    """Prox step of one block: leaves new − old in `change`, returns its norm."""
    size = 0
    for j in range(start, stop):
        for t in range(coef.shape[0]):
            z[size] = coef[t, j] - gradient[t, j] / lipschitz
            size += 1
    prox(code, z[:size], strength / lipschitz, change[:size])
    size = 0
    squared = 0.0
    for j in range(start, stop):
        for t in range(coef.shape[0]):
            change[size] -= coef[t, j]
            squared += change[size] ** 2
            size += 1
    return np.sqrt(squared)


@njit(cache=True, nogil=True)
def prox_steps(code, coef, gradient, lipschitz, strengths, ptr):
    """prox(W_g − ∇_g/L_g) − W_g of every group, as if each moved alone.

    A group with L_g = 0 does not move.
    """
    steps = np.zeros_like(coef)
    z = np.empty(_largest_group(ptr) * coef.shape[0])
    change = np.empty_like(z)
    for g in range(ptr.size - 1):
        if lipschitz[g] > 0.0:
            _take_step(
                code, coef, gradient, ptr[g], ptr[g + 1], lipschitz[g], strengths[g], z, change
            )
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(coef.shape[0]):
                    steps[t, j] = change[i]
                    i += 1
    return steps


@njit(cache=True, nogil=True)
def gram_sweeps(code, coef, gradient, G, lipschitz, strengths, ptr, tol, n_sweeps):
    """Block coordinate descent on the Gram matrix, in place.

    Every block takes its prox step, and the gradient of all features follows.
    Returns the number of sweeps made; stops once no block moved by more than
    `tol` (in units of the gradient).
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
            moved = _take_step(code, coef, gradient, ptr[g], ptr[g + 1], L, strengths[g], z, change)
            if moved == 0.0:
                continue
            worst = max(worst, L * moved)
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


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True)
def residual_sweeps(code, coef, residual, columns, lipschitz, strengths, ptr, tol, n_sweeps):
    """The same descent without a Gram matrix: `residual` Y − XW follows, in place.

    residual (n_targets, n_samples), columns = X' (n_features, n_samples),
    both contiguous.
    """
    n_targets = coef.shape[0]
    gradient = np.empty_like(coef)
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
                    gradient[t, j] = -_dot(columns[j], residual[t])
            moved = _take_step(code, coef, gradient, ptr[g], ptr[g + 1], L, strengths[g], z, change)
            if moved == 0.0:
                continue
            worst = max(worst, L * moved)
            i = 0
            for j in range(ptr[g], ptr[g + 1]):
                for t in range(n_targets):
                    delta = change[i]
                    i += 1
                    if delta != 0.0:
                        coef[t, j] += delta
                        for k in range(residual.shape[1]):
                            residual[t, k] -= delta * columns[j, k]
        if worst <= tol:
            return sweep + 1
    return n_sweeps
