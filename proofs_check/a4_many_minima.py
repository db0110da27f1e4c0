r"""A.4: how many global minima a network with switches has.

Printed, as Proposition A.4: for layers
:math:`f_{A_i, \beta_i, b_i}(x) = a(A_i\,\mathrm{diag}(\beta_i) x + b_i)`, their composition N
and λ, λ₂, p > 0,

.. math:: \min \|y - N(x)\|_2^2 + \lambda \|\beta\|_1 + \lambda_2 \|\theta\|_p^p

has at least :math:`2^k` global minima, :math:`k = \sum_i \#\beta_i`. The proof finds that a
minimum exists, and then changes the signs of β_j and of column j of A together. What θ is
can be read in two ways: as the weights A_i, as in equation (9) of the drafts, or as every
parameter, biases too, as the proof has it.

What is true:

- where a minimum exists there are at least :math:`2^{\|\beta^*\|_0}`. At a minimum β_j = 0 if
  and only if column j of A is 0, and then the change of sign leads to the same point: of a
  linear layer without bias a strong penalty leaves exactly one minimum, zero;
- a minimum exists where every parameter is penalised, biases too, and a is continuous: the
  penalty alone is at least :math:`\min(\lambda r, \lambda_2 r^p)` where the largest parameter
  is r in size. Where biases are free (θ are the weights alone) a bounded activation may only
  approach the infimum (tanh, y = 1).

For one feature and one target, with s = Σx² and c = Σxy, the bridge form of the objective is
:math:`s w^2 - 2 c w + \kappa |w|^{p/(p+1)}` up to a constant. Divided by the last power of |w|
it is smallest at a known w, and is positive there, so that zero is the only minimiser, if and
only if

.. math:: 27 s \lambda \lambda_2 > 8 |c|^3 \;(p = 1),
          \qquad 4 s \lambda^2 \lambda_2 > c^4 \;(p = 2).

Features that share no sample make as many separate problems, whose numbers of minima multiply.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact

SOURCE = "Drafts, appendix A.1, Proposition A.4"
RELATIVE = 1e-12

LEAK = Fraction(1, 100)
ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: max(z, Fraction(0)),
    "leaky relu": lambda z: z if z > 0 else LEAK * z,
    "tanh": lambda z: math.tanh(z),
}

# The first of each is what an instance shrinks to.
NONZERO = st.sampled_from([Fraction(n, d) for n, d in ((1, 1), (2, 1), (-1, 1), (1, 2), (-3, 2))])
NUMBERS = st.one_of(st.just(Fraction(0)), NONZERO)
STRENGTHS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(3)])
# Weak ones, with which a minimum may keep every switch, and a strong one, with which it has none.
WEAK_STRENGTHS = st.sampled_from([Fraction(1), Fraction(1, 10), Fraction(1, 50), Fraction(1, 200)])


def matrices(n_rows, n_columns, entries=NUMBERS):
    return st.tuples(*[st.tuples(*[entries] * n_columns)] * n_rows)


def close(first, second):
    """Equal up to rounding; exact numbers that are equal are close."""
    return abs(first - second) <= RELATIVE * max(abs(first), abs(second))


# --- as printed: how many minima there are exactly ------------------------------------------


@dataclass(frozen=True)
class Separate:
    """One target, and features that share no sample: a pair (x, y) of columns for each."""

    features: tuple
    lam: Fraction
    lam2: Fraction
    p: int

    def __str__(self):
        columns = "; ".join(f"x = {exact(x)}, y = {exact(y)}" for x, y in self.features)
        return f"{columns}; λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"


@st.composite
def separates(draw, max_features=3, max_samples=2):
    """x and y without zeros, so that no feature is dead from the start."""
    column = st.integers(1, max_samples).flatmap(lambda n: matrices(2, n, NONZERO))
    features = draw(st.lists(column, min_size=1, max_size=max_features).map(tuple))
    return Separate(features, draw(STRENGTHS), draw(STRENGTHS), draw(st.sampled_from([1, 2])))


def penalty_and_signal(separate, x, y):
    """The two sides of the inequality under which zero is the feature's only minimiser."""
    s = sum(entry * entry for entry in x)
    c = abs(sum(u * v for u, v in zip(x, y, strict=True)))
    if separate.p == 1:
        return 27 * s * separate.lam * separate.lam2, 8 * c**3
    return 4 * s * separate.lam**2 * separate.lam2, c**4


