r"""A loss of raw predictions as a function of W, with the intercept minimised out.

.. math:: f(W) = \min_b \frac1n \sum_i s_i\, \ell(y_i, W'x_i + b)

The gradient of f is the gradient at the best b. The Hessian of f is the Schur
complement of the joint Hessian in W and b. Let c be the `curvature_bound` of the
loss and G the centred Gram matrix of X. The Hessian of f is at most c·G on every
target [1]. So a quadratic with Gram matrix c·G that touches f lies above f everywhere.

References
----------
.. [1] Böhning (1992), Multinomial logistic regression algorithm.
"""

import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from shrinklin.data.columns import WorkingColumns, gram_of_parts
from shrinklin.data.design import Design
from shrinklin.linear_systems import conjugate_gradients, scaled_inverse, scaled_solve
from shrinklin.losses.logistic import logistic_loss
from shrinklin.objective.quadratic import ColumnQuadratic, Touching, quadratic_of_data
from shrinklin.objective.smooth import Smooth
from shrinklin.objective.unpenalised import LONG, UnpenalisedNewton, no_shorter

# Newton's method for the intercept: most steps, and most halvings of one step.
_INTERCEPT_STEPS, _INTERCEPT_HALVINGS = 100, 40
# Longest first step, in units of the loss. Later steps may double, up to the second number.
_INTERCEPT_MOVE, _INTERCEPT_LONGEST = 4.0, 1e3
# A loss is a difference of raw predictions. Its rounding error is about this share of their size.
_ROUNDING = 1e-15
# If a relative slope above _ASTRAY is left, Z is large. Newton's method then starts again from
# the intercept that `_cooled` finds, with temperatures that fall by the factor _COOLING.
_ASTRAY, _COOLING = 1e-3, 4.0
# With more targets than this, the mean Hessian is not formed: forming and factoring it takes n·K²
# and K³ operations per step. Conjugate gradients solve with it, to this relative accuracy.
_FORMED, _LEFT = 48, 1e-8
# Without penalty there is no best W if the features separate the classes. A loss of at most this
# share of f(0) is then small enough.
_SEPARATED = 1e-6
# How many W are remembered: the last W of a solver, and the W of its last duality gap.
_REMEMBERED = 2


@dataclass(frozen=True)
class Prediction:
    """The loss of raw predictions Z (without intercept), and what follows from it.

    Attributes
    ----------
    value : float
        f.
    intercept : ndarray of shape (n_targets,)
        The intercept that was added to Z, usually the best one.
    state : ndarray of shape (n_samples, n_targets)
        Determines the Hessian of the loss, see `Loss`: probabilities for a logistic loss.
    residual : ndarray of shape (n_samples, n_targets)
        √(s_i/Σs) times the slopes of the loss. The gradient is X' times the residual, with X
        scaled as in `Design`.
    """

    value: float
    intercept: np.ndarray
    state: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True)
class Seen:
    """W of all features, Z = XW, its `Prediction` and, if known, ∇f(W)."""

    W: np.ndarray
    Z: np.ndarray
    prediction: Prediction
    gradient: np.ndarray | None = None


@dataclass
class _Memory:
    """Results that a call keeps for later calls.

    Attributes
    ----------
    columns : WorkingColumns
    seen : list of Seen
        The last few W.
    """

    columns: WorkingColumns
    seen: list[Seen] = field(default_factory=list)


@dataclass(frozen=True)
class Minimum:
    """Where Newton's method ended. `settled` is False if W was on its way to infinity."""

    seen: Seen
    settled: bool


class Hessian:
    """Hessian of the loss in Z, where the best intercept changes together with Z."""

    def __init__(self, likelihood, state):
        self.likelihood, self.state = likelihood, state

    @cached_property
    def _inverse(self):
        return scaled_inverse(self.likelihood.loss.mean_hessian(self.state, self.likelihood.weight))

    @cached_property
    def _mean_product(self):
        return self.likelihood.loss.mean_hessian_product(self.state, self.likelihood.weight)

    def intercept_step(self, gradient, shift):
        """(H + shift·I)⁻¹ times the gradient of an intercept. H is the mean over samples."""
        loss, weight = self.likelihood.loss, self.likelihood.weight
        if len(gradient) > _FORMED:
            return loss.drop_common_shift(self._solve(gradient, shift))
        H = loss.mean_hessian(self.state, weight)
        H.flat[:: len(H) + 1] += shift
        return loss.drop_common_shift(scaled_solve(H, gradient[:, None])[:, 0])

    def _solve(self, R, shift=0.0):
        """(H + shift·I)⁻¹ R without forming H. For a multinomial loss, R sums to 0."""
        diagonal, product = self._mean_product
        inverse = 1 / np.maximum(diagonal + shift, 1e-300)
        return conjugate_gradients(
            lambda v: product(v) + shift * v, lambda r: inverse * r, R, _LEFT
        )

    def intercept_change(self, V):
        """Change of the best intercept when Z changes by V."""
        if not self.likelihood.fit_intercept:
            return np.zeros(V.shape[1])
        change = self.likelihood.weight @ self.likelihood.loss.hessian_product(self.state, V)
        if len(change) > _FORMED:
            return -self._solve(change)
        return -self._inverse @ change

    def product(self, V):
        """Change of `Prediction.residual` when Z changes by V."""
        V = V + self.intercept_change(V)
        return self.likelihood.design.row_scale * self.likelihood.loss.hessian_product(
            self.state, V
        )


