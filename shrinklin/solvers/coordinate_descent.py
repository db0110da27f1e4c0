r"""Working sets, block coordinate descent and Newton steps for a quadratic f.

.. math:: \min_W \tfrac12\langle W, GW\rangle - \langle C, W\rangle
          + \alpha \sum_g \omega_g\,\varphi(W_g)

1. Score every group by its prox residual; the groups of W and the worst
   offenders form the working set.
2. On the working set alternate sweeps, which decide the active groups, with
   Newton steps on them (`newton`), which make ill-conditioned data easy.
3. Take the full gradient and start again, until no residual exceeds tol.

The point found is the minimum for a convex penalty. For the bridge no single
block can improve it; `local_search` and `path` look further.
"""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin.moments import Moments
from shrinklin.quadratic import ColumnQuadratic, GramQuadratic, quadratic_value
from shrinklin.solvers.newton import newton_directions
from shrinklin.solvers.solution import Solution, Status

# The Gram matrix of this many features is formed whatever n is.
_SMALL_GRAM = 1000
# Above this many it would not fit where X, if sparse, does.
_LARGE_GRAM = 10_000
_MIN_WORKING = 10
_NEWTON_STEPS = 5
_HALVINGS = 12


class CoordinateDescent(BaseEstimator):
    """Exact solver: working sets, coordinate descent and Newton steps.

    Parameters
    ----------
    gram : bool or "auto", default="auto"
        True works on the Gram matrix, which costs n p² once and then nothing
        that depends on n (n samples, p features). False updates residuals and
        never forms it. "auto" forms it when p ≤ 1000 or p ≤ n (up to 10 000),
        and otherwise only that of a working set of at most n features.

    Examples
    --------
    >>> from shrinklin import CoordinateDescent, GroupLassoRegressor
    >>> GroupLassoRegressor(solver=CoordinateDescent(gram=False))
    GroupLassoRegressor(solver=CoordinateDescent(gram=False))
    """

    def __init__(self, gram="auto"):
        self.gram = gram

    def quadratic(self, X, Y, sample_weight, order, fit_intercept):
        """The squared loss of the data in the representation that suits it."""
        if self._takes_gram(*X.shape):
            moments = Moments.from_data(X, Y, sample_weight)
            return GramQuadratic(moments, order, fit_intercept)
        return ColumnQuadratic(X, Y, sample_weight, order, fit_intercept)

    def _takes_gram(self, n_samples, n_features):
        if isinstance(self.gram, str) and self.gram == "auto":
            return n_features <= max(_SMALL_GRAM, min(n_samples, _LARGE_GRAM))
        if isinstance(self.gram, bool):
            return self.gram
        raise ValueError(f'gram={self.gram!r}: CoordinateDescent accepts "auto", True or False.')

    def solve(self, objective, W, *, tol, max_iter):
        """Descend from W (n_features, n_targets) until the residual is ≤ tol.

        Returns a `Solution`; never warns.
        """
        return _solve(objective, W, tol, max_iter, use_gram=self.gram is not False)


def _solve(objective, W, tol, max_iter, use_gram):
    scale = objective.residual_scale
    threshold = tol * scale
    W = W.copy()
    n_iter, stalled_on = 0, np.empty(0)
    while True:
        gradient = objective.quadratic.gradient(W)
        residuals = prox_residuals(objective, W, gradient)
        worst = residuals.max(initial=0.0)
        if worst <= threshold:
            threshold = 0.1 * worst  # for another round, if the gap asks for one
        working = _working_set(objective, W, residuals, threshold)
        settled = worst <= 1e-14 * scale or np.array_equal(working, stalled_on)
        status = _status(objective, W, gradient, tol, worst, settled, n_iter >= max_iter)
        if status is not None:
            break
        features = objective.groups.features(working)
        block = _restrict(objective, working, features, W, gradient, use_gram)
        sweeps, stalled = _solve_block(block, 0.5 * threshold, max_iter - n_iter)
        n_iter += sweeps
        stalled_on = working if stalled else np.empty(0)
        W[features] = block.W
    return Solution(
        W=W,
        gradient=gradient,
        value=objective.value(W, gradient),
        residual=float(worst / scale) if scale > 0 else 0.0,
        n_iter=n_iter,
        status=status,
    )


