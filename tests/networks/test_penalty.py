"""The penalty: its value and gradient against formulas, and nothing else changes a training."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from shrinklin.networks import Filter, Mask, Shrinker, Switch, add_switches, fold
from shrinklin.networks.gates import gates_of
from small_nets import NETS, DropFirst, gated, plain, rows, same_bits, step
from small_nets import trained as trained_net

ALPHA, DECAY = 0.3, 0.07
every_p = pytest.mark.parametrize("p", [0.5, 1, 1.5, 2])


def shrinker_of(model, x, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    options = {"alpha": ALPHA, "weight_decay": DECAY} | options
    return Shrinker(model, optimizer, example_inputs=x, **options)


def gradients(model, value):
    """By name; 0 of what the value does not depend on."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    names, parameters = zip(*trained, strict=True)
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g
        for name, p, g in zip(names, parameters, found, strict=True)
    }


def assert_same(model, value, expected):
    """Two functions of the parameters, and their gradients."""
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)
    ours, theirs = gradients(model, value), gradients(model, expected)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-11, atol=1e-12, msg=name)


def written_out(model, p):
    """λ Σ |gate| + λ₂ Σ |w|^p, number by number; what is 0 is left out."""
    total = torch.zeros((), dtype=torch.float64)
    for name, parameter in model.named_parameters():
        if name.endswith("theta"):
            gate = model.get_submodule(name.removesuffix(".theta"))
            for theta, on in zip(parameter, gate.alive, strict=True):
                if on and (theta > 0 or (theta < 0 and isinstance(gate, Switch))):
                    total = total + ALPHA * abs(theta)
        elif parameter.dim() > 1:
            total = total + sum(DECAY * abs(w) ** p for w in parameter.reshape(-1) if w != 0)
    return total


@torch.no_grad()
def put_zeros(model):
    for parameter in model.parameters():
        parameter.view(-1)[::3] = 0


@every_p
@pytest.mark.parametrize("gate", [Switch, Filter])
def test_value_and_gradient_are_those_of_the_formula(gate, p):
    torch.manual_seed(0)
    model = gated("MLP with input switches", gate)
    put_zeros(model)
    gates_of(model)["0.gate"].alive[2:4] = False
    with torch.no_grad():
        gates_of(model)["2.gate"].theta[1] *= -1
    shrinker = shrinker_of(model, rows("MLP"), p=p)
    assert_same(model, shrinker.penalty(), written_out(model, p))


@every_p
@pytest.mark.parametrize("name", ["convolutional", "depthwise", "embedding", "residual"])
def test_after_a_removal(name, p):
    model, _, shrinker = trained_net(name, alpha=ALPHA, weight_decay=DECAY, p=p)
    assert_same(model, shrinker.penalty(), written_out(model, p))


def test_what_is_frozen_or_has_one_dimension_is_no_weight():
    model = gated("convolutional")
    model[4].weight.requires_grad_(False)
    value = shrinker_of(model, rows("convolutional"), alpha=0.0, p=1).penalty()
    expected = DECAY * sum(model[i].weight.abs().sum() for i in (0, 7, 9))
    assert_same(model, value, expected)


def test_shared_weights_count_once():
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), Switch(6), nn.Linear(6, 2))
    model[2].weight = model[0].weight
    shrinker = shrinker_of(model.double(), rows("MLP"), alpha=0.0)
    expected = DECAY * sum(w.square().sum() for w in (model[0].weight, model[4].weight))
    assert_same(model, shrinker.penalty(), expected)


def test_alpha_may_change_during_training():
    model = gated("MLP")
    shrinker = shrinker_of(model, rows("MLP"), weight_decay=0.0)
    before = shrinker.penalty()
    shrinker.alpha *= 3
    torch.testing.assert_close(shrinker.penalty(), 3 * before)


# The group lasso: what makes a unit and what reads it, written down by hand for every net.


def linear(name, dim):
    return lambda model, i: [model.get_submodule(name).weight.select(dim, i)]


def row(name):
    """The row of a layer and its bias."""
    return lambda model, i: [model.get_submodule(name).weight[i], model.get_submodule(name).bias[i]]


def column(name):
    return lambda model, i: [model.get_submodule(name).weight[:, i]]


def block(name, size):
    """Columns of a layer behind a flatten."""
    return lambda model, i: [model.get_submodule(name).weight[:, size * i : size * (i + 1)]]


def together(*parts):
    return lambda model, i: [numbers for part in parts for numbers in part(model, i)]


# (rows, columns) of the units of each gate; those of gates that share units count once.
GROUPS = {
    "MLP": {"0.gate": (row("0"), column("2")), "2.gate": (row("2"), column("4"))},
    "convolutional": {
        "1.gate": (row("0"), column("4")),
        "4.gate": (row("4"), block("7", 4)),
        "7.gate": (row("7"), column("9")),
    },
    # The filters of a depthwise convolution belong to neither.
    "depthwise": {"2.gate": (row("0"), column("4")), "4.gate": (row("4"), column("8"))},
    "residual": {
        ("first.gate", "second.gate"): (
            together(row("first"), row("second")),
            together(column("second"), column("last")),
        )
    },
    "embedding": {
        "switch": (column("table"), column("hidden")),
        "hidden.gate": (row("hidden"), column("last")),
    },
}


