"""Solve linear systems with rows of any scale, directly or by conjugate gradients."""

import numpy as np
from scipy.linalg import lapack

from shrinklin import kernels

_CG_STEPS = 100
# Smallest eigenvalue of a matrix with rows of unit scale, so that collinear rows are invertible.
_LEAST_EIGENVALUE = 1e-14


def scaled_inverse(M):
    """Inverse of a positive semidefinite M with rows of any scale.

    The inverse is positive definite even if rounding has made M singular or indefinite:
    eigenvalues are replaced by their absolute values, and by 1e-14 if these are smaller (for
    rows of unit scale). The inverse is NaN if M is not finite.
    """
    if not M.size:  # LAPACK would print an error message
        return M.copy()
    M, scale = _scaled(M)
    factor, failed = lapack.dpotrf(M.T, clean=0)
    inverse = _definite_inverse(M) if failed else lapack.dpotri(factor, overwrite_c=1)[0].T
    kernels.mirror_scaled(inverse, scale)
    return inverse


def scaled_solve(M, C):
    """M⁻¹ C, as by `scaled_inverse`."""
    M, scale = _scaled(M)
    C = scale[:, None] * C
    _, solution, failed = lapack.dposv(M, C)
    return scale[:, None] * (_definite_inverse(M) @ C if failed else solution)


def _definite_inverse(M):
    if not np.isfinite(M).all():
        return np.full_like(M, np.nan)
    values, V = np.linalg.eigh(M)
    return (V / np.maximum(np.abs(values), _LEAST_EIGENVALUE)) @ V.T


def _scaled(M):
    """M scaled to a unit diagonal, plus 1e-14 on the diagonal, and the scale of its rows."""
    diagonal = np.diagonal(M)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    M = kernels.scaled_symmetric(np.ascontiguousarray(M), scale)
    M.flat[:: len(M) + 1] += _LEAST_EIGENVALUE
    return M, scale


def conjugate_gradients(product, precondition, rhs, tol):
    """Approximate solution D of product(D) = rhs, with ⟨D, rhs⟩ > 0.

    Stops when the preconditioned residual has shrunk by the factor `tol`, or at a
    direction of negative curvature. It then returns the solution so far.
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
