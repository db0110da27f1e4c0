"""A.1 corrected: the two infima are equal, each found numerically by its own method."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import inf, pi

import cvxpy as cp
import numpy as np
from hypothesis import strategies as st
from scipy.optimize import minimize

from proofs_check.a1_group_lasso.problem import FIRST, SECOND, SOURCE, UNIT, problems
from proofs_check.a1_group_lasso.unbounded import along, unbounded
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import null_vector

# How much two methods may differ, relative to 1 + ‖Y‖² + |infimum|.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Moments:
    """The error ‖Y − XW‖² = yy − 2⟨C, W⟩ + ⟨W, GW⟩ in floats, and λ."""

    G: np.ndarray
    C: np.ndarray
    yy: float
    lam: float

    @classmethod
    def of(cls, problem):
        X, Y = np.array(problem.X, dtype=float), np.array(problem.Y, dtype=float)
        return cls(X.T @ X, X.T @ Y, float(np.sum(Y * Y)), float(problem.lam))

    def error(self, W):
        """The error of one W, or of a stack."""
        return self.yy + np.sum(W * (self.G @ W - 2 * self.C), axis=(-2, -1))


def directions(n_features, n_targets, turn=0.0, n_angles=8):
    """A stack of matrices with rows of norm 1, in all combinations of directions."""
    if n_targets == 1:
        circle = np.array([[1.0], [-1.0]])
    else:
        angles = turn + 2 * pi * np.arange(n_angles) / n_angles
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.array(list(product(circle, repeat=n_features)))


def group_lasso_infimum(problem):
    """The first problem's infimum, if it is finite."""
    if problem.lam >= 0:
        return conic(problem, lambda W: cp.sum(cp.norm(W, 2, axis=1)))
    return quasi_newton(Moments.of(problem))


def conic(problem, penalty):
    """The infimum of the error plus λ times a convex penalty."""
    X, Y = np.array(problem.X, dtype=float), np.array(problem.Y, dtype=float)
    W = cp.Variable((problem.n_features, problem.n_targets))
    objective = cp.sum_squares(Y - X @ W) + float(problem.lam) * penalty(W)
    return cp.Problem(cp.Minimize(objective)).solve(solver=cp.CLARABEL)


def quasi_newton(moments, n_starts=4):
    """The first problem's infimum for λ < 0: then no row of a minimum is zero."""
    n_features, n_targets = shape = moments.C.shape

    def value_and_gradient(w):
        W = w.reshape(shape)
        norms = np.linalg.norm(W, axis=1, keepdims=True)
        gradient = 2 * (moments.G @ W - moments.C) + moments.lam * W / np.maximum(norms, 1e-300)
        return moments.error(W) + moments.lam * norms.sum(), gradient.ravel()

    # At a minimum, whose rows have directions U, G W = C − λ U / 2.
    units = directions(n_features, n_targets, turn=0.3)
    starts = np.linalg.solve(moments.G, moments.C - moments.lam / 2 * units)
    values = moments.error(starts) + moments.lam * np.linalg.norm(starts, axis=2).sum(axis=1)
    best = starts[np.argsort(values)[:n_starts]]
    options = {"ftol": 1e-10, "gtol": 1e-6}
    return min(
        minimize(value_and_gradient, W.ravel(), jac=True, method="L-BFGS-B", options=options).fun
        for W in best
    )


def switched_infimum(problem, starts=slice(None)):
    """The second problem's infimum, if it is finite; for λ < 0 from the selected starts."""
    moments = Moments.of(problem)
    if moments.lam >= 0:
        # Descent over pairs cannot get stuck: the error is smooth and convex in β_j A'_j.
        units = directions(*moments.C.shape)[:1]
        return pairwise(moments, units, np.zeros(units.shape[:2]))
    units = directions(*moments.C.shape)[starts]
    # The best β > 0 for each A' is enough, as A' takes every sign.
    H = moments.G * (units @ units.transpose(0, 2, 1))
    gain = np.sum(units * moments.C, axis=2) - moments.lam / 2
    beta = np.linalg.solve(H, gain[..., None])[..., 0]
    best = np.argsort(switched_values(moments, units, beta))[:16]
    return pairwise(moments, units[best], beta[best])


def switched_values(moments, units, beta):
    return moments.error(beta[..., None] * units) + moments.lam * np.abs(beta).sum(axis=1)


