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
from scipy import linalg, sparse

from shrinklin.data.columns import CopiedColumns, WorkingColumns, gram_of_parts
from shrinklin.data.design import Design
from shrinklin.linear_systems import conjugate_gradients, scaled_inverse, scaled_solve
from shrinklin.losses.logistic import logistic_loss
from shrinklin.objective.quadratic import ColumnQuadratic, Touching, quadratic_of_data
from shrinklin.objective.smooth import Smooth

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
_MINIMISE_STEPS = 60
# No raw prediction moves further than this in the first Newton step of `minimise`. The limit
# doubles with every step.
_LONGEST = 100.0
# Where features separate classes, each Newton step adds 1 to a difference of two raw predictions.
# So one of them moves by _LONG or more, and the decrease of f is 1/e of that in the step before.
# A step drifts if it is that long but lowers f by at most _FLAT·f(0). After _DRIFTED such steps, f
# counts as having no minimum. The first of them that lowers f by at most _NOTHING·f(0) is the last.
_LONG, _FLAT, _NOTHING, _DRIFTED = 0.25, 1e-3, 1e-10, 12
# Relative accuracy of Newton steps. A drifting step may have to go in several directions. A rough
# solution takes only the steepest of them.
_ROUGH, _EXACT = 0.03, 1e-6
# Once the classes are separated, a step is doubled while that lowers f by more than this share of
# the slope.
_WORTH_DOUBLING = 0.01
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
    free : (features, Minimum), or None
        The last features that `Likelihood.free_minimum` was called with, and its result.
    """

    columns: WorkingColumns
    seen: list[Seen] = field(default_factory=list)
    free: "tuple[np.ndarray, Minimum] | None" = None


@dataclass(frozen=True)
class Minimum:
    """Where Newton's method ended. `settled` is False if W was on its way to infinity."""

    seen: Seen
    settled: bool


