"""Networks that choose columns: what they keep, and how they are judged."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from experiments import network_features as experiment
from experiments.networks import network_features as networks
from experiments.networks.network_features import Recipe
from experiments.run import Place, run
from shrinklin import Annealing, SignVariance
from shrinklin.networks import Mask, Switch, add_switches

pytestmark = pytest.mark.untraced

SHORT = Recipe(12, 64, 0.02, 3e-4)


@pytest.fixture(scope="module")
def wine():
    data = experiment.NetworkFeatures().load("network-features", True, None)
    return experiment.rows_of("wine", data["wine"], experiment._QUICK, 0)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setitem(networks.RECIPES, "wine", SHORT)


def test_the_annealed_network_keeps_what_is_asked_for(wine):
    few, all_columns = networks.annealed(wine, [4, 26], 0)
    assert (len(few.columns), len(all_columns.columns)) == (4, 26)
    assert few.accuracy > 60
    again = networks.annealed(wine, [4], 0)[0]
    np.testing.assert_array_equal(again.columns, few.columns)
    assert again.accuracy == few.accuracy


def test_columns_that_are_not_kept_are_not_read(wine):
    torch.manual_seed(0)
    model, _ = networks.shrunk(wine, SHORT, Mask, {"input": Annealing(4, 2, 2)}, 0.0)
    kept = networks.kept_of(model, wine, 0.0)
    X = torch.randn(6, 26)
    moved = X.clone()
    others = np.setdiff1d(np.arange(26), kept.columns)
    moved[:, others] += 5
    assert torch.equal(model(X), model(moved))
    assert not torch.equal(model(X), model(X + 5))


def test_it_begins_again_while_the_loss_is_high(wine, monkeypatch):
    losses, begun = iter([0.9, 0.5, 0.7, 0.1]), []

    def shrunk(rows, recipe, gate, removal, alpha):
        begun.append(torch.rand(1).item())
        return f"network {len(begun)}", next(losses)

    monkeypatch.setattr(networks, "shrunk", shrunk)
    monkeypatch.setattr(networks, "kept_of", lambda model, rows, start: model)
    monkeypatch.setitem(networks.RECIPES, "wine", Recipe(1, 1, 1, 1, high=0.2, tries=3))
    # None is low enough: the lowest of three.
    assert networks.annealed(wine, [4], 0) == ["network 2"]
    assert len(set(begun)) == 3
    assert networks.annealed(wine, [4], 0) == ["network 4"]


def test_switches_are_not_decayed():
    model = add_switches(torch.nn.Linear(3, 2), torch.zeros(2, 3), gate=Switch, inputs=True)
    groups = networks.parameters_of(model, 0.1)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [tensor.shape for tensor in groups[1]["params"]] == [(3,)]
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


def test_of_several_strengths_the_best_with_few_columns_is_taken(wine, monkeypatch):
    found = iter(
        [experiment.Kept(np.arange(n), 10.0 * n, 1.0, held) for n, held in [(9, 99), (5, 80),
                                                                            (4, 85), (1, 30)]]
    )  # fmt: skip
    monkeypatch.setattr(networks, "shrunk", lambda *given: (None, 0.0))
    monkeypatch.setattr(networks, "kept_of", lambda *given: next(found))
    some, none = networks.switched(wine, [5, 0], 0)
    assert (len(some.columns), some.accuracy, some.seconds) == (4, 40.0, 4.0)
    assert none is None


def test_a_penalty_removes_columns(wine):
    counts = []
    for alpha in (1e-4, 0.1):
        torch.manual_seed(0)
        recipe = Recipe(30, 32, 0.02, 3e-4)
        model, _ = networks.shrunk(wine, recipe, Switch, {"input": SignVariance()}, alpha)
        counts.append(len(model[0].input_gate.kept))
    assert counts[1] < counts[0]


def test_the_refitted_network_sees_its_columns_alone(wine):
    informative = networks.refitted(wine, np.arange(13), 0)
    noise = networks.refitted(wine, np.arange(13, 26), 0)
    assert informative > 85
    assert noise < 65
    assert networks.refitted(wine, np.array([], dtype=int), 0) is None


def test_of_lassonets_path_the_first_small_network_is_taken(wine, monkeypatch):
    class Path:
        def __init__(self, **given):
            assert given["torch_seed"] == 7

        def path(self, X, y, callback, X_val, **given):
            assert len(X_val) == len(wine.validation[1])
            kept = [26, 9, 5, 5, 2, 0]
            for _ in kept:
                callback(self, None)
            return [SimpleNamespace(selected=torch.arange(26) < n, state_dict=n) for n in kept]

        def load(self, n):
            self.n = n

        def predict(self, X):
            return np.full(len(X), -1) if self.n == 2 else wine.test[1]

    monkeypatch.setitem(sys.modules, "lassonet", SimpleNamespace(LassoNetClassifier=Path))
    five, three = networks.lassonet(wine, [6, 3], 7)
    np.testing.assert_array_equal(five.columns, np.arange(5))
    assert (five.accuracy, three.accuracy) == (100.0, 0.0)
    assert len(three.columns) == 2
    assert five.seconds <= three.seconds


def test_a_run_has_all_ways_and_resumes(tmp_path, monkeypatch):
    ways = [way for way in experiment.WAYS if "MLP" not in way and way != experiment.LASSONET]
    monkeypatch.setattr(
        experiment, "_QUICK", experiment.Sizes({"wine": (4, 8)}, tuple(ways), 1, 50, 5)
    )
    place = Place(tmp_path, quiet=True)
    done = run(experiment.NetworkFeatures(), "wine", True, place)
    assert list(done.table["way"].unique()) == ways
    annealed = done.table[done.table["way"] == experiment.ANNEALED]
    assert list(annealed["columns"]) == [4, 8]
    before = done.files[0].read_bytes()
    run(experiment.NetworkFeatures(), "wine", True, place)
    assert done.files[0].read_bytes() == before


def test_the_estimator_keeps_as_many_columns_as_are_asked_for(wine):
    (found,) = networks.estimated(wine, [3], 0)
    assert len(found.columns) == 3
    assert found.accuracy > 60
