"""Pruned and fully connected networks of one hidden layer: what is trained, counted and chosen."""

import numpy as np
import pytest
import torch

from experiments import cpna_uci
from experiments.cpna_uci import CHOSEN, CPNA, EQUIVALENT, LINEAR, MODELS, CpnaUci, Settings
from experiments.networks.cpna_uci import Choices, Recipe, Search, equivalent, measured, trained
from experiments.networks.training import tensors
from experiments.run import Place, run

pytestmark = pytest.mark.untraced

PRUNED = Recipe(32, 0.02, 1e-4, 10, (40, 12))
TINY = Settings(1, 2, 6, units=16, fewer_units=(8,), rates=(0.02,), decays=(1e-4,))


@pytest.fixture(scope="module")
def parts():
    data = CpnaUci().load("wine", True, None)["wine"]
    return cpna_uci.four_to_one(data, 0)


def test_a_pruned_network_has_the_connections_that_it_should_have(parts):
    training, test = parts
    found = trained(PRUNED, tensors(*training), 3, 0)
    first, last = found.model[0].weight, found.model[2].weight
    assert found.connections == (40, 12)
    assert [int(torch.count_nonzero(weight)) for weight in (first, last)] == [40, 12]
    assert found.units == first.shape[0] <= 12
    # The columns that are read: changing any other one changes nothing.
    X = torch.randn(5, 13)
    kept = found.model[0].input_gate.kept
    moved = [j for j in range(13) if not torch.equal(found.model(X), found.model(changed(X, j)))]
    assert found.columns == len(kept) == len(moved)
    assert found.accuracy(*tensors(*test)) > 80


def changed(X, j):
    X = X.clone()
    X[:, j] += 10 * torch.rand(len(X)) + 1
    return X


def test_accuracy_is_that_of_the_outputs_written_out(parts):
    training, (X, y) = parts
    found = trained(Recipe(8, 0.02, 1e-4, 5), tensors(*training), 3, 0)
    W, b, V, c = (parameter.detach().numpy() for parameter in found.model.parameters())
    outputs = np.maximum(X @ W.T + b, 0) @ V.T + c
    right = 100 * (outputs.argmax(axis=1) == y).mean()
    assert found.accuracy(*tensors(X, y)) == pytest.approx(right)
    assert found.connections == (8 * 13, 8 * 3)


def test_learning_rates_are_constant_and_then_fall_to_0():
    recipe = Recipe(1, 0.1, 0.0, 10)
    rates = [recipe.rate_of(epoch) for epoch in range(11)]
    assert rates[:6] == [1.0] * 6
    np.testing.assert_allclose(rates[5:], 0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, 6))))


def test_looking_at_test_rows_changes_nothing(parts):
    training, test = (tensors(*part) for part in parts)
    for recipe in (PRUNED, Recipe(8, 0.02, 1e-4, 5)):
        blind, seeing = trained(recipe, training, 3, 1), trained(recipe, training, 3, 1, test)
        assert torch.equal(blind.model(test[0]), seeing.model(test[0]))
        assert blind.best is None
        assert seeing.best >= seeing.accuracy(*test)


def test_units_of_the_equivalent_are_those_of_the_paper():
    sizes = {"car": (21, 4, 6), "segment": (19, 7, 14), "mfeat": (216, 10, 4)}
    sizes["isolet_part"] = (617, 26, 9)
    for name, (n_inputs, n_outputs, units) in sizes.items():
        assert equivalent(cpna_uci.CONNECTIONS[name], n_inputs, n_outputs) == units


def test_scores_are_means_over_folds_of_the_training_rows(parts):
    training, _ = parts
    search = Search(*training, 3, 3, 0)
    recipe = Recipe(8, 0.02, 1e-4, 3)
    rows = [inside[0].shape[0] + outside[0].shape[0] for inside, outside in search.folds]
    assert rows == [len(training[1])] * 3
    slow = []
    for inside, outside in search.folds:
        model = trained(recipe, inside, 3, 0).model
        slow.append(100 * float((model(outside[0]).argmax(1) == outside[1]).float().mean()))
    assert search.score(recipe) == pytest.approx(np.mean(slow), rel=1e-6)
    # The first of equal ones is chosen.
    other = Recipe(8, 0.01, 1e-4, 3)
    search.scores[other] = search.score(recipe)
    assert search.best([other, recipe]) is other


def test_choices_follow_the_scores(parts, monkeypatch):
    training, _ = parts
    search = Search(*training, 2, 3, 0)
    monkeypatch.setattr(
        search, "score", lambda recipe: -recipe.units + sum(recipe.connections or (0,))
    )
    choices = Choices(search, TINY, (40, 12), 13)
    assert choices.best.units == 8
    assert choices.pruned.connections == (40, 12)
    # Twice as many are better, by these scores.
    assert choices.sized.connections == (80, 24)
    assert choices.scaled((200, 12), 2) == (16 * 13, 24)
    assert choices.equivalent(choices.sized).units == round(104 / 16)


def test_the_same_cell_has_the_same_result(parts):
    training, test = parts
    one, two, other = (measured(PRUNED, training, test, 3, seed) for seed in (0, 0, 1))
    for found in (one, two, other):
        found.pop("seconds")
    assert one == two
    assert one != other


def test_a_run_resumes_and_has_all_models(tmp_path, monkeypatch):
    monkeypatch.setattr(cpna_uci, "_QUICK", TINY)
    place = Place(tmp_path, quiet=True)
    done = run(CpnaUci(), "wine", True, place)
    table = done.table.set_index("model")
    assert list(table.index) == list(MODELS)
    assert table.loc[CPNA, "first_connections"] == 40
    assert table.loc[EQUIVALENT, "units"] == 3
    assert table.loc[CHOSEN, "accuracy"] > 50
    assert np.isnan(table.loc[LINEAR, "units"])
    before = done.files[0].read_bytes()
    run(CpnaUci(), "wine", True, place)
    assert done.files[0].read_bytes() == before
