"""Estimators with gradient training: scikit-learn's checks, repetition, parameters, output."""

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from problems import simulate
from shrinklin import (
    Annealing,
    GradientDescent,
    ShrinkNetRegressor,
    SignVariance,
    Threshold,
    regularization_path,
)
from trainings import ESTIMATORS, data_of, every_batch_size, every_estimator, fit, same_model

MINIBATCHES = ShrinkNetRegressor(solver=GradientDescent(batch_size=16, max_epochs=100))


# None of the checks asks for a good fit of many features.
SHORT = GradientDescent(max_epochs=60, learning_rate=0.5)


@pytest.mark.parametrize(
    "estimator",
    [
        *(clone(e).set_params(solver=SHORT, random_state=None) for e in ESTIMATORS),
        ShrinkNetRegressor(solver=clone(SHORT).set_params(removal=SignVariance())),
        MINIBATCHES,
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:No features were selected")
@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
@pytest.mark.untraced
def test_check_estimator(estimator):
    # Minibatches of weighted rows differ from those of repeated rows.
    expected = {
        f"check_sample_weight_equivalence_on_{kind}_data": "batches are of rows, not of weight"
        for kind in ("dense", "sparse")
        if estimator is MINIBATCHES
    }
    results = check_estimator(estimator, on_skip=None, expected_failed_checks=expected)
    failed = {result["check_name"] for result in results if result["status"] != "passed"}
    assert failed == set(expected)
    assert len(results) > 50


@every_estimator
@every_batch_size
def test_same_seed_same_bits(estimator, batch_size):
    removal = Threshold(0.01)
    models = [
        fit(estimator, batch_size=batch_size, removal=removal, random_state=seed)
        for seed in (3, 3, 4)
    ]
    assert same_model(*models[:2])
    assert not same_model(*models[1:])


def test_same_bits_in_parallel():
    X, Y = simulate(60, 30, 3, 10, correlation=0.8)
    solver = GradientDescent(max_epochs=50, removal=SignVariance(0.9))
    model = ShrinkNetRegressor(solver=solver, random_state=0)
    alone = clone(model).fit(X, Y)
    for n_jobs in (1, 2):
        fits = Parallel(n_jobs)(delayed(clone(model).fit)(X, Y) for _ in range(3))
        assert all(same_model(alone, other) for other in fits)


def test_grid_search_over_a_parameter_of_the_removal():
    X, Y = simulate(60, 12, 3)
    solver = GradientDescent(max_epochs=60, removal=SignVariance())
    model = ShrinkNetRegressor(0.3, solver=solver, random_state=0)
    grid = {"solver__removal__gamma": [0.0, 0.8, 0.9999999]}
    searches = [GridSearchCV(model, grid, n_jobs=n, cv=3).fit(X, Y) for n in (1, 2)]
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_array_equal(*scores)
    assert len(set(scores[0])) > 1
    assert same_model(*(search.best_estimator_ for search in searches))


@every_estimator
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"optimizer": "newton"}, ValueError, 'optimizer=\'newton\': give one of "sgd", "adagrad"'),
        ({"optimizer": None}, ValueError, "optimizer=None: give one of"),
        ({"optimizer": ["sgd"]}, ValueError, r"optimizer=\['sgd'\]: give one of"),
        ({"gate": "door"}, ValueError, 'gate=\'door\': give one of "switch", "filter"'),
        ({"learning_rate": 0}, ValueError, "learning_rate=0: give a finite number > 0"),
        ({"learning_rate": -1}, ValueError, "learning_rate=-1: give"),
        ({"learning_rate": np.inf}, ValueError, "learning_rate=inf: give"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate='fast' is not a number"),
        ({"learning_rate_decay": -1}, ValueError, "learning_rate_decay=-1: give"),
        ({"learning_rate_decay": None}, TypeError, "learning_rate_decay=None is not"),
        ({"momentum": 1}, ValueError, r"momentum=1: give a number in \[0, 1\)"),
        ({"momentum": -0.1}, ValueError, "momentum=-0.1: give"),
        ({"batch_size": 0}, ValueError, "batch_size=0: give a whole number >= 1"),
        ({"batch_size": 2.5}, ValueError, "batch_size=2.5: give a whole number"),
        ({"batch_size": "all"}, ValueError, "batch_size='all': give a whole number"),
        ({"max_epochs": 0}, ValueError, "max_epochs=0: give a whole number >= 1"),
        ({"max_epochs": None}, ValueError, "max_epochs=None: give a whole number"),
        ({"tol": -1}, ValueError, "tol=-1: give a finite number >= 0"),
        ({"tol": "auto"}, TypeError, "tol='auto' is not a number"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change=0: give a whole number >= 1"),
        ({"removal": "sign"}, ValueError, "removal='sign': give None, an instance of"),
        ({"removal": Threshold}, ValueError, "removal=.*Threshold.*: give None, an instance"),
        ({"removal": Threshold(-1)}, ValueError, "value=-1: give a finite number >= 0"),
        ({"removal": Annealing(13)}, ValueError, "n_features=13 is more than the 12"),
        ({"removal": Annealing(3), "tol": 1e-4}, ValueError, "Annealing.*follows a sch.*tol=None"),
    ],
    ids=repr,
)
def test_bad_parameters_get_one_clear_sentence(estimator, parameters, error, message):
    with pytest.raises(error, match=message):
        fit(estimator, solver=GradientDescent(**parameters))


@every_estimator
def test_gradient_training_follows_no_path(estimator):
    X, y = data_of(estimator)
    model = clone(estimator).set_params(solver=GradientDescent())
    with pytest.raises(ValueError, match=r"GradientDescent\(\) cannot compute a path"):
        regularization_path(model, X, y)


@every_estimator
def test_attributes_of_the_other_kind_of_solver_go(estimator):
    X, y = data_of(estimator)
    of_exact = {"residual_"} | ({"dual_gap_"} if "GroupLasso" in repr(estimator) else set())
    model = clone(estimator).set_params(random_state=0).fit(X, y)
    for solver, has, lacks in [
        (GradientDescent(max_epochs=20), {"history_"}, of_exact),
        ("auto", of_exact, {"history_"}),
    ]:
        model.set_params(solver=solver).fit(X, y)
        assert has <= vars(model).keys()
        assert not lacks & vars(model).keys()


@every_estimator
def test_verbose_shows_a_bar_of_epochs_and_a_summary(estimator, capsys):
    fit(estimator, verbose=1, max_epochs=30)
    out, err = capsys.readouterr()
    assert "epoch" in err
    assert "30/30" in err
    assert "of 12 features" in out
    assert "30 epochs" in out
    fit(estimator, max_epochs=30)
    assert capsys.readouterr() == ("", "")
