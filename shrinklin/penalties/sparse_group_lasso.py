r"""The sparse group lasso, and group lasso of coefficients >= 0.

.. math:: \varphi(w) = (1 - \tau) \|w\|_2 + \frac{\tau}{\sqrt m} \|w\|_1

for a group of m features, or infinity if w has to be >= 0 and has a negative entry. With the
default weights ω_g = √m, these are the weights of the sparse group lasso [1]: √m for the norm of a
group, and 1 for every coefficient. And φ(w) ≤ ‖w‖₂ for one target, whatever τ and m are.

References
----------
.. [1] Simon, Friedman, Hastie, Tibshirani (2013), A sparse-group lasso.
"""

from dataclasses import dataclass

import numpy as np

from shrinklin import proximal
from shrinklin.penalties.penalty import Curvature, Penalty

# Newton's method needs some five steps.
_MOST_STEPS = 100


@dataclass(frozen=True)
class SparseGroupLasso(Penalty):
    """φ as above, with τ = `l1_ratio` in [0, 1].

    F is smooth in the entries of W that are not zero.
    """

    l1_ratio: float = 0.0
    positive: bool = False

    power = 1.0
    convex = True

    @property
    def prox(self):  # type: ignore[override]
        return proximal.NONNEGATIVE if self.positive else proximal.SPARSE_GROUP_LASSO

    def _factors(self, sizes):
        """Those of ‖w‖₂ and ‖w‖₁ for groups of these sizes."""
        return 1.0 - self.l1_ratio, self.l1_ratio / np.sqrt(sizes)

    def values(self, W, groups):
        radial, l1 = self._factors(groups.sizes)
        values = radial * groups.norms(W) + l1 * groups.sum(np.abs(W).sum(axis=1))
        if self.positive:
            values[groups.sum((W < 0).sum(axis=1)) > 0] = np.inf
        return values

    def total(self, W, groups, strengths):
        values = self.values(W, groups)
        # Groups of strength 0 have to be >= 0 too, and 0 · inf is NaN.
        return np.inf if np.isinf(values).any() else strengths @ values

    def holding(self, strengths, curvature, groups=None):
        # The shortest gradient that lets a group in has one entry.
        return strengths * sum(self._factors(1 if groups is None else groups.sizes))

    def curvature(self, W, groups, strengths):
        radial, l1 = self._factors(groups.sizes)
        norms = groups.norms(W)
        r = np.where(norms > 0, norms, 1.0)
        e = np.where(norms > 0, radial * strengths / r, 0.0)
        signs = np.sign(W)
        smooth, slope = signs != 0, groups.spread(l1 * strengths)[:, None] * np.abs(signs)
        d = groups.spread(e)[:, None] * smooth
        return Curvature(
            smooth=smooth,
            gradient=d * W + slope * signs,
            d=d,
            e=e,
            U=W / groups.spread(r)[:, None],
            majoriser=d + slope / np.where(smooth, np.abs(W), 1.0),
        )

    def crossed(self, W, model, groups):
        # To be >= 0 is a kink even where nothing is paid.
        return (W * model.U < 0) & (self.positive | (model.majoriser > 0))

    def critical_strength(self, gradient, lipschitz, groups):
        """The root κ of ‖(z − κ l)₊‖ = κ r, where r and l are the factors of ‖w‖₂ and ‖w‖₁.

        z is |gradient|, or -gradient if W has to be >= 0. This is the dual norm of φ. The
        difference of the two sides is convex and falls, so Newton's method from below stays below.
        """
        radial, l1 = self._factors(groups.sizes)
        z = np.maximum(-gradient, 0.0) if self.positive else np.abs(gradient)
        root = np.maximum.reduceat(z.max(axis=1), groups.ptr[:-1]) / (radial + l1)
        for _ in range(_MOST_STEPS):
            S = np.maximum(z - groups.spread(l1 * root)[:, None], 0.0)
            norms = groups.norms(S)
            at = norms > 0
            slope = radial + l1 * groups.sum(S.sum(axis=1)) / np.where(at, norms, 1.0)
            step = np.where(at, norms - radial * root, 0.0) / np.where(at, slope, 1.0)
            root = root + step
            if (np.abs(step) <= 4 * np.finfo(float).eps * root).all():
                break
        return root
