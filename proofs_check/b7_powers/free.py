r"""Factors that nothing penalises: rows that are free, and rows before a BatchNorm.

BatchNorm divides what a unit computes by its deviation over the batch (ε = 0 here), so (ta, tb)
gives the same as (a, b) for t > 0. The unit is then :math:`\theta c \max(0, \gamma n + \beta)`,
with n of mean 0 and deviation 1. If γ and β are not penalised, they are a free factor. If they are,
they take the place of the row, and the decay of a is as small as one likes.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.b1_bridge import close, kappa
from proofs_check.b7_powers.factors import Factors, the_rule
from proofs_check.b7_powers.laws import DOMAIN, SWITCH, best_factors, cost, of_switch, product
from proofs_check.b7_powers.unit import (
    NUMBERS,
    SIZES,
    SOURCE,
    TEMPTING,
    Unit,
    norm,
    units,
    units_alive,
)
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot
from proofs_check.vectors import vectors

N_STEPS = 60

# --- the row of a unit is free


def paid_without_row(unit):
    """λ|θ| + λ₂‖c‖_p^p, exactly; p has to be a whole number."""
    power = sum(abs(entry) ** int(unit.p) for entry in unit.c)
    return unit.lam * abs(unit.theta) + unit.lam2 * power


def with_larger_row(unit, k):
    """The same function: switch and outgoing weights are 2^k times smaller, the row makes up."""
    return unit.scaled(switch=Fraction(1, 2**k), row=Fraction(4**k), column=Fraction(1, 2**k))


def costs_what_b1_says(unit):
    s = norm(unit.a, 2) * abs(float(unit.theta)) * norm(unit.c, unit.p)
    power = float(unit.p) / (float(unit.p) + 1)
    promised = kappa(float(unit.lam), float(unit.lam2), float(unit.p)) * s**power
    for k in range(N_STEPS):
        paid = float(paid_without_row(with_larger_row(unit, k)))
        if paid < promised * (1 - 1e-9):
            return f"with a row 4^{k} times as large it costs {paid:.6g}, less than {promised:.6g}"
    return None


def falls_to_zero(unit, moved=with_larger_row, floor=0):
    """The cost falls by half, or faster, from step to step, and is never 0; the function stays."""
    before = paid_without_row(unit)
    for k in range(1, N_STEPS, 7):
        other = moved(unit, k)
        if other.outputs() != unit.outputs():
            return f"a row 4^{k} times as large changes the function"
        paid = paid_without_row(other)
        if not floor * before < paid <= before / 2**k:
            return f"with a row 4^{k} times as large it costs {paid}, and {before} at first"
    return None


# --- a BatchNorm stands between row and ReLU


@dataclass(frozen=True)
class Normalised:
    """A unit with a BatchNorm: its row, a batch of inputs, and what stands behind.

    `behind` has γ and β for its row, and n and 1 for its inputs.
    """

    a: tuple
    b: Fraction
    batch: tuple
    behind: Unit

    def squares(self, factor=1):
        """The signed square of each n in the batch, as n itself is irrational."""
        z = [factor * (dot(self.a, x) + self.b) for x in self.batch]
        centred = [value - sum(z) / len(z) for value in z]
        variance = sum(value**2 for value in centred) / len(z)
        return [value * abs(value) / variance for value in centred]

    def varies(self):
        return len({dot(self.a, x) for x in self.batch}) > 1

    def __str__(self):
        before = f"a = {exact(self.a)}, b = {self.b}, x = {exact(self.batch)}"
        return f"{before}; behind the BatchNorm, of n and 1: {self.behind}"


@st.composite
def normalised(draw):
    """With γ, β not both 0, and θ, c ≠ 0."""
    n_inputs = draw(SIZES)
    a, b = draw(vectors(n_inputs, NUMBERS)), draw(vectors(1, NUMBERS))[0]
    batch = tuple(draw(vectors(n_inputs, NUMBERS)) for _ in range(3))
    return Normalised(a, b, batch, draw(units_alive(n_inputs=st.just(2))))


def all_but_the_row(given):
    return SWITCH.value(given.behind)


def batch_norm_replaces_the_row(given, factor=Fraction(1, 2**40), value=all_but_the_row):
    """A tiny row does the same, and all else pays what a unit with the row (γ, β) does."""
    if given.squares(factor) != given.squares():
        return f"{factor} times the row is not the same behind the BatchNorm"
    terms, promised = of_switch(given.behind), value(given)
    least = cost(terms, best_factors(terms))
    if not close(promised, least):
        return f"the infimum is {least:.10g}, the formula gives {promised:.10g}"
    return None


def with_the_row_too(given):
    """As if the row were a fourth factor that the function depends on."""
    unit = given.behind
    s = norm(given.a, unit.p) * product(of_switch(unit))
    exponents, weights = (1, unit.p, unit.p, unit.p), (unit.lam, *[unit.lam2] * 3)
    return the_rule(Factors(weights, exponents, s))[0]


PLAIN = st.sampled_from((Fraction(2), Fraction(1), Fraction(3)))

CLAIMS = (
    Claim(
        name="B.7 decay on one side",
        formula=(
            r"\theta \, c \, \max(0, \langle a, x \rangle + b),"
            r" \quad \|a\| \, |\theta| \, \|c\|_p = s",
            r"\min \; \lambda |\theta| + \lambda_2 \|c\|_p^p = \kappa s^{p/(p+1)}",
        ),
        says="With decay of the outgoing weights alone, a switch costs what it does in B.1.",
        source=TEMPTING,
        domain="p = 1, 2 or 3, units with s = 0 too",
        instances=units(p=PLAIN),
        violation=costs_what_b1_says,
        corrected=False,
    ),
    Claim(
        name="B.7 decay on one side: corrected",
        formula=(
            r"s > 0: \quad \inf \; \lambda |\theta| + \lambda_2 \|c\|_p^p = 0"
            r" \mathrm{\ is\ not\ attained}",
            r"(2^{-k} \theta, \; 4^k a, \; 4^k b, \; 2^{-k} c)"
            r" \mathrm{\ costs\ at\ most\ } 2^{-k} (\lambda |\theta| + \lambda_2 \|c\|_p^p)",
        ),
        says=(
            "If the row is free, the penalty has no minimum, as in A.3. B.1 needs a row of "
            "fixed norm."
        ),
        source=SOURCE,
        domain="s > 0, p = 1, 2 or 3, exactly",
        instances=units_alive(p=PLAIN),
        violation=falls_to_zero,
        mutants=(
            Mutant(
                "the row grows by 2^k alone",
                lambda unit: falls_to_zero(
                    unit, lambda unit, k: with_larger_row(unit, k).scaled(row=Fraction(1, 2**k))
                ),
            ),
            Mutant(
                "the bias stays",
                lambda unit: falls_to_zero(
                    unit, lambda unit, k: replace(with_larger_row(unit, k), b=unit.b)
                ),
            ),
            Mutant(
                "a millionth of the cost is left",
                lambda unit: falls_to_zero(unit, floor=Fraction(1, 10**6)),
            ),
        ),
    ),
    Claim(
        name="B.7 BatchNorm",
        formula=(
            r"\theta \, c \, \max(0, \gamma n + \beta), \quad"
            r" n = (z - \overline{z}) / \sigma_z, \quad z = \langle a, x \rangle + b",
            r"\inf \; \lambda |\theta|"
            r" + \lambda_2 (\|a\|_p^p + \|(\gamma, \beta)\|_p^p + \|c\|_p^p) = \kappa s^{p/(p+2)}",
            r"s = |\theta| \, \|(\gamma, \beta)\|_p \, \|c\|_p",
        ),
        says=(
            "Behind a BatchNorm, γ and β take the place of the row, whose own decay goes to 0. If "
            "they are not penalised, they are free, and the infimum is 0. κ is that of B.7."
        ),
        source=SOURCE,
        domain=f"training mode, ε = 0, batches of 3, (γ, β), θ, c ≠ 0; {DOMAIN}",
        instances=normalised().filter(Normalised.varies),
        violation=batch_norm_replaces_the_row,
        mutants=(
            Mutant(
                "the row counts too",
                lambda given: batch_norm_replaces_the_row(given, value=with_the_row_too),
            ),
            Mutant(
                "the row may change its sign",
                lambda given: batch_norm_replaces_the_row(given, factor=Fraction(-1)),
            ),
        ),
    ),
)
