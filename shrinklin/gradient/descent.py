r"""Gradient training with removal of features while it runs: the ShrinkNets drafts' algorithm.

.. math:: \min_{A, \beta, b}\ R(\mathrm{diag}(\beta) A, b)
          + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p)

for ShrinkNet, and R(W, b) + α Σ_g ω_g ‖W_g‖ for the group lasso. An epoch, in order:

1. the objective is measured and written down (`history_`), which ends training where it
   is no longer finite, or no longer falls;
2. for every batch a (sub)gradient is taken (`risk`, `parametrizations`), and a step of the
   optimiser (`optimizers`);
3. after every step the removal strategy (`removal`) says which switches are dead: their
   features leave the data, the parameters and what the optimiser remembers of them.

With all samples in one batch, the gradient of step 1 is that of step 2.

Rows that come in turn (`Stream`) are an epoch each, of steps 2 and 3 on the rows at hand; the
objective is measured on these rows before and after, and is the one after.
"""

from copy import copy, deepcopy
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import gen_batches

from shrinklin.gradient.optimizers import SGD, Adagrad, Adam
from shrinklin.gradient.parametrizations import GATES, GatedWeights, Parametrization
from shrinklin.pruning.cost import CostMeter
from shrinklin.pruning.removal import Removal, Watched
from shrinklin.solvers.solution import Status
from shrinklin.validation.parameters import check_real, check_whole

# An objective that grew this much will not come back, one that ended at this is no model.
_HOPELESS, _DIVERGED = 1e10, 1e3
# A loss of this, relative to that of no features, means that training went astray.
_WORSE = 1.01

# What is written down every epoch.
_RECORD = (
    "epoch",
    "loss",
    "penalty",
    "n_alive",
    "neuron_epochs",
    "parameter_updates",
    "multiply_adds",
)

_OPTIMIZERS = {
    "sgd": lambda solver, size: SGD(size, solver.momentum),
    "adagrad": lambda solver, size: Adagrad(size),
    "adam": lambda solver, size: Adam(size),
}


