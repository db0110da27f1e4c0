"""The solver of partial_fit, and which parameters may change between calls."""

import numpy as np
import pytest
from sklearn.base import clone

from shrinklin import (
    GradientDescent,
    ProximalNewton,
    Removal,
    SignVariance,
)
from streams import (
    ESTIMATORS,
    chunks_of,
    every_estimator,
    learnt,
    make,
    prepared,
    same_bits,
    slow_stream,
    stream,
)


@every_estimator
def test_an_exact_solver_means_minibatches_without_removal(estimator):
    models = [
        stream(clone(estimator).set_params(solver=solver), chunks_of())
        for solver in ("auto", ProximalNewton(), GradientDescent(batch_size=32))
    ]
    assert same_bits(models[0], models[1])
    assert same_bits(models[0], models[2])
    assert models[0].get_params()["solver"] == "auto"


@every_estimator
def test_the_penalty_may_change(estimator):
    chunks = chunks_of()
    model = stream(prepared(estimator, alpha=0.01), chunks[:3])
    slow = slow_stream(model, chunks[:3])
    model.set_params(alpha=0.7)  # the reference reads it too
    for X, y in chunks[3:]:
        slow.call(X, np.eye(3)[y])
        model.partial_fit(X, y)
    assert slow.deviation(model) < 1e-10
    # A penalty that is much stronger is no divergence.
    model.set_params(alpha=1e7).partial_fit(*chunks[0])
    model.set_params(alpha=1e-3).partial_fit(*chunks[0])


def test_removal_may_begin_late():
    chunks = chunks_of() * 6
    model = stream(make(ESTIMATORS[0], alpha=0.3, learning_rate=0.1), chunks[:10])
    assert model.get_support().all()
    for removal in (SignVariance(0.9), SignVariance(0.5), Other()):
        model.set_params(solver__removal=removal)
        stream(model, chunks[10:])
    assert 0 < model.get_support().sum() < 8


class Other(Removal):
    """Checks that its memory holds only what it has put there."""

    def dead(self, watched):
        assert set(watched.memory) <= {"mine"}
        watched.memory["mine"] = np.zeros(len(watched.gate))
        return np.zeros(len(watched.gate), dtype=bool)


@every_estimator
@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"solver__optimizer": "adam"}, "optimizer"),
        ({"solver__optimizer": "sgd"}, "optimizer and momentum"),
        ({"solver__gate": "filter"}, "gate"),
        ({"groups": [0, 1] * 4}, "groups"),
        ({"groups": [0, 0, 1, 1, 2, 2, 3, 3]}, "groups"),  # features stay in order
        ({"fit_intercept": False}, "fit_intercept"),
    ],
    ids=repr,
)
def test_what_may_not_change(estimator, parameters, name):
    chunks = chunks_of()
    if name == "gate" and estimator is ESTIMATORS[1]:
        # The group lasso has no gate.
        model = stream(make(estimator), chunks[:2]).set_params(**parameters)
        assert same_bits(stream(model, chunks[2:]), stream(make(estimator), chunks))
        return
    model = stream(make(estimator), chunks[:2])
    before = learnt(model)
    old = {key: model.get_params()[key] for key in parameters}
    with pytest.raises(ValueError, match=f"^{name} changed between two calls.*restore it"):
        model.set_params(**parameters).partial_fit(*chunks[2])
    assert all(before[key] is getattr(model, key) for key in before)
    stream(model.set_params(**old), chunks[2:])
    assert same_bits(model, stream(make(estimator), chunks))
