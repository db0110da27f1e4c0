r"""Degrees of freedom of a model: the divergence of the fitted values at the solution.

.. math:: \mathrm{df} = \sum_{i,t} \frac{\partial \hat y_{it}}{\partial y_{it}}
    = \mathrm{tr}(H^{-1} H_f) + \text{number of free intercepts}

with H_f and H the Hessians of f and of f + penalty on the smooth entries of W. There
H = M − Σ_g e_g u_g u_g' with M = H_f + diag(d) (see `penalty.Curvature`), so that by
Woodbury's identity, u_g the columns of U,

.. math:: \mathrm{tr}(H^{-1}H_f) = \mathrm{tr}(M^{-1}H_f) + \mathrm{tr}[
    (\mathrm{diag}(1/e) - U'M^{-1}U)^{-1}\, U'M^{-1}H_f M^{-1}U].

Just after a feature entered, d and e are huge and the difference in the last term is all
rounding. But where d > 0, it is alike within a group and u_g has norm 1, so that

.. math:: \mathrm{diag}(1/e) - U'M^{-1}U
    = \mathrm{diag}(1/e - 1/d) + U'M^{-1}H_f\,\mathrm{diag}(1/d)\,U,

and for group lasso d = e.

For the squared loss M is the same for all targets, and both terms cost what two
factorisations of the size of the support do, whatever their number [1]. What this
number means for each formulation is in docs/degrees_of_freedom.md.

References
----------
.. [1] Vaiter, Deledalle, Fadili, Peyré, Dossal (2017), The degrees of freedom of partly
   smooth regularizers, Ann. Inst. Stat. Math. 69.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from shrinklin.losses.logistic import Binomial
from shrinklin.objective.likelihood import Likelihood
from shrinklin.solvers.newton import alike_targets

# Below it an eigenvalue, relative to the largest, is rounding;
_RANK = 1e-14
# matrices better conditioned than this have full rank for sure.
_WELL_CONDITIONED = 1e-10
# A direction of less curvature than this is flat. For a penalty that is not convex it is
# relative to that of M: coefficients are known to some 1e-6, and curvatures that cancel to
# the square of it. For a convex one, where none cancel, to that of each group.
_FLAT = 1e-10


@dataclass(frozen=True)
class _Part:
    """Smooth entries that share no curvature of f and no d with those of other parts.

    Attributes
    ----------
    hessian : ndarray of shape (n_entries, n_entries)
        Of f, for each of the targets of U alike.
    d : ndarray of shape (n_entries,)
    U : ndarray of shape (n_entries, n_targets)
    owner : ndarray of shape (n_entries,)
        Group of every entry, in ascending order.
    """

    hessian: np.ndarray
    d: np.ndarray
    U: np.ndarray
    owner: np.ndarray


def degrees_of_freedom(objective, W, fit_intercept=True):
    """Divergence of the fitted values at a minimiser W of `objective`.

    `fit_intercept` is that with which its f was made.

    Flat directions that leave the fit as it is count nothing. Where the Hessian of a
    penalty that is not convex is not positive definite, W is no isolated minimum and
    the fit has no derivative: infinity.
    """
    curvature = objective.penalty.curvature(W, objective.groups, objective.strengths)
    free = objective.groups.spread(objective.strengths == 0)
    # A coefficient without penalty may pass through zero.
    smooth = curvature.smooth | free[:, None]
    parts = _parts_of_loss(objective, W, curvature, smooth)
    convex = objective.penalty.convex or not objective.strengths.any()
    intercepts = _n_intercepts(objective.smooth) if fit_intercept else 0
    return _ratio_trace(parts, curvature.e, convex) + intercepts


def _n_intercepts(smooth):
    """How many intercepts the data determine."""
    if not isinstance(smooth, Likelihood):
        return smooth.C.shape[1]
    if isinstance(smooth.loss, Binomial):
        return 1
    # The same added to all classes changes nothing; a class without weight has none.
    return np.count_nonzero(smooth.weight @ smooth.Y) - 1


def _parts_of_loss(objective, W, curvature, smooth):
    owners = objective.groups.spread(np.arange(len(objective.groups)))
    if isinstance(objective.smooth, Likelihood):
        rows = np.flatnonzero(smooth.any(axis=1))
        if not len(rows):
            return []
        at = smooth[rows]
        hessian = _logistic_hessian(objective.smooth, W, rows)
        entry = at.ravel()
        U = curvature.U[rows][at][:, None]
        owner = np.repeat(owners[rows], at.sum(axis=1))
        return [_Part(hessian[entry][:, entry], curvature.d[rows][at], U, owner)]
    return [
        _Part(
            objective.smooth.block(rows),
            curvature.d[rows, targets[0]],
            curvature.U[rows[:, None], targets],
            owners[rows],
        )
        for targets, rows in alike_targets(smooth, curvature.d)
    ]


def _logistic_hessian(likelihood, W, rows):
    """Hessian of f on `rows`, the intercept following: entries in the order of W[rows]."""
    P = likelihood.predict(likelihood.raw(W)).state
    n_rows, n_targets = len(rows), P.shape[1]
    H = np.zeros((n_rows + 1, n_targets, n_rows + 1, n_targets))
    for samples, part in likelihood.columns(rows).parts():
        part = np.vstack([part, likelihood.design.row_scale[samples, 0]])
        for k in range(n_targets):
            alone = np.broadcast_to(np.arange(n_targets) == k, P[samples].shape)
            second = likelihood.loss.hessian_product(P[samples], alone)
            for t in range(k, n_targets):
                H[:, k, :, t] += (second[:, t] * part) @ part.T
    for k, t in combinations(range(n_targets), 2):
        H[:, t, :, k] = H[:, k, :, t]
    inner = n_rows * n_targets
    likelihood.cost.count_product(n_targets * len(P), inner, n_rows)
    H = H.reshape(inner + n_targets, -1)
    if not likelihood.fit_intercept:
        return H[:inner, :inner]
    inverse = linalg.pinvh(H[inner:, inner:], rtol=_RANK)
    return H[:inner, :inner] - H[:inner, inner:] @ inverse @ H[inner:, :inner]


def _ratio_trace(parts, e, convex):
    """tr(H⁻¹ H_f), H_f that of all parts and H = H_f + diag(d) − Σ_g e_g u_g u_g'."""
    owners = [np.empty(0, dtype=int), *(part.owner for part in parts)]
    alive = np.unique(np.concatenate(owners))
    S, Q = np.zeros((2, len(alive), len(alive)))
    own, total = np.ones(len(alive)), 0.0
    for part in parts:
        inverse, null = _generalised_inverse(part.hessian + np.diag(part.d))
        U = np.sqrt(e[part.owner])[:, None] * part.U
        if not convex and _moves(null, U, part.owner):
            return np.inf
        passed = inverse @ part.hessian
        total += U.shape[1] * np.trace(passed)
        members, starts = np.unique(part.owner, return_index=True)
        at, UU, d = np.searchsorted(alive, members), U @ U.T, part.d[starts]
        own[at] = 1 - np.divide(e[members], d, out=np.zeros_like(d), where=d > 0)
        S[at[:, None], at] += _block_sums(_less_own(part.d, inverse, passed) * UU, starts)
        Q[at[:, None], at] += _block_sums(passed @ inverse * UU, starts)
    return total + _correction(np.diag(own) + S, Q, convex)


