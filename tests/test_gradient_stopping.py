"""How gradient training ends: by tol, by divergence, by hand, and with which warning."""

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning

from interrupt import interrupted
from shrinklin import (
    GradientDescent,
    Removal,
    ShrinkNetRegressor,
)
from shrinklin.gradient.risk import MomentRisk, SampleRisk
from trainings import (
    SHRINKNETS,
    data_of,
    every_batch_size,
    every_estimator,
    fit,
    name_of,
    objective_of,
    objectives,
)

RATES_TOO_LARGE = {"GroupLassoClassifier": 1e13}  # its gradient is bounded


@every_estimator
@every_batch_size
def test_divergence_is_an_error_and_leaves_no_model(estimator, batch_size):
    rate = RATES_TOO_LARGE.get(name_of(estimator), 1e3)
    solver = GradientDescent("sgd", learning_rate=rate, batch_size=batch_size)
    X, y = data_of(estimator)
    model = clone(estimator).set_params(solver=solver)
    with pytest.raises(ValueError, match=r"learning_rate=.* diverged.*smaller learning_rate"):
        model.fit(X, y)
    assert not hasattr(model, "coef_")
    model.set_params(solver=GradientDescent(max_epochs=5)).fit(X, y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(solver=solver).fit(X, y)
    np.testing.assert_array_equal(model.coef_, before)


def test_the_end_of_a_training_that_blew_up_is_an_error():
    # Adagrad cannot overflow: no step is longer than the learning rate.
    with pytest.raises(ValueError, match="learning_rate=1000 diverged: the objective was"):
        fit(SHRINKNETS[0], learning_rate=1000, max_epochs=20)


@every_estimator
def test_tol_stops_when_the_objective_no_longer_falls(estimator):
    model = fit(estimator, tol=1e-4, max_epochs=5000, n_iter_no_change=10)
    values = objectives(model)
    assert model.n_iter_ == len(values) - 1 < 5000
    _, y = data_of(estimator)
    if is_regressor(estimator):
        of_constant = ((y - y.mean(axis=0)) ** 2).sum() / (2 * len(y))
    else:
        shares = np.unique(y, return_counts=True)[1] / len(y)
        of_constant = -(shares * np.log(shares)).sum()
    # The slow way: the first epoch at which the last ten have gained nothing.
    least, since = np.inf, 0
    for epoch, value in enumerate(values):
        if value < least - 1e-4 * of_constant:
            least, since = value, epoch
        assert epoch - since < 10 or epoch == len(values) - 1
    assert len(values) - 1 - since == 10


@every_estimator
def test_patience_of_one_epoch_trains_at_least_one(estimator):
    model = fit(estimator, tol=1e-6, n_iter_no_change=1, max_epochs=5000)
    assert model.cost_.epochs > 1
    assert model.objective_ < objectives(model)[0]


@every_estimator
def test_too_few_epochs_for_tol_are_reported(estimator):
    with pytest.warns(ConvergenceWarning, match=r"fell by more than tol=1e-08 .*Increase max_ep"):
        model = fit(estimator, tol=1e-8, max_epochs=3)
    assert model.n_iter_ == 3
    assert np.isfinite(model.coef_).all()


@every_estimator
@pytest.mark.parametrize("tol", [None, 1e-4])
def test_an_objective_that_rose_is_reported(estimator, tol):
    with pytest.warns(ConvergenceWarning, match="ended above its first value"):
        model = fit(estimator, learning_rate=20, tol=tol, max_epochs=8, n_iter_no_change=5)
    assert model.objective_ > objectives(model)[0]


@every_estimator
def test_a_model_worse_than_no_features_is_reported(estimator):
    X, y = data_of(estimator)
    with pytest.warns(
        ConvergenceWarning, match="above that of a model without features .*Standardise"
    ):
        fit(estimator, X + 1e4, y, learning_rate=1e-6, max_epochs=20)


@every_estimator
def test_warnings_of_a_training_point_at_the_users_line(estimator):
    X, y = data_of(estimator)
    solver = GradientDescent(tol=1e-9, max_epochs=3)
    with pytest.warns(ConvergenceWarning) as caught:
        clone(estimator).set_params(solver=solver).fit(X, y)
    assert caught[0].filename == __file__


class Interrupt(Removal):
    """Ctrl-C in epoch `at`; before it, features are removed."""

    def __init__(self, at=5):
        self.at = at

    def dead(self, watched):
        if watched.epoch == self.at:
            raise KeyboardInterrupt
        return np.arange(len(watched.gate)) == 6


@every_estimator
@every_batch_size
@pytest.mark.parametrize("learning_rate", [0.05, 20])
@pytest.mark.parametrize("at", [1, 7])
def test_interrupted_by_hand_the_best_so_far_is_the_model(estimator, batch_size, learning_rate, at):
    X, y = data_of(estimator)
    with pytest.warns(ConvergenceWarning, match=r"stopped by hand; the model is that of epoch"):
        model = fit(
            estimator, X, y, removal=Interrupt(at), batch_size=batch_size,
            learning_rate=learning_rate,
        )  # fmt: skip
    values = objectives(model)
    assert len(values) == at
    assert model.objective_ == values.min()
    assert model.objective_ == pytest.approx(objective_of(model, X, y), rel=1e-9)
    best = values.argmin()
    assert model.get_support().sum() == model.history_["n_alive"][best]
    if learning_rate == 0.05:
        assert best == at - 1
    elif at > 1:
        assert best < at - 1
    # The interrupted epoch counts in the cost, but not in n_iter_.
    assert model.cost_.epochs == at == len(objectives(model))
    assert model.n_iter_ == max(1, at - 1)
    assert np.shape(model.predict(X)) == np.shape(y)
    complete = fit(estimator, X, y)
    assert set(vars(model)) == set(vars(complete))


@every_estimator
def test_interrupted_before_anything_was_measured_it_is_an_interrupt(estimator, monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt

    for risk in (MomentRisk, SampleRisk):
        monkeypatch.setattr(risk, "evaluate", stop)
    model = clone(estimator).set_params(solver=GradientDescent())
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data_of(estimator))
    assert not hasattr(model, "coef_")


def test_a_real_interrupt_leaves_a_usable_model():
    done = interrupted(
        "import numpy as np;"
        "from shrinklin import GradientDescent, ShrinkNetRegressor, SignVariance;"
        "rng = np.random.default_rng(0);"
        "X = rng.normal(size=(200, 40)); Y = X[:, :4] @ rng.normal(size=(4, 3));"
        "solver = GradientDescent(max_epochs=10_000_000, removal=SignVariance(0.9));"
        "model = ShrinkNetRegressor(solver=solver, random_state=0);"
        "print('begin', flush=True);"
        "model.fit(X, Y);"
        "print('end', model.score(X, Y) > 0.9)"
    )
    assert b"stopped by hand" in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0
    assert done.stdout.split() == [b"end", b"True"]


def test_a_model_stopped_by_hand_is_there_where_warnings_are_errors():
    model = ShrinkNetRegressor(solver=GradientDescent(removal=Interrupt(at=7)), random_state=0)
    with pytest.raises(ConvergenceWarning, match="stopped by hand"):
        model.fit(*data_of(model))
    assert np.isfinite(model.coef_).all()


@every_estimator
@pytest.mark.parametrize("wrong", ["diverges", "y", "X", "interrupt"])
def test_a_fit_that_fails_leaves_the_model_as_it_was(estimator, wrong, monkeypatch):
    X, y = data_of(estimator)
    rng = np.random.RandomState(0)
    model = clone(estimator).set_params(random_state=rng).fit(X, y)
    before, drawn = vars(model).copy(), rng.get_state()
    rate = 1e13 if wrong == "diverges" else 0.01
    solver = GradientDescent("sgd", learning_rate=rate, max_epochs=30)
    error: type[BaseException] = ValueError
    data = X[:, :7], y
    if wrong == "y":
        data = X[:, :7], np.zeros(3)
    if wrong == "X":
        data = X[:, :7] * np.nan, y
    if wrong == "interrupt":
        error = KeyboardInterrupt
        monkeypatch.setattr(GradientDescent, "train", _raises_interrupt)
    with pytest.raises(error):
        model.set_params(solver=solver).fit(*data)
    assert vars(model.set_params(solver=before["solver"])) == before
    np.testing.assert_equal(rng.get_state(), drawn)


def _raises_interrupt(*args, **kwargs):
    raise KeyboardInterrupt
