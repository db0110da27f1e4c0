"""Three penalties on a unit, and the powers of ‖in‖·‖out‖ that they equal."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from proofs_check.b1_bridge import close, kappa
from proofs_check.b7_powers.exponentials import lowest
from proofs_check.b7_powers.unit import SOURCE, norm, units
from proofs_check.claim import Claim, Mutant

# What all factors but one that is 0 are multiplied by.
TINY = Fraction(1, 2**300)


class Term(NamedTuple):
    """A factor of a unit, and the term weight · size^exponent of the penalty."""

    size: float
    weight: float
    exponent: float

    def cost(self, factor=1.0):
        return self.weight * (factor * self.size) ** self.exponent


def strengths_of(unit):
    return float(unit.lam), float(unit.lam2), float(unit.p)


def of_switch(unit):
    """λ|θ| + λ₂(‖a‖_p^p + ‖c‖_p^p)."""
    lam, lam2, p = strengths_of(unit)
    return {
        "switch": Term(abs(float(unit.theta)), lam, 1.0),
        "row": Term(norm(unit.a, p), lam2, p),
        "column": Term(norm(unit.c, p), lam2, p),
    }


def of_group_lasso(unit):
    """λ‖a‖_2 + λ₂‖c‖_p^p."""
    lam, lam2, p = strengths_of(unit)
    return {"row": Term(norm(unit.a, 2), lam, 1.0), "column": Term(norm(unit.c, p), lam2, p)}


def of_decay(unit):
    """λ₂(‖a‖_p^p + ‖c‖_p^p)."""
    _, lam2, p = strengths_of(unit)
    return {"row": Term(norm(unit.a, p), lam2, p), "column": Term(norm(unit.c, p), lam2, p)}


@dataclass(frozen=True)
class Law:
    """A penalty, and what the best factors cost: constant(λ, λ₂, p) · s^power(p).

    `shares` are those of the factors in the cost, as functions of p.
    """

    penalty: Callable
    constant: Callable
    power: Callable
    shares: dict

    def value(self, unit):
        terms = self.penalty(unit)
        return self.constant(*strengths_of(unit)) * product(terms) ** self.power(float(unit.p))


SWITCH = Law(
    of_switch,
    lambda lam, lam2, p: (1 + 2 / p) * lam ** (p / (p + 2)) * (p * lam2) ** (2 / (p + 2)),
    lambda p: p / (p + 2),
    {
        "switch": lambda p: p / (p + 2),
        "row": lambda p: 1 / (p + 2),
        "column": lambda p: 1 / (p + 2),
    },
)
GROUP_LASSO = Law(
    of_group_lasso,
    kappa,
    lambda p: p / (p + 1),
    {"row": lambda p: p / (p + 1), "column": lambda p: 1 / (p + 1)},
)
DECAY = Law(
    of_decay,
    lambda lam, lam2, p: 2 * lam2,
    lambda p: p / 2,
    {"row": lambda p: 0.5, "column": lambda p: 0.5},
)


def product(terms):
    """s, the product of the sizes."""
    return math.prod(term.size for term in terms.values())


def cost(terms, factors):
    """The penalty once the factors are multiplied by these, whose product is 1."""
    return sum(term.cost(factors[part]) for part, term in terms.items())


def best_factors(terms):
    """What to multiply the factors by, found by Newton's method."""
    exponents = np.diag([term.exponent for term in terms.values()])
    # The last factor is what the others leave of the product.
    free = exponents @ np.vstack([np.eye(len(terms) - 1), -np.ones(len(terms) - 1)])
    y = lowest([term.cost() for term in terms.values()], free)
    return dict(zip(terms, np.exp([*y, -y.sum()]), strict=True))


def equals_the_power(unit, law, value=Law.value):
    """The formula gives the least cost of all factors that leave the function as it is."""
    terms, promised = law.penalty(unit), value(law, unit)
    if product(terms) == 0:
        return zero_is_the_infimum(unit, terms, promised)
    least = cost(terms, best_factors(terms))
    if not close(promised, least):
        return f"the best factors cost {least:.10g}, the formula gives {promised:.10g}"
    return None


def zero_is_the_infimum(unit, terms, promised):
    """If a factor is 0, the others may be as small as one likes: it makes up for them."""
    missing = next(part for part, term in terms.items() if term.size == 0)
    factors = dict.fromkeys(terms, TINY) | {missing: 1 / TINY ** (len(terms) - 1)}
    if unit.scaled(**factors).outputs() != unit.outputs():
        return "s = 0, and tiny factors change the function"
    paid = cost(terms, {part: float(factor) for part, factor in factors.items()})
    if paid < promised:
        return f"s = 0, and tiny factors cost {paid:.6g}, less than {promised:.6g}"
    return None if promised >= 0 else f"nothing costs less than 0, the formula gives {promised:.6g}"