class _Drift:
    """Detects Newton steps to infinity. Without a minimum, each gains 1/e of the one before."""

    def __init__(self, scale):
        self.scale, self.moved, self.fallen, self.steps = scale, 0.0, np.inf, 0

    def see(self, moved, fallen):
        """Record a step: the longest move of a raw prediction, in units, and the decrease of f."""
        self.moved, self.fallen = moved, fallen
        self.steps += self.on

    @property
    def on(self):
        """Whether the last step was long although f hardly fell."""
        return self.moved >= _LONG and self.fallen <= _FLAT * self.scale

    @property
    def far(self):
        return self.on and self.fallen <= _NOTHING * self.scale

    @property
    def seen(self):
        # Earlier steps count too, as rounding may spoil the last one.
        return self.moved >= _LONG or self.steps >= _DRIFTED


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

    def with_memory(self):
        if self._memory is not None:
            return self
        remembering = copy.copy(self)
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
        found, rounding = self.at(Z, intercept), self._rounding(Z)
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

    def _rounding(self, Z):
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
                if better.value >= found.value - rounding and _no_shorter(after, gradient):
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

    def raw_prediction(self, W):
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
        Z = self.raw_prediction(W)
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
        return seen.prediction.value, seen.gradient.copy()

    def value_at(self, W, intercept):
        Z = self.raw_prediction(W)
        return self.at(Z, intercept + self.design.x_mean[self.order] @ W).value

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
        return self._next_to_nothing(prediction) and self._told_apart(prediction)

    def _next_to_nothing(self, prediction):
        return prediction.value <= _SEPARATED * self.value_at_zero

    def _told_apart(self, prediction):
        return self.loss.told_apart(self.Y, prediction.state)

    def lipschitz(self, groups):
        return self.loss.curvature_bound * self.base.lipschitz(groups)

    def model(self, W):
        """A quadratic with the mean curvature at W: close to f near W, but no upper bound."""
        value, gradient = self.evaluate(W)
        return Touching(self.base, self.mean_curvature(self.see(W).prediction), W, value, gradient)

    def mean_curvature(self, prediction):
        """Mean eigenvalue of the Hessian in Z, averaged over samples."""
        return max(float(self.weight @ self.loss.curvatures(prediction.state)), 1e-12)

    def dual_scale(self, loss, product):
        return 1.0

    def mixing(self, W, loss, scale):
        seen = self.see(W)
        divergence = self.loss.divergence(self.Y, seen.Z + seen.prediction.intercept, scale)
        return float(self.weight @ np.maximum(divergence, 0.0))

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
        decrement, moved = self._way_to_go(W, features, rounding)
        if moved >= _LONG * self.loss.unit:
            return 0.0, np.inf
        return np.sqrt(2 * self.loss.curvature_bound * decrement), decrement

    def _way_to_go(self, W, features, rounding):
        """Twice the gain of a Newton step in `features` and intercept, and its longest move."""
        found = self.see(W).prediction
        basis, rank, _ = self._basis(features)
        if not len(basis):
            return 0.0, 0.0
        left = basis @ found.residual
        left[:rank] = np.sign(left[:rank]) * np.maximum(np.abs(left[:rank]) + rounding, 0.0)
        D = self._newton_step(basis, found, left, _ROUGH)
        change = (D.T @ basis).T / self.design.row_scale
        return max(-float(np.vdot(left, D)), 0.0), np.abs(change).max()

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
        known = None if self._memory is None else self._memory.free
        if known is not None and np.array_equal(features, known[0]):
            return known[1]
        minimum = self.newton(np.zeros(self.C.shape), features)
        if self._memory is not None:
            self._memory.free = features, minimum
        return minimum

    def newton(self, W, features):
        """`Minimum` over the features by Newton's method from zero, with the others as in W.

        Newton's method uses an orthonormal basis, with the intercept as one more coefficient. If
        the features separate classes, there is no minimum and the steps do not get shorter. The
        method then ends when the loss is almost 0, or when only rounding is left to gain.
        """
        W = W.copy()
        W[features] = 0.0
        basis, rank, scaled_by = self._basis(features)
        Z = self.raw_prediction(W)
        found = self.predict(Z)
        V, settled = self._descend(basis, Z + found.intercept)
        W[features] = self.loss.drop_common_shift(scaled_by(V[:rank]))
        # The prediction is computed from W itself. Its intercept is known, up to rounding.
        Z, intercept = self.raw_prediction(W), found.intercept + V[rank:].sum(axis=0)
        return Minimum(Seen(W, Z, self.predict(Z, intercept)), settled)

    def _basis(self, features):
        """Orthonormal basis, as rows: first for the features, then one row for the intercept.

        Returns the basis, the number of rows for the features, and a function that turns the
        coefficients of these rows into W.
        """
        basis, scaled_by = _orthonormal(
            self.design.columns(features), self.design.noise[self.design.order[features]]
        )
        self.cost.count_product(self.n_samples, len(features), len(features))
        rank = len(basis)
        if self.fit_intercept:
            # The row of the intercept is orthogonal to centred columns.
            basis = np.vstack([basis, self.design.row_scale[:, 0]])
        return basis, rank, scaled_by

    def _descend(self, basis, Z):
        """Newton's method from Z: coefficients of the basis, and whether they are a minimum."""
        V, drift = np.zeros((len(basis), Z.shape[1])), _Drift(self.value_at_zero)
        found, longest = self.at(Z, np.zeros(Z.shape[1])), _LONGEST * self.loss.unit
        gradient = basis @ found.residual
        for _ in range(_MINIMISE_STEPS):
            gone = np.abs(gradient).max(initial=0.0) <= 1e-12 * self.loss.unit
            if gone or drift.far or self.ends_at_nothing(found):
                break
            D = self._newton_step(basis, found, gradient, _EXACT if drift.on else _ROUGH)
            change = (D.T @ basis).T / self.design.row_scale
            rounding = self._rounding(Z)
            step, better = self._step(Z, change, found, longest, np.vdot(gradient, D), rounding)
            before, gradient = gradient, basis @ better.residual
            level = better.value >= found.value - rounding and not drift.on
            if step == 0 or (level and _no_shorter(gradient, before)):
                break
            longest = 2 * longest
            moved = min(step, 1.0) * np.abs(change).max() / self.loss.unit
            drift.see(moved, found.value - better.value)
            V, Z, found = V + step * D, Z + step * change, better
        endless = drift.seen or self.ends_at_nothing(found)
        return V, self.loss.attained or not endless

    def _newton_step(self, basis, found, gradient, tol):
        curvatures = self.loss.curvatures(found.state)
        self.cost.count_product(*basis.shape, len(basis))
        root = np.sqrt(curvatures)
        parts = CopiedColumns(basis, np.arange(len(basis))).parts()
        inverse = scaled_inverse(gram_of_parts(part * root[samples] for samples, part in parts))
        # The curvature of the loss differs between classes as much as their shares do.
        bends = self.loss.mean_hessian_product(found.state, self.weight)[0]
        classes = self.weight @ curvatures / np.maximum(bends, max(1e-14 * bends.max(), 1e-300))

        def product(D):
            self.cost.count_product(2, *basis.shape, D.shape[1])
            change = (D.T @ basis).T / self.design.row_scale
            return basis @ (self.design.row_scale * self.loss.hessian_product(found.state, change))

        def bending(D):
            # Leave out directions without curvature, where rounding would cause long steps: absent
            # classes, and the same change for all other classes.
            kept = np.zeros(D.shape)
            kept[:, self.present] = self.loss.drop_common_shift(D[:, self.present])
            return kept

        return conjugate_gradients(
            product, lambda R: bending(inverse @ R * classes), -bending(gradient), tol
        )

    def _step(self, Z, change, found, longest, slope, rounding):
        """Step length along `change`, or 0 if f does not fall, and the `Prediction` there.

        f may rise by `rounding`. No raw prediction changes by more than `longest`. `slope` is
        the slope of f along `change`.
        """

        def at(step):
            return self.at(Z + step * change, found.intercept)

        room = longest / max(np.abs(change).max(), 1e-300)
        for step in min(1.0, room) * 0.5 ** np.arange(30):
            better = at(step)
            if better.value <= found.value + rounding:
                break
        else:
            return 0.0, found
        # If only some samples are separated, steps are not doubled: `_Drift` needs their length
        # to detect that there is no minimum.
        if step == 1 and self._told_apart(better):
            return self._doubled(at, better, room, -_WORTH_DOUBLING * slope)
        return step, better

    def _doubled(self, at, found, room, least):
        """The first of 1, 2, 4, … that is not worth doubling, and the `Prediction` there."""
        step, fallen = 1.0, np.inf
        while 2 * step <= room and fallen > least and not self._next_to_nothing(found):
            further = at(2 * step)
            fallen = found.value - further.value
            if fallen > 0:
                step, found = 2 * step, further
        return step, found


