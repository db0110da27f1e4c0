"""One linear layer with input switches is the linear ShrinkNet: gradient training takes its steps.

Rows of the two histories are compared epoch by epoch, so every iterate is.
"""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from problems import simulate
from shrinklin import (
    Annealing,
    GradientDescent,
    GroupLassoRegressor,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
    Threshold,
)
from shrinklin.gradient.parametrizations import GATES, GatedWeights, PlainWeights
from shrinklin.groups import Groups
from shrinklin.networks import Filter, Mask, Shrinker, Switch, add_switches, fold
from shrinklin.networks.gates import gates_of

N, P, Q = 40, 12, 3
N_EPOCHS = 40
# In the optimisers of both halves.
OPTIMIZERS = {
    "sgd": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate, momentum=0.9),
    "adagrad": lambda parameters, rate: torch.optim.Adagrad(parameters, lr=rate),
    "adam": lambda parameters, rate: torch.optim.Adam(parameters, lr=rate),
}
RATES = {"sgd": 0.02, "adagrad": 0.1, "adam": 0.05}
GATES_OF_NETWORKS = {"switch": Switch, "filter": Filter}


def data():
    X, Y = simulate(N, P, Q)
    return X, Y + 3.0


def linear(optimizer="adagrad", gate="switch", removal=None, batch_size=None, **parameters):
    """The estimator, fitted from random_state=0."""
    solver = GradientDescent(
        optimizer, learning_rate=RATES[optimizer], gate=gate, removal=removal,
        max_epochs=N_EPOCHS, batch_size=batch_size,
    )  # fmt: skip
    model = ShrinkNetRegressor(**parameters, solver=solver, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "gradient training")
        return model.fit(*data())


def start(gate="switch"):
    """The random numbers that the estimator begins with: θ, A, and the generator."""
    rng, groups = np.random.RandomState(0), Groups.from_labels(P, np.arange(P))
    if gate is None:
        layout = PlainWeights(groups, Q, 0.1)
        return None, layout.weights(layout.draw(rng)), rng
    layout = GatedWeights(groups, Q, 0.1, 0.1, 2, GATES[gate])
    x = layout.draw(rng)
    return layout.switch(x), layout.weights(x), rng


def network(gate="switch", by_hand=False, bias=True):
    """The same model as a network, at the same start."""
    theta, A, _ = start(gate)
    layer, kind = nn.Linear(P, Q, bias=bias), GATES_OF_NETWORKS.get(gate, Mask)
    if by_hand:
        model = nn.Sequential(kind(P), layer).double()
    else:
        model = add_switches(layer.double(), torch.zeros(2, P).double(), gate=kind, inputs=True)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(A.T))
        if bias:
            layer.bias.copy_(torch.from_numpy(data()[1].mean(axis=0)))
        if theta is not None:
            next(iter(gates_of(model).values())).theta.copy_(torch.from_numpy(theta))
    return model


def train(model, optimizer="adagrad", batches=None, **options):
    """Trains a network as the estimator is, and returns its `Shrinker`."""
    X, Y = map(torch.from_numpy, data())
    optimizer = OPTIMIZERS[optimizer](model.parameters(), RATES[optimizer])
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], max_epochs=N_EPOCHS, **options)
    for _ in shrinker.epochs():
        for batch in batches() if batches else [slice(None)]:
            loss = 0.5 * (model(X[batch]) - Y[batch]).square().sum() / len(X[batch])
            loss = loss + shrinker.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
    return shrinker


def coefficients(model):
    """coef_ and intercept_ of a network, for all features."""
    with torch.no_grad():
        zero = torch.zeros(1, P).double()
        intercept = model(zero)
        coef = model(torch.eye(P).double()) - intercept
    return coef.T.numpy(), intercept[0].numpy()


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def assert_same_training(estimator, shrinker):
    ours, theirs = estimator.history_, shrinker.history
    for name in ("epoch", "n_alive", "neuron_epochs", "parameter_updates"):
        np.testing.assert_array_equal(theirs[name], ours[name], name)
    close(theirs["penalty"], ours["penalty"])
    # A network is told the loss of each step, which is from before the step.
    close(theirs["loss"][1:], ours["loss"][:-1])
    coef, intercept = coefficients(shrinker.model)
    close(coef, estimator.coef_)
    close(intercept, estimator.intercept_)
    assert shrinker.cost.removals == estimator.cost_.removals
    assert shrinker.cost.epochs == estimator.cost_.epochs == N_EPOCHS


