"""One unit of a network: its weights, its function, and how instances are drawn."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.a4_many_minima.network import ACTIVATIONS
from proofs_check.b1_bridge import powers, strengths
from proofs_check.claim import exact
from proofs_check.rational import dot
from proofs_check.vectors import vectors

SOURCE = "shrinklin's own (shrinklin.networks: the penalty on switches and weights)"
TEMPTING = "a tempting shortcut, in no paper"


@dataclass(frozen=True)
class Unit:
    """x ↦ θ c activation(⟨a, x⟩ + b), some x, and the strengths of the penalties."""

    a: tuple
    b: Fraction
    theta: Fraction
    c: tuple
    samples: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction
    activation: str = "relu"

    def outputs(self):
        """What it adds to the next layer, for each sample."""
        function = ACTIVATIONS[self.activation]
        inside = [function(dot(self.a, x) + self.b) for x in self.samples]
        return [[self.theta * entry * value for entry in self.c] for value in inside]

    def scaled(self, switch=1, row=1, column=1):
        """The unit with its factors multiplied; the bias goes with the row."""
        return replace(
            self,
            theta=switch * self.theta,
            a=tuple(row * entry for entry in self.a),
            b=row * self.b,
            c=tuple(column * entry for entry in self.c),
        )

    def __str__(self):
        kind = "" if self.activation == "relu" else f"{self.activation}, "
        weights = f"a = {exact(self.a)}, b = {self.b}, θ = {self.theta}, c = {exact(self.c)}"
        strengths = f"λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"
        return f"{kind}{weights}, x = {exact(self.samples)}, {strengths}"


def norm(vector, order):
    return sum(abs(float(entry)) ** float(order) for entry in vector) ** (1 / float(order))


NONZERO = tuple(map(Fraction, ("1", "-1", "2", "1/2", "-3", "2/3", "-1/4", "4")))
NUMBERS = (Fraction(0), *NONZERO)
SIZES, STRENGTHS, POWERS = st.integers(1, 2), strengths(), powers()
RELU = st.just("relu")


@st.composite
def units(draw, switches=NUMBERS, p=POWERS, activation=RELU, n_inputs=SIZES):
    """By default including units without a function: those with θ, a or c = 0."""
    n, n_outputs = draw(n_inputs), draw(SIZES)
    return Unit(
        a=draw(vectors(n, NUMBERS)),
        b=draw(vectors(1, NUMBERS))[0],
        theta=draw(vectors(1, switches))[0],
        c=draw(vectors(n_outputs, NUMBERS)),
        samples=(draw(vectors(n, NUMBERS)), draw(vectors(n, NUMBERS))),
        lam=draw(STRENGTHS),
        lam2=draw(STRENGTHS),
        p=draw(p),
        activation=draw(activation),
    )


def units_alive(**options):
    """Those with s > 0, and a function unless the samples miss it."""
    options = {"switches": NONZERO} | options
    return units(**options).filter(lambda unit: any(unit.a) and any(unit.c))


def same_outputs(first, second):
    """Whether two units agree on the samples, but for rounding."""
    pairs = zip(first.outputs(), second.outputs(), strict=True)
    return all(
        math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)
        for ours, theirs in pairs
        for one, other in zip(ours, theirs, strict=True)
    )


def rounded(numbers):
    return exact(np.asarray(numbers, float).tolist())
