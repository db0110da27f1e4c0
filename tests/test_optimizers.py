"""Rules for a step, against the papers' formulas for one number at a time."""

import math

import numpy as np
import pytest

from shrinklin.gradient.optimizers import SGD, Adagrad, Adam

N_PARAMETERS, N_STEPS = 7, 30

RULES = {
    "sgd": lambda size: SGD(size, 0.9),
    "plain sgd": lambda size: SGD(size, 0.0),
    "adagrad": Adagrad,
    "adam": Adam,
}
every_rule = pytest.mark.parametrize("rule", RULES)
scale_free = pytest.mark.parametrize("rule", ["adagrad", "adam"])


def gradients(seed=0, n_steps=N_STEPS):
    """Both signs, none near 0, every parameter of a size of its own."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.1, 2, (n_steps, N_PARAMETERS)) * 10.0 ** np.arange(-2, N_PARAMETERS - 2)
    return size * rng.choice([-1, 1], size.shape)


def rates(n_steps=N_STEPS):
    return [0.5 / (1 + 0.1 * t) for t in range(n_steps)]


def sgd_steps(momentum, gradients, rates):
    """Heavy ball: v = momentum v + g."""
    steps, velocity = [], 0.0
    for g, rate in zip(gradients, rates, strict=True):
        velocity = momentum * velocity + g
        steps.append(rate * velocity)
    return steps


def adagrad_steps(gradients, rates):
    """Duchi et al., figure 1, diagonal, δ → 0."""
    return [
        rate * g / math.sqrt(math.fsum(past * past for past in gradients[: t + 1]))
        for t, (g, rate) in enumerate(zip(gradients, rates, strict=True))
    ]


def adam_steps(gradients, rates, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma and Ba, algorithm 1."""
    steps, m, v = [], 0.0, 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        steps.append(rate * m_hat / (math.sqrt(v_hat) + epsilon))
    return steps


BY_HAND = {
    "sgd": lambda g, rate: sgd_steps(0.9, g, rate),
    "plain sgd": lambda g, rate: [r * slope for slope, r in zip(g, rate, strict=True)],
    "adagrad": adagrad_steps,
    "adam": adam_steps,
}


def steps_of(optimizer, gradients, rates):
    return np.array([optimizer.step(g, rate) for g, rate in zip(gradients, rates, strict=True)])


def assert_follows(optimizer, by_hand):
    found = steps_of(optimizer, gradients(), rates())
    expected = [by_hand(column.tolist(), rates()) for column in gradients().T]
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-7)


@every_rule
def test_steps_follow_the_paper(rule):
    assert_follows(RULES[rule](N_PARAMETERS), BY_HAND[rule])


class RateInTheVelocity(SGD):
    """The other heavy ball: the same at a constant rate only."""

    def step(self, gradient, rate):
        return super().step(rate * gradient, 1.0)


class MeanSquare(Adagrad):
    """Divides by the mean instead of the sum of squares."""

    n_steps = 0

    def step(self, gradient, rate):
        self.n_steps += 1
        return super().step(gradient, rate) * np.sqrt(self.n_steps)


class Biased(Adam):
    """Adam that takes its first means, which begin at 0, for unbiased."""

    def step(self, gradient, rate):
        step = super().step(gradient, rate)
        return step * (1 - 0.9**self.n_steps) / np.sqrt(1 - 0.999**self.n_steps)


MUTANTS = {
    "sgd": lambda: RateInTheVelocity(N_PARAMETERS, 0.9),
    "plain sgd": lambda: SGD(N_PARAMETERS, 0.01),
    "adagrad": lambda: MeanSquare(N_PARAMETERS),
    "adam": lambda: Biased(N_PARAMETERS),
}


@every_rule
def test_wrong_rules_do_not(rule):
    with pytest.raises(AssertionError):
        assert_follows(MUTANTS[rule](), BY_HAND[rule])


