"""Which layers can shrink, which stay whole, and what is said of it."""

import copy
import re

import pytest
import torch

from net import layers_of
from shrinking import gated, masks_without, units_by_gate
from shrinklin.networks import Shrinker, add_switches
from shrinklin.networks.gates import gates_of
from shrinklin.networks.report import Report
from slow_units import unit_count
from training import penalty_of
from zoo import NETS, every_net

pytestmark = pytest.mark.untraced

REFUSED = [net for net in NETS.values() if net.refused is not None]
FOLLOWED = [net for net in NETS.values() if net.refused is None]


@pytest.mark.parametrize("net", REFUSED, ids=lambda net: net.name)
def test_a_path_that_depends_on_the_data_is_refused(net):
    model = net.model()
    before = copy.deepcopy(model.state_dict())
    if net.whole or net.either:
        try:
            add_switches(model, net.inputs)
        except ValueError:
            assert list(before) == list(model.state_dict())
        return
    with pytest.raises(ValueError, match=f"(?i){net.refused}"):
        add_switches(model, net.inputs)
    assert list(before) == list(model.state_dict())


def shrinker_of(net):
    """A `Shrinker` of the net, or the error that no layer can shrink."""
    try:
        model = gated(net)
    except ValueError as error:
        assert not net.shrinks
        return None, str(error)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.1), ""


def widths(model):
    return {name: unit_count(model.get_submodule(name)) for name in layers_of(model)}


@pytest.mark.parametrize("net", FOLLOWED, ids=lambda net: net.name)
def test_layers_shrink_or_stay_as_the_zoo_says(net):
    shrinker, _ = shrinker_of(net)
    if shrinker is None:
        return
    model = shrinker.model
    full = widths(model)
    # The first unit of every gate, in all gates that have it.
    dead = [units[0] for units in units_by_gate(model, net).values()]
    for name, mask in masks_without(model, net, dead).items():
        gates_of(model)[name].alive[torch.from_numpy(mask)] = False
    modes = [False] if net.random else [False, True]
    masked = [outputs(net, model, training) for training in modes]
    shrinker.compact()
    small = widths(model)
    assert {name for name in net.shrinks if small[name] >= full[name]} == set()
    stays = {*net.whole, *net.outputs}
    assert {name for name in stays if small[name] != full[name]} == set()
    for expected, training in zip(masked, modes, strict=True):
        difference = (outputs(net, model, training) - expected).abs().max()
        assert difference <= 1e-12 * expected.abs().max()


@torch.no_grad()
def outputs(net, model, training=False):
    """Of a copy, whose averages of BatchNorm may change."""
    return net.run(copy.deepcopy(model).train(training))


@pytest.mark.parametrize("net", FOLLOWED, ids=lambda net: net.name)
def test_the_report_says_why_a_layer_stays_whole(net):
    shrinker, message = shrinker_of(net)
    if net.by_hand:
        return
    report = shrinker.report() if shrinker else Report()
    notes = {row.name: row.note for row in report}
    for layer, pattern in net.whole.items():
        if layer.endswith("depthwise"):
            # It makes no units: they are those of the layer before.
            continue
        note = notes.get(layer, message)
        assert re.search(pattern, note, re.IGNORECASE), f"{layer}: {note!r} lacks {pattern!r}"
        assert "stays whole" in note or "no layer of the model can shrink" in note
    for row in report:
        assert row.n_initial in (row.n_units, None)
        waits = row.note.startswith("units that are off will have to wait")
        assert row.n_initial is None or row.note == "" or (waits and net.either)
        assert row.name in str(report)


@every_net
def test_nothing_of_the_model_changes_by_following_it(net):
    if net.by_hand or net.refused is not None:
        return
    model = net.model()
    before = copy.deepcopy(model)
    random = torch.get_rng_state()
    with torch.random.fork_rng(devices=[]):
        try:
            add_switches(model, net.inputs)
        except ValueError:
            assert not net.shrinks
    assert torch.equal(torch.get_rng_state(), random)
    after = model.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.state_dict().items())
    assert all(m.training == model.get_submodule(n).training for n, m in before.named_modules())
    assert penalty_of(model, 1.0) >= 0
