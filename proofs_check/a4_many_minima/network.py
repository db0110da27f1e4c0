"""Networks with switches, of any number of layers, and how instances are drawn."""

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.a4_many_minima.numbers import NUMBERS, STRENGTHS, matrices
from proofs_check.claim import exact

LEAK = Fraction(1, 100)
ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: max(z, Fraction(0)),
    "leaky relu": lambda z: z if z > 0 else LEAK * z,
    "tanh": lambda z: math.tanh(z),
}


@dataclass(frozen=True)
class Layer:
    """x ↦ a(A diag(β) x + b). As in the paper, A has one row per output."""

    A: tuple
    beta: tuple
    b: tuple

    def __call__(self, x, activation):
        gated = [beta * entry for beta, entry in zip(self.beta, x, strict=True)]
        sums = [sum(a * g for a, g in zip(row, gated, strict=True)) for row in self.A]
        return [activation(z + b) for z, b in zip(sums, self.b, strict=True)]

    def column(self, j):
        return tuple(row[j] for row in self.A)

    def with_column(self, j, beta, column):
        """The layer with switch j and column j replaced."""
        A = tuple(
            (*row[:j], entry, *row[j + 1 :]) for row, entry in zip(self.A, column, strict=True)
        )
        return replace(self, A=A, beta=(*self.beta[:j], beta, *self.beta[j + 1 :]))

    def scaled(self, t):
        rows = tuple(tuple(t * a for a in row) for row in self.A)
        return Layer(rows, tuple(t * v for v in self.beta), tuple(t * v for v in self.b))

    def weights(self):
        return [a for row in self.A for a in row]

    def __str__(self):
        return f"A = {exact(self.A)}, β = {exact(self.beta)}, b = {exact(self.b)}"


@dataclass(frozen=True)
class Network:
    """Layers in order, one sample, and the strengths of the penalties."""

    activation: str
    layers: tuple
    x: tuple
    y: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction

    def output(self):
        z = list(self.x)
        for layer in self.layers:
            z = layer(z, ACTIVATIONS[self.activation])
        return z

    def error(self):
        return sum((y - z) ** 2 for y, z in zip(self.y, self.output(), strict=True))

    def penalty(self, size=abs, biases=False):
        """λ Σ‖β‖₁ + λ₂ Σ‖A‖_p^p, with ‖b‖_p^p too if biases are penalised."""
        switches = sum(size(beta) for layer in self.layers for beta in layer.beta)
        return self.lam * switches + self.lam2 * self.powers(biases)

    def powers(self, biases):
        parts = [w for layer in self.layers for w in layer.weights()]
        parts += [b for layer in self.layers for b in layer.b] if biases else []
        return sum(abs(w) ** self.p for w in parts)

    def switches(self):
        """(i, j) of every switch."""
        return [(i, j) for i, layer in enumerate(self.layers) for j in range(len(layer.beta))]

    def with_layer(self, i, layer):
        return replace(self, layers=(*self.layers[:i], layer, *self.layers[i + 1 :]))

    def with_pair(self, i, j, beta, column):
        return self.with_layer(i, self.layers[i].with_column(j, beta, column))

    def pair(self, i, j):
        return self.layers[i].beta[j], self.layers[i].column(j)

    def scaled(self, t):
        return replace(self, layers=tuple(layer.scaled(t) for layer in self.layers))

    def __str__(self):
        layers = "; ".join(str(layer) for layer in self.layers)
        data = f"x = {exact(self.x)}, y = {exact(self.y)}"
        strengths = f"λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"
        return f"a = {self.activation}; {layers}; {data}; {strengths}"


@st.composite
def networks(draw, min_layers=2, max_layers=3, max_width=2):
    n_layers = draw(st.integers(min_layers, max_layers))
    widths = [draw(st.integers(1, max_width)) for _ in range(n_layers + 1)]
    layers = tuple(draw(layers_of(*pair)) for pair in itertools.pairwise(widths))
    return Network(
        draw(st.sampled_from(list(ACTIVATIONS))),
        layers,
        draw(st.tuples(*[NUMBERS] * widths[0])),
        draw(st.tuples(*[NUMBERS] * widths[-1])),
        draw(STRENGTHS),
        draw(STRENGTHS),
        draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2)])),
    )


def layers_of(n_inputs, n_outputs):
    vectors = [st.tuples(*[NUMBERS] * n) for n in (n_inputs, n_outputs)]
    return st.builds(Layer, matrices(n_outputs, n_inputs), *vectors)
