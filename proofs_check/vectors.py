"""Tuples of numbers, drawn quickly."""

from functools import cache

from hypothesis import strategies as st


@cache
def vectors(size, numbers):
    """Tuples of this size whose entries are among these numbers; they shrink to the first.

    One integer is drawn, whose digits say which. The strategy is kept, as making one takes longer
    than drawing from it.
    """
    base = len(numbers)

    def of_digits(code):
        return tuple(numbers[code // base**i % base] for i in range(size))

    return st.integers(0, base**size - 1).map(of_digits)
