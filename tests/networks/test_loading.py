"""`load_shrunk`: the state of a shrunk network in a freshly made full one."""

import io

import pytest
import torch
from torch import nn

from shrinklin.networks import (
    Columns,
    Filter,
    Mask,
    Shrinker,
    Switch,
    add_switches,
    fold,
    load_shrunk,
)
from shrinklin.networks.gates import gates_of
from small_nets import NETS, gated, plain, rows, same_bits, step, trained

every_net = pytest.mark.parametrize("name", NETS)


def reloaded(state):
    """What torch.load makes of it without running code."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def sizes_stated(model):
    return [str(m) for m in model.modules() if not list(m.children())]


@every_net
def test_a_shrunk_network_with_switches(name):
    model, x = trained(name)[0], rows(name)
    fresh = gated(name)
    twin = load_shrunk(fresh, reloaded(model.state_dict()))
    assert twin is fresh
    assert sizes_stated(twin) == sizes_stated(model)
    for training in (True, False):
        assert torch.equal(twin.train(training)(x), model.train(training)(x))
    assert same_bits(twin.state_dict(), model.state_dict())


@every_net
@pytest.mark.parametrize("make", [gated, plain])
def test_a_folded_network(name, make):
    small, x = fold(trained(name)[0], rows(name, 2)), rows(name)
    twin = load_shrunk(make(name), reloaded(small.state_dict()))
    for training in (True, False):
        assert torch.equal(twin.train(training)(x), small.train(training)(x))
    assert not gates_of(twin) or make is plain
    assert same_bits(twin.state_dict(), small.state_dict())


def test_columns_of_the_input_are_taken_where_the_state_has_them():
    small = fold(trained("MLP with input switches")[0], rows("MLP", 2))
    for make in (gated, plain):
        twin = load_shrunk(make("MLP with input switches"), small.state_dict())
        assert isinstance(twin[0].input_gate, Columns)
        assert twin[0].input_gate.kept.tolist() == [2, 3, 4, 5]


@every_net
def test_training_goes_on_as_it_would_have(name):
    model, optimizer, _ = trained(name)
    twin = load_shrunk(gated(name), model.state_dict())
    pairs = []
    for each in (model, twin):
        torch.manual_seed(1)
        optimizer = torch.optim.SGD(each.parameters(), lr=0.01, momentum=0.9)
        shrinker = Shrinker(each, optimizer, example_inputs=rows(name, 2), alpha=0.1)
        for _ in range(3):
            step(each, optimizer, shrinker, rows(name))
        pairs.append((each.state_dict(), optimizer.state_dict(), shrinker.sizes))
    assert same_bits(*pairs)


def test_a_second_load_and_one_behind_a_shrinker():
    model, x = trained("MLP with input switches")[0], rows("MLP")
    twin = gated("MLP with input switches")
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.01)
    Shrinker(twin, optimizer, example_inputs=x, alpha=0.1)  # which lets input switches choose
    for _ in range(2):
        assert same_bits(load_shrunk(twin, model.state_dict()).state_dict(), model.state_dict())
    assert torch.equal(twin(x), model(x))


def test_units_that_are_off_but_still_there_stay_off():
    model = trained("MLP", when="epoch")[0]
    twin = load_shrunk(gated("MLP"), model.state_dict())
    assert [int(g.alive.sum()) for g in gates_of(twin).values()] == [7, 5]
    assert [len(g) for g in gates_of(twin).values()] == [9, 7]


def test_tied_weights_and_frozen_ones_stay_what_they_are():
    def net():
        model = nn.Sequential(
            nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)
        )
        model[2].weight.requires_grad_(False)
        model.append(model[4])
        model[4] = nn.Identity()
        return model.double()

    small = net()
    small[0], small[2] = nn.Linear(6, 5).double(), nn.Linear(5, 8).double()
    twin = load_shrunk(net(), small.state_dict())
    x = rows("MLP")
    assert torch.equal(twin(x), small(x))
    assert not twin[2].weight.requires_grad
    assert twin[0].weight.requires_grad


def test_the_dtype_is_that_of_the_model():
    state = trained("convolutional")[0].state_dict()
    twin = load_shrunk(gated("convolutional").float(), state)
    assert {p.dtype for p in twin.parameters()} == {torch.float32}
    assert twin(rows("convolutional").float()).isfinite().all()


@pytest.mark.parametrize("gate", [Filter, Mask])
def test_other_gates(gate):
    model = gated("MLP", gate)
    for each in gates_of(model).values():
        each.alive[1:3] = False
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    Shrinker(model, optimizer, example_inputs=rows("MLP", 2), alpha=0.1).compact()
    twin = load_shrunk(gated("MLP", gate), model.state_dict())
    assert [len(each) for each in gates_of(twin).values()] == [7, 5]
    x = rows("MLP")
    assert torch.equal(twin(x), model(x))


# What is wrong with a state, and what is said.
def without_a_name(state):
    del state["0.bias"]
    return state


def with_a_name(state):
    return state | {"unknown": torch.zeros(3)}


def too_wide(state):
    return state | {"0.weight": torch.zeros(20, 6)}


def of_other_dims(state):
    return state | {"0.weight": torch.zeros(7, 6, 1)}


def no_tensor(state):
    return state | {"0.weight": [1.0, 2.0]}


def of_a_model_without_switches(state):
    return plain("convolutional").state_dict()


def with_columns_that_are_not_there(state):
    return state | {"0.input_gate.kept": torch.tensor([0, 1, 2, 9])}


def with_too_few_columns(state):
    return state | {"0.input_gate.kept": torch.tensor([0, 1])}


WRONG = {
    without_a_name: "it lacks 0.bias",
    with_a_name: "it has unknown",
    too_wide: r"0.weight of shape \(20, 6\), the model of shape \(9, 6\)",
    of_other_dims: r"0.weight of shape \(7, 6, 1\)",
    no_tensor: "0.weight of type list",
    of_a_model_without_switches: "state_dict is of another model",
    with_columns_that_are_not_there: r"0.input_gate.kept",
    with_too_few_columns: r"0.input_gate.kept",
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_a_wrong_state_is_refused_and_changes_nothing(spoil):
    name = "MLP with input switches"
    state = spoil(dict(trained(name)[0].state_dict()))
    model = gated(name)
    before, tensors = reloaded(model.state_dict()), [*model.parameters(), *model.buffers()]
    sizes = sizes_stated(model)
    with pytest.raises(ValueError, match=WRONG[spoil]):
        load_shrunk(model, state)
    assert same_bits(model.state_dict(), before)
    assert all(map(lambda a, b: a is b, [*model.parameters(), *model.buffers()], tensors))
    assert sizes_stated(model) == sizes
    assert [g.kept for g in gates_of(model).values()] == [None] * 3


def test_a_failure_of_torch_changes_nothing(monkeypatch):
    name = "MLP with input switches"
    small = fold(trained(name)[0], rows(name, 2))
    model = gated(name)
    before = reloaded(model.state_dict())

    def fail(self, state_dict, strict):
        raise RuntimeError("no")

    monkeypatch.setattr(nn.Module, "load_state_dict", fail)
    with pytest.raises(RuntimeError, match="no"):
        load_shrunk(model, small.state_dict())
    assert same_bits(model.state_dict(), before)
    assert model(rows("MLP")).shape == (8, 2)
    assert len(gates_of(model)) == 3


def test_a_state_of_switches_in_a_model_without():
    state = trained("MLP")[0].state_dict()
    with pytest.raises(ValueError, match="needs add_switches before"):
        load_shrunk(plain("MLP"), state)
    assert type(add_switches(plain("MLP"), rows("MLP"))[0].gate) is Switch
