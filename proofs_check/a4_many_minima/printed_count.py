"""A.4 as printed, for one linear layer whose global minima can be counted exactly."""

import math
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.a4_many_minima.numbers import NONZERO, STRENGTHS, matrices
from proofs_check.a4_many_minima.statement import OBJECTIVE, SOURCE
from proofs_check.claim import Claim, exact


@dataclass(frozen=True)
class Separate:
    """One target, and features that share no sample: columns (x, y) for each feature."""

    features: tuple
    lam: Fraction
    lam2: Fraction
    p: int

    def __str__(self):
        columns = "; ".join(f"x = {exact(x)}, y = {exact(y)}" for x, y in self.features)
        return f"{columns}; λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"


@st.composite
def separates(draw, max_features=3, max_samples=2):
    """No entry of x or y is zero, so no feature is trivially dead."""
    column = st.integers(1, max_samples).flatmap(lambda n: matrices(2, n, NONZERO))
    features = draw(st.lists(column, min_size=1, max_size=max_features).map(tuple))
    return Separate(features, draw(STRENGTHS), draw(STRENGTHS), draw(st.sampled_from([1, 2])))


def penalty_and_signal(separate, x, y):
    """Zero is the feature's only minimiser if and only if the first exceeds the second."""
    s = sum(entry * entry for entry in x)
    c = abs(sum(u * v for u, v in zip(x, y, strict=True)))
    if separate.p == 1:
        return 27 * s * separate.lam * separate.lam2, 8 * c**3
    return 4 * s * separate.lam**2 * separate.lam2, c**4


def n_minimisers(penalty, signal):
    """For one feature: zero alone, a pair of opposite signs, or, if both sides tie, all three."""
    if penalty == signal:
        return 3
    return 1 if penalty > signal else 2


def printed_count(separate):
    sides = [penalty_and_signal(separate, x, y) for x, y in separate.features]
    count = math.prod(n_minimisers(*pair) for pair in sides)
    promised = 2 ** len(sides)
    if count >= promised:
        return None
    # Some feature has only one; the first of these shows why.
    penalty, signal = next(pair for pair in sides if pair[0] > pair[1])
    left, right = ("27sλλ₂", "8|c|³") if separate.p == 1 else ("4sλ²λ₂", "c⁴")
    which = "β = 0, A = 0 is the only minimiser" if count == 1 else f"{count} global minimisers"
    return f"{which}, and 2^k = {promised}: {left} = {penalty} > {right} = {signal}"


CLAIM = Claim(
    name="A.4 as printed",
    formula=(
        *OBJECTIVE,
        r"\mathrm{at\ least\ } 2^k \mathrm{\ global\ minima},\quad k = \sum_i \#\beta_i",
    ),
    says="There are at least 2^k global minima, k the number of switches.",
    source=SOURCE,
    domain=(
        "one linear layer without bias, 1 to 3 features that share no sample, x, y ≠ 0, p = 1 or 2"
    ),
    instances=separates(),
    violation=printed_count,
    corrected=False,
)