def steps_before_and_after_keep(optimizer, masks):
    """Steps of the parameters that stay, dropping some after every ten steps."""
    g, left, steps = gradients(), np.arange(N_PARAMETERS), []
    for t, rate in enumerate(rates()):
        if t % 10 == 0 and t > 0:
            mask = masks[t // 10 - 1]
            left = left[mask]
            optimizer.keep(mask)
        steps.append(optimizer.step(g[t, left], rate))
    return left, steps


KEPT = [np.array([1, 0, 1, 1, 0, 1, 1], dtype=bool), np.array([0, 1, 1, 0, 1], dtype=bool)]


@every_rule
def test_keep_is_as_if_the_others_had_never_been(rule):
    left, steps = steps_before_and_after_keep(RULES[rule](N_PARAMETERS), KEPT)
    np.testing.assert_array_equal(left, [2, 3, 6])
    alone = steps_of(RULES[rule](3), gradients()[:, left], rates())
    np.testing.assert_array_equal(steps[-10:], alone[-10:])


class Forgetful(Adam):
    def keep(self, mask):
        self.state = [np.zeros(mask.sum()) for _ in self.state]


class Shuffled(Adagrad):
    def keep(self, mask):
        self.state = [values[: mask.sum()] for values in self.state]


@pytest.mark.parametrize(("rule", "mutant"), [("adam", Forgetful), ("adagrad", Shuffled)])
def test_keep_that_loses_the_state_shows(rule, mutant):
    left, steps = steps_before_and_after_keep(mutant(N_PARAMETERS), KEPT)
    alone = steps_of(RULES[rule](3), gradients()[:, left], rates())
    assert np.abs(np.array(steps[-10:]) / alone[-10:] - 1).max() > 0.1


@every_rule
def test_nothing_may_be_left(rule):
    optimizer = RULES[rule](N_PARAMETERS)
    optimizer.step(gradients()[0], 0.1)
    optimizer.keep(np.zeros(N_PARAMETERS, dtype=bool))
    assert optimizer.step(np.empty(0), 0.1).shape == (0,)


def test_without_momentum_the_step_is_the_gradient():
    g = gradients()
    np.testing.assert_array_equal(steps_of(SGD(N_PARAMETERS, 0.0), g, [0.25] * N_STEPS), 0.25 * g)


def test_momentum_sums_a_constant_gradient_to_a_multiple():
    # 1 + m + m² + … = 1 / (1 − m).
    g = gradients()[0]
    steps = steps_of(SGD(N_PARAMETERS, 0.5), [g] * 60, [0.1] * 60)
    np.testing.assert_allclose(steps[-1], 0.2 * g, rtol=1e-14)


@scale_free
def test_first_step_is_the_sign(rule):
    g = gradients()[0]
    np.testing.assert_allclose(RULES[rule](N_PARAMETERS).step(g, 0.3), 0.3 * np.sign(g), rtol=1e-4)


@pytest.mark.parametrize("mutant", [lambda: SGD(N_PARAMETERS, 0.0), lambda: Biased(N_PARAMETERS)])
def test_first_step_of_others_is_not_the_sign(mutant):
    g = gradients()[0]
    assert np.abs(mutant().step(g, 0.3) - 0.3 * np.sign(g)).max() > 0.1


@scale_free
@pytest.mark.parametrize("scale", [1e-2, 1e6])
def test_units_of_the_objective_do_not_matter(rule, scale):
    g = gradients() * 1e3
    expected = steps_of(RULES[rule](N_PARAMETERS), g, rates())
    found = steps_of(RULES[rule](N_PARAMETERS), scale * g, rates())
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    scaled_sgd = steps_of(SGD(N_PARAMETERS, 0.9), scale * g, rates())
    plain_sgd = steps_of(SGD(N_PARAMETERS, 0.9), g, rates())
    np.testing.assert_allclose(scaled_sgd, scale * plain_sgd, rtol=1e-12)


@every_rule
def test_a_rate_multiplies_its_own_step_only(rule):
    one, other = RULES[rule](N_PARAMETERS), RULES[rule](N_PARAMETERS)
    steps = steps_of(one, gradients(), rates())
    unit = steps_of(other, gradients(), [1.0] * N_STEPS)
    np.testing.assert_allclose(steps, np.array(rates())[:, None] * unit, rtol=1e-14)


@every_rule
def test_no_gradient_no_step(rule):
    optimizer = RULES[rule](N_PARAMETERS)
    for _ in range(3):
        assert not optimizer.step(np.zeros(N_PARAMETERS), 0.1).any()


@every_rule
def test_neither_gradients_nor_earlier_steps_are_overwritten(rule):
    optimizer, g = RULES[rule](N_PARAMETERS), gradients()
    first = optimizer.step(g[0], 1.0)
    copy = first.copy()
    steps_of(optimizer, g[1:], [1.0] * (N_STEPS - 1))
    np.testing.assert_array_equal(first, copy)
    np.testing.assert_array_equal(g, gradients())
