r"""B.4: the two strengths of ShrinkNet act as one.

The problem is, with rows w_j = β_j a_j of W ∈ ℝ^{k×q},

.. math:: \min_{A, \beta} f(\mathrm{diag}(\beta) A)
          + \lambda \|\beta\|_1 + \lambda_2 \|A\|_p^p,
          \qquad \kappa = \left(1 + \tfrac{1}{p}\right)
          \lambda^{p/(p+1)} (p\lambda_2)^{1/(p+1)}.

By B.1, (λ, λ₂) and (λ', λ₂') with the same κ, that is, with the same λ^p λ₂, have the same
optimal W. They split it differently: if λ' = cλ, then β' = β/c.

The statement is ours, and true. If several W are optimal, they are the same for both pairs. The
converse is not claimed: with strong penalties W = 0 is optimal whatever κ is.

Instances have λ' = m²λ and λ₂' = λ₂/m^{2p} with 2p an integer, so these are fractions. The oracle
does not know κ. It finds the cheapest split of every W on a grid by the bisection of B.1, and
refines the grid around the best W of each pattern of signs, including W = 0. The candidates of
both searches are pooled. The best W for one pair of strengths then has to be optimal for the
other pair as well, up to 1e-9; this allows for ties.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import strategies as st

from proofs_check.b1_bridge import best_split
from proofs_check.claim import Claim, Mutant, exact

SOURCE = "shrinklin's own (README: ShrinkNet equals a group bridge penalty)"

TOLERANCE = 1e-9
RADIUS = 6.0  # largest entry of W in the search: the claim holds on any set of W
N_COARSE = 41  # points per axis, including 0
N_FINE = 7
N_LEVELS = 12
SHRINK = 1 / 3  # each fine grid reaches as far as the points of the last are apart
SHAPES = ((1, 1), (1, 2), (2, 1))  # features and targets: W has at most two entries


@dataclass(frozen=True)
class Pair:
    """A problem with strengths λ and λ₂, and the m in λ' = m²λ."""

    X: tuple
    Y: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction
    m: Fraction

    def loss(self, W):
        """Half the mean squared error, for each W of an array."""
        X, Y = np.array(self.X, float), np.array(self.Y, float)
        return ((Y - X @ W) ** 2).sum(axis=(1, 2)) / (2 * len(X))

    def value(self, W, lam, lam2):
        """The least value over all factors A and β of W, for each W of an array."""
        sizes = (np.abs(W) ** float(self.p)).sum(axis=2)
        cost, _ = best_split(sizes, float(lam), float(lam2), float(self.p))
        return self.loss(W) + cost.sum(axis=1)

    def __str__(self):
        data = f"X = {exact(self.X)}, Y = {exact(self.Y)}, p = {self.p}"
        lam, lam2 = same_kappa(self)
        return f"{data}, λ = {self.lam}, λ₂ = {self.lam2}, λ' = {lam}, λ₂' = {lam2}"


@st.composite
def pairs(draw, max_samples=3):
    """Mostly weak penalties, as strong ones make W = 0 optimal."""
    k, q = draw(st.sampled_from(SHAPES))
    n_samples = draw(st.integers(1, max_samples))
    rows = st.tuples(*[st.integers(-2, 2)] * k)
    targets = st.tuples(*[st.integers(-4, 4)] * q)
    strengths = st.fractions(Fraction(1, 16), 1, max_denominator=16)
    return Pair(
        draw(st.tuples(*[rows] * n_samples)),
        draw(st.tuples(*[targets] * n_samples)),
        draw(strengths),
        draw(strengths),
        draw(st.sampled_from([Fraction(2), Fraction(1), Fraction(3, 2), Fraction(3)])),
        draw(st.sampled_from([Fraction(2), Fraction(1, 2), Fraction(3), Fraction(3, 2)])),
    )


def same_kappa(pair):
    """λ' and λ₂' as exact fractions, as 2p is an integer."""
    return pair.m**2 * pair.lam, pair.lam2 / pair.m ** int(2 * pair.p)


