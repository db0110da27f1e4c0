"""The nets of the zoo run, and what it says of them is no slip of the pen."""

import re
from dataclasses import replace

import pytest
import torch

from net import TRANSPOSED, layers_of
from slow_units import idle, unit_count
from zoo import NETS, every_net, vgg16

pytestmark = pytest.mark.untraced


@every_net
@pytest.mark.parametrize("training", [True, False])
def test_runs_and_has_gradients(net, training):
    model = net.model().train(training)
    outputs = net.run(model)
    assert outputs.dtype is torch.float64
    assert torch.isfinite(outputs).all()
    assert outputs.std() > 0
    outputs.square().sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in model.parameters())


@every_net
def test_is_the_same_at_every_call(net):
    first, again = net.model(), net.model()
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    state = torch.get_rng_state()
    net.model()
    assert torch.equal(state, torch.get_rng_state())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        runs = [net.run(model) for model in (first, again) for _ in range(3)]
    assert all(torch.equal(run, runs[0]) for run in runs) is not net.random


@every_net
def test_says_one_thing_of_every_layer(net):
    said = [*net.shrinks, *net.whole, *net.either, *net.outputs]
    assert len(said) == len(set(said))
    layers = layers_of(net.model())
    assert set(said) == (layers if said else set())
    assert said or net.refused is not None
    assert all(names <= net.shrinks | net.either for names in net.joined)
    assert all(len(names) > 1 for names in net.joined)
    for pattern in [*net.whole.values(), net.refused or ""]:
        re.compile(pattern)


@every_net
def test_layers_that_share_units_are_as_long(net):
    model = net.model()
    for names in net.joined:
        assert len({unit_count(model.get_submodule(name)) for name in names}) == 1


@every_net
def test_units_that_shrink_are_read_by_others_alone(net):
    assert badly_read(net, net.model()) == []


def badly_read(net, model):
    """Layers of `shrinks` whose units, off, do not leave a row and columns that do nothing."""
    unused, found = idle(net, model, {}), []
    for layer in net.shrinks:
        used = (~rows(model, layer, unused)).flatten(1).any(1).nonzero().flatten().tolist()
        together = net.together(layer)
        off = idle(net, model, dict.fromkeys(together, used[:1]))
        masks = {name: mask & ~unused[name] for name, mask in off.items()}
        others = masks.keys() - {f"{name}.weight" for name in together}
        columns = [name for name in others if masks[name].ndim > 1 and masks[name].any()]
        if not rows(model, layer, masks)[used[0]].any() or not (columns or net.folds):
            found.append(layer)
    return found


def rows(model, layer, masks):
    """The mask of the weight of a layer, unit by unit."""
    dim = 1 if isinstance(model.get_submodule(layer), TRANSPOSED) else 0
    return masks[f"{layer}.weight"].movedim(dim, 0)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("mlp_sigmoid", {"folds": False}),
        ("mlp_layernorm", {"shrinks": {"first"}}),
        ("mlp_softmax", {"shrinks": {"first"}}),
        ("residual_of_the_input", {"shrinks": {"back"}}),
        ("residual", {"joined": ()}),
        ("gated", {"shrinks": {"head"}}),
        ("resnet", {"joined": ({"stem.0", "body.0.conv2"},)}),
        ("positions", {"shrinks": {"embed"}}),
        ("lstm", {"shrinks": {"head"}}),
    ],
)
def test_wrong_facts_are_found(name, wrong):
    net = replace(NETS[name], **wrong)
    assert badly_read(net, net.model())


def test_vgg16_has_the_layers_of_vgg16():
    model = vgg16().eval()
    assert [unit_count(model.get_submodule(name)) for name in layers_of(model)].count(512) == 8
    assert 15.2e6 < sum(p.numel() for p in model.parameters()) < 15.3e6
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
