r"""Proximal Newton for a logistic loss: F falls with every step.

.. math:: \min_W f(W) + \alpha \sum_g \omega_g\,\varphi(W_g)

on working sets (`working_sets`), f being a `Likelihood`. On a working set,

1. coordinate descent minimises a quadratic that touches f at W, and groups enter
   and leave: one whose curvature is the largest of every sample at W, and if that
   did not lower F, the one of Gram matrix c·G, which lies above f everywhere;
2. Newton steps follow on the active groups, with f's own Hessian: conjugate
   gradients, preconditioned by the Newton system of a quadratic of the same mean
   curvature in every sample (`newton`), and a line search on F. Entries that a step would
   take through a kink at zero leave, and the others take their step without them.
   Where a step fails, the next are damped (Levenberg, Marquardt): collinear columns
   otherwise trade coefficients through their kinks without end.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin.likelihood import Hessian, Prediction
from shrinklin.linear_systems import conjugate_gradients
from shrinklin.solvers import working_sets
from shrinklin.solvers.coordinate_descent import GramBlock
from shrinklin.solvers.newton import NewtonSystem
from shrinklin.solvers.solution import Status

_SWEEPS = 10
_POLISHING_STEPS = 3
# Halvings in a line search, and where kinks are crossed as far as that.
_HALVINGS, _MOST_HALVINGS = 6, 30
# The longest first trial of a line search, in raw predictions.
_LONGEST_TRIAL = 30.0
# How often entries may leave, one after another, in one Newton step.
_LEAVES = 3
# Added to the Hessian, relative to its diagonal, once a step fails; tenfold each time.
_LEAST_DAMPING = 1e-2


class ProximalNewton(BaseEstimator):
    """Exact solver of the classifiers: working sets, sweeps and Newton steps.

    Examples
    --------
    >>> from shrinklin import GroupLassoClassifier, ProximalNewton
    >>> GroupLassoClassifier(solver=ProximalNewton())
    GroupLassoClassifier(solver=ProximalNewton())
    """

    def solve(self, objective, W, *, tol, max_iter):
        """Descend from W (n_features, n_targets) until the residual is ≤ tol.

        Returns a `Solution`; never warns.
        """
        if not objective.strengths.any():
            return _unpenalised(objective, tol)
        solution = working_sets.solve(objective, W, _LikelihoodBlock, tol=tol, max_iter=max_iter)
        free = objective.groups.spread(objective.strengths == 0)
        if free.any() and objective.smooth.separates(np.where(free[:, None], solution.W, 0.0)):
            return replace(solution, status=Status.SEPARATED)
        return solution


def _unpenalised(objective, tol):
    """Plain Newton, which ends even if there is nothing to converge to."""
    smooth = objective.smooth
    W, settled = smooth.newton(np.zeros(objective.shape), np.arange(len(smooth.C)))
    evaluated = smooth.evaluate(W)
    worst = working_sets.prox_residuals(objective, W, evaluated[1]).max(initial=0.0)
    best = settled and worst <= tol * objective.residual_scale
    status = Status.CONVERGED if best else Status.SEPARATED
    return working_sets.solution(objective, W, evaluated, worst, 0, status)


@dataclass(frozen=True)
class _Point:
    """A W of a working set, ``coef_`` orientation, and what follows from it."""

    coef: np.ndarray
    Z: np.ndarray
    prediction: Prediction
    hessian: Hessian
    gradient: np.ndarray


class _ModelBlock(GramBlock):
    """The objective of a `_LikelihoodBlock` with f replaced by a quadratic that touches it."""

    def __init__(self, block, G):
        self.penalty, self.groups, self.strengths = block.penalty, block.groups, block.strengths
        # A group's largest eigenvalue is no more than its trace.
        self.diagonal = np.diagonal(G).copy()
        self.lipschitz = np.minimum(block.groups.sum(self.diagonal), block.lipschitz)
        self.scale, self.coef = block.scale, block.point.coef.copy()
        self.cost = block.cost
        self.G, self._gradient = G, np.ascontiguousarray(block.gradient.T)
        self.C = G @ block.W - block.gradient


class _LikelihoodBlock(working_sets.Block):
    def __init__(self, objective, working, features, W, gradient):
        super().__init__(objective, working)
        self.likelihood = objective.smooth
        self.largest, self.damping = 0.0, 0.0
        self.features = features
        design = self.likelihood.design
        self.columns = np.ascontiguousarray(design.columns(features).T)
        self.row_scale = design.row_scale
        self.point = self._at(W.T)

    def _raw(self, W):
        """X W, in the memory order that reduces fast over targets."""
        self.cost.count_product(*self.columns.shape, W.shape[1])
        return (np.ascontiguousarray(W.T) @ self.columns).T / self.row_scale

    def _at(self, coef, Z=None, intercept=None):
        """The `_Point` of coef, Z and the start for the intercept being known or not."""
        Z = self._raw(coef.T) if Z is None else Z
        prediction = self.likelihood.predict(Z, intercept)
        self.cost.count_product(*self.columns.shape, len(coef))
        gradient = self.columns @ prediction.residual
        hessian = self.likelihood.hessian(prediction)
        return _Point(np.ascontiguousarray(coef), Z, prediction, hessian, gradient)

    @property
    def W(self):
        return self.point.coef.T

    @property
    def gradient(self):
        return self.point.gradient

    def loss(self):
        return self.point.prediction.value

    def sweep(self, tol, n_sweeps):
        start, value = self.point, self.value()
        curvatures = self.likelihood.loss.largest_curvatures(start.prediction.P)
        made = self._solve_model(
            self.likelihood.local_gram(self.columns, curvatures), tol, n_sweeps
        )
        if self.value() <= value:
            return made
        self.point = start
        return self._solve_model(self._global_bound, tol, n_sweeps)

    @cached_property
    def _global_bound(self):
        """Gram matrix that bounds the Hessian everywhere."""
        bound = self.likelihood.loss.curvature_bound
        return bound * np.ascontiguousarray(self.likelihood.base.block(self.features))

    def _solve_model(self, G, tol, n_sweeps):
        """Go to the minimum of the quadratic of Gram matrix G that touches f, or near it."""
        model = _ModelBlock(self, G)
        made, _ = working_sets.solve_block(model, tol, n_sweeps)
        self.point = self._at(model.coef, intercept=self.point.prediction.intercept)
        return made

    def sweeps_per_round(self):
        return _SWEEPS

    def newton_step(self, tol):
        model, total = self.curvature()
        moving = self.lipschitz > 0
        norms = self.groups.norms(total)[moving] / np.sqrt(self.lipschitz[moving])
        worst = norms.max(initial=0.0)
        if worst <= 1e-3 * tol:
            return False
        # As accurate as the quadratic model is, which gives superlinear convergence.
        self.largest = max(self.largest, worst)
        accuracy = np.clip(worst / self.largest, 1e-6, 0.05)
        D = self._newton_direction(model, total, accuracy)
        if not np.isfinite(D).all():
            return False
        crossing = self._crossed(D, model).any()
        taken = (crossing and self._leave(D, model, accuracy)) or self._line_search(D, model, total)
        self.damping = self.damping / 10 if taken else max(10 * self.damping, _LEAST_DAMPING)
        return taken

    def polish(self, tol):
        # Newton steps converge fast here, and two fits of the same data then agree.
        for _ in range(_POLISHING_STEPS):
            if not self.newton_step(tol):
                break

    def _newton_direction(self, model, total, accuracy):
        hessian = self.point.hessian
        curvatures = self.likelihood.loss.curvatures(self.point.prediction.P)
        G = self.likelihood.local_gram(self.columns, curvatures)

        damped = self.damping * np.diagonal(G)[:, None]
        G.flat[:: len(G) + 1] *= 1 + self.damping

        def product(D):
            self.cost.count_product(*self.columns.shape, D.shape[1])
            HD = self.columns @ hessian.product(self._raw(D)) + damped * D
            inner = self.groups.spread(model.e * self.groups.sum((model.U * D).sum(axis=1)))
            return np.where(model.smooth, HD, 0.0) + model.d * D - inner[:, None] * model.U

        system = NewtonSystem(model, self.groups, lambda rows: G[np.ix_(rows, rows)], self.cost)
        return conjugate_gradients(product, system.solve, -total, accuracy)

    def _crossed(self, D, model):
        """Entries that W + D takes beyond a kink of F, at zero."""
        return self.penalty.crossed(self.W + D, model, self.groups)

    def _stop_at_kinks(self, D, model):
        """W + D without the entries that it takes beyond a kink."""
        return np.where(self._crossed(D, model), 0.0, self.W + D)

    def _leave(self, D, model, accuracy):
        """Take out the entries that would cross a kink, and let the others answer.

        Tells whether that lowered F; if not, nothing has changed.
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

        Where the classes are all but told apart, the quadratic model reaches
        nowhere near as far as D: the first step is then a share of it. Where a
        change of F is lost in rounding, the gradient decides. Tells whether the
        first step was taken; if not, the sweeps should have another look.
        """
        before, rounding = self.value(), 1e-15 * self.scale
        start, change = self.point, self._raw(D)
        shift = start.hessian.intercept_change(change)
        longest = min(1.0, _LONGEST_TRIAL / max(np.abs(change).max(), 1e-300))
        straight = False
        for halvings, step in enumerate(longest * 0.5 ** np.arange(_MOST_HALVINGS)):
            if straight and halvings >= _HALVINGS:
                break
            W = self._stop_at_kinks(step * D, model)
            straight = not self._crossed(step * D, model).any()
            Z = start.Z + step * change if straight else self._raw(W)
            intercept = start.prediction.intercept + step * shift
            smooth = self.likelihood.at(Z, intercept).value
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
