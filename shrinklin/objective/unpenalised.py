r"""Newton's method for the minimum of a loss over features without penalty.

It works on an orthonormal basis of the features, with the intercept as one more coefficient:
`UnpenalisedNewton` asks a `Likelihood` for predictions, and returns coefficients.
"""

import numpy as np
from scipy import linalg

from shrinklin.data.columns import CopiedColumns, gram_of_parts
from shrinklin.linear_systems import conjugate_gradients, scaled_inverse

_MOST_STEPS = 60
# No raw prediction moves further than this in the first step. The limit
# doubles with every step.
_LONGEST = 100.0
# Where features separate classes, each Newton step adds 1 to a difference of two raw predictions.
# So one of them moves by LONG or more, and the decrease of f is 1/e of that in the step before.
# A step drifts if it is that long but lowers f by at most _FLAT·f(0). After _DRIFTED such steps, f
# counts as having no minimum. The first of them that lowers f by at most _NOTHING·f(0) is the last.
LONG, _FLAT, _NOTHING, _DRIFTED = 0.25, 1e-3, 1e-10, 12
# Relative accuracy of Newton steps. A drifting step may have to go in several directions. A rough
# solution takes only the steepest of them.
_ROUGH, _EXACT = 0.03, 1e-6
# Added to the Hessian of a loss that has a minimum, relative to the bound on its curvature.
_FLOOR = 1e-6
# Once the classes are separated, a step is doubled while that lowers f by more than this share of
# the slope.
_WORTH_DOUBLING = 0.01


class UnpenalisedNewton:
    """Newton's method for the features `features` of a likelihood `f`.

    Attributes
    ----------
    basis : ndarray of shape (n_rows, n_samples)
        Orthonormal rows: `rank` for the features, then one for the intercept.
    """

    def __init__(self, f, features):
        self.f = f
        columns, noise = f.design.columns(features), f.design.noise[f.design.order[features]]
        self.basis, self._scaled_by = _orthonormal(columns, noise)
        f.cost.count_product(f.n_samples, len(features), len(features))
        self.rank = len(self.basis)
        if f.fit_intercept:
            # The row of the intercept is orthogonal to centred columns.
            self.basis = np.vstack([self.basis, f.design.row_scale[:, 0]])

    def coefficients(self, V):
        """W of the features, given the coefficients V of the basis."""
        return self.f.loss.drop_common_shift(self._scaled_by(V[: self.rank]))

    def intercept(self, V):
        """The intercept in V."""
        return V[self.rank :].sum(axis=0)

    def way_to_go(self, found, rounding):
        """Twice the gain of a step from the `Prediction` found, and its longest move.

        Every gradient of a feature may be longer by `rounding`.
        """
        basis, rank = self.basis, self.rank
        if not len(basis):
            return 0.0, 0.0
        left = basis @ found.residual
        left[:rank] = np.sign(left[:rank]) * np.maximum(np.abs(left[:rank]) + rounding, 0.0)
        D = self._direction(found, left, _ROUGH)
        change = self._change(D)
        return max(-float(np.vdot(left, D)), 0.0), np.abs(change).max()

    def descend(self, Z):
        """Newton's method from Z: coefficients of the basis, and whether they are a minimum."""
        f, unit = self.f, self.f.loss.unit
        V, drift = np.zeros((len(self.basis), Z.shape[1])), _Drift(f.value_at_zero)
        found, longest = f.at(Z, np.zeros(Z.shape[1])), _LONGEST * unit
        gradient = self.basis @ found.residual
        for _ in range(_MOST_STEPS):
            gone = np.abs(gradient).max(initial=0.0) <= 1e-12 * unit
            if gone or drift.far or f.ends_at_nothing(found):
                break
            D = self._direction(found, gradient, _EXACT if drift.on else _ROUGH)
            change, rounding = self._change(D), f.rounding_of(Z)
            step, better = self._step(Z, change, found, longest, np.vdot(gradient, D), rounding)
            before, gradient = gradient, self.basis @ better.residual
            level = better.value >= found.value - rounding and not drift.on
            if step == 0 or (level and no_shorter(gradient, before)):
                break
            longest = 2 * longest
            moved = min(step, 1.0) * np.abs(change).max() / unit
            drift.see(moved, found.value - better.value)
            V, Z, found = V + step * D, Z + step * change, better
        endless = drift.seen or f.ends_at_nothing(found)
        return V, f.loss.attained or not endless

    def _change(self, D):
        """Change of the raw predictions along D, coefficients of the basis."""
        return (D.T @ self.basis).T / self.f.design.row_scale

    def _direction(self, found, gradient, tol):
        """The Newton direction at the `Prediction` found, by conjugate gradients."""
        f, basis = self.f, self.basis
        curvatures = f.loss.curvatures(found.state)
        f.cost.count_product(*basis.shape, len(basis))
        root = np.sqrt(curvatures)
        parts = CopiedColumns(basis, np.arange(len(basis))).parts()
        G = gram_of_parts(part * root[samples] for samples, part in parts)
        # A loss that has a minimum may be straight here, as the Huber loss is far from the targets.
        floor = _FLOOR * f.loss.curvature_bound if f.loss.attained else 0.0
        G.flat[:: len(G) + 1] += floor
        inverse = scaled_inverse(G)
        # The curvature of the loss differs between classes as much as their shares do.
        bends = f.loss.mean_hessian_product(found.state, f.weight)[0]
        bends, mean = bends + floor, f.weight @ curvatures + floor
        classes = mean / np.maximum(bends, 1e-14 * bends.max())

        def product(D):
            f.cost.count_product(2, *basis.shape, D.shape[1])
            bent = f.loss.hessian_product(found.state, self._change(D))
            return basis @ (f.design.row_scale * bent) + floor * D

        def bending(D):
            # Leave out directions without curvature, where rounding would cause long steps: absent
            # classes, and the same change for all other classes.
            kept = np.zeros(D.shape)
            kept[:, f.present] = f.loss.drop_common_shift(D[:, f.present])
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
            return self.f.at(Z + step * change, found.intercept)

        room = longest / max(np.abs(change).max(), 1e-300)
        for step in min(1.0, room) * 0.5 ** np.arange(30):
            better = at(step)
            if better.value <= found.value + rounding:
                break
        else:
            return 0.0, found
        # If only some samples are separated, steps are not doubled: `_Drift` needs their length
        # to detect that there is no minimum.
        if step == 1 and self.f.told_apart(better):
            return self._doubled(at, better, room, -_WORTH_DOUBLING * slope)
        return step, better

    def _doubled(self, at, found, room, least):
        """The first of 1, 2, 4, … that is not worth doubling, and the `Prediction` there."""
        step, fallen = 1.0, np.inf
        while 2 * step <= room and fallen > least and not self.f.next_to_nothing(found):
            further = at(2 * step)
            fallen = found.value - further.value
            if fallen > 0:
                step, found = 2 * step, further
        return step, found


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
        return self.moved >= LONG and self.fallen <= _FLAT * self.scale

    @property
    def far(self):
        return self.on and self.fallen <= _NOTHING * self.scale

    @property
    def seen(self):
        # Earlier steps count too, as rounding may spoil the last one.
        return self.moved >= LONG or self.steps >= _DRIFTED


def no_shorter(after, before):
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