def n_minimisers(penalty, signal):
    """Of one feature: zero, or a pair of opposite signs, or, in between, all three."""
    if penalty == signal:
        return 3
    return 1 if penalty > signal else 2


def printed_count(separate):
    sides = [penalty_and_signal(separate, x, y) for x, y in separate.features]
    count = math.prod(n_minimisers(*pair) for pair in sides)
    promised = 2 ** len(sides)
    if count >= promised:
        return None
    # Fewer than 2 for some feature: the first of these shows why.
    penalty, signal = next(pair for pair in sides if pair[0] > pair[1])
    left, right = ("27sλλ₂", "8|c|³") if separate.p == 1 else ("4sλ²λ₂", "c⁴")
    which = "β = 0, A = 0 is the only minimiser" if count == 1 else f"{count} global minimisers"
    return f"{which}, and 2^k = {promised}: {left} = {penalty} > {right} = {signal}"


# --- as printed: whether there is a minimum at all ------------------------------------------


@dataclass(frozen=True)
class Neuron:
    """One feature, one target, one sample, for every λ, λ₂, p > 0; the bias is free."""

    activation: str
    x: Fraction
    y: Fraction

    def value(self, b):
        """The objective at A = β = 0, where nothing is penalised."""
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
    """The point nearest to y in the closure of what the activation can give."""
    if neuron.activation == "tanh":
        return max(Fraction(-1), min(neuron.y, Fraction(1)))
    return max(neuron.y, Fraction(0)) if neuron.activation == "relu" else neuron.y


def best_bias(neuron, output):
    """A bias that gives this output, or None."""
    if neuron.activation == "tanh":
        return math.atanh(output) if abs(output) < 1 else None
    return output / LEAK if neuron.activation == "leaky relu" and output < 0 else output


def printed_existence(neuron):
    """Fails where the infimum, the squared distance of y from the outputs, is not a value."""
    output = nearest_output(neuron)
    infimum = (neuron.y - output) ** 2
    bias = best_bias(neuron, output)
    if bias is not None:
        # The infimum is a bound of the error whatever A and β, so reaching it is enough.
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


# --- corrected, one layer -------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One linear layer: X (n, k), Y (n, q), and the strengths of the penalties."""

    X: tuple
    Y: tuple
    lam: Fraction
    lam2: Fraction
    p: int

    def arrays(self):
        return np.array(self.X, dtype=float), np.array(self.Y, dtype=float)

    def strength(self):
        """κ of the bridge form."""
        lam, lam2, p = float(self.lam), float(self.lam2), self.p
        return (1 + 1 / p) * lam ** (p / (p + 1)) * (p * lam2) ** (1 / (p + 1))

    def __str__(self):
        data = f"X = {exact(self.X)}, Y = {exact(self.Y)}"
        return f"{data}, λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"


@st.composite
def problems(draw):
    n_samples, n_features = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    X = draw(matrices(n_samples, n_features))
    Y = draw(matrices(n_samples, draw(st.integers(1, 2))))
    strengths = draw(WEAK_STRENGTHS), draw(WEAK_STRENGTHS)
    return Problem(X, Y, *strengths, draw(st.sampled_from([1, 2])))


def size_of_switches(beta):
    return np.abs(beta).sum()


def value(problem, beta, A, switches=size_of_switches):
    """The objective in (β, A), A of shape (k, q): its rows are the columns of the paper's."""
    X, Y = problem.arrays()
    error = np.sum((Y - X @ (beta[:, None] * A)) ** 2)
    weights = np.sum(np.abs(A) ** problem.p)
    return error + float(problem.lam) * switches(beta) + float(problem.lam2) * weights


