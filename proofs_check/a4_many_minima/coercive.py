"""A.4 corrected: the objective is coercive, and a minimum exists, if all is penalised."""

import math
from fractions import Fraction

from proofs_check.a4_many_minima.network import networks
from proofs_check.a4_many_minima.numbers import RELATIVE
from proofs_check.a4_many_minima.statement import SOURCE
from proofs_check.claim import Claim, Mutant


def ray_bound(direction, t, power=lambda t, p: t**p):
    """The penalty alone at t times the direction, with every parameter penalised."""
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
    """Along a ray the value is above the bound, and beyond a radius above the value at 0."""
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


CLAIM = Claim(
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
)
