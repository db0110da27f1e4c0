"""Networks of ReLU layers with switches: what the factors of all units cost together."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.b1_bridge import close
from proofs_check.b7_powers.exponentials import lowest
from proofs_check.b7_powers.laws import SWITCH
from proofs_check.b7_powers.unit import NONZERO, NUMBERS, SIZES, SOURCE, STRENGTHS, TEMPTING
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.vectors import vectors

# Of a unit's terms against each other; the cost itself is as exact as in B.1.
BALANCE = 1e-6


@dataclass(frozen=True)
class Network:
    """x ↦ W_L h_{L-1}, h_l = diag(θ_l) max(0, W_l h_{l-1} + b_l), h_0 = x."""

    weights: tuple
    biases: tuple
    switches: tuple
    x: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction

    @property
    def depth(self):
        """L."""
        return len(self.weights)

    def arrays(self):
        parts = (self.weights, self.biases, self.switches)
        return [[np.array(entry, float) for entry in part] for part in parts]

    def __str__(self):
        weights = f"W = {exact(self.weights)}, b = {exact(self.biases)}"
        switches = f"θ = {exact(self.switches)}, x = {exact(self.x)}"
        return f"{weights}, {switches}, λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"


DEPTHS = st.integers(2, 4)
POWERS = st.sampled_from([Fraction(2), Fraction(1), Fraction(3), Fraction(1, 2)])


@st.composite
def networks(draw):
    """Without a weight or a switch that is 0, so that every unit has best factors."""
    widths = [draw(SIZES) for _ in range(draw(DEPTHS) + 1)]
    return Network(
        tuple(
            tuple(draw(vectors(n_inputs, NONZERO)) for _ in range(n_outputs))
            for n_inputs, n_outputs in itertools.pairwise(widths)
        ),
        tuple(draw(vectors(width, NUMBERS)) for width in widths[1:-1]),
        tuple(draw(vectors(width, NONZERO)) for width in widths[1:-1]),
        draw(vectors(widths[0], NONZERO)),
        draw(STRENGTHS),
        draw(STRENGTHS),
        draw(POWERS),
    )


def output(arrays, x):
    weights, biases, switches = arrays
    hidden = np.array(x, float)
    for W, b, theta in zip(weights, biases, switches, strict=False):
        hidden = theta * np.maximum(0.0, W @ hidden + b)
    return weights[-1] @ hidden


def balanced(network):
    """The arrays of the network once the factors of all units are at their best together."""
    weights, biases, switches = network.arrays()
    sizes = [len(theta) for theta in switches]
    # Logarithms of the factors of rows and columns, layer by layer; each is a row of the identity.
    logs = np.split(np.eye(2 * sum(sizes)), np.cumsum(np.repeat(sizes, 2))[:-1])
    nothing = [np.zeros((n, 2 * sum(sizes))) for n in (weights[-1].shape[0], weights[0].shape[1])]
    rows, columns = [*logs[::2], nothing[0]], [nothing[1], *logs[1::2]]
    y = lowest(*_terms(network, rows, columns))
    rows, columns = ([np.exp(part @ y) for part in each] for each in (rows, columns))
    return (
        [W * np.outer(row, column) for W, row, column in zip(weights, rows, columns, strict=True)],
        [b * row for b, row in zip(biases, rows, strict=False)],
        [t / (r * c) for t, r, c in zip(switches, rows, columns[1:], strict=False)],
    )


def _terms(network, rows, columns):
    """The penalty as a sum of exponentials: weights and exponents."""
    weights, _, switches = network.arrays()
    lam, lam2, p = float(network.lam), float(network.lam2), float(network.p)
    factors = [lam2 * np.abs(W).ravel() ** p for W in weights]
    exponents = [
        p * (row[:, None] + column).reshape(-1, row.shape[1])
        for row, column in zip(rows, columns, strict=True)
    ]
    factors += [lam * np.abs(theta) for theta in switches]
    exponents += [-(r + c) for r, c in zip(rows[:-1], columns[1:], strict=True)]
    return np.concatenate(factors), np.concatenate(exponents)


def paid(network, arrays):
    """What each layer of weights and each unit's switch, row and column pay."""
    weights, _, switches = arrays
    lam, lam2, p = float(network.lam), float(network.lam2), float(network.p)
    powers = [lam2 * np.abs(W) ** p for W in weights]
    units = [
        np.array([lam * np.abs(theta), before.sum(axis=1), after.sum(axis=0)])
        for theta, (before, after) in zip(switches, itertools.pairwise(powers), strict=True)
    ]
    return np.array([part.sum() for part in powers]), units


