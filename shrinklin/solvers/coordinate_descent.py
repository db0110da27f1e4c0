r"""Block coordinate descent and Newton steps for a quadratic f.

.. math:: \min_W \tfrac12\langle W, GW\rangle - \langle C, W\rangle
          + \alpha \sum_g \omega_g\,\varphi(W_g)

It is solved on working sets (`working_sets`), by sweeps over the coordinates
(`kernels`) and Newton steps on the active groups (`newton`).
"""

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin import kernels
from shrinklin.data.gram import takes_gram, takes_gram_of_some
from shrinklin.linear_systems import scaled_solve
from shrinklin.objective.quadratic import GramQuadratic, quadratic_of_data, quadratic_value
from shrinklin.solvers import working_sets
from shrinklin.solvers.newton import NewtonSystem

_HALVINGS = 12
# How many times groups may leave within one Newton step.
_LEAVES = 3
# Number of features whose moves are applied in one product.
_TOGETHER = 16
# Number of sweeps after which their points are mixed.
_MIXED = 5


class CoordinateDescent(BaseEstimator):
    """Exact solver: working sets, coordinate descent and Newton steps.

    Parameters
    ----------
    gram : bool or "auto", default="auto"
        Whether to use the Gram matrix, for n samples and p features. True forms
        it, which costs n p² once; later steps do not depend on n. False never
        forms it and updates residuals instead. "auto" forms it if p ≤ 1000, or
        if p ≤ n and p ≤ 10 000. Otherwise it forms only the Gram matrix of a
        working set, if that has at most n features.

    Examples
    --------
    >>> from shrinklin import CoordinateDescent, GroupLassoRegressor
    >>> GroupLassoRegressor(solver=CoordinateDescent(gram=False))
    GroupLassoRegressor(solver=CoordinateDescent(gram=False))
    """

    def __init__(self, gram="auto") -> None:
        self.gram = gram

    def forms_gram(self, n_samples, n_features):
        """Whether the solver uses the Gram matrix of all features."""
        if isinstance(self.gram, bool):
            return self.gram
        if isinstance(self.gram, str) and self.gram == "auto":
            return takes_gram(n_samples, n_features)
        raise ValueError(f'gram={self.gram!r}: CoordinateDescent accepts "auto", True or False.')

    def quadratic(self, X, Y, sample_weight, order, fit_intercept):
        """The squared loss of the data, with the Gram matrix of all features or without."""
        gram = self.forms_gram(*X.shape)
        return quadratic_of_data(X, Y, sample_weight, order, fit_intercept, gram)

    def solve(self, objective, W, *, tol, max_iter):
        """Descend from W (n_features, n_targets) until the residual is ≤ tol.

        Returns a `Solution`. Never warns.
        """
        return working_sets.solve(objective, W, self._restrict, tol=tol, max_iter=max_iter)

    def refit(self, objective, W, *, tol, max_iter):
        """Minimise f over the features that W keeps. Returns a `Solution`, as in `solve`."""
        smooth, features = objective.smooth, np.flatnonzero(W.any(axis=1))
        if objective.penalty.positive and len(features):
            return self._refit_by_descent(objective, W, features, tol, max_iter)
        W, G = np.zeros_like(W), smooth.block(features)
        if smooth.ridge is not None and smooth.ridge[features].all():
            objective.cost.count_factorisation(len(features))
            objective.cost.count_product(len(features), len(features), W.shape[1])
            W[features] = scaled_solve(G, smooth.C[features]) if len(features) else 0.0
        else:
            W = smooth.minimise(W, features)
        gradient = np.zeros_like(W)
        gradient[features] = G @ W[features] - smooth.C[features]
        return working_sets.refitted(objective, W, smooth.value(W, gradient), gradient)

    def _refit_by_descent(self, objective, W, features, tol, max_iter):
        gradient = objective.smooth.evaluate(W)[1][features]
        block = self._restrict(objective, features, features, W[features], gradient)
        accuracy = tol * objective.residual_scale
        n_sweeps, _ = working_sets.solve_block(block, accuracy, max_iter)
        W, gradient = np.zeros((2, *W.shape))
        W[features], gradient[features] = block.W, block.gradient
        return working_sets.refitted(objective, W, block.loss(), gradient, 2 * tol, n_sweeps)

    def _restrict(self, objective, working, features, W, gradient):
        has_gram = isinstance(objective.smooth, GramQuadratic)
        few = takes_gram_of_some(objective.smooth.n_samples, len(features))
        by_gram = has_gram or (self.gram is not False and few)
        return (GramBlock if by_gram else _ColumnBlock)(objective, working, features, W, gradient)