def bridge_values(problem, W):
    """The bridge form of the objective of every W in a stack, penalty κ‖w_j‖_p^{p/(p+1)}."""
    X, Y = problem.arrays()
    sizes = np.sum(np.abs(W) ** problem.p, axis=2)
    penalties = problem.strength() * np.sum(sizes ** (1 / (problem.p + 1)), axis=1)
    return np.sum((Y - X @ W) ** 2, axis=(1, 2)) + penalties


def majorise(problem, W, n_steps=80):
    """Reweighted ridge regressions: no step raises the bridge form, and what is 0 stays 0.

    The penalty is below Σ (w/d)² up to a constant and touches it at the W at hand; in units
    of d the ridge regression is well posed though d be 0.
    """
    X, Y = problem.arrays()
    gram, moment, kappa = X.T @ X, X.T @ Y, problem.strength()
    for _ in range(n_steps):
        if problem.p == 2:
            rows = np.sum(W**2, axis=2, keepdims=True)
            d = np.sqrt(3 / kappa) * np.repeat(rows ** (1 / 3), W.shape[2], axis=2)
        else:
            rows = np.sum(np.abs(W), axis=2, keepdims=True)
            d = np.sqrt(4 / kappa * np.sqrt(rows) * np.abs(W))
        d = np.swapaxes(d, 1, 2)
        ridge = d[..., :, None] * gram * d[..., None, :] + np.eye(len(gram))
        scaled = np.linalg.solve(ridge, (d * moment.T)[..., None])[..., 0]
        W = np.swapaxes(d * scaled, 1, 2)
    return W


def supports(problem, n_features, n_targets):
    """Every set of rows (p = 2) or of entries (p = 1) that can be nonzero, as 0 and 1."""
    if problem.p == 2:
        rows = np.array(list(itertools.product((0.0, 1.0), repeat=n_features)))
        return np.repeat(rows[:, :, None], n_targets, axis=2)
    entries = list(itertools.product((0.0, 1.0), repeat=n_features * n_targets))
    return np.array(entries).reshape(-1, n_features, n_targets)


def minimiser(problem, n_starts=4, supports=supports):
    """A global minimiser (β, A), β ≥ 0, by brute force over supports and starts."""
    X, Y = problem.arrays()
    masks = supports(problem, X.shape[1], Y.shape[1])
    starts = np.random.default_rng(0).normal(size=(n_starts, 1, *masks.shape[1:]))
    W = majorise(problem, (2 * starts * masks).reshape(-1, *masks.shape[1:]))
    W[np.abs(W) < 1e-7] = 0
    values = bridge_values(problem, W)
    # Of equally good points the sparsest: the others have not quite collapsed to it yet.
    good = np.flatnonzero(values <= values.min() + 1e-9 * (1 + values.min()))
    fewest = good[np.argmin(np.count_nonzero(W[good], axis=(1, 2)))]
    return split(problem, W[fewest])


def one_descent(problem):
    """Where a single descent ends: seldom, but now and then, not at the minimum."""
    return minimiser(problem, 1, lambda problem, *shape: np.ones((1, *shape)))


def split(problem, W):
    """The β ≥ 0 and A that share W = diag(β) A at the least penalty."""
    p = problem.p
    sizes = np.sum(np.abs(W) ** p, axis=1)
    beta = (p * float(problem.lam2) * sizes / float(problem.lam)) ** (1 / (p + 1))
    return beta, W / np.where(beta > 0, beta, 1)[:, None]


def flip(beta, A, chosen):
    """Change the signs of the chosen switches and of their columns."""
    signs = np.where(chosen, -1.0, 1.0)
    return beta * signs, A * signs[:, None]


def flip_switch_alone(beta, A, chosen):
    return flip(beta, A, chosen)[0], A