def _status(objective, W, gradient, tol, worst, settled, spent):
    """The outcome at W, or None to go on.

    Once settled, all that is left is rounding: in the residual, which is then
    too large, or in the gap alone, and then the residual has to do.
    """
    small = worst <= tol * objective.residual_scale
    if small and (settled or _certified(objective, W, gradient, tol)):
        return Status.CONVERGED
    if settled:
        return Status.PRECISION
    return Status.MAX_ITER if spent else None


def _certified(objective, W, gradient, tol):
    """Whether a convex objective is within tol · f(0) of its minimum.

    On ill-conditioned data a small residual alone does not say so.
    """
    if not objective.penalty.convex:
        return True
    return objective.duality_gap(W, gradient) <= tol * 0.5 * objective.quadratic.yy


def prox_residuals(objective, W, gradient):
    """√L_g‖W_g − prox(W_g − ∇_g f/L_g)‖ of every group: shape (n_groups,).

    `objective` is an `Objective`, or one restricted to a working set.
    Half its square is what the objective falls by, at least, if the group moves.
    """
    steps = prox_steps(objective, W, gradient, objective.lipschitz)
    return np.sqrt(objective.lipschitz) * objective.groups.norms(steps)


def prox_steps(objective, W, gradient, curvature):
    """prox(W_g − ∇_g/c_g) − W_g with curvature c (n_groups,): like W."""
    # Here as in the blocks: importing numba is for those who fit.
    from shrinklin.solvers import kernels

    return kernels.prox_steps(
        objective.penalty.code,
        np.ascontiguousarray(W.T),
        np.ascontiguousarray(gradient.T),
        curvature,
        objective.strengths,
        objective.groups.ptr,
    ).T


def _working_set(objective, W, residuals, threshold):
    """Groups that are alive or violate most: at most twice those alive, or 10."""
    alive = objective.groups.norms(W) > 0
    room = max(_MIN_WORKING, int(alive.sum()))
    offenders = np.flatnonzero((residuals > threshold) & ~alive)
    if len(offenders) > room:
        worst = np.argpartition(residuals[offenders], -room)[-room:]
        offenders = offenders[worst]
    alive[offenders] = True
    return np.flatnonzero(alive)


def _restrict(objective, working, features, W, gradient, use_gram):
    has_gram = isinstance(objective.quadratic, GramQuadratic)
    small = len(features) <= objective.quadratic.n_samples
    kind = _GramBlock if has_gram or (use_gram and small) else _ColumnBlock
    return kind(objective, working, features, W[features], gradient[features])


class _Block(ABC):
    """The objective on a working set, with W and ∇f kept together.

    Arrays for the kernels are in ``coef_`` orientation.
    """

    def __init__(self, objective, working, features, W, gradient):
        self.penalty = objective.penalty
        self.groups = objective.groups.restrict(working)
        self.strengths = objective.strengths[working]
        self.lipschitz = objective.lipschitz[working]
        self.C = objective.quadratic.C[features]
        self.diagonal = objective.quadratic.diagonal[features]
        self.yy = objective.quadratic.yy
        self.coef = np.ascontiguousarray(W.T)

    @property
    def W(self):
        return self.coef.T

    @property
    @abstractmethod
    def gradient(self):
        """∇f(W)."""

    @abstractmethod
    def sweep(self, tol, n_sweeps):
        """Sweep over the coordinates; returns how often."""

    @abstractmethod
    def sweeps_per_round(self):
        """As many sweeps as cost about one Newton step."""

    @abstractmethod
    def gram(self, rows):
        """G[rows][:, rows]."""

    @abstractmethod
    def product(self, D):
        """G D."""

    @abstractmethod
    def move(self, D, product):
        """Add D to W, given G D."""

    def penalty_sum(self, W):
        return self.strengths @ self.penalty.values(W, self.groups)

    def value(self):
        smooth = quadratic_value(self.C, self.yy, self.W, self.gradient)
        return smooth + self.penalty_sum(self.W)


