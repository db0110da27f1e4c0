"""Early, late and no removal as they are measured: identities between trainings."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from experiments.early_removal_networks import (
    EARLY,
    FIXED,
    LATE,
    NEVER,
    NONE,
    PLAIN,
    PLATEAUS,
    SIGN_CHANGE,
    SIGN_VARIANCE,
    SWITCH,
    THRESHOLD,
    EarlyRemovalNetworks,
)
from experiments.networks import early_removal_networks as measuring
from experiments.networks.training import Batches, layer_sizes
from shrinklin import SignChange, SignVariance, Threshold
from shrinklin.networks import Switch, fold
from shrinklin.pruning.removal import Watched

pytestmark = pytest.mark.untraced


def cell(strategy=NONE, parameter=0.0, removed=NEVER, **changes):
    return {
        "schedule": FIXED, "lambda": 0.02, "gate": SWITCH, "strategy": strategy,
        "parameter": parameter, "removed": removed, "seed": 1, "rows": "600-200-300",
        "hidden": "30-20", "batch": 50, "learning_rate": 0.02, "epochs": 5, "fine_tuning": 2,
        **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return EarlyRemovalNetworks().load("digits", True, None)


def counted(found):
    """What does not hang on time."""
    return [{name: value for name, value in one.items() if name != "seconds"} for one in found]


def measure(cells, data):
    return counted(EarlyRemovalNetworks().measure(cells, data))


def test_removals_of_a_job(data):
    cells = [cell()]
    for removed in (EARLY, LATE):
        cells += [cell(SIGN_CHANGE, 1.0, removed), cell(SIGN_VARIANCE, 0.1, removed)]
        # Two that remove nothing: those trainings are one.
        cells += [cell(SIGN_VARIANCE, 1e-6, removed), cell(THRESHOLD, 0.0, removed)]
    never, change, variance, none, least, late, *_, late_none, late_least = measure(cells, data)
    assert never == none == late_none == least == late_least
    n_parameters = 65 * 30 + 31 * 20 + 21 * 10
    assert never["parameters"] == n_parameters
    # With 50 switches; 12 steps in each of 7 epochs.
    assert never["parameter_updates"] == 7 * 12 * (n_parameters + 50)
    assert change["parameters"] < 0.8 * n_parameters
    assert change["parameter_updates"] < late["parameter_updates"] < never["parameter_updates"]
    assert change["multiply_adds"] < late["multiply_adds"] < never["multiply_adds"]
    assert variance["test"] > 0.7


def test_a_result_depends_on_the_cell_alone(data):
    cells = [cell(SIGN_VARIANCE, 0.1, LATE), cell(SIGN_CHANGE, 1.0, EARLY), cell()]
    together = measure(cells, data)
    assert together == [measure([one], data)[0] for one in cells]
    assert together != measure([{**one, "seed": 2} for one in cells], data)


def watched(switch, previous, epoch):
    n = len(switch)
    return Watched(
        switch=switch, previous=previous, gate=switch, norms=None, penalised=np.ones(n, dtype=bool),
        layer=np.zeros(n, dtype=int), epoch=epoch, max_epochs=4, n_switches=n, memory={},
        loss_changes=None, freed=None, n_parameters=None,
    )  # fmt: skip


def test_late_removal_decides_by_all_steps_and_acts_as_in_the_last_epoch():
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(41, 20)) + np.linspace(0, 3, 20)
    strategies = [SignVariance(0.9), SignChange(), Threshold(0.1)]
    watching, memory = measuring.Watching(strategies), {}
    variances, changes = np.zeros(20, dtype=bool), np.zeros(20, dtype=bool)
    for i, (previous, switch) in enumerate(pairwise(steps)):
        seen = watched(switch, previous, 1 + i // 10)
        assert not watching.dead(seen).any()
        dead = strategies[0].dead(replace(seen, memory=memory))
        if i >= 30:
            variances |= dead
            changes |= switch * previous < 0
    np.testing.assert_array_equal(watching.dead_units[0], variances)
    np.testing.assert_array_equal(watching.dead_units[1], changes)
    # It decides at the end, by itself.
    assert watching.dead_units[2] is None
    assert 0 < variances.sum() < changes.sum() < 20


def test_a_cut_changes_nothing_else(data):
    """Mutant: an epoch of training after the cut, in which units adapt."""
    asked = cell(epochs=3)
    X, y = (torch.from_numpy(part) for part in data.split(1, 600, 200, 300)[0])
    one = measuring.begin(asked, (X, y))
    one.go_on(Batches(X, y, 50), 3, 0.02, None)
    dead = np.arange(50) % 3 == 0
    small = fold(one.copy().cut(measuring.These(dead), X[:2]).model)
    with torch.no_grad():
        gates = [part for part in one.model.modules() if isinstance(part, Switch)]
        off = torch.from_numpy(dead).split([30, 20])
        for gate, mine in zip(gates, off, strict=True):
            gate.theta[mine] = 0
        torch.testing.assert_close(small(X), one.model(X), rtol=1e-4, atol=1e-4)
    assert layer_sizes(small) == [int((~mine).sum()) for mine in off]


def test_the_schedule_and_the_best_epoch(data, monkeypatch):
    scores = [0.5, 0.9, *[0.8] * 4, 0.85, *[0.7] * 30]
    given = iter([value for score in scores for value in (score, 1 - score)])
    monkeypatch.setattr(measuring, "accuracy", lambda *rows: next(given))
    plain = cell(schedule=PLATEAUS, gate=PLAIN, epochs=40, fine_tuning=0, **{"lambda": 0.0})
    (found,) = EarlyRemovalNetworks().measure([plain], data)
    # Divided by 10 whenever 5 epochs were no better: three times.
    assert found["n_epochs"] == 2 + 3 * 5
    assert found["best_epoch_of_all"] == 2
    # In the second half all are alike: the first of them.
    assert found["best_epoch"] == 9
    assert found["test"] == pytest.approx(0.3)
    assert found["parameters"] == 65 * 30 + 31 * 20 + 21 * 10


def test_networks_with_switches_shrink_on_plateaus(data):
    one = cell(SIGN_VARIANCE, 0.1, EARLY, schedule=PLATEAUS, epochs=6)
    torch.manual_seed(5)
    (found,) = measure([one], data)
    assert found["n_epochs"] == 6
    assert found["parameters"] < 0.8 * (65 * 30 + 31 * 20 + 21 * 10)
    assert found == measure([one], data)[0]
