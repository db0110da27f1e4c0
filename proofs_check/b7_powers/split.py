"""How the factors of a unit share the cost, and that no other factors are as good."""

import itertools

import numpy as np
from hypothesis import strategies as st

from proofs_check.b1_bridge import TOLERANCE, close
from proofs_check.b7_powers.laws import DECAY, DOMAIN, GROUP_LASSO, ONE, SWITCH, cost
from proofs_check.b7_powers.unit import SOURCE, rounded, same_outputs, units_alive
from proofs_check.claim import Claim, Mutant

STEPS = (-3, -1, -0.1, 0, 0.1, 1, 3)


def split_of(unit, law, shares=None):
    """What to multiply the factors by, so that each pays its share of the least cost."""
    terms, total, shares = law.penalty(unit), law.value(unit), shares or law.shares
    sizes = {
        part: (shares[part](float(unit.p)) * total / term.weight) ** (1 / term.exponent)
        for part, term in terms.items()
    }
    return {part: sizes[part] / term.size for part, term in terms.items()}


def has_the_only_split(unit, law, shares=None):
    terms, least = law.penalty(unit), law.value(unit)
    factors = split_of(unit, law, shares)
    if not same_outputs(unit, unit.scaled(**factors)):
        return f"the factors {rounded([*factors.values()])} change the function"
    if not close(cost(terms, factors), least):
        return f"the split costs {cost(terms, factors):.10g}, not {least:.10g}"
    for steps in itertools.product(STEPS, repeat=len(terms) - 1):
        if any(steps):
            moved = np.exp([*steps, -sum(steps)]) * [*factors.values()]
            other = cost(terms, dict(zip(terms, moved, strict=True)))
            if other <= least * (1 + TOLERANCE):
                return f"the factors {rounded(moved)} cost {other:.10g}, not above {least:.10g}"
    return None


def alike(p):
    return 1 / 3


CLAIMS = (
    Claim(
        name="B.7 split",
        formula=(
            r"\lambda |\theta| = p \lambda_2 \|a\|_p^p = p \lambda_2 \|c\|_p^p"
            r" = \frac{p}{p+2} \, \kappa s^{p/(p+2)}",
            r"p = 2: \quad \lambda |\theta| : \lambda_2 \|a\|^2 : \lambda_2 \|c\|^2"
            r" = \frac{1}{2} : \frac{1}{4} : \frac{1}{4}",
        ),
        says=(
            "The best factors of a unit with a switch pay these shares, leave its function as it "
            "is, and no others are as good. κ is the constant of B.7."
        ),
        source=SOURCE,
        domain=f"θ, a, c ≠ 0; {DOMAIN}; factors smaller and larger by 1.1 to 20",
        instances=units_alive(),
        violation=lambda unit: has_the_only_split(unit, SWITCH),
        mutants=(
            Mutant(
                "all pay the same",
                lambda unit: has_the_only_split(unit, SWITCH, dict.fromkeys(SWITCH.shares, alike)),
            ),
            Mutant(
                "the row pays for the switch",
                lambda unit: has_the_only_split(
                    unit,
                    SWITCH,
                    SWITCH.shares
                    | {"switch": SWITCH.shares["row"], "row": SWITCH.shares["switch"]},
                ),
            ),
        ),
    ),
    Claim(
        name="B.7 split: no switch",
        formula=(
            r"\lambda \|a\|_2 = p \lambda_2 \|c\|_p^p = \frac{p}{p+1} \, \kappa s^{p/(p+1)}"
            r" \quad \mathrm{(group\ lasso)}",
            r"\lambda_2 \|a\|_p^p = \lambda_2 \|c\|_p^p = \lambda_2 s^{p/2}"
            r" \quad \mathrm{(decay)}",
        ),
        says=(
            "The row under a group lasso pays p times as much as the outgoing weights, and with "
            "decay alone both pay the same. No other factors are as good."
        ),
        source=SOURCE,
        domain=f"a, c ≠ 0; {DOMAIN}; factors smaller and larger by 1.1 to 20",
        instances=st.tuples(st.sampled_from((GROUP_LASSO, DECAY)), units_alive(switches=ONE)),
        violation=lambda pair: has_the_only_split(pair[1], pair[0]),
        show=lambda pair: f"{'group lasso' if pair[0] is GROUP_LASSO else 'decay'}, {pair[1]}",
        mutants=(
            Mutant(
                "both pay the same",
                lambda pair: has_the_only_split(pair[1], pair[0], DECAY.shares),
            ),
            Mutant(
                "the row pays p times as much",
                lambda pair: has_the_only_split(pair[1], pair[0], GROUP_LASSO.shares),
            ),
        ),
    ),
)
