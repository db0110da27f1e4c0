"""Wrong code that the comparison with masked twins finds."""

import pytest
import torch

from shrinking import Lesson
from shrinklin.networks import (
    cutting,
    optimizer_state,
    placing,
    rules,
    shrinker,
    switches,
    tracing,
    trial,
)
from shrinklin.networks.gates import Mask
from test_network_removal import learn
from zoo import NETS


def no_checks(monkeypatch):
    """The trial and the last look at the outputs would find most of it before."""
    monkeypatch.setattr(shrinker, "same_outputs", lambda *given: True)
    nothing = trial.Trial({}, {}, {})
    for module in (shrinker, placing):
        monkeypatch.setattr(module, "try_cuts", lambda *given: nothing)


def constants_are_lost(monkeypatch):
    monkeypatch.setattr(cutting, "_added", lambda name, folds: None)


def softmax_keeps_units_apart(monkeypatch):
    monkeypatch.setitem(tracing.RULES, "softmax", rules.conversion)


def the_state_is_forgotten(monkeypatch):
    def cleared(optimizer, replaced):
        states = optimizer_state.smaller_state(optimizer, replaced)
        for new, _ in replaced.values():
            for name, value in states.get(new, {}).items():
                if name != "entry" and torch.is_tensor(value) and value.dim():
                    value.zero_()
        return states

    monkeypatch.setattr(cutting, "smaller_state", cleared)


def the_last_units_are_cut(monkeypatch):
    def last(values, dims):
        for dim, positions in dims.items():
            values = values.narrow(dim, 0, len(positions)).clone()
        return values

    monkeypatch.setattr(cutting, "taken", last)


def units_stay_on(monkeypatch):
    def forgotten(gate, places, optimizers):
        assert not isinstance(gate, Mask)
        with torch.no_grad():
            gate.theta[places] = 0

    monkeypatch.setattr(switches, "switch_off", forgotten)


MUTANTS = [
    (constants_are_lost, "mlp_sigmoid", "step"),
    (softmax_keeps_units_apart, "mlp_softmax", "step"),
    (the_state_is_forgotten, "mlp", "step"),
    (the_last_units_are_cut, "mlp", "step"),
    (units_stay_on, "mlp", "epoch"),
]


@pytest.mark.parametrize(
    ("mutant", "name", "when"), MUTANTS, ids=lambda v: getattr(v, "__name__", v)
)
def test_the_twin_finds_wrong_code(mutant, name, when, monkeypatch):
    no_checks(monkeypatch)
    mutant(monkeypatch)
    lesson = Lesson(NETS[name], "adam", when=when)
    with pytest.raises(AssertionError):
        learn(lesson, 0, (0.3, 0.3))


@pytest.mark.parametrize(("name", "when"), [("mlp_sigmoid", "step"), ("mlp", "epoch")])
def test_right_code_passes_without_the_checks(name, when, monkeypatch):
    no_checks(monkeypatch)
    learn(Lesson(NETS[name], "adam", when=when), 0, (0.3, 0.3))
