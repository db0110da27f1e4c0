"""The removal strategies by themselves: what they call dead among switches they are shown."""

import inspect
import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone

from problems import simulate
from shrinklin import (
    Annealing,
    GradientDescent,
    Removal,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
    Threshold,
)
from shrinklin.gradient.parametrizations import GATES, GatedWeights
from shrinklin.groups import Groups
from shrinklin.pruning.removal import Watched

STRATEGIES = [Threshold(), SignChange(), SignVariance(), Annealing(3)]


def seen(
    switch,
    previous=None,
    *,
    norms=None,
    penalised=None,
    epoch=1,
    max_epochs=100,
    n_switches=None,
    memory=(),
):
    """`Watched` of switches that are their own gates."""
    switch = np.asarray(switch, dtype=float)
    return Watched(
        switch=switch,
        previous=None if previous is None else np.asarray(previous, dtype=float),
        gate=switch,
        norms=np.ones(len(switch)) if norms is None else np.asarray(norms, dtype=float),
        penalised=np.ones(len(switch), dtype=bool) if penalised is None else penalised,
        layer=np.zeros(len(switch), dtype=int),
        epoch=epoch,
        max_epochs=max_epochs,
        n_switches=len(switch) if n_switches is None else n_switches,
        memory=dict(memory),
    )


def random_switches(n_steps, n_switches, seed=0):
    """Some that keep a sign, some that change it now and then or all the time, and zeros."""
    rng = np.random.default_rng(seed)
    changes = rng.uniform(size=(n_steps, n_switches)) < np.linspace(0, 1, n_switches)
    signs = rng.choice([-1, 1], n_switches) * np.cumprod(np.where(changes, -1, 1), axis=0)
    zeros = rng.uniform(size=signs.shape) < np.where(np.arange(n_switches) % 3, 0.1, 0)
    return np.where(zeros, 0.0, signs * rng.uniform(0.1, 2, signs.shape))


def watch(removal, switches):
    """Masks of `removal` along a sequence of switches, none of which is taken out."""
    memory, masks = {}, []
    for epoch, (previous, switch) in enumerate(itertools.pairwise(switches), 1):
        watched = replace(seen(switch, previous, epoch=epoch), memory=memory)
        masks.append(removal.dead(watched))
    return np.array(masks)


# --- threshold


@pytest.mark.parametrize("value", [0.0, 0.01, 0.3, 1.0])
def test_normalised_threshold_sees_the_product_alone(value):
    rng = np.random.default_rng(0)
    beta, norms = rng.normal(size=200), rng.uniform(0, 1, 200)
    expected = [abs(b) * a <= value for b, a in zip(beta, norms, strict=True)]
    np.testing.assert_array_equal(Threshold(value).dead(seen(beta, norms=norms)), expected)
    # Powers of two, so that no product is rounded otherwise.
    c = 2.0 ** rng.integers(-8, 9, 200)
    moved = Threshold(value).dead(seen(c * beta, norms=norms / c))
    np.testing.assert_array_equal(moved, expected)


def test_threshold_of_the_switch_alone_depends_on_the_scale():
    beta, norms = np.array([0.1, -0.1, 0.9, -0.9]), np.array([9.0, 0.1, 9.0, 0.1])
    removal = Threshold(0.5, normalize=False)
    np.testing.assert_array_equal(removal.dead(seen(beta, norms=norms)), [1, 1, 0, 0])
    np.testing.assert_array_equal(removal.dead(seen(10 * beta, norms=norms / 10)), [0, 0, 0, 0])
    assert Threshold(0.5).dead(seen(beta, norms=norms)).tolist() == [False, True, False, True]


@pytest.mark.parametrize("normalize", [True, False])
def test_threshold_takes_what_equals_it(normalize):
    value = 0.25
    switch = [value, -value, np.nextafter(value, 1), -np.nextafter(value, 1), 0.0]
    dead = Threshold(value, normalize=normalize).dead(seen(switch))
    assert dead.tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("normalize", [True, False])
