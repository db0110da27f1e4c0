r"""A.2: the squared error of a switched linear model is not convex in weights and switches.

Printed, as Proposition A.2:

.. math:: \|y - A\,\mathrm{diag}(\beta)\,x\|_2^2 \text{ is not convex in } A \text{ and } \beta

with the proof: for scalars, y = 1 and x > 0, s₁ = (0, 2) and s₂ = (2, 0) have the value 0,
and f(1, 1) = x exceeds their mean.

What is true: it is not convex if and only if X ≠ 0. For X = 0 it is constant. The printed
points have the value y², not 0, and the point between them has (y − x)²: for y = 1 they
contradict convexity only if x > 2. If x ≠ 0 and y ≠ 0, the points (t, y/(tx)) and its negative
contradict it; if y = 0, the printed points do.

Everything is decided in exact arithmetic, for data X and Y whose rows are samples:

.. math:: f(A, \beta) = \|Y - X\,\mathrm{diag}(\beta)\,A\|_F^2 .

One feature j with X_j ≠ 0 and one target k are enough to contradict convexity, with all other
parameters at 0. With a = A_{jk} and sums s over samples, the error of target k is then
s_yy − 2 a β_j s_xy + (a β_j)² s_xx.
"""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot, moments, product, scaled

SOURCE = "Drafts, appendix A.1, Proposition A.2"

# The points of the printed proof, as (a, β).
PRINTED = (Fraction(0), Fraction(2)), (Fraction(2), Fraction(0))


@dataclass(frozen=True)
class Data:
    """Features and targets over the same samples."""

    X: tuple
    Y: tuple

    def value(self, A, beta):
        """f(A, β)."""
        errors = zip(self.Y, product(self.X, scaled(beta, A)), strict=True)
        return sum((y - z) ** 2 for target, raw in errors for y, z in zip(target, raw, strict=True))

    def at(self, point, feature=0, target=0):
        """(A, β) with one nonzero entry each, given by `point` = (a, β)."""
        n_features, n_targets = len(self.X[0]), len(self.Y[0])
        A = [[Fraction(0)] * n_targets for _ in range(n_features)]
        beta = [Fraction(0)] * n_features
        A[feature][target], beta[feature] = point
        return tuple(map(tuple, A)), tuple(beta)

    def __str__(self):
        return f"X = {exact(self.X)}, Y = {exact(self.Y)}"


def numbers(low=-4, high=4):
    return st.fractions(low, high, max_denominator=3)


@st.composite
def data(draw):
    """X and Y, including X = 0, collinear features, and Y orthogonal to X."""
    n_features, n_targets = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    entries = draw(st.sampled_from((st.just(Fraction(0)), numbers())))
    row = st.tuples(st.tuples(*[entries] * n_features), st.tuples(*[numbers()] * n_targets))
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return Data(tuple(x for x, _ in rows), tuple(y for _, y in rows))


def chord(data, first, second):
    """By how much f at the midpoint of two points exceeds the mean of their values."""
    (A, beta), (B, gamma) = first, second
    half = Fraction(1, 2)
    middle = tuple(
        tuple(half * (p + q) for p, q in zip(a, b, strict=True)) for a, b in zip(A, B, strict=True)
    )
    switches = tuple(half * (p + q) for p, q in zip(beta, gamma, strict=True))
    return data.value(middle, switches) - half * (data.value(A, beta) + data.value(B, gamma))


def column(matrix, j):
    return tuple(row[j] for row in matrix)


def witness(data):
    """Two points between which f is not convex, if some x is not zero."""
    feature = next(j for j in range(len(data.X[0])) if any(column(data.X, j)))
    x, y = column(data.X, feature), column(data.Y, 0)
    if dot(x, y) == 0:
        return tuple(data.at(point, feature) for point in PRINTED)
    a, beta = Fraction(1), dot(x, y) / dot(x, x)
    return data.at((a, beta), feature), data.at((-a, -beta), feature)


def never_convex(data):
    """Fails if f is convex, as a constant is."""
    if any(map(any, data.X)):
        return None
    constant = sum(y * y for row in data.Y for y in row)
    return f"f(A, β) = {constant} for all A and β: a constant is convex"


def convex_iff_zero(data, witness=witness):
    if not any(map(any, data.X)):
        return not_constant(data)
    first, second = witness(data)
    excess = chord(data, first, second)
    if excess > 0:
        return None
    return f"between {exact(first)} and {exact(second)} f exceeds its chord by {excess}"


