"""Putting the factors of switches into the layers around them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

from proofs_check.b6_deep.instances import networks
from proofs_check.b6_deep.layers import (
    SOURCE,
    Convolution,
    Network,
    Norm,
    Part,
    Relu,
    Switch,
    differ,
)
from proofs_check.b6_deep.removal import DOMAIN
from proofs_check.claim import Claim, Mutant


def not_negative(theta):
    """ReLU lets factors c >= 0 through: max(0, cx) = c max(0, x)."""
    return all(entry >= 0 for entry in theta)


def norm_before(norm, theta):
    """θ(γ(x − mean)/σ + β)."""
    return replace(norm, gamma=times(theta, norm.gamma), beta=times(theta, norm.beta))


def norm_behind(norm, theta):
    """γ(θx − mean)/σ + β, without division, as θ may be 0."""
    shift = zip(norm.beta, norm.gamma, norm.mean, norm.sigma, strict=True)
    beta = tuple(beta - gamma * mean / sigma for beta, gamma, mean, sigma in shift)
    zeros = tuple(0 * mean for mean in norm.mean)
    return replace(norm, gamma=times(theta, norm.gamma), beta=beta, mean=zeros)


def times(first, second):
    return tuple(one * other for one, other in zip(first, second, strict=True))


@dataclass(frozen=True)
class Rules:
    """The parts of the claim; mutants replace them."""

    passes_relu: Callable = not_negative
    norm_before: Callable = norm_before
    norm_behind: Callable = norm_behind
    layer_before: Callable = Convolution.with_rows_times
    layer_behind: Callable = Convolution.with_columns_times


def without_switches(network, rules=Rules()):
    """The network without the switches that can be folded into a layer of their part."""
    parts = (Part(_folded(part.layers, rules), part.residual) for part in network.parts)
    return Network(tuple(parts), network.signals)


def _folded(layers, rules):
    for place, layer in enumerate(layers):
        if isinstance(layer, Switch):
            smaller = _into_one(layers, place, rules)
            if smaller is not None:
                return _folded(smaller, rules)
    return layers


def _into_one(layers, place, rules):
    """The layers with one switch in the nearest layer before it, else behind it, else None."""
    theta = layers[place].theta
    sides = (
        (range(place - 1, -1, -1), rules.layer_before, rules.norm_before),
        (range(place + 1, len(layers)), rules.layer_behind, rules.norm_behind),
    )
    for places, into_layer, into_norm in sides:
        k = _nearest(layers, places, theta, rules)
        if k is not None:
            into = into_norm if isinstance(layers[k], Norm) else into_layer
            left = [*layers[:k], into(layers[k], theta), *layers[k + 1 :]]
            return (*left[:place], *left[place + 1 :])
    return None


def _nearest(layers, places, theta, rules):
    """The first place of a layer with weights, if the factors may pass what stands in between."""
    for k in places:
        if isinstance(layers[k], Convolution | Norm):
            return k
        if isinstance(layers[k], Relu) and not rules.passes_relu(theta):
            return None
    return None


def folding_is_exact(network, rules=Rules(), moved=lambda network: network):
    folded = without_switches(moved(network), rules)
    return differ(network.outputs(), folded.outputs()) or stays_beside_a_layer(folded)


def stays_beside_a_layer(network):
    for part in network.parts:
        for one, other in itertools.pairwise(part.layers):
            for switch, layer in ((one, other), (other, one)):
                if isinstance(switch, Switch) and isinstance(layer, Convolution | Norm):
                    return f"{switch} stays beside {layer}"
    return None


def into_the_branch(network):
    """Moves a switch before a residual branch into the branch, and not before the sum."""
    parts = list(network.parts)
    for k, (part, after) in enumerate(itertools.pairwise(network.parts)):
        if after.residual and len(part.layers) > 1 and isinstance(part.layers[-1], Switch):
            parts[k] = replace(part, layers=part.layers[:-1])
            parts[k + 1] = replace(after, layers=(part.layers[-1], *after.layers))
            return Network(tuple(parts), network.signals)
    return network


def into_the_last_term(network):
    """Moves a switch behind a residual sum into the branch, and not into the other term."""
    parts = list(network.parts)
    for k, (part, after) in enumerate(itertools.pairwise(network.parts)):
        if part.residual and len(after.layers) > 1 and isinstance(after.layers[0], Switch):
            parts[k] = replace(part, layers=(*part.layers, after.layers[0]))
            parts[k + 1] = replace(after, layers=after.layers[1:])
            return Network(tuple(parts), network.signals)
    return network


def mutant(name, instances=None, **rules):
    return Mutant(name, lambda network: folding_is_exact(network, Rules(**rules)), instances)


CLAIMS = (
    Claim(
        name="B.6 folding",
        formula=(
            r"\theta (W h + b) = (\theta W) h + \theta b, \quad W (\theta h) = (W \theta) h",
            r"\theta \, \mathrm{BN}(h; \gamma, \beta, \mu, \sigma)"
            r" = \mathrm{BN}(h; \theta \gamma, \theta \beta, \mu, \sigma)",
            r"\mathrm{BN}(\theta h; \gamma, \beta, \mu, \sigma)"
            r" = \mathrm{BN}(h; \theta \gamma, \, \beta - \gamma \mu / \sigma, \, 0, \, \sigma)",
            r"\theta \max(0, z) = \max(0, \theta z) \quad \mathrm{if\ } \theta \geq 0",
        ),
        says=(
            "Folding a switch into the layer or BatchNorm before it, or into the next one, changes "
            "no output, zero padding or not. It may pass ReLUs if no θ is negative. It stays if a "
            "ReLU that it may not pass, or an end of a residual branch, comes first on both sides."
        ),
        source=SOURCE,
        domain=f"{DOMAIN}, exactly",
        instances=networks(),
        violation=folding_is_exact,
        mutants=(
            mutant("negative θ pass ReLU", passes_relu=lambda theta: True),
            mutant(
                "the bias is not multiplied",
                layer_before=lambda layer, theta: replace(
                    layer.with_rows_times(theta), bias=layer.bias
                ),
            ),
            mutant(
                "β is not multiplied behind a BatchNorm",
                norm_before=lambda norm, theta: replace(norm, gamma=times(theta, norm.gamma)),
            ),
            mutant(
                "the mean stays before a BatchNorm",
                norm_behind=lambda norm, theta: replace(norm, gamma=times(theta, norm.gamma)),
                instances=networks(behind=("rsn", "rsnr")),
            ),
            mutant(
                "the layer behind takes θ into its rows",
                layer_behind=lambda layer, theta: layer.with_rows_times(
                    (theta * layer.n_outputs)[: layer.n_outputs]
                ),
            ),
            Mutant(
                "of a residual branch and its sum only the branch takes θ",
                lambda network: folding_is_exact(network, moved=into_the_branch),
            ),
            Mutant(
                "of the two terms of a sum only one takes θ",
                lambda network: folding_is_exact(network, moved=into_the_last_term),
            ),
        ),
    ),
)
