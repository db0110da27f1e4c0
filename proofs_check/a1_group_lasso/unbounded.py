"""Whether the objectives of A.1 fall without bound along a v with Xv = 0."""

from fractions import Fraction

from proofs_check.a1_group_lasso.problem import UNITS
from proofs_check.rational import scaled

STEPS = (Fraction(1), Fraction(10), Fraction(100))


def along(problem, vector):
    """Both objectives at β = t v, every A'_j the same unit vector, for each t in `STEPS`."""
    units = (UNITS[problem.n_targets][0],) * problem.n_features
    betas = [tuple(t * v for v in vector) for t in STEPS]
    left = [problem.group_lasso(scaled(beta, units)) for beta in betas]
    return left, [problem.switched(units, beta) for beta in betas]


def slope(values):
    """The slope of values at `STEPS` as a function of t; None if it is not linear."""
    slopes = {
        (value - values[0]) / (t - STEPS[0]) for value, t in zip(values[1:], STEPS[1:], strict=True)
    }
    return slopes.pop() if len(slopes) == 1 else None


def unbounded(values):
    # Linear if Xv = 0: the error does not change, and norms are homogeneous.
    rate = slope(values)
    return rate is not None and rate < 0