def group_lasso(model, name, groups):
    """α Σ √#θ ‖θ‖ in a slow loop; what is 0 or off is left out."""
    total = torch.zeros((), dtype=torch.float64)
    for names, parts in GROUPS[name].items():
        gates = [model.get_submodule(n) for n in ([names] if isinstance(names, str) else names)]
        for i in range(len(gates[0])):
            found = parts[groups == "columns"](model, i)
            numbers = torch.cat([part.reshape(-1) for part in found])
            if any(gate.alive[i] for gate in gates) and numbers.any():
                total = total + ALPHA * len(numbers) ** 0.5 * numbers.square().sum().sqrt()
    return total


def masked(name):
    torch.manual_seed(0)
    model = gated(name, Mask)
    if name == "embedding":
        model.switch = Mask(7, dim=-1)
    return model


@pytest.mark.parametrize("groups", ["rows", "columns"])
@pytest.mark.parametrize("name", GROUPS)
def test_group_lasso_is_the_slow_loop(name, groups):
    model, x = masked(name), rows(name)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                module.weight[1], module.bias[1] = 0, 0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=x, alpha=ALPHA, removal=DropFirst(),
                        groups=groups)  # fmt: skip
    assert_same(model, shrinker.penalty(), group_lasso(model, name, groups))
    for _ in range(3):
        step(model, optimizer, shrinker, x)
    assert shrinker.n_units == shrinker.history["n_alive"][0] - 2 * len(shrinker.sizes)
    assert_same(model, shrinker.penalty(), group_lasso(model, name, groups))
    # What belongs to a unit that is off counts no more, cut or not.
    for gate in gates_of(model).values():
        gate.alive[-1] = False
    before = shrinker.penalty()
    shrinker.compact()
    assert shrinker.n_units == sum(len(gate) for gate in gates_of(model).values())
    if (name, groups) != ("convolutional", "rows"):
        # There a bias takes up the constant behind the sigmoid, and a row has a bias.
        torch.testing.assert_close(shrinker.penalty(), before, rtol=1e-13, atol=0)
    assert_same(model, shrinker.penalty(), group_lasso(model, name, groups))


def test_switches_and_masks_in_one_model():
    model = nn.Sequential(nn.Linear(6, 5), Mask(5), nn.ReLU(), nn.Linear(5, 4), Switch(4),
                          nn.Linear(4, 2)).double()  # fmt: skip
    value = shrinker_of(model, rows("MLP"), weight_decay=0.0, groups="columns").penalty()
    expected = ALPHA * (2 * model[3].weight.norm(dim=0).sum() + model[4].theta.abs().sum())
    assert_same(model, value, expected)


def test_a_group_at_zero_is_not_moved_by_its_penalty():
    model = masked("MLP")
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    found = gradients(model, shrinker_of(model, rows("MLP")).penalty())
    assert not found["0.weight"].any()
    assert not found["0.bias"].any()


# Without penalty and removal.


def by_hand(model, x, n_steps=4):
    """Plain training; returns its states."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(n_steps):
        loss = (model(x) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return state_of(model), optimizer.state_dict(), torch.get_rng_state()


def state_of(model):
    """Without the columns of the input that an input switch takes, which are all of them."""
    return {name: t for name, t in model.state_dict().items() if not name.endswith("kept")}


def by_shrinker(model, x, n_steps=4):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=x[:2], alpha=0.0)
    for _ in range(n_steps):
        step(model, optimizer, shrinker, x)
    shrinker.end_epoch()
    shrinker.report()
    return state_of(model), optimizer.state_dict(), torch.get_rng_state()


@pytest.mark.parametrize("name", NETS)
def test_alpha_zero_without_removal_is_plain_training_bit_for_bit(name):
    found = []
    for train in (by_hand, by_shrinker):
        torch.manual_seed(3)
        model = gated(name)
        if name == "MLP":
            model.insert(2, nn.Dropout(0.3))
        found.append(train(model, rows(name)))
    assert same_bits(*found)


def test_random_numbers_of_others_stay_as_they_are():
    torch.manual_seed(0)
    model = gated("MLP").insert(2, nn.Dropout())
    x, states = rows("MLP"), []
    for _ in range(2):
        states.append((torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()))  # noqa: NPY002
        shrinker_of(model, x).report()
        fold(model, x)
    assert same_bits(*states)


def test_what_add_switches_draws():
    """One number from N(0, 1) for each unit, in the order of the layers; nothing else."""
    model = plain("MLP")
    model.insert(1, nn.Dropout())
    torch.manual_seed(5)
    add_switches(model, torch.ones(2, 6, dtype=torch.float64), inputs=True)
    state = torch.get_rng_state()
    torch.manual_seed(5)
    for name in ("0.gate", "3.gate", "0.input_gate"):
        gate = model.get_submodule(name)
        assert torch.equal(gate.theta, torch.randn(len(gate)).double()), name
    assert torch.equal(torch.get_rng_state(), state)
