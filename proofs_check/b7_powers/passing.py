"""What passes an activation: positive factors and signs through ReLU, nothing through tanh."""

from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.a4_many_minima.network import ACTIVATIONS
from proofs_check.b7_powers.laws import SWITCH
from proofs_check.b7_powers.split import split_of
from proofs_check.b7_powers.unit import (
    NONZERO,
    SOURCE,
    TEMPTING,
    Unit,
    rounded,
    same_outputs,
    units,
    units_alive,
)
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot


def split_keeps_the_function(unit):
    factors = split_of(unit, SWITCH)
    split = unit.scaled(**factors)
    if same_outputs(unit, split):
        return None
    outputs = f"{rounded(split.outputs())}, not {rounded(unit.outputs())}"
    return f"with the best factors {rounded([*factors.values()])} the unit gives {outputs}"


@dataclass(frozen=True)
class Placed:
    """A unit whose switch stands before or behind the ReLU."""

    unit: Unit
    before: bool

    def outputs(self):
        if not self.before:
            return self.unit.outputs()
        inside = [self.unit.theta * (dot(self.unit.a, x) + self.unit.b) for x in self.unit.samples]
        relu = ACTIVATIONS["relu"]
        return [[entry * relu(value) for entry in self.unit.c] for value in inside]

    def moved(self, switch=1, row=1, column=1):
        return replace(self, unit=self.unit.scaled(switch, row, column))

    def __str__(self):
        return f"switch {'before' if self.before else 'behind'} the ReLU, {self.unit}"


def into_its_side(placed, sign):
    """The sign of a switch before the ReLU goes into the row, that of one behind it into c."""
    side = "row" if placed.before else "column"
    return placed.moved(switch=sign, **{side: sign})


def into_the_row(placed, sign):
    return placed.moved(switch=sign, row=sign)


def into_the_column(placed, sign):
    return placed.moved(switch=sign, column=sign)


def is_taken_away(placed, sign):
    return placed.moved(switch=sign)


def positive_switch_does_it(placed, move=into_its_side, factor=Fraction(3, 2)):
    """A unit with θ > 0 has the same outputs, and factors pass the ReLU, exactly."""
    positive = move(placed, -1 if placed.unit.theta < 0 else 1)
    if positive.outputs() != placed.outputs():
        return f"{exact(positive.outputs())} for {exact(placed.outputs())}"
    if positive.unit.theta <= 0:
        return f"θ = {positive.unit.theta}"
    scaled = placed.moved(row=factor, column=1 / factor)
    if scaled.outputs() != placed.outputs():
        return f"{exact(scaled.outputs())} for {exact(placed.outputs())} with {factor} in the row"
    return None


CLAIMS = (
    Claim(
        name="B.7 any activation",
        formula=(
            r"\theta \, c \, \sigma(\langle a, x \rangle + b)"
            r" \mathrm{\ stays\ as\ it\ is\ under\ the\ best\ factors,\ whatever\ } \sigma",
        ),
        says="The powers of B.7 are those of any activation.",
        source=TEMPTING,
        domain="θ, a, c ≠ 0; identity, relu, leaky relu and tanh",
        instances=units_alive(activation=st.sampled_from(sorted(ACTIVATIONS))),
        violation=split_keeps_the_function,
        corrected=False,
    ),
    Claim(
        name="B.7 signs",
        formula=(
            r"\theta \, c \, \max(0, z) = |\theta| \, (\mathrm{sign}(\theta) \, c) \, \max(0, z)",
            r"c \, \max(0, \theta z) = |\theta| \, c \, \max(0, \mathrm{sign}(\theta) \, z),"
            r" \quad z = \langle a, x \rangle + b",
        ),
        says=(
            "A unit with θ > 0 does the same at the same cost: a sign behind the ReLU goes into c, "
            "a sign before it into the row and the bias. Positive factors pass."
        ),
        source=SOURCE,
        domain="θ ≠ 0, the switch before or behind the ReLU, exactly",
        instances=st.builds(Placed, units(switches=NONZERO), st.booleans()),
        violation=positive_switch_does_it,
        mutants=(
            Mutant("always into the row", lambda u: positive_switch_does_it(u, into_the_row)),
            Mutant("always into c", lambda u: positive_switch_does_it(u, into_the_column)),
            Mutant("the sign is dropped", lambda u: positive_switch_does_it(u, is_taken_away)),
            Mutant(
                "negative factors pass, too",
                lambda u: positive_switch_does_it(u, factor=Fraction(-1)),
            ),
        ),
    ),
)
