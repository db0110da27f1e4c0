"""What is measured about pruned networks: what is left, retrained networks, choices, courses."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score

from experiments import cpna
from experiments.cpna import ALL, COURSE, CPA, CPNA, HIDDEN, PLAIN, Cpna
from experiments.cpna_recipes import RECIPES, Schedule
from experiments.networks import cpna as networks
from experiments.networks.training import perceptron
from experiments.run import Place, run
from shrinklin.networks import ConnectionAnnealing

# The learning rate that leaves weights as they are, to the digits of float32.
STILL = 1e-12


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Trainings of a few epochs."""
    schedules = ("plain", "hidden", "retrained", "refit", "compared", "pruning")
    few = {name: replace(getattr(RECIPES[2], name), epochs=6, batch=50) for name in schedules}
    few |= {name: replace(getattr(RECIPES[2], name), epochs=10) for name in ("order", "choice")}
    few |= {"pretrain": 5, "columns_from": 2, "most_choices": 2, "n_hidden": 16, "n_choosing": 8}
    few |= {"n_all": 8, "n_all_left": 6, "n_refit": 4}
    monkeypatch.setitem(RECIPES, 2, replace(RECIPES[2], **few))


def rows():
    return networks.xor(2, 5, 120, seed=3)[0]


def pruned_slowly(normalize=True, rate=STILL, watch=None):
    """A network that is pruned and hardly trained, and the network it was at first."""
    torch.manual_seed(1)
    plain = perceptron((5, 12, 1))
    first = [parameter.detach().clone() for parameter in plain.parameters()]
    schedule = Schedule(8, 40, rate, 0.0)
    connections = networks.hidden_pruning(4, normalize)
    return networks.Pruned(plain, schedule, connections, *rows(), watch), first


@pytest.mark.parametrize("normalize", [True, False])
def test_the_units_that_are_left_are_known(normalize):
    pruned, (W, _, last, _) = pruned_slowly(normalize)
    strength = last[0].abs() * (W.norm(dim=1) if normalize else 1)
    expected = strength.argsort(descending=True)[:4].sort().values
    torch.testing.assert_close(pruned.units, expected, rtol=0, atol=0)
    torch.testing.assert_close(pruned.model[0].weight.detach(), W[expected])
    # The first units leave in the first epoch: numbers given later would be wrong.
    assert (torch.arange(4) != pruned.units).any()


def test_what_is_left_starts_again_from_its_initial_weights():
    pruned, (W, b, last, bias) = pruned_slowly(rate=0.05)
    assert not torch.allclose(pruned.model[0].weight, W[pruned.units], atol=1e-3)
    model = pruned.restarted(from_initial=True)
    mask = pruned.model[0].weight != 0
    torch.testing.assert_close(model[0].weight, W[pruned.units][:, pruned.columns] * mask)
    torch.testing.assert_close(model[0].bias.detach(), b[pruned.units])
    torch.testing.assert_close(model[2].weight.detach(), last[:, pruned.units])
    torch.testing.assert_close(model[2].bias.detach(), bias)
    other = pruned.restarted(from_initial=False)
    assert not torch.equal(other[2].weight, model[2].weight)


def test_pruned_weights_stay_0_when_it_is_trained_again():
    torch.manual_seed(0)
    X, y = rows()
    connections = ConnectionAnnealing({"2": 6, "0": 14}, mu=0)
    pruned = networks.Pruned(perceptron((5, 12, 1)), Schedule(8, 40, 0.01, 0.0), connections, X, y)
    mask = pruned.model[0].weight != 0
    assert 0 < mask.sum() <= 14 < mask.numel()
    for from_initial in (False, True):
        model = pruned.restarted(from_initial)
        start = model[0].weight.detach().clone()
        networks.train(model, Schedule(5, 40, 0.05, 1e-2), X[:, pruned.columns], y)
        # To the bit, also with a weight decay.
        assert ((model[0].weight != 0) == mask).all()
        assert (model[0].weight - start).abs().max() > 0.01


def test_the_plain_network_computes_the_same():
    pruned, _ = pruned_slowly(rate=0.05)
    X, _ = rows()
    plain = pruned.plain()
    torch.testing.assert_close(plain(X[:, pruned.columns]), pruned.model(X))
    assert not any("gate" in name for name in plain.state_dict())


def test_schedules_are_followed():
    X, y = rows()
    model = perceptron((5, 3, 1))
    schedule = Schedule(6, 60, 0.01, 1e-3, 0.5, 1e-5, 30)
    optimizer, seen = networks.adam(model, schedule), []
    optimizer.register_step_post_hook(
        lambda optimizer, *_: seen.append(
            tuple(optimizer.param_groups[0][name] for name in ("lr", "weight_decay"))
        )
    )
    networks.train(model, schedule, X, y, optimizer=optimizer)
    steps = [schedule.at(epoch) for epoch in range(6) for _ in range(2 if epoch < 3 else 4)]
    assert seen == [(rate, decay) for rate, decay, _ in steps]


