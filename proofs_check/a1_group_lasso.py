r"""A.1: the group lasso is the switched linear model whose weights have unit norm.

Printed, as Proposition A.1, for all n, p, x, y and λ ∈ ℝ:

.. math:: \min_A \|y - A x\|_2^2 + \lambda \sum_j \|A_j\|_2
    = \min_{A', \beta} \|y - A'\,\mathrm{diag}(\beta)\,x\|_2^2 + \lambda \|\beta\|_1
    \quad \text{s.t. } \|A'_j\|_2 = 1,

where A_j, the j-th column of A, has the weights of feature j. The proof takes A, sets
β_j = ‖A_j‖² and A' = A diag(β)⁻¹, and goes from λ Σ ‖A_j‖² to λ Σ |β_j|.

What is true: the two infima are equal, and for λ ≥ 0, or features that are linearly
independent, they are minima. For λ < 0 and dependent features both are −∞: along a
combination of features that is zero the error stays and the penalty falls. The one sample of
the print makes any two features dependent. The proof needs β_j = ‖A_j‖, any unit vector
for A'_j where A_j = 0, and norms that are not squared; what it then shows is right.

Data are X (a sample a row) and Y, and the error is summed over samples. Values at points are
exact: the points have weights of rational norm. Each infimum is found by a method of its own:
on the left a conic solver for λ ≥ 0 and a quasi-Newton method from many starts for λ < 0, on
the right descent over one pair (β_j, A'_j) at a time.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import inf, isqrt, pi, sqrt

import cvxpy as cp
import numpy as np
from hypothesis import strategies as st
from scipy.optimize import minimize

from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot, null_vector, scaled

SOURCE = "Drafts, appendix A.1, Proposition A.1"

# Of 1 + ‖Y‖² + |infimum|: what two methods for the same infimum may differ by.
TOLERANCE = 1e-5

STEPS = (Fraction(1), Fraction(10), Fraction(100))


def root(square):
    """The square root of a fraction, exact where it is rational."""
    top, bottom = isqrt(square.numerator), isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return Fraction(top, bottom)
    return sqrt(square)


def norm(vector):
    return root(sum((v * v for v in vector), Fraction(0)))


@dataclass(frozen=True)
class Problem:
    """Features, targets (a sample a row) and the strength of the penalty."""

    X: tuple
    Y: tuple
    lam: Fraction

    @property
    def n_features(self):
        return len(self.X[0])

    @property
    def n_targets(self):
        return len(self.Y[0])

    def error(self, columns):
        """‖Y − XW‖² summed over samples, W having the columns of A as its rows."""
        total = Fraction(0)
        for x, y in zip(self.X, self.Y, strict=True):
            for k in range(self.n_targets):
                total += (y[k] - dot(x, [column[k] for column in columns])) ** 2
        return total

    def group_lasso(self, columns):
        """The first problem's objective, of the columns of A."""
        return self.error(columns) + self.lam * sum(norm(column) for column in columns)

    def switched(self, units, beta):
        """The second problem's objective, of the columns of A' and of β."""
        return self.error(scaled(beta, units)) + self.lam * sum(abs(b) for b in beta)

    def __str__(self):
        return f"X = {exact(self.X)}, Y = {exact(self.Y)}, λ = {self.lam}"


@dataclass(frozen=True)
class Point:
    """A point of the second problem; A' diag(β) is one of the first."""

    problem: Problem
    units: tuple
    beta: tuple

    @property
    def columns(self):
        return scaled(self.beta, self.units)

    def __str__(self):
        return f"{self.problem}, A' = {exact(self.units)} (by columns), β = {exact(self.beta)}"


@dataclass(frozen=True)
class Weights:
    """The columns of a matrix A, of rational norm."""

    columns: tuple

    def __str__(self):
        return f"A = {exact(self.columns)} (by columns)"


def fractions(bound):
    return st.fractions(-bound, bound, max_denominator=3)


def tables(n_rows, n_columns, entries):
    return st.tuples(*[st.tuples(*[entries] * n_columns)] * n_rows)


@st.composite
def problems(draw, entries=lambda n_features: fractions(3)):
    """X and Y, zero, dependent and constant features among them, and λ of any sign."""
    # What the tables do not move comes first, so that they can shrink.
    lam, n_targets = draw(fractions(3)), draw(st.integers(1, 2))
    n_features, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    dependent, factor = draw(st.booleans()), draw(st.integers(-2, 2))
    values = entries(n_features)
    X = draw(tables(n_samples, n_features, values))
    Y = draw(tables(n_samples, n_targets, values))
    if n_features > 1 and dependent:
        # A multiple of the first feature, which may be 0: dependent ones are rare by chance.
        X = tuple((*row[:-1], factor * row[0]) for row in X)
    return Problem(X, Y, lam)