def with_constant(law, change):
    """A false law: the constant is changed."""
    return Law(law.penalty, lambda *args: change(law.constant(*args), *args), law.power, {})


def with_power(law, power):
    """A false law: the power is another."""
    return Law(law.penalty, law.constant, power, {})


def check(law):
    return lambda unit: equals_the_power(unit, law)


ONE = (Fraction(1),)
DOMAIN = "1 or 2 inputs and outputs, any bias, λ and λ₂ from 1/20 to 10, p from 3/10 to 5"

CLAIMS = (
    Claim(
        name="B.7",
        formula=(
            r"\theta \, c \, \max(0, \langle a, x \rangle + b),"
            r" \quad \|a\|_p \, |\theta| \, \|c\|_p = s",
            r"\min \; \lambda |\theta| + \lambda_2 (\|a\|_p^p + \|c\|_p^p)"
            r" = (1 + \frac{2}{p}) \, \lambda^{p/(p+2)} (p \lambda_2)^{2/(p+2)} \, s^{p/(p+2)}",
            r"p = 2: \quad 2 \sqrt{2 \lambda \lambda_2} \; s^{1/2}",
        ),
        says=(
            "With the best factors that leave the function of a ReLU unit as it is, the penalty on "
            "its switch and on the weights of both sides equals a power of s: 1/2 for p = 2, 1/3 "
            "for p = 1. If s = 0, the infimum is 0."
        ),
        source=SOURCE,
        domain=DOMAIN,
        instances=units(),
        violation=check(SWITCH),
        mutants=(
            Mutant("the power is 1/2 whatever p is", check(with_power(SWITCH, lambda p: 0.5))),
            Mutant("the power is that of B.1", check(with_power(SWITCH, lambda p: p / (p + 1)))),
            Mutant(
                "the constant is that of B.1",
                check(with_constant(SWITCH, lambda _, *strengths: kappa(*strengths))),
            ),
            Mutant(
                "the constant is off by one percent",
                check(with_constant(SWITCH, lambda constant, *_: 1.01 * constant)),
            ),
            Mutant(
                "the decay counts once",
                check(
                    with_constant(SWITCH, lambda _, lam, lam2, p: SWITCH.constant(lam, lam2 / 2, p))
                ),
            ),
            Mutant(
                "a dead unit costs something",
                lambda unit: equals_the_power(
                    unit, SWITCH, lambda law, unit: law.value(unit) or 1e-6
                ),
            ),
        ),
    ),
    Claim(
        name="B.7 group lasso",
        formula=(
            r"c \, \max(0, \langle a, x \rangle + b), \quad \|a\|_2 \, \|c\|_p = s",
            r"\min \; \lambda \|a\|_2 + \lambda_2 \|c\|_p^p"
            r" = (1 + \frac{1}{p}) \, \lambda^{p/(p+1)} (p \lambda_2)^{1/(p+1)} \, s^{p/(p+1)}",
            r"p = 2: \quad \frac{3}{2} (2 \lambda^2 \lambda_2)^{1/3} \; s^{2/3}",
        ),
        says=(
            "The group lasso on the row of a ReLU unit, with decay on its outgoing weights alone, "
            "is the penalty of B.1 on s: the norm of the row is a switch."
        ),
        source=SOURCE,
        domain=DOMAIN,
        instances=units(switches=ONE),
        violation=check(GROUP_LASSO),
        mutants=(
            Mutant("the power is that of a switch", check(with_power(GROUP_LASSO, SWITCH.power))),
            Mutant(
                "the constant is that of a switch",
                check(with_constant(GROUP_LASSO, lambda _, *args: SWITCH.constant(*args))),
            ),
            Mutant(
                "λ and λ₂ are exchanged",
                check(with_constant(GROUP_LASSO, lambda _, lam, lam2, p: kappa(lam2, lam, p))),
            ),
        ),
    ),
    Claim(
        name="B.7 decay",
        formula=(
            r"c \, \max(0, \langle a, x \rangle + b), \quad \|a\|_p \, \|c\|_p = s",
            r"\min \; \lambda_2 (\|a\|_p^p + \|c\|_p^p) = 2 \lambda_2 \, s^{p/2}",
        ),
        says=(
            "Decay on both sides without a switch equals 2λ₂s for p = 2, a group lasso on ‖a‖c, "
            "and a multiple of the root of s for p = 1."
        ),
        source=SOURCE,
        domain=DOMAIN,
        instances=units(switches=ONE),
        violation=check(DECAY),
        mutants=(
            Mutant("the power is p", check(with_power(DECAY, lambda p: p))),
            Mutant("the power is 1", check(with_power(DECAY, lambda p: 1.0))),
            Mutant("the constant is λ₂", check(with_constant(DECAY, lambda k, *_: k / 2))),
        ),
    ),
)