def test_scores_are_those_of_scikit_learn():
    torch.manual_seed(0)
    model = perceptron((3, 4, 1))
    model[0].weight.data[0, 0] = 0
    train, test = networks.xor(2, 5, 60, seed=0)
    columns = torch.tensor([0, 3, 4])
    found = networks.scores(model, columns, 2, train, test)
    for name, (X, y) in (("train", train), ("test", test)):
        z = model(X[:, columns]).detach().numpy()[:, 0]
        assert found[f"{name}_auc"] == pytest.approx(100 * roc_auc_score(y, z), rel=1e-5)
        p = 1 / (1 + np.exp(-z.astype(float)))
        assert found[f"{name}_loss"] == pytest.approx(log_loss(y, p), rel=1e-4)
    assert (found["n_weights"], found["n_columns"], found["n_wrong"]) == (15, 3, 2)


def test_a_choice_begins_again_while_its_loss_is_high(monkeypatch):
    losses = iter([0.69, 0.65, 0.3, 0.1])
    monkeypatch.setattr(
        networks, "choose", lambda *given: networks.Choice(torch.arange(2), next(losses), [])
    )
    recipe = replace(RECIPES[2], most_choices=6)
    assert networks.best_choice(recipe, 2, None).loss == 0.3
    losses = iter([0.69, 0.65, 0.68])
    assert networks.best_choice(replace(recipe, most_choices=3), 2, None).loss == 0.65


def test_a_choice_keeps_the_columns_that_matter():
    recipe = replace(
        RECIPES[2], choice=Schedule(50, 100, 0.02, 2e-3, 0.9), columns_from=15, n_choosing=32
    )
    train, _ = networks.xor(2, 6, 600, seed=0)
    torch.manual_seed(0)
    seen = []
    choice = networks.best_choice(recipe, 2, train, lambda model: seen.append(1) or len(seen))
    assert choice.columns.tolist() == [0, 1]
    assert choice.loss < 0.6
    assert len(choice.course) == 50


def cells(figure):
    jobs = Cpna().jobs(cpna._QUICK, True)
    job = next(job for job in jobs if job[0]["figure"] == figure)
    return [{**cell, "p": 6, "n": 120} for cell in job]


@pytest.mark.parametrize("figure", list(networks.MEASURED))
def test_the_same_cells_give_the_same_results(figure):
    job = [cell for cell in cells(figure) if cell["epoch"] <= 10]
    found = networks.measured(job)
    torch.manual_seed(99)
    assert networks.measured(job) == found
    assert len(found) == len(job)
    other = networks.measured([{**cell, "seed": 77} for cell in job])
    assert other[0]["test_loss"] != found[0]["test_loss"]


def test_results_stand_beside_their_methods():
    job = cells(cpna.TABLE)
    found = dict(zip([cell["method"] for cell in job], networks.measured(job), strict=True))
    recipe = RECIPES[2]
    assert found[HIDDEN]["n_weights"] == recipe.n_left * 7
    assert found[ALL]["n_columns"] <= 2
    # The same weights are left.
    for what, restarts in cpna.PRUNED.items():
        assert {found[method]["n_weights"] for method in restarts} == {found[what]["n_weights"]}
    assert found[cpna.REFITTED]["n_weights"] == 2 * 4 + 16 + 4
    assert found[PLAIN]["n_weights"] == job[1]["units"] * 7


def test_pruning_with_and_without_normalisation_starts_alike(monkeypatch):
    normalised, starts = [], []

    class Watched(networks.Pruned):
        def __init__(self, plain, schedule, connections, X, y):
            normalised.append(connections.normalize)
            starts.append(plain[0].weight.detach().clone())
            super().__init__(plain, schedule, connections, X, y)

    monkeypatch.setattr(networks, "Pruned", Watched)
    job = cells(cpna.NORMALISATION)
    networks.measured(job)
    assert [cell["method"] for cell in job[1:]] == [CPA, CPNA]
    assert normalised == [False, True]
    torch.testing.assert_close(*starts, rtol=0, atol=0)


def test_a_course_ends_where_the_training_ends():
    """Against the same training without a record."""
    [cell] = [cell for cell in cells(COURSE) if cell["epoch"] == 10]
    [end] = networks.measured([cell])
    train, test = networks.xor(2, 6, 120, cell["seed"])
    torch.manual_seed(cell["seed"])
    pruned = networks.pruned_in_order(RECIPES[2], 2, 6, *train)
    expected = networks.scores(pruned.plain(), pruned.columns, 2, train, test)
    assert {**end, "n_weights": 0} == {**expected, "n_weights": 0}


def test_a_run_resumes(tmp_path, monkeypatch):
    small = replace(
        cpna._QUICK, problems=((2, 5),), n=80, n_draws=2, units=(8,), n_connections=6,
        normalisation=(2, 5), decays=(0.0,), n_starts=1, course=(2, 5), every=5,
    )  # fmt: skip
    monkeypatch.setattr(cpna, "_QUICK", small)
    # What is drawn is tested elsewhere.
    monkeypatch.setattr(Cpna, "draw", lambda self, table: plt.figure())
    first = run(Cpna(), "xor", True, Place(tmp_path, quiet=True))
    whole = first.files[0].read_bytes()
    first.files[0].write_bytes(b"".join(whole.splitlines(keepends=True)[:12]))
    again = run(Cpna(), "xor", True, Place(tmp_path, quiet=True))
    assert again.files[0].read_bytes() == whole
    assert len(again.verdicts) == 7
