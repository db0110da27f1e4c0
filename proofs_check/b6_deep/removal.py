"""Which units of a network can be removed, and what its biases have to take up.

A walk through the layers finds, for each channel, whose unit it is, and the constant that it is
for every input, if it is one. A unit that is off is 0 behind its switch; what it is where the next
convolution reads it depends on what stands in between.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from proofs_check.b6_deep.instances import networks
from proofs_check.b6_deep.layers import (
    SOURCE,
    TEMPTING,
    Convolution,
    Network,
    Norm,
    Part,
    Switch,
    differ,
)
from proofs_check.claim import Claim, Mutant
from proofs_check.rational import ZERO


class Channel(NamedTuple):
    """The name of its unit, and its value if that is the same for all inputs and positions."""

    unit: tuple
    constant: Fraction | None = None


def behind_norm(norm, place, constant):
    return norm.one(place, constant)


def behind_relu(constant):
    return max(constant, ZERO)


def behind_sum(before, result):
    """A sum is constant if both of its terms are."""
    return None if before is None or result is None else before + result


def not_beside_zeros(convolution, constant):
    """Zeros beyond the ends are not the constant, unless it is 0."""
    return constant == 0 or not convolution.padded


@dataclass(frozen=True)
class Rules:
    """The parts of the claim; mutants replace them."""

    is_off: Callable = lambda theta: theta == 0
    behind_norm: Callable = behind_norm
    behind_relu: Callable = behind_relu
    behind_sum: Callable = behind_sum
    can_take_up: Callable = not_beside_zeros
    taken_up: Callable = lambda taps, constant: sum(taps) * constant


class Seen(NamedTuple):
    """A layer in its place, and the channels before and behind it."""

    layer: object
    before: tuple
    behind: tuple


def walk(network, rules):
    """Each part as a list of `Seen`."""
    n_inputs = len(network.signals[0][0])
    channels = tuple(Channel(("input", i)) for i in range(n_inputs))
    seen = []
    for number, part in enumerate(network.parts):
        steps = _walk_part(number, part, channels, rules)
        result = steps[-1].behind
        if part.residual:
            pairs = zip(channels, result, strict=True)
            result = tuple(
                Channel(one.unit, rules.behind_sum(one.constant, other.constant))
                for one, other in pairs
            )
        channels = result
        seen.append(steps)
    return seen


def _walk_part(number, part, channels, rules):
    # The last convolution of what is added to a signal makes the units of that signal.
    last = [k for k, layer in enumerate(part.layers) if isinstance(layer, Convolution)][-1:]
    stream, steps = channels, []
    for k, layer in enumerate(part.layers):
        if isinstance(layer, Convolution):
            behind = _made(layer, (number, k), stream if part.residual and k in last else None)
        else:
            pairs = enumerate(channels)
            behind = tuple(Channel(c.unit, _constant(layer, i, c, rules)) for i, c in pairs)
        steps.append(Seen(layer, channels, behind))
        channels = behind
    return steps


def _made(convolution, place, stream):
    """The channels behind a convolution: constant if all weights of a row are 0."""
    return tuple(
        Channel(
            stream[o].unit if stream else (*place, o),
            convolution.bias[o] if convolution.row_is_zero(o) else None,
        )
        for o in range(convolution.n_outputs)
    )


def _constant(layer, place, channel, rules):
    """What a channel is behind a layer, if that is constant."""
    if isinstance(layer, Switch) and rules.is_off(layer.theta[place]):
        return ZERO
    if channel.constant is None:
        # A BatchNorm with γ = 0 is a switch that is off, with β behind it.
        is_off = isinstance(layer, Norm) and layer.gamma[place] == 0
        return layer.beta[place] if is_off else None
    if isinstance(layer, Norm):
        return rules.behind_norm(layer, place, channel.constant)
    if isinstance(layer, Switch):
        return layer.theta[place] * channel.constant
    return rules.behind_relu(channel.constant)


def removable(seen, rules):
    """The units that no layer reads, or all that read them can take up as constants."""
    steps = [step for part in seen for step in part]
    units = {channel.unit for step in steps for channel in step.behind}
    stay = {channel.unit for channel in (*seen[0][0].before, *seen[-1][-1].behind)}
    for layer, before, _ in steps:
        if isinstance(layer, Convolution):
            stay |= {c.unit for i, c in enumerate(before) if _needs(layer, i, c, rules)}
    return units - stay


def _needs(convolution, i, channel, rules):
    """Whether a convolution cannot do without one of its inputs."""
    if not any(map(any, convolution.column(i))):
        return False
    return channel.constant is None or not rules.can_take_up(convolution, channel.constant)


def without_units(network, rules=Rules()):
    """The network without the units that can be removed, and how many these are."""
    seen = walk(network, rules)
    gone = removable(seen, rules)
    parts = tuple(
        Part(tuple(_smaller(step, gone, rules) for step in steps), part.residual)
        for part, steps in zip(network.parts, seen, strict=True)
    )
    return Network(parts, network.signals), len(gone)


def _smaller(step, gone, rules):
    layer, before, behind = step
    left = [i for i, channel in enumerate(before) if channel.unit not in gone]
    if not isinstance(layer, Convolution):
        return layer.cut(left)
    bias = list(layer.bias)
    for i, channel in enumerate(before):
        if channel.unit in gone and channel.constant is not None:
            for o, taps in enumerate(layer.column(i)):
                bias[o] += rules.taken_up(taps, channel.constant)
    outputs = [o for o, channel in enumerate(behind) if channel.unit not in gone]
    return replace(layer, bias=tuple(bias)).cut(outputs, left)


def removal_is_exact(network, rules=Rules()):
    smaller, _ = without_units(network, rules)
    return differ(network.outputs(), smaller.outputs())


def mutant(name, instances=None, **rules):
    return Mutant(name, lambda network: removal_is_exact(network, Rules(**rules)), instances)


# A switch before a BatchNorm is where constants come from.
BEFORE_NORM = networks(behind=("sn", "snr"), branches=(0, 1))
ANY_CONSTANT = Rules(can_take_up=lambda convolution, constant: True)
ONE_OF_BOTH = Rules(
    behind_sum=lambda before, result: (
        None if before is None and result is None else (before or ZERO) + (result or ZERO)
    )
)
DOMAIN = (
    "2 to 7 convolutions of 1 or 2 units along one dimension, dense ones among them, with "
    "BatchNorms, ReLUs, switches and up to 2 residual branches"
)

CLAIMS = (
    Claim(
        name="B.6",
        formula=(
            r"h_j(x) = c_j \mathrm{\ for\ all\ } x \;\Longrightarrow\;"
            r" W h(x) + b = \sum_{i \neq j} W_i h_i(x) + (b + W_j c_j)",
            r"\theta_j = 0 \;\Longrightarrow\; c_j = 0 \mathrm{\ behind\ the\ switch},"
            r" \quad \beta_j - \gamma_j \mu_j / \sigma_j \mathrm{\ behind\ a\ BatchNorm},",
            r"\max(0, \, \beta_j - \gamma_j \mu_j / \sigma_j) \mathrm{\ behind\ its\ ReLU}",
        ),
        says=(
            "Removing dead units changes no output, if the biases of all layers that read them "
            "take up the constants that they leave, in evaluation mode. A unit stays where its "
            "constant is not 0 beside zero padding, and where it is added to one that is alive."
        ),
        source=SOURCE,
        domain=f"{DOMAIN}, exactly",
        instances=networks(),
        violation=removal_is_exact,
        mutants=(
            mutant(
                "no bias takes up a constant",
                taken_up=lambda taps, constant: ZERO,
                instances=BEFORE_NORM,
            ),
            mutant(
                "behind a BatchNorm a dead unit is still 0",
                behind_norm=lambda norm, place, constant: ZERO,
                instances=BEFORE_NORM,
            ),
            mutant(
                "the running mean is ignored",
                behind_norm=lambda norm, place, constant: norm.beta[place],
                instances=BEFORE_NORM,
            ),
            mutant(
                "the running variance is ignored",
                behind_norm=lambda norm, place, constant: (
                    norm.beta[place] + norm.gamma[place] * (constant - norm.mean[place])
                ),
                instances=BEFORE_NORM,
            ),
            mutant(
                "the constant does not pass the ReLU",
                behind_relu=lambda constant: constant,
                instances=networks((0, 1), ("snr",)),
            ),
            mutant("one dead term makes a sum dead", behind_sum=ONE_OF_BOTH.behind_sum),
            mutant(
                "zero padding does not matter",
                can_take_up=ANY_CONSTANT.can_take_up,
                instances=BEFORE_NORM,
            ),
            mutant(
                "only the middle of a convolution takes up the constant",
                taken_up=lambda taps, constant: taps[len(taps) // 2] * constant,
                instances=networks((0,), ("sn", "snr"), (5,), ((3, False),)),
            ),
            mutant("a switch of 1/2 is off", is_off=lambda theta: abs(theta) <= Fraction(1, 2)),
            mutant("a negative switch is off", is_off=lambda theta: theta <= 0),
        ),
    ),
    Claim(
        name="B.6 one branch",
        formula=(
            r"h_j(x) + F_j(h(x)), \quad F_j(h(x)) = 0 \mathrm{\ for\ all\ } x"
            r" \;\Longrightarrow\; \mathrm{unit\ } j \mathrm{\ can\ be\ removed}",
        ),
        says="A unit of a residual sum can be removed if it is dead in one of the terms.",
        source=TEMPTING,
        domain=f"{DOMAIN}, at least one",
        instances=networks(branches=(1, 2)),
        violation=lambda network: removal_is_exact(network, ONE_OF_BOTH),
        corrected=False,
    ),
    Claim(
        name="B.6 beside zero padding",
        formula=(
            r"h_j(x) = c_j \mathrm{\ at\ all\ positions} \;\Longrightarrow\;"
            r" b + \sum_k W_{jk} c_j \mathrm{\ takes\ it\ up}",
        ),
        says="The bias of a convolution takes up a constant unit whatever stands beyond the ends.",
        source=TEMPTING,
        domain="networks as for B.6, with a switch and a BatchNorm behind each layer",
        instances=BEFORE_NORM,
        violation=lambda network: removal_is_exact(network, ANY_CONSTANT),
        corrected=False,
    ),
)
