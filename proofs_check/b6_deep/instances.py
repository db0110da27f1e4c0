"""How networks are drawn: a stem, residual branches, a head."""

from fractions import Fraction
from functools import cache

from hypothesis import strategies as st

from proofs_check.b6_deep.layers import Convolution, Network, Norm, Part, Relu, Switch
from proofs_check.vectors import vectors

# Instances shrink to the first of each.
WEIGHTS = tuple(map(Fraction, ("1", "-1", "2", "1/2", "-3/2", "3", "-2", "0")))
SHIFTS = tuple(map(Fraction, ("0", "1", "-1", "1/2", "2")))
SWITCHES = tuple(map(Fraction, ("0", "1", "-1", "2", "1/2", "0")))
SIGMAS = tuple(map(Fraction, ("1", "2", "1/2")))
# Channelwise layers behind a convolution, before the first one of a branch or of the head, and
# between two branches: switches, BatchNorms, ReLUs.
BEHIND = ("", "s", "sr", "rs", "sn", "nr", "snr", "nsr", "nrs", "snrs")
BEFORE = ("", "r", "s", "sr", "nr", "nsr")
BETWEEN = ("", "r", "s", "sr")
# Sizes of convolutions, and whether they are padded.
KINDS = ((1, False), (3, True), (3, False))


@st.composite
def networks(draw, branches=(0, 1, 2), behind=BEHIND, lengths=(1, 3, 5), kinds=KINDS):
    """Dense ones have one position; others three or five, with zeros beyond, or not."""
    n_inputs, width = draw(integers(1, 2)), draw(integers(1, 2))
    length, n_branches = draw(one(lengths)), draw(one(branches))
    parts = [Part(draw_stem(draw, n_inputs, width, length, behind, kinds))]
    for number in range(n_branches):
        between = draw(channelwise(draw(one(BETWEEN)) if number else "", width))
        parts += [Part(between)] if between else []
        parts.append(Part(draw_branch(draw, width, behind, kinds), residual=True))
    length_left = length_behind(parts[0].layers, length)
    head = draw(channelwise(draw(one(BEFORE)), width))
    head += (draw(convolutions(width, draw(integers(1, 2)), kinds, length_left)),)
    # Without a branch all layers stand one after the other.
    parts = [*parts, Part(head)] if n_branches else [Part(parts[0].layers + head)]
    return Network(tuple(parts), tuple(draw(signals(n_inputs, length)) for _ in range(2)))


def draw_stem(draw, n_inputs, width, length, behind, kinds):
    """One convolution or two, which may shorten the signal."""
    layers, n_before = (), n_inputs
    for _ in range(draw(integers(1, 2))):
        layer = draw(convolutions(n_before, width, kinds, length_behind(layers, length)))
        layers += (layer, *draw(channelwise(draw(one(behind)), width)))
        n_before = width
    return layers


def draw_branch(draw, width, behind, kinds):
    """One convolution or two, with units of their own in between."""
    layers, n_before = draw(channelwise(draw(one(BEFORE)), width)), width
    n_inside = draw(integers(0, 2))
    if n_inside:
        layer = draw(convolutions(width, n_inside, kinds))
        layers += (layer, *draw(channelwise(draw(one(behind)), n_inside)))
        n_before = n_inside
    layer = draw(convolutions(n_before, width, kinds))
    return (*layers, layer, *draw(channelwise(draw(one(behind)), width)))


def length_behind(layers, length):
    """The positions that are left: a convolution of size 3 without padding takes two."""
    shorter = [c for c in layers if isinstance(c, Convolution) and c.size > 1 and not c.padded]
    return length - 2 * len(shorter)


# Strategies are kept, as making them takes longer than drawing.


@cache
def one(choices):
    return st.sampled_from(choices)


@cache
def integers(low, high):
    return st.integers(low, high)


@cache
def signals(n_inputs, length):
    return st.tuples(*[vectors(n_inputs, WEIGHTS)] * length)


@cache
def convolutions(n_inputs, n_outputs, kinds, length=1):
    """Of these kinds; without padding only if they leave a position."""
    fit = [(size, padded) for size, padded in kinds if padded or size <= length]
    return st.one_of([convolutions_of(n_inputs, n_outputs, *kind) for kind in fit])


@cache
def convolutions_of(n_inputs, n_outputs, size, padded):
    def made(rows, bias):
        weight = tuple(
            tuple(row[k * n_inputs : (k + 1) * n_inputs] for k in range(size)) for row in rows
        )
        return Convolution(weight, bias, size, padded)

    rows = st.tuples(*[vectors(size * n_inputs, WEIGHTS)] * n_outputs)
    return st.builds(made, rows, vectors(n_outputs, SHIFTS))


@cache
def channelwise(order, width):
    """Layers in this order, "nsr" for instance."""
    of_norm = [vectors(width, numbers) for numbers in (WEIGHTS, SHIFTS, SHIFTS, SIGMAS)]
    kinds = {
        "s": st.builds(Switch, vectors(width, SWITCHES)),
        "n": st.builds(Norm, *of_norm),
        "r": st.just(Relu()),
    }
    return st.tuples(*[kinds[kind] for kind in order])