# Unit vectors with rational entries, of one or two targets.
UNITS = {
    1: tuple((Fraction(u),) for u in (1, -1)),
    2: tuple(
        (Fraction(p, r), Fraction(q, r))
        for p, q, r in [(1, 0, 1), (0, 1, 1), (-1, 0, 1), (3, 4, 5), (4, -3, 5), (-5, 12, 13)]
    ),
}


@st.composite
def points(draw):
    problem = draw(problems())
    n_features = problem.n_features
    units = draw(st.tuples(*[st.sampled_from(UNITS[problem.n_targets])] * n_features))
    return Point(problem, units, draw(st.tuples(*[fractions(3)] * n_features)))


@st.composite
def weights(draw, zeros):
    n_features, n_targets = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    units = draw(st.tuples(*[st.sampled_from(UNITS[n_targets])] * n_features))
    sizes = fractions(3) if zeros else fractions(3).filter(bool)
    return Weights(scaled(draw(st.tuples(*[sizes] * n_features)), units))


# The statement, exactly


def along(problem, vector):
    """Both objectives where β = t v and every A'_j is the same unit vector, at the steps t."""
    units = (UNITS[problem.n_targets][0],) * problem.n_features
    betas = [tuple(t * v for v in vector) for t in STEPS]
    left = [problem.group_lasso(scaled(beta, units)) for beta in betas]
    return left, [problem.switched(units, beta) for beta in betas]


def slope(values):
    """By how much values at the steps change a step, or None where not linearly."""
    slopes = {
        (value - values[0]) / (t - STEPS[0]) for value, t in zip(values[1:], STEPS[1:], strict=True)
    }
    return slopes.pop() if len(slopes) == 1 else None


def unbounded(values):
    # Linear where X v = 0: the error does not change, and norms are homogeneous.
    rate = slope(values)
    return rate is not None and rate < 0


def minima_exist(problem):
    vector = null_vector(problem.X)
    if vector is None:
        return None
    left, right = along(problem, vector)
    if not (unbounded(left) or unbounded(right)):
        return None
    return (
        f"Xv = 0 for v = {exact(vector)}: along t v the objectives at t = {exact(STEPS)} are "
        f"{exact(left)} and {exact(right)}, {-slope(left)} less at every step, without bound"
    )


# The printed proof


def printed_units(weights):
    for j, column in enumerate(weights.columns, start=1):
        beta = norm(column) ** 2
        unit = [v / beta for v in column]
        if norm(unit) != 1:
            return f"β_{j} = {beta} makes A'_{j} = {exact(unit)}, of norm {norm(unit)}"
    return None


def printed_inverse(weights):
    for j, column in enumerate(weights.columns, start=1):
        if norm(column) == 0:
            return f"β_{j} = 0, so that diag(β) has no inverse and A'_{j} is not defined"
    return None


def printed_first_line(point):
    problem, columns = point.problem, point.columns
    objective = problem.group_lasso(columns)
    line = problem.error(columns) + problem.lam * sum(norm(column) ** 2 for column in columns)
    return None if line == objective else f"the objective is {objective}, the line is {line}"


def printed_third_line(point):
    problem, error = point.problem, point.problem.error(point.columns)
    second = error + problem.lam * sum(norm(column) ** 2 for column in point.columns)
    third = error + problem.lam * sum(abs(b) for b in point.beta)
    return None if second == third else f"the second line is {second}, the third {third}"


# The corrected proof, point by point


def any_unit(column):
    return UNITS[len(column)][0]


def split(columns, size=norm, of_zero=any_unit):
    """A' and β with A = A' diag(β)."""
    beta = [size(column) for column in columns]
    units = [
        tuple(v / b for v in column) if b else of_zero(column)
        for column, b in zip(columns, beta, strict=True)
    ]
    return units, beta