def box(n_points, n_entries):
    """The points of a grid over [−1, 1]^n_entries: shape (n_points^n_entries, n_entries)."""
    return np.array(list(product(np.linspace(-1, 1, n_points), repeat=n_entries)))


def best_of_each_pattern(pair, lam, lam2):
    """The best W for each pattern of signs, where the value is smooth; accurate to about 1e-6."""
    shape = len(pair.X[0]), len(pair.Y[0])

    def value(entries):
        W = entries.reshape(-1, *shape)
        return pair.value(W, lam, lam2).reshape(entries.shape[:-1])

    n_entries = shape[0] * shape[1]
    coarse = RADIUS * box(N_COARSE, n_entries)
    patterns, which = np.unique(np.sign(coarse), axis=0, return_inverse=True)
    values, which = value(coarse), which.ravel()
    members = [np.flatnonzero(which == pattern) for pattern in range(len(patterns))]
    best = coarse[[rows[values[rows].argmin()] for rows in members]]
    # Entries that are 0 stay 0.
    offsets = np.abs(patterns)[:, None] * box(N_FINE, n_entries)
    step = 2 * RADIUS / (N_COARSE - 1)
    for _ in range(N_LEVELS):
        candidates = best[:, None] + step * offsets
        best = candidates[np.arange(len(best)), value(candidates).argmin(axis=1)]
        step *= SHRINK
    return best.reshape(-1, *shape)


def same_optima(pair, others=same_kappa):
    """The best W for each pair of strengths is optimal for the other pair."""
    both = (pair.lam, pair.lam2), others(pair)
    found = np.concatenate([best_of_each_pattern(pair, *strengths) for strengths in both])
    first, second = (pair.value(found, *strengths) for strengths in both)
    W, W_other = found[first.argmin()], found[second.argmin()]
    excess = second[first.argmin()] - second.min(), first[second.argmin()] - first.min()
    if max(excess) <= TOLERANCE:
        return None
    return (
        f"W = {exact(W.tolist())} is optimal for λ and λ₂, {exact(W_other.tolist())} for λ' and"
        f" λ₂', where the values of the other exceed the optimal ones by {exact(excess)}"
    )


CLAIMS = (
    Claim(
        name="B.4",
        formula=(
            r"\kappa(\lambda, \lambda_2) = \kappa(\lambda^\prime, \lambda_2^\prime)"
            r" \;\Leftrightarrow\; \lambda^p \lambda_2 = (\lambda^\prime)^p \lambda_2^\prime"
            r" \;\Rightarrow\; \mathrm{the\ optimal\ } W \mathrm{\ are\ the\ same}",
            r"W = \mathrm{diag}(\beta) A, \quad (A, \beta) \mathrm{\ minimises\ }"
            r" f(\mathrm{diag}(\beta) A) + \lambda \|\beta\|_1 + \lambda_2 \|A\|_p^p",
        ),
        says="Strengths with the same κ have the same optimal W.",
        source=SOURCE,
        domain="1 feature and 1 or 2 targets, or 2 features and 1 target; p in {1, 3/2, 2, 3}",
        instances=pairs(),
        violation=same_optima,
        mutants=(
            Mutant(
                "λλ₂ decides",
                lambda pair: same_optima(
                    pair, lambda pair: (pair.m**2 * pair.lam, pair.lam2 / pair.m**2)
                ),
            ),
            Mutant(
                "λ²λ₂ decides, whatever p is",
                lambda pair: same_optima(
                    pair, lambda pair: (pair.m**2 * pair.lam, pair.lam2 / pair.m**4)
                ),
            ),
            Mutant(
                "λ alone may grow by a fifth",
                lambda pair: same_optima(pair, lambda pair: (Fraction(6, 5) * pair.lam, pair.lam2)),
            ),
            Mutant(
                "λ₂ alone may grow by a fifth",
                lambda pair: same_optima(pair, lambda pair: (pair.lam, Fraction(6, 5) * pair.lam2)),
            ),
            Mutant(
                "λ and λ₂ grow together",
                lambda pair: same_optima(
                    pair, lambda pair: (pair.m**2 * pair.lam, pair.m**2 * pair.lam2)
                ),
            ),
        ),
    ),
)
