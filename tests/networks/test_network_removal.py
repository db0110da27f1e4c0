"""A network that loses units computes, and learns, what its masked twin does."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinking import Lesson
from shrinklin.networks import Filter, Switch, fold
from shrinklin.networks.gates import gates_of
from training import OPTIMIZERS
from zoo import NETS

pytestmark = pytest.mark.untraced

LEARNT = [net for net in NETS.values() if net.refused is None and (net.shrinks or net.by_hand)]
# Without random masks, which are of the shape of the layer.
COMPARED = [net for net in LEARNT if not net.random]
# Constants go into biases, which differ from the twin's by as much.
EXACT = [net for net in COMPARED if not net.folds]


def assert_like_the_twin(lesson):
    assert lesson.twin.output_difference(lesson.net) <= 1e-10
    differences = lesson.twin.entry_differences()
    if not lesson.net.folds:
        assert max(differences.values()) <= 1e-10, max(differences, key=differences.get)


def learn(lesson, seed, shares, n_steps=10):
    """Remove units after some steps, and go on; compare outputs at each removal."""
    rng = np.random.default_rng(seed)
    for share in shares:
        lesson.step()
        lesson.step(np.union1d(lesson.first(), lesson.draw(rng, share)))
        assert lesson.twin.output_difference(lesson.net) <= 1e-12 * scale(lesson)
    for _ in range(n_steps):
        lesson.step()
    assert_like_the_twin(lesson)


def scale(lesson):
    return max(1.0, float(lesson.run().abs().max()))


@pytest.mark.parametrize("i", range(len(COMPARED)), ids=lambda i: COMPARED[i].name)
def test_every_net_learns_on_as_its_masked_twin(i):
    names = sorted(OPTIMIZERS)
    net = COMPARED[i]
    lesson = Lesson(net, names[i % len(names)], seed=i)
    before = lesson.shrinker.n_units
    learn(lesson, i, (0.3, 0.3))
    assert not net.shrinks or lesson.shrinker.n_units < before


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "vgg", "resnet"])
def test_every_optimiser_learns_on_as_its_masked_twin(name, optimizer):
    learn(Lesson(NETS[name], optimizer), 0, (0.3, 0.3))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    net=st.sampled_from([net for net in EXACT if not net.by_hand]),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    gate=st.sampled_from([Switch, Filter]),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    seed=st.integers(0, 2**16),
    when=st.sampled_from(["step", "epoch"]),
)
def test_any_removals_of_any_net(net, optimizer, gate, shares, seed, when):
    lesson = Lesson(net, optimizer, gate, seed, when=when)
    learn(lesson, seed, shares, n_steps=3)
    lesson.shrinker.end_epoch()
    lesson.twin.follow()
    lesson.step()
    assert_like_the_twin(lesson)


@pytest.mark.parametrize("net", LEARNT, ids=lambda net: net.name)
def test_folding_changes_nothing(net):
    lesson = Lesson(net, "sgd_momentum", seed=3)
    lesson.step()
    lesson.step(lesson.draw(np.random.default_rng(1), 0.4))
    lesson.step()
    small = fold(lesson.model, net.inputs)
    for training in (False,) if net.random else (False, True):
        lesson.model.train(training)
        small.train(training)
        expected = net.run(lesson.model)
        bound = 1e-12 * max(1.0, float(expected.detach().abs().max()))
        left = gates_of(small)
        if training and net.name in FOLDS_INTO_A_NORM:
            continue
        assert (net.run(small) - expected).abs().max() <= bound, training
        assert (left != {}) == (net.name in GATES_STAY), left


# BatchNorm without weights behind the layer, and a switch that a ReLU keeps from the next.
GATES_STAY = {"mlp_batchnorm_plain"}
# In training, a BatchNorm makes something else of what is switched off before it.
FOLDS_INTO_A_NORM = {"switch_before_batchnorm", "switch_before_batchnorm_and_padding"}


@pytest.mark.parametrize("net", EXACT[::7], ids=lambda net: net.name)
def test_two_removals_in_a_row_equal_one(net):
    once, twice = (Lesson(net, "adam", seed=1) for _ in range(2))
    gates, rng = gates_of(once.model), np.random.default_rng(0)
    for lesson in (once, twice):
        lesson.step()
    dead = {name: rng.permutation(len(gate))[1::2] for name, gate in gates.items()}
    remove(once, [dead])
    remove(twice, [{name: places[:1] for name, places in dead.items()}, dead])
    ours, theirs = once.model.state_dict(), twice.model.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    assert all(map(same_state, *(lesson.optimizer.state.values() for lesson in (once, twice))))


def remove(lesson, parts):
    """Switch units off by their places at first, and cut them, part by part."""
    gates = gates_of(lesson.model)
    left = {name: np.arange(len(gate)) for name, gate in gates.items()}
    for part in parts:
        for name, places in part.items():
            gates[name].alive[torch.from_numpy(np.isin(left[name], places))] = False
        off = {name: ~gate.alive.numpy() for name, gate in gates.items()}
        lesson.shrinker.compact()
        for name, gate in gates.items():
            if len(gate) < len(left[name]):
                left[name] = left[name][~off[name]]


def same_state(one, other):
    return all(
        torch.equal(torch.as_tensor(one[name]), torch.as_tensor(other[name])) for name in one
    )