def not_constant(data):
    """Fails if f is not constant, as it has to be for X = 0."""
    points = [data.at((Fraction(a), Fraction(b))) for a in (-2, 0, 3) for b in (-1, 0, 2)]
    constant = sum(y * y for row in data.Y for y in row)
    other = [point for point in points if data.value(*point) != constant]
    return f"f is not constant: it differs at {exact(other[0])}" if other else None


@dataclass(frozen=True)
class Scalar:
    """The printed proof's problem: y = 1, x > 0."""

    x: Fraction

    @property
    def data(self):
        return Data(((self.x,),), ((Fraction(1),),))

    def values(self):
        """At the printed points."""
        return [self.data.value(*self.data.at(point)) for point in PRINTED]

    def __str__(self):
        return f"y = 1, x = {self.x}"


def printed_points(scalar):
    values = scalar.values()
    if any(values):
        return f"f(0, 2) = {values[0]} and f(2, 0) = {values[1]}, not 0"
    return None


def printed_middle(scalar):
    middle = scalar.data.value(*scalar.data.at((Fraction(1), Fraction(1))))
    if middle == scalar.x:
        return None
    return f"f(1, 1) = {middle}, not {scalar.x}"


def printed_points_break_convexity(scalar):
    excess = chord(scalar.data, *(scalar.data.at(point) for point in PRINTED))
    if excess > 0:
        return None
    mean = sum(scalar.values()) / 2
    return f"f(1, 1) = {mean + excess} is not above the mean {mean} of f(0, 2) and f(2, 0)"


def bent(data):
    """Fails if f is not convex."""
    return None if never_convex(data) else "f is not convex"


def itself(data):
    """The same point twice: a chord of length 0."""
    return (witness(data)[0],) * 2


def printed_witness(data):
    return tuple(data.at(point) for point in PRINTED)


FORMULA = (r"f(A, \beta) = \|Y - X\,\mathrm{diag}(\beta)\,A\|_F^2",)
SCALARS = (st.integers(1, 4) | st.fractions(Fraction(1, 4), 4, max_denominator=4)).map(
    lambda x: Scalar(Fraction(x))
)

CLAIMS = (
    Claim(
        name="A.2 as printed",
        formula=FORMULA,
        says="f is not convex in (A, β).",
        source=SOURCE,
        domain="every X and Y",
        instances=data(),
        violation=never_convex,
        corrected=False,
    ),
    Claim(
        name="A.2 printed proof: values",
        formula=(r"f(a, \beta) = (1 - a\beta x)^2,\quad f(0, 2) = f(2, 0) = 0",),
        says="The two points of the proof have the value 0.",
        source=SOURCE,
        domain="y = 1, x > 0",
        instances=SCALARS,
        violation=printed_points,
        corrected=False,
    ),
    Claim(
        name="A.2 printed proof: middle",
        formula=(r"f(a, \beta) = (1 - a\beta x)^2,\quad f(1, 1) = x",),
        says="The point between them has the value x.",
        source=SOURCE,
        domain="y = 1, x > 0",
        instances=SCALARS,
        violation=printed_middle,
        corrected=False,
    ),
    Claim(
        name="A.2 printed proof: witness",
        formula=(r"f(1, 1) > \frac{1}{2} f(0, 2) + \frac{1}{2} f(2, 0)",),
        says="The two points of the proof show that f is not convex.",
        source=SOURCE,
        domain="y = 1, x > 0",
        instances=SCALARS,
        violation=printed_points_break_convexity,
        corrected=False,
    ),
    Claim(
        name="A.2 corrected",
        formula=(*FORMULA, r"f \mathrm{\ is\ not\ convex} \;\Longleftrightarrow\; X \neq 0"),
        says="f is not convex if and only if some x is not zero.",
        source=SOURCE + ", corrected",
        domain="every X and Y: 1 to 4 samples, 1 to 3 features, 1 or 2 targets",
        instances=data(),
        violation=convex_iff_zero,
        mutants=(
            Mutant(
                "the printed points serve for every y",
                lambda data: convex_iff_zero(data, printed_witness),
            ),
            Mutant(
                "the negative of a point is the point itself",
                lambda data: convex_iff_zero(data, itself),
            ),
            Mutant("never convex", never_convex),
            Mutant(
                "convex if and only if X'Y = 0",
                lambda data: None if any(map(any, moments(data.X, data.Y))) else bent(data),
            ),
        ),
    ),
)
