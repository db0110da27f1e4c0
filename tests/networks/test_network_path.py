"""`shrink_path`: what it returns, how a killed run goes on, and what it refuses."""

import copy
import pickle
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from shrinklin.networks import Columns, shrink_path
from shrinklin.networks.course import Stations
from small_nets import same_bits

pytestmark = pytest.mark.untraced

X = torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, :1] * X[:, 1:2]).tanh()
BATCHES = [(X[i : i + 20], Y[i : i + 20]) for i in (0, 20, 40)]
HELD_OUT = BATCHES[2:]
FULL = 7 * 12 + 13 * 10 + 11


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 10), nn.ReLU(),
            nn.Linear(10, 1),
        )  # fmt: skip


def loss(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def score(model, batch):
    return -(model(batch[0]) - batch[1]).square().sum(dim=1)


def path(model=None, batches=BATCHES[:2], of=loss, **options):
    options = {"n_parameters": [120, 60, 30], "max_epochs": 6, "branch_epochs": 2} | options
    options = {"optimizer": lambda p: torch.optim.Adam(p, lr=0.01)} | options
    torch.manual_seed(1)
    return shrink_path(model or network(), batches, of, **options)


@cache
def common():
    return path(validation=HELD_OUT, score=score)


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


def states(path):
    return [model.state_dict() for model in path.models]


# --- what it returns


def test_the_model_is_not_changed():
    model = network()
    before = copy.deepcopy(model.state_dict())
    path(model, n_parameters=[60], max_epochs=1, branch_epochs=1)
    assert same_bits(dict(model.state_dict()), dict(before))


def test_what_a_path_holds():
    found, model = common(), network()
    assert len(found) == 3
    assert found[1] is found.models[1]
    assert found.n_parameters.tolist() == [size(each) for each in found.models]
    assert (found.n_parameters <= [120, 60, 30]).all()
    # Less than a unit below.
    assert (found.n_parameters > [120 - 19, 60 - 19, 30 - 19]).all()
    assert repr(found) == f"ShrinkPath(3 models, {size(found[0])} to {size(found[2])} parameters)"
    for i, each in enumerate(found):
        assert [type(part) for part in each] == [type(part) for part in model]
        assert found.layer_sizes["0"][i] == each[0].out_features
        assert found.layer_sizes["3"][i] == each[3].out_features
        assert not each.training
    assert set(found.layer_sizes) == {"0", "3"}
    assert np.isfinite(found.losses).all()


def test_scores_are_those_of_the_models_in_evaluation():
    found = common()
    for model, scores in zip(found.models, found.scores, strict=True):
        outputs = model(HELD_OUT[0][0]).detach()
        np.testing.assert_allclose(scores, -(outputs - HELD_OUT[0][1]).square()[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.mean_scores, found.scores.mean(axis=1))
    expected = found.scores.std(axis=1, ddof=1) / np.sqrt(20)
    np.testing.assert_allclose(found.standard_errors, expected)


def test_without_a_score_batches_have_their_loss():
    found = path(validation=BATCHES)
    with torch.no_grad():
        expected = [[-float(loss(each, batch)) for batch in BATCHES] for each in found.models]
    np.testing.assert_allclose(found.scores, expected, rtol=1e-6)
    assert path(validation=HELD_OUT).choose("best") in (0, 1, 2)


def test_the_choice():
    scores = np.array([[0.0, 2.0], [0.5, 2.5], [0.1, 1.1]]) @ np.eye(2, 20)
    found = replace(common(), scores=scores)
    means, errors = found.mean_scores, found.standard_errors
    assert found.choose("best") == 1
    smallest = max(i for i in range(3) if means[i] >= means[1] - errors[1])
    assert found.choose() == found.choose("1se") == smallest == 2


def test_a_path_can_be_pickled():
    found = common()
    again = pickle.loads(pickle.dumps(found))
    assert same_bits(states(again), states(found))
    np.testing.assert_array_equal(again.scores, found.scores)


def test_the_same_seed_gives_the_same_path():
    assert same_bits(states(path()), states(common()))


def test_columns_of_the_input_leave_too():
    found = path(n_parameters=[60, 9], inputs=True)
    assert found.layer_sizes["input"][-1] < 6
    assert isinstance(found[1][0].input_gate, Columns)
    # With all columns there are at least 11.
    assert size(found[1]) <= 9
    assert found[1](X).shape == (60, 1)


def test_a_number_of_sizes():
    budgets = path(n_parameters=4, max_epochs=8).n_parameters
    assert len(budgets) == 4
    assert budgets[0] <= FULL / 2 < budgets[0] + 19
    # One unit in each layer: no network is smaller.
    assert budgets[-1] == 6 + 1 + 1 + 1 + 1 + 1


def test_the_trunk_reaches_each_size_in_its_epoch():
    removal = Stations([1000, 100, 10], [6, 7, 12], 2)
    kept = [removal.kept(10_000, epoch, 12) for epoch in range(13)]
    assert kept[:3] == [10_000] * 3
    assert [kept[4], kept[6], kept[7], kept[12]] == [3162, 1000, 100, 10]
    assert kept == sorted(kept, reverse=True)


def test_branches_train_at_rates_that_fall_to_zero():
    seen = []

    def sgd(parameters):
        seen.append(torch.optim.SGD(parameters, lr=0.1))
        return seen[-1]

    path(n_parameters=[60], branch_epochs=3, optimizer=sgd, max_epochs=2)
    trunk, branch = (each.param_groups[0]["lr"] for each in seen)
    assert trunk == 0.1
    assert branch == pytest.approx(0, abs=1e-12)


# --- a run that is killed


class Killed(Exception):
    pass


class Killing:
    """A loss that kills the run at a call, and counts calls of models that train."""

    def __init__(self, at=None, error=Killed):
        self.at, self.error, self.calls = at, error, 0

    def __call__(self, model, batch):
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return loss(model, batch)


def loader():
    generator = torch.Generator().manual_seed(3)
    return DataLoader(TensorDataset(X, Y), batch_size=20, shuffle=True, generator=generator)


@cache
def whole_of_loader():
    return path(batches=loader())


# Three steps an epoch: 18 of the trunk, then six for each branch.
@pytest.mark.parametrize("at", [2, 16, 19, 26])
def test_a_killed_run_goes_on_and_ends_with_the_same_bits(tmp_path, at):
    whole = whole_of_loader()
    options = {"checkpoint": tmp_path / "path.pt"}
    with pytest.raises(Killed):
        path(batches=loader(), of=Killing(at), **options)
    rest = Killing()
    # From another start, with other random numbers.
    torch.manual_seed(9)
    resumed = path(batches=loader(), of=rest, **options)
    assert same_bits(states(resumed), states(whole))
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    assert resumed.layer_sizes.keys() == whole.layer_sizes.keys()
    done = (at - 1) // 3 if at <= 18 else 6 + (at - 19) // 6 * 2
    assert rest.calls == 3 * (12 - done)


def test_a_finished_path_is_read_from_its_file(tmp_path):
    options = {"checkpoint": tmp_path / "path.pt", "max_epochs": np.int64(6)}
    path(**options)
    counting = Killing()
    assert same_bits(states(path(of=counting, **options)), states(common()))
    assert counting.calls == 0
    assert [file.name for file in tmp_path.iterdir()] == ["path.pt"]


def test_a_checkpoint_of_another_call_is_refused(tmp_path):
    options = {"checkpoint": tmp_path / "path.pt"}
    path(**options)
    for other in ({"n_parameters": [60]}, {"branch_epochs": 3}, {"inputs": True}):
        with pytest.raises(ValueError, match=f"is of a path with another {next(iter(other))}"):
            path(**options, **other)
    smaller = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 1))
    with pytest.raises(ValueError, match="is of a path with another model"):
        path(smaller, **options)
    with pytest.raises(ValueError, match="states of 1 random generators, and here are 2"):
        path(batches=loader(), **options)


