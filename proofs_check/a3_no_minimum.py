r"""A.3: penalising the switches alone leaves the least-squares problem without a minimiser.

Printed, as Proposition A.3:

.. math:: \min_{A, \beta} \|y - A\,\mathrm{diag}(\beta)\,x\|_2^2 + \lambda \|\beta\|_1
          \text{ has no solution if } \lambda > 0

with the proof: (2A*, β*/2) has the same first term and a smaller second, so (A*, β*) is no
minimum.

What is true, for λ > 0: there is no minimiser if and only if X'Y ≠ 0. The printed step needs
β* ≠ 0, since half of zero is zero. At β = 0 the value is ‖Y‖², and

- if X'Y ≠ 0, least-squares weights W have a residual RSS < ‖Y‖². With β_j = 1/m and
  a_j = m w_j the value is RSS + λp'/m, where p' is the number of rows w_j ≠ 0. So β = 0 is no
  minimum either, and the infimum is RSS;
- if X'Y = 0, then ‖Y − XW‖² = ‖Y‖² + ‖XW‖² for every W, and β = 0 attains the infimum.

Samples are rows: X is n × p and Y is n × q. The rows of A are the a_j, and those of
W = diag(β) A are β_j a_j, so the objective is

.. math:: f(A, \beta) = \|Y - X\,\mathrm{diag}(\beta) A\|_F^2 + \lambda \sum_j |\beta_j|.

Everything is decided in exact arithmetic.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import ZERO, dot, least_squares, moments, product, scaled

SOURCE = "Drafts, appendix A.1, Proposition A.3"


def squares(matrix):
    """The squared Frobenius norm."""
    return sum((entry * entry for row in matrix for entry in row), ZERO)


def nonzero(matrix):
    return any(any(row) for row in matrix)


def difference(left, right):
    pairs = zip(left, right, strict=True)
    return tuple(tuple(p - q for p, q in zip(a, b, strict=True)) for a, b in pairs)


def l1(A, beta):
    """The penalty of the statement, which does not depend on A."""
    return sum(map(abs, beta), ZERO)


@dataclass(frozen=True)
class Problem:
    """Features, targets and the strength λ of the penalty."""

    X: tuple
    Y: tuple
    lam: Fraction

    def error(self, W):
        """‖Y − XW‖²."""
        return squares(difference(self.Y, product(self.X, W)))

    def value(self, A, beta, penalty=l1):
        """f(A, β)."""
        return self.error(scaled(beta, A)) + self.lam * penalty(A, beta)

    def correlated(self):
        """Whether X'Y ≠ 0."""
        return nonzero(moments(self.X, self.Y))

    def __str__(self):
        return f"X = {exact(self.X)}, Y = {exact(self.Y)}, λ = {self.lam}"


@dataclass(frozen=True)
class Candidate:
    """A problem, and a point that may be a minimiser."""

    problem: Problem
    A: tuple
    beta: tuple

    def __str__(self):
        return f"{self.problem}; A = {exact(self.A)}, β = {exact(self.beta)}"


def rescaled(A, beta, factor):
    """(A · factor, β / factor), which has the same W."""
    return scaled((factor,) * len(beta), A), tuple(entry / factor for entry in beta)


def approach(problem, m, weights=least_squares):
    """The m-th point of the sequence: β_j = 1/m and a_j = m w_j, and 0 where w_j = 0."""
    W = weights(problem.X, problem.Y)
    return scaled((Fraction(m),) * len(W), W), tuple(Fraction(any(w), m) for w in W)


def values_of_sequence(X, Y, lam, ms):
    """f at the m-th points of the sequence, for m in ms: RSS + λp'/m."""
    problem = Problem(X, Y, Fraction(lam))
    return [problem.value(*approach(problem, m)) for m in ms]


def halving(candidate):
    return rescaled(candidate.A, candidate.beta, Fraction(2))


def doubling(candidate):
    return rescaled(candidate.A, candidate.beta, Fraction(1, 2))


def better_point(candidate, where_switched=halving):
    """A point of lower value than the candidate, if X'Y ≠ 0 and λ > 0."""
    if any(candidate.beta):
        return where_switched(candidate)
    problem = candidate.problem
    W = least_squares(problem.X, problem.Y)
    gain = squares(problem.Y) - problem.error(W)
    # The smallest m with λp'/m < gain; without a gain there is none.
    m = floor(problem.lam * sum(map(any, W)) / gain) + 1 if gain else 1
    return approach(problem, m)


