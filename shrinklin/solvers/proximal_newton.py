r"""Proximal Newton for a logistic loss: F falls with every step.

.. math:: \min_W f(W) + \alpha \sum_g \omega_g\,\varphi(W_g)

It is solved on working sets (`working_sets`), where f is a `Likelihood`. On a working set:

1. Coordinate descent minimises a quadratic that touches f at W, and lets groups enter and leave.
   The quadratic has Gram matrix c·G, where c is the mean curvature at W. If that does not lower
   F, c is the bound on the curvature, and the quadratic lies above f everywhere. A sparse X
   needs no G.
2. Before and after that, Newton steps move the active groups. They use the Hessian of f itself,
   conjugate gradients and a line search on F. The preconditioner is the Newton system of a
   quadratic with about the same curvature. The closer this quadratic is to f, the more it costs
   to factor. It is chosen by the number of steps that it may save. Entries that a step would take
   through a kink at zero are set to zero. If F then does not fall, they leave first, and the
   other entries take their step without them. After a failed step, the next steps are damped
   (Levenberg, Marquardt). Otherwise collinear columns exchange coefficients through their kinks
   without end.

Features without penalty come first, by themselves (`Likelihood.free_minimum`). If they separate
all classes, or some of the samples, F has no minimum, whatever the other features are: it falls
towards an infimum as the coefficients of the unpenalised features grow. If these features alone
bring F close to 0, no other feature is worth its penalty, and the solver stops. Otherwise the
descent starts where they ended, and continues until the residual is small, as for any other F.
In both cases the returned point is finite, and the status reports the separation.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin import kernels
from shrinklin.data.columns import ReadColumns, SparseColumns, gram_of_parts
from shrinklin.linear_systems import conjugate_gradients
from shrinklin.objective.likelihood import Hessian, Prediction, Seen
from shrinklin.objective.quadratic import GramQuadratic
from shrinklin.solvers import working_sets
from shrinklin.solvers.newton import NewtonSystem
from shrinklin.solvers.solution import Status

_SWEEPS = 10
# Sweeps on the first quadratic stop at this share of the residual, as the quadratic is not f.
_MODEL_ACCURACY = 0.1
# A preconditioner that costs at most _CHEAP steps of conjugate gradients is used from the start.
# A more expensive one is used after a solve with _PATIENCE steps more than twice its cost.
_CHEAP, _PATIENCE = 3, 10
# A factorisation makes this many multiply-adds in the time that a narrow product makes one.
_FACTORED_FASTER = 4
# No Newton step if the residual of the active groups is at most this share of the largest
# residual: other groups should enter first.
_SUPPORT_FIRST = 0.3
# If the tolerance is at most _POLISHED, one more step is made, towards _POLISHING times it.
_POLISHED, _POLISHING = 2e-6, 0.01
# Most halvings in a line search, and most halvings while kinks are still crossed.
_HALVINGS, _MOST_HALVINGS = 6, 30
# If there is no minimum, a smaller tolerance than this is useless.
_NO_MINIMUM = 1e-6
# No raw prediction changes by more than this in the first trial of a line search.
_LONGEST_TRIAL = 30.0
# How many times entries may leave within one Newton step.
_LEAVES = 3
# After a failed step, this is added to the Hessian, relative to its diagonal. It grows tenfold
# with each further failure.
_LEAST_DAMPING = 1e-2
# This share of the bound on the Hessian is added for unpenalised features that separate classes.
# Smaller curvatures are only rounding, and where the loss has less there is nothing to gain.
_HOLD = 1e-10


class ProximalNewton(BaseEstimator):
    """Exact solver for classifiers: working sets, sweeps and Newton steps.

    Examples
    --------
    >>> from shrinklin import GroupLassoClassifier, ProximalNewton
    >>> GroupLassoClassifier(solver=ProximalNewton())
    GroupLassoClassifier(solver=ProximalNewton())
    """

    def solve(self, objective, W, *, tol, max_iter):
        """Descend from W (n_features, n_targets) until the residual is ≤ tol.

        Returns a `Solution`. Never warns.
        """
        objective = objective.with_memory()
        W = _drop_common_shift(objective.smooth.loss, objective, W)
        if not objective.free.any():
            found = working_sets.solve(objective, W, _LikelihoodBlock, tol=tol, max_iter=max_iter)
            return (
                replace(found, status=Status.SEPARATED) if _endless(objective, found.W) else found
            )
        free = _unpenalised(objective)
        minimum = objective.smooth.free_minimum(free)
        if len(free) == len(W) and minimum.settled:
            return _as_it_stands(objective, minimum.seen, tol, Status.CONVERGED)
        start = _better(objective, W, minimum.seen)
        # Stop if no other feature could be worth its penalty.
        if len(free) == len(W) or objective.smooth.ends_at_nothing(minimum.seen.prediction):
            return _as_it_stands(objective, start, tol, Status.SEPARATED)
        if minimum.settled:
            return working_sets.solve(
                objective, start.W, _LikelihoodBlock, tol=tol, max_iter=max_iter
            )
        solution = working_sets.solve(
            objective, start.W, _LikelihoodBlock, tol=max(tol, _NO_MINIMUM), max_iter=max_iter,
            has_minimum=False,
        )  # fmt: skip
        return replace(solution, status=Status.SEPARATED)

    def refit(self, objective, W, *, tol, max_iter):
        """Minimise f over the features that W keeps. Returns a `Solution`, as in `solve`.

        All groups of the objective have one feature, and its strength is 0. Without ridge there
        may be no minimum.
        """
        objective = objective.with_memory()
        features = np.flatnonzero(W.any(axis=1))
        W, gradient, n_sweeps = W.copy(order="F"), np.zeros_like(W), 0
        if len(features):
            block = _LikelihoodBlock(objective, features, features, W[features])
            n_sweeps, _ = working_sets.solve_block(block, tol * objective.residual_scale, max_iter)
            block.finish()
            W[features] = block.W
            gradient[features] = block.gradient
        value = objective.smooth.value_of(objective.smooth.see(W))
        return working_sets.refitted(objective, W, value, gradient, 2 * tol, n_sweeps)


def _endless(objective, W):
    """Whether W >= 0 ends short of an infimum, as its features without penalty separate classes.

    Where they are > 0, no bound holds them. So f falls along any direction in which no sample's
    loss rises.
    """
    if not objective.penalty.positive:
        return False
    groups = np.flatnonzero((objective.strengths == 0) & (objective.ridges == 0))
    kept = objective.groups.features(groups)
    kept = kept[W[kept].any(axis=1)]
    return bool(len(kept)) and not objective.smooth.free_minimum(kept).settled


def _drop_common_shift(loss, problem, W):
    """W without the part that adds the same amount to the raw predictions of all classes.

    This minimises the Euclidean norm. If the penalty is not a function of that norm, only
    features without penalty are centred, and none if W has to be >= 0. `problem` is an objective,
    or its `Block` on a working set.
    """
    if W.shape[1] == 1 or problem.penalty.positive:
        return W
    chosen = problem.penalty.radial | problem.groups.spread(problem.strengths == 0)
    return np.where(chosen[:, None], loss.drop_common_shift(W), W)


def _better(objective, W, seen):
    """`Seen` of W, or `seen`, which pays no penalty: whichever has the lower F."""
    if not W.any():
        return objective.smooth.remember(seen)
    other = objective.smooth.see(W)
    value = objective.smooth.value_of(other) + objective.strength * objective.penalty_sum(W)
    return objective.smooth.remember(other if value < seen.prediction.value else seen)


def _as_it_stands(objective, seen, tol, status):
    """The `Solution` at `seen`, without a descent from there."""
    W = objective.smooth.remember(seen).W
    loss, gradient = objective.smooth.evaluate(W)
    worst = working_sets.prox_residuals(objective, W, gradient).max(initial=0.0)
    if status is Status.CONVERGED and worst > tol * objective.residual_scale:
        status = Status.PRECISION
    evaluated = loss, gradient, objective.smooth.intercept(W)
    return working_sets.solution(objective, W, evaluated, worst, 0, status)


def _unpenalised(objective):
    """Features without penalty and ridge."""
    return np.flatnonzero(objective.groups.spread(objective.free))


def newton_steps(objective, W):
    """Yield (W, F(W)) now and, without end, after Newton steps on the active groups of W."""
    objective = objective.with_memory()
    alive = np.flatnonzero(objective.groups.norms(W) > 0)
    features = objective.groups.features(alive)
    block = _LikelihoodBlock(objective, alive, features, W[features])
    while True:
        yield block.whole(), block.value()
        block.newton_step(0.0)


@dataclass(frozen=True)
class _Point:
    """W of a working set, in ``coef_`` orientation, and what follows from it."""

    coef: np.ndarray
    Z: np.ndarray
    prediction: Prediction
    hessian: Hessian
    gradient: np.ndarray


class _LikelihoodBlock(working_sets.Block):
    def __init__(self, objective, working, features, W, gradient=None):
        super().__init__(objective, working)
        self.likelihood, self.features = objective.smooth, features
        self.knows_gram = isinstance(self.likelihood.base, GramQuadratic)
        self.polished = _POLISHED * objective.residual_scale
        self.largest, self.damping = 0.0, 0.0
        self.swept = False
        self.row_scale = self.likelihood.design.row_scale
        self.diagonal = self.likelihood.design.diagonal[features]
        # Only f keeps features without penalty finite, but not if they separate classes.
        free = self.groups.spread(objective.free[working])
        if free.any() and self.likelihood.free_minimum(_unpenalised(objective)).settled:
            free = np.zeros_like(free)
        hold = _HOLD * self.likelihood.loss.curvature_bound * np.where(free, self.diagonal, 0)
        self.ridge = objective.smooth.ridges[features]
        # What Newton steps add to the Hessian of the loss.
        self.added = self.ridge + hold
        seen = self.likelihood.see(self._whole(W))
        if gradient is None:
            gradient = self._gradient(W.T, seen.prediction)
        self.point = self._point(W.T, seen.Z, seen.prediction, gradient)
        self.level = sum(price <= _CHEAP for price in self._prices()) - 1

    def whole(self):
        """W of all features."""
        return self._whole(self.W)

    def _whole(self, W):
        whole = np.zeros(self.likelihood.C.shape)
        whole[self.features] = W
        return whole

    @property
    def columns(self):
        """Columns of the working set. Do not store them: a call for others reuses their memory."""
        return self.likelihood.columns(self.features)

    def _raw(self, W):
        """X W."""
        self.cost.count_product(self.columns.entries, W.shape[1])
        return self.columns.product(W) / self.row_scale

    def _correlate(self, R):
        self.cost.count_product(self.columns.entries, R.shape[1])
        return self.columns.correlate(R)

    def _at(self, coef, Z=None, intercept=None):
        """The `_Point` of coef. Give Z, and a start for the intercept, if they are known."""
        Z = self._raw(coef.T) if Z is None else Z
        prediction = self.likelihood.predict(Z, intercept)
        return self._point(coef, Z, prediction, self._gradient(coef, prediction))

    def _gradient(self, coef, prediction):
        return self._correlate(prediction.residual) + self.ridge[:, None] * coef.T

    def _point(self, coef, Z, prediction, gradient):
        hessian = self.likelihood.hessian(prediction)
        return _Point(np.ascontiguousarray(coef), Z, prediction, hessian, gradient)

    def finish(self):
        """Centre W, and remember Z and its prediction for the next evaluation of f there.

        Z is computed again from W: it was updated in many steps, and each of them rounds.
        """
        W = _drop_common_shift(self.likelihood.loss, self, self.W)
        Z = self._raw(W)
        prediction = self.likelihood.predict(Z, self.point.prediction.intercept)
        self.point = replace(self.point, coef=np.ascontiguousarray(W.T), Z=Z, prediction=prediction)
        self.likelihood.remember(Seen(self._whole(W), Z, prediction))

    @property
    def W(self):
        return self.point.coef.T

    @property
    def gradient(self):
        return self.point.gradient

    def loss(self):
        return self.point.prediction.value + self._ridge_of(self.W)

    def _ridge_of(self, W):
        return 0.5 * float(np.vdot(self.ridge[:, None] * W, W))

    def sweep(self, tol, n_sweeps):
        worst = working_sets.prox_residuals(self, self.W, self.gradient).max(initial=0.0)
        if worst <= tol:
            return 0
        if not self.swept:
            # Sweeps find the groups that should enter only when the active groups are near their
            # best values.
            self.swept = True
            self.newton_step(tol)
        start, value = self.point, self.value()
        mean = self.likelihood.mean_curvature(start.prediction)
        made = self._sweep_model(mean, max(tol, _MODEL_ACCURACY * worst), n_sweeps)
        if self.value() <= value:
            return made
        self.point = start
        return self._sweep_model(self.likelihood.loss.curvature_bound, tol, n_sweeps)

    @cached_property
    def G(self):
        """Gram matrix of the squared loss."""
        if self.knows_gram:
            return np.ascontiguousarray(self.likelihood.base.block(self.features))
        self.cost.count_product(len(self.row_scale), len(self.features), len(self.features))
        return gram_of_parts(part for _, part in self.columns.parts())

    def _sweep_model(self, factor, tol, n_sweeps):
        """Sweep on the quadratic with Gram matrix factor·G that touches f at W."""
        # All terms are divided by the factor, so that G can be used unchanged.
        coef, gradient = self.point.coef.copy(), np.ascontiguousarray(self.gradient.T) / factor
        ridge, of_groups = self.ridge / factor, self.ridge[self.groups.ptr[:-1]]
        lipschitz = (self.lipschitz - of_groups) / self.likelihood.loss.curvature_bound
        lipschitz = lipschitz + of_groups / factor
        end = self.strengths / factor, self.groups.ptr, tol / np.sqrt(factor), n_sweeps
        made = self._run_sweeps(coef, gradient, ridge, lipschitz, *end)
        alive = np.count_nonzero(coef.any(axis=0))
        self.cost.count_sweeps(made, self.W.shape, alive * coef.size)
        self.point = self._at(coef, intercept=self.point.prediction.intercept)
        return made

    def _run_sweeps(self, coef, gradient, ridge, *rest):
        columns, prox = self.columns, kernels.prox_of(self.penalty)
        if self.knows_gram or not isinstance(columns, SparseColumns):
            G = self.G + np.diag(ridge) if ridge.any() else self.G
            return kernels.gram_sweeps(prox, coef, gradient, G, *rest)
        X, means = columns.values, columns.means
        return kernels.sparse_sweeps(
            prox, coef, gradient - ridge * coef, ridge, X.data, X.indices, X.indptr, means,
            len(self.row_scale), *rest,
        )  # fmt: skip

    def sweeps_per_round(self):
        return _SWEEPS

    def newton_step(self, tol):
        model, total = self.curvature()
        worst = self.worst_norm(total)
        left = working_sets.prox_residuals(self, self.W, self.gradient).max(initial=0.0)
        if left <= tol or worst <= _SUPPORT_FIRST * left:
            return False
        # Only as accurate as the quadratic model, which still gives superlinear convergence.
        self.largest = max(self.largest, worst)
        accuracy = np.clip(
            max(worst / self.largest, 0.1 * tol / worst), 1e-6, 0.05 if tol > 0 else 0.2
        )
        D = self._newton_direction(model, total, accuracy)
        if not np.isfinite(D).all():
            return False
        crossing = self._crossed(D, model).any()
        taken = self._line_search(D, model, total) or (crossing and self._leave(D, model, accuracy))
        self.damping = self.damping / 10 if taken else max(10 * self.damping, _LEAST_DAMPING)
        return taken

    def polish(self, tol):
        # Two fits of the same data should agree, if only one more step is needed for that.
        if tol <= self.polished:
            self.newton_step(_POLISHING * tol)

    def _hessian_product(self, D, moving):
        """∇²f(W) D on the features `moving` of the working set. D is zero on the others."""
        columns = self.likelihood.columns(self.features[moving])
        self.cost.count_product(2, columns.entries, D.shape[1])
        change = self.point.hessian.product(columns.product(D[moving]) / self.row_scale)
        HD = np.zeros_like(D)
        HD[moving] = columns.correlate(change)
        return HD

    def _moving(self, model):
        """Features in the products of a Newton step.

        All if their columns are stored. Otherwise only those that the step may move.
        """
        kept = not isinstance(self.columns, ReadColumns)
        return slice(None) if kept else np.flatnonzero(model.smooth.any(axis=1))

    def _newton_direction(self, model, total, accuracy):
        moving, steps = self._moving(model), 0
        factor = self.likelihood.mean_curvature(self.point.prediction)
        damped = (self.damping * factor * self.diagonal + self.added)[:, None]

        def product(D):
            nonlocal steps
            steps += 1
            HD = self._hessian_product(D, moving) + damped * D
            inner = self.groups.spread(model.e * self.groups.sum((model.U * D).sum(axis=1)))
            return np.where(model.smooth, HD, 0.0) + model.d * D - inner[:, None] * model.U

        system = self._system(model, factor)
        D = conjugate_gradients(product, system.solve, -total, accuracy)
        if self.level < 2 and steps > _PATIENCE + 2 * self._prices()[self.level + 1]:
            self.level += 1
        return D

    def _prices(self):
        """Cost of each level of `_system`, in steps of conjugate gradients."""
        n_features, n_targets = self.W.shape
        step = _FACTORED_FASTER * max(self.columns.entries, 1) * n_targets
        gram = len(self.row_scale) * n_features**2 / 2
        known = 0 if self.knows_gram else gram
        return [0, (n_features**3 + known) / step, (n_features**3 + gram) / step]

    def _system(self, model, factor):
        """Newton system of a quadratic close to f, as a preconditioner.

        The level decides its matrix: a diagonal, a multiple of G, or the Gram matrix with samples
        weighted by their curvatures.
        """
        if self.level == 0:
            diagonal = factor * (1 + self.damping) * self.diagonal + self.added
            return DiagonalSystem(model, self.groups, diagonal, self.cost)
        if self.level == 1:
            G = factor * self.G
        else:
            curvatures = self.likelihood.loss.curvatures(self.point.prediction.state)
            G = self.likelihood.local_gram(self.columns, curvatures)
        G.flat[:: len(G) + 1] = np.diagonal(G) * (1 + self.damping) + self.added
        return NewtonSystem(model, self.groups, lambda rows: G[np.ix_(rows, rows)], self.cost)

    def _crossed(self, D, model):
        """Mask of entries that go beyond a kink of F, at zero, between W and W + D."""
        return self.penalty.crossed(self.W + D, model, self.groups)

    def _stop_at_kinks(self, D, model):
        """W + D, with zeros for the entries that go beyond a kink."""
        return np.where(self._crossed(D, model), 0.0, self.W + D)

    def _leave(self, D, model, accuracy):
        """Set entries that would cross a kink to zero, and let the others adapt.

        Returns whether that lowered F. If not, nothing has changed.
        """
        before, start = self.value(), self.point
        for _ in range(_LEAVES):
            W = np.where(self._crossed(D, model), 0.0, self.W)
            self.point = self._at(W.T, intercept=self.point.prediction.intercept)
            model, total = self.curvature()
            D = self._newton_direction(model, total, accuracy)
            if not self._crossed(D, model).any():
                break
        W = self._stop_at_kinks(D, model)
        self.point = self._at(W.T, intercept=self.point.prediction.intercept)
        if self.value() < before:
            return True
        self.point = start
        return False

    def _line_search(self, D, model, total):
        """Move along D by the first of 1, 1/2, 1/4, … that lowers F, if any.

        If the classes are almost separated, D is much too long for the quadratic model. The
        first step is then only a share of D. If rounding hides the change of F, the step is
        taken if it makes the gradient shorter.

        Returns False if sweeps should come next: no step was taken, or a shorter one than the
        first lowered F.
        """
        before, rounding = self.value(), 1e-15 * self.scale
        start, change = self.point, self._raw(D)
        shift = start.hessian.intercept_change(change)
        longest = _LONGEST_TRIAL * self.likelihood.loss.unit
        longest = min(1.0, longest / max(np.abs(change).max(), 1e-300))
        straight = False
        for halvings, step in enumerate(longest * 0.5 ** np.arange(_MOST_HALVINGS)):
            if straight and halvings >= _HALVINGS:
                break
            W = self._stop_at_kinks(step * D, model)
            straight = not self._crossed(step * D, model).any()
            Z = start.Z + step * change if straight else self._raw(W)
            intercept = start.prediction.intercept + step * shift
            smooth = self.likelihood.at(Z, intercept).value + self._ridge_of(W)
            if smooth + self.penalty_sum(W) > before + rounding:
                continue
            self.point = self._at(W.T, Z, intercept)
            if self.value() < before - rounding:
                return step == longest
            if np.linalg.norm(self.curvature()[1]) < np.linalg.norm(total):
                return True
            self.point = start
            return False
        return False


class DiagonalSystem:
    """Like `NewtonSystem`, for a diagonal G. It costs almost nothing."""

    def __init__(self, model, groups, diagonal, cost):
        self.model, self.groups = model, groups
        cost.count_passes(1, np.count_nonzero(model.smooth.any(axis=1)))
        cost.count_updates(np.count_nonzero(model.smooth))
        M = np.where(diagonal[:, None] + model.d > 0, diagonal[:, None] + model.d, 1.0)
        self.inverse = np.where(model.smooth, 1 / M, 0.0)
        left = 1 - model.e * groups.sum((model.U**2 * self.inverse).sum(axis=1))
        # M alone is used where the negative curvature of the penalty outweighs it.
        self.factor = np.where(left > 1e-14, model.e / np.where(left > 1e-14, left, 1.0), 0.0)

    def solve(self, R):
        Y = self.inverse * R
        v = self.factor * self.groups.sum((self.model.U * Y).sum(axis=1))
        return Y + self.inverse * self.groups.spread(v)[:, None] * self.model.U