def pairwise(moments, units, beta, max_sweeps=3000):
    """The least value reached from a stack of starts, by steps over one pair (β_j, A'_j)."""
    units, beta = units.copy(), beta.copy()
    for _ in range(max_sweeps):
        before = beta[..., None] * units
        for j in range(beta.shape[1]):
            improve_pair(moments, units, beta, j)
        if np.max(np.abs(beta[..., None] * units - before)) < 1e-9:
            break
    return float(np.min(switched_values(moments, units, beta)))


def improve_pair(moments, units, beta, j):
    """Minimise over β_j and the unit vector A'_j together: g β² − 2 β ⟨c, u⟩ + λ |β|."""
    g = moments.G[j, j]
    if g == 0:
        beta[:, j] = 0
        return
    c = moments.C[j] - moments.G[j] @ (beta[..., None] * units) + g * beta[:, j, None] * units[:, j]
    size = np.linalg.norm(c, axis=1)
    moved = size > 0
    units[moved, j] = c[moved] / size[moved, None]
    beta[:, j] = np.maximum(size - moments.lam / 2, 0) / g


def infima_equal(problem, right=switched_infimum):
    if problem.lam < 0:
        vector = null_vector(problem.X)
        if vector is not None:
            return both_unbounded(problem, vector)
    first, second = group_lasso_infimum(problem), right(problem)
    scale = 1 + Moments.of(problem).yy + abs(first)
    if abs(first - second) <= TOLERANCE * scale:
        return None
    return f"the infima are {exact(float(first))} and {exact(float(second))}"


def both_unbounded(problem, vector):
    left, right = along(problem, vector)
    if unbounded(left) and unbounded(right):
        return None
    return f"along v = {exact(vector)} the objectives go {exact(left)} and {exact(right)}"


def from_one_start(problem):
    return switched_infimum(problem, slice(1))


def many_minima(problem):
    """Whether λ < 0 and there are several, independent features: then local minima exist."""
    return problem.lam < 0 and problem.n_features > 1 and null_vector(problem.X) is None


def norms_among(*sizes):
    """The second problem's infimum if A'_j may have any of these norms."""

    def infimum(problem):
        # Norm r divides the switches by r, so λ as well; the same r for all features is enough.
        return min(switched_infimum(replace(problem, lam=problem.lam / r)) for r in sizes)

    return infimum


def euclidean_infimum(problem):
    if problem.lam < 0:
        return switched_infimum(problem)
    return conic(problem, lambda W: cp.norm(W, "fro"))


def ridge_infimum(problem):
    """The infimum with λ ‖β‖₂² in place of λ ‖β‖₁."""
    moments = Moments.of(problem)
    if moments.lam < 0 and np.linalg.eigvalsh(moments.G)[0] + moments.lam <= 0:
        return -inf
    H = moments.G + moments.lam * np.eye(len(moments.G))
    W = np.linalg.lstsq(H, moments.C, rcond=None)[0]
    return moments.error(W) + moments.lam * np.sum(W * W)


SMALL = problems(
    # With small integers, features are dependent or clearly independent.
    entries=lambda n_features: st.integers(-3, 3) if n_features < 3 else st.integers(-1, 1),
)

CLAIM = Claim(
    name="A.1 corrected: infima",
    formula=(
        r"\inf_A\; " + FIRST,
        r"=\; \inf_{A', \beta}\; " + SECOND + r" \quad \mathrm{s.t.}\; " + UNIT,
        r"= -\infty \;\Longleftrightarrow\; \lambda < 0 \;\mathrm{and}\;"
        r" \mathrm{rank}\,X < p",
    ),
    says="The infima are equal, and −∞ only where λ < 0 and features are dependent.",
    source=SOURCE + ", corrected",
    domain="small integers X and Y, 1 to 4 samples, 1 to 3 features, λ ∈ ℝ",
    instances=SMALL,
    violation=infima_equal,
    mutants=(
        Mutant(
            "λ is counted twice",
            lambda p: infima_equal(p, lambda q: switched_infimum(replace(q, lam=2 * q.lam))),
        ),
        Mutant("‖A'_j‖ ≥ 1", lambda p: infima_equal(p, norms_among(1, 10, 1000))),
        Mutant(
            "‖A'_j‖ ≤ 1",
            lambda p: infima_equal(p, norms_among(1, Fraction(1, 10), Fraction(1, 1000))),
        ),
        Mutant("‖β‖₂ for ‖β‖₁", lambda p: infima_equal(p, euclidean_infimum)),
        Mutant("‖β‖₂² for ‖β‖₁", lambda p: infima_equal(p, ridge_infimum)),
        Mutant(
            "one start finds the infimum for λ < 0",
            lambda p: infima_equal(p, from_one_start),
            SMALL.filter(many_minima),
        ),
    ),
)