def powers_of_units(network, units):
    """The sum of κs^{p/(p+2)} over all units."""
    lam, lam2, p = float(network.lam), float(network.lam2), float(network.p)
    switch, row, column = np.concatenate(units, axis=1)
    s = switch / lam * (row / lam2 * column / lam2) ** (1 / p)
    return (SWITCH.constant(lam, lam2, p) * s ** SWITCH.power(p)).sum()


def of_two_layers(depth, p):
    return 1.0


def of_all_layers(depth, p):
    return ((depth - 1) * p + depth) / ((depth - 1) * (p + 2))


def pays_for_units(network, factor):
    """With the best factors, the penalty is `factor` times that of the units, one by one."""
    layers, units = paid(network, balanced(network))
    total = layers.sum() + sum(unit[0].sum() for unit in units)
    promised = factor(network.depth, float(network.p)) * powers_of_units(network, units)
    if close(promised, total):
        return None
    return f"with the best factors it pays {total:.10g}, the formula gives {promised:.10g}"


def is_balanced(network, factor=of_all_layers, times=lambda p: p):
    """The function stays, units and layers are balanced, and the penalty is as promised."""
    arrays, p = balanced(network), float(network.p)
    before, after = output(network.arrays(), network.x), output(arrays, network.x)
    if not np.allclose(before, after, rtol=1e-8, atol=1e-8):
        return f"the best factors change the output from {before} to {after}"
    layers, units = paid(network, arrays)
    for switch, row, column in np.concatenate(units, axis=1).T:
        if not np.allclose([row * times(p), column * times(p)], switch, rtol=BALANCE, atol=0):
            return f"a switch pays {switch:.6g}, its row {row:.6g}, its column {column:.6g}"
    switches = [unit[0].sum() for unit in units]
    if not np.allclose([*(p * layers), *switches], switches[0], rtol=BALANCE, atol=0):
        return f"switches of layers pay {exact(switches)}, their weights {exact([*layers])}"
    return pays_for_units(network, factor)


PENALTY = r"\lambda \sum_l \|\theta_l\|_1 + \lambda_2 \sum_l \|W_l\|_p^p"
DOMAIN = "L = 2 to 4 layers of 1 or 2 units, no θ or weight 0, any biases, p = 1/2, 1, 2 or 3"

CLAIMS = (
    Claim(
        name="B.7 unit by unit",
        formula=(
            rf"{PENALTY} = \sum_j \kappa s_j^{{p/(p+2)}}",
            r"\mathrm{with\ the\ best\ factors,\ over\ all\ hidden\ units\ } j",
        ),
        says="A network pays for each hidden unit what B.7 says, whatever its depth.",
        source=TEMPTING,
        domain=DOMAIN,
        instances=networks(),
        violation=lambda network: pays_for_units(network, of_two_layers),
        corrected=False,
    ),
    Claim(
        name="B.7 unit by unit: corrected",
        formula=(
            r"\lambda |\theta_j| = p \lambda_2 \|a_j\|_p^p = p \lambda_2 \|c_j\|_p^p,"
            r" \quad \lambda \|\theta_l\|_1 = p \lambda_2 \|W_m\|_p^p"
            r" \mathrm{\ for\ all\ } j, l, m",
            rf"{PENALTY} = \frac{{(L-1) p + L}}{{(L-1)(p+2)}} \; \sum_j \kappa s_j^{{p/(p+2)}}",
        ),
        says=(
            "With the best factors each unit is balanced, all layers of switches pay the same, and "
            "so do all layers of weights. This holds at every minimum in which all units are "
            "alive, whatever the loss. The power stays. The factor is 1 for L = 2 and falls with "
            "L, as units share the weights between hidden layers."
        ),
        source=SOURCE,
        domain=DOMAIN,
        instances=networks(),
        violation=is_balanced,
        mutants=(
            Mutant("the factor is 1", lambda network: is_balanced(network, of_two_layers)),
            Mutant(
                "the factor is that of p = 2",
                lambda network: is_balanced(network, lambda depth, _: of_all_layers(depth, 2)),
            ),
            Mutant(
                "the factor is the share of the switches",
                lambda network: is_balanced(network, lambda depth, p: p / (p + 2)),
            ),
            Mutant(
                "switches, rows and columns pay the same",
                lambda network: is_balanced(network, times=lambda p: 1.0),
            ),
        ),
    ),
)
