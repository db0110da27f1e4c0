"""Linear systems whose rows may have any scale, directly and by conjugate gradients."""

import numpy as np
from scipy.linalg import lapack

_CG_STEPS = 100


def scaled_inverse(M):
    """Inverse of a positive semidefinite M, rows of any scale."""
    from shrinklin.solvers import kernels

    M, scale = _scaled(M)
    factor, failed = lapack.dpotrf(M.T, clean=0)
    inverse = np.linalg.inv(M) if failed else lapack.dpotri(factor, overwrite_c=1)[0].T
    kernels.mirror_scaled(inverse, scale)
    return inverse


def scaled_solve(M, C):
    """M⁻¹ C, as by `scaled_inverse`."""
    M, scale = _scaled(M)
    C = scale[:, None] * C
    _, solution, failed = lapack.dposv(M, C)
    return scale[:, None] * (np.linalg.solve(M, C) if failed else solution)


def _scaled(M):
    """M with a unit diagonal, and the scale of its rows that makes it so.

    A multiple of 1e-14 on the diagonal keeps collinear rows invertible.
    """
    from shrinklin.solvers import kernels

    diagonal = np.diagonal(M)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    M = kernels.scaled_symmetric(np.ascontiguousarray(M), scale)
    M.flat[:: len(M) + 1] += 1e-14
    return M, scale


def conjugate_gradients(product, precondition, rhs, tol):
    """Approximate solution D of product(D) = rhs, with ⟨D, rhs⟩ > 0.

    Ends when the preconditioned residual has shrunk by `tol`, or at a direction
    of negative curvature, with what it has found by then.
    """
    D = np.zeros_like(rhs)
    residual = rhs
    Y = precondition(residual)
    Q, size = Y, np.vdot(residual, Y)
    first = size
    for _ in range(_CG_STEPS):
        HQ = product(Q)
        curvature = np.vdot(Q, HQ)
        if curvature <= 1e-14 * size:
            return D if D.any() else Q
        D = D + size / curvature * Q
        residual = residual - size / curvature * HQ
        Y = precondition(residual)
        previous, size = size, np.vdot(residual, Y)
        if size <= tol**2 * first:
            break
        Q = Y + size / previous * Q
    return D
