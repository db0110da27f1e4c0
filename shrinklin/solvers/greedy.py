r"""Supports that grow by one group at a time, with the minimum of f on each.

The group that enters is the one after which f is smallest: orthogonal least squares, by blocks.
Let M be the Hessian of f, S the support and W the minimum of f on S. If group g enters and all
groups of S adapt, f falls by

.. math:: \tfrac12 \mathrm{tr}(\nabla_g' C_g^{-1} \nabla_g), \quad
    C_g = M_{gg} - M_{gS} M_{SS}^{-1} M_{Sg}

With the Cholesky factor L of M_SS and T = L⁻¹ M_S for all features, C_g = M_gg − T_g'T_g. Each
feature that enters adds a row to T. That takes O(p (n + k + q)) operations for p features, n
samples, q targets and k features in S, or O(p (k + q)) if the Gram matrix is known.

If group h leaves, f rises by ½ tr(W_h' N⁻¹ W_h), where N is the block of h in M_SS⁻¹. The gain of
any other group after that follows from row h of M_SS⁻¹ M_S. So all swaps are scored too.

For a likelihood, M is the Hessian c·G + ridge of its model at W (see `Likelihood.model`). Newton's
method then finds the minimum of f itself on the new support. As the model is rough, the groups with
the largest gains each take a Newton step on f, and the best of them enters.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from shrinklin.blas import one_blas_thread
from shrinklin.objective.quadratic import Quadratic
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.solvers.proximal_newton import newton_steps
from shrinklin.solvers.solution import PackedSolution, Status

# A feature is collinear with the support if no more than this share of its diagonal entry in M is
# left. The same share is added to the diagonal of C_g, so that rounding gains nothing.
_COLLINEAR = 1e-10
# Smaller gains, relative to f(0), are rounding.
_LEAST_GAIN = 1e-12
# A swap must gain more than this share of what it loses, as both have rounding errors.
_WORTH_A_SWAP = 1e-6
# Only this many groups, those whose loss raises f least, are considered for leaving.
_MAX_DROPS = 30
# Room for this many features of the support at first. It doubles when it is full.
_ROOM = 16
# Newton's method on a support stops when a step gains less than this, relative to f(0).
_SETTLED, _MOST_STEPS = 1e-10, 50


def greedy_path(objective, n_groups, swaps=False, n_trials=4):
    """Minima of f on supports of 0, 1, …, n_groups groups, each with one group more than the last.

    Unpenalised groups are always in, and do not count. The penalty of `objective` and its
    strength play no role. The path ends early if no other group lowers f.

    Parameters
    ----------
    objective : Objective
        If f is a likelihood, all penalised groups must have a ridge > 0: without, there is no
        minimum on a support that separates the classes.
    n_groups : int
        Largest number of penalised groups.
    swaps : bool, default=False
        After each group that enters, exchange groups of the support for others as long as that
        lowers f. Supports are then not nested. Helps most where neighbouring features are alike,
        as in spectra, and takes several times as long.
    n_trials : int, default=4
        Number of groups that take a Newton step before one of them enters a likelihood.

    Returns
    -------
    list of PackedSolution
        `value` is f. A feature that is collinear with others of its support has coefficient 0.

    Raises
    ------
    ValueError
        If f is a likelihood and a penalised group has no ridge.
    """
    with one_blas_thread():
        growth = _growth(objective, n_trials)
        path = [growth.solution()]
        while len(path) <= n_groups and growth.grow():
            if swaps:
                growth.swap()
            path.append(growth.solution())
    return path


def _growth(objective, n_trials):
    objective = replace(objective, penalty=GroupLasso(), strength=0.0)
    if isinstance(objective.smooth, Quadratic):
        return _QuadraticGrowth(objective)
    if (objective.ridges[objective.groups.weights > 0] <= 0).any():
        raise ValueError(
            "A penalised group has ridge 0: on a support that separates the classes, there is no "
            "minimum. Give all penalised groups a ridge > 0."
        )
    return _LikelihoodGrowth(objective, n_trials)


class _Growth(ABC):
    """The minimum of f on a support that grows.

    Attributes
    ----------
    support : list of int
        Groups in order of entry, unpenalised ones first.
    factor : _Factor
        Of M at the minimum.
    """

    factor: "_Factor"
    # Number of groups among which `_choose` chooses.
    n_trials = 1

    def __init__(self, objective):
        self.objective, self.groups = objective, objective.groups
        self.ridge = objective.smooth.ridges
        self.least = _LEAST_GAIN * objective.smooth.value_at_zero
        self.support = np.flatnonzero(self.groups.weights == 0).tolist()

    @abstractmethod
    def solution(self):
        """`PackedSolution` at the minimum."""

    @abstractmethod
    def _move(self, g, drop=None):
        """Let group g enter, and the group of `drop` leave. Returns whether f fell."""

    def grow(self):
        """Let the best group enter. Returns whether f fell."""
        gains = self._gains()
        best = np.argsort(-gains, kind="stable")[: self.n_trials]
        promising = [int(g) for g in best if gains[g] > self.least]
        return bool(promising) and self._move(self._choose(promising))

    def _choose(self, promising):
        """Which of these groups is to enter."""
        return promising[0]

    def swap(self):
        """Exchange groups as long as f falls, at most as many as are in the support."""
        for _ in self.support:
            swaps = [(self._gains(drop), drop) for drop in self.factor.drops()]
            if not swaps:
                break
            gains, drop = max(swaps, key=lambda swap: swap[0].max() - swap[1].rise)
            g = int(gains.argmax())
            enough = gains[g] - drop.rise > _WORTH_A_SWAP * drop.rise + self.least
            if not (enough and self._move(g, drop)):
                break

    def _gains(self, drop=None):
        """How much f falls if a group outside the support enters; 0 for all others."""
        gains = self.factor.gains(drop)
        gains[self.support] = 0.0
        return gains

    def _after(self, g, drop):
        """The support after a move."""
        return [h for h in self.support if drop is None or h != drop.group] + [g]


class _QuadraticGrowth(_Growth):
    def __init__(self, objective):
        super().__init__(objective)
        self.gram = _Gram(objective.smooth.ridged(None), self.groups)
        self.factor = self._factor_on(self.support)

    def _factor_on(self, support):
        return _Factor(self.gram, self.ridge, self.objective.smooth.C, support)

    def _move(self, g, drop=None):
        self.support = self._after(g, drop)
        if drop is None:
            self.factor.enter(g)
        else:
            self.factor = self._factor_on(self.support)
        return True

    def solution(self):
        W = np.zeros(self.objective.shape, order="F")
        W[self.factor.features] = self.factor.coefficients()
        return _packed(self.objective.smooth, W, self.objective.smooth.loss(W))


class _LikelihoodGrowth(_Growth):
    def __init__(self, objective, n_trials):
        super().__init__(objective.with_memory())
        self.n_trials = n_trials
        self.gram = _Gram(self.objective.smooth.base, self.groups)
        self._stay(self.support, self.objective.null_model)

    def _stay(self, support, W):
        """Continue from W, the minimum on the support."""
        smooth = self.objective.smooth
        self.support, self.W = support, W
        self.value, gradient = smooth.evaluate(W)
        c = smooth.mean_curvature(smooth.see(W).prediction)
        # Of the model divided by c, with the same W.
        self.factor = _Factor(self.gram, self.ridge / c, -gradient / c, support)
        self.factor.weight_on(W)

    def _choose(self, promising):
        if len(promising) == 1:
            return promising[0]
        return min(promising, key=self._value_after_step)

    def _value_after_step(self, g):
        """f after group g has entered and all groups have taken one Newton step."""
        steps = newton_steps(self.objective, self._start(g))
        next(steps)
        return next(steps)[1]

    def _start(self, g, drop=None):
        """W after a move, where only the groups of the move change."""
        W = self.W.copy()
        if drop is not None:
            W[self.groups.features([drop.group])] = 0.0
        W[self.groups.features([g])] = self.factor.block(g, drop)
        return W

    def _move(self, g, drop=None):
        W = _settled(self.objective, self._start(g, drop))
        fell = self.objective.smooth.evaluate(W)[0] < self.value - self.least
        if fell:
            self._stay(self._after(g, drop), W)
        return fell

    def solution(self):
        return _packed(self.objective.smooth, self.W, self.value)


def _settled(objective, W):
    """The minimum of f on the support of W."""
    least = _SETTLED * objective.smooth.value_at_zero
    before, steps = np.inf, newton_steps(objective, W)
    for _ in range(_MOST_STEPS):
        W, value = next(steps)
        if before - value <= least:
            break
        before = value
    return W


def _packed(smooth, W, loss):
    support = np.flatnonzero(W.any(axis=1))
    return PackedSolution(
        support, W[support], len(W), smooth.intercept(W), loss, loss, 0.0, 0, Status.CONVERGED
    )


class _Gram:
    """Entries of G that are needed again and again: blocks of groups, rows of the support.

    Attributes
    ----------
    quadratic : Quadratic
        Without ridge.
    blocks : list of (members, features, blocks)
        For all groups of one size m: their numbers (n,), features (n, m) and blocks (n, m, m).
    """

    def __init__(self, quadratic, groups):
        self.quadratic, self.groups = quadratic, groups
        self._rows: dict[int, np.ndarray] = {}
        self.blocks = []
        for size in np.unique(groups.sizes):
            members = np.flatnonzero(groups.sizes == size)
            features = groups.ptr[members, None] + np.arange(size)
            if size == 1:
                blocks = quadratic.diagonal[features][:, :, None]
            else:
                blocks = np.stack([quadratic.block(some) for some in features])
            self.blocks.append((members, features, blocks))

    def rows(self, g, features):
        """G[features] for the features of group g."""
        if g not in self._rows:
            units = np.zeros((len(self.quadratic.C), len(features)))
            units[features, np.arange(len(features))] = 1.0
            self._rows[g] = self.quadratic.product(units).T
        return self._rows[g]


@dataclass(frozen=True)
class _Drop:
    """How f and its derivatives change if a group leaves.

    f rises by `rise`, D by rows' force and C by rows' rows.
    """

    group: int
    rise: float
    rows: np.ndarray
    force: np.ndarray


class _Factor:
    """M = G + ridge on a support, and D, minus the gradient at the minimum there.

    Attributes
    ----------
    features : list of int
        The support, in order of entry, without collinear features.
    T : ndarray of shape (n_kept, n_features)
    z : ndarray of shape (n_kept, n_targets)
        L⁻¹ times the first D on the support. The minimum is L'⁻¹ z.
    D : ndarray of shape (n_features, n_targets)
    schur : list of ndarray of shape (n, m, m)
        C_g of all groups of one size, as in `_Gram.blocks`.
    """

    def __init__(self, gram, ridge, D, support):
        self.gram, self.groups, self.ridge, self.D = gram, gram.groups, ridge, D.copy()
        self.cost, self.features = gram.quadratic.cost, []
        self._T, self._z = np.empty((_ROOM, len(D))), np.empty((_ROOM, D.shape[1]))
        self.diagonal = gram.quadratic.diagonal + ridge
        self.schur = [
            blocks + ridge[features][:, :, None] * np.eye(features.shape[1])
            for _, features, blocks in gram.blocks
        ]
        for g in support:
            self.enter(g)

    @property
    def T(self):
        return self._T[: len(self.features)]

    @property
    def z(self):
        return self._z[: len(self.features)]

    def weight_on(self, W):
        """Start from W, the minimum on the support, instead of 0."""
        self.z[:] = self.T[:, self.features] @ W[self.features]

    def enter(self, g):
        """Add the features of a group to the support, except those that are collinear with it."""
        features = self.groups.features([g])
        self.cost.count_product(len(self.features), len(features), len(self.D))
        rows = self.gram.rows(g, features) - self.T[:, features].T @ self.T
        at = np.arange(len(features))
        rows[at, features] += self.ridge[features]
        whole = np.where(self.diagonal[features] > 0, self.diagonal[features], np.inf)
        for _ in features:
            left = rows[at, features] / whole
            i = int(left.argmax())
            if left[i] <= _COLLINEAR:
                break
            row = rows[i] / np.sqrt(rows[i, features[i]])
            rows -= np.outer(row[features], row)
            self._add(int(features[i]), row)

    def _add(self, feature, row):
        k = len(self.features)
        if k == len(self._T):
            self._T, self._z = (np.concatenate([A, np.empty_like(A)]) for A in (self._T, self._z))
        self._T[k], self._z[k] = row, self.D[feature] / row[feature]
        self.features.append(feature)
        self.cost.count_product(*self.D.shape)
        self.D -= np.outer(row, self._z[k])
        for (_, features, _), schur in zip(self.gram.blocks, self.schur, strict=True):
            schur -= _squares(row[None, features])

    def coefficients(self):
        """The minimum on the support: (n_kept, n_targets)."""
        return self._inverse() @ self.z

    def _inverse(self):
        """L'⁻¹."""
        k = len(self.features)
        return linalg.solve_triangular(self.T[:, self.features], np.eye(k)) if k else np.eye(0)

    def gains(self, drop=None):
        """How much f falls if a group enters, maybe after a drop: (n_groups,)."""
        D = self._gradient(drop)
        gains = np.empty(len(self.groups))
        for (members, features, _), schur in zip(self.gram.blocks, self.schur, strict=True):
            blocks = self._solve(schur, features, D, drop)
            gains[members] = 0.5 * (D[features] * blocks).sum(axis=(1, 2))
        return gains

    def block(self, g, drop=None):
        """W_g after g has entered, maybe after a drop."""
        at = [np.flatnonzero(members == g) for members, _, _ in self.gram.blocks]
        i = int(np.argmax([len(found) for found in at]))
        features, schur = self.gram.blocks[i][1][at[i]], self.schur[i][at[i]]
        return self._solve(schur, features, self._gradient(drop), drop)[0]

    def _gradient(self, drop):
        return self.D if drop is None else self.D + drop.rows.T @ drop.force

    def _solve(self, schur, features, D, drop):
        if drop is not None:
            schur = schur + _squares(drop.rows[:, features])
        floor = self.diagonal[features]
        floor = np.where(floor > 0, _COLLINEAR * floor, 1.0)[:, :, None]
        if features.shape[1] == 1:  # much faster than LAPACK
            return D[features] / (np.maximum(schur, 0.0) + floor)
        return np.linalg.solve(schur + floor * np.eye(features.shape[1]), D[features])

    def drops(self):
        """`_Drop`s of the penalised groups after which f rises least.

        W_S = L'⁻¹ z, so W_g = 0 if z is orthogonal to the rows of L'⁻¹ that belong to g. Q is an
        orthonormal basis of these. The least change of z removes Q Q'z.
        """
        owner = self.groups.spread(np.arange(len(self.groups)))[self.features]
        inverse, found = self._inverse(), []
        for g in np.unique(owner[self.groups.weights[owner] > 0]):
            Q = linalg.qr(inverse[owner == g].T, mode="economic")[0]
            force = Q.T @ self.z
            found.append((0.5 * float(np.vdot(force, force)), int(g), Q, force))
        found.sort(key=lambda each: each[:2])
        self.cost.count_product(len(found[:_MAX_DROPS]), *self.T.shape)
        return [_Drop(g, rise, Q.T @ self.T, force) for rise, g, Q, force in found[:_MAX_DROPS]]


def _squares(rows):
    """Σ_r t t' for every group, for rows (n_rows, n_groups, m) of T: (n_groups, m, m)."""
    return np.einsum("rgi,rgj->gij", rows, rows)
