"""Numbers that the instances of A.4 are made of, and when two values are equal."""

from fractions import Fraction

from hypothesis import strategies as st

RELATIVE = 1e-12

# The first of each is what an instance shrinks to.
NONZERO = st.sampled_from([Fraction(n, d) for n, d in ((1, 1), (2, 1), (-1, 1), (1, 2), (-3, 2))])
NUMBERS = st.one_of(st.just(Fraction(0)), NONZERO)
STRENGTHS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(3)])


def matrices(n_rows, n_columns, entries=NUMBERS):
    return st.tuples(*[st.tuples(*[entries] * n_columns)] * n_rows)


def close(first, second):
    """Equal up to rounding; exact numbers that are equal are close."""
    return abs(first - second) <= RELATIVE * max(abs(first), abs(second))
