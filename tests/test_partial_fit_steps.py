"""Steps of partial_fit against a slow reference, and against epochs of fit."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss as mean_log_loss
from sklearn.preprocessing import StandardScaler

from problems import simulate_classes
from shrinklin import (
    Annealing,
    SignChange,
    SignVariance,
    Threshold,
)
from shrinklin.gradient.risk import SampleRisk
from shrinklin.gradient.stream import Stream
from streams import (
    ESTIMATORS,
    OPTIMIZERS,
    assert_close,
    chunks_of,
    every_batch_size,
    every_estimator,
    every_number_of_classes,
    make,
    prepared,
    slow_stream,
    stream,
)


@every_estimator
@every_number_of_classes
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_call_is_one_step_of_the_formula(estimator, n_classes, optimizer):
    chunks = chunks_of(n_classes)[:1]
    model = stream(prepared(estimator, **OPTIMIZERS[optimizer]), chunks, n_classes)
    slow = slow_stream(model, chunks)
    assert slow.n_steps == 1
    assert slow.deviation(model) < 1e-12


SETTINGS: dict[str, dict] = {
    "whole chunks": {},
    "minibatches": {"batch_size": 7},
    "momentum": {"batch_size": 7, **OPTIMIZERS["sgd"]},
    "adam": {"batch_size": 16, **OPTIMIZERS["adam"]},
    "decay": {"learning_rate_decay": 0.5},
    "penalty": {"batch_size": 7, "alpha": 0.5},
}


@every_estimator
@every_number_of_classes
@pytest.mark.parametrize("name", SETTINGS)
def test_several_calls_are_those_of_a_slow_reference(estimator, n_classes, name):
    chunks = chunks_of(n_classes)
    model = stream(prepared(estimator, **SETTINGS[name]), chunks, n_classes)
    assert slow_stream(model, chunks).deviation(model) < 1e-10


@every_batch_size
def test_removal_in_a_stream_is_that_of_a_slow_reference(batch_size):
    chunks = chunks_of() * 4
    setting = {"batch_size": batch_size, "alpha": 0.3, "learning_rate": 0.1}
    model = prepared(ESTIMATORS[0], removal=SignVariance(0.9, 0.5), **setting)
    slow = slow_stream(stream(model, chunks), chunks)
    assert 0 < slow.alive.sum() < 8
    np.testing.assert_array_equal(model.get_support(), slow.alive)
    assert slow.deviation(model) < 1e-10


@every_estimator
@every_batch_size
def test_weighted_calls_are_those_of_a_slow_reference(estimator, batch_size):
    chunks, rng = chunks_of(), np.random.default_rng(0)
    weights = [k * rng.uniform(0.5, 1, len(y)) for k, (_, y) in enumerate(chunks, start=1)]
    weights[2][::3] = 0
    model = stream(prepared(estimator, batch_size=batch_size), chunks, weights=weights)
    assert slow_stream(model, chunks, weights).deviation(model) < 1e-10


# Wrong code that the comparison must reject.


def _forgets_the_optimizer(monkeypatch):
    meet = Stream._meet

    def forgetful(self, *args):
        meet(self, *args)
        self.optimizer.state = [np.zeros_like(values) for values in self.optimizer.state]

    monkeypatch.setattr(Stream, "_meet", forgetful)


def _forgets_what_removal_remembers(monkeypatch):
    meet = Stream._meet

    def forgetful(self, *args):
        meet(self, *args)
        self.pruner.memory = {}

    monkeypatch.setattr(Stream, "_meet", forgetful)


def _scales_the_penalty_by_the_share_of_the_batch(monkeypatch):
    evaluate = SampleRisk.evaluate

    def scaled(self, W, b, rows=None):
        # For an optimizer without scale, dividing the loss is the same as multiplying the penalty.
        loss, in_W, in_b = evaluate(self, W, b, rows)
        share = 1 if rows is None else len(rows) / self.n_samples
        return loss, in_W / share, in_b / share

    monkeypatch.setattr(SampleRisk, "evaluate", scaled)


def _counts_epochs_anew(monkeypatch):
    go_on = Stream.go_on

    def forgetful(self, *args):
        self.point.epoch = 0
        return go_on(self, *args)

    monkeypatch.setattr(Stream, "go_on", forgetful)


def _weighs_every_call_alone(monkeypatch):
    monkeypatch.setattr(Stream, "_weigh", lambda self, weight: None)


MUTANTS: dict = {
    _forgets_the_optimizer: {},
    _forgets_what_removal_remembers: {
        "removal": SignVariance(0.9, 0.5), "alpha": 0.3, "learning_rate": 0.1,
    },
    _scales_the_penalty_by_the_share_of_the_batch: {"batch_size": 7},
    _counts_epochs_anew: {"learning_rate_decay": 0.5},
    _weighs_every_call_alone: {},
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__.strip("_"))
def test_wrong_code_is_rejected(mutant, monkeypatch):
    chunks = chunks_of() * 4
    weights = [np.full(len(y), 1.0 + k % 3) for k, (_, y) in enumerate(chunks)]
    right = stream(prepared(ESTIMATORS[0], **MUTANTS[mutant]), chunks, weights=weights)
    slow = slow_stream(right, chunks, weights)
    assert slow.deviation(right) < 1e-10
    mutant(monkeypatch)
    wrong = stream(clone(right), chunks, weights=weights)
    assert slow.deviation(wrong) > 1e-3


REMOVALS = [None, Threshold(0.05), SignChange(), SignVariance(0.9), Annealing(2)]


@every_estimator
@every_batch_size
@pytest.mark.parametrize("removal", REMOVALS, ids=repr)
@pytest.mark.parametrize("groups", [None, [2, 0, 1, 3] * 2], ids=["features", "groups"])
@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
def test_calls_on_the_same_data_are_epochs_of_fit(estimator, batch_size, removal, groups):
    if removal is not None and removal.needs_switch and estimator is ESTIMATORS[1]:
        return
    X, y = simulate_classes(50, 8, 3)
    setting = {"batch_size": batch_size, "removal": removal, "groups": groups, "alpha": 0.2}
    model = make(estimator, max_epochs=40, learning_rate_decay=0.02, **setting)
    fitted = clone(model).fit(X, y)
    stream(model, [(X, y)] * 40)
    assert_close(model, fitted)
    assert model.n_iter_ == fitted.n_iter_ == 40
    assert model.objective_ == pytest.approx(fitted.objective_, rel=1e-12)
    for count in ("epochs", "neuron_epochs", "parameter_updates", "removals"):
        assert getattr(model.cost_, count) == getattr(fitted.cost_, count)
    if removal is not None and groups is None:
        assert 0 < fitted.get_support().sum() < 8


@every_estimator
@every_batch_size
def test_weights_are_those_of_fit(estimator, batch_size):
    X, y = simulate_classes(50, 8, 3)
    s = np.random.default_rng(0).uniform(0, 5, 50) * (np.arange(50) % 4 > 0)
    weight = {0: 3.0, 2: 0.5}
    model = make(estimator, batch_size=batch_size, max_epochs=15, class_weight=weight)
    fitted = clone(model).fit(X, y, s)
    assert_close(stream(model, [(X, y)] * 15, weights=[s] * 15), fitted)
    assert model.objective_ == pytest.approx(fitted.objective_, rel=1e-12)
    # A common factor of the weights does not matter.
    assert_close(stream(clone(model), [(X, y)] * 15, weights=[9 * s] * 15), fitted, 1e-10)
    unweighted = stream(clone(model).set_params(class_weight=None), [(X, y)] * 15)
    assert np.abs(unweighted.coef_ - model.coef_).max() > 1e-3


@every_estimator
def test_a_stream_of_digits_comes_near_fit(estimator):
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = StandardScaler().fit_transform(X)[order], y[order]
    model = clone(estimator).set_params(alpha=0.02)
    exact = clone(model).fit(X[:700], y[:700])
    chunks = [(X[k : k + 100], y[k : k + 100]) for k in range(0, 700, 100)]
    losses = []
    for _ in range(3):
        stream(model, chunks * 8, 10)
        losses.append(mean_log_loss(y[700:], model.predict_proba(X[700:])))
    reached = mean_log_loss(y[700:], exact.predict_proba(X[700:]))
    assert losses[-1] < 1.1 * reached < 0.35
    assert losses[-1] < losses[0]
