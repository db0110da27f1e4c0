"""`Budget`: what it sees of a network, what leaves first, and how many parameters are left."""

import copy
import re

import numpy as np
import pytest
import torch
from torch import nn

from shrinklin import Budget, GradientDescent, ShrinkNetRegressor
from shrinklin.networks import Filter, Mask, Shrinker, Switch, add_switches, fold
from shrinklin.networks.counting import Counted
from shrinklin.networks.gates import gates_of, layer_name
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.sensing import Sensor
from shrinklin.networks.structure import Structure
from shrinklin.pruning.removal import Watched
from small_nets import gated, rows

pytestmark = pytest.mark.untraced

NETS = ["MLP", "MLP with input switches", "convolutional", "depthwise", "residual"]


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def counted(model, name):
    return Counted(Structure(model, Inputs(rows(name, 2))), gates_of(model))


def some_off(model, seed, share=0.4):
    """Switch random units off, but never all of a layer; units of several gates in all of them."""
    rng = np.random.default_rng(seed)
    for gate in gates_of(model).values():
        off = rng.random(len(gate)) < share
        off[rng.integers(len(gate))] = False
        gate.alive[torch.from_numpy(off)] = False


# --- parameters


@pytest.mark.parametrize("gate", [Mask, Switch], ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("name", NETS)
def test_parameters_are_counted_as_those_of_the_folded_network(name, gate):
    torch.manual_seed(0)
    for seed in range(2):
        model = gated(name, gate)
        some_off(model, seed)
        left = fold(model.eval(), rows(name, 2))
        assert counted(model, name).n_parameters({}) == n_parameters(left)


# A weight of the residual net has the same units along both dimensions.
@pytest.mark.parametrize("name", [name for name in NETS if name != "residual"])
def test_what_a_unit_frees_is_what_is_missing_without_it(name):
    model = gated(name, Mask)
    some_off(model, 0)
    found, gates = counted(model, name), gates_of(model)
    alive = {name: gate.alive.numpy().copy() for name, gate in gates.items()}
    before, freed = found.n_parameters(alive), found.freed(alive)
    structure = Structure(model, Inputs(rows(name, 2)))
    for gate, mask in alive.items():
        for i in np.flatnonzero(mask):
            unit = structure.units_of(gate)[i]
            without = {n: on & (structure.units_of(n) != unit) for n, on in alive.items()}
            assert freed[gate][i] == before - found.n_parameters(without)


# --- what a unit does to the loss


class InPlace(nn.Module):
    """What comes behind its gates writes into their output."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv1d(3, 5, 2), nn.Linear(5 * 3, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = nn.functional.silu(self.first(x), inplace=True)
        return self.last(self.second(x.flatten(1)).mul_(3).relu_())


def squares_by_row(model, x, losses):
    """Σ over rows of (gate · derivative of the loss of that row by the gate)²."""
    thetas = [gate.theta for gate in gates_of(model).values()]
    sums = [torch.zeros(len(theta), dtype=torch.float64) for theta in thetas]
    for i in range(len(x)):
        gradients = torch.autograd.grad(losses(model(x))[i], thetas)
        for total, gradient, theta in zip(sums, gradients, thetas, strict=True):
            total += (gradient * theta.detach()) ** 2
    return torch.cat(sums).numpy()


class Seen(Budget):
    """Keeps what it is shown, and removes nothing."""

    def dead(self, watched):
        self.shown = watched
        return np.zeros(len(watched.gate), dtype=bool)


@pytest.mark.parametrize("gate", [Switch, Filter], ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("inputs", [False, True])
def test_loss_changes_are_those_of_each_row(gate, inputs):
    torch.manual_seed(0)
    x = torch.randn(7, 3, 4, dtype=torch.float64)
    model = add_switches(InPlace().double(), x[:2], gate=gate, inputs=inputs)
    twin, seen = copy.deepcopy(model), Seen(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(
        model, optimizer, example_inputs=x[:2], alpha=0.1, removal=seen, max_epochs=2
    )

    def losses(outputs):
        return outputs.square().sum(dim=1)

    (losses(model(x)).mean() + shrinker.penalty()).backward()
    optimizer.step()
    shrinker.step()
    ends = np.cumsum([len(gate) for gate in gates_of(twin).values()])[:-1]
    parts = np.split(squares_by_row(twin, x, losses) / len(x) ** 2, ends)
    by_layer = dict(zip(map(layer_name, gates_of(twin)), parts, strict=True))
    expected = np.concatenate([by_layer[layer] for layer in shrinker.sizes])
    np.testing.assert_allclose(seen.shown.loss_changes, expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_squares_of_half_precision_do_not_underflow(dtype):
    sensor, x = Sensor(), torch.full((4, 2), 1e-4, dtype=dtype, requires_grad=True)
    factor = torch.ones(2)
    product = x * factor.to(dtype)
    sensor.see(x, factor, product, 1)
    (product.sum() * 1e-4).backward()
    np.testing.assert_allclose(sensor.take(), 4 * 1e-16, rtol=0.2)
    assert sensor.take() is None


def test_units_of_several_gates_share_what_they_do_to_the_loss():
    torch.manual_seed(0)
    model, seen = gated("residual", Mask), Seen(1)
    train(model, "residual", seen, n_epochs=1)
    shown, n = seen.shown, len(seen.shown.gate) // 2
    for values in (shown.loss_changes, shown.freed()):
        np.testing.assert_array_equal(values[:n], values[n:])


def test_a_strategy_that_sees_no_gradient_says_so():
    model = gated("MLP", Mask)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    options = {"alpha": 0, "removal": Budget(40), "max_epochs": 3}
    shrinker = Shrinker(model, optimizer, example_inputs=rows("MLP", 2), **options)
    with pytest.raises(ValueError, match="no gradient was seen since the last step"):
        shrinker.step()


def test_what_sees_gradients_leaves_with_the_next_shrinker_and_with_folding():
    model = gated("MLP", Mask)
    train(model, "MLP", Budget(100), n_epochs=2)
    assert all(gate.sensor is not None for gate in gates_of(model).values())
    assert not gates_of(fold(model))
    train(model, "MLP", None, n_epochs=1)
    assert all(gate.sensor is None for gate in gates_of(model).values())


# --- what leaves


def shown(changes, freed, epoch=100, max_epochs=100, memory=(), layer=None):
    """`Watched` of a network where each unit has parameters of its own."""
    freed = np.asarray(freed, dtype=float)
    return Watched(
        switch=None,
        previous=None,
        gate=np.ones(len(freed)),
        norms=None,
        penalised=np.ones(len(freed), dtype=bool),
        layer=np.zeros(len(freed), dtype=int) if layer is None else np.asarray(layer),
        epoch=epoch,
        max_epochs=max_epochs,
        n_switches=len(freed),
        memory=dict(memory),
        loss_changes=np.asarray(changes, dtype=float),
        freed=lambda: freed,
        n_parameters=lambda stays: int(freed[stays].sum()),
    )


def test_units_with_small_changes_per_parameter_leave_first():
    rng = np.random.default_rng(0)
    for _ in range(20):
        changes, freed = rng.exponential(size=30), rng.integers(1, 50, 30)
        layer = np.sort(rng.integers(0, 3, 30))
        goal = int(rng.integers(freed.sum() // 4, freed.sum()))
        watched = shown(changes, freed, layer=layer)
        spared = [
            max(np.flatnonzero(layer == each), key=lambda i: changes[i] / freed[i])
            for each in np.unique(layer)
        ]
        if freed[spared].sum() > goal or freed[np.unique(layer, return_index=True)[1]].sum() > goal:
            continue
        gone, left = [], freed.sum()
        for i in sorted(range(30), key=lambda i: changes[i] / freed[i]):
            if left <= goal:
                break
            if i not in spared:
                gone, left = [*gone, i], left - freed[i]
        assert np.flatnonzero(Budget(goal).dead(watched)).tolist() == sorted(gone)


def test_changes_are_averaged_over_steps():
    # Unit 0 matters more in the last step, but less over all.
    removal, memory = Budget(10, pretrain=1, gamma=0.9), {}
    for changes in ([0.0, 1.0], [0.0, 1.0], [1.5, 1.0]):
        watched = shown(changes, [10, 10], epoch=1, memory=memory)
        assert not removal.dead(watched).any()
        memory = watched.memory
    last = shown([1.5, 1.0], [10, 10], memory=memory)
    assert removal.dead(last).tolist() == [True, False]
    hasty = shown([1.5, 1.0], [10, 10], memory=memory)
    assert Budget(10, pretrain=1, gamma=0.0).dead(hasty).tolist() == [False, True]


def test_steps_that_overflow_do_not_count():
    memory = {}
    for changes in ([1.0, 2.0], [np.inf, 2.0], [0.0, np.nan]):
        watched = shown(changes, [10, 10], memory=memory)
        assert Budget(10).dead(watched).tolist() == [True, False]
        memory = watched.memory
    assert memory["changes"].tolist() == [1.0, 2.0]


def test_the_schedule():
    removal = Budget(100, pretrain=4)
    kept = [removal.kept(10_000, epoch, 24) for epoch in range(25)]
    assert kept[:5] == [10_000] * 5
    # A straight line of logarithms: after half of the way the root of the ratio.
    assert kept[9] == 1000
    assert kept[14:] == [100] * 11
    assert kept == sorted(kept, reverse=True)
    earlier = [Budget(100, mu=5, pretrain=4).kept(10_000, epoch, 24) for epoch in range(25)]
    assert all(a <= b for a, b in zip(earlier, kept, strict=True))
    assert earlier[5] < kept[5]
    assert [Budget(100).kept(70, epoch, 24) for epoch in (1, 24)] == [100, 100]


# --- in training


def train(model, name, removal, n_epochs=6, when="step"):
    torch.manual_seed(1)
    x = rows(name, 24)
    y = x.flatten(1).sum(dim=1, keepdim=True).sin()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    options = {"alpha": 0, "removal": removal, "max_epochs": n_epochs, "when": when}
    shrinker = Shrinker(model, optimizer, example_inputs=x[:2], **options)
    for _ in shrinker.epochs():
        for i in range(0, 24, 8):
            loss = (model(x[i : i + 8]) - y[i : i + 8]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
    return shrinker


@pytest.mark.parametrize("when", ["step", "epoch"])
@pytest.mark.parametrize("gate", [Mask, Switch], ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("name", NETS)
def test_training_ends_less_than_a_unit_below_the_budget(name, gate, when):
    torch.manual_seed(0)
    model = gated(name, gate)
    full = counted(model, name).n_parameters({})
    goal = 2 * full // 5
    shrinker = train(model, name, Budget(goal, pretrain=1), when=when)
    found, gates = counted(model, name), gates_of(model)
    alive = {name: gate.alive.numpy() for name, gate in gates.items()}
    largest = max(freed[alive[name]].max() for name, freed in found.freed(alive).items())
    left = n_parameters(fold(model.eval()))
    assert left == found.n_parameters({})
    assert goal - largest < left <= goal
    assert all(size >= 1 for size in shrinker.sizes.values())


def test_the_last_unit_of_each_layer_stays():
    model = gated("MLP", Mask)
    least = 6 + 1 + 1 + 1 + 2 + 2
    shrinker = train(model, "MLP", Budget(least))
    assert shrinker.sizes == {"0": 1, "2": 1}
    assert n_parameters(fold(model)) == least
    with pytest.raises(ValueError, match=f"n_parameters={least - 1}, but .* give at least {least}"):
        train(gated("MLP", Mask), "MLP", Budget(least - 1))
    # Long before the first removal.
    with pytest.raises(ValueError, match="give at least 10"):
        Budget(9, pretrain=3).dead(shown([1.0, 1.0], [10, 10], epoch=1, memory={}))


def test_a_network_that_is_small_enough_stays():
    model = gated("MLP", Mask)
    assert train(model, "MLP", Budget(10_000)).sizes == {"0": 9, "2": 7}


def test_units_that_do_nothing_leave_first():
    torch.manual_seed(0)
    model = gated("MLP", Mask)
    with torch.no_grad():
        model[2].weight[:, [0, 3, 5]] = 0
        model[2].weight.register_hook(lambda g: g.index_fill(1, torch.tensor([0, 3, 5]), 0))
    kept = model[0].weight[[1, 2, 4, 6, 7, 8]].detach().clone()
    train(model, "MLP", Budget(149 - 3 * 14, pretrain=1), n_epochs=2)
    assert model[0].weight.shape == kept.shape
    # Far from the others, which learnt little in these steps.
    assert float((model[0].weight.detach() - kept).abs().max()) < 0.1


@pytest.mark.parametrize(
    ("removal", "told"),
    [
        (Budget(0), "n_parameters=0: give a whole number >= 1"),
        (Budget(9, mu=-1), "mu=-1"),
        (Budget(9, gamma=1), "gamma=1: give a number in [0, 1)"),
        (Budget(9, pretrain=6), "pretrain=6 leaves no epoch of max_epochs=6"),
    ],
    ids=["n_parameters", "mu", "gamma", "pretrain"],
)
def test_errors(removal, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        train(gated("MLP", Mask), "MLP", removal)


def test_a_linear_model_refuses_it():
    solver = GradientDescent(removal=Budget(5))
    with pytest.raises(ValueError, match="is for networks: take Annealing"):
        ShrinkNetRegressor(solver=solver).fit(np.eye(4), np.arange(4.0))
