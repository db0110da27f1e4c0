r"""Degrees of freedom of a model: the divergence of the fitted values at the solution.

.. math:: \mathrm{df} = \sum_{i,t} \frac{\partial \hat y_{it}}{\partial y_{it}}
    = \mathrm{tr}(H^{-1} H_f) + \text{number of free intercepts}

H_f and H are the Hessians of f and of f + penalty with respect to the smooth entries of W. With
M = H_f + diag(d) we have H = M − Σ_g e_g u_g u_g' (see `penalty.Curvature`). If U has the columns
u_g, Woodbury's identity gives

.. math:: \mathrm{tr}(H^{-1}H_f) = \mathrm{tr}(M^{-1}H_f) + \mathrm{tr}[
    (\mathrm{diag}(1/e) - U'M^{-1}U)^{-1}\, U'M^{-1}H_f M^{-1}U].

Just after a feature has entered, d and e are huge, and the difference in the last term consists
of rounding errors. But for a penalty with the Euclidean norm of a group, d is constant on the
smooth entries of a group and u_g has norm 1, so that where d > 0

.. math:: \mathrm{diag}(1/e) - U'M^{-1}U
    = \mathrm{diag}(1/e - 1/d) + U'M^{-1}H_f\,\mathrm{diag}(1/d)\,U,

and for group lasso d = e. The other part of a sparse group lasso has no curvature, and the bound of
coefficients >= 0 only decides which entries are smooth. A ridge is part of the penalty here: it
adds ρ to d. For other penalties, d is nothing but ρ, and the difference is computed as it stands.

For squared loss, M is the same for all targets. Both terms then cost as much as two
factorisations of the size of the support, whatever the number of targets [1].
docs/degrees_of_freedom.md explains what the degrees of freedom mean for each formulation.

References
----------
.. [1] Vaiter, Deledalle, Fadili, Peyré, Dossal (2017), The degrees of freedom of partly
   smooth regularizers, Ann. Inst. Stat. Math. 69.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from shrinklin.objective.likelihood import Likelihood
from shrinklin.solvers.newton import alike_targets

# Eigenvalues below this share of the largest are rounding errors.
_RANK = 1e-14
# A matrix with a reciprocal condition number above this certainly has full rank.
_WELL_CONDITIONED = 1e-10
# A direction with less curvature than this is flat. If the penalty is not convex, this is
# relative to the curvature of M: coefficients are accurate to about 1e-6, and curvatures that
# cancel to the square of that. If it is convex, no curvatures cancel, and this is relative to the
# curvature of each group.
_FLAT = 1e-10


@dataclass(frozen=True)
class _Entries:
    """Smooth entries of W that M does not couple with the entries of other parts.

    Attributes
    ----------
    hessian : ndarray of shape (n_entries, n_entries)
        The Hessian of f, the same for every target in U.
    d : ndarray of shape (n_entries,)
        The same for every target in U.
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

    `fit_intercept` must be the value with which f was made.

    Flat directions that do not change the fit count as 0. If the penalty is not convex and the
    Hessian is not positive definite, W is not an isolated minimum and the fit has no derivative.
    The result is then infinity.
    """
    curvature = objective.penalty.curvature(W, objective.groups, objective.strengths)
    d, ridges = curvature.d, objective.ridges
    free = objective.groups.spread(objective.strengths == 0)
    # Coefficients without penalty are smooth at zero too, unless they have a bound there.
    smooth = curvature.smooth | (free & (not objective.penalty.positive))[:, None]
    if ridges.any():
        # They belong to the penalty here, and H_f is the Hessian of the loss.
        objective = replace(objective, smooth=objective.smooth.ridged(None))
        d = d + np.where(smooth, objective.groups.spread(ridges)[:, None], 0.0)
    parts = _parts_of_loss(objective, W, d, curvature.U, smooth)
    convex = objective.penalty.convex or not objective.strengths.any()
    intercepts = _n_intercepts(objective.smooth) if fit_intercept else 0
    euclidean = objective.penalty.radial or objective.penalty.convex
    own = _own(objective, curvature, ridges) if euclidean else None
    return _ratio_trace(parts, curvature.e, own, convex) + intercepts


def _own(objective, curvature, ridges):
    """1 − e/d of every group. Their difference is not rounded to 0 where both are huge."""
    d = np.maximum.reduceat(curvature.d.max(axis=1), objective.groups.ptr[:-1])
    left, total = d - curvature.e + ridges, d + ridges
    return np.divide(left, total, out=np.ones_like(total), where=total > 0)


def _n_intercepts(smooth):
    """How many intercepts the data determine."""
    if not isinstance(smooth, Likelihood):
        return smooth.C.shape[1]
    return smooth.loss.n_constants(smooth.Y, smooth.weight)


def _parts_of_loss(objective, W, d, U, smooth):
    owners = objective.groups.spread(np.arange(len(objective.groups)))
    if isinstance(objective.smooth, Likelihood):
        features = np.flatnonzero(smooth.any(axis=1))
        if not len(features):
            return []
        at = smooth[features]
        hessian = _hessian_of_likelihood(objective.smooth, W, features)
        entry = at.ravel()
        owner = np.repeat(owners[features], at.sum(axis=1))
        of_entries = d[features][at], U[features][at][:, None]
        return [_Entries(hessian[entry][:, entry], *of_entries, owner)]
    return [
        _Entries(
            objective.smooth.block(features),
            d[features, targets[0]],
            U[features[:, None], targets],
            owners[features],
        )
        for targets, features in alike_targets(smooth, d)
    ]


def _hessian_of_likelihood(likelihood, W, features):
    """Hessian of f with the intercept minimised out, for the entries of W[features] in order."""
    P = likelihood.predict(likelihood.centred_product(W)).state
    n_features, n_targets = len(features), P.shape[1]
    H = np.zeros((n_features + 1, n_targets, n_features + 1, n_targets))
    for samples, part in likelihood.columns(features).parts():
        part = np.vstack([part, likelihood.design.row_scale[samples, 0]])
        for k in range(n_targets):
            alone = np.broadcast_to(np.arange(n_targets) == k, P[samples].shape)
            second = likelihood.loss.hessian_product(P[samples], alone)
            for t in range(k, n_targets):
                H[:, k, :, t] += (second[:, t] * part) @ part.T
    for k, t in combinations(range(n_targets), 2):
        H[:, t, :, k] = H[:, k, :, t]
    inner = n_features * n_targets
    likelihood.cost.count_product(n_targets * len(P), inner, n_features)
    H = H.reshape(inner + n_targets, -1)
    if not likelihood.fit_intercept:
        return H[:inner, :inner]
    inverse = linalg.pinvh(H[inner:, inner:], rtol=_RANK)
    return H[:inner, :inner] - H[:inner, inner:] @ inverse @ H[inner:, :inner]


def _ratio_trace(parts, e, own, convex):
    """tr(H⁻¹ H_f) over all parts, with H = H_f + diag(d) − Σ_g e_g u_g u_g'.

    `own` is 1 − e/d of every group, or None if the penalty is not radial.
    """
    owners = [np.empty(0, dtype=int), *(part.owner for part in parts)]
    alive = np.unique(np.concatenate(owners))
    S, Q = np.zeros((2, len(alive), len(alive)))
    diagonal, total = np.ones(len(alive)), 0.0
    for part in parts:
        inverse, null = _generalised_inverse(part.hessian + np.diag(part.d))
        U = np.sqrt(e[part.owner])[:, None] * part.U
        if not convex and _moves(null, U, part.owner):
            return np.inf
        passed = inverse @ part.hessian
        total += U.shape[1] * np.trace(passed)
        members, starts = np.unique(part.owner, return_index=True)
        at, UU = np.searchsorted(alive, members), U @ U.T
        d = np.zeros_like(part.d) if own is None else part.d
        diagonal[at] = 1.0 if own is None else own[members]
        S[at[:, None], at] += _block_sums(_less_own(d, inverse, passed) * UU, starts)
        Q[at[:, None], at] += _block_sums(passed @ inverse * UU, starts)
    return total + _correction(np.diag(diagonal) + S, Q, convex)


def _less_own(d, inverse, passed):
    """diag(1/d) − M⁻¹, and −M⁻¹ in columns where d = 0; `passed` is M⁻¹H_f."""
    return np.where(d > 0, passed / np.where(d > 0, d, 1.0), -inverse)


def _correction(S, Q, convex):
    """tr(S⁻¹Q). Infinity if the penalty is not convex and S is not positive definite."""
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
    """Whether the penalty has curvature along a direction in which M is flat."""
    _, starts = np.unique(owner, return_index=True)
    slopes = [np.add.reduceat(v[:, None] * U, starts) for v in null.T]
    return bool(slopes) and np.abs(slopes).max() > 1e-6 * np.abs(U).max()


def _generalised_inverse(M):
    """A generalised inverse of M, and unit vectors v with Mv = 0.

    M is positive semidefinite. Its rows may have any scale.
    """
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
