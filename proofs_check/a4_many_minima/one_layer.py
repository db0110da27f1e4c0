"""A.4 corrected, for one linear layer: the number of global minima that signs give."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.a4_many_minima.numbers import RELATIVE, close, matrices
from proofs_check.a4_many_minima.statement import SOURCE
from proofs_check.claim import Claim, Mutant, exact

# With the weak ones a minimum may keep every switch, with 1 it may keep none.
WEAK_STRENGTHS = st.sampled_from([Fraction(1), Fraction(1, 10), Fraction(1, 50), Fraction(1, 200)])


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
    """The objective in (β, A). A has shape (k, q): its rows are the columns of the paper's A."""
    X, Y = problem.arrays()
    error = np.sum((Y - X @ (beta[:, None] * A)) ** 2)
    weights = np.sum(np.abs(A) ** problem.p)
    return error + float(problem.lam) * switches(beta) + float(problem.lam2) * weights


def bridge_values(problem, W):
    """The bridge form of the objective, penalty κ‖w_j‖_p^{p/(p+1)}, of a stack of W."""
    X, Y = problem.arrays()
    sizes = np.sum(np.abs(W) ** problem.p, axis=2)
    penalties = problem.strength() * np.sum(sizes ** (1 / (problem.p + 1)), axis=1)
    return np.sum((Y - X @ W) ** 2, axis=(1, 2)) + penalties


def majorise(problem, W, n_steps=80):
    """Reweighted ridge regressions: no step raises the bridge form, and zeros stay zero.

    Up to a constant, Σ (w/d)² is an upper bound of the penalty that touches it at the current
    W. In units of d the ridge regression is well posed even if some d are 0.
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
    """Every set of rows (p = 2) or entries (p = 1) that can be nonzero, as masks of 0 and 1."""
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
    # The sparsest of equally good points: the others are still converging to it.
    good = np.flatnonzero(values <= values.min() + 1e-9 * (1 + values.min()))
    fewest = good[np.argmin(np.count_nonzero(W[good], axis=(1, 2)))]
    return split(problem, W[fewest])


def one_descent(problem):
    """Where a single descent ends, which is sometimes not a global minimum."""
    return minimiser(problem, 1, lambda problem, *shape: np.ones((1, *shape)))


def split(problem, W):
    """The β ≥ 0 and A with W = diag(β) A that have the least penalty."""
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
    """Change the sign of the column after each chosen one as well."""
    switches, columns = flip(beta, A, chosen)
    return switches, flip(beta, columns, np.roll(chosen, 1))[1]


@dataclass(frozen=True)
class Counting:
    """The parts of the claim about changing signs; mutants replace them."""

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
    """A check of the oracle, in (β, A): fails if some other point has a lower value."""
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
    """Least squares on every support, and shrunken versions of it."""
    X, Y = problem.arrays()
    for mask in supports(problem, X.shape[1], Y.shape[1]):
        columns = [np.linalg.pinv(X * row) @ y for row, y in zip(mask.T, Y.T, strict=True)]
        W = np.stack(columns, axis=1) * mask
        for share in (0.25, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0):
            yield split(problem, share * W)


CLAIM = Claim(
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
        "one linear layer without bias, 1 to 3 features, 1 or 2 targets, 1 to 3 samples, p = 1 or 2"
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
)
