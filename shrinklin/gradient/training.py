r"""Gradient training of a linear model, with removal of features while it runs.

It is the algorithm of the ShrinkNets paper. It minimises

.. math:: \min_{A, \beta, b}\ R(\mathrm{diag}(\beta) A, b)
          + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p)

for ShrinkNet, and R(W, b) + α Σ_g ω_g ‖W_g‖ for the group lasso. For every batch of an epoch it

1. computes a (sub)gradient (`risk`, `parametrizations`),
2. takes a step of the optimiser (`optimizers`),
3. asks the removal strategy which switches are dead (`pruner`). Their features leave the data,
   the parameters and the state of the optimiser.

`Descent` runs epochs over the same samples, and measures the objective before each. With all
samples in one batch this also gives the gradient of step 1. `Stream` gets new rows for every
epoch, and measures the objective on these rows before and after.
"""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import gen_batches

from shrinklin.gradient.optimizers import OPTIMIZERS
from shrinklin.gradient.parametrizations import Parametrization
from shrinklin.pruning.cost import CostMeter
from shrinklin.pruning.pruner import Pruned, Pruner
from shrinklin.solvers.solution import Status

# A training that ends with the objective multiplied by this has diverged.
DIVERGED = 1e3


@dataclass(frozen=True)
class Trained:
    """Outcome of gradient training.

    Attributes
    ----------
    W, A : ndarray of shape (n_features, n_targets)
        Coefficients and weights, in the order of the risk. Rows of removed features are 0.
    gate : ndarray of shape (n_features,)
        The factor between each row of A and that of W.
    intercept : ndarray of shape (n_targets,)
    value : float
        The objective.
    history : dict of str to ndarray of shape (n_epochs + 1,)
        The columns of a `History`. Empty after a `Stream`.
    cost : CostMeter
    n_epochs : int
        Completed epochs, or calls of a `Stream`.
    best_epoch : int
        The epoch of the model: the last, or the best if training was interrupted.
    status : Status
    """

    W: np.ndarray
    A: np.ndarray
    gate: np.ndarray
    intercept: np.ndarray
    value: float
    history: dict
    cost: CostMeter
    n_epochs: int
    best_epoch: int
    status: Status


@dataclass
class Point:
    """Parameters of the groups that are left.

    Attributes
    ----------
    x : ndarray of shape (n_parameters,)
    parametrization : Parametrization
        Of the groups that are left.
    alive : ndarray of shape (n_left,)
        These groups, numbered as when training began.
    epoch : int
    value : float
        The objective.
    """

    x: np.ndarray
    parametrization: Parametrization
    alive: np.ndarray
    epoch: int = 0
    value: float = np.inf