def flip_two_columns(beta, A, chosen):
    """Change the column after each chosen one as well."""
    switches, columns = flip(beta, A, chosen)
    return switches, flip(beta, columns, np.roll(chosen, 1))[1]


@dataclass(frozen=True)
class Counting:
    """What is claimed of the changes of sign of a minimiser, in parts that mutants replace."""

    flip: Callable = flip
    switches: Callable = size_of_switches
    exponent: Callable = np.count_nonzero
    minimiser: Callable = minimiser


def flips_are_minima(problem, counting=Counting()):
    beta, A = counting.minimiser(problem)
    lowest = value(problem, beta, A, counting.switches)
    points = set()
    for chosen in itertools.product((False, True), repeat=len(beta)):
        point = counting.flip(beta, A, np.array(chosen))
        reached = value(problem, point[0], point[1], counting.switches)
        if not close(reached, lowest):
            return f"a change of signs leads from the value {lowest:.12g} to {reached:.12g}"
        points.add((*point[0].tolist(), *point[1].ravel().tolist()))
    promised = 2 ** counting.exponent(beta)
    if len(points) != promised:
        return f"{len(points)} points of the lowest value, not {promised}: β* = {beta.tolist()}"
    return lower_point(problem, beta, A)


def lower_point(problem, beta, A):
    """Whether some other point is lower: the oracle's own check, in (β, A) themselves."""
    lowest = value(problem, beta, A)
    for rival in (*near(beta, A), *fitted(problem)):
        if value(problem, *rival) < lowest * (1 - RELATIVE) - RELATIVE:
            return f"β = {rival[0].tolist()} is lower than the minimiser {beta.tolist()}"
    bridge = bridge_values(problem, (beta[:, None] * A)[None])[0]
    if abs(bridge - lowest) > 1e-9 * (1 + lowest):
        return f"the bridge form is {bridge:.12g}, the objective {lowest:.12g}"
    return None


def near(beta, A, n_rivals=50):
    rng = np.random.default_rng(1)
    for size in np.geomspace(1e-3, 2, n_rivals):
        yield beta + size * rng.normal(size=beta.shape), A + size * rng.normal(size=A.shape)


def fitted(problem):
    """Least squares on every support, and shares of it: all over the place."""
    X, Y = problem.arrays()
    for mask in supports(problem, X.shape[1], Y.shape[1]):
        columns = [np.linalg.pinv(X * row) @ y for row, y in zip(mask.T, Y.T, strict=True)]
        W = np.stack(columns, axis=1) * mask
        for share in (0.25, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0):
            yield split(problem, share * W)


# --- corrected, any number of layers --------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """x ↦ a(A diag(β) x + b), A as in the paper: a row for each output."""

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
        """The layer with another switch and column at j."""
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
    """Layers, the first first, with one sample and the strengths of the penalties."""

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


def negated(column):
    return tuple(-entry for entry in column)


def flip_pair(network, i, j):
    """The network with the signs of switch j of layer i and of its column changed."""
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
    """Switches of which changing the signs leads to another point."""
    pairs = [network.pair(i, j) for i, j in network.switches()]
    return sum(1 for beta, column in pairs if beta != 0 or any(column))


def n_nonzero(network):
    """‖β‖₀."""
    return sum(1 for i, j in network.switches() if network.pair(i, j)[0] != 0)


@dataclass(frozen=True)
class Deep:
    """What is claimed of the changes of sign in a network, in parts that mutants replace."""

    flip: Callable = flip_pair
    size: Callable = abs
    exponent: Callable = n_changed


def flips_change_nothing(network, deep=Deep()):
    """Over every set of switches: the same output and penalty, and the right number of points."""
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
    """Without switches whose column is 0 and columns whose switch is 0."""
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
    # What is left could be a minimum: there ‖β‖₀ is the number of pairs.
    return flips_change_nothing(tidy, replace(deep, exponent=n_nonzero))


# --- corrected, existence -------------------------------------------------------------------


