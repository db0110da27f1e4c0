"""Compiled inner loops over plain arrays, all in ``coef_`` orientation.

``coef`` and ``gradient`` have shape (n_targets, n_features) and are contiguous,
so that updating one target runs along memory. ``code`` is `Penalty.code`.
Functions compile on first use and are cached on disk. Numba renews a cached
function when its own file changes, not when one it calls does: all of them
therefore stand in this file.

A prox is argmin_w ½‖w − z‖² + t φ(w), for a block z given as a 1-D array.

References
----------
.. [1] Cao, Sun, Xu (2013), Fast image deconvolution using closed-form
   thresholding formulas of L_q (q = 1/2, 2/3) regularization.
"""

import math

import numpy as np
from numba import njit

_TIE = 1e-11


@njit(cache=True, nogil=True)
def prox_group_lasso(z, t, out):
    """Write the prox of t‖·‖₂ at z into out: scale by (1 − t/‖z‖)₊."""
    squared = 0.0
    for i in range(z.size):
        squared += z[i] * z[i]
    norm = math.sqrt(squared)
    scale = 0.0 if norm <= t else 1.0 - t / norm
    for i in range(z.size):
        out[i] = scale * z[i]


@njit(cache=True, nogil=True)
def prox_bridge2(z, t, out):
    """Write the prox of t‖·‖₂^{2/3} at z into out.

    Zero iff ‖z‖ ≤ 2(2t/3)^{3/4}. Otherwise ‖out‖ = ‖z‖ v³ where v is the
    largest root of v⁴ − v + c, c = 2t / (3‖z‖^{4/3}) ≤ 2^{-4/3}, taken from
    the resolvent cubic s³ − 4cs − 1, which has one real root there [1].
    """
    norm = math.sqrt((z * z).sum())
    if norm <= 2.0 * (2.0 * t / 3.0) ** 0.75:
        out[:] = 0.0
    elif t == 0.0:
        out[:] = z
    else:
        c = 2.0 * t / (3.0 * norm ** (4.0 / 3.0))
        if c < 1e-8:
            v = 1.0 - c / 3.0
        else:
            h = 0.5 * (0.75 / c) ** 1.5
            s = 2.0 * math.sqrt(4.0 * c / 3.0) * math.cosh(math.acosh(h) / 3.0)
            root = math.sqrt(s)
            v = 0.5 * (root + math.sqrt(2.0 / root - s))
        # A Newton step removes the rounding of cosh(acosh) and the c² above.
        v -= (v**4 - v + c) / (4.0 * v**3 - 1.0)
        out[:] = v**3 * z


@njit(cache=True, nogil=True)
def prox_bridge1(z, t, out):
    """Write the prox of t‖·‖₁^{1/2} at z into out.

    out = (|z| − μ)₊ sign z with μ = t/(2u), u² = ‖out‖₁. With the k largest
    |z| kept (sum Z_k), u is the largest root of u³ − Z_k u + kt/2. Of the
    consistent k, and zero, the one of least value is returned.
    """
    if t == 0.0:
        out[:] = z
        return
    magnitude = np.sort(np.abs(z))[::-1]
    Z = Q = best = 0.0
    shift = -1.0
    for k in range(1, z.size + 1):
        Z += magnitude[k - 1]
        Q += magnitude[k - 1] ** 2
        # The root exists only from here on; said so that nothing divides by 0.
        if 0.75 * math.sqrt(3.0) * k * t > Z**1.5:
            continue
        cosine = 0.75 * math.sqrt(3.0) * k * t / Z**1.5
        u = 2.0 * math.sqrt(Z / 3.0) * math.cos(math.acos(-cosine) / 3.0)
        mu = 0.5 * t / u
        following = magnitude[k] if k < z.size else 0.0
        if magnitude[k - 1] <= mu or following > mu:
            continue
        value = 0.5 * (k * mu * mu - Q) + t * u
        if value < best:
            best = value
            shift = mu
    if shift < 0.0:
        out[:] = 0.0
    else:
        out[:] = np.sign(z) * np.maximum(np.abs(z) - shift, 0.0)


@njit(cache=True, nogil=True)
def prox(code, z, t, out):
    """Prox of the penalty `code` at z (size of the block,), written to out."""
    if code == 0:
        prox_group_lasso(z, t, out)
    elif code == 1:
        prox_bridge2(z, t, out)
    else:
        prox_bridge1(z, t, out)


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
    t = strength / lipschitz
    prox(code, z[:size], t, change[:size])
    # At its jump the bridge's prox has two values. Rounding must not make a
    # block go back and forth between them: it crosses only if clear of a tie.
    if code != 0:
        alive = coef[:, start:stop].any()
        if change[:size].any() != alive:
            prox(code, z[:size], t * (1.0 - _TIE if alive else 1.0 + _TIE), change[:size])
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
    `tol`, in units of `Objective.residual_scale`.
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
def residual_sweep(code, coef, residual, columns, grams, first, lipschitz, strengths, ptr):
    """A sweep of the same descent without all of G: `residual` Y − XW follows, in place.

    residual (n_targets, n_samples), columns = X' (n_features, n_samples), both contiguous.
    The gradient of the groups first[b]:first[b + 1] is one product; within them it follows
    through their Gram matrix, which stands at their rows of `grams`. Returns the largest
    move, in units of `Objective.residual_scale`.
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
        moves = np.zeros((n_targets, stop - start))
        largest = 0.0
        for g in range(first[b], first[b + 1]):
            L, begin, end = lipschitz[g], ptr[g], ptr[g + 1]
            if L == 0.0:
                continue
            moved = _take_step(code, coef, gradient, begin, end, L, strengths[g], z, change)
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
    """Scale the lower triangle of M likewise, and copy it to the upper one, in place."""
    for i in range(len(M)):
        for j in range(i + 1):
            M[i, j] *= scale[i] * scale[j]
            M[j, i] = M[i, j]


@njit(cache=True, nogil=True)
def sparse_sweeps(
    code, coef, gradient, data, indices, indptr, means, n_samples, lipschitz, strengths, ptr, tol,
    n_sweeps,
):  # fmt: skip
    """The descent of `gram_sweeps` without a Gram matrix, on the rows of `SparseColumns`.

    `coef` moves in place, `gradient` remains that of the start. What is taken off the
    mean of a column is orthogonal to the columns: it never has to be put into `moved`.
    """
    n_targets = coef.shape[0]
    moved = np.zeros((n_samples, n_targets))  # the columns, not centred, times what coef moved by
    total = np.zeros(n_targets)  # the sum of that over samples, in proportion to root
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
                    here[t, j] = gradient[t, j] - means[j] * total[t]
                for k in range(indptr[j], indptr[j + 1]):
                    for t in range(n_targets):
                        here[t, j] += data[k] * moved[indices[k], t]
            size = _take_step(code, coef, here, ptr[g], ptr[g + 1], L, strengths[g], z, change)
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