# Of `Threshold`, `value` is such that features leave at several times.
REMOVALS = {
    "none": None,
    "variance": SignVariance(0.7),
    "change": SignChange(),
    "threshold": Threshold(0.02),
    "threshold of switches": Threshold(0.05, normalize=False),
    "annealing": Annealing(4, mu=2, pretrain=5),
}
SETTING = {"alpha": 0.3, "weight_decay": 0.05, "p": 2}


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("gate", GATES_OF_NETWORKS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_steps(optimizer, gate, removal):
    removal = REMOVALS[removal]
    estimator = linear(optimizer, gate, removal, **SETTING)
    shrinker = train(network(gate), optimizer, removal=removal, **SETTING)
    assert_same_training(estimator, shrinker)
    left = shrinker.n_units
    assert left == P if removal is None else 1 < left < P
    # They are gone, not only off.
    assert shrinker.model.weight.shape == (Q, left)


@pytest.mark.parametrize("p", [1, 1.5])
@pytest.mark.parametrize("by_hand", [False, True])
def test_other_powers_and_a_switch_placed_by_hand(p, by_hand):
    setting = SETTING | {"p": p, "alpha": 0.2}
    estimator = linear(removal=SignVariance(0.7), **setting)
    shrinker = train(network(by_hand=by_hand), removal=SignVariance(0.7), **setting)
    assert_same_training(estimator, shrinker)


def test_units_cut_at_the_end_of_an_epoch_change_no_step():
    estimator = linear(removal=SignVariance(0.7), **SETTING)
    shrinker = train(network(), removal=SignVariance(0.7), when="epoch", **SETTING)
    assert_same_training(estimator, shrinker)


def test_without_intercept():
    estimator = linear(removal=SignVariance(0.7), fit_intercept=False, **SETTING)
    assert_same_training(
        estimator, train(network(bias=False), removal=SignVariance(0.7), **SETTING)
    )


def test_minibatches():
    size, rng = 7, start()[2]

    def batches():
        return torch.from_numpy(rng.permutation(N)).split(size)

    removal = SignVariance(0.9)
    estimator = linear(removal=removal, batch_size=size, **SETTING)
    shrinker = train(network(), batches=batches, removal=removal, **SETTING)
    ours, theirs = estimator.history_, shrinker.history
    np.testing.assert_array_equal(theirs["n_alive"], ours["n_alive"])
    close(theirs["penalty"], ours["penalty"])
    close(coefficients(shrinker.model)[0], estimator.coef_)
    assert shrinker.n_units < P


def test_multiply_adds_differ_by_the_loss_at_the_end():
    """Three products a step in both: the estimator evaluates the loss of each epoch as well as the
    gradient, and the loss after the last step; a network computes the gradient of its input."""
    estimator = linear(removal=SignVariance(0.7), batch_size=N, **SETTING)
    shrinker = train(network(), removal=SignVariance(0.7), **SETTING)
    n_alive = estimator.history_["n_alive"]
    assert shrinker.cost.multiply_adds == 3 * N * Q * n_alive[:-1].sum()
    assert estimator.cost_.multiply_adds == shrinker.cost.multiply_adds + N * Q * n_alive[-1]


def test_the_last_feature_stays_in_a_network_only():
    removal = Threshold(1e6)
    estimator = linear(removal=removal, **SETTING)
    assert estimator.history_["n_alive"].tolist() == [P] + [0] * N_EPOCHS
    with pytest.warns(UserWarning, match='all units of "input" dead'):
        shrinker = train(network(), removal=removal, **SETTING)
    assert shrinker.history["n_alive"].tolist() == [P] + [1] * N_EPOCHS


def test_the_folded_layer_has_the_coefficients_of_the_estimator():
    estimator = linear(removal=SignVariance(0.7), **SETTING)
    shrinker = train(network(by_hand=True), removal=SignVariance(0.7), **SETTING)
    columns, layer = fold(shrinker.model, torch.zeros(2, P).double())
    assert columns.kept.tolist() == np.flatnonzero(estimator.get_support()).tolist()
    close(layer.weight.detach().numpy(), estimator.coef_[:, estimator.get_support()])
    close(layer.bias.detach().numpy(), estimator.intercept_)


# The group lasso.


def lasso(optimizer, alpha, removal=None):
    solver = GradientDescent(
        optimizer, learning_rate=RATES[optimizer], max_epochs=N_EPOCHS, removal=removal
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "gradient training")
        return GroupLassoRegressor(alpha, solver=solver, random_state=0).fit(*data())


@pytest.mark.parametrize("removal", [None, Threshold(0.2), Annealing(4)])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_columns_behind_a_mask_are_the_group_lasso(optimizer, removal):
    """A column of Q weights counts √Q times as much; no column comes to 0 here by itself."""
    estimator = lasso(optimizer, 0.05, removal)
    shrinker = train(
        network(gate=None), optimizer, alpha=0.05 / Q**0.5, groups="columns", removal=removal
    )
    assert_same_training(estimator, shrinker)
    assert (shrinker.n_units < P) == (removal is not None)


def test_a_group_that_a_step_takes_through_zero_stops_there_in_the_linear_model_only():
    alpha = 1.0
    estimator = lasso("sgd", alpha)
    model = network(gate=None)
    shrinker = train(model, "sgd", alpha=alpha / Q**0.5, groups="columns")
    zero = ~estimator.coef_.any(axis=0)
    assert 0 < zero.sum() < P
    assert model.weight.all()
    assert shrinker.n_units == P
    # Until then the steps are the same.
    ours, theirs = estimator.history_["penalty"], shrinker.history["penalty"]
    same = np.isclose(ours, theirs, rtol=1e-8)
    assert same[0]
    first = np.argmin(same)
    assert 1 < first < N_EPOCHS
    assert not same[first:].any()
