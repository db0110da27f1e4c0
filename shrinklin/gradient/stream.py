"""Gradient training on rows that arrive in chunks: one epoch for each `partial_fit`."""

from copy import copy, deepcopy
from dataclasses import replace

import numpy as np

from shrinklin.gradient.parametrizations import GatedWeights
from shrinklin.gradient.training import DIVERGED, Training
from shrinklin.pruning.pruner import Pruner
from shrinklin.solvers.solution import Status


class Stream(Training):
    """A training that gets new rows for each epoch, and forgets them afterwards.

    It never changes: `go_on` returns the next one.

    Parameters
    ----------
    solver, risk, parametrization, rng, start
        As for `GradientDescent.train`; `risk` is that of the first rows. With a removal
        strategy, groups whose coefficients are 0 are left out, whatever their gates are.
    intercept : ndarray of shape (n_targets,)
        Intercept to begin with, unless there is a `start`.

    Attributes
    ----------
    settings : dict
        What must not change between two calls.
    importance : float
        The factor on the loss of the current rows.
    n_rows : int
        Rows so far.
    weight : float
        Their sum of sample weights.
    """

    def __init__(self, solver, risk, parametrization, rng, start, intercept) -> None:
        super().__init__(solver, risk, parametrization, rng, start, intercept)
        self.settings = _settings(solver, risk, parametrization)
        self.importance, self.n_rows, self.weight = 1.0, 0, 0.0
        # Not of the best constant: the first rows may be of one class, which it fits perfectly.
        self.scale = risk.value(np.zeros(risk.shape), np.zeros(risk.shape[1]))

    def __setstate__(self, state):
        vars(self).update(state if "pruner" in state else _state_of_0_1_0(state))

    def _left_out(self, x):
        out = super()._left_out(x)
        if self.solver.removal is None:
            return out
        return out | ((self.whole.norms(x) == 0) & (self.whole.groups.weights > 0))

    def go_on(self, solver, risk, parametrization, weight):
        """Train for one epoch on the rows of `risk`, and forget them.

        Parameters
        ----------
        solver : GradientDescent
            Its optimiser and gate must be those of the first call; everything else may
            have changed. A removal strategy of another class begins without memory.
        risk : Risk
        parametrization : Parametrization
            Of all features, also of those that were removed, as `risk` is. Its groups must
            be those of the first call; its penalty may have changed.
        weight : float
            Sum of the sample weights of these rows.

        Returns
        -------
        Stream, Trained
            The stream after this epoch, and its model. The `value` of the model is the
            objective on these rows.
        """
        stream = copy(self)
        # Everything else is replaced, never changed in place.
        stream.optimizer, stream.cost, stream.rng = deepcopy((self.optimizer, self.cost, self.rng))
        stream._meet(solver, risk, parametrization)
        stream._weigh(weight)
        trained = stream._pass_over()
        stream.risk = None
        return stream, trained

    def _meet(self, solver, risk, parametrization):
        """Take the new rows and the current parameters, for the features that are left."""
        _raise_if_changed(self.settings, _settings(solver, risk, parametrization))
        alive = self.point.alive
        if len(alive) < len(parametrization.groups):
            risk = risk.keep(parametrization.groups.features(alive))
        self.solver, self.risk, self.whole = solver, risk, parametrization
        self.point = replace(self.point, parametrization=parametrization.keep(alive))
        self.pruner = self.pruner.resumed(solver.removal, solver.max_epochs)

    def _weigh(self, weight):
        """Set `importance`: the mean weight of these rows over that of all rows so far."""
        n_rows = self.risk.n_samples
        self.n_rows, self.weight = self.n_rows + n_rows, self.weight + weight
        if not np.isfinite(self.weight):
            raise ValueError(
                "the sum of sample_weight times class_weight over all calls of partial_fit is too "
                "large for float64: divide the weights of every call by the same number."
            )
        self.importance = (weight / n_rows) / (self.weight / self.n_rows)

    def _evaluate_risk(self, W, b, rows):
        loss, in_W, in_b = super()._evaluate_risk(W, b, rows)
        return loss, self.importance * in_W, self.importance * in_b

    def _pass_over(self):
        """`Trained`, after one epoch."""
        epoch = self.point.epoch
        loss, gradient = self.evaluate()
        # On these rows, because earlier rows may fit better or had a weaker penalty.
        before = self._with_penalty(loss)
        self.run_epoch(epoch, gradient)
        self.point.epoch, self.point.value = epoch + 1, self._with_penalty(self.loss())
        value = self.point.value
        sound = np.isfinite(value) and value <= DIVERGED * max(before, self.scale)
        return self.trained(Status.CONVERGED if sound else Status.DIVERGED, epoch + 1, {})

    def _with_penalty(self, loss):
        return loss + self.point.parametrization.penalty(self.point.x)


def _settings(solver, risk, parametrization):
    """The settings that the state of a stream depends on, by name."""
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
            f"{' and '.join(changed)} changed between two calls of partial_fit, but the model so "
            "far depends on the previous value: restore it, or start again with a "
            "clone or with fit."
        )


def _state_of_0_1_0(state):
    """The state of a stream that shrinklin 0.1.0 pickled, which had no `Pruner`."""
    state = dict(state)
    for unused in ("records", "best", "first", "least", "waited", "previous"):
        state.pop(unused, None)
    memory, strategy, removal = state.pop("memory"), state.pop("strategy"), state["solver"].removal
    # Without the removal, which `Pruner` would check. Unpickling must not fail.
    pruner = Pruner(None, len(state["whole"].groups), state["solver"].max_epochs)
    pruner.keep(state["point"].alive)
    # They differ if the user replaced the strategy after the last call.
    if type(removal) is strategy:
        pruner.removal, pruner.memory = removal, memory
    return state | {"pruner": pruner}
