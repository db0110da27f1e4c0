"""A.4 corrected, for several layers: what changing signs does in a network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from proofs_check.a4_many_minima.network import networks
from proofs_check.a4_many_minima.numbers import close
from proofs_check.a4_many_minima.statement import LAYERS, SOURCE
from proofs_check.claim import Claim, Mutant, exact


def negated(column):
    return tuple(-entry for entry in column)


def flip_pair(network, i, j):
    """The network with the signs of switch j of layer i and its column changed."""
    beta, column = network.pair(i, j)
    return network.with_pair(i, j, -beta, negated(column))


def flip_beta_alone(network, i, j):
    beta, column = network.pair(i, j)
    return network.with_pair(i, j, -beta, column)


def flip_next_column_too(network, i, j):
    after = (j + 1) % len(network.layers[i].beta)
    flipped = flip_pair(network, i, j)
    beta, column = flipped.pair(i, after)
    return flipped.with_pair(i, after, beta, negated(column))


def n_changed(network):
    """The number of switches for which a change of signs leads to another point."""
    pairs = [network.pair(i, j) for i, j in network.switches()]
    return sum(1 for beta, column in pairs if beta != 0 or any(column))


def n_nonzero(network):
    """‖β‖₀."""
    return sum(1 for i, j in network.switches() if network.pair(i, j)[0] != 0)


@dataclass(frozen=True)
class Deep:
    """The parts of the claim about changing signs in a network; mutants replace them."""

    flip: Callable = flip_pair
    size: Callable = abs
    exponent: Callable = n_changed


def flips_change_nothing(network, deep=Deep()):
    """For every set of switches: the same output and penalty, and the right number of points."""
    output, penalty = network.output(), network.penalty(deep.size)
    points = [network]
    for i, j in network.switches():
        points += [deep.flip(point, i, j) for point in points]
    for point in points:
        if not all(close(*pair) for pair in zip(point.output(), output, strict=True)):
            return f"N(x) changes from {exact(output)} to {exact(point.output())}"
        if not close(point.penalty(deep.size), penalty):
            return f"the penalty changes from {penalty} to {point.penalty(deep.size)}"
    n_points, promised = len({point.layers for point in points}), 2 ** deep.exponent(network)
    return None if n_points == promised else f"{n_points} points, not {promised}"


def tidied(network):
    """The network with every pair that is half zero set to zero."""
    for i, j in network.switches():
        beta, column = network.pair(i, j)
        if beta == 0 or not any(column):
            zeros = tuple(Fraction(0) for _ in column)
            network = network.with_pair(i, j, Fraction(0), zeros)
    return network


def flips_of_a_network(network, deep=Deep()):
    violation = flips_change_nothing(network, deep)
    if violation is not None:
        return violation
    tidy = tidied(network)
    if tidy == network:
        return None
    if not all(close(*pair) for pair in zip(tidy.output(), network.output(), strict=True)):
        return "half a pair that is zero matters to N(x)"
    if not tidy.penalty() < network.penalty():
        return "zeroing the other half of a pair that is half zero does not lower the value"
    # The tidied network could be a minimum: ‖β‖₀ is its number of nonzero pairs.
    return flips_change_nothing(tidy, replace(deep, exponent=n_nonzero))


CLAIM = Claim(
    name="A.4 corrected: deep",
    formula=(
        LAYERS,
        r"(\beta_{ij}, A_{ij}) \to (-\beta_{ij}, -A_{ij})"
        r" \mathrm{\ leaves\ } N(x) \mathrm{\ and\ the\ penalty\ as\ they\ are}",
        r"\mathrm{at\ a\ minimum\ } \beta_{ij} = 0 \;\Longleftrightarrow\; A_{ij} = 0",
    ),
    says=(
        "Changing the signs of switches and of their columns changes neither output nor "
        "penalty, and gives 2 to the number of pairs (β_j, A_j) ≠ 0 points. A pair of which "
        "one half is zero is no part of a minimum: zeroing the other half is cheaper."
    ),
    source=SOURCE + ", corrected",
    domain="2 or 3 layers of width 1 or 2, with biases, at any parameters",
    instances=networks(),
    violation=flips_of_a_network,
    mutants=(
        Mutant(
            "the switch changes its sign alone",
            lambda network: flips_of_a_network(network, Deep(flip=flip_beta_alone)),
        ),
        Mutant(
            "the next column changes its sign too",
            lambda network: flips_of_a_network(network, Deep(flip=flip_next_column_too)),
        ),
        Mutant(
            "2^k points, k the number of switches",
            lambda network: flips_of_a_network(
                network, Deep(exponent=lambda network: len(network.switches()))
            ),
        ),
        Mutant(
            "away from a minimum, too, as many points as 2^‖β‖₀",
            lambda network: flips_of_a_network(network, Deep(exponent=n_nonzero)),
        ),
        Mutant(
            "the penalty is the sum of the switches, with their signs",
            lambda network: flips_of_a_network(network, Deep(size=lambda beta: beta)),
        ),
    ),
)
