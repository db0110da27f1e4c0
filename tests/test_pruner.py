"""`Pruner` on a model of two layers that is no more than arrays; `History`."""

import json
from copy import copy

import numpy as np
import pytest

from shrinklin import Annealing, CostMeter, Removal, SignChange, SignVariance, Threshold
from shrinklin.pruning.history import COLUMNS, History
from shrinklin.pruning.pruner import Pruned, Pruner

LAYER = np.repeat([0, 1], [8, 4])


class Units(Pruned):
    """Switches that follow given paths, whoever is removed."""

    def __init__(self, path, penalised=None, norms=None):
        self.path = np.atleast_2d(np.asarray(path, dtype=float))
        n = self.path.shape[1]
        self.names, self.beta = np.arange(n), self.path[0].copy()
        self.spared = np.zeros(n, dtype=bool) if penalised is None else ~np.asarray(penalised)
        self.sizes = np.ones(n) if norms is None else np.asarray(norms, dtype=float)

    def step(self, t):
        self.beta[:] = self.path[t, self.names]  # in place, as an optimiser of torch does

    def switch(self):
        return self.beta

    def gate(self):
        return self.beta

    def norms(self):
        return self.sizes

    def penalised(self):
        return ~self.spared

    def keep(self, members):
        for name in ("names", "beta", "spared", "sizes"):
            setattr(self, name, getattr(self, name)[members])


class Plain(Units):
    """Weights without switches."""

    def switch(self):
        return None


class Answers(Removal):
    """Says what it was told to say, and keeps what it was shown."""

    def __init__(self, answer):
        self.answer, self.shown = answer, []

    def dead(self, watched):
        self.shown.append(watched)
        return self.answer(watched)


class LargestOfEachLayer(Removal):
    def __init__(self, n_kept):
        self.n_kept = n_kept

    def dead(self, watched):
        order = np.lexsort((-watched.sizes, watched.layer))
        first = np.searchsorted(watched.layer[order], watched.layer[order])
        dead = np.zeros(len(order), dtype=bool)
        dead[order] = np.arange(len(order)) - first >= self.n_kept
        return dead


def after_one_step(removal, pruned, epoch=1, layer=LAYER):
    pruner = Pruner(removal, len(pruned.names), 1, layer)
    pruner.before_step(pruned)
    removed = pruner.after_step(pruned, epoch)
    return pruner, removed


# Those of the second layer are the smallest of all.
SIZES = [5, 9, 7, 6, 8, 10, 12, 11, 3, 1, 4, 2]


def test_a_strategy_may_compare_within_a_layer_or_across():
    within, across = Units(SIZES), Units(SIZES)
    pruner, removed = after_one_step(LargestOfEachLayer(2), within)
    assert within.names.tolist() == [6, 7, 8, 10]
    assert pruner.layer.tolist() == [0, 0, 1, 1]
    assert removed.tolist() == [0, 1, 2, 3, 4, 5, 9, 11]
    pruner, removed = after_one_step(Annealing(4), across)
    assert across.names.tolist() == [1, 5, 6, 7]
    assert pruner.layer.tolist() == [0, 0, 0, 0]
    # Without layers all are in one.
    alone = Units(SIZES)
    after_one_step(LargestOfEachLayer(2), alone, layer=None)
    assert alone.names.tolist() == [6, 7]


def test_switches_of_layers_need_not_be_in_order():
    mixed = np.random.default_rng(0).permutation(12)
    units = Units(np.array(SIZES)[mixed])
    after_one_step(LargestOfEachLayer(2), units, layer=LAYER[mixed])
    assert set(mixed[units.names]) == {6, 7, 8, 10}


# --- against a slow reference


class MostChanges(Removal):
    """Every third epoch the switch of each layer whose sign changed most often, 3 times at least.

    It stops when half of the switches are left.
    """

    def dead(self, watched):
        changes = watched.memory.get("changes", np.zeros(len(watched.switch), dtype=int))
        changes = changes + (np.sign(watched.switch) != np.sign(watched.previous))
        watched.memory["changes"] = changes
        dead = np.zeros(len(changes), dtype=bool)
        if watched.epoch % 3 or len(changes) <= watched.n_switches / 2:
            return dead
        for layer in np.unique(watched.layer):
            members = np.flatnonzero(watched.layer == layer)
            most = members[changes[members].argmax()]
            dead[most] = changes[most] >= 3
        return dead


def paths(seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 1, (40, 12)) * np.where(rng.uniform(size=(40, 12)) < 0.4, -1, 1)