def ray_bound(direction, t, power=lambda t, p: t**p):
    """What the penalty alone is at t times the direction, every parameter penalised."""
    switches = sum(abs(beta) for layer in direction.layers for beta in layer.beta)
    powers = direction.powers(biases=True)
    return direction.lam * t * switches + direction.lam2 * power(t, direction.p) * powers


def largest(network):
    parameters = [(*layer.weights(), *layer.beta, *layer.b) for layer in network.layers]
    return max(abs(parameter) for part in parameters for parameter in part)


def radius(network, level):
    """A whole number r with min(λ r, λ₂ r^p) ≥ level."""
    switches = level / network.lam
    weights = (level / network.lam2) ** (1 / network.p)
    return Fraction(math.floor(max(switches, weights)) + 1)


def coercive(direction, penalty=lambda n: n.penalty(biases=True), bound=ray_bound):
    """Along the ray the value is above the bound, and above the value at 0 past a radius."""
    if largest(direction) == 0:
        return None
    at_zero = direction.scaled(Fraction(0)).error()
    far = radius(direction, at_zero + 1) / largest(direction)
    for t in (Fraction(1), Fraction(3), Fraction(10), Fraction(1000), far):
        point = direction.scaled(t)
        reached = point.error() + penalty(point)
        if reached < bound(direction, t) * (1 - RELATIVE):
            return f"at t = {t} the value {reached} is below {bound(direction, t)}"
        r = t * largest(direction)
        uniform = min(direction.lam * r, direction.lam2 * r**direction.p)
        if reached < uniform * (1 - RELATIVE):
            return f"at t = {t} the value {reached} is below min(λr, λ₂r^p) = {uniform}"
    if reached < at_zero + 1:
        return f"at the radius {far} the value is {reached}, at zero {at_zero}"
    return None


# --- for pictures ---------------------------------------------------------------------------

# Two features, somewhat correlated, each worth its price.
EXAMPLE = Problem(
    X=((Fraction(2), Fraction(1)), (Fraction(0), Fraction(2)), (Fraction(-1), Fraction(1))),
    Y=((Fraction(3),), (Fraction(-2),), (Fraction(-3),)),
    lam=Fraction(1),
    lam2=Fraction(1, 2),
    p=2,
)


def surface(example, grid):
    """The objective over (β₁, β₂), smallest over A, of a problem with two features and p = 2.

    Parameters
    ----------
    example : Problem
    grid : ndarray of shape (m,)
        The values of either switch.

    Returns
    -------
    values : ndarray of shape (m, m)
        A row for each β₂, a column for each β₁, as `contour(grid, grid, values)` has it.
    """
    if example.p != 2:
        raise ValueError(f"A has a closed form for p = 2, not for p = {example.p}.")
    X, Y = example.arrays()
    beta = np.stack(np.meshgrid(grid, grid), axis=-1)
    gated = X * beta[..., None, :]
    moment = np.swapaxes(gated, -1, -2) @ Y
    ridge = np.swapaxes(gated, -1, -2) @ gated + float(example.lam2) * np.eye(X.shape[1])
    explained = np.sum(moment * np.linalg.solve(ridge, moment), axis=(-1, -2))
    return np.sum(Y**2) - explained + float(example.lam) * np.abs(beta).sum(axis=-1)


# --- the claims -----------------------------------------------------------------------------

OBJECTIVE = (r"\min \|y - N(x)\|_2^2 + \lambda \sum_i \|\beta_i\|_1 + \lambda_2 \|\theta\|_p^p",)
LAYERS = r"N = f_n \circ \cdots \circ f_1,\quad f_i(x) = a(A_i\,\mathrm{diag}(\beta_i)\,x + b_i)"

