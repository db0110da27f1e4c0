"""Strategies on the switches of networks: what they see, what they remove, and what is counted."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from shrinklin import (
    Annealing,
    CostDisplay,
    HistoryDisplay,
    LayerSizesDisplay,
    Removal,
    SignChange,
    SignVariance,
    Threshold,
)
from shrinklin.networks import Filter, Mask, Shrinker, Switch, add_switches, fold
from shrinklin.networks.gates import gates_of

pytestmark = [
    pytest.mark.untraced,
    pytest.mark.filterwarnings("ignore:the removal strategy calls all units"),
]

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X[:, :1].sin()


def network(gate=Switch, inputs=False):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 1)]
        return add_switches(nn.Sequential(*layers).double(), X[:2], gate=gate, inputs=inputs)


def train(model, removal, n_epochs=6, lr=0.05, **settings):
    """Full batches; returns the shrinker, and the switches after each step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    settings = {"alpha": 0.01, "max_epochs": n_epochs} | settings
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], removal=removal, **settings)
    for _ in shrinker.epochs():
        for rows in (slice(20), slice(20, None)):
            loss = (model(X[rows]) - Y[rows]).square().mean() + shrinker.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
    return shrinker


class Seen(Removal):
    """Keeps what it is shown, and removes nothing."""

    def __init__(self):
        self.all = []

    def dead(self, watched):
        self.all.append(copy.deepcopy(watched))
        return np.zeros(len(watched.gate), dtype=bool)


def test_what_a_strategy_sees():
    model, seen = network(), Seen()
    train(model, seen, n_epochs=2)
    assert [w.epoch for w in seen.all] == [1, 1, 2, 2]
    assert all(w.max_epochs == 2 and w.n_switches == 22 for w in seen.all)
    for before, after in zip(seen.all, seen.all[1:], strict=False):
        np.testing.assert_array_equal(before.switch, after.previous)
    last, gates = seen.all[-1], gates_of(model)
    thetas = torch.cat([gate.theta for gate in gates.values()]).detach().numpy()
    np.testing.assert_array_equal(last.switch, thetas)
    np.testing.assert_array_equal(last.layer, np.repeat([0, 1], [12, 10]))
    assert last.penalised.all()


def test_norms_are_those_of_incoming_times_outgoing_weights():
    model, seen = network(inputs=True), Seen()
    train(model, seen, n_epochs=1)
    W = [model[i].weight.detach().numpy() for i in (0, 2, 4)]
    rows = [np.linalg.norm(w, axis=1) for w in W]
    columns = [np.linalg.norm(w, axis=0) for w in W]
    expected = np.concatenate([columns[0], rows[0] * columns[1], rows[1] * columns[2]])
    np.testing.assert_allclose(seen.all[-1].norms, expected, rtol=1e-14)


def test_norms_of_channels_are_those_of_batchnorm_and_all_columns_behind_a_flatten():
    layers = [nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()]
    model = nn.Sequential(*layers, nn.Linear(4 * 25, 3))
    x = torch.randn(4, 2, 5, 5)
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([1.0, -2.0, 0.5, 3.0]))
    model, seen = add_switches(model, x), Seen()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=x, alpha=0.0, removal=seen)
    shrinker.step()
    blocks = model[4].weight.detach().reshape(3, 4, 25)
    outgoing = torch.linalg.vector_norm(blocks, dim=(0, 2)).numpy()
    np.testing.assert_allclose(seen.all[-1].norms, [1, 2, 0.5, 3] * outgoing, rtol=1e-6)


STRATEGIES = [
    Threshold(0.05),
    Threshold(0.3, normalize=False),
    SignChange(),
    SignVariance(gamma=0.5),
    Annealing(n_features=5),
]


@pytest.mark.parametrize("gate", [Switch, Filter, Mask])
@pytest.mark.parametrize("removal", STRATEGIES, ids=repr)
@pytest.mark.parametrize("when", ["step", "epoch"])
def test_every_strategy_shrinks_the_network_and_no_unit_returns(gate, removal, when):
    model = network(gate)
    if gate is Mask and removal.needs_switch:
        with pytest.raises(ValueError, match="follows the signs of switches, but a Mask has none"):
            train(model, removal, when=when)
        return
    shrinker = train(model, removal, n_epochs=40, when=when, alpha=0.2)
    sizes = np.array([*shrinker.history["layer_sizes"].values()])
    assert (np.diff(sizes, axis=1) <= 0).all()
    assert sizes[:, -1].sum() < 22
    assert sizes[:, -1].min() >= 1
    assert [len(gate) for gate in gates_of(model).values()] == sizes[:, -1].tolist()
    assert [model[0].out_features, model[2].out_features] == sizes[:, -1].tolist()


