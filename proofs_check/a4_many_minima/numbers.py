"""The numbers that instances of A.4 are made of, and the tolerance for equal values."""

from fractions import Fraction

from hypothesis import strategies as st

RELATIVE = 1e-12

# Instances shrink to the first of each.
NONZERO = st.sampled_from([Fraction(n, d) for n, d in ((1, 1), (2, 1), (-1, 1), (1, 2), (-3, 2))])
NUMBERS = st.one_of(st.just(Fraction(0)), NONZERO)
STRENGTHS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(3)])


def matrices(n_rows, n_columns, entries=NUMBERS):
    return st.tuples(*[st.tuples(*[entries] * n_columns)] * n_rows)


def close(first, second):
    """Whether two numbers are equal up to rounding."""
    return abs(first - second) <= RELATIVE * max(abs(first), abs(second))