class GradientDescent(BaseEstimator):
    """Gradient training of weights and switches, with removal of features on the way.

    What the exact solvers are measured against, not a way to better models: it ends
    above their objective. For what early removal costs and saves see `CostMeter`
    (``cost_``) and ``history_`` of the fitted estimator. `max_iter` and `tol` of the
    estimator do not matter.

    Features must be standardised: they share one learning rate, and where their means
    are far from 0 the intercept follows slowly. Weights begin at N(0, 1/p) for p
    features, the intercept at the best constant. With thousands of features a rate of
    0.05 may be too large, so that all of them die: try a tenth.

    Ctrl-C ends training and keeps the best model so far; within a search or a
    cross-validation it ends the fit that is running, and the next begins. With
    ``warm_start`` of the estimator, training begins at the previous coefficients, of
    ShrinkNet at the previous switches and weights, without what the optimiser
    remembered; switches that were removed stay out. `partial_fit` of the classifiers
    trains on rows that come in turn.

    Parameters
    ----------
    optimizer : {"sgd", "adagrad", "adam"}, default="adagrad"
    learning_rate : float, default=0.05
        > 0.
    learning_rate_decay : float, default=0.0
        >= 0. In epoch e = 0, 1, … the rate is
        ``learning_rate / (1 + learning_rate_decay * e)``.
    momentum : float, default=0.9
        In [0, 1), of "sgd" alone.
    batch_size : int or None, default=None
        Samples a step, in an order that is shuffled every epoch. None takes all of
        them: the squared loss of no more features than samples then needs `Moments`
        alone, and an epoch costs as much for any number of samples.
    max_epochs : int, default=300
    tol : float or None, default=None
        Training ends when for `n_iter_no_change` epochs the objective has not come
        below its least by more than tol times the loss of zero coefficients and
        intercept. None trains for `max_epochs`.
    n_iter_no_change : int, default=10
    gate : {"switch", "filter"}, default="switch"
        What stands before a feature: a switch β, drawn from N(0, 1), or a filter
        max(0, θ), θ drawn from U[0, 1]. The group lasso has none.
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
        """Raise unless every parameter is what is stated above."""
        _check_choice("optimizer", self.optimizer, _OPTIMIZERS)
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
                f"removal={self.removal!r} follows the signs of switches, and the group lasso has "
                "none: give Threshold, Annealing or None, or use ShrinkNet."
            )
        if self.removal.scheduled and self.tol is not None:
            raise ValueError(
                f"removal={self.removal!r} follows a schedule over max_epochs, which "
                f"tol={self.tol!r} might cut short: give tol=None."
            )

    def train(self, risk, parametrization, rng, *, start=None, report=lambda **facts: None):
        """Train until `max_epochs`, or as long as the objective falls; see `Training`.

        Parameters
        ----------
        risk : Risk
        parametrization : Parametrization
            Of the same features.
        rng : RandomState
        start : (gate, A, b), default=None
            Where to begin instead of at random: values of the gates (n_groups,), weights
            and intercept. Where both gate and weights are 0 the features stay out, unless
            all would.
        report : callable, default=None
            Called once an epoch with what there is to say of it.

        Returns
        -------
        Trained
        """
        return Training(self, risk, parametrization, rng, start).run(report)


def _check_choice(name, value, accepted):
    if not isinstance(value, str) or value not in accepted:
        choices = ", ".join(f'"{choice}"' for choice in accepted)
        raise ValueError(f"{name}={value!r}: give one of {choices}.")


def _checked_mask(removal, dead, like):
    """What `Removal.dead` gave, if it is a mask."""
    dead = np.asarray(dead)
    if dead.dtype != bool or dead.shape != like.shape:
        raise ValueError(
            f"{type(removal).__name__}.dead gave {dead.dtype} of shape {dead.shape}: it should "
            f"give booleans of shape {like.shape}, True for every switch to take out."
        )
    return dead


def _kept(name, values, kept):
    """Entries of a removal strategy's memory that belong to the switches that are kept."""
    values = np.asarray(values)
    if values.shape[:1] != kept.shape:
        raise ValueError(
            f"memory[{name!r}] has shape {values.shape}: what a removal strategy remembers should "
            f"be arrays of one entry a switch, here {len(kept)}."
        )
    return values[kept]


def _settings(solver, risk, parametrization):
    """By name, what the shape and the meaning of a stream's state depend on."""
    order, ptr = parametrization.groups.order, parametrization.groups.ptr
    return {
        "optimizer": solver.optimizer,
        "momentum": solver.momentum if solver.optimizer == "sgd" else None,
        "gate": solver.gate if isinstance(parametrization, GatedWeights) else None,
        "groups": (order.tobytes(), ptr.tobytes()),
        "fit_intercept": risk.fit_intercept,
    }


def _raise_if_changed(settings, now):
    changed = [name for name, value in settings.items() if now[name] != value]
    if changed:
        raise ValueError(
            f"{' and '.join(changed)} changed between two calls of partial_fit, and what was "
            "learnt so far depends on it: set it back, or begin anew with a clone or with fit."
        )


