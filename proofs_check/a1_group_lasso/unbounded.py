"""Where the objectives of A.1 fall without bound: λ < 0, along features that add up to zero."""

from fractions import Fraction

from proofs_check.a1_group_lasso.problem import UNITS
from proofs_check.rational import scaled

STEPS = (Fraction(1), Fraction(10), Fraction(100))


def along(problem, vector):
    """Both objectives where β = t v and every A'_j is the same unit vector, at the steps t."""
    units = (UNITS[problem.n_targets][0],) * problem.n_features
    betas = [tuple(t * v for v in vector) for t in STEPS]
    left = [problem.group_lasso(scaled(beta, units)) for beta in betas]
    return left, [problem.switched(units, beta) for beta in betas]


def slope(values):
    """By how much values at the steps change a step, or None where not linearly."""
    slopes = {
        (value - values[0]) / (t - STEPS[0]) for value, t in zip(values[1:], STEPS[1:], strict=True)
    }
    return slopes.pop() if len(slopes) == 1 else None


def unbounded(values):
    # Linear where X v = 0: the error does not change, and norms are homogeneous.
    rate = slope(values)
    return rate is not None and rate < 0
