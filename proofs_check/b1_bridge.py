r"""B.1: ShrinkNet's penalty with the best switch is a bridge penalty.

A feature with coefficients w = βa ∈ ℝ^q costs λ|β| + λ₂‖a‖_p^p. For fixed w, λ, λ₂, p > 0

.. math:: \min_{\beta > 0} \; \lambda\beta + \lambda_2 \|w / \beta\|_p^p
          = \kappa \|w\|_p^{p/(p+1)},
          \qquad \kappa = \left(1 + \tfrac{1}{p}\right)
          \lambda^{p/(p+1)} (p\lambda_2)^{1/(p+1)},

attained for w ≠ 0 at one point only, β = (pλ₂‖w‖_p^p/λ)^{1/(p+1)}. For w = 0 the formula
also gives the infimum, 0: no β > 0 attains it, but β = 0 with a = 0 does.

The statement is ours, and true. A negative β costs the same as |β|.

Powers of fractions are irrational, so numbers are compared with a relative tolerance of 1e-9.
The oracle uses the cost and its slope only: the cost is convex in log β, and bisection finds
where the slope changes its sign.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact

SOURCE = "shrinklin's own (README: ShrinkNet equals a group bridge penalty)"

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Feature:
    """The coefficients of a feature, and the strengths of its penalties."""

    w: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction

    def cost(self, beta):
        """The cost of a split w = βa, in floats."""
        return best_cost_at(np.log(beta), self.size, *self.floats)

    @property
    def floats(self):
        return float(self.lam), float(self.lam2), float(self.p)

    @property
    def size(self):
        """‖w‖_p^p."""
        return sum(abs(float(w)) ** float(self.p) for w in self.w)

    def __str__(self):
        return f"w = {exact(self.w)}, λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}"


@st.composite
def features(draw, max_targets=3):
    """Including w = 0, w along an axis, and w with equal entries."""
    w = draw(
        st.lists(st.fractions(-4, 4, max_denominator=3), min_size=1, max_size=max_targets)
        | st.builds(
            lambda entry, q: [entry] * q,
            st.fractions(-4, 4, max_denominator=3),
            st.integers(1, max_targets),
        )
    )
    return Feature(tuple(w), draw(strengths()), draw(strengths()), draw(powers()))


def strengths():
    return st.fractions(Fraction(1, 20), 10, max_denominator=20)


def powers():
    usual = st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3)])
    return usual | st.fractions(Fraction(3, 10), 5, max_denominator=10)


def best_cost_at(log_beta, size, lam, lam2, p):
    """λβ + λ₂‖w/β‖_p^p, with size = ‖w‖_p^p."""
    return lam * np.exp(log_beta) + lam2 * size * np.exp(-p * log_beta)


def best_split(size, lam, lam2, p):
    """The least cost over β > 0, and the β that attains it, by bisection.

    Takes an array of sizes ‖w‖_p^p. Both are 0 where the size is 0.
    """
    size = np.asarray(size, float)
    low, high = np.full(size.shape, -60.0), np.full(size.shape, 60.0)
    for _ in range(62):
        middle = (low + high) / 2
        falls = lam * np.exp(middle) < lam2 * p * size * np.exp(-p * middle)
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    middle = (low + high) / 2
    cost = best_cost_at(middle, size, lam, lam2, p)
    return np.where(size > 0, cost, 0.0), np.where(size > 0, np.exp(middle), 0.0)


def kappa(lam, lam2, p):
    return (1 + 1 / p) * lam ** (p / (p + 1)) * (p * lam2) ** (1 / (p + 1))


def bridge(size, lam, lam2, p):
    """κ‖w‖_p^{p/(p+1)}."""
    return kappa(lam, lam2, p) * size ** (1 / (p + 1))


def best_switch(size, lam, lam2, p):
    return (p * lam2 * size / lam) ** (1 / (p + 1))


def identity_holds(feature, bridge=bridge, best_switch=best_switch):
    arguments = feature.size, *feature.floats
    value, switch = bridge(*arguments), best_switch(*arguments)
    if not any(feature.w):
        return zero_is_infimum(feature, value, switch)
    cost, beta = (float(number) for number in best_split(*arguments))
    if not close(value, cost):
        return f"the minimum is {cost:.10g}, the formula gives {value:.10g}"
    if not close(switch, beta):
        return f"the minimiser is {beta:.10g}, the formula gives {switch:.10g}"
    return None


def zero_is_infimum(feature, value, switch):
    """At w = 0 the cost is exactly λβ: positive, and arbitrarily small."""
    if switch != 0:
        return f"at w = 0 the best switch is 0, the formula gives {switch:.6g}"
    least = feature.lam * Fraction(1, 2**200)
    if least < value:
        return f"at w = 0, β = 2^-200 costs less than {value:.6g}"
    if value < 0:
        return f"at w = 0 no β > 0 costs less than 0, the formula gives {value:.6g}"
    return None


def close(value, reference):
    return abs(value - reference) <= TOLERANCE * abs(reference)


def only_minimiser(feature, best_switch=best_switch):
    """The best split costs the bridge penalty, and any other costs more; no oracle is needed."""
    arguments = feature.size, *feature.floats
    least, best = bridge(*arguments), best_switch(*arguments)
    if not close(feature.cost(best), least):
        return f"β = {best:.6g} costs {feature.cost(best):.10g}, not {least:.10g}"
    for step in (-10, -3, -1, -0.1, 0.1, 1, 3, 10):
        cost = feature.cost(best * np.exp(step))
        if cost <= least * (1 + TOLERANCE):
            return f"β = {best * np.exp(step):.6g} costs {cost:.10g}, not above {least:.10g}"
    return None


FORMULA = (
    r"\min_{\beta > 0} \; \lambda \beta + \lambda_2 \|w / \beta\|_p^p"
    r" = \kappa \|w\|_p^{p/(p+1)}",
    r"\kappa = (1 + \frac{1}{p}) \, \lambda^{p/(p+1)} (p \lambda_2)^{1/(p+1)}",
    r"\beta = (p \lambda_2 \|w\|_p^p \, / \, \lambda)^{1/(p+1)}",
)

CLAIMS = (
    Claim(
        name="B.1",
        formula=FORMULA,
        says="Over all splits w = βa the least penalty is κ‖w‖_p^{p/(p+1)}, and this β has it.",
        source=SOURCE,
        domain="w in 1 to 3 targets, λ and λ₂ from 1/20 to 10, p from 3/10 to 5",
        instances=features(),
        violation=identity_holds,
        mutants=(
            Mutant(
                "κ is off by one percent",
                lambda f: identity_holds(f, lambda *args: 1.01 * bridge(*args)),
            ),
            Mutant(
                "the power is 1/2 whatever p is",
                lambda f: identity_holds(
                    f, lambda size, lam, lam2, p: kappa(lam, lam2, p) * size ** (1 / (2 * p))
                ),
            ),
            Mutant(
                "λ counts twice",
                lambda f: identity_holds(
                    f, lambda size, lam, lam2, p: bridge(size, 2 * lam, lam2, p)
                ),
            ),
            Mutant(
                "the power is p",
                lambda f: identity_holds(f, lambda size, *args: kappa(*args) * size),
            ),
            Mutant(
                "the minimiser is off by ten percent",
                lambda f: identity_holds(f, best_switch=lambda *args: 1.1 * best_switch(*args)),
            ),
            Mutant(
                "w = 0 costs something",
                lambda f: identity_holds(f, lambda size, *args: bridge(size, *args) or 1e-6),
            ),
        ),
    ),
    Claim(
        name="B.1 minimiser",
        formula=(
            r"w \neq 0, \; \beta \neq (p \lambda_2 \|w\|_p^p \, / \, \lambda)^{1/(p+1)}"
            r"\;\Rightarrow\; \lambda \beta + \lambda_2 \|w / \beta\|_p^p"
            r" > \kappa \|w\|_p^{p/(p+1)}",
        ),
        says="This β has the least penalty, and no other has it.",
        source=SOURCE,
        domain="w ≠ 0 in 1 to 3 targets; β smaller and larger by factors from 1.1 to 22000",
        instances=features().filter(lambda feature: any(feature.w)),
        violation=only_minimiser,
        mutants=(
            Mutant(
                "the minimiser is off by one percent",
                lambda f: only_minimiser(f, lambda *args: 1.01 * best_switch(*args)),
            ),
            Mutant(
                "the minimiser is the p-th root",
                lambda f: only_minimiser(
                    f, lambda *args: best_switch(*args) ** ((args[3] + 1) / args[3])
                ),
            ),
        ),
    ),
)
