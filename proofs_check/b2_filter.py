r"""B.2: a filter layer and a switch layer reach the same optimal value.

A switch layer multiplies feature j by β_j ∈ ℝ, a filter layer by max(0, θ_j). The rows of A are
a_j, and f is the loss of a linear model, here half the mean squared error:

.. math::
    \min_{A, \beta} f(\mathrm{diag}(\beta) A) + \lambda \|\beta\|_1 + \lambda_2 \|A\|_p^p
    = \min_{A, \theta} f(\mathrm{diag}(\max(0, \theta)) A)
      + \lambda \|\max(0, \theta)\|_1 + \lambda_2 \|A\|_p^p.

A switch layer becomes a filter layer of the same value and predictions by θ = |β|; the sign of
β_j moves into a_j, where it does not change ‖A‖_p^p. To keep the value, the sign of 0 has to be
1 or −1. A filter layer becomes a switch layer by β = max(0, θ), with the same A.

The statement is ours, and true. If |θ| were penalised, the second map would lower some values;
the optimal values would still agree.

The maps are tested in exact arithmetic for p ∈ {1, 2, 3}. The optimal value of each problem is
found by coordinate descent from many starts, with every coordinate minimised exactly. They
agree to 1e-6.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot, scaled

SOURCE = "shrinklin's own (README: ShrinkNet equals a group bridge penalty)"

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Problem:
    """Data, as tuples of rows, and the strengths of the penalties."""

    X: tuple
    Y: tuple
    lam: Fraction
    lam2: Fraction
    p: int

    def predictions(self, gates, A):
        W = [[gate * entry for entry in a] for gate, a in zip(gates, A, strict=True)]
        return [[dot(row, column) for column in zip(*W, strict=True)] for row in self.X]

    def value(self, gates, A, penalised):
        """f + λ‖penalised‖₁ + λ₂‖A‖_p^p."""
        residuals = [
            y - z
            for rows in zip(self.Y, self.predictions(gates, A), strict=True)
            for y, z in zip(*rows, strict=True)
        ]
        loss = dot(residuals, residuals) / (2 * len(self.X))
        weights = sum(abs(entry) ** self.p for a in A for entry in a)
        return loss + self.lam * sum(abs(entry) for entry in penalised) + self.lam2 * weights

    def __str__(self):
        strengths = f"λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"
        return f"X = {exact(self.X)}, Y = {exact(self.Y)}, {strengths}"


@dataclass(frozen=True)
class Layer:
    """A point of both problems: `switch` serves as β and as θ."""

    problem: Problem
    switch: tuple
    A: tuple

    def __str__(self):
        return f"{self.problem}, β or θ = {exact(self.switch)}, A = {exact(self.A)}"


def numbers():
    """Zero is drawn often."""
    return st.just(Fraction(0)) | st.fractions(-3, 3, max_denominator=3)


def strengths(high=2):
    return st.fractions(Fraction(1, 8), high, max_denominator=8)


def vectors(size, entries=None):
    return st.tuples(*[numbers() if entries is None else entries] * size)


@st.composite
def layers(draw, max_features=3, max_targets=2, max_samples=3):
    """Including switches of both signs and 0, and rows of A that are 0."""
    q, n_samples = draw(st.integers(1, max_targets)), draw(st.integers(1, max_samples))
    # Hypothesis can shrink a list of features to the one that matters.
    feature = st.tuples(numbers(), vectors(q), vectors(n_samples))
    features = draw(st.lists(feature, min_size=1, max_size=max_features))
    switch, A, columns = zip(*features, strict=True)
    X, Y = tuple(zip(*columns, strict=True)), draw(st.tuples(*[vectors(q)] * n_samples))
    problem = Problem(X, Y, draw(strengths()), draw(strengths()), draw(st.integers(1, 3)))
    return Layer(problem, switch, A)


@st.composite
def problems(draw, max_features=2, max_samples=3):
    """One target and integer data. For some strengths W = 0 is optimal, for others not."""
    k, n_samples = draw(st.integers(1, max_features)), draw(st.integers(1, max_samples))
    entries, targets = st.integers(-2, 2), st.integers(-4, 4)
    return Problem(
        draw(st.tuples(*[vectors(k, entries)] * n_samples)),
        draw(st.tuples(*[vectors(1, targets)] * n_samples)),
        draw(strengths(1)),
        draw(strengths(1)),
        draw(st.integers(1, 3)),
    )


def filter_gates(theta):
    return tuple(max(Fraction(0), entry) for entry in theta)


def to_filter(beta, A):
    """θ and A of the equivalent filter layer."""
    return tuple(abs(entry) for entry in beta), scaled([sign or 1 for sign in signs(beta)], A)


def to_switch(theta, A):
    """β and A of the equivalent switch layer."""
    return filter_gates(theta), A


def signs(beta):
    return [(entry > 0) - (entry < 0) for entry in beta]


def same_value(layer, to_filter=to_filter, to_switch=to_switch, penalised=filter_gates):
    """Both maps keep the value and the predictions, exactly."""
    problem, switch, A = layer.problem, layer.switch, layer.A
    theta, A_filter = to_filter(switch, A)
    beta, A_switch = to_switch(switch, A)
    as_switch, as_filter = (switch, A, switch), (filter_gates(switch), A, penalised(switch))
    moved_filter = filter_gates(theta), A_filter, penalised(theta)
    moved_switch = beta, A_switch, beta
    return differ(problem, as_switch, moved_filter, "θ", theta) or differ(
        problem, as_filter, moved_switch, "β", beta
    )


def differ(problem, point, image, symbol, parameter):
    before, after = problem.predictions(*point[:2]), problem.predictions(*image[:2])
    where = f"{symbol} = {exact(parameter)}, A = {exact(image[1])}"
    if before != after:
        return f"{where} predicts {exact(after)}, not {exact(before)}"
    if problem.value(*point) != problem.value(*image):
        return f"{where} has the value {problem.value(*image)}, not {problem.value(*point)}"
    return None


def switch_step(slope, curvature, lam):
    """argmin over β of curvature β²/2 − slope β + λ|β|."""
    size = np.maximum(np.abs(slope) - lam, 0)
    return np.sign(slope) * quotient(size, curvature)


def filter_step(slope, curvature, lam):
    """argmin over g = max(0, θ) of curvature g²/2 − slope g + λg."""
    return quotient(np.maximum(slope - lam, 0), curvature)


def weight_step(slope, curvature, lam2, p):
    """argmin over a of curvature a²/2 − slope a + λ₂|a|^p."""
    if p == 1:
        return switch_step(slope, curvature, lam2)
    if p == 2:
        return slope / (curvature + 2 * lam2)
    root = np.sqrt(curvature**2 + 12 * lam2 * np.abs(slope)) + curvature
    return 2 * slope / np.where(root > 0, root, 1)


def quotient(size, curvature):
    """size / curvature; 0 where the curvature is 0, as the slope is then 0 too."""
    return np.where(curvature > 0, size / np.where(curvature > 0, curvature, 1), 0.0)


def optimal_value(problem, gate_step, starts, weight_step=weight_step, max_sweeps=2000):
    """The least value that coordinate descent reaches from any of the starts.

    `starts` holds gates and weights, of shape (2, n_starts, n_features). The loss is quadratic
    in each coordinate, so each is minimised in closed form.
    """
    X, y = np.array(problem.X, float), np.array(problem.Y, float)[:, 0]
    G, c = X.T @ X / len(y), X.T @ y / len(y)
    lam, lam2, p = float(problem.lam), float(problem.lam2), problem.p
    gate, a = (array.copy() for array in starts)
    last = np.inf
    for sweep in range(max_sweeps):
        for j in range(len(c)):
            w = gate * a
            slope = c[j] - w @ G[j] + w[:, j] * G[j, j]
            a[:, j] = weight_step(slope * gate[:, j], G[j, j] * gate[:, j] ** 2, lam2, p)
            gate[:, j] = gate_step(slope * a[:, j], G[j, j] * a[:, j] ** 2, lam)
        if sweep % 20 == 0:
            w = gate * a
            loss = y @ y / (2 * len(y)) - w @ c + ((w @ G) * w).sum(axis=1) / 2
            penalty = lam * np.abs(gate).sum(axis=1) + lam2 * (np.abs(a) ** p).sum(axis=1)
            value = (loss + penalty).min()
            if last - value < 1e-12:
                break
            last = value
    return value


def random_starts(problem, seed, n_starts=40, scale=2.0):
    shape = 2, n_starts, len(problem.X[0])
    return scale * np.random.default_rng(seed).standard_normal(shape)


def same_optimal_value(problem, filter_step=filter_step, weight_step=weight_step):
    switch = optimal_value(problem, switch_step, random_starts(problem, 0))
    starts = random_starts(problem, 1)
    starts[0] = np.abs(starts[0])
    filtered = optimal_value(problem, filter_step, starts, weight_step)
    if abs(switch - filtered) <= TOLERANCE * (1 + abs(switch)):
        return None
    return f"the optimal values are {switch:.10g} (switch) and {filtered:.10g} (filter)"


def nonnegative(step):
    """A step restricted to values ≥ 0: exact, as its objective is convex."""
    return lambda *args: np.maximum(step(*args), 0)


FORMULA = (
    r"\min_{A, \beta} \; f(\mathrm{diag}(\beta) A) + \lambda \|\beta\|_1 + \lambda_2 \|A\|_p^p",
    r"= \min_{A, \theta} \; f(\mathrm{diag}(\max(0, \theta)) A)"
    r" + \lambda \|\max(0, \theta)\|_1 + \lambda_2 \|A\|_p^p",
)

CLAIMS = (
    Claim(
        name="B.2",
        formula=(
            *FORMULA,
            r"(A, \beta) \mapsto (\mathrm{diag}(\mathrm{sign}\, \beta) A, \, |\beta|),"
            r"\quad (A, \theta) \mapsto (A, \, \max(0, \theta))",
        ),
        says="Every point of one problem has one of the other with its value and predictions.",
        source=SOURCE,
        domain="1 to 3 features, 1 or 2 targets, 1 to 3 samples, every A, β and θ, p in {1, 2, 3}",
        instances=layers(),
        violation=same_value,
        mutants=(
            Mutant(
                "the sign does not move into A",
                lambda layer: same_value(layer, lambda beta, A: (to_filter(beta, A)[0], A)),
            ),
            Mutant(
                "β serves for θ",
                lambda layer: same_value(layer, lambda beta, A: (beta, A)),
            ),
            Mutant(
                "the sign of 0 is 0",
                lambda layer: same_value(
                    layer, lambda beta, A: (to_filter(beta, A)[0], scaled(signs(beta), A))
                ),
            ),
            Mutant(
                "β moves into A as a whole",
                lambda layer: same_value(
                    layer, lambda beta, A: ((Fraction(1),) * len(beta), scaled(beta, A))
                ),
            ),
            Mutant(
                "θ serves for β",
                lambda layer: same_value(layer, to_switch=lambda theta, A: (theta, A)),
            ),
            Mutant(
                "the penalty is λ|θ|",
                lambda layer: same_value(layer, penalised=lambda theta: theta),
            ),
        ),
    ),
    Claim(
        name="B.2 values",
        formula=FORMULA,
        says="The optimal values agree.",
        source=SOURCE,
        domain="1 or 2 features, 1 target, 1 to 3 samples of small integers, p in {1, 2, 3}",
        instances=problems(),
        violation=same_optimal_value,
        mutants=(
            Mutant(
                "the sign cannot move into A, which is not negative",
                lambda problem: same_optimal_value(problem, weight_step=nonnegative(weight_step)),
            ),
            Mutant(
                "the filter pays for half of θ",
                lambda problem: same_optimal_value(
                    problem,
                    lambda slope, curvature, lam: filter_step(slope, curvature, lam / 2),
                ),
            ),
            Mutant(
                "the filter's gate is at most 1/2",
                lambda problem: same_optimal_value(
                    problem, lambda *args: np.minimum(filter_step(*args), 0.5)
                ),
            ),
        ),
    ),
)
