"""The rule behind all powers: factors of which only the product matters."""

import math
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.b1_bridge import close, powers, strengths
from proofs_check.b7_powers.laws import Term, best_factors, cost
from proofs_check.b7_powers.unit import SOURCE
from proofs_check.claim import Claim, Mutant, exact

RELATIVE = 1e-6


@dataclass(frozen=True)
class Factors:
    """Weights and exponents of some factors, and their product."""

    weights: tuple
    exponents: tuple
    s: Fraction

    def __str__(self):
        return f"w = {exact(self.weights)}, p = {exact(self.exponents)}, s = {self.s}"


@st.composite
def several_factors(draw, max_factors=4):
    """Often with equal exponents."""
    n = draw(st.integers(2, max_factors))
    exponents = st.tuples(*[powers()] * n) | powers().map(lambda p: (p,) * n)
    s = st.fractions(Fraction(1, 10), 10, max_denominator=10)
    return Factors(draw(st.tuples(*[strengths()] * n)), draw(exponents), draw(s))


def sum_of_inverses(exponents):
    return sum(1 / p for p in exponents)


def the_rule(given, inverse=sum_of_inverses, share=lambda p, total: 1 / (p * total)):
    """The least cost, and the share of each factor in it."""
    weights, exponents = ([float(v) for v in part] for part in (given.weights, given.exponents))
    total = inverse(exponents)
    pairs = list(zip(weights, exponents, strict=True))
    scale = float(given.s) * math.prod((p * w) ** (1 / p) for w, p in pairs)
    return total * scale ** (1 / total), [share(p, total) for p in exponents]


def follows_the_rule(given, rule=the_rule):
    promised, shares = rule(given)
    size = float(given.s) ** (1 / len(given.weights))
    pairs = enumerate(zip(given.weights, given.exponents, strict=True))
    terms = {i: Term(size, float(w), float(p)) for i, (w, p) in pairs}
    factors = best_factors(terms)
    least = cost(terms, factors)
    if not close(promised, least):
        return f"the least cost is {least:.10g}, the rule gives {promised:.10g}"
    paid = [term.cost(factors[i]) / least for i, term in terms.items()]
    if any(abs(one - other) > RELATIVE for one, other in zip(paid, shares, strict=True)):
        return f"the factors pay {exact(paid)} of it, the rule gives {exact(shares)}"
    return None


CLAIMS = (
    Claim(
        name="B.7 factors",
        formula=(
            r"\min_{\prod_i x_i = s} \; \sum_i w_i x_i^{p_i}"
            r" = P \, (s \, \prod_i (p_i w_i)^{1/p_i})^{1/P}, \quad P = \sum_i \frac{1}{p_i}",
            r"w_i x_i^{p_i} \; / \; \mathrm{the\ minimum} = \frac{1}{p_i P}",
        ),
        says=(
            "The power is one over the sum of 1/p, and each factor pays in proportion to 1/p. "
            "All other powers follow from it."
        ),
        source=SOURCE,
        domain="2 to 4 factors, w from 1/20 to 10, p from 3/10 to 5, s from 1/10 to 10",
        instances=several_factors(),
        violation=follows_the_rule,
        mutants=(
            Mutant(
                "the power is one over the sum of p",
                lambda given: follows_the_rule(given, lambda given: the_rule(given, sum)),
            ),
            Mutant(
                "the power is one over the number of factors",
                lambda given: follows_the_rule(given, lambda given: the_rule(given, len)),
            ),
            Mutant(
                "each factor pays in proportion to p",
                lambda given: follows_the_rule(
                    given,
                    lambda given: the_rule(
                        given, share=lambda p, _: p / float(sum(given.exponents))
                    ),
                ),
            ),
        ),
    ),
)