class _QuadraticBlock(working_sets.Block):
    """Stores W as `coef`, in the ``coef_`` orientation that the kernels need."""

    def __init__(self, objective, working, features, W):
        super().__init__(objective, working)
        self.coef = np.ascontiguousarray(W.T)
        self.C = objective.smooth.C[features]
        self.diagonal = objective.smooth.diagonal[features]

    @property
    def W(self):
        return self.coef.T

    def loss(self):
        return quadratic_value(self.C, self.scale, self.W, self.gradient)

    @abstractmethod
    def gram(self, rows):
        """G[rows][:, rows]."""

    @abstractmethod
    def product(self, D):
        """G D."""

    @abstractmethod
    def move(self, D, product):
        """Add D to W, given G D."""

    def polish(self, tol):
        pass  # Newton steps are exact here: earlier ones went below tol

    def newton_step(self, tol):
        W, gradient = self.W, self.gradient
        model, total = self.curvature_at(W, gradient)
        if self.worst_norm(total) <= 1e-2 * tol:
            return False
        steps = self._steps(model, total, gradient)
        return any(_line_search(self, D, gradient) for D in steps)

    def _steps(self, model, total, gradient):
        """Yield the steps to try, one after another."""
        directions = self._directions(model, total)
        if not self.penalty.convex or not directions:
            yield from directions
            return
        D, majorised = directions[0], directions[-1]
        yield from self._leaving(D, model, gradient)
        yield D
        yield self._best([*self._up_to_kinks(D, model), majorised], gradient)

    def _directions(self, model, total):
        system = NewtonSystem(model, self.groups, self.gram, self.cost)
        return [D for D in system.directions(total) if np.isfinite(D).all()]

    def _up_to_kinks(self, D, model):
        """Yield D up to kinks, where groups or entries leave: all kinks, half of them, …, one.

        With more features than samples and one target, F is linear along some directions. The
        length of D is then only rounding, and F may fall no further than to the first kink.
        """
        times = self.penalty.kinks(self.W, D, model, self.groups)
        kinks = np.unique(times[times > 0])
        while len(kinks):
            yield np.where(times <= kinks[-1], -self.W, kinks[-1] * D)
            kinks = kinks[: len(kinks) // 2]

    def _best(self, steps, gradient):
        """The step after which the objective is smallest."""

        def gain(step):
            smooth = np.vdot(gradient + 0.5 * self.product(step), step)
            return smooth + self.penalty_sum(self.W + step)

        return min(steps, key=gain)

    def _leaving(self, D, model, gradient):
        """[D'], which sets groups that D takes beyond zero to zero and adapts the others; or [].

        Along D itself, such a group would soon stop the line search at its kink.
        """
        step = np.zeros_like(D)
        for _ in range(_LEAVES):
            crossed = self.penalty.crossed(self.W + step + D, model, self.groups)
            if not crossed.any():
                break
            step = np.where(crossed, -self.W, step)
            model, total = self.curvature_at(self.W + step, gradient + self.product(step))
            D = next(iter(self._directions(model, total)), np.zeros_like(D))
        if not step.any():
            return []
        crossed = self.penalty.crossed(self.W + step + D, model, self.groups)
        return [np.where(crossed, -self.W, step + D)]


class GramBlock(_QuadraticBlock):
    def __init__(self, objective, working, features, W, gradient) -> None:
        super().__init__(objective, working, features, W)
        self.G = np.ascontiguousarray(objective.smooth.block(features))
        self._gradient = np.ascontiguousarray(gradient.T)

    @property
    def gradient(self):
        return self._gradient.T

    def sweep(self, tol, n_sweeps):
        made = kernels.gram_sweeps(
            kernels.prox_of(self.penalty), self.coef, self._gradient, self.G, self.lipschitz,
            self.strengths, self.groups.ptr, tol, n_sweeps,
        )  # fmt: skip
        # Features that stay at zero do not change the gradient.
        alive = np.count_nonzero(self.coef.any(axis=0))
        self.cost.count_sweeps(made, self.W.shape, alive * self.coef.size)
        return made

    def sweeps_per_round(self):
        n_features, n_targets = self.W.shape
        return int(np.clip(0.3 * n_features / n_targets, 5, 100))

    def gram(self, rows):
        return self.G[rows[:, None], rows]

    def product(self, D):
        self.cost.count_product(len(self.G), *D.shape)
        return self.G @ D

    def move(self, D, product):
        self.coef += D.T
        self._gradient += product.T


class _ColumnBlock(_QuadraticBlock):
    def __init__(self, objective, working, features, W, gradient):
        super().__init__(objective, working, features, W)
        self.columns = objective.smooth.design.transposed(features)
        self.ridge = objective.smooth.ridges[features]
        zero = objective.smooth.residual_at_zero
        self.residual = np.ascontiguousarray(zero.T) - self.coef @ self.columns
        self.first, self.grams = _products_of_neighbours(self.columns, self.groups.ptr)
        self.cost.count_product(*self.columns.shape, self.grams.shape[1])

    @property
    def gradient(self):
        return self.ridge[:, None] * self.W - (self.residual @ self.columns.T).T

    def loss(self):
        return self._loss_at(self.coef, self.residual)

    def _loss_at(self, coef, residual):
        return 0.5 * float(np.vdot(residual, residual) + np.vdot(self.ridge * coef, coef))

    def newton_step(self, tol):
        # With more than n active features, it costs more than the many mixed sweeps that it saves.
        most = max(len(self.residual.T), working_sets.MANY)
        if self.penalty.convex and np.count_nonzero(self.coef.any(axis=0)) > most:
            return False
        return super().newton_step(tol)

    def sweep(self, tol, n_sweeps):
        points = [(self.coef.copy(), self.residual.copy())]
        for made in range(1, n_sweeps + 1):
            if self._sweep() <= tol:
                return made
            points.append((self.coef.copy(), self.residual.copy()))
            if len(points) > _MIXED and self.penalty.convex:
                self._mix(points)
                points = [(self.coef.copy(), self.residual.copy())]
        return n_sweeps

    def _sweep(self):
        # Every feature reads the residuals, and non-zero features also change them.
        touching = len(self.columns) + np.count_nonzero(self.coef.any(axis=0))
        self.cost.count_sweeps(1, self.W.shape, touching * self.residual.size)
        return kernels.residual_sweep(
            kernels.prox_of(self.penalty), self.coef, self.residual, self.columns, self.ridge,
            self.grams, self.first, self.lipschitz, self.strengths, self.groups.ptr,
        )  # fmt: skip

    def _mix(self, points):
        """Anderson's step: move to the affine mixture whose moves cancel best, if it is better."""
        moves = np.diff([coef.ravel() for coef, _ in points], axis=0)
        products = moves @ moves.T
        products.flat[:: len(moves) + 1] += 1e-12 * np.trace(products)
        weights = scaled_solve(products, np.ones((len(moves), 1)))[:, 0]
        weights /= weights.sum()
        coef, residual = (
            np.tensordot(weights, [point[i] for point in points[1:]], 1) for i in (0, 1)
        )
        value = self._loss_at(coef, residual) + self.penalty_sum(coef.T)
        if value < self.value():
            self.coef, self.residual = coef, residual

    def sweeps_per_round(self):
        (n_features, n_targets), n_samples = self.W.shape, self.columns.shape[1]
        return int(np.clip(0.3 * n_features**2 / (n_samples * n_targets), 5, 300))

    def gram(self, rows):
        self.cost.count_product(len(rows), len(rows), self.columns.shape[1])
        G = self.columns[rows] @ self.columns[rows].T
        G.flat[:: len(G) + 1] += self.ridge[rows]
        return G

    def product(self, D):
        self.cost.count_product(2, *self.columns.shape, D.shape[1])
        return self.columns @ (self.columns.T @ D) + self.ridge[:, None] * D

    def move(self, D, product):
        self.coef += D.T
        self.residual -= D.T @ self.columns


def _products_of_neighbours(columns, ptr):
    """Blocks of neighbouring groups, first[b]:first[b + 1], and the Gram matrix of each block.

    The Gram matrix of a block is stored in the rows of the block, in the leftmost columns.
    """
    starts = np.unique(ptr[:-1] // _TOGETHER, return_index=True)[1]
    first = np.append(starts, len(ptr) - 1)
    grams = np.zeros((len(columns), np.diff(ptr[first]).max(initial=0)))
    for start, stop in zip(ptr[first], ptr[first[1:]], strict=False):
        lot = columns[start:stop]
        grams[start:stop, : stop - start] = lot @ lot.T
    return first, grams


def _line_search(block, D, gradient):
    """Move along D by the first of 1, 1/2, 1/4, … that lowers the objective, if any."""
    product = block.product(D)
    slope, curvature = np.vdot(gradient, D), np.vdot(D, product)
    # Along directions where GD is nearly 0, ⟨D, GD⟩ is only rounding.
    rounding = 1e-14 * block.diagonal @ (D * D).sum(axis=1)
    before = block.penalty_sum(block.W)
    for step in 0.5 ** np.arange(_HALVINGS):
        gain = step * slope + 0.5 * step**2 * curvature
        gain += block.penalty_sum(block.W + step * D) - before
        if gain < -(step**2 * rounding + 1e-16 * block.scale):
            block.move(step * D, step * product)
            return True
        if step == 1 and gain < 1e-15 * block.scale and _settles(block, D, product, gradient):
            block.move(D, product)
            return True
    return False


def _settles(block, D, product, gradient):
    """Whether D at least halves the gradient. Used where changes of F are only rounding."""
    model, before = block.curvature_at(block.W, gradient)
    there, after = block.curvature_at(block.W + D, gradient + product)
    same = np.array_equal(model.smooth, there.smooth)
    return same and block.worst_norm(after) < 0.5 * block.worst_norm(before)