class Likelihood(Smooth):
    """f for one loss and one data set. Rows without weight do not count as samples.

    Attributes
    ----------
    loss : Loss
    design : Design
    base : Quadratic
        The squared loss on the same data, whose G is used.
    weight : ndarray of shape (n_samples,)
        s_i/Σs.
    present : ndarray of bool, shape (n_targets,)
        False for classes without weight, if there is an intercept.
    """

    def __init__(self, loss, X, Y, sample_weight, order, fit_intercept=True):
        self.loss, self.fit_intercept = loss, fit_intercept
        self.base = quadratic_of_data(X, Y, sample_weight, order, fit_intercept)
        if isinstance(self.base, ColumnQuadratic):
            self.design = self.base.design
        else:
            self.design = Design(X, sample_weight, order, fit_intercept, self.base.cost)
        self.cost = self.base.cost
        self.Y = Y = Y[self.design.used]
        self.order, self.n_samples = order, len(Y)
        self.weight = self.design.row_scale[:, 0] ** 2
        n_targets, weight = Y.shape[1], self.weight
        self.scales, self.target_size = loss.intercept_sizes(Y, weight), loss.target_size(Y, weight)
        # If the intercept excludes a class, f does not depend on the coefficients of that class.
        self.present = loss.present(Y, weight) if fit_intercept else np.ones(n_targets, dtype=bool)
        self.intercept_at_zero = loss.constant(Y, weight) if fit_intercept else np.zeros(n_targets)
        self.at_zero = self.predict(np.zeros(Y.shape))
        self.C = -self.design.correlate(self.at_zero.residual)
        self._memory: _Memory | None = None
        self._free: tuple[np.ndarray, Minimum] | None = None
        # Of a copy with a memory: the one without. Here it would be a circle, which keeps memory.
        self._plain: Likelihood | None = None

    def with_memory(self):
        if self._memory is not None:
            return self
        remembering = copy.copy(self)
        remembering._plain = self
        remembering.base = base = self.base.with_memory()
        shared = isinstance(base, ColumnQuadratic)
        remembering.design = base.design if shared else self.design.with_memory()
        columns = WorkingColumns(remembering.design, self.Y.shape[1])
        remembering._memory = _Memory(columns, [self._nothing()])
        return remembering

    def _nothing(self):
        """`Seen` of W = 0."""
        return Seen(np.zeros(self.C.shape), np.zeros(self.Y.shape), self.at_zero, -self.C)

    @property
    def value_at_zero(self):
        return self.at_zero.value

    def predict(self, Z, intercept=None):
        """`Prediction` for Z (n_samples, n_targets) at the best intercept.

        The search for the best intercept starts at `intercept`.
        """
        b = self.intercept_at_zero if intercept is None else self.loss.drop_common_shift(intercept)
        if not self.fit_intercept:
            return self.at(Z, b)
        found, pull = self._search(Z, b)
        if pull > _ASTRAY:
            found = min(found, self._search(Z, self._cooled(Z))[0], key=lambda each: each.value)
        return found

    def _search(self, Z, intercept):
        """Newton's method for the best intercept: its `Prediction`, and the slope that is left."""
        found, rounding = self.at(Z, intercept), self.rounding_of(Z)
        longest = _INTERCEPT_MOVE * self.loss.unit
        for _ in range(_INTERCEPT_STEPS):
            gradient = self.design.row_scale[:, 0] @ found.residual
            pull = np.abs(gradient / self.scales).max()
            if not pull > 1e-13:  # also stops at NaN
                break
            better, longest = self._intercept_step(Z, found, gradient, longest, rounding)
            if better is None:
                break  # only rounding is left
            found = better
            if pull <= 1e-9:
                break  # quadratic convergence: this step squared it
        return found, pull

    def _cooled(self, Z):
        """An intercept near the best one for a large Z.

        For a large Z the loss is almost piecewise linear, so its slope says little about a far
        minimum. The best intercept is therefore found for Z/T at lower and lower temperatures T.
        """
        b, size = self.intercept_at_zero, np.abs(Z).max()
        if not np.isfinite(size):
            return b
        for T in size / _COOLING ** np.arange(np.log(max(size, 1)) / np.log(_COOLING)):
            b = T * self._search(Z / T, b / T)[0].intercept
        return b

    def rounding_of(self, Z):
        """Bound on the rounding error of f at Z."""
        unit, size = self.loss.unit, float(self.weight @ np.abs(Z).max(axis=1))
        return _ROUNDING * unit * (unit + self.target_size + size)

    def _intercept_step(self, Z, found, gradient, longest, rounding):
        """A Newton step no longer than `longest`, halved until f falls.

        If rounding hides the change of f, the gradient decides. Returns the `Prediction` after the
        step, or None, and the limit for the next step. The limit is for data where all but a few
        rows are separated: f is then almost piecewise linear, and a step beyond a kink too long.
        """
        shift = np.linalg.norm(gradient) / longest
        step = self.hessian(found).intercept_step(gradient, shift)
        for halvings in range(_INTERCEPT_HALVINGS):
            better = self.at(Z, found.intercept - step)
            if better.value <= found.value + rounding:
                after = self.design.row_scale[:, 0] @ better.residual
                if better.value >= found.value - rounding and no_shorter(after, gradient):
                    break
                reach = 2 * (np.linalg.norm(step) if halvings else longest)
                return better, min(reach, _INTERCEPT_LONGEST * self.loss.unit)
            step = step / 2
        return None, longest

    def at(self, Z, intercept):
        """`Prediction` with the given intercept, best or not."""
        Z = Z + intercept
        values, slopes, state = self.loss.look(self.Y, Z)
        value = float(self.weight @ values)
        # If Z overflows float64, the value is infinite, and any other point is better.
        value = value if np.isfinite(value) else np.inf
        return Prediction(value, intercept, state, self.design.row_scale * slopes)

    def hessian(self, prediction):
        """`Hessian` at a `Prediction`."""
        return Hessian(self, prediction.state)

    def centred_product(self, W):
        """Z = X W with X centred."""
        features = np.empty(0, dtype=int) if self._memory is None else self._memory.columns.last
        alive = np.flatnonzero(W.any(axis=1))
        if not np.isin(alive, features).all():
            if sparse.issparse(self.design.X):
                return self.design.product(W) / self.design.row_scale
            features = alive
        columns = self.columns(features)
        self.cost.count_product(columns.entries, W.shape[1])
        return columns.product(W[features]) / self.design.row_scale

    def see(self, W):
        """`Seen` of W, from memory if it is one of the last."""
        if self._memory is None:
            known = [] if W.any() else [self._nothing()]
        else:
            known = [seen for seen in self._memory.seen if np.array_equal(W, seen.W)]
        if known:
            return known[0]
        Z = self.centred_product(W)
        return self.remember(Seen(W.copy(), Z, self.predict(Z)))

    def remember(self, seen):
        """Keep and return `seen`, so that `see` need not compute it again."""
        if self._memory is not None:
            self._memory.seen = [seen, *self._memory.seen[: _REMEMBERED - 1]]
        return seen

    def evaluate(self, W):
        seen = self.see(W)
        if seen.gradient is None:
            gradient = self.design.correlate(seen.prediction.residual)
            known = replace(seen, gradient=gradient)
            if self._memory is not None:
                last = self._memory.seen
                self._memory.seen = [known if other is seen else other for other in last]
            seen = known
        gradient = seen.gradient.copy() if self.ridge is None else seen.gradient
        return self.value_of(seen), self.with_ridge_slope(gradient, W)

    def value_of(self, seen):
        """f of a `Seen`."""
        return seen.prediction.value + self.ridge_of(seen.W)

    def value_at(self, W, intercept):
        Z = self.centred_product(W)
        loss = self.at(Z, intercept + self.design.x_mean[self.order] @ W).value
        return loss + self.ridge_of(W)

    def columns(self, features):
        """`Columns` of features, valid until the next call with other features."""
        if self._memory is None:
            return WorkingColumns(self.design, self.Y.shape[1]).columns(features)
        return self._memory.columns.columns(features)

    def intercept(self, W):
        if not self.fit_intercept:
            return self.intercept_at_zero.copy()
        return self.see(W).prediction.intercept - self.design.x_mean[self.order] @ W

    def ends_at_nothing(self, prediction):
        """Whether the loss is almost 0, and tends to 0 along growing multiples of Z."""
        return self.next_to_nothing(prediction) and self.told_apart(prediction)

    def next_to_nothing(self, prediction):
        return prediction.value <= _SEPARATED * self.value_at_zero

    def told_apart(self, prediction):
        return self.loss.told_apart(self.Y, prediction.state)

    def lipschitz(self, groups):
        curvature = self.loss.curvature_bound * self.base.lipschitz(groups)
        return curvature if self.ridge is None else curvature + self.ridge[groups.ptr[:-1]]

    def model(self, W):
        """A quadratic with the mean curvature at W: close to f near W, but no upper bound."""
        value, gradient = self.evaluate(W)
        factor, base = self.mean_curvature(self.see(W).prediction), self.base
        base = base if self.ridge is None else base.ridged(self.ridge / factor)
        return Touching(base, factor, W, value, gradient)

    def mean_curvature(self, prediction):
        """Mean eigenvalue of the Hessian in Z, averaged over samples."""
        return max(float(self.weight @ self.loss.curvatures(prediction.state)), 1e-12)

    def dual_scale(self, loss, product):
        return 1.0

    def mixing(self, W, loss, scale):
        seen = self.see(W)
        divergence = self.loss.divergence(self.Y, seen.Z + seen.prediction.intercept, scale)
        mixed = float(self.weight @ np.maximum(divergence, 0.0))
        return mixed + (1 - scale) ** 2 * self.ridge_of(W)

    @property
    def lengths(self):
        return np.sqrt(self.design.diagonal)

    @property
    def sizes(self):
        diagonal = self.design.diagonal
        return np.sqrt(diagonal + (diagonal > 0) * self.design.x_mean[self.order] ** 2)

    def rounding(self, W, loss):
        seen, unit = self.see(W), self.rounding_unit(W)
        residual = np.linalg.norm(seen.prediction.residual)
        predicted = np.linalg.norm(self.design.row_scale * (seen.Z + seen.prediction.intercept))
        fitted = np.linalg.norm(self.sizes[:, None] * W)
        # The slopes of the loss are at most `unit`.
        predicted = self.loss.unit * (self.target_size + predicted)
        return unit * residual, unit * (self.value_at_zero + predicted + residual * fitted)

    def infeasibility(self, W, gradient, features, rounding):
        # At the best `features` and intercept, nothing is left. A Newton step estimates how far
        # away they are. If it is long, there may be no best ones: the features may separate.
        newton = UnpenalisedNewton(self, features)
        decrement, moved = newton.way_to_go(self.see(W).prediction, rounding)
        if moved >= LONG * self.loss.unit:
            return 0.0, np.inf
        return np.sqrt(2 * self.loss.curvature_bound * decrement), decrement

    def local_gram(self, columns, curvatures):
        """Gram matrix of `Columns`, with samples weighted by their curvatures.

        With two classes and the curvatures at W, this is the Hessian at W.
        """
        self.cost.count_product(*columns.shape, columns.shape[0])
        root = self.design.row_scale[:, 0]
        means = np.zeros((columns.shape[0], 1))
        if self.fit_intercept:
            weight = max(curvatures @ root**2, 1e-300)
            means = columns.correlate((curvatures * root)[:, None]) / weight

        def weighted():
            for samples, part in columns.parts():
                part -= means * root[samples]
                part *= np.sqrt(curvatures[samples])
                yield part

        return gram_of_parts(weighted())

    def minimise(self, W, features):
        minimum = self.newton(W, features) if W.any() else self.free_minimum(features)
        return self.remember(minimum.seen).W.copy()

    def free_minimum(self, features):
        """`Minimum` over these features alone, with all others at zero.

        Whether a minimum exists depends on these features alone: the directions in which the
        loss of no sample rises are the same from any starting point.
        """
        if self._plain is not None:
            return self._plain.free_minimum(features)
        # Kept without memory too: it is computed without, so its bits are always the same.
        if self._free is None or not np.array_equal(features, self._free[0]):
            self._free = features, self.newton(np.zeros(self.C.shape), features)
        return self._free[1]

    def newton(self, W, features):
        """`Minimum` over the features by Newton's method from zero, with the others as in W.

        Newton's method uses an orthonormal basis, with the intercept as one more coefficient. If
        the features separate classes, there is no minimum and the steps do not get shorter. The
        method then ends when the loss is almost 0, or when only rounding is left to gain.
        """
        W = W.copy()
        W[features] = 0.0
        newton, Z = UnpenalisedNewton(self, features), self.centred_product(W)
        found = self.predict(Z)
        V, settled = newton.descend(Z + found.intercept)
        W[features] = newton.coefficients(V)
        # The prediction is computed from W itself. Its intercept is known, up to rounding.
        Z, intercept = self.centred_product(W), found.intercept + newton.intercept(V)
        return Minimum(Seen(W, Z, self.predict(Z, intercept)), settled)


def likelihood_of_data(X, codes, n_classes, sample_weight, order, fit_intercept):
    """`Likelihood` of class numbers `codes`. Rows without weight are left out."""
    loss = logistic_loss(n_classes)
    Y = loss.indicators(codes, n_classes)
    return Likelihood(loss, X, Y, sample_weight, order, fit_intercept)