def not_minimal(candidate, better=better_point, penalty=l1):
    """Fails if the point that should have a lower value does not."""
    A, beta = better(candidate)
    value = candidate.problem.value(candidate.A, candidate.beta, penalty)
    other = candidate.problem.value(A, beta, penalty)
    if other < value:
        return None
    return f"A = {exact(A)}, β = {exact(beta)} has the value {other}, not below {value}"


def units(n_rows, n_columns):
    """The matrices with a single 1."""
    for row in range(n_rows):
        for column in range(n_columns):
            yield tuple(
                tuple(Fraction((i, j) == (row, column)) for j in range(n_columns))
                for i in range(n_rows)
            )


def never_attained(candidate):
    """Fails if (A, β) = 0 is a minimiser.

    The cross term of ‖Y − XW‖² is linear in W: if it is zero at every unit matrix, it is zero
    at every W, and no value is below ‖Y‖². The weights of the candidate are tried as well.
    """
    problem = candidate.problem
    at_zero = squares(problem.Y)
    weights = [scaled(candidate.beta, candidate.A), candidate.A]
    weights += units(len(problem.X[0]), len(problem.Y[0]))
    if any(problem.error(W) != at_zero + squares(product(problem.X, W)) for W in weights):
        return None
    return (
        f"‖Y − XW‖² = {at_zero} + ‖XW‖² for every W, so that (A, β) = 0 "
        f"with the value {at_zero} is a minimiser"
    )


def infimum_is_rss(
    candidate,
    point=approach,
    weights=least_squares,
    penalty=l1,
    below_zero=Problem.correlated,
):
    """Fails unless the sequence falls to RSS, no value is below, and RSS < ‖Y‖² iff X'Y ≠ 0.

    The mutants replace the points of the sequence, its weights, the penalty, or the condition
    under which the infimum is below the value at zero.
    """
    problem = candidate.problem
    X, Y = problem.X, problem.Y
    W = weights(X, Y)
    # The error is convex in W, so it is least where its gradient is zero.
    gradient = moments(X, difference(Y, product(X, W)))
    if nonzero(gradient):
        return f"W = {exact(W)} is not optimal: X'(Y − XW) = {exact(gradient)}"
    rss = problem.error(W)
    for m in (1, 2, 7, 1000):
        excess = problem.value(*point(problem, m), penalty) - rss
        expected = problem.lam * sum(map(any, W)) / m
        if excess != expected:
            return f"m = {m}: the value exceeds RSS = {rss} by {excess}, not by {expected}"
    value = problem.value(candidate.A, candidate.beta, penalty)
    if value < rss:
        return f"the value {value} is below RSS = {rss}"
    at_zero = squares(Y)
    if (rss < at_zero) != below_zero(problem):
        return f"RSS = {rss}, ‖Y‖² = {at_zero}, X'Y = {exact(moments(X, Y))}"
    return None


def zero_is_minimal(candidate, only=False):
    """Fails if the candidate is below (A, β) = 0; with `only`, also if it is another as low."""
    problem = candidate.problem
    at_zero = squares(problem.Y)
    value = problem.value(candidate.A, candidate.beta)
    if value < at_zero:
        return f"the value {value} is below {at_zero}, the value at zero"
    elsewhere = nonzero(candidate.A) or any(candidate.beta)
    if only and elsewhere and value == at_zero:
        return f"the value {value} is the value at zero as well"
    return None


def unscaled(problem, m):
    """The sequence with a_j = w_j, for which W shrinks with β."""
    _, beta = approach(problem, m)
    return least_squares(problem.X, problem.Y), beta


def marginal(X, Y):
    """Each feature fitted alone."""
    norms = [dot(x, x) for x in zip(*X, strict=True)]
    return scaled([1 / norm if norm else ZERO for norm in norms], moments(X, Y))


def free(X, Y):
    return X, Y


def collinear(X, Y):
    """The last feature is a multiple of the first."""
    return tuple((*row[:-1], -2 * row[0]) for row in X), Y


def without_features(X, Y):
    return scaled((ZERO,) * len(X), X), Y