def _no_shorter(after, before):
    """Whether the gradient is no shorter after a step than before."""
    return np.linalg.norm(after) >= np.linalg.norm(before)


def _orthonormal(columns, noise):
    """Orthonormal basis of columns (n_samples, any), as rows, and a function from it to W.

    The columns are overwritten. `noise` is the norm of the rounding errors of each column. If no
    more than that is left of a column after projection on the others, it is left out: huge
    coefficients would be needed to distinguish it from the others.
    """
    norms = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    norms[norms == 0] = 1.0
    columns /= norms
    # The columns are contiguous, and the basis overwrites them.
    Q, R, pivot = linalg.qr(columns, mode="economic", pivoting=True, overwrite_a=True)
    size = np.abs(np.diagonal(R))
    # What is left of a column has the rounding errors of all columns subtracted from it.
    rounding = np.maximum.accumulate((noise / norms)[pivot[: len(size)]])
    rank = int((size > np.maximum(1e-12 * size.max(initial=0.0), rounding)).sum())

    def scaled_by(V):
        W = np.zeros((len(norms), V.shape[1]))
        if rank:  # older SciPy rejects an empty system
            W[pivot[:rank]] = linalg.solve_triangular(R[:rank, :rank], V)
        return W / norms[:, None]

    return np.ascontiguousarray(Q[:, :rank].T), scaled_by


def likelihood_of_data(X, codes, n_classes, sample_weight, order, fit_intercept):
    """`Likelihood` of class numbers `codes`. Rows without weight are left out."""
    loss = logistic_loss(n_classes)
    Y = loss.indicators(codes, n_classes)
    return Likelihood(loss, X, Y, sample_weight, order, fit_intercept)
