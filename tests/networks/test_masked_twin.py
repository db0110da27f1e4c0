"""A network that is cut by hand trains on as its twin, which is never cut."""

import pytest
import torch
from torch import nn

from slow_units import ENTRIES, cut_training_by_hand, lively, places, unit_count
from training import ENTRY, OPTIMIZERS, REFUSED, MaskedTwin, penalty_of
from zoo import NETS

pytestmark = pytest.mark.untraced

# Every cut with some optimisers, and every optimiser with some cuts, of which one folds.
ALL = [("vgg", "features.4"), ("mlp_sigmoid", "first")]
CASES = [(*entry, name) for entry in ENTRIES for name in ("sgd_momentum", "adam")]
CASES += [
    (*entry, name) for entry in ALL for name in sorted(OPTIMIZERS.keys() - {"sgd_momentum", "adam"})
]


class Plain(nn.Module):
    """What a twin needs of a gate."""

    def __init__(self, n):
        super().__init__()
        self.register_buffer("alive", torch.ones(n, dtype=torch.bool))

    def factor(self):
        return self.alive.double()

    def forward(self, x):
        return x * self.factor().reshape([-1] + [1] * (x.ndim - 2))


class StandIn(Plain):
    """With a parameter."""

    def __init__(self, n):
        super().__init__(n)
        self.theta = nn.Parameter(torch.linspace(0.5, 1.5, n, dtype=torch.float64))

    def factor(self):
        return self.theta * self.alive


def gated(net, gate=StandIn):
    """The net with stand-ins where gates stand."""
    model = net.model()
    for name, place in places(net, net.model()).items():
        if name not in net.outputs:
            module = model.get_submodule(place)
            module.gate = gate(unit_count(model.get_submodule(name)))
            module.register_forward_hook(lambda module, inputs, output: module.gate(output))
    return model


def fold(net, model, units):
    """Put what sigmoid(0) adds to the layer behind into its bias."""
    if net.folds:
        with torch.no_grad():
            model.second.bias += 0.5 * model.second.weight[:, units].sum(1)


def step(net, model, optimizer):
    optimizer.zero_grad()
    loss_of(net, model).backward()
    optimizer.step()


def loss_of(net, model):
    return net.run(model).square().mean() + penalty_of(model, 0.01, 0.001)


def trained(net, layer, make, cut=cut_training_by_hand, gate=StandIn):
    """A twin and an original that is cut after the third step, both after eight."""
    model = gated(net, gate)
    optimizer = make(model.parameters())
    twin = MaskedTwin(model, optimizer, make)
    units = lively(net, net.model().eval(), net.together(layer))[:2]
    for k in range(8):
        twin.step(loss_of(net, twin.model))
        step(net, model, optimizer)
        if k == 2:
            fold(net, model, units)
            model, optimizer = cut(net, model, optimizer, make, layer, units)
            twin.original, twin.optimizer_of_original = model, optimizer
        twin.follow()
    return twin


def largest(net, twin):
    """The largest difference, but of the bias that holds constants."""
    found = twin.entry_differences()
    constant = {"second.bias"} if net.folds else set()
    return max(twin.output_difference(net), *[found[name] for name in found.keys() - constant])


@pytest.mark.parametrize(("name", "layer", "optimizer"), CASES)
def test_a_cut_trains_on_as_its_masked_twin(name, layer, optimizer):
    net = NETS[name]
    twin = trained(net, layer, OPTIMIZERS[optimizer])
    assert largest(net, twin) < 1e-10
    before = gated(net)
    for name, p in twin.model.named_parameters():
        moved = (p - before.get_parameter(name)).abs().max()
        assert p.ndim == 1 or moved > 1e-3


def test_a_twin_follows_gates_without_parameters():
    net = NETS["vgg"]
    twin = trained(net, "features.4", OPTIMIZERS["adam"], gate=Plain)
    assert largest(net, twin) < 1e-10
    off = [int((~gate.alive).sum()) for gate in twin.model.modules() if isinstance(gate, Plain)]
    assert off == [0, 2, 0]


@pytest.mark.parametrize("optimizer", ["sgd_momentum", "adam", "adagrad", "rmsprop_centered"])
def test_a_twin_finds_an_optimiser_that_forgot(optimizer):
    def forgetful(*arguments):
        cut, new = cut_training_by_hand(*arguments)
        for p in cut.parameters():
            for key, value in new.state[p].items():
                if key != ENTRY and torch.is_tensor(value) and value.ndim:
                    value.zero_()
        return cut, new

    net = NETS["vgg"]
    assert largest(net, trained(net, "features.0", OPTIMIZERS[optimizer], forgetful)) > 1e-5


def test_a_twin_finds_columns_that_changed_places():
    def wrong(*arguments):
        cut, new = cut_training_by_hand(*arguments)
        with torch.no_grad():
            cut.second.weight.copy_(cut.second.weight.roll(1, 1))
        return cut, new

    net = NETS["mlp"]
    assert largest(net, trained(net, "first", OPTIMIZERS["sgd"], wrong)) > 1e-3


def test_a_twin_finds_a_constant_that_was_lost(monkeypatch):
    net = NETS["mlp_sigmoid"]
    monkeypatch.setitem(globals(), "fold", lambda *arguments: None)
    assert largest(net, trained(net, "first", OPTIMIZERS["sgd"])) > 1e-3


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_optimisers_to_refuse_work(make):
    net = NETS["mlp"]
    model = net.model()
    optimizer = make(model.parameters())

    def closure():
        optimizer.zero_grad()
        loss = net.run(model).square().mean()
        loss.backward()
        return loss

    first = float(closure().detach())
    for _ in range(5):
        closure()
        optimizer.step(closure)
    assert closure() < first
