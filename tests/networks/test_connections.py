"""Connection pruning: what goes, when, and that nothing comes back."""

import copy
import io
import itertools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from shrinklin import Annealing
from shrinklin.networks import (
    ConnectionAnnealing,
    Mask,
    Shrinker,
    Switch,
    add_switches,
    connections,
    fold,
    load_shrunk,
    sparse_csr,
)
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.structure import Structure
from slow_connections import SIZES, SlowPruning, X, network, step
from training import OPTIMIZERS


def masked(model=None, inputs=True):
    return add_switches(model or network(*SIZES), X[:2], gate=Mask, inputs=inputs)


def start(model, strategy, max_epochs=12, make=OPTIMIZERS["adam"], **options):
    optimizer = make(model.parameters())
    options = {"alpha": 0, "max_epochs": max_epochs, "connections": strategy} | options
    return optimizer, Shrinker(model, optimizer, example_inputs=X[:2], **options)


def train(model, strategy, max_epochs=12, steps=2, **options):
    optimizer, shrinker = start(model, strategy, max_epochs, **options)
    for _ in shrinker.epochs():
        for _ in range(steps):
            step(model, optimizer, shrinker)
    return shrinker


CASES = [
    ({"4": 6, "2": 20, "0": 15}, 1.0, 0, True, "adam"),
    ({"0": 12, "4": 5}, 0.0, 2, True, "sgd_momentum"),
    ({"2": 9}, 10.0, 3, False, "adamw_amsgrad"),
    ({"4": 8, "0": 20}, 3.0, 1, False, "rmsprop"),
    ({"2": 30, "0": 30}, 2.0, 0, True, "adagrad"),
    ({"4": 4, "2": 12}, 2.0, 0, True, "sgd_weight_decay"),
]