def _less_own(d, inverse, passed):
    """diag(1/d) − M⁻¹, and −M⁻¹ in columns where d = 0; `passed` is M⁻¹H_f."""
    return np.where(d > 0, passed / np.where(d > 0, d, 1.0), -inverse)


def _correction(S, Q, convex):
    """tr(S⁻¹Q), or infinity where S should be positive definite and is not."""
    if not len(S):
        return 0.0
    if convex:
        # A coefficient just above 0 has little curvature, but no flat direction.
        diagonal = np.diagonal(S)
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        S, Q = (scale[:, None] * matrix * scale for matrix in (S, Q))
    values, V = linalg.eigh((S + S.T) / 2)
    steep = values > _FLAT
    if not convex and not steep.all():
        return np.inf
    # A convex objective is flat only where the fit does not change: any generalised
    # inverse of H gives the same trace.
    V = V[:, steep]
    return float(((V.T @ Q) * V.T).sum(axis=1) @ (1 / values[steep]))


def _block_sums(products, starts):
    return np.add.reduceat(np.add.reduceat(products, starts, axis=0), starts, axis=1)


def _moves(null, U, owner):
    """Whether the penalty bends along a direction in which M is flat."""
    _, starts = np.unique(owner, return_index=True)
    slopes = [np.add.reduceat(v[:, None] * U, starts) for v in null.T]
    return bool(slopes) and np.abs(slopes).max() > 1e-6 * np.abs(U).max()


def _generalised_inverse(M):
    """Of a positive semidefinite M, rows of any scale; and unit vectors v with Mv = 0."""
    diagonal = np.diagonal(M)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    M = scale[:, None] * M * scale
    factor, failed = lapack.dpotrf(M)
    if not failed and lapack.dpocon(factor, linalg.norm(M, 1))[0] > _WELL_CONDITIONED:
        inverse = lapack.dpotri(factor)[0]
        inverse = np.triu(inverse) + np.triu(inverse, 1).T
        return scale[:, None] * inverse * scale, np.empty((len(M), 0))
    values, V = linalg.eigh(M)
    kept = values > len(M) * _RANK * values[-1]
    inverse = (V[:, kept] / values[kept]) @ V[:, kept].T
    null = scale[:, None] * V[:, ~kept]
    return scale[:, None] * inverse * scale, null / linalg.norm(null, axis=0)