def points_map(point, split=split, left=Problem.group_lasso, right=Problem.switched):
    """Fails where a point of one problem has none of the same value in the other."""
    problem, columns = point.problem, point.columns
    value, switched = left(problem, columns), right(problem, point.units, point.beta)
    if value != switched:
        return f"A' diag(β) has the value {exact(value)}, (A', β) has {exact(switched)}"
    units, beta = split(columns)
    norms = [norm(unit) for unit in units]
    if any(size != 1 for size in norms):
        return f"A = {exact(columns)} goes to columns of norms {exact(norms)}"
    switched = right(problem, units, beta)
    if value != switched:
        return f"A has the value {exact(value)}, its (A', β) has {exact(switched)}"
    return None


def squared_norms(problem, columns):
    return problem.error(columns) + problem.lam * sum(norm(c) ** 2 for c in columns)


def euclidean_switches(problem, units, beta):
    return problem.error(scaled(beta, units)) + problem.lam * norm(beta)


def signed_switches(problem, units, beta):
    return problem.error(scaled(beta, units)) + problem.lam * sum(beta)


# The corrected statement: the infima, numerically


@dataclass(frozen=True)
class Moments:
    """The error in floats: ‖Y − XW‖² = yy − 2⟨C, W⟩ + ⟨W, GW⟩, and λ."""

    G: np.ndarray
    C: np.ndarray
    yy: float
    lam: float

    @classmethod
    def of(cls, problem):
        X, Y = np.array(problem.X, dtype=float), np.array(problem.Y, dtype=float)
        return cls(X.T @ X, X.T @ Y, float(np.sum(Y * Y)), float(problem.lam))

    def error(self, W):
        """Of one W, or of a stack."""
        return self.yy + np.sum(W * (self.G @ W - 2 * self.C), axis=(-2, -1))


def directions(n_features, n_targets, turn=0.0, n_angles=8):
    """A stack of matrices with rows of norm 1, over all directions."""
    if n_targets == 1:
        circle = np.array([[1.0], [-1.0]])
    else:
        angles = turn + 2 * pi * np.arange(n_angles) / n_angles
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.array(list(product(circle, repeat=n_features)))


def group_lasso_infimum(problem):
    """The first problem's infimum, where it is finite."""
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
    """The first problem's infimum for λ < 0, where its minimum has no zero row."""
    n_features, n_targets = shape = moments.C.shape

    def value_and_gradient(w):
        W = w.reshape(shape)
        norms = np.linalg.norm(W, axis=1, keepdims=True)
        gradient = 2 * (moments.G @ W - moments.C) + moments.lam * W / np.maximum(norms, 1e-300)
        return moments.error(W) + moments.lam * norms.sum(), gradient.ravel()

    # A minimum has the rows' directions U in its own gradient: G W = C − λ U / 2.
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
    """The second problem's infimum, where it is finite; for λ < 0 from some of its starts."""
    moments = Moments.of(problem)
    if moments.lam >= 0:
        # The pairs cannot get stuck: the error is smooth and convex in their product.
        units = directions(*moments.C.shape)[:1]
        return pairwise(moments, units, np.zeros(units.shape[:2]))
    units = directions(*moments.C.shape)[starts]
    # The best β > 0 for each A', every sign of A' being among them.
    H = moments.G * (units @ units.transpose(0, 2, 1))
    gain = np.sum(units * moments.C, axis=2) - moments.lam / 2
    beta = np.linalg.solve(H, gain[..., None])[..., 0]
    best = np.argsort(switched_values(moments, units, beta))[:16]
    return pairwise(moments, units[best], beta[best])


def switched_values(moments, units, beta):
    return moments.error(beta[..., None] * units) + moments.lam * np.abs(beta).sum(axis=1)


def pairwise(moments, units, beta, max_sweeps=3000):
    """The least value reached from a stack of starts, a pair (β_j, A'_j) at a time."""
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
    """Whether λ < 0 and features are several and independent: then there are local minima."""
    return problem.lam < 0 and problem.n_features > 1 and null_vector(problem.X) is None


def norms_among(*sizes):
    """The second problem's infimum where A'_j may have any of some norms."""

    def infimum(problem):
        # A norm r divides the switches by r, so λ: one norm for all features bounds it.
        return min(switched_infimum(replace(problem, lam=problem.lam / r)) for r in sizes)

    return infimum


def euclidean_infimum(problem):
    if problem.lam < 0:
        return switched_infimum(problem)
    return conic(problem, lambda W: cp.norm(W, "fro"))


