"""Calls of partial_fit that diverge or are interrupted leave the model as it was."""

import numpy as np
import pytest
from sklearn.base import clone

from interrupt import interrupt_after
from problems import simulate_classes
from shrinklin import (
    Removal,
)
from streams import (
    ESTIMATORS,
    RATES_TOO_LARGE,
    chunks_of,
    every_batch_size,
    every_estimator,
    make,
    same_bits,
    stream,
)


@every_estimator
@every_batch_size
@pytest.mark.parametrize("begun", [False, True])
def test_divergence_is_an_error_and_leaves_the_model(estimator, batch_size, begun):
    chunks = chunks_of() * 3
    setting = {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": batch_size}
    model = make(estimator, **setting)
    if begun:
        stream(model, chunks[:2])
    before = vars(model).copy()
    model.set_params(solver__learning_rate=RATES_TOO_LARGE.get(type(model), 1e5))
    with pytest.raises(
        ValueError, match=r"diverged: .* in call \d of partial_fit\. Give .*smaller"
    ):
        stream(model, chunks[2:])
    assert vars(model) == before
    # The next call gives the same bits as if nothing had happened.
    model.set_params(solver__learning_rate=0.01)
    stream(model, chunks[2 * begun :])
    assert same_bits(model, stream(make(estimator, **setting), chunks))


def test_an_outlier_does_not_end_the_stream():
    X, y = simulate_classes(100, 8, 2, noise=0.1)
    model = stream(clone(ESTIMATORS[0]).set_params(alpha=0.001), [(X, y)] * 40, 2)
    score = model.score(X, y)
    Z = X[:5].copy()
    Z[0] *= 1e5
    model.partial_fit(Z, 1 - y[:5])
    assert model.objective_ > 1e3
    stream(model, [(X, y)] * 40, 2)
    assert model.score(X, y) > score - 0.05


def test_a_first_loss_of_nothing_makes_no_divergence():
    # All rows are of one class: the best constant and the model have almost no loss.
    Z = np.array([[1.0, 10.0]] * 2 + [[1.0, -10.0]])
    model = make(ESTIMATORS[1], alpha=0.0, learning_rate=1.9)
    model.set_params(solver__max_epochs=1).fit(np.eye(2), [0, 1])
    model.coef_[:] = 20.0, 0.0
    before = np.logaddexp(0, -model.decision_function(Z)).mean()
    model.partial_fit(Z, [1, 1, 1])
    assert 1e3 * before < model.objective_ < 0.1


class Interrupt(Removal):
    """Ctrl-C in the third step of call `at`."""

    def __init__(self, at=3):
        self.at = at
        self.left = 3

    def dead(self, watched):
        self.left -= watched.epoch == self.at
        if watched.epoch == self.at and self.left == 0:
            raise KeyboardInterrupt
        return np.arange(len(watched.gate)) == 6


@every_estimator
def test_interrupted_by_hand_the_last_model_stays(estimator):
    chunks = chunks_of()
    model = make(estimator, batch_size=5, removal=Interrupt())
    stream(model, chunks[:2])
    before = vars(model).copy()
    with pytest.raises(KeyboardInterrupt):
        stream(model, chunks[2:])
    assert vars(model) == before
    whole = make(estimator, batch_size=5, removal=Interrupt(at=99))
    assert same_bits(stream(model, chunks[2:]), stream(whole, chunks))
    assert model.cost_ == whole.cost_


class CountsSteps(Removal):
    """Removes one switch every ten steps; Ctrl-C once it has counted a step of call `at`."""

    def __init__(self, at):
        self.at = at

    def dead(self, watched):
        n = watched.memory["n"] = watched.memory.get("n", np.zeros(len(watched.gate))) + 1
        if watched.epoch == self.at:
            self.at = None
            raise KeyboardInterrupt
        return (np.arange(len(n)) == 0) & (n % 10 == 0)


def test_what_removal_remembers_is_undone_too():
    chunks = chunks_of()
    model, whole = (make(ESTIMATORS[0], removal=CountsSteps(at), batch_size=5) for at in (3, 99))
    stream(model, chunks[:2])
    with pytest.raises(KeyboardInterrupt):
        stream(model, chunks[2:])
    stream(whole, chunks)
    assert 0 < whole.get_support().sum() < 8
    assert same_bits(stream(model, chunks[2:]), whole)


def test_a_real_interrupt_leaves_a_model_that_goes_on():
    X, y = simulate_classes(2000, 8, 3)
    model = make(ESTIMATORS[0], batch_size=1)
    with pytest.raises(KeyboardInterrupt), interrupt_after(0.3):
        stream(model, [(X, y)] * 10_000)
    n_calls = getattr(model, "n_iter_", 0)
    model.partial_fit(X, y, classes=range(3))
    assert model.n_iter_ == n_calls + 1
    assert same_bits(model, stream(clone(model), [(X, y)] * (n_calls + 1)))