def compare_with_the_slow_loop(n_connections, mu, pretrain, normalize, name, when="step"):
    make = OPTIMIZERS[name]
    slow = SlowPruning(network(*SIZES), n_connections, mu, pretrain, 12, normalize, make)
    slow.run()
    strategy = ConnectionAnnealing(n_connections, mu, pretrain, normalize)
    model = masked()
    shrinker = train(model, strategy, make=make, when=when)
    masks = {layer: int(slow.masks[layer].sum()) for layer in n_connections}
    assert shrinker.n_connections == masks
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(X), slow.model(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_it_is_the_slow_loop(case):
    compare_with_the_slow_loop(*CASES[case])


@pytest.mark.parametrize("case", [0, 3])
def test_cuts_at_the_end_of_epochs_change_nothing(case):
    compare_with_the_slow_loop(*CASES[case], when="epoch")


def columns_are_not_multiplied(monkeypatch):
    multiply, calls = connections._multiply, itertools.count()

    def rows_only(*given):
        # Rows and columns come in turn.
        if next(calls) % 2 == 0:
            multiply(*given)

    monkeypatch.setattr(connections, "_multiply", rows_only)
    monkeypatch.setattr(connections, "_check_scaling", lambda *given: None)


def nothing_is_held(monkeypatch):
    monkeypatch.setattr(connections.Connections, "_hold", lambda self: None)


def the_optimiser_is_not_told(monkeypatch):
    @torch.no_grad()
    def weights_only(self):
        for layer, pruned in self._pruned.items():
            self._weight(layer).masked_fill_(pruned, 0)

    monkeypatch.setattr(connections.Connections, "_hold", weights_only)


def test_the_slow_loop_finds_wrong_normalising(monkeypatch):
    columns_are_not_multiplied(monkeypatch)
    with pytest.raises(AssertionError):
        compare_with_the_slow_loop(*CASES[0])


def test_the_slow_loop_finds_weights_that_come_back(monkeypatch):
    nothing_is_held(monkeypatch)
    with pytest.raises(AssertionError):
        compare_with_the_slow_loop(*CASES[0])


@pytest.mark.parametrize("mutant", [None, the_optimiser_is_not_told])
@pytest.mark.parametrize("name", ["adam", "sgd_momentum", "adamw_amsgrad"])
def test_pruned_weights_leave_nothing_with_the_optimiser(name, mutant, monkeypatch):
    if mutant:
        mutant(monkeypatch)
    model = network(*SIZES)
    model = add_switches(model, X[:2], gate=Mask)
    optimizer, shrinker = start(model, ConnectionAnnealing({"2": 20}), make=OPTIMIZERS[name])
    for epoch in shrinker.epochs():
        step(model, optimizer, shrinker)
        weight = model[2].weight
        held = [weight, weight.grad, *optimizer.state[weight].values()]
        held = [t for t in held if t.shape == weight.shape]
        gone = weight == 0
        assert epoch == 0 or gone.sum() == weight.numel() - shrinker.n_connections["2"] > 0
        clean = all(bool((tensor[gone] == 0).all()) for tensor in held)
        assert clean or mutant
    assert len(held) > 2
    assert clean == (mutant is None)


def test_the_formula_by_hand():
    strategy = ConnectionAnnealing({"b": 10, "a": 4}, mu=2.0, pretrain=3)
    # N = 10 for each; (N − 2e) / (2 e μ + N) = 8/14, 6/18, 4/22, 2/26, 0.
    assert [strategy.kept("b", 50, 3 + e, 23) for e in range(1, 7)] == [33, 24, 18, 14, 10, 10]
    assert [strategy.kept("a", 50, 13 + e, 23) for e in range(1, 7)] == [31, 20, 13, 8, 4, 4]
    assert strategy.kept("b", 50, 23, 23) == 10
    begun = [strategy.begun(epoch, 23) for epoch in (3, 4, 13, 14, 23)]
    assert begun == [[], ["b"], ["b"], ["b", "a"], ["b", "a"]]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.first = nn.Conv2d(1, 5, 3), nn.Conv2d(5, 4, 3, padding=1)
        self.second, self.last = nn.Conv2d(4, 5, 3, padding=1), nn.Linear(20, 3)

    def forward(self, x):
        x = self.conv(x).relu()
        x = (x + self.second(nn.functional.leaky_relu(self.first(x)))).relu()
        return self.last(nn.functional.max_pool2d(x, 2).flatten(1))


IMAGES = torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def residual():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return add_switches(Residual().double(), IMAGES, gate=Mask)


@pytest.mark.parametrize(("make", "inputs"), [(masked, X), (residual, IMAGES)])
@pytest.mark.parametrize("mutant", [None, columns_are_not_multiplied])
def test_normalising_changes_no_output(make, inputs, mutant, monkeypatch):
    if mutant:
        mutant(monkeypatch)
    model = make()
    expected = model(inputs).detach()
    scaled = connections.normalized(model, Structure(model, Inputs(inputs[:2])))
    found = torch.func.functional_call(model, scaled, (inputs,)).detach()
    assert (float((found - expected).abs().max()) <= 1e-12) == (mutant is None)
    assert torch.equal(model(inputs), expected)


def test_normalising_makes_rows_of_norm_1_and_leaves_empty_ones():
    model = masked()
    with torch.no_grad():
        model[0].weight[3] = 0
    scaled = connections.normalized(model, Structure(model, Inputs(X[:2])))
    norms = scaled["0.weight"].norm(dim=1)
    torch.testing.assert_close(norms[norms > 0], torch.ones(9).double(), rtol=0, atol=1e-12)
    assert torch.equal(scaled["0.bias"][3], model[0].bias[3])
    assert all(bool(tensor.isfinite().all()) for tensor in scaled.values())


def test_inputs_and_units_leave():
    model = masked()
    shrinker = train(model, ConnectionAnnealing({"4": 3, "0": 4}, mu=0.0))
    assert shrinker.n_connections["0"] <= 4
    small = fold(model.eval())
    kept = small[0].input_gate.kept
    assert len(kept) == shrinker.sizes["input"] <= 4
    assert small[0].out_features == shrinker.sizes["0"] <= 4
    others = torch.ones(6, dtype=torch.bool)
    others[kept] = False
    changed = X.clone()
    changed[:, others] = 9.0
    assert torch.equal(small(changed), small(X))
    assert shrinker.history["n_connections"]["0"].tolist()[::12] == [
        60,
        shrinker.n_connections["0"],
    ]
    assert len(shrinker.history["n_connections"]["4"]) == 13
    assert sum(n for _, n in shrinker.cost.removals) == 24 - shrinker.n_units


ACTIVATIONS = [nn.ReLU, nn.Sigmoid, nn.Tanh]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_constant_units_go_into_biases(activation):
    model = masked(network(*SIZES, activation=activation))
    with torch.no_grad():
        model[2].weight[1:4] = 0
    expected = model(X).detach()
    strategy = ConnectionAnnealing({"2": 40}, mu=0.0, normalize=False)
    optimizer, shrinker = start(model, strategy, make=lambda p: torch.optim.SGD(p, lr=0.0))
    for _ in range(7):
        step(model, optimizer, shrinker)
        shrinker.end_epoch()
        if shrinker.sizes["2"] == 5:
            break
    assert shrinker.sizes == {"input": 6, "0": 10, "2": 5}
    assert model[4].in_features == 5
    # At a learning rate of 0 only what was pruned makes a difference: so far, nothing was.
    assert shrinker.n_connections == {"2": 50}
    torch.testing.assert_close(model(X), expected, rtol=0, atol=1e-12)


def test_a_unit_that_is_not_constant_in_training_stays():
    layers = [nn.Linear(6, 10), Mask(10), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(10, 2)]
    model = nn.Sequential(*layers).double()
    with torch.no_grad():
        model[0].weight[2] = 0
    strategy = ConnectionAnnealing({"0": 30}, mu=0.0, normalize=False)
    shrinker = train(model, strategy)
    assert shrinker.sizes["1"] == 10
    assert shrinker.n_connections["0"] == 30


def test_a_layer_keeps_its_last_unit():
    model = masked()
    shrinker = train(model, ConnectionAnnealing({"2": 1, "0": 1}))
    assert shrinker.sizes == {"input": 1, "0": 1, "2": 1}
    assert shrinker.n_connections == {"2": 1, "0": 1}


def test_convolutions_lose_single_weights():
    model = residual()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    strategy = ConnectionAnnealing({"first": 50, "last": 20}, mu=0.0)
    shrinker = Shrinker(
        model, optimizer, example_inputs=IMAGES, alpha=0, connections=strategy, max_epochs=8
    )
    for _ in shrinker.epochs():
        optimizer.zero_grad()
        loss = model(IMAGES).square().mean()
        loss.backward()
        optimizer.step()
        shrinker.step(loss)
    assert int((model.first.weight != 0).sum()) == shrinker.n_connections["first"] <= 50
    assert int((model.last.weight != 0).sum()) == shrinker.n_connections["last"] <= 20


@pytest.mark.parametrize("killed", [1, 5, 9])
def test_a_training_that_resumes_ends_with_the_same_bits(killed):
    strategy = ConnectionAnnealing({"4": 8, "0": 20}, mu=1.0)

    def go(checkpoint=None):
        model = masked()
        if checkpoint:
            load_shrunk(model, checkpoint[0])
        optimizer, shrinker = start(model, strategy)
        saved = None
        if checkpoint:
            optimizer.load_state_dict(checkpoint[1])
            shrinker.load_state_dict(checkpoint[2])
        for epoch in shrinker.epochs():
            if epoch == killed and not checkpoint:
                buffer = io.BytesIO()
                torch.save([each.state_dict() for each in (model, optimizer, shrinker)], buffer)
                saved = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
            step(model, optimizer, shrinker)
        return model, shrinker, saved

    model, shrinker, saved = go()
    again, resumed, _ = go(saved)
    assert resumed.n_connections == shrinker.n_connections
    for one, other in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    for name, values in shrinker.history["n_connections"].items():
        np.testing.assert_array_equal(resumed.history["n_connections"][name], values)


def test_a_state_of_other_connections_is_refused():
    states = [
        start(masked(), each)[1].state_dict()
        for each in (None, ConnectionAnnealing({"4": 8}), ConnectionAnnealing({"0": 8}))
    ]
    _, shrinker = start(masked(), ConnectionAnnealing({"4": 8}))
    shrinker.load_state_dict(states[1])
    for state in (states[0], states[2]):
        with pytest.raises(ValueError, match="of a Shrinker with other layers or strategies"):
            shrinker.load_state_dict(state)


@pytest.mark.parametrize("seed", range(3))
def test_annealing_of_masks_is_the_node_form(seed):
    """Normalised, with whole columns scored by their norm, it keeps the same units."""
    twin = network(6, 12, 3, seed=seed)
    model = add_switches(copy.deepcopy(twin), X[:2], gate=Mask)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0, removal=Annealing(5, mu=1.0), max_epochs=6
    )
    slow = SlowPruning(twin, {"2": 3}, 1.0, 0, 6, True, OPTIMIZERS["adam"])
    columns = slow.compared()["2"].norm(dim=0)
    for e in (1, 2, 3):
        step(model, optimizer, shrinker)
        shrinker.end_epoch()
        kept = 5 + int(np.ceil(7 * (6 - 2 * e) / (2 * e + 6)))
        best = columns.argsort(descending=True)[:kept].sort().values
        torch.testing.assert_close(model[2].weight, twin[2].weight[:, best])


