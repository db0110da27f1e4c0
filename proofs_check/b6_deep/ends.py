"""What a convolution makes of a constant unit beside its zero padding."""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.b6_deep.instances import SHIFTS, convolutions_of, signals
from proofs_check.b6_deep.layers import SOURCE, Convolution
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.vectors import vectors


@dataclass(frozen=True)
class Reader:
    """A padded convolution, and a signal whose last channel is a constant."""

    convolution: Convolution
    others: tuple
    constant: Fraction

    def outputs(self):
        return self.convolution(tuple((*position, self.constant) for position in self.others))

    def outputs_without(self):
        """What it gives without the channel, whose constant the bias has taken up."""
        layer, dead = self.convolution, len(self.others[0])
        bias = tuple(
            b + self.constant * sum(taps)
            for b, taps in zip(layer.bias, layer.column(dead), strict=True)
        )
        smaller = layer.cut(range(layer.n_outputs), range(dead))
        return Convolution(smaller.weight, bias, layer.size, layer.padded)(self.others)

    def __str__(self):
        return f"{self.convolution}, h = {exact(self.others)}, the last unit is {self.constant}"


@st.composite
def readers(draw):
    n_others, length = draw(st.integers(0, 2)), draw(st.integers(1, 4))
    n_outputs, size = draw(st.integers(1, 2)), draw(st.sampled_from((3, 5)))
    layer = draw(convolutions_of(n_others + 1, n_outputs, size, padded=True))
    others = draw(signals(n_others, length))
    (constant,) = draw(vectors(1, SHIFTS))
    return Reader(layer, others, constant)


def beyond_the_ends(convolution, i, position, length):
    """For each output: the sum of the weights of an input that stand on zeros."""
    first = position - convolution.size // 2
    return [
        sum(tap for k, tap in enumerate(taps) if not 0 <= first + k < length)
        for taps in convolution.column(i)
    ]


def off_beyond_the_ends(reader, beyond=beyond_the_ends, sign=-1):
    """Without the unit, outputs are higher by its constant times the weights beyond the ends."""
    full, without = reader.outputs(), reader.outputs_without()
    dead, length = len(reader.others[0]), len(reader.others)
    for position, (ours, theirs) in enumerate(zip(full, without, strict=True)):
        off = [one - other for one, other in zip(ours, theirs, strict=True)]
        weights = beyond(reader.convolution, dead, position, length)
        promised = [sign * reader.constant * weight for weight in weights]
        if off != promised:
            return f"at position {position} it is off by {exact(off)}, not {exact(promised)}"
    return None


def nowhere(convolution, i, position, length):
    return [Fraction(0)] * convolution.n_outputs


def at_the_outermost(convolution, i, position, length):
    inside = 0 < position < length - 1
    return (nowhere if inside else beyond_the_ends)(convolution, i, position, length)


def at_the_start(convolution, i, position, length):
    """As if the signal had no other end."""
    return beyond_the_ends(convolution, i, position, length + convolution.size)


CLAIMS = (
    Claim(
        name="B.6 beside zero padding: corrected",
        formula=(
            r"h_j = c \mathrm{\ at\ positions\ } 1, \ldots, n \;\Longrightarrow",
            r"\mathrm{without\ } j, \mathrm{\ output\ } t \mathrm{\ is\ higher\ by\ }"
            r" c \sum_{t + k \notin \{1, \ldots, n\}} W_{jk}",
        ),
        says=(
            "If the bias takes up a constant beside zero padding, outputs are off by the constant "
            "times the weights that stand beyond the ends. So outputs further inside are exact, "
            "and all are if the constant is 0."
        ),
        source=SOURCE,
        domain="sizes 3 and 5 along one dimension, 1 to 4 positions, up to 2 other units, exactly",
        instances=readers(),
        violation=off_beyond_the_ends,
        mutants=(
            Mutant("it is exact", lambda reader: off_beyond_the_ends(reader, nowhere)),
            Mutant(
                "only the outermost outputs are off",
                lambda reader: off_beyond_the_ends(reader, at_the_outermost),
            ),
            Mutant(
                "only outputs at the start are off",
                lambda reader: off_beyond_the_ends(reader, at_the_start),
            ),
            Mutant("outputs are lower", lambda reader: off_beyond_the_ends(reader, sign=1)),
        ),
    ),
)
