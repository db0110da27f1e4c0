"""The two problems of A.1, their formulas, and the instances that are drawn."""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt

from hypothesis import strategies as st

from proofs_check.claim import exact
from proofs_check.rational import dot, scaled

SOURCE = "Drafts, appendix A.1, Proposition A.1"
FIRST = r"\|Y - X A^\top\|^2 + \lambda \sum_j \|A_j\|_2"
SECOND = r"\|Y - X\,\mathrm{diag}(\beta)\,A'^\top\|^2 + \lambda \|\beta\|_1"
UNIT = r"\|A'_j\|_2 = 1"


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
    """Features and targets (samples are rows), and the strength of the penalty."""

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
        """‖Y − XW‖² summed over samples; the rows of W are the columns of A."""
        total = Fraction(0)
        for x, y in zip(self.X, self.Y, strict=True):
            for k in range(self.n_targets):
                total += (y[k] - dot(x, [column[k] for column in columns])) ** 2
        return total

    def group_lasso(self, columns):
        """The first problem's objective, given the columns of A."""
        return self.error(columns) + self.lam * sum(norm(column) for column in columns)

    def switched(self, units, beta):
        """The second problem's objective, given the columns of A' and β."""
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
    """X and Y, including zero, dependent and constant features, and λ of any sign."""
    # Drawn before the tables, so that these can shrink.
    lam, n_targets = draw(fractions(3)), draw(st.integers(1, 2))
    n_features, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    dependent, factor = draw(st.booleans()), draw(st.integers(-2, 2))
    values = entries(n_features)
    X = draw(tables(n_samples, n_features, values))
    Y = draw(tables(n_samples, n_targets, values))
    if n_features > 1 and dependent:
        # A multiple (perhaps 0) of the first: by chance features are seldom dependent.
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