def test_of_one_output_the_node_form_is_the_connection_form():
    nodes, single = (add_switches(network(6, 12, 1), X[:2], gate=Mask) for _ in range(2))
    make = OPTIMIZERS["sgd_momentum"]
    train(nodes, None, removal=Annealing(4, mu=2.0), make=make)
    train(single, ConnectionAnnealing({"2": 4}, mu=2.0), make=make)
    with torch.no_grad():
        torch.testing.assert_close(nodes(X), single(X), rtol=0, atol=1e-10)


REFUSED = [
    (ConnectionAnnealing({}), ValueError, "n_connections={}: give a dict of layer"),
    (ConnectionAnnealing([4]), ValueError, r"n_connections=\[4\]: give a dict of layer"),
    (ConnectionAnnealing({"1": 4}), ValueError, 'layer \'1\', .* give one of "0", "2", "4"'),
    (ConnectionAnnealing({"4": 0}), ValueError, r"n_connections\['4'\]=0: give a whole"),
    (ConnectionAnnealing({"4": 17}), ValueError, "17 for layer '4', which has 16 weights"),
    (ConnectionAnnealing({"4": 3}, mu=-1), ValueError, "mu=-1"),
    (ConnectionAnnealing({"4": 3}, pretrain=12), ValueError, "leaves 0 of max_epochs=12"),
    (ConnectionAnnealing({"4": 3}, normalize=2), TypeError, "normalize=2"),
    (Annealing(3), TypeError, "give None or a ConnectionAnnealing"),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_is_refused(case):
    strategy, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        start(masked(), strategy)


def test_what_does_not_fit_is_refused():
    strategy = ConnectionAnnealing({"4": 3})
    with pytest.raises(ValueError, match="max_epochs=None: give the number of epochs"):
        start(masked(), strategy, max_epochs=None)
    model = masked()
    with pytest.raises(ValueError, match="averaged models keep weights"):
        start(model, strategy, averaged=[copy.deepcopy(model)])
    with pytest.raises(ValueError, match="without the Switch of their units"):
        start(add_switches(network(*SIZES), X[:2], gate=Switch), strategy)


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh, nn.GELU, nn.ReLU6, nn.Softplus])
def test_normalising_is_refused_where_it_would_change_outputs(activation):
    model = network(*SIZES, activation=activation)
    with pytest.raises(ValueError, match="normalize=True would change the outputs"):
        start(masked(model), ConnectionAnnealing({"4": 3}))
    start(
        masked(network(*SIZES, activation=activation)), ConnectionAnnealing({"4": 3}, 10, 0, False)
    )


