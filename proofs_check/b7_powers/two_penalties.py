r"""The group lasso on rows with decay of all weights, rows too: no power of ‖in‖·‖out‖.

With x = ‖a‖ the least cost of :math:`\lambda x + \lambda_2 x^2 + \lambda_2 s^2 / x^2` is C(s). At
the best x, :math:`\lambda x + 2 \lambda_2 x^2 = 2 \lambda_2 s^2 / x^2`, so that

.. math:: \frac{d \log C}{d \log s} = \frac{2 \lambda_2 s^2 / x^2}{C}
          = \frac{\lambda x + 2 \lambda_2 x^2}{\frac{3}{2} \lambda x + 2 \lambda_2 x^2}

is between 2/3 and 1. C is at least the cost without decay of rows and that without the group
lasso. It is at most what the best row of one of the two costs here.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.b1_bridge import TOLERANCE, close, kappa, strengths
from proofs_check.b7_powers.exponentials import lowest
from proofs_check.b7_powers.unit import SOURCE, TEMPTING
from proofs_check.claim import Claim, Mutant


@dataclass(frozen=True)
class Products:
    """Two products s = ‖a‖·‖c‖, the second `ratio` times the first, and the strengths."""

    s: Fraction
    ratio: Fraction
    lam: Fraction
    lam2: Fraction

    @property
    def floats(self):
        return float(self.lam), float(self.lam2)

    def __str__(self):
        return f"s = {self.s}, t = {self.ratio}, λ = {self.lam}, λ₂ = {self.lam2}"


@st.composite
def products(draw, zero=False):
    """From 1/1000 to 1000, and 0 on request."""
    power = draw(st.sampled_from((0, 1, 2, -1, -2, -3)))
    s = draw(st.fractions(1, 10, max_denominator=4)) * Fraction(10) ** power
    if zero and draw(st.booleans()):
        s = Fraction(0)
    ratio = draw(st.fractions(Fraction(11, 10), 100, max_denominator=10))
    return Products(s, ratio, draw(strengths()), draw(strengths()))


def least_cost(s, lam, lam2):
    """min λx + λ₂x² + λ₂s²/x²."""
    if s == 0:
        return 0.0
    start = s**0.5
    weights, exponents = (lam * start, lam2 * s, lam2 * s), np.array([[1.0], [2.0], [-2.0]])
    (y,) = lowest(weights, exponents)
    return float(weights @ np.exp(exponents[:, 0] * y))


def group_lasso_alone(s, lam, lam2):
    """κs^{2/3}, the cost without decay of rows."""
    return kappa(lam, lam2, 2) * s ** (2 / 3)


def is_the_power(given):
    least = least_cost(float(given.s), *given.floats)
    power = group_lasso_alone(float(given.s), *given.floats)
    if close(power, least):
        return None
    return f"the best factors cost {least:.6g}, the power gives {power:.6g}"


def is_between_the_powers(given, low=2 / 3, high=1.0, share=1.0):
    return grows_between(given, low, high) or is_bounded(given, share)


def grows_between(given, low, high):
    """From s to ratio · s the cost grows by more than the power `low`, and less than `high`."""
    s, ratio = float(given.s), float(given.ratio)
    grown = least_cost(ratio * s, *given.floats) / least_cost(s, *given.floats)
    if not ratio**low * (1 - TOLERANCE) <= grown <= ratio**high * (1 + TOLERANCE):
        power = np.log(grown) / np.log(ratio)
        return f"from s to {given.ratio} s the cost grows with the power {power:.6g}"
    return None


def is_bounded(given, share):
    """Between the costs of one penalty, and what the best row of one pays for both."""
    s, (lam, lam2) = float(given.s), given.floats
    least, alone = least_cost(s, lam, lam2), group_lasso_alone(s, lam, lam2)
    low = max(alone, 2 * lam2 * s)
    # In the split of the group lasso, the row pays 2/3: λx. Its decay λ₂x² comes on top. In the
    # split of decay, x² = s.
    row = 2 * alone / (3 * lam)
    high = min(alone + share * lam2 * row**2, 2 * lam2 * s + share * lam * s**0.5)
    if not low * (1 - TOLERANCE) <= least <= high * (1 + TOLERANCE):
        return f"the best factors cost {least:.6g}, not between {low:.6g} and {high:.6g}"
    return None


CLAIMS = (
    Claim(
        name="B.7 group lasso with decay of rows",
        formula=(
            r"\min_{\|a\| \|c\| = s} \; \lambda \|a\| + \lambda_2 (\|a\|^2 + \|c\|^2)"
            r" = \frac{3}{2} (2 \lambda^2 \lambda_2)^{1/3} \; s^{2/3}",
        ),
        says="The power stays 2/3 if the decay is on all weights, rows too.",
        source=TEMPTING,
        domain="s = 0, and s from 1/1000 to 1000; λ and λ₂ from 1/20 to 10",
        instances=products(zero=True),
        violation=is_the_power,
        corrected=False,
    ),
    Claim(
        name="B.7 group lasso with decay of rows: corrected",
        formula=(
            r"C(s) = \min_{\|a\| \|c\| = s} \; \lambda \|a\| + \lambda_2 (\|a\|^2 + \|c\|^2)",
            r"t > 1: \quad t^{2/3} < C(ts) / C(s) < t",
            r"\max(\kappa s^{2/3}, \, 2 \lambda_2 s) < C(s)"
            r" < \min(\kappa s^{2/3} + \frac{4 \lambda_2 \kappa^2}{9 \lambda^2} s^{4/3},"
            r" \, 2 \lambda_2 s + \lambda s^{1/2})",
        ),
        says=(
            "With decay of rows too, the power grows from 2/3 for small s to 1 for large s, and "
            "units that matter are paid for as with decay alone. κ is that of the group lasso."
        ),
        source=SOURCE,
        domain="s from 1/1000 to 1000, t from 1.1 to 100, λ and λ₂ from 1/20 to 10",
        instances=products(),
        violation=is_between_the_powers,
        mutants=(
            Mutant("the power is 2/3", lambda g: is_between_the_powers(g, high=0.6667)),
            Mutant("the power is 1", lambda g: is_between_the_powers(g, low=0.9999)),
            Mutant("the power is at least 3/4", lambda g: is_between_the_powers(g, low=0.75)),
            Mutant("the power is at most 0.9", lambda g: is_between_the_powers(g, high=0.9)),
            Mutant(
                "half of the second penalty comes on top",
                lambda g: is_between_the_powers(g, share=0.5),
            ),
        ),
    ),
)