def test_annealing_keeps_as_many_as_it_is_told_across_layers_or_in_each():
    assert train(network(), Annealing(n_features=7)).n_units == 7
    shrinker = train(network(), {"0": Annealing(n_features=4), "2": Annealing(n_features=2)})
    assert shrinker.sizes == {"0": 4, "2": 2}
    shrinker = train(network(), {"2": Annealing(n_features=2)})
    assert shrinker.sizes == {"0": 12, "2": 2}


def test_annealing_keeps_the_largest():
    model, seen = network(Mask), Seen()
    train(model, seen, n_epochs=1, lr=0.0)
    norms = torch.tensor(seen.all[-1].norms)
    rows = [model[i].bias.detach().clone() for i in (0, 2)]
    train(model, Annealing(n_features=14), n_epochs=1, lr=0.0)
    kept = norms.argsort(descending=True)[:14].sort().values
    assert torch.equal(model[0].bias, rows[0][kept[kept < 12]])
    assert torch.equal(model[2].bias, rows[1][kept[kept >= 12] - 12])


def test_a_strategy_of_the_users_own_compares_within_layers():
    class Half(Removal):
        def dead(self, watched):
            sizes = watched.sizes
            dead = np.zeros(len(sizes), dtype=bool)
            for layer in np.unique(watched.layer):
                mine = watched.layer == layer
                dead |= mine & (sizes < np.median(sizes[mine]))
            return dead if watched.n_switches == len(sizes) else np.zeros_like(dead)

    assert train(network(), Half()).sizes == {"0": 6, "2": 5}


def test_units_off_between_cuts_stay_off():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0.01, removal=SignChange(), when="epoch"
    )
    off = {}
    for _ in range(15):
        optimizer.zero_grad()
        ((model(X) - Y).square().mean() + shrinker.penalty()).backward()
        optimizer.step()
        shrinker.step()
        for name, gate in gates_of(model).items():
            now = set(torch.nonzero(~gate.alive).flatten().tolist())
            assert off.setdefault(name, set()) <= now
            off[name] = now
            assert (gate.theta[~gate.alive] == 0).all()
            assert (gate.factor()[~gate.alive] == 0).all()
    assert any(off.values())
    assert [len(gate) for gate in gates_of(model).values()] == [12, 10]
    shrinker.end_epoch()
    assert [len(gate) for gate in gates_of(model).values()] == [
        12 - len(off["0.gate"]),
        10 - len(off["2.gate"]),
    ]


def test_input_switches_choose_columns():
    model = network(inputs=True)
    told = {"input": Annealing(n_features=2)}
    shrinker = train(model, told, n_epochs=4)
    assert shrinker.sizes["input"] == 2
    assert model[0].in_features == 2
    kept = model[0].input_gate.kept
    other = X.clone()
    other[:, [j for j in range(6) if j not in kept]] = 17.0
    assert torch.equal(model(X), model(other))
    assert not torch.equal(model(X), model(X + 1))


# What is counted.


def test_costs_are_counted_as_a_slow_loop_would():
    model = network()
    sizes, counted = [], {"neuron_epochs": 0, "parameter_updates": 0, "multiply_adds": 0}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    removal = SignVariance(gamma=0.5)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0.1, removal=removal, max_epochs=8
    )
    assert shrinker.history["n_alive"].tolist() == [22]
    for _ in shrinker.epochs():
        counted["neuron_epochs"] += sum(len(gate) for gate in gates_of(model).values())
        for rows in (slice(10), slice(10, None)):
            with FlopCounterMode(display=False) as flops:
                loss = (model(X[rows]) - Y[rows]).square().mean() + shrinker.penalty()
                optimizer.zero_grad()
                loss.backward()
            optimizer.step()
            counted["multiply_adds"] += flops.get_total_flops() // 2
            counted["parameter_updates"] += sum(p.numel() for p in model.parameters())
            shrinker.step(loss)
        sizes.append(shrinker.n_units)
    cost = shrinker.cost
    assert cost.epochs == 8
    assert {name: getattr(cost, name) for name in counted} == counted
    assert sum(n for _, n in cost.removals) == 22 - sizes[-1]
    assert all(1 <= epoch <= 8 for epoch, _ in cost.removals)
    history = shrinker.history
    assert history["epoch"].tolist() == list(range(9))
    assert history["n_alive"].tolist() == [22, *sizes]
    assert history["neuron_epochs"][-1] == counted["neuron_epochs"]
    assert sum(history["layer_sizes"].values()).tolist() == [22, *sizes]


class ByNumpy(nn.Module):
    """Cannot run on tensors without memory."""

    def forward(self, x):
        return torch.from_numpy(np.abs(x.detach().numpy())) + x


