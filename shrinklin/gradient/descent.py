"""Gradient training of a linear model on all samples: the solver `GradientDescent`.

`training` defines an epoch. This module decides when training ends and which model it returns.
"""

from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin.gradient.optimizers import OPTIMIZERS
from shrinklin.gradient.parametrizations import GATES
from shrinklin.gradient.training import DIVERGED, Point, Training
from shrinklin.pruning.history import History
from shrinklin.pruning.removal import Removal
from shrinklin.solvers.solution import Status
from shrinklin.validation.parameters import check_real, check_whole

# Training ends once the objective has grown by this factor: it will not come back.
_HOPELESS = 1e10
# A final loss above this, relative to that of the best constant, means that training went astray.
_WORSE = 1.01


class GradientDescent(BaseEstimator):
    """Gradient training of weights and switches, with removal of features while it runs.

    It is for studying what early removal costs and saves: see ``cost_`` (a `CostMeter`)
    and ``history_`` of the fitted estimator. To get a good model, use an exact solver,
    which reaches a lower objective. `max_iter` and `tol` of the estimator have no effect.

    Standardise the features: they share one learning rate, and the intercept converges
    slowly where their means are far from 0. Weights are drawn from N(0, 1/n_features);
    the intercept begins at the best constant. With thousands of features, a learning rate
    of 0.05 may be so large that all features are removed: try 0.005.

    Ctrl-C ends training and keeps the best model so far. Within a search or a
    cross-validation it ends the current fit, and the next one begins. With
    ``warm_start`` of the estimator, training begins at the previous coefficients, or at
    the previous switches and weights of ShrinkNet. The state of the optimiser is not
    kept, and removed switches stay out. `partial_fit` of the classifiers trains on rows
    that arrive in chunks.

    Parameters
    ----------
    optimizer : {"sgd", "adagrad", "adam"}, default="adagrad"
        How the gradient becomes a step.
    learning_rate : float, default=0.05
        > 0.
    learning_rate_decay : float, default=0.0
        >= 0. In epoch e = 0, 1, … the rate is
        ``learning_rate / (1 + learning_rate_decay * e)``.
    momentum : float, default=0.9
        In [0, 1). For "sgd" only.
    batch_size : int or None, default=None
        Samples per step; their order is shuffled every epoch. None takes all samples.
        Squared loss then needs only `Moments`, unless there are more features than
        samples, and the cost of an epoch does not depend on the number of samples.
    max_epochs : int, default=300
        Maximum number of epochs.
    tol : float or None, default=None
        Training ends when for `n_iter_no_change` epochs the objective has not fallen
        below its minimum by more than tol times the loss of the best constant. None
        trains for `max_epochs`.
    n_iter_no_change : int, default=10
        Number of epochs that `tol` looks at.
    gate : {"switch", "filter"}, default="switch"
        The factor in front of each feature: a switch β, drawn from N(0, 1), or a filter
        max(0, θ) with θ drawn from U[0, 1]. The group lasso has none.
    removal : Removal or None, default=None
        `Threshold`, `SignChange`, `SignVariance`, `Annealing`, or a subclass of
        `Removal`. None removes nothing; exact zeros are then rare.

    References
    ----------
    .. [1] Duchi, Hazan, Singer (2011), Adaptive subgradient methods for online
       learning and stochastic optimization, J. Mach. Learn. Res. 12.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin import GradientDescent, ShrinkNetRegressor, SignVariance
    >>> X, y = load_diabetes(return_X_y=True, scaled=False)
    >>> X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    >>> solver = GradientDescent(removal=SignVariance(gamma=0.9))
    >>> model = ShrinkNetRegressor(alpha=0.05, solver=solver, random_state=0).fit(X, y)
    >>> bool(model.cost_.neuron_epochs < 10 * model.cost_.epochs)
    True
    """

    def __init__(
        self,
        optimizer="adagrad",
        *,
        learning_rate=0.05,
        learning_rate_decay=0.0,
        momentum=0.9,
        batch_size=None,
        max_epochs=300,
        tol=None,
        n_iter_no_change=10,
        gate="switch",
        removal=None,
    ) -> None:
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_decay = learning_rate_decay
        self.momentum = momentum
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.gate = gate
        self.removal = removal

    def check(self, has_switches):
        """Raise unless all parameters are valid."""
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("gate", self.gate, GATES)
        check_real("learning_rate", self.learning_rate, 0, open_end=True)
        check_real("learning_rate_decay", self.learning_rate_decay, 0)
        check_real("momentum", self.momentum, 0)
        if self.momentum >= 1:
            raise ValueError(f"momentum={self.momentum!r}: give a number in [0, 1).")
        if self.batch_size is not None:
            check_whole("batch_size", self.batch_size, 1)
        check_whole("max_epochs", self.max_epochs, 1)
        if self.tol is not None:
            check_real("tol", self.tol, 0)
        check_whole("n_iter_no_change", self.n_iter_no_change, 1)
        if self.removal is None:
            return
        if not isinstance(self.removal, Removal):
            raise ValueError(
                f"removal={self.removal!r}: give None, an instance of shrinklin.Threshold, "
                "SignChange, SignVariance or Annealing, or of a subclass of shrinklin.Removal."
            )
        if self.removal.needs_switch and not has_switches:
            raise ValueError(
                f"removal={self.removal!r} follows the signs of switches, but the group lasso has "
                "none: give Threshold, Annealing or None, or use ShrinkNet."
            )
        if self.removal.needs_loss_changes:
            raise ValueError(
                f"removal={self.removal!r} is for networks: take Annealing to keep a number of "
                "features."
            )
        if self.removal.scheduled and self.tol is not None:
            raise ValueError(
                f"removal={self.removal!r} follows a schedule over max_epochs, which "
                f"tol={self.tol!r} might cut short: give tol=None."
            )

    def train(self, risk, parametrization, rng, *, start=None, report=lambda **facts: None):
        """Train until `max_epochs`, or until the objective no longer falls.

        Parameters
        ----------
        risk : Risk
        parametrization : Parametrization
            Has the same features.
        rng : RandomState
        start : (gate, A, b), default=None
            Beginning, instead of a random one: values of the gates (n_groups,), weights
            and intercept. Features whose gate and weights are 0 are left out, unless all
            would be.
        report : callable, default=None
            Called before every epoch with the objective and the number of features left.

        Returns
        -------
        Trained
        """
        return Descent(self, risk, parametrization, rng, start).run(report)


