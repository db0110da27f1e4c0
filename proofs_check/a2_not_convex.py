r"""A.2: the squared error of a switched linear model is not convex in weights and switches.

Printed, as Proposition A.2:

.. math:: \|y - A\,\mathrm{diag}(\beta)\,x\|_2^2 \text{ is not convex in } A \text{ and } \beta

with the proof: for scalars, y = 1 and x > 0, s₁ = (0, 2) and s₂ = (2, 0) have the value 0,
and f(1, 1) = x exceeds their mean.

What is true: it is not convex if and only if X ≠ 0. For X = 0 it is constant. The printed
points have the value y², not 0, and the point between them (y − x)²: for y = 1 they break
convexity only where x > 2. Where x ≠ 0 and y ≠ 0, (t, y/(tx)) and its negative do; where
y = 0, the printed points do.

One feature and one target are enough, the others being held at 0, so instances are a column x
and a target y over n samples; with a = A and β,

.. math:: f(a, \beta) = s_{yy} - 2 a \beta s_{xy} + (a \beta)^2 s_{xx}.

Everything is decided in exact arithmetic.
"""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact

SOURCE = "Drafts, appendix A.1, Proposition A.2"


@dataclass(frozen=True)
class Column:
    """A feature and a target over the same samples."""

    x: tuple
    y: tuple

    def value(self, a, beta):
        """f(a, β)."""
        pairs = zip(self.x, self.y, strict=True)
        return sum(((y - a * beta * x) ** 2 for x, y in pairs), Fraction(0))

    def __str__(self):
        return f"x = {exact(self.x)}, y = {exact(self.y)}"


def numbers(low=-4, high=4):
    return st.fractions(low, high, max_denominator=3)


@st.composite
def columns(draw, max_samples=4):
    """x and y, zero and orthogonal to each other among them."""
    n_samples = draw(st.integers(1, max_samples))
    values = st.tuples(*[numbers()] * n_samples)
    return Column(draw(values), draw(values))


def chord(column, first, second):
    """How far f at the middle of two points exceeds the mean of their values."""
    middle = [(p + q) / Fraction(2) for p, q in zip(first, second, strict=True)]
    return column.value(*middle) - (column.value(*first) + column.value(*second)) / 2


def witness(column):
    """Two points between which f is not convex, where the corrected statement has any."""
    s_xx = sum(x * x for x in column.x)
    s_xy = sum(x * y for x, y in zip(column.x, column.y, strict=True))
    if s_xy == 0:
        return (Fraction(0), Fraction(2)), (Fraction(2), Fraction(0))
    point = Fraction(1), s_xy / s_xx
    return point, (-point[0], -point[1])


def never_convex(column):
    """Fails where f is convex, which a constant is."""
    if any(column.x):
        return None
    constant = sum(y * y for y in column.y)
    return f"f(a, β) = {constant} for all a and β: a constant is convex"


def convex_iff_zero(column, witness=witness):
    if not any(column.x):
        # f does not depend on (a, β): the second difference is 0 between any points.
        points = [(Fraction(a), Fraction(b)) for a in (-2, 0, 3) for b in (-1, 0, 2)]
        bent = [p for p in points if chord(column, p, points[0]) != 0]
        return f"not constant: {bent[0]}" if bent else None
    first, second = witness(column)
    excess = chord(column, first, second)
    if excess > 0:
        return None
    return f"between {exact(first)} and {exact(second)} f exceeds its chord by {excess}"


@dataclass(frozen=True)
class Scalar:
    """The printed proof's problem: y = 1, x > 0."""

    x: Fraction

    def __str__(self):
        return f"y = 1, x = {self.x}"


def printed_points(scalar):
    column = Column((scalar.x,), (Fraction(1),))
    first, second = (Fraction(0), Fraction(2)), (Fraction(2), Fraction(0))
    values = column.value(*first), column.value(*second)
    if any(values):
        return f"f(0, 2) = {values[0]} and f(2, 0) = {values[1]}, not 0"
    return None


def printed_points_break_convexity(scalar):
    column = Column((scalar.x,), (Fraction(1),))
    excess = chord(column, (Fraction(0), Fraction(2)), (Fraction(2), Fraction(0)))
    if excess > 0:
        return None
    middle = column.value(Fraction(1), Fraction(1))
    return f"f(1, 1) = {middle} is not above the mean {middle - excess} of f(0, 2) and f(2, 0)"


FORMULA = (r"f(A, \beta) = \|y - A\,\mathrm{diag}(\beta)\,x\|_2^2",)
SCALARS = st.fractions(Fraction(1, 4), 4, max_denominator=4).map(Scalar)

CLAIMS = (
    Claim(
        name="A.2 as printed",
        formula=FORMULA,
        says="f is not convex in (A, β).",
        source=SOURCE,
        domain="every x and y",
        instances=columns(),
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
        domain="every x and y over 1 to 4 samples",
        instances=columns(),
        violation=convex_iff_zero,
        mutants=(
            Mutant(
                "the printed points serve for every y",
                lambda c: convex_iff_zero(
                    c, lambda c: ((Fraction(0), Fraction(2)), (Fraction(2), Fraction(0)))
                ),
            ),
            Mutant(
                "the negative of a point is the point itself",
                lambda c: convex_iff_zero(c, lambda c: (witness(c)[0], witness(c)[0])),
            ),
            Mutant("never convex", never_convex),
        ),
    ),
)
