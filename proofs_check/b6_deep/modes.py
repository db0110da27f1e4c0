r"""What a dead unit leaves behind a BatchNorm in training, and in evaluation after more training.

In training, mean and variance are those of the batch. Both are 0 for a unit that is 0, and it
leaves β, as ε > 0. In evaluation they are running averages. These lose the share m (the momentum)
in each step. After k steps the mean is :math:`r^k \mu` and the variance :math:`r^k v`, with
r = 1 − m, and the unit leaves

.. math:: \beta - \gamma \mu \frac{r^k}{\sqrt{r^k v + \varepsilon}}.

The fraction falls with k, to 0; while the variance is much larger than ε, only like
:math:`r^{k/2}`.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.b6_deep.layers import SOURCE, TEMPTING
from proofs_check.claim import Claim, Mutant

NUMBERS = st.sampled_from([Fraction(n, d) for n, d in ((0, 1), (1, 1), (-1, 1), (1, 2), (3, 1))])
POSITIVE = st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(1, 100)])
STEPS = 8


@dataclass(frozen=True)
class Dead:
    """The numbers of a BatchNorm for a unit that is 0; `variance` is without ε."""

    gamma: Fraction
    beta: Fraction
    mean: Fraction
    variance: Fraction
    epsilon: Fraction
    momentum: Fraction

    def stepped(self, batch_mean=0, batch_variance=0):
        """After a step of training."""
        m = self.momentum
        return replace(
            self,
            mean=(1 - m) * self.mean + m * batch_mean,
            variance=(1 - m) * self.variance + m * batch_variance,
        )

    def distance(self):
        """The square of what it leaves in evaluation less β, as a root is irrational."""
        return (self.gamma * self.mean) ** 2 / (self.variance + self.epsilon)

    def __str__(self):
        numbers = f"γ = {self.gamma}, β = {self.beta}, mean = {self.mean}"
        return f"{numbers}, variance = {self.variance}, ε = {self.epsilon}, m = {self.momentum}"


def dead():
    shares = st.sampled_from([Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
    return st.builds(Dead, NUMBERS, NUMBERS, NUMBERS, POSITIVE, POSITIVE, shares)


def same_in_both_modes(unit):
    if unit.distance() == 0:
        return None
    return f"in training it leaves {unit.beta}, in evaluation the root of {unit.distance()} off"


def after(unit, k):
    """The distance promised after k steps."""
    rest = (1 - unit.momentum) ** k
    return (unit.gamma * unit.mean * rest) ** 2 / (rest * unit.variance + unit.epsilon)


def variance_stays(unit, k):
    rest = (1 - unit.momentum) ** k
    return (unit.gamma * unit.mean * rest) ** 2 / (unit.variance + unit.epsilon)


def as_fast_as_the_mean(unit, k):
    return unit.distance() * (1 - unit.momentum) ** (2 * k)


def forgets(unit, promised=after):
    """From step to step the distance is as promised, and falls."""
    start = unit
    for k in range(STEPS):
        if unit.distance() != promised(start, k):
            return f"after {k} steps the square is {unit.distance()}, not {promised(start, k)}"
        following = unit.stepped()
        if unit.distance() and not following.distance() < unit.distance():
            return f"after {k} steps {unit.distance()} grows to {following.distance()}"
        unit = following
    return None


LEFT = r"h_j = 0: \quad \beta_j \mathrm{\ in\ training}, \quad"

CLAIMS = (
    Claim(
        name="B.6 two modes",
        formula=(
            LEFT + r" \beta_j - \gamma_j \mu_j / \sigma_j = \beta_j \mathrm{\ in\ evaluation}",
        ),
        says="What a dead unit leaves behind a BatchNorm is the same in training and evaluation.",
        source=TEMPTING,
        domain="γ, β and the running mean any numbers, variance, ε > 0",
        instances=dead(),
        violation=same_in_both_modes,
        corrected=False,
    ),
    Claim(
        name="B.6 two modes: corrected",
        formula=(
            LEFT + r" \beta_j - \gamma_j \mu_j \; r^k / \sqrt{r^k v_j + \varepsilon}"
            r" \mathrm{\ in\ evaluation}",
            r"k \mathrm{\ steps\ after\ it\ died}, \quad r = 1 - \mathrm{momentum}",
        ),
        says=(
            "The difference falls from step to step, but only half as fast as the running mean "
            "while the variance is large. So a unit that died before a BatchNorm can be removed "
            "in both modes once the BatchNorm has forgotten it."
        ),
        source=SOURCE,
        domain=f"k up to {STEPS - 1}, squares of the difference, exactly",
        instances=dead(),
        violation=forgets,
        mutants=(
            Mutant("the variance stays", lambda unit: forgets(unit, variance_stays)),
            Mutant("it falls as fast as the mean", lambda unit: forgets(unit, as_fast_as_the_mean)),
            Mutant("it stays", lambda unit: forgets(unit, lambda unit, k: unit.distance())),
        ),
    ),
)