CLAIMS = (
    Claim(
        name="A.4 as printed",
        formula=(
            *OBJECTIVE,
            r"\mathrm{at\ least\ } 2^k \mathrm{\ global\ minima},\quad k = \sum_i \#\beta_i",
        ),
        says="There are at least 2^k global minima, k the number of switches.",
        source=SOURCE,
        domain=(
            "one linear layer without bias, 1 to 3 features that share no sample, x, y ≠ 0, "
            "p = 1 or 2"
        ),
        instances=separates(),
        violation=printed_count,
        corrected=False,
    ),
    Claim(
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
    ),
    Claim(
        name="A.4 corrected",
        formula=(
            r"\min \|Y - X\,\mathrm{diag}(\beta) A\|^2 + \lambda \|\beta\|_1"
            r" + \lambda_2 \|A\|_p^p",
            r"(\beta_j, A_j) \to (-\beta_j, -A_j) \mathrm{\ gives\ exactly\ }"
            r" 2^{\|\beta^*\|_0} \mathrm{\ global\ minima\ from\ } (\beta^*, A^*)",
        ),
        says=(
            "The changes of sign of a global minimiser are global minimisers, and as many as 2 "
            "to the number of its switches that are not zero."
        ),
        source=SOURCE + ", corrected",
        domain=(
            "one linear layer without bias, 1 to 3 features, 1 or 2 targets, 1 to 3 samples, "
            "p = 1 or 2"
        ),
        instances=problems(),
        violation=flips_are_minima,
        mutants=(
            Mutant(
                "a single descent finds the minimum",
                lambda problem: flips_are_minima(problem, Counting(minimiser=one_descent)),
            ),
            Mutant(
                "2^k, k the number of switches",
                lambda problem: flips_are_minima(problem, Counting(exponent=len)),
            ),
            Mutant(
                "twice as many",
                lambda problem: flips_are_minima(
                    problem, Counting(exponent=lambda beta: np.count_nonzero(beta) + 1)
                ),
            ),
            Mutant(
                "the switch changes its sign alone",
                lambda problem: flips_are_minima(problem, Counting(flip=flip_switch_alone)),
            ),
            Mutant(
                "two columns change their signs",
                lambda problem: flips_are_minima(problem, Counting(flip=flip_two_columns)),
            ),
            Mutant(
                "the penalty is the sum of the switches, with their signs",
                lambda problem: flips_are_minima(problem, Counting(switches=np.sum)),
            ),
        ),
    ),
    Claim(
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
    ),
    Claim(
        name="A.4 corrected: coercive",
        formula=(
            r"F(\beta, A, b) = \|y - N(x)\|_2^2 + \lambda \sum_i \|\beta_i\|_1"
            r" + \lambda_2 \sum_i (\|A_i\|_p^p + \|b_i\|_p^p)",
            r"F(t d) \geq t \lambda \|d_\beta\|_1"
            r" + t^p \lambda_2 (\|d_A\|_p^p + \|d_b\|_p^p) \to \infty",
            r"F \geq \min(\lambda r, \lambda_2 r^p),\quad r = \|(\beta, A, b)\|_\infty",
        ),
        says=(
            "With every parameter penalised, biases too, the value grows without bound along "
            "every ray, equally in all directions: past a known radius it exceeds the value at "
            "zero, so a continuous activation has a global minimum within."
        ),
        source=SOURCE + ", corrected",
        domain="1 to 3 layers of width 1 or 2, identity, relu, leaky relu, tanh; p = 1/2, 1 or 2",
        instances=networks(min_layers=1),
        violation=coercive,
        mutants=(
            Mutant(
                "a free bias counts as penalised",
                lambda network: coercive(network, penalty=lambda n: n.penalty(biases=False)),
            ),
            Mutant(
                "the penalty is the sum of the switches, with their signs",
                lambda network: coercive(
                    network, penalty=lambda n: n.penalty(size=lambda beta: beta, biases=True)
                ),
            ),
            Mutant(
                "weights grow with t, whatever p",
                lambda network: coercive(
                    network, bound=lambda n, t: ray_bound(n, t, power=lambda t, p: t)
                ),
            ),
        ),
    ),
)