def ridge_infimum(problem):
    """With λ ‖β‖₂² in the place of λ ‖β‖₁."""
    moments = Moments.of(problem)
    if moments.lam < 0 and np.linalg.eigvalsh(moments.G)[0] + moments.lam <= 0:
        return -inf
    H = moments.G + moments.lam * np.eye(len(moments.G))
    W = np.linalg.lstsq(H, moments.C, rcond=None)[0]
    return moments.error(W) + moments.lam * np.sum(W * W)


SMALL = problems(
    # Small integers keep dependent features and nearly dependent ones apart.
    entries=lambda n_features: st.integers(-3, 3) if n_features < 3 else st.integers(-1, 1),
)

FIRST = r"\|Y - X A^\top\|^2 + \lambda \sum_j \|A_j\|_2"
SECOND = r"\|Y - X\,\mathrm{diag}(\beta)\,A'^\top\|^2 + \lambda \|\beta\|_1"
UNIT = r"\|A'_j\|_2 = 1"

CLAIMS = (
    Claim(
        name="A.1 as printed",
        formula=(
            r"\min_A\; " + FIRST,
            r"=\; \min_{A', \beta}\; " + SECOND + r" \quad \mathrm{s.t.}\; " + UNIT,
        ),
        says="Both minima exist, for every real λ.",
        source=SOURCE,
        domain="every X, Y and λ ∈ ℝ",
        instances=problems(),
        violation=minima_exist,
        corrected=False,
    ),
    Claim(
        name="A.1 printed proof",
        formula=(
            r"\beta_j = \|A_j\|_2^2,\quad A' = A\,\mathrm{diag}(\beta)^{-1}"
            r"\;\Longrightarrow\; " + UNIT,
        ),
        says="The proof's A' has columns of norm 1.",
        source=SOURCE,
        domain="every A with no zero column",
        instances=weights(zeros=False),
        violation=printed_units,
        corrected=False,
    ),
    Claim(
        name="A.1 printed proof: zero columns",
        formula=(r"A' = A\,\mathrm{diag}(\beta)^{-1}",),
        says="The proof's A' is defined for every A.",
        source=SOURCE,
        domain="every A",
        instances=weights(zeros=True),
        violation=printed_inverse,
        corrected=False,
    ),
    Claim(
        name="A.1 printed identity",
        formula=(FIRST + r" = \|Y - X A^\top\|^2 + \lambda \sum_j \|A_j\|_2^2",),
        says="The proof's first line is the first problem's objective.",
        source=SOURCE,
        domain="every A of rational norms, X, Y and λ ∈ ℝ",
        instances=points(),
        violation=printed_first_line,
        corrected=False,
    ),
    Claim(
        name="A.1 printed identity: third line",
        formula=(r"\lambda \sum_j \|A'_j \beta_j\|_2^2 = \lambda \sum_j |\beta_j| \cdot 1",),
        says="The proof's second line equals its third.",
        source=SOURCE,
        domain="every β and A' with rational columns of norm 1, X, Y and λ ∈ ℝ",
        instances=points(),
        violation=printed_third_line,
        corrected=False,
    ),
    Claim(
        name="A.1 corrected",
        formula=(
            r"A \mapsto (A', \beta):\quad \beta_j = \|A_j\|_2,\quad A'_j = A_j / \beta_j"
            r"\;\; (\mathrm{any\ unit\ vector\ where\ } A_j = 0)",
            r"(A', \beta) \mapsto A = A'\,\mathrm{diag}(\beta)",
        ),
        says="Each point of one problem has one of the same value in the other.",
        source=SOURCE + ", corrected",
        domain="every A of rational norms, β of any sign, X, Y and λ ∈ ℝ, exactly",
        instances=points(),
        violation=points_map,
        mutants=(
            Mutant(
                "β is the squared norm",
                lambda p: points_map(p, lambda A: split(A, lambda column: norm(column) ** 2)),
            ),
            Mutant(
                "a zero column of A stays zero in A'",
                lambda p: points_map(p, lambda A: split(A, of_zero=lambda column: column)),
            ),
            Mutant(
                "λ is counted twice",
                lambda p: points_map(p, left=lambda q, A: replace(q, lam=2 * q.lam).group_lasso(A)),
            ),
            Mutant("norms are squared", lambda p: points_map(p, left=squared_norms)),
            Mutant("‖β‖₂ for ‖β‖₁", lambda p: points_map(p, right=euclidean_switches)),
            Mutant("Σ β for Σ |β|", lambda p: points_map(p, right=signed_switches)),
        ),
    ),
    Claim(
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
    ),
)