def slow(path, spared):
    """Names left after each step: one switch after the other, each under its own name."""
    alive, changes, found = list(range(12)), dict.fromkeys(range(12), 0), []
    for t in range(1, len(path)):
        for name in alive:
            changes[name] += (path[t, name] > 0) != (path[t - 1, name] > 0)
        if t % 3 == 0 and len(alive) > 6:
            for layer in (0, 1):
                of_layer = [name for name in alive if LAYER[name] == layer]
                most = max(of_layer, key=lambda name: (changes[name], -name), default=None)
                if most is not None and changes[most] >= 3 and not spared[most]:
                    alive.remove(most)
        found.append(list(alive))
    return found


def pruned_by(kind, path, spared):
    units = Units(path, penalised=~spared)
    pruner, found = kind(MostChanges(), 12, len(path), LAYER), []
    for t in range(1, len(path)):
        before = units.names
        pruner.before_step(units)
        units.step(t)
        removed = pruner.after_step(units, t)
        assert np.setdiff1d(before, units.names).tolist() == before[removed].tolist()
        found.append(units.names.tolist())
    return found


def agrees(kind, seed):
    path, spared = paths(seed), np.arange(12) % 5 == 0
    expected = slow(path, spared)
    assert 4 <= len(expected[-1]) < 12
    return pruned_by(kind, path, spared) == expected


@pytest.mark.parametrize("seed", range(10))
def test_a_pruner_is_a_slow_reference(seed):
    assert agrees(Pruner, seed)


class ViewsWhatWas(Pruner):
    def before_step(self, pruned):
        self.previous = pruned.switch()


class MixesUpMemory(Pruner):
    def keep(self, members):
        memory = self.memory
        super().keep(members)
        self.memory = {name: values[: len(members)] for name, values in memory.items()}


class MixesUpLayers(Pruner):
    def keep(self, members):
        layer = self.layer
        super().keep(members)
        self.layer = layer[: len(members)]


class SparesNobody(Pruner):
    def _dead(self, pruned, epoch):
        other = copy(pruned)
        other.spared = np.zeros_like(pruned.spared)
        return super()._dead(other, epoch)


class CountsWhatIsLeft(Pruner):
    def _dead(self, pruned, epoch):
        self.n_switches = len(self.layer)
        return super()._dead(pruned, epoch)


@pytest.mark.parametrize(
    "mutant", [ViewsWhatWas, MixesUpMemory, MixesUpLayers, SparesNobody, CountsWhatIsLeft]
)
def test_wrong_code_is_rejected(mutant):
    assert not all(agrees(mutant, seed) for seed in range(10))


# --- switches that a training does not let go


class Network(Units):
    """A layer that would lose all switches keeps the largest."""

    def removable(self, dead, watched):
        assert not (dead & ~watched.penalised).any()
        removable = dead.copy()
        for layer in np.unique(watched.layer[dead]):
            members = np.flatnonzero(watched.layer == layer)
            if dead[members].all():
                removable[members[self.sizes[members].argmax()]] = False
        return removable


def remembers_sizes_and_removes_all(watched):
    watched.memory.setdefault("first", watched.sizes)
    return np.ones(len(watched.gate), dtype=bool)


def test_a_switch_that_a_training_keeps_is_watched_with_its_memory():
    removal, units = Answers(remembers_sizes_and_removes_all), Network(SIZES)
    units.sizes = np.array(SIZES, dtype=float)
    pruner, removed = after_one_step(removal, units)
    assert removed.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 11]
    assert units.names.tolist() == [6, 10]
    assert pruner.layer.tolist() == [0, 1]
    assert pruner.memory["first"].tolist() == [12**2, 4**2]
    units.step(0)
    assert pruner.after_step(units, 2).tolist() == []
    assert units.names.tolist() == [6, 10]
    assert removal.shown[1].switch.tolist() == [12, 4]
    assert pruner.memory["first"].tolist() == [12**2, 4**2]


def test_a_training_is_not_asked_about_what_is_not_penalised():
    # Or layer 1 would keep two: switch 9, which has no penalty, and the largest of the others.
    units = Network(SIZES, penalised=np.arange(12) != 9)
    after_one_step(Answers(remembers_sizes_and_removes_all), units)
    assert units.names.tolist() == [0, 9]


# --- what a strategy is shown, and what it may answer