def test_a_model_that_leaves_torch_is_counted_too():
    layers = nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), ByNumpy(), nn.Linear(4, 2)
    model = add_switches(nn.Sequential(*layers).double(), X[:2])
    optimizer = torch.optim.Adam(model.parameters())
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], alpha=0.1)
    model(X).sum().backward()
    shrinker.step()
    assert shrinker.cost.multiply_adds == len(X) * (2 * 6 * 5 + 3 * 5 * 4 + 3 * 4 * 2)


def test_the_history_has_the_mean_loss_without_penalty():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0.1, weight_decay=0.01, max_epochs=1
    )
    for _ in shrinker.epochs():
        for rows in (slice(20), slice(20, None)):
            loss = (model(X[rows]) - Y[rows]).square().mean() + shrinker.penalty()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
    history = shrinker.history
    assert math.isnan(history["loss"][0])
    assert history["loss"][1] == pytest.approx(float((model(X) - Y).detach().square().mean()))
    thetas = sum(gate.theta.abs().sum() for gate in gates_of(model).values())
    weights = sum(model[i].weight.square().sum() for i in (0, 2, 4))
    assert history["penalty"][1] == pytest.approx(
        float(0.1 * thetas.detach() + 0.01 * weights.detach())
    )


def test_what_happened_can_be_drawn():
    shrinker = train(network(), SignVariance(gamma=0.5), alpha=0.1)
    LayerSizesDisplay(shrinker.history).plot()
    HistoryDisplay(shrinker.history).plot()
    CostDisplay({"shrunk": shrinker.cost, "again": shrinker.cost}).plot()


def test_a_cut_that_changes_the_output_is_taken_back(monkeypatch):
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], alpha=0.01)
    gate = gates_of(model)["0.gate"]
    gate.alive[3] = False
    before = model(X)
    monkeypatch.setattr("shrinklin.networks.shrinker.same_outputs", lambda *given: False)
    with pytest.warns(UserWarning, match='the cut was taken back, and "0" will be only switched'):
        shrinker.compact()
    monkeypatch.undo()
    assert torch.equal(model(X), before)
    assert len(gate) == 12
    shrinker.compact()
    assert len(gate) == 12
    assert "stays whole" in str(shrinker.report())


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.branch = nn.Linear(6, 4), nn.Linear(4, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x).relu()
        return self.last(x + self.branch(x).relu())


def test_the_report_counts_units_that_are_off_and_names_the_last_one():
    torch.manual_seed(0)
    model = add_switches(Residual().double(), X[:2])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], alpha=0.1)
    gates = gates_of(model)
    notes = []
    for n_off in (0, 1, 2):
        gates["stem.gate"].alive[:n_off] = False
        notes.append({layer.name: layer.note for layer in shrinker.report()}["stem"])
    assert notes[0] == ""
    assert notes[1].startswith("1 unit is off, but still there: what last.weight reads of it is")
    assert notes[2].startswith("2 units are off, but still there")
    gates["branch.gate"].alive[:3] = gates["stem.gate"].alive[:3] = False
    shrinker.compact()
    assert shrinker.sizes == {"stem": 1, "branch": 1}
    assert {layer.note for layer in shrinker.report()[:2]} == {"its last unit stays"}


def test_fold_takes_the_inputs_of_the_shrinker():
    model = network()
    with pytest.raises(ValueError, match="the model has no Shrinker: give example_inputs"):
        fold(model)
    train(model, SignVariance(gamma=0.5), n_epochs=2)
    assert torch.equal(fold(model)(X), fold(model, X[:2])(X))
    assert not gates_of(fold(copy.deepcopy(model)))


def test_an_epoch_without_the_penalty_is_noticed():
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], alpha=0.1)
    shrinker.step(2.0)
    with pytest.warns(UserWarning, match=r"penalty\(\) was not called in this epoch"):
        shrinker.end_epoch()
    assert shrinker.history["loss"][-1] == 2.0
    shrinker.step(2.0 + float(shrinker.penalty().detach()))
    shrinker.end_epoch()
    assert shrinker.history["loss"][-1] == pytest.approx(2.0)
    shrinker.alpha = 0.0
    shrinker.step()
    shrinker.end_epoch()


def test_a_unit_before_a_batchnorm_is_cut_when_its_mean_is_forgotten():
    layers = [nn.Linear(6, 12), nn.ReLU(), nn.BatchNorm1d(12), nn.Linear(12, 1)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(*layers).double()
        model(X)
        add_switches(model, X[:4])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=X[:4], alpha=0.0)
    gates_of(model)["0.gate"].alive[2] = False
    shrinker.end_epoch()
    assert model[0].out_features == 12
    assert "1 unit is off, but still there" in str(shrinker.report())
    with torch.no_grad():
        for _ in range(400):
            model(X)
    before = [model.train(training)(X) for training in (False, True)]
    shrinker.end_epoch()
    assert model[0].out_features == 11
    after = [model.train(training)(X) for training in (False, True)]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
