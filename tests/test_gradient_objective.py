"""The objective of gradient training: its formula, its exact minimum, and any p > 0."""

from functools import cache

import numpy as np
import pytest
from sklearn.base import ClassifierMixin, clone

from problems import random_small, random_small_classes
from shrinklin import (
    Threshold,
)
from trainings import (
    GROUP_LASSOS,
    data_of,
    every_batch_size,
    every_estimator,
    every_shrinknet,
    loss_of,
    name_of,
    objective_of,
    objectives,
    untrained,
)


def fit(estimator, *data, **parameters):
    """That of `trainings`, here because a warning names the file that calls the method fit."""
    return untrained(estimator, **parameters).fit(*(data or data_of(estimator)))


@every_estimator
@every_batch_size
def test_objective_is_that_of_the_formula(estimator, batch_size):
    X, y = data_of(estimator)
    removal = Threshold(0.02)
    model = fit(estimator, X, y, batch_size=batch_size, removal=removal, alpha=0.2)
    assert model.objective_ == objectives(model)[-1]
    assert model.objective_ == pytest.approx(objective_of(model, X, y), rel=1e-9)
    assert model.history_["loss"][-1] == pytest.approx(loss_of(model, X, y), rel=1e-9)


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
def test_group_lasso_comes_close_to_the_exact_minimum(estimator):
    X, y = data_of(estimator)
    exact = clone(estimator).set_params(tol=1e-10).fit(X, y)
    model = fit(estimator, X, y, learning_rate_decay=0.01, learning_rate=0.3, max_epochs=2000)
    assert (objectives(model) >= exact.objective_ - 1e-9).all()
    assert model.objective_ <= 1.01 * exact.objective_
    # The minimum of another problem would not pass for this one.
    other = clone(estimator).set_params(alpha=0.13, tol=1e-10).fit(X, y)
    assert other.objective_ > 1.01 * exact.objective_


@cache
def exact_minimum(cls, p, seed, alpha):
    """Data, and the objective that the exact solver reaches: the same for every gate."""
    X, y = (random_small_classes if issubclass(cls, ClassifierMixin) else random_small)(seed)
    return X, y, cls(p=p, alpha=alpha).fit(X, y).objective_


@every_shrinknet
@pytest.mark.parametrize("gate", ["switch", "filter"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.untraced
def test_shrinknet_never_comes_below_the_exact_minimum(estimator, gate, p, seed):
    for alpha in (0.02, 0.2):
        X, y, exact = exact_minimum(type(estimator), p, seed, alpha)
        model = fit(estimator, X, y, p=p, alpha=alpha, gate=gate, max_epochs=400)
        assert (objectives(model) >= exact - 1e-6).all()


@every_shrinknet
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weight_decay": 0}, r"weight_decay=0 .*statement A\.3"),
        ({"weight_decay": 0.1, "alpha": 0}, "alpha=0 with weight_decay=0.1 .*without a minimiser"),
    ],
    ids=repr,
)
def test_objectives_without_a_minimiser_are_warned_of_and_trained(estimator, parameters, message):
    X, y = data_of(estimator)
    with pytest.warns(UserWarning, match=message) as caught:
        model = fit(estimator, X, y, **parameters)
    assert len(caught) == 1
    assert caught[0].filename == __file__.replace(".pyc", ".py")
    assert model.objective_ == pytest.approx(objective_of(model, X, y), rel=1e-9)
    assert model.objective_ < objectives(model)[0]


@every_shrinknet
@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, np.float64(2.5)])
def test_any_positive_p_is_trained(estimator, p):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, p=p)
    assert model.objective_ == pytest.approx(objective_of(model, X, y), rel=1e-9)
    assert model.objective_ < objectives(model)[0]


@every_shrinknet
def test_p_too_large_for_a_balanced_decay_is_no_overflow(estimator):
    try:
        model = fit(estimator, p=200, max_epochs=5)
    except ValueError as error:
        assert "p=200" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(model.coef_).all()


@every_shrinknet
@pytest.mark.parametrize(("p", "error"), [(0, ValueError), (-1, ValueError), ("x", TypeError)])
def test_other_p_are_refused(estimator, p, error):
    with pytest.raises(error, match=f"p={p!r}"):
        fit(estimator, p=p)