def test_what_a_strategy_is_shown():
    removal = Answers(lambda watched: np.arange(12) == 3)
    units = Units([SIZES, np.negative(SIZES)], penalised=np.arange(12) > 0, norms=np.arange(12))
    pruner = Pruner(removal, 12, 7, LAYER)
    pruner.before_step(units)
    units.step(1)
    assert pruner.after_step(units, 5).tolist() == [3]
    (watched,) = removal.shown
    assert (watched.epoch, watched.max_epochs, watched.n_switches) == (5, 7, 12)
    np.testing.assert_array_equal(watched.previous, SIZES)
    np.testing.assert_array_equal(watched.switch, np.negative(SIZES))
    np.testing.assert_array_equal(watched.gate, np.negative(SIZES))
    np.testing.assert_array_equal(watched.norms, np.arange(12))
    np.testing.assert_array_equal(watched.penalised, np.arange(12) > 0)
    np.testing.assert_array_equal(watched.layer, LAYER)
    assert watched.memory == {}


class NoNorms(Units):
    def norms(self):
        raise AssertionError("norms are slow to compute")


@pytest.mark.parametrize("removal", [SignChange(), SignVariance(0)])
def test_norms_are_not_computed_for_those_who_look_at_signs(removal):
    units = NoNorms([SIZES, np.where(LAYER, -1, 1) * SIZES])
    pruner = Pruner(removal, 12, 10, LAYER)
    pruner.before_step(units)
    units.step(1)
    pruner.after_step(units, 1)
    assert units.names.tolist() == list(range(8))


def test_sizes_without_norms_are_refused():
    class Forgetful(Answers):
        needs_norms = False

    with pytest.raises(ValueError, match=r"needs_norms=False: set needs_norms to True"):
        after_one_step(Forgetful(lambda watched: watched.sizes < 5), Units(SIZES))


def test_what_is_not_penalised_stays():
    units = Units(SIZES, penalised=np.arange(12) % 2 == 0)
    _, removed = after_one_step(Threshold(1e9), units)
    assert removed.tolist() == [0, 2, 4, 6, 8, 10]
    assert units.names.tolist() == [1, 3, 5, 7, 9, 11]


def test_without_a_strategy_nothing_is_removed():
    units = Units([SIZES, np.negative(SIZES)])
    _, removed = after_one_step(None, units)
    assert removed.tolist() == []
    assert units.names.tolist() == list(range(12))


def test_a_model_without_switches_is_pruned_by_its_norms():
    units = Plain(np.ones(12), norms=SIZES)
    after_one_step(Threshold(6), units)
    assert units.names.tolist() == [1, 2, 4, 5, 6, 7]


def test_where_nothing_is_left_the_strategy_is_not_asked():
    removal = Answers(lambda watched: np.ones(len(watched.gate), dtype=bool))
    units = Units(SIZES)
    pruner, removed = after_one_step(removal, units)
    assert removed.tolist() == list(range(12))
    pruner.before_step(units)
    assert pruner.after_step(units, 2).tolist() == []
    assert len(removal.shown) == 1


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        (lambda w: (w.sizes < 5).astype(int), r"int64 of shape \(12,\)"),
        (lambda w: np.flatnonzero(w.sizes < 5), r"int64 of shape \(4,\)"),
        (lambda w: w.sizes[:3] < 5, r"bool of shape \(3,\)"),
        (lambda w: True, r"bool of shape \(\)"),
        (lambda w: None, r"object of shape \(\)"),
    ],
    ids=["numbers", "positions", "too short", "one for all", "nothing"],
)
def test_a_wrong_mask_is_rejected(answer, given):
    units = Units(SIZES)
    message = rf"Answers.dead returned {given}: it should return booleans of shape \(12,\)"
    with pytest.raises(ValueError, match=message):
        after_one_step(Answers(answer), units)
    assert units.names.tolist() == list(range(12))


@pytest.mark.parametrize("memory", [1, np.zeros(11), np.zeros((2, 12))], ids=np.shape)
def test_a_wrong_memory_is_rejected_before_anything_is_removed(memory):
    def answer(watched):
        watched.memory.update(good=np.arange(12), bad=memory)
        return np.arange(12) == 0

    units = Units(SIZES)
    with pytest.raises(ValueError, match=r"memory\['bad'\] has shape .* switch, here 12"):
        after_one_step(Answers(answer), units)
    assert units.names.tolist() == list(range(12))


def test_memory_may_have_more_dimensions_and_be_a_list():
    def answer(watched):
        watched.memory.update(table=np.arange(24).reshape(12, 2), names=list(range(12)))
        return np.arange(12) % 3 > 0

    pruner, _ = after_one_step(Answers(answer), Units(SIZES))
    assert pruner.memory["table"].tolist() == [[0, 1], [6, 7], [12, 13], [18, 19]]
    assert pruner.memory["names"].tolist() == [0, 3, 6, 9]