def test_without_switches_the_norm_is_compared(normalize):
    norms = np.array([0.0, 0.1, 0.2, np.inf])
    watched = replace(seen(np.ones(4), norms=norms), switch=None)
    dead = Threshold(0.1, normalize=normalize).dead(watched)
    assert dead.tolist() == [True, True, False, False]


@pytest.mark.parametrize("p", [2, 1.5])
def test_threshold_of_a_point_is_that_of_the_same_point_split_otherwise(p):
    groups = Groups.from_labels(12, np.repeat(np.arange(6), 2))
    parametrization = GatedWeights(groups, 3, 0.1, 0.1, p, GATES["switch"])
    x = parametrization.draw(np.random.RandomState(0))
    c = 2.0 ** np.arange(-3, 3)
    A, beta = parametrization.weights(x), parametrization.switch(x)
    other = np.concatenate([(A / groups.spread(c)[:, None]).ravel(), c * beta, np.zeros(3)])
    np.testing.assert_allclose(parametrization.coefficients(x), parametrization.coefficients(other))
    sizes = np.sort(np.abs(beta) * parametrization.norms(x))
    for normalize, same in ((True, True), (False, False)):
        masks = []
        for point in (x, other):
            switch, norms = parametrization.switch(point), parametrization.norms(point)
            removal = Threshold(sizes[2], normalize=normalize)
            masks.append(removal.dead(seen(switch, norms=norms)))
        assert np.array_equal(*masks) is same


class Rescaled(Threshold):
    """Threshold that also judges the same coefficients with switches c times as large."""

    def dead(self, watched):
        c = 2.0 ** (np.arange(len(watched.gate)) % 9 - 4)
        moved = {"switch": c * watched.switch, "gate": c * watched.gate, "norms": watched.norms / c}
        dead = super().dead(watched)
        self.agreed.append(np.array_equal(dead, super().dead(replace(watched, **moved))))
        return dead


@pytest.mark.parametrize(("normalize", "invariant"), [(True, True), (False, False)])
def test_threshold_in_training_does_not_see_how_coefficients_are_split(normalize, invariant):
    X, Y = simulate(60, 12, 3)
    removal = Rescaled(0.02, normalize=normalize)
    removal.agreed = []
    solver = GradientDescent(max_epochs=200, removal=removal)
    model = ShrinkNetRegressor(0.3, solver=solver, random_state=0).fit(X, Y)
    assert 0 < model.get_support().sum() < 12
    assert len(removal.agreed) == 200
    assert all(removal.agreed) is invariant


# --- signs


def test_sign_change_is_a_sign_that_differs():
    values = [-2.0, -1e-300, 0.0, 1e-300, 3.0]
    signs = [-1, -1, 0, 1, 1]
    previous, switch = (grid.ravel() for grid in np.meshgrid(values, values))
    before, after = (grid.ravel() for grid in np.meshgrid(signs, signs))
    dead = SignChange().dead(seen(switch, previous))
    np.testing.assert_array_equal(dead, before != after)


def slow_sign_variance(switches, gamma, threshold, mean_of_first=None):
    """One switch after the other, one number after the other."""
    n_steps, n_switches = len(switches) - 1, len(switches[0])
    dead = np.zeros((n_steps, n_switches), dtype=bool)
    for j in range(n_switches):
        signs = [int(b > 0) - int(b < 0) for b in switches[:, j]]
        mean = float(signs[0]) if mean_of_first is None else mean_of_first
        variance = 0.0
        for t, sign in enumerate(signs[1:]):
            variance = gamma * variance + (1 - gamma) * (sign - mean) ** 2
            mean = gamma * mean + (1 - gamma) * sign
            dead[t, j] = variance > threshold
    return dead


