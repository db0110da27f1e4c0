"""A killed training that goes on from a checkpoint ends with the same bits."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from shrinklin import Annealing, Budget, SignChange, SignVariance, Threshold
from shrinklin.networks import Mask, Shrinker, Switch, load_shrunk
from small_nets import DropFirst, gated, rows, same_bits

N_EPOCHS, BATCH = 4, 8


class Killed(Exception):
    pass


OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.02),
    "amsgrad": lambda p: torch.optim.AdamW(p, lr=0.02, amsgrad=True, weight_decay=0.0),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.005, momentum=0.9, centered=True),
}


class Run:
    """A training with a scheduler, dropout of its own and a shuffled order of rows."""

    def __init__(self, name, optimizer="adam", gate=Switch, checkpoint=None, **options):
        self.name = name
        torch.manual_seed(0)
        self.x = rows(name, 36)
        self.model = gated(name, gate)
        if checkpoint:
            load_shrunk(self.model, checkpoint["model"])
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
        options = {"alpha": 0.05, "weight_decay": 1e-3, "max_epochs": N_EPOCHS} | options
        self.shrinker = Shrinker(self.model, self.optimizer, example_inputs=self.x[:2], **options)
        self.order, self.position = None, 0
        if checkpoint:
            self._load(checkpoint)

    def _load(self, checkpoint):
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.scheduler.load_state_dict(checkpoint["scheduler"])
        self.shrinker.load_state_dict(checkpoint["shrinker"])
        self.order, self.position = checkpoint["order"], checkpoint["position"]
        torch.set_rng_state(checkpoint["random"])

    def checkpoint(self):
        """As it comes back from a file."""
        states = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "shrinker": self.shrinker.state_dict(),
            "order": self.order,
            "position": self.position,
            "random": torch.get_rng_state(),
        }
        file = io.BytesIO()
        torch.save(states, file)
        file.seek(0)
        return torch.load(file, weights_only=True)

    def train(self, killed_after=None):
        """Train to the end, or until this many steps are done."""
        n_steps = 0
        for _ in self.shrinker.epochs():
            if self.order is None:
                self.order, self.position = torch.randperm(len(self.x)), 0
            while self.position < len(self.x):
                if n_steps == killed_after:
                    raise Killed
                self._step(self.order[self.position : self.position + BATCH])
                self.position += BATCH
                n_steps += 1
            self.scheduler.step()
            self.order = None
        return self

    def _step(self, batch):
        noise = torch.rand(len(batch), 1, dtype=torch.float64)
        loss = (self.model(self.x[batch]) - noise).square().mean() + self.shrinker.penalty()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.shrinker.step(loss)

    def result(self):
        """All that is to be the same."""
        history = {name: as_lists(c) for name, c in self.shrinker.history.items()}
        sizes = self.shrinker.sizes, repr(self.shrinker.cost), str(self.shrinker.report())
        return self.model.state_dict(), self.optimizer.state_dict(), history, sizes


def as_lists(column):
    if isinstance(column, dict):
        return {name: as_lists(each) for name, each in column.items()}
    return column.tolist()


def killed(checkpoint_after, *args, **options):
    """The checkpoint that a training leaves which is killed after this many steps."""
    run = Run(*args, **options)
    with pytest.raises(Killed):
        run.train(killed_after=checkpoint_after)
    return run.checkpoint()


def assert_ends_with_the_same_bits(*args, times=(5, 7), **options):
    whole = Run(*args, **options).train()
    assert whole.shrinker.n_units < whole.shrinker.history["n_alive"][0]
    for n_steps in times:
        checkpoint = killed(n_steps, *args, **options)
        resumed = Run(*args, checkpoint=checkpoint, **options).train()
        assert same_bits(resumed.result(), whole.result()), n_steps


# Of five steps an epoch.
@pytest.mark.parametrize("when", ["step", "epoch"])
@pytest.mark.parametrize(
    "removal",
    [
        SignVariance(0.7),
        SignChange(),
        Threshold(0.05),
        Annealing(6, mu=1),
        Budget(60),
        DropFirst(3),
    ],
    ids=lambda removal: type(removal).__name__,
)
def test_every_strategy(removal, when):
    assert_ends_with_the_same_bits("MLP", removal=removal, when=when)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser(optimizer):
    assert_ends_with_the_same_bits("MLP", optimizer, removal=DropFirst(4), times=(6,))


@pytest.mark.parametrize(
    "name", ["MLP with input switches", "convolutional", "depthwise", "embedding", "residual"]
)
def test_every_kind_of_network(name):
    assert_ends_with_the_same_bits(name, removal=DropFirst(3), times=(6,))


@pytest.mark.parametrize("groups", ["rows", "columns"])
def test_group_lasso(groups):
    options = {"gate": Mask, "groups": groups, "removal": Annealing(9, mu=1)}
    assert_ends_with_the_same_bits("convolutional", times=(6,), **options)


def test_a_strategy_for_each_layer_and_a_strength_that_changes():
    removal = {"0": SignVariance(0.7), "2": DropFirst(2)}
    checkpoint = killed(7, "MLP", removal=removal)
    checkpoint["shrinker"]["alpha"] = 0.5
    resumed = Run("MLP", removal=removal, checkpoint=checkpoint)
    assert resumed.shrinker.alpha == 0.5


def test_the_resumed_training_runs_the_epochs_that_are_left():
    checkpoint = killed(12, "MLP")
    resumed = Run("MLP", checkpoint=checkpoint)
    assert list(resumed.shrinker.epochs()) == [2, 3]
    assert list(resumed.shrinker.epochs()) == []
    assert resumed.shrinker.history["epoch"].tolist() == [0, 1, 2, 3, 4]


def test_a_state_changes_no_more_once_it_is_taken():
    run = Run("MLP", removal=DropFirst(6))
    with pytest.raises(Killed):
        run.train(killed_after=3)
    state = run.shrinker.state_dict()
    before = as_bytes(state)
    run.train(killed_after=100)
    assert as_bytes(state) == before
    # Nor does it change by what is loaded.
    resumed = Run("MLP", removal=DropFirst(6), checkpoint=killed(3, "MLP", removal=DropFirst(6)))
    resumed.shrinker.load_state_dict(state)
    resumed.train()
    assert as_bytes(state) == before


def as_bytes(state):
    file = io.BytesIO()
    torch.save(state, file)
    return hashlib.sha256(file.getvalue()).hexdigest()


def test_losses_and_strengths_of_numpy_can_be_saved():
    run = Run("MLP", alpha=np.float64(0.1), weight_decay=np.float32(0.1), max_epochs=np.int64(3))
    run.shrinker.penalty()
    run.shrinker.step(np.float64(1.0))
    run.shrinker.end_epoch()
    assert run.checkpoint()["shrinker"]["alpha"] == 0.1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "residual"},
        {"removal": None},
        {"removal": SignChange()},
        {"removal": {"0": DropFirst(), "2": DropFirst()}},
    ],
    ids=["network", "no strategy", "strategy", "strategies"],
)
def test_a_state_of_another_shrinker_is_refused_and_changes_nothing(other):
    state = killed(7, "MLP", removal=DropFirst())["shrinker"]
    run = Run(**{"name": "MLP", "removal": DropFirst()} | other)
    before = as_bytes(run.shrinker.state_dict())
    with pytest.raises(ValueError, match="make this one with the same arguments"):
        run.shrinker.load_state_dict(state)
    assert as_bytes(run.shrinker.state_dict()) == before


def test_a_state_without_that_of_the_model_is_refused():
    """Otherwise what a strategy remembers would be of other units."""
    state = killed(7, "MLP", removal=DropFirst())["shrinker"]
    run = Run("MLP", removal=DropFirst())
    with pytest.raises(ValueError, match="load_shrunk"):
        run.shrinker.load_state_dict(state)


def test_a_model_that_shrank_after_the_shrinker_was_made_is_refused():
    """Its sizes are those of the state, but optimiser and Shrinker hold the old parameters."""
    checkpoint = killed(7, "MLP", removal=DropFirst())
    run = Run("MLP", removal=DropFirst())
    load_shrunk(run.model, checkpoint["model"])
    with pytest.raises(ValueError, match="before the optimiser and the Shrinker are made"):
        run.shrinker.load_state_dict(checkpoint["shrinker"])


def digest(run):
    return as_bytes([run.model.state_dict(), run.optimizer.state_dict()])


def test_the_same_seed_gives_the_same_bits_in_any_process():
    folder = Path(__file__).parent
    code = (
        "import torch; torch.set_num_threads(1); import test_resume as t; "
        "print(t.digest(t.Run('convolutional', removal=t.SignVariance(0.7)).train()))"
    )
    paths = [str(folder), str(folder.parent), str(folder.parents[1])]
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}; {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    here = [digest(Run("convolutional", removal=SignVariance(0.7)).train()) for _ in range(2)]
    assert [found.stdout.strip()] * 2 == here