def test_parameters_of_the_strategy_are_checked_first():
    with pytest.raises(ValueError, match="n_features=13 is more than the 12"):
        Pruner(Annealing(13), 12, 10)
    pruner = Pruner(None, 12, 10)
    with pytest.raises(ValueError, match="pretrain=5 leaves no epoch of max_epochs=5"):
        pruner.resumed(Annealing(2, pretrain=5), 5)


def test_only_a_schedule_needs_to_know_the_last_epoch():
    message = r"removal=Annealing\(n_features=4\) follows .* max_epochs=None: give the number"
    with pytest.raises(ValueError, match=message):
        Pruner(Annealing(4), 12, None)
    with pytest.raises(ValueError, match=message):
        Pruner(Threshold(), 12, 10).resumed(Annealing(4), None)
    pruner, units = Pruner(Threshold(6), 12, None), Plain(np.ones(12), norms=SIZES)
    pruner.after_step(units, 10**6)
    assert units.names.tolist() == [1, 2, 4, 5, 6, 7]


# --- going on with new parameters


def test_a_resumed_pruner_has_a_memory_of_its_own():
    units = Units([SIZES, np.negative(SIZES)])
    pruner = Pruner(SignVariance(0.99), 12, 10, LAYER)
    pruner.before_step(units)
    units.step(1)
    pruner.after_step(units, 1)
    pruner.keep(np.arange(3, 12))
    resumed = pruner.resumed(SignVariance(0.5), 20)
    assert (resumed.removal.gamma, resumed.n_switches, resumed.max_epochs) == (0.5, 12, 20)
    np.testing.assert_array_equal(resumed.layer, LAYER[3:])
    np.testing.assert_array_equal(resumed.memory["variance"], pruner.memory["variance"])
    resumed.memory["variance"] += 1
    assert (resumed.memory["variance"] - pruner.memory["variance"] == 1).all()
    # That of another strategy means nothing to it.
    for other in (SignChange(), None):
        assert pruner.resumed(other, 20).memory == {}


# --- history


class Interrupts(CostMeter):
    @property
    def multiply_adds(self):
        raise KeyboardInterrupt

    @multiply_adds.setter
    def multiply_adds(self, value):
        pass


def test_history_is_what_was_written_when_it_was():
    history, cost = History(), CostMeter()
    for epoch in range(3):
        history.write(epoch, 2.5 / (epoch + 1), np.float64(epoch), 10 - epoch, cost)
        cost.count_passes(1, 10 - epoch)
        cost.count_updates(7)
        cost.count_product(2, 3)
    # Ctrl-C leaves no row half written.
    with pytest.raises(KeyboardInterrupt):
        history.write(3, 0.0, 0.0, 0, Interrupts())
    arrays = history.arrays()
    assert list(arrays) == list(COLUMNS) == ["epoch", "loss", "penalty", "n_alive"] + [
        "neuron_epochs", "parameter_updates", "multiply_adds",
    ]  # fmt: skip
    assert [a.dtype.kind for a in arrays.values()] == list("iffiiii")
    assert {name: a.tolist() for name, a in arrays.items()} == {
        "epoch": [0, 1, 2],
        "loss": [2.5, 1.25, 2.5 / 3],
        "penalty": [0, 1, 2],
        "n_alive": [10, 9, 8],
        "neuron_epochs": [0, 10, 19],
        "parameter_updates": [0, 7, 14],
        "multiply_adds": [0, 6, 12],
    }
    assert history.last == {name: a[-1] for name, a in arrays.items()}


def test_a_history_of_layers_also_has_their_sizes():
    # Whatever the layers are called.
    history, plain, cost = History(["loss", "features.0"]), History(), CostMeter()
    for epoch, sizes in enumerate([(8, 4), (8, 2), (5, 1)]):
        history.write(epoch, np.nan, 0.5, sum(sizes), cost, sizes)
        plain.write(epoch, np.nan, 0.5, sum(sizes), cost)
    arrays = history.arrays()
    sizes = arrays.pop("layer_sizes")
    assert {name: a.tolist() for name, a in sizes.items()} == {
        "loss": [8, 8, 5],
        "features.0": [4, 2, 1],
    }
    assert {a.dtype.kind for a in sizes.values()} == {"i"}
    np.testing.assert_equal(arrays, plain.arrays())
    np.testing.assert_equal(history.last, plain.last)
    # The rows are all that is to be stored.
    restored = History(history.layers)
    restored.rows += json.loads(json.dumps(history.rows))
    np.testing.assert_equal(restored.arrays(), history.arrays())