class Training(Pruned):
    """State of a training, and what one epoch does to it.

    Parameters
    ----------
    solver, risk, parametrization, rng, start
        As for `GradientDescent.train`.
    intercept : ndarray of shape (n_targets,), default=None
        Intercept to begin with, unless there is a `start`. None takes the best constant.

    Attributes
    ----------
    risk : Risk
        Of the features that are left.
    whole : Parametrization
        Of all features.
    point : Point
    optimizer : Optimizer
    pruner : Pruner
    cost : CostMeter
    scale : float
        The loss of a model without features: the objective is compared with it.
    """

    def __init__(self, solver, risk, parametrization, rng, start, intercept=None) -> None:
        self.solver, self.risk, self.whole, self.rng = solver, risk, parametrization, rng
        self.cost = CostMeter(multiply_adds=risk.setup_multiply_adds)
        b, self.scale = risk.constant()
        x = parametrization.draw(rng)
        parametrization.intercept(x)[:] = b if intercept is None else intercept
        n_groups = len(parametrization.groups)
        self.optimizer = OPTIMIZERS[solver.optimizer](len(x), solver.momentum)
        self.pruner = Pruner(solver.removal, n_groups, solver.max_epochs)
        self.point = Point(x, parametrization, np.arange(n_groups))
        if start is not None:
            self._begin_at(parametrization.from_factors(*start))

    def _begin_at(self, x):
        left_out = self._left_out(x)
        if not left_out.all():
            self.point.x = x
            members = np.flatnonzero(~left_out)
            self.pruner.keep(members)
            self.keep(members)

    def _left_out(self, x):
        """Groups that are left out if training begins at x: a mask (n_groups,)."""
        return self.whole.stuck(x)

    # What the pruner sees and does.

    def switch(self):
        return self.point.parametrization.switch(self.point.x)

    def gate(self):
        return self.point.parametrization.gate(self.point.x)

    def norms(self):
        return self.point.parametrization.norms(self.point.x)

    def penalised(self):
        return self.point.parametrization.groups.weights > 0

    def keep(self, members):
        point = self.point
        mask = point.parametrization.mask(members)
        self.risk = self.risk.keep(point.parametrization.groups.features(members))
        self.optimizer.keep(mask)
        # A new point, because the arrays of the old one may still be in use.
        self.point = replace(
            point,
            x=point.x[mask],
            parametrization=point.parametrization.keep(members),
            alive=point.alive[members],
        )

    # One epoch.

    def run_epoch(self, epoch, gradient=None):
        """Go over all samples once; `gradient` is that of all of them together, if known."""
        solver = self.solver
        self.cost.count_passes(1, self.risk.shape[0])
        rate = solver.learning_rate / (1 + solver.learning_rate_decay * epoch)
        for rows in self._batches():
            if rows is not None or gradient is None:
                gradient = self._gradient(rows)[1]
            self.pruner.before_step(self)
            self._step(gradient, rate)
            self._remove(epoch + 1)

    def _batches(self):
        """Rows of each step of an epoch; None for all."""
        size, n_samples = self.solver.batch_size, self.risk.n_samples
        if size is None:
            return [None]
        order = self.rng.permutation(n_samples)
        return [order[batch] for batch in gen_batches(n_samples, size)]

    def _step(self, gradient, rate):
        parametrization = self.point.parametrization
        moved = self.point.x - self.optimizer.step(gradient, rate)
        self.point.x = parametrization.stopped(self.point.x, moved)
        fixed = 0 if self.risk.fit_intercept else self.risk.shape[1]
        self.cost.count_updates(len(moved) - fixed)

    def _remove(self, epoch):
        """Let the pruner remove features, and count them."""
        groups = self.point.parametrization.groups
        removed = self.pruner.after_step(self, epoch)
        if len(removed):
            self.cost.count_removal(len(groups.features(removed)))

    # The objective.

    def evaluate(self):
        """R, and the gradient of the objective if all samples are one batch."""
        return self._gradient() if self.solver.batch_size is None else (self.loss(), None)

    def _gradient(self, rows=None):
        """R and the gradient of the objective; estimates of them from some rows."""
        x, parametrization = self.point.x, self.point.parametrization
        self.cost.count_product(self.risk.gradient_multiply_adds(rows))
        W, b = parametrization.coefficients(x), parametrization.intercept(x)
        loss, in_W, in_b = self._evaluate_risk(W, b, rows)
        return loss, parametrization.gradient(x, in_W, in_b)

    def _evaluate_risk(self, W, b, rows):
        """R and its gradients in W and b; estimates of them from some rows."""
        return self.risk.evaluate(W, b, rows)

    def loss(self):
        """R."""
        x, parametrization = self.point.x, self.point.parametrization
        self.cost.count_product(self.risk.value_multiply_adds())
        return self.risk.value(parametrization.coefficients(x), parametrization.intercept(x))

    # The model.

    def trained(self, status, n_epochs, history):
        """`Trained`, of all features."""
        point, groups = self.point, self.whole.groups
        parametrization = point.parametrization
        features = groups.features(point.alive)
        A = np.zeros((self.whole.n_features, self.whole.n_targets))
        gate = np.zeros(self.whole.n_features)
        A[features] = parametrization.weights(point.x)
        gate[features] = parametrization.groups.spread(parametrization.gate(point.x))
        return Trained(
            W=gate[:, None] * A,
            A=A,
            gate=gate,
            intercept=parametrization.intercept(point.x).copy(),
            value=point.value,
            history=history,
            cost=self.cost,
            n_epochs=n_epochs,
            best_epoch=point.epoch,
            status=status,
        )
