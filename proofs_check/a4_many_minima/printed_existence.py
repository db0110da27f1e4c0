"""A.4 as printed: whether a minimum exists, for a neuron with an unpenalised bias."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.a4_many_minima.network import ACTIVATIONS, LEAK
from proofs_check.a4_many_minima.numbers import NONZERO, RELATIVE
from proofs_check.a4_many_minima.statement import LAYERS, OBJECTIVE, SOURCE
from proofs_check.claim import Claim, exact


@dataclass(frozen=True)
class Neuron:
    """One feature, target and sample, for every λ, λ₂, p > 0; the bias is not penalised."""

    activation: str
    x: Fraction
    y: Fraction

    def value(self, b):
        """The objective at A = β = 0, where the penalty is 0."""
        return (self.y - ACTIVATIONS[self.activation](b)) ** 2

    def __str__(self):
        return f"a = {self.activation}, x = {self.x}, y = {self.y}, any λ, λ₂, p > 0"


NEURONS = st.builds(
    Neuron,
    st.sampled_from(list(ACTIVATIONS)),
    NONZERO,
    st.fractions(-3, 3, max_denominator=4),
)


def nearest_output(neuron):
    """The point nearest to y in the closure of the activation's range."""
    if neuron.activation == "tanh":
        return max(Fraction(-1), min(neuron.y, Fraction(1)))
    return max(neuron.y, Fraction(0)) if neuron.activation == "relu" else neuron.y


def best_bias(neuron, output):
    """A bias that gives this output, None if there is none."""
    if neuron.activation == "tanh":
        return math.atanh(output) if abs(output) < 1 else None
    return output / LEAK if neuron.activation == "leaky relu" and output < 0 else output


def printed_existence(neuron):
    """Fails if the infimum, the squared distance of y from all outputs, is not attained."""
    output = nearest_output(neuron)
    infimum = (neuron.y - output) ** 2
    bias = best_bias(neuron, output)
    if bias is not None:
        # No error is below the infimum, whatever A and β, so reaching it is enough.
        reached = neuron.value(bias)
        if abs(reached - infimum) > RELATIVE:
            raise ArithmeticError(f"{neuron}: b = {bias} should reach {infimum}, not {reached}")
        return None
    biases = [output * size for size in (1, 2, 4, 8)]
    gaps = [neuron.value(b) - infimum for b in biases]
    if not (all(a > b for a, b in itertools.pairwise(gaps)) and 0 < gaps[-1] < 1e-5):
        return None
    values = ", ".join(f"{gap:.2g}" for gap in gaps)
    return (
        f"for A = β = 0 and b = {exact(biases)} the value exceeds {infimum} by {values}: "
        f"{infimum} is the infimum, and no value, since |tanh| < 1"
    )


CLAIM = Claim(
    name="A.4 as printed: existence",
    formula=(LAYERS, *OBJECTIVE, r"\mathrm{is\ attained,\quad} \theta = (A_i)_i"),
    says=(
        "There is a global minimum, whatever the activation, where θ are the weights alone "
        "and biases are free. (Where θ are all parameters there is, for continuous "
        "activations: see coercive.)"
    ),
    source=SOURCE + ", proof, and equation (9)",
    domain="one neuron and one sample, identity, relu, leaky relu and tanh",
    instances=NEURONS,
    violation=printed_existence,
    corrected=False,
)