def _check_choice(name, value, accepted):
    if not isinstance(value, str) or value not in accepted:
        choices = ", ".join(f'"{choice}"' for choice in accepted)
        raise ValueError(f"{name}={value!r}: give one of {choices}.")


class Descent(Training):
    """A training on all samples, from its beginning to its end.

    Attributes
    ----------
    history : History
    best : Point, or None
        The lowest objective so far.
    first, least : float
        The objective at the beginning, and the last one that was clearly a new minimum.
    waited : int
        Epochs since `least`.
    """

    def __init__(self, solver, risk, parametrization, rng, start) -> None:
        super().__init__(solver, risk, parametrization, rng, start)
        self.history = History()
        self.best: Point | None = None
        self.first, self.least, self.waited = np.inf, np.inf, 0

    def run(self, report):
        """Train to the end; returns `Trained`."""
        try:
            status = self._epochs(report)
        except KeyboardInterrupt:
            if self.best is None:
                raise
            self.point, status = self.best, Status.INTERRUPTED
        return self.trained(status, self.history.last["epoch"], self.history.arrays())

    def _epochs(self, report):
        """Train; returns the status of the last `point`."""
        solver = self.solver
        for epoch in range(solver.max_epochs + 1):
            gradient = self._measure(epoch)
            value = self.point.value
            if not np.isfinite(value) or value > _HOPELESS * max(self.first, self.scale):
                return Status.DIVERGED
            if epoch == solver.max_epochs:
                break
            if solver.tol is not None and self.waited >= solver.n_iter_no_change:
                break
            report(objective=value, alive=self.risk.shape[0])
            self.run_epoch(epoch, gradient)
        return self._status(value)

    def _status(self, value):
        """The status of a training that was not stopped early by divergence."""
        if value > DIVERGED * max(self.first, self.scale):
            return Status.DIVERGED
        if value > self.first:
            return Status.ROSE
        if self.solver.tol is not None and self.waited < self.solver.n_iter_no_change:
            return Status.MAX_EPOCHS
        astray = self.history.last["loss"] > _WORSE * self.scale
        return Status.ASTRAY if astray else Status.CONVERGED

    def _measure(self, epoch):
        """Record the epoch; returns the gradient if all samples are one batch."""
        loss, gradient = self.evaluate()
        point = self.point
        penalty = point.parametrization.penalty(point.x)
        point.epoch, point.value = epoch, loss + penalty
        self.history.write(epoch, loss, penalty, self.risk.shape[0], self.cost)
        self._compare()
        return gradient

    def _compare(self):
        """Remember the best point, and for how long the objective has not clearly fallen."""
        point = self.point
        if self.best is None:
            self.first = point.value
        if self.best is None or point.value < self.best.value:
            self.best = replace(point, x=point.x.copy())
        self.waited += 1
        if point.value < self.least - (self.solver.tol or 0.0) * self.scale:
            self.least, self.waited = point.value, 0