@pytest.mark.parametrize("gamma", [0, 0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("threshold", [0, 0.1, 0.5, 0.9])
def test_sign_variance_is_that_of_a_loop(gamma, threshold):
    switches = random_switches(300, 20)
    masks = watch(SignVariance(gamma, threshold), switches)
    np.testing.assert_array_equal(masks, slow_sign_variance(switches, gamma, threshold))
    if (gamma, threshold) in ((0.3, 0.5), (0.9, 0.5)):
        assert masks.any()
        assert not masks.all()


@pytest.mark.parametrize("seed", range(5))
def test_sign_variance_without_inertia_is_sign_change(seed):
    switches = random_switches(200, 20, seed)
    expected = watch(SignChange(), switches)
    np.testing.assert_array_equal(watch(SignVariance(gamma=0), switches), expected)
    assert expected.any()
    # A threshold of 1 does not see a sign that becomes 0.
    assert (watch(SignVariance(gamma=0, threshold=1), switches) != expected).any()


def test_sign_variance_of_great_inertia_never_removes():
    switches = np.random.default_rng(0).choice([-1.0, 1.0], (5001, 10))
    assert not watch(SignVariance(gamma=0.999999), switches).any()
    assert watch(SignVariance(gamma=0.9), switches).any(axis=0).all()


@pytest.mark.parametrize("gamma", [0, 0.3, 0.5, 0.75])
def test_switches_that_keep_their_sign_are_never_killed(gamma):
    steady = np.random.default_rng(0).uniform(0.1, 1, (500, 6)) * [1, 1, 1, -1, -1, -1]
    assert not watch(SignVariance(gamma), steady).any()
    # A mean that starts at +1 takes every negative switch for one that has changed.
    wrong = slow_sign_variance(steady, gamma, 0.5, mean_of_first=1.0).any(axis=0)
    np.testing.assert_array_equal(wrong, [False, False, False, True, True, True])


def test_one_change_leaves_four_times_one_minus_gamma():
    switches = np.array([[1.0], [-1.0]])
    for gamma in (0.0, 0.5, 0.875):  # of exact products
        least = 4 * (1 - gamma)
        assert not watch(SignVariance(gamma, least), switches).any()
        assert watch(SignVariance(gamma, least * (1 - 1e-15)), switches).all()


@pytest.mark.parametrize("gamma", [0.3, 0.9])
def test_memory_follows_removal(gamma):
    switches, removal = random_switches(300, 20), SignVariance(gamma)
    kept = np.flatnonzero(np.random.default_rng(1).uniform(size=20) < 0.5)
    masks, memory = [], {}
    for t in range(1, 301 - 1):
        if t == 100:
            memory = {name: values[kept] for name, values in memory.items()}
        columns = kept if t >= 100 else np.arange(20)
        watched = seen(switches[t, columns], switches[t - 1, columns])
        masks.append(removal.dead(replace(watched, memory=memory)))
    alone = watch(removal, switches[:, kept])
    assert alone.any()
    np.testing.assert_array_equal(masks[99:], alone[99:])
    # Entries of others in their place are another memory.
    wrong = watch(removal, np.vstack([switches[:100, ::-1][:, kept], switches[100:, kept]]))
    assert (wrong[99:] != alone[99:]).any()


def test_strategies_hold_parameters_alone():
    switches = random_switches(50, 10)
    for removal in (SignVariance(0.9), SignChange(), Threshold(0.2), Annealing(3)):
        before = dict(vars(removal))
        first, second = watch(removal, switches), watch(removal, switches)
        np.testing.assert_array_equal(first, second)
        assert vars(removal) == before


# --- annealing


def exact_kept(p, k, mu, n_epochs, pretrain, epoch):
    """M_e in fractions."""
    e, N = max(epoch - pretrain, 0), n_epochs - pretrain
    share = max(Fraction(0), Fraction(N - 2 * e, 1) / (2 * e * Fraction(mu) + N))
    return math.ceil(k + (p - k) * share)


# Fractions of two, whose sums with whole numbers are exact.
@pytest.mark.parametrize("mu", [0, 0.5, 1.25, 10.0, 300])
@pytest.mark.parametrize(("n_epochs", "pretrain"), [(1, 0), (2, 1), (7, 0), (60, 0), (61, 20)])
def test_annealing_keeps_what_the_formula_says(mu, n_epochs, pretrain):
    for p, k in [(1, 0), (1, 1), (10, 0), (10, 3), (97, 13), (1000, 999), (1000, 1), (12, 12)]:
        removal = Annealing(k, mu=mu, pretrain=pretrain)
        removal.check(p, n_epochs)
        kept = [removal.kept(p, e, n_epochs) for e in range(n_epochs + 1)]
        expected = [exact_kept(p, k, mu, n_epochs, pretrain, e) for e in range(n_epochs + 1)]
        assert kept == expected
        assert kept[: pretrain + 1] == [p] * (pretrain + 1)
        assert kept == sorted(kept, reverse=True)
        half = pretrain + math.ceil((n_epochs - pretrain) / 2)
        assert set(kept[half:]) == {k}


def test_larger_mu_removes_earlier():
    kept = np.array([[Annealing(5, mu).kept(100, e, 80) for e in range(81)] for mu in (0, 1, 10)])
    assert (np.diff(kept, axis=0) <= 0).all()
    assert (np.diff(kept, axis=0).sum(axis=1) < 0).all()
    assert kept[0, 20] == 53  # halfway to half of the epochs, half of what goes: ⌈52.5⌉


@pytest.mark.parametrize("epoch", [1, 5, 20, 40, 80])
def test_annealing_keeps_the_largest(epoch):
    rng = np.random.default_rng(epoch)
    beta, norms = rng.normal(size=30), rng.uniform(0.01, 1, 30)
    removal = Annealing(4, mu=3.0)
    kept = removal.kept(50, epoch, 80)
    dead = removal.dead(seen(beta, norms=norms, epoch=epoch, max_epochs=80, n_switches=50))
    order = sorted(range(30), key=lambda j: -abs(beta[j]) * norms[j])
    assert set(np.flatnonzero(~dead)) == set(order[:kept])
    if kept < 30:
        by_switch = sorted(range(30), key=lambda j: -abs(beta[j]))
        assert set(by_switch[:kept]) != set(np.flatnonzero(~dead))


def test_of_equal_sizes_the_first_stay():
    dead = Annealing(2).dead(seen([1, -1, 1, -1, 1], epoch=100))
    assert dead.tolist() == [False, False, True, True, True]


def test_annealing_keeps_what_is_not_penalised_even_where_its_filter_is_closed():
    theta = np.array([0.5, -0.1, 0.3, 0.0, 0.2])
    penalised = np.array([True, False, True, False, True])
    watched = replace(seen(theta, penalised=penalised, epoch=100), gate=np.maximum(theta, 0))
    assert Annealing(3).dead(watched).tolist() == [False, False, True, False, True]


def test_annealing_counts_from_the_beginning_not_from_what_is_left():
    # 5 of 100 left already: none goes before fewer than 5 of 100 may stay.
    switch, removal = np.arange(1.0, 6.0), Annealing(2)
    epochs = [e for e in range(101) if removal.kept(100, e, 100) >= 5]
    assert len(epochs) > 10
    for epoch in epochs:
        assert not removal.dead(seen(switch, epoch=epoch, n_switches=100)).any()


# --- what is refused, and conventions


@pytest.mark.parametrize(
    ("removal", "error", "message"),
    [
        (Threshold(-0.1), ValueError, "value=-0.1: give a finite number >= 0"),
        (Threshold(np.nan), ValueError, "value=nan: give a finite"),
        (Threshold(np.inf), ValueError, "value=inf: give a finite"),
        (Threshold("small"), TypeError, "value='small' is not a number"),
        (Threshold(None), TypeError, "value=None is not a number"),
        (Threshold(normalize="yes"), TypeError, "normalize='yes': give True or False"),
        (Threshold(normalize=1), TypeError, "normalize=1: give True or False"),
        (SignVariance(1), ValueError, r"gamma=1: give a number in \[0, 1\)"),
        (SignVariance(1.5), ValueError, r"gamma=1.5: give a number in \[0, 1\)"),
        (SignVariance(-0.5), ValueError, "gamma=-0.5: give"),
        (SignVariance(np.nan), ValueError, "gamma=nan: give"),
        (SignVariance("0.9"), TypeError, "gamma='0.9' is not a number"),
        (SignVariance(True), TypeError, "gamma=True is not a number"),
        (SignVariance(threshold=-1), ValueError, "threshold=-1: give a finite number >= 0"),
        (SignVariance(threshold=None), TypeError, "threshold=None is not a number"),
        (Annealing(-1), ValueError, "n_features=-1: give a whole number >= 0"),
        (Annealing(2.0), ValueError, "n_features=2.0: give a whole number"),
        (Annealing("all"), ValueError, "n_features='all': give a whole number"),
        (Annealing(True), ValueError, "n_features=True: give a whole number"),
        (Annealing(11), ValueError, "n_features=11 is more than the 10 units"),
        (Annealing(3, mu=-1), ValueError, "mu=-1: give a finite number >= 0"),
        (Annealing(3, mu=None), TypeError, "mu=None is not a number"),
        (Annealing(3, pretrain=-1), ValueError, "pretrain=-1: give a whole number >= 0"),
        (Annealing(3, pretrain=0.5), ValueError, "pretrain=0.5: give a whole number"),
        (Annealing(3, pretrain=20), ValueError, "pretrain=20 leaves no epoch of max_epochs=20"),
        (Annealing(3, pretrain=21), ValueError, "pretrain=21 leaves no epoch of max_epochs=20"),
    ],
    ids=repr,
)
def test_bad_parameters_get_one_clear_sentence(removal, error, message):
    with pytest.raises(error, match=message):
        removal.check(10, 20)
    # And they reach who fits.
    solver = GradientDescent(max_epochs=20, removal=removal)
    with pytest.raises(error, match=message):
        ShrinkNetRegressor(solver=solver, random_state=0).fit(*simulate(30, 10, 2))


@pytest.mark.parametrize(
    "removal",
    [
        Threshold(0),
        Threshold(np.float32(0.5), normalize=np.True_),
        SignChange(),
        SignVariance(0, 0),
        SignVariance(np.float64(0.999), 4),
        Annealing(0, mu=0, pretrain=19),
        Annealing(np.int64(10)),
    ],
    ids=repr,
)
def test_parameters_at_their_ends_are_accepted(removal):
    removal.check(10, 20)


def test_only_signs_need_switches_and_only_annealing_has_a_schedule():
    assert [type(r).__name__ for r in STRATEGIES if r.needs_switch] == [
        "SignChange",
        "SignVariance",
    ]
    assert [type(r).__name__ for r in STRATEGIES if not r.needs_norms] == [
        "SignChange",
        "SignVariance",
    ]
    assert [type(r).__name__ for r in STRATEGIES if r.scheduled] == ["Annealing"]


def test_removal_without_dead_cannot_be_made():
    class Nothing(Removal):
        pass

    with pytest.raises(TypeError, match="dead"):
        Nothing()


@pytest.mark.parametrize("removal", STRATEGIES, ids=repr)
def test_parameters_come_back(removal):
    given = set(inspect.signature(type(removal)).parameters)
    assert set(removal.get_params()) == given
    copy = clone(removal)
    assert copy is not removal
    assert copy.get_params() == removal.get_params()
    for name in given:
        copy.set_params(**{name: 0.125})
        assert copy.get_params()[name] == 0.125
        assert removal.get_params()[name] != 0.125


def test_parameters_are_reached_through_solver_and_estimator():
    removal = SignVariance(gamma=0.9)
    model = ShrinkNetRegressor(solver=GradientDescent(removal=removal))
    copy = clone(model)
    assert copy.solver is not model.solver
    assert copy.solver.removal is not removal
    assert copy.get_params()["solver__removal__gamma"] == 0.9
    copy.set_params(solver__removal__gamma=0.5, solver__learning_rate=0.1)
    assert (copy.solver.removal.gamma, copy.solver.learning_rate) == (0.5, 0.1)
    assert (removal.gamma, model.solver.learning_rate) == (0.9, 0.05)
    copy.set_params(solver__removal=Threshold(0.2))
    assert copy.get_params()["solver__removal__value"] == 0.2
    assert "gamma=0.9" in repr(model)