def test_ctrl_c_keeps_the_models_that_are_ready():
    # Two steps an epoch: 12 of the trunk, then four for each branch.
    with pytest.warns(ConvergenceWarning, match="interrupted: the path has 1 of 3 models"):
        found = path(of=Killing(18, KeyboardInterrupt), validation=HELD_OUT, score=score)
    assert len(found) == len(found.scores) == len(found.losses) == len(found.layer_sizes["0"]) == 1
    assert same_bits(states(found), states(common())[:1])
    for at in (3, 14):
        with pytest.raises(KeyboardInterrupt):
            path(of=Killing(at, KeyboardInterrupt))


# --- errors


def diverging(at):
    calls = iter(range(1, 1000))

    def of(model, batch):
        return loss(model, batch) * (float("nan") if next(calls) == at else 1)

    return of


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"of": diverging(3)}, "training has diverged, as the loss of a batch is nan"),
        ({"of": diverging(14)}, "parameters: training has diverged, as the loss of a batch is nan"),
        ({"of": lambda model, batch: 1.0}, "loss returned a float: it should return the mean"),
        ({"of": lambda model, batch: model(batch[0])}, "Tensor of shape (20, 1)"),
        ({"batches": iter(BATCHES)}, "batches has none in this epoch"),
        ({"batches": []}, "batches has no tensor to begin with: give example_inputs"),
        ({"n_parameters": [10]}, "n_parameters=[10]: give numbers from 11"),
        ({"n_parameters": [FULL]}, f"to {FULL - 1}, as the model has {FULL}"),
        ({"n_parameters": []}, "n_parameters=[]: give numbers"),
        ({"n_parameters": 0}, "n_parameters=0: give a whole number >= 1"),
        ({"max_epochs": 2}, "max_epochs=2 is less than the number of sizes, 3"),
        (
            {"checkpoint": "nowhere/path.pt"},
            "checkpoint='nowhere/path.pt': there is no such folder",
        ),
        ({"branch_epochs": 0}, "branch_epochs=0: give a whole number >= 1"),
        ({"validation": []}, "validation has no batch"),
        ({"validation": BATCHES, "score": loss}, "score returned a tensor of shape ()"),
    ],
    ids=lambda value: None if isinstance(value, dict) else re.sub(r"\W+", "_", value)[:30],
)
def test_errors(options, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        path(**options)


def test_scores_that_are_not_there():
    found = replace(common(), scores=None)
    with pytest.raises(ValueError, match="give validation to shrink_path"):
        found.choose()
    with pytest.raises(ValueError, match='selection=\'sparsest\': give "best" or "1se"'):
        found.choose("sparsest")
    with pytest.raises(ValueError, match="needs at least two held-out scores"):
        path(validation=HELD_OUT).choose("1se")
