"""What calls leave behind: threads, errors, later calls, clones."""

import numpy as np
import pytest
import torch
from joblib import parallel_config
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

from shrinklin import Annealing
from shrinklin.networks import ConnectionAnnealing, ShrinkNetMLPRegressorCV
from shrinklin.networks.mlp.training import train_epoch
from tests.networks.tables import ESTIMATORS, friedman, wine

regressor, classifier = ESTIMATORS["regressor"], ESTIMATORS["classifier"]


def test_threads_get_the_same_bits():
    X, y = friedman()
    search = ShrinkNetMLPRegressorCV((6,), sizes=2, cv=2, max_epochs=6, random_state=0, n_jobs=2)
    expected = cross_val_score(clone(search).set_params(n_jobs=1), X, y, cv=3)
    state = torch.get_rng_state()
    with parallel_config(backend="threading"):
        found = cross_val_score(search, X, y, cv=3, n_jobs=2)
    np.testing.assert_array_equal(found, expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_failed_call_of_partial_fit_changes_nothing(monkeypatch):
    X, y = friedman()
    model, twin = (clone(regressor).partial_fit(X, y) for _ in range(2))
    with pytest.raises(ValueError, match="diverged"):
        model.partial_fit(X * np.where(np.arange(len(X)) == 0, 1e160, 1)[:, None], y)
    monkeypatch.setattr(
        "shrinklin.networks.mlp.training.train_epoch",
        lambda *args: [train_epoch(*args), (_ for _ in ()).throw(KeyboardInterrupt)],
    )
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    monkeypatch.undo()
    for _ in range(3):
        model.partial_fit(X, y)
        twin.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), twin.predict(X))
    assert vars(model.cost_) == vars(twin.cost_)


def test_partial_fit_leaves_random_numbers_alone():
    X, y = friedman()
    state = torch.get_rng_state()
    clone(regressor).partial_fit(X, y).partial_fit(X, y)
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_count_between_calls_of_partial_fit():
    X, y = friedman()

    def after(weight):
        model = clone(regressor).partial_fit(X, y)
        before = model.predict(X)
        model.partial_fit(X, y + 5, sample_weight=np.full(len(y), weight))
        return np.abs(model.predict(X) - before).mean()

    # Adam's steps forget the size of a gradient, but not at once.
    assert after(1e-6) < 0.7 * after(1.0)
    model = clone(regressor).partial_fit(X, y)
    before = model.predict(X)
    model.partial_fit(X, y, sample_weight=np.zeros(len(y)))
    np.testing.assert_array_equal(model.predict(X), before)


def test_shape_of_targets_is_that_of_the_first_call():
    X, y = friedman()
    assert clone(regressor).partial_fit(X, y).partial_fit(X, y[:, None]).predict(X).ndim == 1


def test_clones_do_what_the_original_does():
    X, y = friedman()
    shared = Annealing(3)
    model = clone(regressor).set_params(removal={"0": shared, "input": shared})
    np.testing.assert_array_equal(clone(model).fit(X, y).predict(X), model.fit(X, y).predict(X))


def test_pruned_connections_do_not_come_back():
    X, y = friedman()
    model = clone(regressor).set_params(removal=ConnectionAnnealing({"0": 10})).fit(X, y)
    with pytest.raises(ValueError, match="would bring back connections"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="would bring back connections"):
        model.set_params(warm_start=True).fit(X, y)
    assert model.n_connections_["0"] <= 10


def test_warm_start_wants_the_same_classes():
    X, y = wine()
    model = clone(classifier).set_params(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="warm_start=True, but y has the classes"):
        model.fit(X, np.where(y == "barolo", "zinfandel", y))


def test_early_stopping_is_not_for_partial_fit():
    X, y = friedman()
    with pytest.raises(ValueError, match="partial_fit cannot do"):
        clone(regressor).set_params(early_stopping=True).partial_fit(X, y)


def test_float32_far_from_zero_predicts_what_was_learnt():
    X, y = friedman()
    model = clone(regressor).set_params(max_epochs=60)
    near = model.fit(X.astype(np.float32), y).score(X.astype(np.float32), y)
    # Rows of float32 near 1e6 are rounded to 1/16 of a hundredth of their range.
    far = (X * 1e3 + 1e6).astype(np.float32)
    assert model.fit(far, y).score(far, y) > near - 0.02
    assert model.module_[0].weight.dtype == torch.float64


def test_ctrl_c_says_what_may_not_be_reached(monkeypatch):
    X, y = friedman()
    calls = []

    def stopped(*args):
        calls.append(0)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return train_epoch(*args)

    monkeypatch.setattr("shrinklin.networks.mlp.training.train_epoch", stopped)
    with pytest.warns(ConvergenceWarning, match="maybe before n_parameters and n_features"):
        clone(regressor).set_params(n_parameters=30).fit(X, y)
