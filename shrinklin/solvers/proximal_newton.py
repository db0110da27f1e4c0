r"""Proximal Newton for a logistic loss: F falls with every step.

.. math:: \min_W f(W) + \alpha \sum_g \omega_g\,\varphi(W_g)

on working sets (`working_sets`), f being a `Likelihood`. On a working set,

1. coordinate sweeps minimise the quadratic of Gram matrix c·G that touches f at W
   and lies above it: F falls, and groups enter and leave;
2. Newton steps follow on the active groups, with f's own Hessian: conjugate
   gradients, preconditioned by the Newton system of a quadratic of the same mean
   curvature (`newton`), and a line search on F.
"""

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin.solvers import working_sets
from shrinklin.solvers.newton import NewtonSystem

_SWEEPS = 10
_HALVINGS = 6
_CG_STEPS = 100


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
        return working_sets.solve(objective, W, _LikelihoodBlock, tol=tol, max_iter=max_iter)


class _LikelihoodBlock(working_sets.Block):
    """Keeps Z = XW and what it says of the data (`likelihood.Prediction`)."""

    def __init__(self, objective, working, features, W, gradient):
        super().__init__(objective, working, W)
        self.likelihood = objective.smooth
        self.residual_scale = objective.residual_scale
        self.bound = self.likelihood.loss.curvature_bound
        self.G = np.ascontiguousarray(self.likelihood.base.block(features))
        design = self.likelihood.design
        self.columns = np.ascontiguousarray(design.columns(features).T)
        self.row_scale = design.row_scale
        Z = self._raw(self.coef)
        self._set(self.coef, Z, self.likelihood.predict(Z))

    def _raw(self, coef):
        """X W in the memory order that reduces fast over targets."""
        return (coef @ self.columns).T / self.row_scale

    def _move_to(self, coef):
        Z = self._raw(coef)
        self._set(coef, Z, self.likelihood.predict(Z, self.prediction.intercept))

    def _set(self, coef, Z, prediction):
        self.coef, self.Z, self.prediction = coef, Z, prediction
        self._gradient = self.columns @ prediction.residual

    @property
    def gradient(self):
        return self._gradient

    def loss(self):
        return self.prediction.value

    def sweep(self, tol, n_sweeps):
        from shrinklin.solvers import kernels

        coef, gradient = self.coef.copy(), np.ascontiguousarray(self.gradient.T)
        made = kernels.gram_sweeps(
            self.penalty.code, coef, gradient, self.bound * self.G, self.lipschitz,
            self.strengths, self.groups.ptr, tol, n_sweeps,
        )  # fmt: skip
        self._move_to(coef)
        return made

    def sweeps_per_round(self):
        return _SWEEPS

    def newton_step(self, tol):
        model, total = self.curvature()
        moving = self.lipschitz > 0
        norms = self.groups.norms(total)[moving] / np.sqrt(self.lipschitz[moving])
        worst = norms.max(initial=0.0)
        if worst <= 0.1 * tol:
            return False
        # As accurate as the quadratic model is, which gives superlinear convergence.
        accuracy = np.clip(worst / self.residual_scale, 1e-6, 0.05)
        D = self._newton_direction(model, total, accuracy)
        return np.isfinite(D).all() and self._line_search(D, model, total)

    def _newton_direction(self, model, total, accuracy):
        hessian = self.likelihood.hessian(self.prediction)
        factor = self.likelihood.loss.mean_curvature(self.prediction.P, self.likelihood.weight)
        factor = max(factor, 1e-12)

        def product(D):
            HD = self.columns @ hessian.product(self._raw(np.ascontiguousarray(D.T)))
            inner = self.groups.spread(model.e * self.groups.sum((model.U * D).sum(axis=1)))
            return np.where(model.smooth, HD, 0.0) + model.d * D - inner[:, None] * model.U

        system = NewtonSystem(model, self.groups, lambda rows: factor * self.G[np.ix_(rows, rows)])
        return conjugate_gradients(product, system.solve, -total, accuracy)

    def _line_search(self, D, model, total):
        """Move along D by the first of 1, 1/2, 1/4, … that lowers F, if any.

        A group that would pass through zero stops there: F has a kink. Where a
        change of F is lost in rounding, the gradient decides. Tells whether the
        whole step was taken; if not, the sweeps should have another look.
        """
        before, rounding = self.value(), 1e-15 * self.scale
        change = self._raw(np.ascontiguousarray(D.T))
        shift = self.likelihood.hessian(self.prediction).intercept_change(change)
        for step in 0.5 ** np.arange(_HALVINGS):
            W = self.W + step * D
            passed = self.groups.sum((W * model.U).sum(axis=1)) < 0
            W[self.groups.spread(passed)] = 0.0
            Z = self._raw(W.T) if passed.any() else self.Z + step * change
            intercept = self.prediction.intercept + step * shift
            penalty = self.penalty_sum(W)
            if self.likelihood.at(Z, intercept).value + penalty > before + rounding:
                continue
            prediction = self.likelihood.predict(Z, intercept)
            gain = prediction.value + penalty - before
            old = self.coef, self.Z, self.prediction, self._gradient
            self._set(np.ascontiguousarray(W.T), Z, prediction)
            if gain < -rounding:
                return step == 1
            if np.linalg.norm(self.curvature()[1]) < np.linalg.norm(total):
                return True
            self.coef, self.Z, self.prediction, self._gradient = old
            return False
        return False


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
