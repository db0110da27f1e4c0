r"""Grades the solutions of any solver, by formulas of its own, with numpy and scipy alone.

A solver hands in a W (n_features, n_targets) for every α of a path. There is no intercept, and
‖w_j‖ is the norm of a row:

- squared       f(W) = 1/(2n) ‖Y − XW‖²,                           Y (n_samples, n_targets)
- multinomial   f(W) = 1/n Σ_i logsumexp(z_i) − y_i·z_i,  Z = XW,  Y a column a class, 0 or 1
- logistic      two classes as one logit: z_i against 0,           Y one column, 0 or 1
- group-lasso   F(W) = f(W) + α Σ_j ‖w_j‖
- bridge        F(W) = f(W) + α Σ_j ‖w_j‖^{2/3}  (ShrinkNet)

The grade of a group lasso solution is its duality gap relative to the objective of the empty
model, (F − D)/F(0): what scikit-learn, celer and shrinklin hold against their `tol`. R is Y less
what W predicts, C = X'R/n. The dual point is θ = sR, s = min(1, α / max_j ‖c_j‖), which lies in the
dual ball, and in the domain of D because Y − sR mixes Y with what W predicts. Then F − D is
a sum of terms that are never negative, so that no digits are lost where it is small:

    Σ_j (α‖w_j‖ − s w_j·c_j)  +  (1 − s)²‖R‖²/(2n)                     squared
                              +  1/n Σ_i KL(Y_i − sR_i ‖ Y_i − R_i)    the other two

KL is the divergence of the mixed probabilities from those of W. The bridge is not convex: the
grade is the prox residual max_j √L_j ‖w_j − prox(w_j + c_j/L_j)‖, L_j the Lipschitz constant
of feature j, divided by that of W = 0 without penalty, max_j ‖c_j‖/√L_j.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import log_expit, log_softmax, xlogy

# Of each loss: L_j = curvature · ‖x_j‖²/n.
CURVATURES = {"squared": 1.0, "multinomial": 0.5, "logistic": 0.25}
PENALTIES = ("group-lasso", "bridge")
# So many solutions are multiplied by X' in one product.
_AT_ONCE = 20


@dataclass(frozen=True)
class Grade:
    """Of a path.

    Attributes
    ----------
    worst : float
        Largest relative duality gap, or prox residual; infinite if an alpha has no finite W.
    objective : float
        Mean over the alphas; nan if an alpha has no finite W.
    rows : float
        Features kept (rows of W that are not zero) at the last alpha; nan if that has no finite W.
    finished : int
        How many alphas have a finite W.
    """

    worst: float
    objective: float
    rows: float
    finished: int


@dataclass(frozen=True)
class Solution:
    """The rows of a W that are not zero, and which they are."""

    support: np.ndarray
    rows: np.ndarray

    @property
    def norms(self):
        return row_norms(self.rows)


class Judge:
    """A problem, and what can be known of it before any solution comes in."""

    def __init__(self, X, Y, loss="squared", penalty="group-lasso"):
        for name, given, known in (
            ("loss", loss, tuple(CURVATURES)),
            ("penalty", penalty, PENALTIES),
        ):
            if given not in known:
                raise ValueError(f"{name}={given!r}: give one of {known}.")
        # The columns are what is picked and multiplied here.
        self.X = X.tocsc() if sparse.issparse(X) else X
        self.Y, self.loss, self.penalty = Y, loss, penalty
        self.n_samples, self.n_features = X.shape

    def alphas(self, n, eps):
        """n strengths, from the least whose W is zero down to eps times it."""
        return self.alpha_max * np.geomspace(1, eps, n)

    @cached_property
    def alpha_max(self):
        """For the bridge: the least at which a step from W = 0 stays there."""
        norms = row_norms(self._correlation_of_zero)
        if self.penalty == "group-lasso":
            return norms.max()
        used = self.lipschitz > 0
        L, norms = self.lipschitz[used], norms[used]
        return (1.5 * L * (norms / (2 * L)) ** (4 / 3)).max()

    def grade(self, path, alphas):
        """`Grade` of the solutions, in the order of alphas; a short path is unfinished."""
        if len(path) > len(alphas):
            raise ValueError(f"{len(path)} solutions for {len(alphas)} alphas: give one each.")
        solutions = [self._solution(W) for W in path]
        done = [i for i, solution in enumerate(solutions) if solution is not None]
        grades = np.full(len(alphas), np.inf)
        values = np.full(len(alphas), np.nan)
        for start in range(0, len(done), _AT_ONCE):
            some = done[start : start + _AT_ONCE]
            measured = self._measure([solutions[i] for i in some], np.asarray(alphas)[some])
            grades[some], values[some] = np.transpose(measured)
        complete = len(alphas) - 1 in done
        rows = len(solutions[-1].support) if complete else np.nan
        return Grade(float(grades.max()), float(values.mean()), rows, len(done))

    def _solution(self, W):
        """None for what is not finite."""
        expected = self.n_features, self.Y.shape[1]
        if np.shape(W) != expected:
            raise ValueError(f"W has shape {np.shape(W)}: a solver is to give {expected}.")
        if not np.isfinite(W).all():
            return None
        support = np.flatnonzero(np.any(W, axis=1))
        return Solution(support, W[support])

    def _measure(self, solutions, alphas):
        """(grade, objective) of each."""
        predictions = [self._predictions(solution) for solution in solutions]
        correlations = self._correlations(solutions, predictions)
        measure = self._gap if self.penalty == "group-lasso" else self._prox_residual
        each = zip(solutions, predictions, correlations, alphas, strict=True)
        return [measure(solution, Z, C, alpha) for solution, Z, C, alpha in each]

    # What follows needs X, or X'X instead where that is smaller: then there is no Z = XW.

    @cached_property
    def _gram(self):
        """X'X, X'Y and ‖Y‖² where they say all about the loss and are less than the data."""
        if self.loss != "squared" or self.n_samples <= self.n_features:
            return None
        G = self.X.T @ self.X
        return _dense(G), self.X.T @ self.Y, np.sum(self.Y**2)

    def _predictions(self, solution):
        if self._gram is not None:
            return None
        return self.X[:, solution.support] @ solution.rows

    def _correlations(self, solutions, predictions):
        """C = X'R/n of each."""
        if self._gram is not None:
            G, XY, _ = self._gram
            return [(XY - G[:, s.support] @ s.rows) / self.n_samples for s in solutions]
        residuals = np.hstack([self._residual(Z) for Z in predictions])
        return np.split(self.X.T @ residuals / self.n_samples, len(solutions), axis=1)

    @cached_property
    def _correlation_of_zero(self):
        zero = Solution(np.empty(0, dtype=int), np.empty((0, self.Y.shape[1])))
        return self._correlations([zero], [self._predictions(zero)])[0]

    def _residual(self, Z):
        return self.Y - (Z if self.loss == "squared" else np.exp(self._log_probabilities(Z)[0]))

    def _log_probabilities(self, Z):
        """A list: of the classes that have a column, then of the class that has none."""
        if self.loss == "multinomial":
            return [log_softmax(Z, axis=1)]
        return [log_expit(Z), log_expit(-Z)]

    def _squared_norm(self, solution, Z, C):
        """‖R‖²"""
        if Z is not None:
            return np.sum(self._residual(Z) ** 2)
        _, XY, square = self._gram
        support = solution.support
        return square - np.sum(solution.rows * (XY[support] + self.n_samples * C[support]))

    def _loss_and_mixing(self, solution, Z, C, scale):
        """f(W), and the last of the terms of F − D in the head of this file."""
        if self.loss == "squared":
            half = self._squared_norm(solution, Z, C) / (2 * self.n_samples)
            return half, (1 - scale) ** 2 * half
        logs = self._log_probabilities(Z)
        classes = [self.Y, 1 - self.Y][: len(logs)]
        value = divergence = 0.0
        for Y, log in zip(classes, logs, strict=True):
            mixed = (1 - scale) * Y + scale * np.exp(log)
            value -= np.sum(Y * log)
            divergence += np.sum(xlogy(mixed, mixed) - mixed * log)
        return value / self.n_samples, divergence / self.n_samples

    def _gap(self, solution, Z, C, alpha):
        """Duality gap relative to F(0), and F."""
        largest = row_norms(C).max()
        scale = min(1.0, alpha / largest) if largest > 0 else 1.0
        loss, mixing = self._loss_and_mixing(solution, Z, C, scale)
        products = np.sum(solution.rows * C[solution.support])
        penalty = alpha * solution.norms.sum()
        value = loss + penalty
        gap = max(penalty - scale * products + mixing, 0.0)
        return gap / self.value_at_zero, value

    @cached_property
    def value_at_zero(self):
        """F(0), the same for both penalties; 1 where nothing is to be explained."""
        if self.loss == "squared":
            return np.sum(self.Y**2) / (2 * self.n_samples) or 1.0
        return np.log(max(self.Y.shape[1], 2))

    def _prox_residual(self, solution, Z, C, alpha):
        """Relative prox residual, and F."""
        W = np.zeros(C.shape)
        W[solution.support] = solution.rows
        used = self.lipschitz > 0
        L, W = self.lipschitz[used], W[used]
        ahead, steps = W + C[used] / L[:, None], alpha / L
        # The prox jumps. On the edge, where rounding decides, either value will do.
        targets = [bridge_prox(ahead, steps, edge) for edge in (1 - 1e-9, 1 + 1e-9)]
        distances = np.min([row_norms(W - target) for target in targets], axis=0)
        residual = (np.sqrt(L) * distances).max()
        loss, _ = self._loss_and_mixing(solution, Z, C, 1.0)
        return residual / self._residual_scale, loss + alpha * np.sum(solution.norms ** (2 / 3))

    @cached_property
    def lipschitz(self):
        if sparse.issparse(self.X):
            squares = np.asarray(self.X.multiply(self.X).sum(axis=0)).ravel()
        else:
            squares = np.einsum("ij,ij->j", self.X, self.X)
        return CURVATURES[self.loss] * squares / self.n_samples

    @cached_property
    def _residual_scale(self):
        used = self.lipschitz > 0
        norms = row_norms(self._correlation_of_zero)
        return (norms[used] / np.sqrt(self.lipschitz[used])).max()


def bridge_prox(Z, steps, edge=1.0):
    """argmin over W of ½‖W − Z‖² + Σ_j step_j ‖w_j‖^{2/3}; a row above `edge` times the least
    norm that is kept is kept.

    A row keeps its direction. Its norm is u³, u the largest root of u⁴ − ‖z‖u + 2 step/3, which
    Newton's method finds from ‖z‖^{1/3} above it.
    """
    norms, c = row_norms(Z), 2 * np.asarray(steps) / 3
    kept = norms > edge * 2 * c**0.75
    z, c = norms[kept], c[kept]
    u = np.cbrt(z)
    for _ in range(60):
        u -= (u**4 - z * u + c) / (4 * u**3 - z)
    W = np.zeros_like(Z)
    W[kept] = Z[kept] * (u**3 / z)[:, None]
    return W


def row_norms(W):
    return np.sqrt(np.einsum("ij,ij->i", W, W))


def _dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else matrix