def test_no_numbers_are_refused():
    model = masked()
    optimizer, shrinker = start(model, ConnectionAnnealing({"4": 3}))
    step(model, optimizer)
    with torch.no_grad():
        model[4].weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match='weights of "4" are no numbers'):
        shrinker.step()


def pruned_and_folded():
    model = masked()
    train(model, ConnectionAnnealing({"4": 8, "2": 20, "0": 20}))
    return fold(model.eval())


def test_sparse_weights_give_the_same_outputs():
    small = pruned_and_folded()
    expected = small(X)
    sparse = sparse_csr(small)
    layouts = [m.weight.layout for m in sparse if isinstance(m, nn.Linear)]
    assert layouts == [torch.sparse_csr] * 3
    torch.testing.assert_close(sparse(X), expected, rtol=0, atol=1e-12)
    assert len(sparse[2].weight.values()) == int((small[2].weight != 0).sum())
    assert torch.equal(small(X), expected)
    assert torch.equal(pickle.loads(pickle.dumps(sparse))(X), sparse(X))


def test_which_layers_become_sparse():
    small = pruned_and_folded()
    only = sparse_csr(small, layers=["2"])
    assert [only[i].weight.layout == torch.sparse_csr for i in (0, 2, 4)] == [False, True, False]
    plain = sparse_csr(network(*SIZES))
    assert all(plain[i].weight.layout == torch.strided for i in (0, 2, 4))
    with pytest.raises(ValueError, match=r"layers has '1', .* give some of .0., .2., .4."):
        sparse_csr(small, layers=["1"])


def test_all_gates_of_a_pruned_network_are_on():
    model = masked()
    train(model, ConnectionAnnealing({"4": 3, "0": 8}))
    assert all(bool(gate.alive.all()) for gate in gates_of(model).values())


def test_columns_leave_by_their_size_while_connections_go():
    model = masked()
    strategy = ConnectionAnnealing({"4": 8, "0": 16}, mu=0.0)
    shrinker = train(model, strategy, removal={"input": Annealing(3, mu=0.0, pretrain=2)})
    assert shrinker.sizes["input"] <= 3
    assert int((model[0].weight != 0).sum()) == shrinker.n_connections["0"] <= 16
    assert model[0].weight.shape == (shrinker.sizes["0"], shrinker.sizes["input"])


def test_a_weight_that_all_layers_share_is_pruned_once():
    layers = [nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2)]
    model = nn.Sequential(*layers).double()
    model[2].weight = model[0].weight
    model[3] = nn.Sequential(Mask(6), nn.ReLU())
    strategy = ConnectionAnnealing({"0": 12}, normalize=False)
    shrinker = train(model, strategy)
    assert shrinker.n_connections["0"] == int((model[2].weight != 0).sum()) <= 12