def without_targets(X, Y):
    return X, scaled((ZERO,) * len(Y), Y)


def residuals(X, Y):
    """The part of Y that is orthogonal to X."""
    return X, difference(Y, product(X, least_squares(X, Y)))


def mirrored(X, Y):
    """At most two samples, each repeated with the opposite target."""
    X, Y = X[:2], Y[:2]
    return X + X, Y + scaled((Fraction(-1),) * len(Y), Y)


UNCORRELATED = (without_features, without_targets, residuals, mirrored)
ANY = (free, collinear, *UNCORRELATED)
# Instances shrink to λ = 1.
STRENGTHS = st.fractions(1, 4, max_denominator=4) | st.fractions(
    Fraction(1, 4), 1, max_denominator=4
)


def rows(n_columns):
    return st.tuples(*[st.fractions(-3, 3, max_denominator=2)] * n_columns)


@st.composite
def candidates(draw, kinds=ANY, strengths=STRENGTHS):
    """Data of the given kinds, and a point: with β = 0, of the sequence, or any.

    If X'Y = 0 the sequence stays at zero, so any point is drawn instead.
    """
    n_features = draw(st.integers(1, 3))
    n_targets = draw(st.integers(1, 2))
    # Hypothesis can shrink a list of samples by leaving some out.
    samples = draw(st.lists(rows(n_features + n_targets), min_size=1, max_size=4))
    X = tuple(row[:n_features] for row in samples)
    Y = tuple(row[n_features:] for row in samples)
    X, Y = draw(st.sampled_from(kinds))(X, Y)
    problem = Problem(X, Y, draw(strengths))
    place = draw(st.sampled_from(("no switches", "any", "sequence")))
    if place == "sequence" and problem.correlated():
        return Candidate(problem, *approach(problem, draw(st.sampled_from((1, 10, 1000)))))
    A = draw(st.tuples(*[rows(n_targets)] * n_features))
    if place == "no switches":
        return Candidate(problem, A, (ZERO,) * n_features)
    return Candidate(problem, A, draw(rows(n_features)))


def correlated_candidates(strengths=STRENGTHS):
    drawn = candidates((free, collinear), strengths)
    return drawn.filter(lambda candidate: candidate.problem.correlated())


def candidates_where(condition):
    return candidates().filter(lambda candidate: condition(candidate.problem))


# X'Y ≠ 0, RSS = 3, ‖Y‖² = 9: the values are 3 + 4/m.
EXAMPLE = Problem(
    X=tuple(tuple(map(Fraction, row)) for row in ((1, 0), (1, 1), (0, 1))),
    Y=tuple((Fraction(entry),) for entry in (2, 1, 2)),
    lam=Fraction(2),
)

FORMULA = (
    r"f(A, \beta) = \|Y - X\,\mathrm{diag}(\beta)\,A\|_F^2 + \lambda \|\beta\|_1,"
    r"\quad \lambda > 0",
)
SIZES = "1 to 4 samples, 1 to 3 features, 1 or 2 targets"

