"""The loop over epochs."""

from contextlib import contextmanager
from copy import deepcopy
from threading import RLock

import numpy as np
import torch

from shrinklin.messages import naming, progress
from shrinklin.networks.mlp.layers import FRONT, n_parameters
from shrinklin.networks.training import train_epoch

# Share of the epochs after which the learning rate falls, and of those without a better score
# after which it falls early.
FULL_RATE, PATIENCE, LEAST_PATIENCE = 0.7, 0.1, 10


# torch has one generator and one number of threads for all threads of Python.
_ALONE = RLock()


def n_falling(max_epochs):
    """How many of the epochs have a falling rate."""
    return max(1, max_epochs - round(FULL_RATE * max_epochs))


@contextmanager
def private_torch(seed, state=None):
    """A block in which torch draws from this seed, or this state, and works with one thread.

    The same seed gives the same bits whatever `n_jobs` leaves each process, and a small network is
    faster with one thread. Other threads of Python wait.
    """
    with _ALONE, torch.random.fork_rng(devices=[]):
        threads = torch.get_num_threads()
        torch.default_generator.manual_seed(seed)
        if state is not None:
            torch.set_rng_state(state)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


class Training:
    """A network that is being trained.

    Parameters
    ----------
    name : str
        Of the estimator, for messages.
    model : nn.Module
    optimizer : torch.optim.Optimizer
    shrinker : Shrinker
    inputs : Scaling
        Of the features.
    outputs : Outputs
    scheduled : bool
        Whether the removal follows a schedule, which has to come to its end.
    unit : float
        The sample weight that counts as 1: the mean of the first rows.

    Attributes
    ----------
    dtype : torch.dtype
    scores : list of float
        Of the held-out rows after each epoch.
    n_epochs : int
    interrupted : bool
        Whether Ctrl-C ended the training.
    state : Tensor
        That of torch's random numbers, between calls of `partial_fit`.
    """

    def __init__(self, name, model, optimizer, shrinker, inputs, outputs, scheduled, unit):
        self.name, self.model, self.optimizer = name, model, optimizer
        self.shrinker, self.inputs, self.outputs = shrinker, inputs, outputs
        self.unit, self.scheduled, self.dtype = unit, scheduled, next(model.parameters()).dtype
        self.scores, self._best, self._best_score = [], None, -np.inf
        self.n_epochs, self.interrupted, self.state = 0, False, None
        self._rate = optimizer.param_groups[0]["lr"]

    @property
    def sizes(self):
        """Number of features and of units in each hidden layer that are left: a list."""
        sizes = self.shrinker.sizes
        return [sizes.pop(FRONT), *sizes.values()]

    @property
    def result(self):
        """The best copy of the model on held-out rows while the rate fell, or the model."""
        return self.model if self._best is None else self._best

    @property
    def score(self):
        """The score of `result` on the held-out rows."""
        return self.scores[-1] if self._best is None else self._best_score

    def run(self, rows, batch_size, max_epochs, held_out=None, verbose=0):
        """Train with a constant rate, and then with one that falls to 0.

        Parameters
        ----------
        rows : Rows
        batch_size, max_epochs : int
        held_out : Rows, default=None
            Once their score no longer improves, the rate falls.
        verbose : int, default=0
        """
        n_last = n_falling(max_epochs)
        falls, epoch = max_epochs - n_last, 0
        patience = max(LEAST_PATIENCE, round(PATIENCE * max_epochs))
        with progress(verbose, max_epochs, self.name, "epoch") as show:
            try:
                while epoch < falls + n_last:
                    self._set_rate(max(0, epoch - falls) / n_last)
                    self.epoch(rows, batch_size)
                    if held_out is not None:
                        self._look_at(held_out, falling=epoch >= falls)
                        if not self.scheduled and epoch < falls and self._stalls(patience):
                            falls = epoch + 1
                    epoch += 1
                    show(units=self.shrinker.n_units)
            except KeyboardInterrupt:
                if epoch == 0:
                    raise
                self.interrupted = True

    def fall(self, rows, batch_size, n_epochs):
        """Train with a rate that falls to 0."""
        for epoch in range(n_epochs):
            self._set_rate(epoch / n_epochs)
            self.epoch(rows, batch_size)

    def _set_rate(self, done):
        """Set the rate for a share `done` of the fall."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate * (1 + np.cos(np.pi * done)) / 2

    def epoch(self, rows, batch_size):
        """One pass over the rows."""
        self.outputs.take_account(n_parameters([*self.sizes, self.outputs.n_outputs]))
        batches = rows.batches(batch_size)
        with naming(f"{self.name}, learning_rate={self._rate:g}, epoch {self.n_epochs + 1}"):
            train_epoch(self.model, self.optimizer, batches, self._loss, self.shrinker)
        self.shrinker.end_epoch()
        self.n_epochs += 1

    def _loss(self, model, batch):
        return self.outputs.loss(model(batch.X), batch.y, batch.weight)

    def is_astray(self, rows):
        """Whether `result` is of no use on these rows."""
        return self.outputs.is_astray(self._predictions(self.result, rows), rows.y, rows.weight)

    def _predictions(self, model, rows):
        model.train(False)
        with torch.no_grad():
            Z = model(rows.X)
        model.train()
        return Z

    def _look_at(self, held_out, falling):
        Z = self._predictions(self.model, held_out)
        score = self.outputs.score(Z, held_out.y, held_out.weight)
        # Of equal scores the last, whose network is the smallest.
        if falling and score >= self._best_score:
            self._best, self._best_score = deepcopy(self.model), score
        self.scores.append(score)

    def _stalls(self, patience):
        best = int(np.argmax(self.scores))
        return len(self.scores) - 1 - best >= patience