class _GramBlock(_Block):
    def __init__(self, objective, working, features, W, gradient):
        super().__init__(objective, working, features, W, gradient)
        self.G = np.ascontiguousarray(objective.quadratic.block(features))
        self._gradient = np.ascontiguousarray(gradient.T)

    @property
    def gradient(self):
        return self._gradient.T

    def sweep(self, tol, n_sweeps):
        from shrinklin.solvers import kernels

        return kernels.gram_sweeps(
            self.penalty.code, self.coef, self._gradient, self.G, self.lipschitz,
            self.strengths, self.groups.ptr, tol, n_sweeps,
        )  # fmt: skip

    def sweeps_per_round(self):
        n_features, n_targets = self.W.shape
        return int(np.clip(0.3 * n_features / n_targets, 5, 100))

    def gram(self, rows):
        return self.G[rows[:, None], rows]

    def product(self, D):
        return self.G @ D

    def move(self, D, product):
        self.coef += D.T
        self._gradient += product.T


class _ColumnBlock(_Block):
    def __init__(self, objective, working, features, W, gradient):
        super().__init__(objective, working, features, W, gradient)
        columns = objective.quadratic.columns(features)
        self.residual = np.ascontiguousarray((objective.quadratic.residual_at_zero - columns @ W).T)
        self.columns = np.ascontiguousarray(columns.T)

    @property
    def gradient(self):
        return -self.columns @ self.residual.T

    def sweep(self, tol, n_sweeps):
        from shrinklin.solvers import kernels

        return kernels.residual_sweeps(
            self.penalty.code, self.coef, self.residual, self.columns, self.lipschitz,
            self.strengths, self.groups.ptr, tol, n_sweeps,
        )  # fmt: skip

    def sweeps_per_round(self):
        (n_features, n_targets), n_samples = self.W.shape, self.columns.shape[1]
        return int(np.clip(0.3 * n_features**2 / (n_samples * n_targets), 5, 300))

    def gram(self, rows):
        return self.columns[rows] @ self.columns[rows].T

    def product(self, D):
        return self.columns @ (self.columns.T @ D)

    def move(self, D, product):
        self.coef += D.T
        self.residual -= D.T @ self.columns


def _solve_block(block, tol, max_sweeps):
    """Returns the sweeps made, and whether floating point allowed no more."""
    n_sweeps = 0
    value = block.value()
    idle = 0
    while n_sweeps < max_sweeps:
        asked = min(block.sweeps_per_round(), max_sweeps - n_sweeps)
        made = block.sweep(tol, asked)
        n_sweeps += made
        # The sweep saw every group when it moved; later moves may have undone it.
        if made < asked and prox_residuals(block, block.W, block.gradient).max() <= 2 * tol:
            return n_sweeps, False
        for _ in range(_NEWTON_STEPS):
            if not _newton_step(block):
                break
        previous, value = value, block.value()
        idle = idle + 1 if previous - value <= 1e-15 * block.yy else 0
        if idle == 3:
            return n_sweeps, True
    return n_sweeps, False


def _newton_step(block):
    """Take a Newton step if it lowers the objective; tells whether it did."""
    model = block.penalty.curvature(block.W, block.groups, block.strengths)
    total = np.where(model.smooth, block.gradient + model.gradient, 0.0)
    directions = newton_directions(model, total, block.groups, block.gram)
    return any(_line_search(block, D) for D in directions if np.isfinite(D).all())


def _line_search(block, D):
    """Move along D by the first of 1, 1/2, 1/4, … that lowers the objective, if any."""
    product = block.product(D)
    slope, curvature = np.vdot(block.gradient, D), np.vdot(D, product)
    # Along directions that G hardly sees, ⟨D, GD⟩ is nothing but rounding.
    rounding = 1e-14 * block.diagonal @ (D * D).sum(axis=1)
    before = block.penalty_sum(block.W)
    for step in 0.5 ** np.arange(_HALVINGS):
        gain = step * slope + 0.5 * step**2 * curvature
        gain += block.penalty_sum(block.W + step * D) - before
        if gain < -(step**2 * rounding + 1e-16 * block.yy):
            block.move(step * D, step * product)
            return True
    return False
