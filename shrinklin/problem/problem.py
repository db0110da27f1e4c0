"""What a fit minimises, and the model that results: formulation × task × groups.

An estimator makes a `Problem` from its parameters (`base`). Code that solves for many alphas
(paths, folds, criteria) takes a `Problem`, not an estimator.
"""

from copy import copy
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from shrinklin.blas import one_blas_thread
from shrinklin.gradient.descent import GradientDescent
from shrinklin.groups import Groups
from shrinklin.objective.objective import Objective
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso
from shrinklin.precision import narrowest
from shrinklin.problem.formulations import Formulation, as_coef, coefficients
from shrinklin.problem.tasks import Task
from shrinklin.solvers.paths import n_steps, solve_path
from shrinklin.solvers.solution import PackedSolution


@dataclass(frozen=True)
class Problem:
    """min f(W, b) + strength(alpha) Σ_g ω_g φ(W_g) + ½ ridge Σ ‖W_g‖², without the data of f.

    The last sum is over the groups with ω_g > 0.

    Attributes
    ----------
    formulation : Formulation
    task : Task
    groups : Groups
    alpha, ridge : float
    fit_intercept : bool
    solver : CoordinateDescent, ProximalNewton or GradientDescent
    tol : float
    max_iter : int
        As given to the estimator.
    relaxed : bool, default=False
        Whether the models are refits: alpha has chosen their features, and their coefficients
        minimise f(W, b) + ½ ridge Σ ‖W_g‖² over these.
    """

    formulation: Formulation
    task: Task
    groups: Groups
    alpha: float
    ridge: float
    fit_intercept: bool
    solver: Any
    tol: float
    max_iter: int
    relaxed: bool = False

    def at(self, alpha):
        """The same problem with another alpha."""
        return replace(self, alpha=alpha)

    def with_ridge(self, ridge, relaxed=False):
        """The same problem with another ridge, or its refits with this ridge."""
        return replace(self, ridge=ridge, relaxed=relaxed)

    def check(self, alpha):
        """Raise an error if the problem cannot be solved at `alpha`."""
        self.formulation.check(alpha, self.trains)

    @property
    def is_penalised(self):
        """Whether the models minimise the penalised objective."""
        return not self.relaxed

    @property
    def trains(self):
        """Whether it is solved by gradient training."""
        return isinstance(self.solver, GradientDescent)

    def strength(self, alpha):
        """The factor of the penalty at `alpha`."""
        return self.formulation.strength(alpha) if self.is_penalised else 0.0

    def alpha_at(self, strength):
        """The inverse of `strength`."""
        return self.formulation.alpha_at(strength)

    # Exact solutions.

    def objective(self, X, y, s):
        """The `Objective` of validated data, and their `Target`."""
        with np.errstate(over="ignore", invalid="ignore"):
            smooth, target = self.task.smooth(X, y, s, self.groups, self.fit_intercept, self.solver)
        objective = self._penalised(smooth)
        if objective.penalty.positive and target.classes is not None:
            _refuse_classes(len(target.classes))
        return objective, target

    def objective_of_moments(self, moments, dtype):
        """As `objective`, from the moments of data. `dtype` is that of X."""
        with np.errstate(over="ignore", invalid="ignore"):
            smooth, target = self.task.smooth_of_moments(
                moments, dtype, self.groups, self.fit_intercept
            )
        return self._penalised(smooth), target

    def _penalised(self, smooth):
        penalty, strength = self.formulation.penalty(), self.strength(self.alpha)
        return Objective(smooth.ridged(self._ridges()), penalty, self.groups, strength)

    def _ridges(self):
        """The ridge of every feature: (n_features,), or None."""
        if self.ridge == 0:
            return None
        return self.groups.spread(np.where(self.groups.weights > 0, float(self.ridge), 0.0))

    def ridged(self, objective):
        """The objective of the same data for the ridge of this problem."""
        return replace(objective, smooth=objective.smooth.ridged(self._ridges()))

    def solve(self, objective, alphas, **options):
        """A finite `Solution` for each of `alphas`. `options` are those of `solve_path`."""
        strengths = [self.strength(alpha) for alpha in alphas]
        # Trial steps may overflow. Solutions must not, which is checked below.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            solutions = solve_path(
                objective, strengths, self.solver, tol=self.tol, max_iter=self.max_iter, **options
            )
        return self._finite(solutions)

    def _finite(self, solutions):
        """The same solutions, after a check."""
        if not all(np.isfinite(s.value) and np.isfinite(s.W).all() for s in solutions):
            raise self.task.out_of_range()
        return solutions

    def refit(self, objective, solutions):
        """Refits of some `PackedSolution`s: if `relaxed`, the solutions of this problem."""
        singles = Groups.from_labels(len(self.groups.order))
        groups = replace(singles, order=self.groups.order)
        # Of the penalty, only a bound is left.
        penalty = SparseGroupLasso(positive=True) if objective.penalty.positive else GroupLasso()
        there = replace(objective, groups=groups, penalty=penalty, strength=0.0).with_memory()
        refits: list[PackedSolution] = []
        for before, solution in pairwise([None, *solutions]):
            if before is None or not np.array_equal(before.support, solution.support):
                with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
                    found = self.solver.refit(
                        there, solution.W, tol=self.tol, max_iter=self.max_iter
                    ).packed()
            refits.append(found)
        return self._finite(refits)

    def polished(self, objective, solution, share):
        """The solution after a few more steps to `share` of tol, if they improve it."""
        tol = share * self.tol
        # Trial steps may overflow; they are then rejected.
        unseen = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        with one_blas_thread(), unseen:
            better = self.solver.solve(objective, solution.W, tol=tol, max_iter=self.max_iter)
        return min(solution, better, key=lambda s: s.residual)

    def n_steps(self, objective, alphas):
        """How many times `solve` reports its progress."""
        return n_steps(objective, [self.strength(alpha) for alpha in alphas])

    def attributes(self, objective, solution, target):
        """Fitted attributes of the model of a solution."""
        # `solve` has checked that all numbers are finite. BLAS sometimes sets the flag of an
        # invalid operation although its input and output are finite.
        with one_blas_thread(), np.errstate(invalid="ignore"):
            factors = self.formulation.split(solution.W, self.groups, self.alpha)
            found = self._stored(solution.W, solution.intercept, factors, target)
            if objective.penalty.convex and self.is_penalised:
                objective = objective.with_memory()
                gap = objective.duality_gap(solution.W, solution.evaluated(objective))
                found["dual_gap_"] = gap
        found |= {"n_iter_": max(1, solution.n_iter), "residual_": solution.residual}
        found |= {"cost_": copy(objective.cost), "objective_": solution.value}
        if found["coef_"].dtype != np.float64:
            # The objective of the stored model. Rounding the product of a switch and a weight
            # changes F by no more than the rounding errors of F.
            W, b = self._as_solved(found)
            with one_blas_thread():
                found["objective_"] = objective.value_at(W, b)
        return found

    def model_attributes(self, solution, target):
        """Those of `attributes` that every linear model has, whatever its objective."""
        factors = self.formulation.split(solution.W, self.groups, self.alpha)
        found = self._stored(solution.W, solution.intercept, factors, target)
        return found | {"n_iter_": max(1, solution.n_iter)}

    def _stored(self, W, intercept, factors, target):
        """Coefficients, factors, intercept and classes, in the narrowest dtype that holds them."""
        coef = as_coef(W, self.groups.order, target.trailing)
        dtype = narrowest(target.dtype, coef, intercept)
        coef, intercept = coef.astype(dtype), intercept.astype(dtype)
        found = self.formulation.attributes(coef, factors, self.groups, target.trailing)
        found["intercept_"] = intercept if target.trailing else intercept[0]
        return found if target.classes is None else found | {"classes_": target.classes}

    def _as_solved(self, found):
        """W and b of stored attributes, as float64."""
        W = coefficients(SimpleNamespace(**found), self.groups)
        return W, np.atleast_1d(found["intercept_"]).astype(float)

    # Gradient training.

    def risk(self, X, y, s):
        """The `Risk` of validated data, and their `Target`."""
        whole = self.solver.batch_size is None
        return self.task.risk(X, y, s, self.groups, self.fit_intercept, whole)

    def risk_of_moments(self, moments, dtype):
        """As `risk`, from the moments of data. `dtype` is that of X."""
        return self.task.risk_of_moments(moments, dtype, self.groups, self.fit_intercept)

    def parametrization(self, risk):
        """The `Parametrization` to train."""
        parametrization = self.formulation.parametrization(
            self.groups, risk.shape[1], self.alpha, self.solver.gate
        )
        return replace(parametrization, ridge=float(self.ridge))

    def trained_attributes(self, trained, risk, parametrization, target):
        """Fitted attributes of the model after gradient training."""
        factors = (trained.gate, trained.A) if self.formulation.has_switches else None
        found = self._stored(trained.W, trained.intercept, factors, target)
        found |= {"n_iter_": max(1, trained.n_epochs), "cost_": trained.cost}
        found["objective_"] = trained.value
        if found["coef_"].dtype != np.float64:
            W, b = self._as_solved(found)
            beta, A = self.formulation.factors(SimpleNamespace(**found), self.groups)
            x = parametrization.from_factors(beta[self.groups.ptr[:-1]], A, b)
            with one_blas_thread():
                found["objective_"] = risk.value(W, b) + parametrization.penalty(x)
        return found

    # Starting points.

    def previous(self, model, shape):
        """W of a fitted model. None if it is not fitted, or if W has another shape."""
        if not hasattr(model, "coef_") or np.atleast_2d(model.coef_).T.shape != shape:
            return None
        return coefficients(model, self.groups)

    def previous_factors(self, model, shape):
        """Gates, weights and intercept of a fitted model. None as for `previous`."""
        W = self.previous(model, shape)
        if W is None:
            return None
        kept = 1.0 if self.fit_intercept else 0.0
        start = self.formulation.start(model, self.groups, W)
        return *start, kept * np.atleast_1d(model.intercept_)


def _refuse_classes(n_classes):
    if n_classes > 2:
        raise ValueError(
            f"positive=True with {n_classes} classes: probabilities do not change if the same "
            "amount is added to the coefficients of all classes, so the bound would not say "
            "anything about effects. Give two classes, or fit each class against the others with "
            "sklearn.multiclass.OneVsRestClassifier."
        )