CLAIMS = (
    Claim(
        name="A.3 as printed",
        formula=(*FORMULA, r"\min_{A, \beta} f(A, \beta) \mathrm{\ has\ no\ solution}"),
        says="No point attains the infimum, whatever X and Y.",
        source=SOURCE,
        domain="every X and Y, every λ > 0",
        instances=candidates(),
        violation=never_attained,
        show=lambda candidate: str(candidate.problem),
        corrected=False,
    ),
    Claim(
        name="A.3 printed proof",
        formula=(*FORMULA, r"f(2A, \frac{1}{2}\beta) < f(A, \beta)"),
        says="Doubling A and halving β makes the value of every point smaller.",
        source=SOURCE,
        domain="every X and Y, every λ > 0, every (A, β)",
        instances=candidates(),
        violation=lambda candidate: not_minimal(candidate, halving),
        corrected=False,
    ),
    Claim(
        name="A.3 corrected",
        formula=(
            *FORMULA,
            r"X^\top Y \neq 0 \;\Longrightarrow\; \mathrm{no\ } (A, \beta)"
            r" \mathrm{\ attains\ } \inf f",
        ),
        says="If X'Y is not zero, an explicit point is better than any given one: half of "
        "β if β is not zero, else least-squares weights with small switches.",
        source=SOURCE + ", corrected",
        domain=f"X'Y ≠ 0, λ > 0, every (A, β), {SIZES}",
        instances=correlated_candidates(),
        violation=not_minimal,
        mutants=(
            Mutant(
                "no minimiser wherever Y ≠ 0",
                not_minimal,
                candidates_where(lambda problem: nonzero(problem.Y)),
            ),
            Mutant(
                "no minimiser wherever X ≠ 0 and Y ≠ 0",
                not_minimal,
                candidates_where(lambda problem: nonzero(problem.X) and nonzero(problem.Y)),
            ),
            Mutant("λ = 0", not_minimal, correlated_candidates(st.just(ZERO))),
            Mutant(
                "β doubled and A halved",
                lambda c: not_minimal(c, lambda c: better_point(c, doubling)),
            ),
            Mutant("β halved even if it is zero", lambda c: not_minimal(c, halving)),
            Mutant(
                "switches counted instead of added",
                lambda c: not_minimal(c, penalty=lambda A, beta: sum(map(bool, beta))),
            ),
            Mutant(
                "A penalised as well",
                lambda c: not_minimal(c, penalty=lambda A, beta: l1(A, beta) + squares(A)),
            ),
            Mutant(
                "the first point of the sequence is better than zero already",
                lambda c: not_minimal(c, lambda c: approach(c.problem, 1)),
            ),
        ),
    ),
    Claim(
        name="A.3 corrected: infimum",
        formula=(
            r"\inf_{A, \beta} f(A, \beta) = \min_W \|Y - XW\|_F^2 = \mathrm{RSS}",
            r"\beta_j = \frac{1}{m},\ a_j = m w_j:\quad f(A, \beta) = \mathrm{RSS}"
            r" + \frac{\lambda p'}{m},\quad p' = \#\{j : w_j \neq 0\}",
            r"\mathrm{RSS} < \|Y\|_F^2 \;\Longleftrightarrow\; X^\top Y \neq 0",
        ),
        says="The infimum is the least-squares residual, to which an explicit sequence "
        "falls. It is below the value at zero if and only if X'Y is not zero.",
        source=SOURCE + ", corrected",
        domain=f"every X and Y, λ > 0, every (A, β), {SIZES}",
        instances=candidates(),
        violation=infimum_is_rss,
        mutants=(
            Mutant("a_j = w_j", lambda c: infimum_is_rss(c, point=unscaled)),
            Mutant(
                "the switches are squared",
                lambda c: infimum_is_rss(c, penalty=lambda A, beta: dot(beta, beta)),
            ),
            Mutant(
                "switches counted instead of added",
                lambda c: infimum_is_rss(c, penalty=lambda A, beta: sum(map(bool, beta))),
            ),
            Mutant(
                "each feature fitted alone",
                lambda c: infimum_is_rss(
                    c, lambda problem, m: approach(problem, m, marginal), marginal
                ),
            ),
            Mutant(
                "below the value at zero wherever Y ≠ 0",
                lambda c: infimum_is_rss(c, below_zero=lambda problem: nonzero(problem.Y)),
            ),
            Mutant(
                "nothing is below RSS for λ < 0 either",
                infimum_is_rss,
                candidates(strengths=STRENGTHS.map(lambda lam: -lam)),
            ),
        ),
    ),
    Claim(
        name="A.3 corrected: attained",
        formula=(
            *FORMULA,
            r"X^\top Y = 0 \;\Longrightarrow\; \min_{A, \beta} f(A, \beta) = f(0, 0) = \|Y\|_F^2",
        ),
        says="If X'Y is zero, the point without weights and switches is a minimiser.",
        source=SOURCE + ", corrected",
        domain=f"X'Y = 0, λ > 0, every (A, β), {SIZES}",
        instances=candidates(UNCORRELATED),
        violation=zero_is_minimal,
        mutants=(
            Mutant("where X'Y ≠ 0 as well", zero_is_minimal, correlated_candidates()),
            Mutant(
                "λ < 0 allowed",
                zero_is_minimal,
                candidates(UNCORRELATED, STRENGTHS.map(lambda lam: -lam)),
            ),
            Mutant("it is the only minimiser", lambda c: zero_is_minimal(c, only=True)),
        ),
    ),
)
