r"""A Newton direction on the smooth entries of W, cheap for any number of targets.

On these entries the Hessian of F is :math:`M - \sum_g e_g u_g u_g'`, where
M = G + diag(d) is the same for every target (see `penalty.Curvature`). Woodbury's
identity reduces the solve to one system with one row per group,

.. math:: y = -M^{-1}\nabla F, \quad
    (\mathrm{diag}(1/e) - K)\, v = (\langle u_g, y\rangle)_g, \quad
    D = y + M^{-1}(v \circ U), \qquad K = Z'(M^{-1} \circ U U') Z

where Z is the indicator matrix of the groups. The majorise-minimise step y is
returned as well. It is the safer one far from the solution, and the only one if
that system is not positive definite (the penalty is not convex).

Targets with different smooth entries (p = 1) have different M.
"""

import numpy as np
from scipy.linalg import lapack

from shrinklin import kernels
from shrinklin.linear_systems import scaled_inverse


class NewtonSystem:
    """(M − Σ_g e_g u_g u_g')⁻¹ on the smooth entries, factored once.

    `gram(rows)` returns a new array G[rows][:, rows]. If the matrix is not positive definite
    (the penalty is not convex), `definite` is False and `solve` uses M alone. The `CostMeter`
    counts one pass over the rows with smooth entries.
    """

    def __init__(self, model, groups, gram, cost):
        self.model, self.groups, self.cost = model, groups, cost
        cost.count_passes(1, np.count_nonzero(model.smooth.any(axis=1)))
        cost.count_updates(np.count_nonzero(model.smooth))
        self.root = np.sqrt(model.e)
        owner = groups.spread(np.arange(len(groups)))
        scaled = groups.spread(self.root)[:, None] * model.U
        K = np.eye(len(groups))
        self.systems = []
        for targets, rows in alike_targets(model.smooth, model.d):
            M = gram(rows)
            M.flat[:: len(M) + 1] += model.d[rows, targets[0]]
            inverse = scaled_inverse(M)
            at = rows if len(targets) == len(scaled.T) else (rows[:, None], targets)
            # A factorisation, the inverse from it, and U U'.
            cost.count_product(len(rows), len(rows), len(rows) + len(targets))
            kernels.subtract_group_sums(K, inverse, scaled[at] @ scaled[at].T, owner[rows])
            self.systems.append((at, inverse))
        cost.count_factorisation(len(K))
        # The lower triangle of K, stored by rows, is the upper triangle of K.T, stored by columns.
        self.factor, failed = lapack.dpotrf(K.T, clean=0, overwrite_a=1)
        self.definite = failed == 0

    def majorised(self, R):
        """M⁻¹R on the smooth entries, zero elsewhere."""
        solution = np.zeros_like(R)
        for at, inverse in self.systems:
            self.cost.count_product(len(inverse), *R[at].shape)
            solution[at] = inverse @ R[at]
        return solution

    def corrected(self, Y):
        """The solution, given Y = M⁻¹R."""
        v = self.root * self.groups.sum((self.model.U * Y).sum(axis=1))
        v = self.root * lapack.dpotrs(self.factor, v)[0]
        return Y + self.majorised(self.groups.spread(v)[:, None] * self.model.U)

    def solve(self, R):
        return self.directions(-R)[0]

    def directions(self, gradient):
        """[D, y], or [y] alone: each (n_features, n_targets), zero except on the smooth entries.

        `gradient` is ∇F on the smooth entries.
        """
        Y = self.majorised(-gradient)
        return [self.corrected(Y), Y] if self.definite else [Y]


def alike_targets(smooth, d):
    """Yield (targets, rows) for each set of targets that share one M.

    They have the same smooth rows, and the same diagonal d on these rows.
    """
    if (smooth == smooth[:, :1]).all() and (d == d[:, :1]).all():
        rows = np.flatnonzero(smooth[:, 0])
        if len(rows):
            yield np.arange(smooth.shape[1]), rows
        return
    patterns: dict[bytes, list[int]] = {}
    for t, column in enumerate(np.hstack([smooth.T, d.T])):
        patterns.setdefault(column.tobytes(), []).append(t)
    for targets in patterns.values():
        rows = np.flatnonzero(smooth[:, targets[0]])
        if len(rows):
            yield np.array(targets), rows