@dataclass(frozen=True)
class Trained:
    """Outcome of gradient training.

    Attributes
    ----------
    W, A : ndarray of shape (n_features, n_targets)
        Coefficients and weights; rows of removed features are 0. In the order of
        the risk.
    gate : ndarray of shape (n_features,)
        What multiplies each row of A to give W.
    intercept : ndarray of shape (n_targets,)
    value : float
        The objective.
    history : dict of str to ndarray of shape (n_epochs + 1,)
        Empty where rows come in turn; else
        "epoch" counts from 0, which is before the first step: "loss" (R), "penalty",
        "n_alive" (features left), and the readings so far of `CostMeter`,
        "neuron_epochs", "parameter_updates" and "multiply_adds".
    cost : CostMeter
    n_epochs : int
        Epochs made, one that was interrupted not among them; of rows in turn, calls.
    best_epoch : int
        The epoch that the model is of: the last, or the best if stopped by hand.
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
class _Point:
    """Parameters, and which groups they belong to."""

    x: np.ndarray
    parametrization: Parametrization
    alive: np.ndarray
    epoch: int = 0
    value: float = np.inf


class Training:
    """State of one training: what is alive of the data, the parameters and the optimiser."""

    def __init__(self, solver, risk, parametrization, rng, start, intercept=None) -> None:
        self.solver, self.risk, self.whole, self.rng = solver, risk, parametrization, rng
        self.cost = CostMeter(multiply_adds=risk.setup_multiply_adds)
        self.memory: dict[str, np.ndarray] = {}
        self.records: list[tuple] = []
        self.best: _Point | None = None
        self.first, self.least, self.waited = np.inf, np.inf, 0
        # The loss of no features: what the objective is large or small against.
        b, self.scale = risk.constant()
        x = parametrization.draw(rng)
        parametrization.intercept(x)[:] = b if intercept is None else intercept
        self.optimizer = _OPTIMIZERS[solver.optimizer](solver, len(x))
        self.point = _Point(x, parametrization, np.arange(len(parametrization.groups)))
        if start is not None:
            self._begin_at(parametrization.from_factors(*start))

    def _begin_at(self, x):
        out = self._left_out(x)
        if not out.all():
            self.point.x = x
            self._keep(~out)

    def _left_out(self, x):
        """Groups that stay out where training begins at x: a mask (n_groups,)."""
        return self.whole.stuck(x)

    def _check_removal(self):
        if self.solver.removal is not None:
            self.solver.removal.check(len(self.whole.groups), self.solver.max_epochs)

    def run(self, report):
        """`Trained`, after as many epochs as it takes."""
        self._check_removal()
        try:
            status = self._epochs(report)
        except KeyboardInterrupt:
            if self.best is None:
                raise
            self.point, status = self.best, Status.INTERRUPTED
        n_epochs, *_ = self.records[-1]
        columns = zip(*self.records, strict=True)
        history = {n: np.array(c) for n, c in zip(_RECORD, columns, strict=True)}
        return self._trained(status, n_epochs, history)

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
            self._epoch(epoch, gradient)
        if value > _DIVERGED * max(self.first, self.scale):
            return Status.DIVERGED
        if value > self.first:
            return Status.ROSE
        if solver.tol is not None and self.waited < solver.n_iter_no_change:
            return Status.MAX_EPOCHS
        _, loss, *_ = self.records[-1]
        return Status.ASTRAY if loss > _WORSE * self.scale else Status.CONVERGED

    def _epoch(self, epoch, gradient=None):
        """A pass over the samples; `gradient` is that of all of them at once, if known."""
        solver = self.solver
        self.cost.count_passes(1, self.risk.shape[0])
        rate = solver.learning_rate / (1 + solver.learning_rate_decay * epoch)
        for rows in self._batches():
            if rows is not None or gradient is None:
                gradient = self._gradient(rows)[1]
            self._step(gradient, rate)
            self._remove(epoch + 1)

    def _batches(self):
        """Rows of every step of an epoch; None for all."""
        size, n_samples = self.solver.batch_size, self.risk.n_samples
        if size is None:
            return [None]
        order = self.rng.permutation(n_samples)
        return [order[batch] for batch in gen_batches(n_samples, size)]

    def _gradient(self, rows=None):
        """R and the gradient of the objective, or estimates of them."""
        x, parametrization = self.point.x, self.point.parametrization
        self.cost.count_product(self.risk.gradient_multiply_adds(rows))
        W, b = parametrization.coefficients(x), parametrization.intercept(x)
        loss, in_W, in_b = self._evaluate_risk(W, b, rows)
        return loss, parametrization.gradient(x, in_W, in_b)

    def _evaluate_risk(self, W, b, rows):
        """R and its gradients in W and b, or estimates of them."""
        return self.risk.evaluate(W, b, rows)

    def _loss(self):
        """R."""
        x, parametrization = self.point.x, self.point.parametrization
        self.cost.count_product(self.risk.value_multiply_adds())
        return self.risk.value(parametrization.coefficients(x), parametrization.intercept(x))

    def _evaluate(self):
        """R, and the gradient if all samples are one batch."""
        return self._gradient() if self.solver.batch_size is None else (self._loss(), None)

    def _measure(self, epoch):
        """Write the epoch down; returns the gradient if all samples are one batch."""
        loss, gradient = self._evaluate()
        self._write(epoch, loss)
        self._compare()
        return gradient

    def _write(self, epoch, loss):
        point = self.point
        penalty = point.parametrization.penalty(point.x)
        point.epoch, point.value = epoch, loss + penalty
        cost, n_alive = self.cost, self.risk.shape[0]
        read = cost.neuron_epochs, cost.parameter_updates, cost.multiply_adds
        self.records.append((epoch, loss, penalty, n_alive, *read))

    def _compare(self):
        """Remember the best point, and for how long nothing has come clearly below it."""
        point = self.point
        if self.best is None:
            self.first = point.value
        if self.best is None or point.value < self.best.value:
            self.best = replace(point, x=point.x.copy())
        self.waited += 1
        if point.value < self.least - (self.solver.tol or 0.0) * self.scale:
            self.least, self.waited = point.value, 0

    def _step(self, gradient, rate):
        parametrization = self.point.parametrization
        switch = parametrization.switch(self.point.x)
        self.previous = None if switch is None else switch.copy()
        moved = self.point.x - self.optimizer.step(gradient, rate)
        self.point.x = parametrization.stopped(self.point.x, moved)
        fixed = 0 if self.risk.fit_intercept else self.risk.shape[1]
        self.cost.count_updates(len(moved) - fixed)

    def _remove(self, epoch):
        """Take out what the strategy calls dead."""
        removal = self.solver.removal
        if removal is None or len(self.point.alive) == 0:
            return
        x, parametrization = self.point.x, self.point.parametrization
        penalised = parametrization.groups.weights > 0
        watched = Watched(
            switch=parametrization.switch(x),
            previous=self.previous,
            gate=parametrization.gate(x),
            norms=parametrization.norms(x),
            penalised=penalised,
            epoch=epoch,
            max_epochs=self.solver.max_epochs,
            n_switches=len(self.whole.groups),
            memory=self.memory,
        )
        dead = _checked_mask(removal, removal.dead(watched), penalised) & penalised
        if dead.any():
            self.cost.count_removal(parametrization.groups.spread(dead).sum())
            self._keep(~dead)

    def _keep(self, kept):
        """Take everything of the other groups out of every array."""
        point = self.point
        members = np.flatnonzero(kept)
        features = point.parametrization.groups.features(members)
        mask = point.parametrization.mask(members)
        self.risk = self.risk.keep(features)
        self.optimizer.keep(mask)
        self.memory = {name: _kept(name, values, kept) for name, values in self.memory.items()}
        # A new point: `best` may still hold the arrays of the old.
        self.point = replace(
            point,
            x=point.x[mask],
            parametrization=point.parametrization.keep(members),
            alive=point.alive[members],
        )

    def _trained(self, status, n_epochs, history):
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


class Stream(Training):
    """A training whose rows come in turn, an epoch a call: what is carried between them.

    It is never changed: `go_on` gives the next.

    Parameters
    ----------
    solver, risk, parametrization, rng, start
        As for `GradientDescent.train`, `risk` being of the first rows. Where a removal
        strategy is given, groups without a coefficient stay out whatever their gates.
    intercept : ndarray of shape (n_targets,)
        Where the intercept begins if nothing else has a `start`.
    """

    def __init__(self, solver, risk, parametrization, rng, start, intercept) -> None:
        super().__init__(solver, risk, parametrization, rng, start, intercept)
        self.settings = _settings(solver, risk, parametrization)
        # Not of `self.solver`, whose parameters the user may set in mid-stream.
        self.strategy = type(solver.removal)
        # How much the rows at hand count, and what all so far weigh: see `_weigh`.
        self.importance, self.n_rows, self.weight = 1.0, 0, 0.0
        # The first rows may be of one class, whose best constant loses next to nothing.
        self.scale = risk.value(np.zeros(risk.shape), np.zeros(risk.shape[1]))

    def _left_out(self, x):
        out = super()._left_out(x)
        if self.solver.removal is None:
            return out
        return out | ((self.whole.norms(x) == 0) & (self.whole.groups.weights > 0))

    def go_on(self, solver, risk, parametrization, weight):
        """One epoch on the rows of `risk`, which are then forgotten.

        Parameters
        ----------
        solver : GradientDescent
            Its optimiser and gate, and the groups, are those of the beginning; all else,
            penalty and rates too, may have changed. Another kind of removal strategy
            begins without memory.
        risk : Risk
        parametrization : Parametrization
            Both of all features, those that were removed too.
        weight : float
            Sum of the sample weights of these rows.

        Returns
        -------
        Stream, Trained
            What to go on with, and its model, whose `value` is on these rows.
        """
        stream = copy(self)
        # All else is replaced and never changed in place.
        stream.optimizer, stream.memory, stream.cost, stream.rng = deepcopy(
            (self.optimizer, self.memory, self.cost, self.rng)
        )
        stream._meet(solver, risk, parametrization)
        stream._weigh(weight)
        trained = stream._pass_over()
        stream.risk = None
        return stream, trained

    def _meet(self, solver, risk, parametrization):
        """Put the data of the features that are left, and the penalty, in place of the last."""
        _raise_if_changed(self.settings, _settings(solver, risk, parametrization))
        alive = self.point.alive
        if len(alive) < len(parametrization.groups):
            risk = risk.keep(parametrization.groups.features(alive))
        self.solver, self.risk, self.whole = solver, risk, parametrization
        self.point = replace(self.point, parametrization=parametrization.keep(alive))
        self._check_removal()
        if type(solver.removal) is not self.strategy:
            self.strategy, self.memory = type(solver.removal), {}

    def _weigh(self, weight):
        """How much the loss of these rows counts: their mean weight over that of all so far."""
        n_rows = self.risk.n_samples
        self.n_rows, self.weight = self.n_rows + n_rows, self.weight + weight
        if not np.isfinite(self.weight):
            raise ValueError(
                "sample_weight, times class_weight, sums to more than a float64 holds over all "
                "calls of partial_fit: divide the weights of every call by the same number."
            )
        self.importance = (weight / n_rows) / (self.weight / self.n_rows)

    def _evaluate_risk(self, W, b, rows):
        loss, in_W, in_b = super()._evaluate_risk(W, b, rows)
        return loss, self.importance * in_W, self.importance * in_b

    def _pass_over(self):
        """`Trained`, after one epoch."""
        epoch = self.point.epoch
        loss, gradient = self._evaluate()
        # Of these rows: others may be larger, or the penalty may have been weaker.
        before = self._with_penalty(loss)
        self._epoch(epoch, gradient)
        self.point.epoch, self.point.value = epoch + 1, self._with_penalty(self._loss())
        value = self.point.value
        sound = np.isfinite(value) and value <= _DIVERGED * max(before, self.scale)
        return self._trained(Status.CONVERGED if sound else Status.DIVERGED, epoch + 1, {})

    def _with_penalty(self, loss):
        return loss + self.point.parametrization.penalty(self.point.x)
