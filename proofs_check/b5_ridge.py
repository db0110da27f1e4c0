r"""B.5: with a ridge on the coefficients, switches and weights pay the bridge plus the ridge.

For λ, λ₂, p > 0, ρ ≥ 0 and κ as in B.1, over switches β and weights A, and over W,

.. math:: \min_{A, \beta} f(\mathrm{diag}(\beta) A) + \sum_g \left(\lambda|\beta_g|
          + \lambda_2\|A_g\|_p^p + \tfrac{\rho}{2}\|\beta_g A_g\|^2\right)
          = \min_W f(W) + \sum_g \left(\kappa\|W_g\|_p^{p/(p+1)}
          + \tfrac{\rho}{2}\|W_g\|^2\right).

The ridge depends on βa alone. So for a fixed w, the best split is that of B.1, whatever ρ is. And
a solver that has the prox of tφ has that of tφ + ½ρ‖·‖² too: it is that of tφ/(1 + ρ), taken at
z/(1 + ρ).

The statement is ours, and true. A ridge on A would be another problem: for p = 2 it is that of
λ₂ + ρ/2.

The minima are compared for one feature, so that the oracle need not know κ. For a fixed switch,
the best weights have a closed form, and a search finds the best switch. The best W is on a curve:
for a fixed norm of W, it is g / (c + ρ + μ) if p = 2 and g, soft-thresholded at μ, over c + ρ if
p = 1, with some μ ≥ 0; here g and c are minus the gradient at zero and the curvature. Each best W
then has to be optimal for the other side too, up to 1e-9; this allows for ties.

Of the prox, fractions show more than the minimum: the two objectives differ by a factor and a
constant. The value of φ may be any number, so this holds for every φ.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.b1_bridge import best_switch, bridge, close, powers, strengths
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import dot

SOURCE = "shrinklin's own (the parameter `ridge`)"

TOLERANCE = 1e-9
# The search for a minimum over one number: points of the first grid and of the finer ones.
N_COARSE, N_FINE, N_LEVELS = 4001, 21, 12


def ridges():
    return st.fractions(Fraction(1, 20), 5, max_denominator=20)


# --- the best split of given coefficients


@dataclass(frozen=True)
class Coefficients:
    """The coefficients of a feature, and the strengths of all penalties."""

    w: tuple
    lam: Fraction
    lam2: Fraction
    p: Fraction
    rho: Fraction

    @property
    def floats(self):
        return float(self.lam), float(self.lam2), float(self.p)

    @property
    def size(self):
        """‖w‖_p^p."""
        return sum(abs(float(w)) ** float(self.p) for w in self.w)

    @property
    def ridge(self):
        return 0.5 * float(self.rho) * sum(float(w) ** 2 for w in self.w)

    def cost(self, beta):
        """What β and a = w/β cost."""
        lam, lam2, p = self.floats
        a = np.array([float(w) / beta for w in self.w])
        ridge = 0.5 * float(self.rho) * ((beta * a) ** 2).sum()
        return lam * beta + lam2 * (np.abs(a) ** p).sum() + ridge

    def __str__(self):
        strengths = f"λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}, ρ = {self.rho}"
        return f"w = {exact(self.w)}, {strengths}"


@st.composite
def coefficients(draw, max_targets=3):
    w = draw(st.lists(st.fractions(-4, 4, max_denominator=3), min_size=1, max_size=max_targets))
    strengths_and_power = draw(strengths()), draw(strengths()), draw(powers())
    return Coefficients(tuple(w), *strengths_and_power, draw(ridges()))


def switch_of_b1(given):
    return best_switch(given.size, *given.floats)


def switch_of_larger_decay(given):
    lam, lam2, p = given.floats
    return best_switch(given.size, lam, lam2 + float(given.rho) / 2, p)


def split_of_b1(given, switch=switch_of_b1, share=1.0):
    """The split of B.1 costs the bridge plus the ridge, and any other costs more."""
    best, least = switch(given), bridge(given.size, *given.floats) + share * given.ridge
    if not close(given.cost(best), least):
        return f"β = {best:.6g} costs {given.cost(best):.10g}, not {least:.10g}"
    for step in (-3, -1, -0.1, 0.1, 1, 3):
        cost = given.cost(best * np.exp(step))
        # The ridge is the same for all of them.
        if cost <= least + TOLERANCE * (least - share * given.ridge):
            return f"β = {best * np.exp(step):.6g} costs {cost:.10g}, not above {least:.10g}"
    return None


# --- the minima of one feature


@dataclass(frozen=True)
class OneFeature:
    """f(w) = ½c‖w‖² − ⟨g, w⟩ and the strengths of all penalties."""

    g: tuple
    c: Fraction
    lam: Fraction
    lam2: Fraction
    p: int
    rho: Fraction

    @property
    def floats(self):
        return float(self.lam), float(self.lam2), float(self.p)

    def loss(self, w):
        """f, for each w of an array."""
        g = np.array(self.g, float)
        return 0.5 * float(self.c) * (w**2).sum(axis=-1) - w @ g

    def __str__(self):
        strengths = f"λ = {self.lam}, λ₂ = {self.lam2}, p = {self.p}, ρ = {self.rho}"
        return f"g = {exact(self.g)}, c = {self.c}, {strengths}"


@st.composite
def one_feature(draw, max_targets=3):
    """Mostly weak penalties, as strong ones make w = 0 optimal."""
    g = draw(st.lists(st.integers(-6, 6), min_size=1, max_size=max_targets))
    weak = st.fractions(Fraction(1, 16), 1, max_denominator=16)
    c = draw(st.fractions(Fraction(1, 4), 4, max_denominator=4))
    return OneFeature(
        tuple(g), c, draw(weak), draw(weak), draw(st.sampled_from([2, 1])), draw(ridges())
    )


def soft(z, level):
    return np.sign(z) * np.maximum(np.abs(z) - level, 0.0)


def with_ridge_on_coefficients(problem, beta):
    """The best weights for each switch of an array, and what all of it costs."""
    return _best_weights(problem, beta, float(problem.rho) * beta**2)


def with_ridge_on_weights(problem, beta):
    return _best_weights(problem, beta, np.full_like(beta, float(problem.rho)))


def _best_weights(problem, beta, ridge):
    """`ridge` is the factor of ½‖a‖², one for each switch."""
    lam, lam2, p = problem.floats
    pull = beta[:, None] * np.array(problem.g, float)
    curvature = (float(problem.c) * beta**2 + ridge)[:, None]
    a = pull / (curvature + 2 * lam2) if p == 2 else soft(pull, lam2) / curvature
    w = beta[:, None] * a
    paid = lam * beta + lam2 * (np.abs(a) ** p).sum(axis=1) + 0.5 * ridge * (a**2).sum(axis=1)
    return w, problem.loss(w) + paid


def on_the_curve(problem, mu, share=1.0):
    """w for each μ of an array, and f + bridge + ridge there."""
    g, p, total = np.array(problem.g, float), problem.p, float(problem.c + problem.rho)
    w = g / (total + mu[:, None]) if p == 2 else soft(g, mu[:, None]) / total
    return w, value_of_coefficients(problem, w, share)


def value_of_coefficients(problem, w, share=1.0):
    sizes = (np.abs(w) ** problem.p).sum(axis=-1)
    ridge = 0.5 * share * float(problem.rho) * (w**2).sum(axis=-1)
    return problem.loss(w) + bridge(sizes, *problem.floats) + ridge


def least(function, low, high):
    """The smallest value of `function` over numbers from exp(low) to exp(high), and its w."""
    points, step = np.linspace(low, high, N_COARSE), (high - low) / (N_COARSE - 1)
    for _ in range(N_LEVELS):
        w, values = function(np.exp(points))
        best = points[values.argmin()]
        points, step = np.linspace(best - step, best + step, N_FINE), 2 * step / (N_FINE - 1)
    return values.min(), w[values.argmin()]


def same_minima(problem, factors=with_ridge_on_coefficients, share=1.0):
    """The least values over (β, A) and over W are the same, and one W has both; 0 is allowed."""
    split, w = least(lambda beta: factors(problem, beta), -12, 6)
    whole, other = least(lambda mu: on_the_curve(problem, mu, share), -20, 10)
    split, whole = min(split, 0.0), min(whole, 0.0)  # the value of w = 0
    scale = max(1.0, abs(whole))
    if abs(split - whole) > TOLERANCE * scale:
        return f"the minimum over (β, A) is {split:.10g}, that over W is {whole:.10g}"
    there = value_of_coefficients(problem, w, share)
    if split < -1e-6 and there > whole + 1e-6 * scale:
        return f"w = {exact(w.tolist())} is best over (β, A), {exact(other.tolist())} over W"
    return None


# --- the prox


@dataclass(frozen=True)
class TwoPoints:
    """z and two candidates for its prox, with any values of φ there."""

    z: tuple
    candidates: tuple
    phi: tuple
    t: Fraction
    rho: Fraction

    def __str__(self):
        values = f"candidates {exact(self.candidates)} of φ = {exact(self.phi)}"
        return f"z = {exact(self.z)}, t = {self.t}, ρ = {self.rho}, {values}"


@st.composite
def two_points(draw, max_size=3):
    size = draw(st.integers(1, max_size))
    vector = st.tuples(*[st.fractions(-4, 4, max_denominator=4)] * size)
    value = st.fractions(0, 5, max_denominator=5)
    return TwoPoints(
        draw(vector), (draw(vector), draw(vector)), (draw(value), draw(value)),
        draw(strengths()), draw(ridges()),
    )  # fmt: skip


def prox_objective(z, w, phi, t):
    """½‖w − z‖² + tφ(w)."""
    off = tuple(p - q for p, q in zip(w, z, strict=True))
    return dot(off, off) / 2 + t * phi


def rescaled(given):
    """The z and t whose prox is that with the ridge."""
    return tuple(entry / (1 + given.rho) for entry in given.z), given.t / (1 + given.rho)


def same_order(given, to_plain=rescaled):
    """The objectives of both proxes differ between two points by the same, up to 1 + ρ."""
    z, t = to_plain(given)
    pairs = list(zip(given.candidates, given.phi, strict=True))
    with_ridge = [
        prox_objective(given.z, w, phi, given.t) + given.rho * dot(w, w) / 2 for w, phi in pairs
    ]
    plain = [(1 + given.rho) * prox_objective(z, w, phi, t) for w, phi in pairs]
    apart, expected = with_ridge[0] - with_ridge[1], plain[0] - plain[1]
    if apart == expected:
        return None
    return f"with the ridge they differ by {apart}, without by {expected} (times 1 + ρ)"


CLAIMS = (
    Claim(
        name="B.5",
        formula=(
            r"\min_{A, \beta} \; f(\mathrm{diag}(\beta) A) + \sum_g (\lambda |\beta_g|"
            r" + \lambda_2 \|A_g\|_p^p + \frac{\rho}{2} \|\beta_g A_g\|^2)",
            r"= \; \min_W \; f(W) + \sum_g (\kappa \|W_g\|_p^{p/(p+1)}"
            r" + \frac{\rho}{2} \|W_g\|^2)",
        ),
        says="With a ridge on the coefficients, ShrinkNet pays the bridge plus the ridge.",
        source=SOURCE,
        domain="1 feature, 1 to 3 targets, p = 1 or 2, ρ from 1/20 to 5",
        instances=one_feature(),
        violation=same_minima,
        mutants=(
            Mutant(
                "the ridge is on A",
                lambda problem: same_minima(problem, with_ridge_on_weights),
            ),
            Mutant("the ridge counts twice", lambda problem: same_minima(problem, share=2.0)),
            Mutant("there is no ridge on W", lambda problem: same_minima(problem, share=0.0)),
        ),
    ),
    Claim(
        name="B.5 split",
        formula=(
            r"w = \beta a \neq 0, \quad \beta = (p \lambda_2 \|w\|_p^p \, / \, \lambda)^{1/(p+1)}",
            r"\Rightarrow\; \lambda \beta + \lambda_2 \|a\|_p^p + \frac{\rho}{2} \|\beta a\|^2"
            r" = \kappa \|w\|_p^{p/(p+1)} + \frac{\rho}{2} \|w\|^2",
        ),
        says="This split is the best one whatever ρ is, and no other is as good.",
        source=SOURCE,
        domain="w ≠ 0 in 1 to 3 targets; β smaller and larger by factors from 1.1 to 20",
        instances=coefficients().filter(lambda given: any(given.w)),
        violation=split_of_b1,
        mutants=(
            Mutant(
                "the split depends on ρ",
                lambda given: split_of_b1(given, switch_of_larger_decay),
            ),
            Mutant("the ridge counts twice", lambda given: split_of_b1(given, share=2.0)),
        ),
    ),
    Claim(
        name="B.5 prox",
        formula=(
            r"\mathrm{argmin}_w \; \frac{1}{2} \|w - z\|^2 + t \varphi(w) + \frac{\rho}{2} \|w\|^2"
            r" = \mathrm{prox}_{t \varphi / (1 + \rho)} (z / (1 + \rho))",
        ),
        says="The objectives of both differ by the factor 1 + ρ and a constant.",
        source=SOURCE,
        domain="every z, two candidates and any two values of φ, exactly",
        instances=two_points(),
        violation=same_order,
        mutants=(
            Mutant(
                "t is not rescaled",
                lambda given: same_order(given, lambda given: (rescaled(given)[0], given.t)),
            ),
            Mutant(
                "z is not rescaled",
                lambda given: same_order(given, lambda given: (given.z, rescaled(given)[1])),
            ),
        ),
    ),
)
