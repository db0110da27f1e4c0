"""The training behind the estimators for tables, against plain loops and scikit-learn's scores."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, r2_score
from torch import nn
from torch.nn import functional

from shrinklin.networks import ConnectionAnnealing, ShrinkNetMLPClassifier
from shrinklin.networks.mlp import layers
from shrinklin.networks.mlp.outputs import Classes, Targets
from shrinklin.networks.mlp.rows import Scaling
from shrinklin.networks.mlp.training import FULL_RATE, Training, private_torch
from tests.networks.tables import ESTIMATORS, friedman, moons, table_for, wine

every_kind = pytest.mark.parametrize("kind", ESTIMATORS)


def estimator(kind, **parameters):
    return clone(ESTIMATORS[kind]).set_params(**parameters)


def by_hand(X, y, seed, sizes, *, rate, n_epochs, batch_size, alpha, decay):
    """The training of a classifier of two classes, without gates and without removal."""
    with private_torch(seed):
        n_in, n_hidden, n_out = sizes
        first = nn.Linear(n_in, n_hidden, dtype=torch.float64)
        last = nn.Linear(n_hidden, n_out, dtype=torch.float64)
        switches = [torch.ones(n, dtype=torch.float64, requires_grad=True) for n in sizes[:2]]
        parameters = [first.weight, first.bias, last.weight, last.bias, *switches]
        optimizer = torch.optim.Adam(parameters, lr=rate)
        # add_switches draws their first values, as those of `Switch`.
        torch.randn(n_hidden), torch.randn(n_in)
        n_full = round(FULL_RATE * n_epochs)
        for epoch in range(n_epochs):
            falling = max(0, epoch - n_full) / (n_epochs - n_full)
            optimizer.param_groups[0]["lr"] = rate * (1 + np.cos(np.pi * falling)) / 2
            for rows in torch.randperm(len(X)).tensor_split(-(-len(X) // batch_size)):
                hidden = torch.relu(first(X[rows] * switches[0]) * switches[1])
                loss = functional.binary_cross_entropy_with_logits(last(hidden)[:, 0], y[rows])
                loss = loss + alpha * sum(s.abs().sum() for s in switches)
                loss = loss + decay * sum(w.square().sum() for w in (first.weight, last.weight))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        hidden = torch.relu(first(X * switches[0]) * switches[1])
        return last(hidden)[:, 0].detach().numpy()


@pytest.mark.parametrize("batch_size", [400, 64])
def test_fit_takes_the_steps_of_a_plain_loop(batch_size):
    X, y = moons()
    model = ShrinkNetMLPClassifier(
        (7,), alpha=0.01, weight_decay=0.02, removal=None, batch_size=batch_size, max_epochs=11,
        random_state=3,
    ).fit(X, y)  # fmt: skip
    seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max)
    standard = torch.as_tensor((X - X.mean(axis=0)) / X.std(axis=0))
    expected = by_hand(
        standard, torch.as_tensor(y, dtype=torch.float64), seed, (8, 7, 1),
        rate=0.01, n_epochs=11, batch_size=batch_size, alpha=0.01, decay=0.02,
    )  # fmt: skip
    # A few dozen steps of Adam enlarge rounding errors to some 1e-13.
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=0, atol=1e-8)


@every_kind
def test_network_takes_the_kept_columns_as_they_are(kind):
    X, y = table_for(kind)
    model = estimator(kind, n_features=4).fit(X, y)
    assert model.get_support().sum() == 4 == model.layer_sizes_[0]
    assert all(type(part) in (nn.Linear, nn.ReLU) for part in model.module_)
    with torch.no_grad():
        Z = model.module_(torch.as_tensor(model.transform(X))).numpy()
    predicted = model.decision_function(X) if kind == "classifier" else model.predict(X)[:, None]
    np.testing.assert_allclose(Z, predicted, rtol=1e-12)
    n_parameters = sum(p.numel() for p in model.module_.parameters())
    assert n_parameters == model.n_parameters_ == layers.n_parameters(model.layer_sizes_)


def random_network(seed=0):
    torch.manual_seed(seed)
    return layers.perceptron([4, 5, 3, 2], torch.float64)


def test_scales_go_into_the_first_and_the_last_layer():
    rng = np.random.default_rng(0)
    inputs = Scaling(rng.normal(size=4) * 1e3, rng.uniform(0.1, 10, size=4))
    outputs = Scaling(rng.normal(size=2), rng.uniform(0.1, 10, size=2))
    module, X = random_network(), rng.normal(size=(6, 4)) * inputs.scale + inputs.mean
    raw = layers.to_raw(module, inputs, outputs)
    with torch.no_grad():
        Z = module(torch.as_tensor(inputs.apply(X))).numpy() * outputs.scale + outputs.mean
        np.testing.assert_allclose(raw(torch.as_tensor(X)).numpy(), Z, rtol=1e-9)
    back = layers.to_standardised(raw, inputs, outputs)
    for one, other in zip(module.parameters(), back.parameters(), strict=True):
        # Means of 1e3 over scales of 0.1 cost four digits of a bias.
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_scaling_is_that_of_numpy_and_leaves_constants():
    X = np.c_[np.random.default_rng(0).normal(5, 3, size=(20, 2)), np.full(20, 0.1)]
    weight = np.r_[np.full(10, 2.0), np.ones(10)]
    scaling, repeated = Scaling.of("X", X, weight), np.r_[X[:10], X]
    np.testing.assert_allclose(scaling.mean, repeated.mean(axis=0))
    np.testing.assert_allclose(scaling.scale, [*repeated[:, :2].std(axis=0), 1.0])
    with pytest.raises(ValueError, match="column 1 of X has values of up to"):
        Scaling.of("X", X * [1, 1e200, 1], weight)


def test_losses_and_scores_are_those_of_sklearn():
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 1.5, size=30)
    weight /= weight.mean()
    as_tensor = torch.as_tensor
    for n_classes in (2, 4):
        y, outputs = rng.integers(n_classes, size=30), Classes(n_classes)
        Z = rng.normal(size=(30, outputs.n_outputs))
        logits = np.c_[np.zeros(30), Z] if n_classes == 2 else Z
        P = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        loss = outputs.loss(as_tensor(Z), as_tensor(y), as_tensor(weight))
        assert float(loss) == pytest.approx(log_loss(y, P, sample_weight=weight))
        score = outputs.score(as_tensor(Z), as_tensor(y), as_tensor(weight))
        assert score == pytest.approx(accuracy_score(y, P.argmax(axis=1), sample_weight=weight))
    Y = rng.normal(size=(30, 3)) * [1, 10, 100]
    outputs = Targets(Y, weight)
    Z, y = as_tensor(rng.normal(size=(30, 3))), outputs.encode(Y, torch.float64)
    score = outputs.score(Z, y, as_tensor(weight))
    predicted = Z.numpy() * outputs.scaling.scale + outputs.scaling.mean
    assert score == pytest.approx(r2_score(Y, predicted, sample_weight=weight))
    errors = [float(((f * Z - y) ** 2 * as_tensor(weight)[:, None]).mean()) for f in (1, 2)]
    # At the first step the variance is the mean squared error itself.
    assert float(outputs.loss(Z, y, as_tensor(weight))) == pytest.approx(3 / 2)
    # 18 parameters take a fifth of the 90 values.
    outputs.take_account(18)
    again = float(outputs.loss(Z * 2, y, as_tensor(weight)))
    assert again == pytest.approx(3 * errors[1] / (2 * (0.9 * errors[0] + 0.1 * errors[1]) / 0.8))
    outputs.take_account(1000)
    assert outputs.freedom == 0.5
    perfect = Targets(Y, weight)
    assert float(perfect.loss(y, y, as_tensor(weight))) == 0.0


@every_kind
def test_weight_two_is_two_rows(kind):
    X, y = table_for(kind)
    model = estimator(kind, batch_size=1000)
    weighted = clone(model).fit(X, y, sample_weight=np.r_[np.full(50, 2.0), np.ones(len(y) - 50)])
    zero = np.r_[np.ones(len(y)), np.zeros(50)]
    doubled = clone(model).fit(np.r_[X[:50], X], np.r_[y[:50], y])
    padded = clone(model).fit(np.r_[X, X[:50] + 9], np.r_[y, y[:50]], sample_weight=zero)
    plain = clone(model).fit(X, y)

    def raw(fitted):
        return fitted.predict(X) if kind == "regressor" else fitted.decision_function(X)

    # Sums of other order, through some dozens of steps.
    np.testing.assert_allclose(raw(weighted), raw(doubled), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(raw(padded), raw(plain), rtol=1e-6, atol=1e-8)
    assert not np.allclose(raw(weighted), raw(plain), rtol=1e-3)


def test_class_weight_is_a_factor_of_sample_weight():
    X, y = wine()
    factors = {"barolo": 2.0, "barbera": 0.5}
    weight = np.array([factors.get(label, 1.0) for label in y])
    one = estimator("classifier", class_weight=factors).fit(X, y)
    other = estimator("classifier").fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    share = {label: (y == label).mean() for label in np.unique(y)}
    balanced = estimator("classifier", class_weight="balanced").fit(X, y)
    by_hand = {label: 1 / (3 * s) for label, s in share.items()}
    same = estimator("classifier", class_weight=by_hand).fit(X, y)
    np.testing.assert_allclose(balanced.predict_proba(X), same.predict_proba(X), atol=1e-6)


@every_kind
def test_same_seed_gives_the_same_bits_and_touches_nothing(kind):
    X, y = table_for(kind)
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    one = estimator(kind, batch_size=32).fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(6)
    np.testing.assert_array_equal(one, estimator(kind, batch_size=32).fit(X, y).predict(X))
    other = estimator(kind, batch_size=32, random_state=1).fit(X, y)
    assert not np.array_equal(one, other.module_(torch.as_tensor(other.transform(X))).detach())


@pytest.mark.parametrize("alpha", [None, 0.004])
def test_curved_border_is_learnt_by_a_small_network(alpha):
    X, y = moons()
    model = ShrinkNetMLPClassifier((30,), alpha=alpha, random_state=0).fit(X, y)
    # A line reaches 0.87.
    assert model.score(*moons(seed=1)) > 0.95
    assert model.n_parameters_ < layers.n_parameters([8, 30, 1]) / 3
    assert model.get_support()[:2].all()
    if alpha is not None:
        assert model.get_support().sum() == 2


def test_float32_stays_float32():
    X, y = friedman()
    model = estimator("regressor").fit(X.astype(np.float32), y)
    assert model.module_[0].weight.dtype == torch.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    double = estimator("regressor").fit(X, y)
    assert double.module_[0].weight.dtype == torch.float64


def test_held_out_rows_decide_when_the_rate_falls(monkeypatch):
    X, y = moons()
    model = ShrinkNetMLPClassifier((10,), random_state=0, early_stopping=True, max_epochs=200)
    model.fit(X, y)
    assert model.n_epochs_ < 200
    scores = model.validation_scores_
    assert len(scores) == model.n_epochs_
    # The rate falls over the last 60 epochs.
    assert model.best_validation_score_ == max(scores[-60:])
    assert not hasattr(
        clone(model).set_params(early_stopping=False).fit(X, y), "validation_scores_"
    )
    scheduled = clone(model).set_params(n_features=2).fit(X, y)
    assert scheduled.n_epochs_ == 200


def test_ctrl_c_keeps_the_model_so_far(monkeypatch):
    X, y = wine()
    epoch, seen = Training.epoch, []

    def stopped(self, *args):
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(0)
        epoch(self, *args)

    monkeypatch.setattr(Training, "epoch", stopped)
    model = estimator("classifier")
    with pytest.warns(ConvergenceWarning, match="stopped by hand after 5 epochs"):
        model.fit(X, y)
    assert model.n_epochs_ == 5
    assert model.score(X, y) > 0.5
    before = vars(model).copy()
    seen[:] = range(5)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert vars(model) == before


def test_training_that_diverges_ends_in_one_sentence():
    X, y = wine()
    model = estimator("classifier").fit(X, y)
    before = vars(model).copy()
    with pytest.raises(ValueError, match=r"=1e\+300, epoch 2: training has diverged, as"):
        model.set_params(learning_rate=1e300).fit(X, y)
    assert {**vars(model), "learning_rate": before["learning_rate"]} == before
    with pytest.warns(ConvergenceWarning, match="the loss is above that of a constant prediction"):
        estimator("classifier", learning_rate=1e4).fit(X, y)


def test_warm_start_goes_on_with_the_smaller_network():
    X, y = moons()
    model = ShrinkNetMLPClassifier((12,), random_state=0, warm_start=True, n_features=3)
    first = model.fit(X, y).layer_sizes_
    support, before = model.get_support(), model.decision_function(X)
    model.set_params(n_features=None, learning_rate=1e-9, max_epochs=1).fit(X, y)
    assert model.layer_sizes_ == first
    np.testing.assert_array_equal(model.get_support(), support)
    # One step of 1e-9.
    np.testing.assert_allclose(model.decision_function(X), before, atol=1e-5)
    with pytest.raises(ValueError, match="warm_start=True, but the fitted network takes 8 feat"):
        model.fit(X[:, :5], y)


@every_kind
def test_connections_are_pruned(kind):
    X, y = table_for(kind)
    pruning = ConnectionAnnealing({"2": 8, "0": 20}, pretrain=3)
    model = estimator(kind, removal=pruning).fit(X, y)
    weights = {"0": model.module_[0].weight, "2": model.module_[2].weight}
    found = {name: int((weight != 0).sum()) for name, weight in weights.items()}
    assert model.n_connections_ == found
    assert found["0"] <= 20
    assert found["2"] <= 8
    # What has no connection is gone.
    assert (weights["0"] != 0).any(dim=0).all()
    assert (weights["2"] != 0).any(dim=0).all()
    assert not hasattr(estimator(kind).fit(X, y), "n_connections_")


@every_kind
@pytest.mark.parametrize("n_features", [None, 4])
def test_network_ends_with_few_parameters(kind, n_features):
    X, y = table_for(kind)
    model = estimator(kind, n_parameters=50, n_features=n_features).fit(X, y)
    assert 20 < model.n_parameters_ <= 50
    assert n_features is None or model.layer_sizes_[0] == 4
    with pytest.raises(ValueError, match=r"n_parameters=3, but a network with .* give at least"):
        model.set_params(n_parameters=3).fit(X, y)
