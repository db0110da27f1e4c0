"""Gradient training through the estimators: its iterates, what it removes, counts and says."""

import warnings
from functools import cache

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from interrupt import interrupted
from oracles import indicators_of, log_loss, squared_loss
from problems import PROBLEMS, random_small, random_small_classes, simulate, simulate_classes
from shrinklin import (
    Annealing,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    Removal,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
    Threshold,
    regularization_path,
)
from shrinklin.gradient.parametrizations import GATES, GatedWeights
from shrinklin.gradient.risk import MomentRisk, SampleRisk, risk_of_data
from shrinklin.groups import Groups
from shrinklin.losses.squared import SquaredLoss

SHRINKNETS = [ShrinkNetRegressor(random_state=0), ShrinkNetClassifier(random_state=0)]
GROUP_LASSOS = [GroupLassoRegressor(random_state=0), GroupLassoClassifier(random_state=0)]
ESTIMATORS = SHRINKNETS + GROUP_LASSOS


def name_of(estimator):
    return type(estimator).__name__


every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
every_shrinknet = pytest.mark.parametrize("estimator", SHRINKNETS, ids=name_of)
every_batch_size = pytest.mark.parametrize("batch_size", [None, 16])


def data_of(estimator):
    return simulate_classes(60, 12, 3) if is_classifier(estimator) else simulate(60, 12, 3)


def fit(estimator, *data, solver=None, **parameters):
    """A fitted copy; keyword arguments are parameters of a new solver, or of the estimator."""
    of_solver = GradientDescent().get_params(deep=False)
    own = {k: parameters.pop(k) for k in list(parameters) if k not in of_solver}
    solver = GradientDescent(**{"max_epochs": 100, **parameters}) if solver is None else solver
    return clone(estimator).set_params(solver=solver, **own).fit(*(data or data_of(estimator)))


def loss_of(model, X, y):
    loss = log_loss if is_classifier(model) else squared_loss
    return loss(X, y, model.coef_, model.intercept_)


def objective_of(model, X, y):
    """By the formula of the docstring, from the attributes; without groups and weights."""
    if not hasattr(model, "switch_"):
        return loss_of(model, X, y) + model.alpha * np.linalg.norm(model.coef_, axis=0).sum()
    p, decay = model.p, model.weight_decay
    decay = model.alpha * p**p / (p + 1) ** (p + 1) if decay is None else decay
    penalty = model.alpha * np.abs(model.switch_).sum()
    return loss_of(model, X, y) + penalty + decay * (np.abs(model.weight_) ** p).sum()


def objectives(model):
    return model.history_["loss"] + model.history_["penalty"]


def same_model(first, second):
    """To the last bit."""
    names = [n for n in ("coef_", "intercept_", "switch_", "weight_") if hasattr(first, n)]
    same = all(np.array_equal(getattr(first, n), getattr(second, n)) for n in names)
    return same and all(np.array_equal(first.history_[n], second.history_[n]) for n in _COLUMNS)


_COLUMNS = ["epoch", "loss", "penalty", "n_alive"]
_COLUMNS += ["neuron_epochs", "parameter_updates", "multiply_adds"]


class Recorder(SignVariance):
    """SignVariance that writes down what it saw alive after every step."""

    def dead(self, watched):
        self.steps.append((watched.epoch, len(watched.gate)))
        return super().dead(watched)


def recorder(gamma=0.9):
    removal = Recorder(gamma)
    removal.steps = []
    return removal


# --- against a slow reference


def slow_residual(X, Y, W, b, squared):
    """P − Y of every row, and the loss of every row."""
    losses, residuals = [], []
    for x, y in zip(X, Y, strict=True):
        z = W.T @ x + b
        if squared:
            losses.append(0.5 * ((y - z) ** 2).sum())
            residuals.append(z - y)
        else:
            # Two classes: the raw prediction of the first is 0.
            full = np.r_[0.0, z] if len(z) == 1 else z
            hot = np.r_[1 - y.sum(), y] if len(z) == 1 else y
            E = np.exp(full - full.max())
            P = E / E.sum()
            losses.append(-np.log(P[hot > 0][0]))
            residuals.append((P - hot)[-len(z) :])
    return np.array(residuals), np.mean(losses)


def best_constant(Y, squared):
    """Mean, or log-odds of the mean: two classes against the first, more about their mean."""
    share = Y.mean(axis=0)
    if squared:
        return share
    if len(share) == 1:
        return np.log(share / (1 - share))
    return np.log(share) - np.log(share).mean()


def slow_rule(name, d, memory, step):
    """What to subtract, over the learning rate."""
    if name == "sgd":
        memory["v"] = 0.9 * memory.get("v", 0) + d
        return memory["v"]
    if name == "adagrad":
        memory["s"] = memory.get("s", 0) + d**2
        return d / (np.sqrt(memory["s"]) + 1e-10)
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * d
    memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * d**2
    mean, square = memory["m"] / (1 - 0.9**step), memory["s"] / (1 - 0.999**step)
    return mean / (np.sqrt(square) + 1e-8)


def slow_training(
    X, Y, labels, omega, *, squared, alpha, decay, p, gate, rate, n_epochs, rng,
    optimizer="adagrad", gamma=None, batch_size=None, first_mean=None,
):  # fmt: skip
    """Feature by feature, from the formulas: removed features are kept as frozen zeros."""
    (n, n_features), n_targets, n_groups = X.shape, Y.shape[1], len(omega)
    A = rng.standard_normal((n_features, n_targets)) / np.sqrt(n_features)
    theta = rng.standard_normal(n_groups) if gate == "switch" else rng.uniform(size=n_groups)
    b = best_constant(Y, squared)
    alive = np.ones(n_groups, dtype=bool)
    memory_A, memory_theta, memory_b = {}, {}, {}
    mean = np.sign(theta) if first_mean is None else np.full(n_groups, first_mean)
    variance, values, n_alive, step = np.zeros(n_groups), [], [], 0

    def opened(g):
        return theta[g] if gate == "switch" else max(0.0, theta[g])

    for epoch in range(n_epochs + 1):
        W = np.array([opened(labels[j]) * A[j] for j in range(n_features)])
        value = slow_residual(X, Y, W, b, squared)[1]
        for g in np.flatnonzero(alive):
            members = [j for j in range(n_features) if labels[j] == g]
            value += omega[g] * alpha * abs(opened(g))
            value += omega[g] * decay * (np.abs(A[members]) ** p).sum()
        values.append(value)
        n_alive.append(int(alive[labels].sum()))
        if epoch == n_epochs:
            break
        order = [np.arange(n)]
        if batch_size is not None:
            shuffled = rng.permutation(n)
            order = [shuffled[k : k + batch_size] for k in range(0, n, batch_size)]
        for rows in order:
            step += 1
            W = np.array([opened(labels[j]) * A[j] for j in range(n_features)])
            R = slow_residual(X[rows], Y[rows], W, b, squared)[0] / len(rows)
            dA, dtheta = np.zeros_like(A), np.zeros_like(theta)
            for j in range(n_features):
                g = labels[j]
                in_W = X[rows, j] @ R
                dA[j] = opened(g) * in_W
                dA[j] += omega[g] * decay * p * np.abs(A[j]) ** (p - 1) * np.sign(A[j])
                dtheta[g] += A[j] @ in_W
            for g in range(n_groups):
                dtheta[g] += omega[g] * alpha * np.sign(opened(g))
                if gate == "filter" and theta[g] <= 0:
                    dtheta[g] = 0.0
            A = A - rate * slow_rule(optimizer, dA, memory_A, step)
            theta = theta - rate * slow_rule(optimizer, dtheta, memory_theta, step)
            b = b - rate * slow_rule(optimizer, R.sum(axis=0), memory_b, step)
            if gamma is not None:
                sign = np.sign(theta)
                variance = gamma * variance + (1 - gamma) * (sign - mean) ** 2
                mean = gamma * mean + (1 - gamma) * sign
                alive &= variance <= 0.5
            A[~alive[labels]], theta[~alive] = 0.0, 0.0
    switch = np.array([opened(g) for g in labels])
    return switch, A, b, np.array(values), np.array(n_alive)


TRAININGS = {
    "plain": {},
    "p=1.5": {"p": 1.5},
    "filter": {"gate": "filter"},
    "removal": {"gamma": 0.8, "alpha": 0.3},
    "removal, p=1.5": {"gamma": 0.8, "alpha": 0.3, "p": 1.5},
    "removal of filters": {"gamma": 0.5, "alpha": 0.6, "gate": "filter"},
    "removal of groups": {"gamma": 0.8, "alpha": 0.3, "groups": [0, 0, 1, 1, 1, 2, 3, 3]},
    "minibatches": {"gamma": 0.9, "alpha": 0.3, "batch_size": 7},
    "momentum": {"optimizer": "sgd", "rate": 0.02, "gamma": 0.8, "alpha": 0.3},
    "adam": {"optimizer": "adam", "gamma": 0.8, "alpha": 0.3},
}


@pytest.mark.parametrize("kind", ["regression", "two classes", "three classes"])
@pytest.mark.parametrize("name", TRAININGS)
def test_iterates_are_those_of_a_slow_reference(kind, name):
    setting = {"alpha": 0.05, "p": 2, "gate": "switch", "rate": 0.1, **TRAININGS[name]}
    groups, n_epochs = setting.pop("groups", None), 40
    if kind == "regression":
        X, y = simulate(25, 8, 2)
        estimator, Y = ShrinkNetRegressor(), y
    else:
        X, y = simulate_classes(25, 8, 2 if kind == "two classes" else 3)
        estimator, Y = ShrinkNetClassifier(), indicators_of(y)
    labels = np.arange(8) if groups is None else np.array(groups)
    omega = np.ones(8) if groups is None else np.sqrt(np.bincount(labels))
    expected = slow_training(
        X, Y, labels, omega, squared=kind == "regression", decay=0.02, n_epochs=n_epochs,
        rng=np.random.RandomState(0), **setting,
    )  # fmt: skip
    gamma, rate = setting.pop("gamma", None), setting.pop("rate")
    model = fit(
        estimator, X, y, weight_decay=0.02, groups=groups, random_state=0, max_epochs=n_epochs,
        learning_rate=rate, removal=None if gamma is None else SignVariance(gamma), **setting,
    )  # fmt: skip
    switch, A, b, values, n_alive = expected
    np.testing.assert_array_equal(model.history_["n_alive"], n_alive)
    np.testing.assert_allclose(objectives(model), values, rtol=1e-9)
    np.testing.assert_allclose(model.switch_, switch, atol=1e-9)
    np.testing.assert_allclose(model.weight_, A.T, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, b, atol=1e-9)
    if gamma is not None and "filter" not in name:
        assert n_alive[-1] < 8


def test_a_mean_that_starts_at_one_is_another_training():
    X, Y = simulate(25, 8, 2)
    setting = {"squared": True, "alpha": 0.3, "decay": 0.02, "p": 2, "gate": "switch"}
    setting |= {"rate": 0.1, "n_epochs": 40, "gamma": 0.8}
    args = X, Y, np.arange(8), np.ones(8)
    right, wrong = (
        slow_training(*args, rng=np.random.RandomState(0), first_mean=m, **setting)
        for m in (None, 1.0)
    )
    assert wrong[4][1] < right[4][1] == 8  # dead after one step are all negative switches


@every_estimator
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_one_batch_of_all_samples_is_a_full_batch(estimator, optimizer):
    rate = 0.02 if optimizer == "sgd" else 0.05
    models = [
        fit(estimator, optimizer=optimizer, batch_size=size, learning_rate=rate)
        for size in (None, 60, 1000)
    ]
    for model in models[1:]:
        np.testing.assert_allclose(objectives(model), objectives(models[0]), rtol=1e-9)
        np.testing.assert_allclose(model.coef_, models[0].coef_, atol=1e-7)
    assert same_model(*models[1:])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", ["tall", "means", "constant column", "one feature"])
def test_moments_give_the_iterates_of_the_samples(name, fit_intercept):
    X, Y = PROBLEMS[name]()
    X = np.minimum(np.abs(X), 3) * np.sign(X)  # means of 100 would only diverge
    s = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    n_features, n_targets = X.shape[1], Y.shape[1]
    groups = Groups.from_labels(n_features, np.arange(n_features)[::-1] // 2)
    risks = [
        risk_of_data(SquaredLoss(), X, Y, s, groups.order, fit_intercept, whole)
        for whole in (True, False)
    ]
    assert [type(risk) for risk in risks] == [MomentRisk, SampleRisk]
    parametrization = GatedWeights(groups, n_targets, 0.2, 0.03, 2, GATES["switch"])
    solver = GradientDescent(max_epochs=150, removal=SignVariance(0.9))
    moments, samples = (
        solver.train(risk, parametrization, np.random.RandomState(0)) for risk in risks
    )
    np.testing.assert_array_equal(moments.history["n_alive"], samples.history["n_alive"])
    np.testing.assert_allclose(moments.history["loss"], samples.history["loss"], rtol=1e-9)
    np.testing.assert_allclose(moments.W, samples.W, atol=1e-9)
    np.testing.assert_allclose(moments.intercept, samples.intercept, atol=1e-9)
    assert moments.intercept.any() == fit_intercept


def test_moments_refuse_single_rows():
    X, Y = simulate(20, 3, 2)
    risk = risk_of_data(SquaredLoss(), X, Y, np.ones(20), np.arange(3), True, True)
    with pytest.raises(ValueError, match="moments know nothing of single rows"):
        risk.evaluate(np.zeros((3, 2)), np.zeros(2), np.arange(5))


@every_estimator
@every_batch_size
def test_objective_is_that_of_the_formula(estimator, batch_size):
    X, y = data_of(estimator)
    removal = Threshold(0.02)
    model = fit(estimator, X, y, batch_size=batch_size, removal=removal, alpha=0.2)
    assert model.objective_ == objectives(model)[-1]
    assert model.objective_ == pytest.approx(objective_of(model, X, y), rel=1e-9)
    assert model.history_["loss"][-1] == pytest.approx(loss_of(model, X, y), rel=1e-9)


# --- against the exact solvers


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
def test_group_lasso_comes_close_to_the_exact_minimum(estimator):
    X, y = data_of(estimator)
    exact = clone(estimator).set_params(tol=1e-10).fit(X, y)
    model = fit(estimator, X, y, learning_rate_decay=0.01, learning_rate=0.3, max_epochs=2000)
    assert (objectives(model) >= exact.objective_ - 1e-9).all()
    assert model.objective_ <= 1.01 * exact.objective_
    # Which another problem's minimum would not be taken for.
    other = clone(estimator).set_params(alpha=0.13, tol=1e-10).fit(X, y)
    assert other.objective_ > 1.01 * exact.objective_


@cache
def exact_minimum(cls, p, seed, alpha):
    """Data, and what the exact solver reaches on them: the same for every gate."""
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


# --- what is removed

REMOVALS = [Threshold(0.05), SignChange(), SignVariance(0.8), Annealing(4)]


@every_shrinknet
@every_batch_size
@pytest.mark.parametrize("removal", REMOVALS, ids=repr)
@pytest.mark.parametrize("groups", [None, [0, 1, 2, 3, 4, 5] * 2], ids=["features", "groups"])
def test_what_is_removed_is_zero_and_leaves_no_trace(estimator, batch_size, removal, groups):
    X, y = data_of(estimator)
    alpha = 0.2 if is_classifier(estimator) else 0.5
    setting = {"removal": removal, "groups": groups, "alpha": alpha}
    model = fit(estimator, X, y, batch_size=batch_size, **setting)
    support, n_alive = model.get_support(), model.history_["n_alive"]
    assert 0 < support.sum() < 12
    assert n_alive[0] == 12
    assert n_alive[-1] == support.sum()
    assert (np.diff(n_alive) <= 0).all()
    np.testing.assert_array_equal(model.switch_ != 0, support)
    np.testing.assert_array_equal(model.weight_.any(axis=0), support)
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    compact = X[:, support] @ model.coef_[:, support].T + model.intercept_
    whole = model.decision_function(X) if is_classifier(estimator) else model.predict(X)
    np.testing.assert_allclose(compact, whole, rtol=1e-12, atol=1e-12 * np.abs(whole).max())
    if groups is not None:
        assert (support[:6] == support[6:]).all()
        assert (model.switch_[:6] == model.switch_[6:]).all()


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
@pytest.mark.parametrize("removal", [Threshold(0.05), Annealing(4)], ids=repr)
def test_group_lasso_removes_by_norm(estimator, removal):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, removal=removal, alpha=0.2)
    assert 0 < model.get_support().sum() < 12
    # What has stopped at zero need not have been removed.
    assert model.get_support().sum() <= model.history_["n_alive"][-1] < 12
    assert not hasattr(model, "switch_")


@every_shrinknet
@every_batch_size
def test_sign_variance_between_sign_change_and_nothing(estimator, batch_size):
    def with_removal(removal):
        return fit(estimator, batch_size=batch_size, removal=removal, alpha=0.2)

    none, change = with_removal(None), with_removal(SignChange())
    assert same_model(with_removal(SignVariance(gamma=0)), change)
    assert same_model(with_removal(SignVariance(gamma=0.9999999)), none)
    assert none.history_["n_alive"][-1] == 12
    assert not same_model(change, none)


@every_estimator
@every_batch_size
def test_annealing_follows_its_schedule(estimator, batch_size):
    removal = Annealing(5, mu=3.0, pretrain=10)
    model = fit(estimator, batch_size=batch_size, removal=removal, max_epochs=60)
    expected = [removal.kept(12, e, 60) for e in range(61)]
    np.testing.assert_array_equal(model.history_["n_alive"], expected)
    if hasattr(model, "switch_"):  # the group lasso has zeros of its own
        assert model.get_support().sum() == 5


@every_estimator
def test_annealing_counts_groups(estimator):
    removal, groups = Annealing(2), np.repeat(["x", "y", "z", "t"], 3)
    model = fit(estimator, removal=removal, groups=groups, max_epochs=30)
    expected = [3 * removal.kept(4, e, 30) for e in range(31)]
    np.testing.assert_array_equal(model.history_["n_alive"], expected)
    assert len(set(groups[model.get_support()])) <= 2


class Everything(Removal):
    """Calls all dead."""

    def dead(self, watched):
        return np.ones(len(watched.gate), dtype=bool)


class Last(Removal):
    """One a step, the last."""

    def dead(self, watched):
        return np.arange(len(watched.gate)) == len(watched.gate) - 1


@every_estimator
@every_batch_size
@pytest.mark.parametrize("removal", [Threshold(1e9), Everything(), Annealing(2)], ids=repr)
def test_what_is_not_penalised_is_never_removed(estimator, batch_size, removal):
    omega = np.ones(12)
    omega[[7, 11]] = 0  # of no use to y
    model = fit(estimator, feature_weights=omega, removal=removal, batch_size=batch_size)
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [7, 11])


@every_shrinknet
@pytest.mark.parametrize("removal", [SignChange(), SignVariance(0)], ids=repr)
def test_sign_changes_do_not_remove_what_is_not_penalised(estimator, removal):
    omega = np.arange(12) % 2
    models = [
        fit(estimator, feature_weights=w, removal=removal, alpha=0.3, batch_size=5)
        for w in (omega, np.ones(12))
    ]
    assert models[0].get_support()[omega == 0].all()
    assert not models[1].get_support()[omega == 0].all()


@pytest.mark.parametrize("seed", range(10))
def test_annealing_of_filters_ends_with_its_number_of_features(seed):
    omega = np.repeat([1, 0], [8, 4])
    X, Y = simulate(60, 12, 3)
    model = fit(
        ShrinkNetRegressor(0.5), X, Y, feature_weights=omega, gate="filter", random_state=seed,
        removal=Annealing(6), max_epochs=200,
    )  # fmt: skip
    assert model.history_["n_alive"][-1] == 6


@every_estimator
def test_a_strategy_of_ones_own(estimator):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, removal=Last(), max_epochs=20)
    np.testing.assert_array_equal(model.history_["n_alive"], np.maximum(12 - np.arange(21), 0))
    assert not model.get_support().any()
    # With nothing left the intercept goes on.
    longer = fit(estimator, X, y, removal=Last(), max_epochs=3000)
    mean = longer.predict_proba(X)[0] if is_classifier(estimator) else longer.predict(X)[0]
    Y = indicators_of(y) if is_classifier(estimator) else y
    np.testing.assert_allclose(mean, Y.mean(axis=0), atol=1e-3)


# --- what it costs


@every_shrinknet
@pytest.mark.parametrize("wide", [False, True])
def test_counts_of_full_batches(estimator, wide):
    n, p = (25, 40) if wide else (60, 12)
    X, y = (simulate_classes if is_classifier(estimator) else simulate)(n, p, 3)
    model = fit(estimator, X, y, removal=SignVariance(0.8), alpha=0.2)
    history, cost, q = model.history_, model.cost_, 3
    alive = [int(k) for k in history["n_alive"]]
    assert alive[-1] < p
    moments = not wide and not is_classifier(estimator)
    products = [k * k * q if moments else 2 * n * k * q for k in alive]
    # The moments themselves are made once: X'X and X'Y.
    products[0] += n * p * (p + q) if moments else 0
    assert cost.epochs == model.n_iter_ == len(alive) - 1 == 100
    assert cost.neuron_epochs == sum(alive[:-1])
    assert cost.parameter_updates == sum(k * q + k + q for k in alive[:-1])
    assert cost.multiply_adds == sum(products)
    np.testing.assert_array_equal(history["epoch"], np.arange(101))
    np.testing.assert_array_equal(history["neuron_epochs"], np.cumsum([0, *alive[:-1]]))
    updates = np.cumsum([0, *(k * q + k + q for k in alive[:-1])])
    np.testing.assert_array_equal(history["parameter_updates"], updates)
    np.testing.assert_array_equal(history["multiply_adds"], np.cumsum(products))
    falls = {e: alive[e - 1] - alive[e] for e in range(1, 101) if alive[e - 1] > alive[e]}
    assert dict(cost.removals) == falls
    assert len(cost.removals) == len(falls)


@every_shrinknet
def test_counts_of_minibatches(estimator):
    removal = recorder(0.95)
    model = fit(estimator, removal=removal, alpha=0.2, batch_size=16, max_epochs=40)
    cost, history, q, n = model.cost_, model.history_, 3, 60
    assert model.history_["n_alive"][-1] < 12
    assert len(removal.steps) == 40 * 4  # batches of 16, 16, 16 and 12
    sizes = [16, 16, 16, 12] * 40
    measured = sum(int(k) * n * q for k in history["n_alive"])
    stepped = sum(2 * k * rows * q for (_, k), rows in zip(removal.steps, sizes, strict=True))
    assert cost.multiply_adds == measured + stepped
    assert cost.parameter_updates == sum(k * q + k + q for _, k in removal.steps)
    assert cost.neuron_epochs == history["n_alive"][:-1].sum()
    assert sum(k for _, k in cost.removals) == 12 - history["n_alive"][-1]
    for epoch in range(1, 41):
        gone = sum(k for e, k in cost.removals if e == epoch)
        assert gone == history["n_alive"][epoch - 1] - history["n_alive"][epoch]
    for name in ("neuron_epochs", "parameter_updates", "multiply_adds"):
        assert history[name][-1] == getattr(cost, name)
        assert (np.diff(history[name]) > 0).all()


def test_counts_of_group_lasso_and_groups():
    X, Y = simulate(60, 12, 3)
    groups = np.repeat([0, 1, 2, 3], 3)
    lasso = fit(GroupLassoRegressor(), X, Y, groups=groups, random_state=0, max_epochs=7)
    assert lasso.cost_.parameter_updates == 7 * (12 * 3 + 3)
    shrinknet = fit(ShrinkNetRegressor(), X, Y, groups=groups, random_state=0, max_epochs=7)
    assert shrinknet.cost_.parameter_updates == 7 * (12 * 3 + 4 + 3)
    assert shrinknet.cost_.neuron_epochs == 7 * 12


def test_sparse_products_count_entries():
    X, Y = simulate(30, 40, 3)
    X[np.abs(X) < 1] = 0
    model = fit(ShrinkNetRegressor(), sparse.csr_array(X), Y, random_state=0, max_epochs=5)
    assert model.cost_.multiply_adds == 6 * 2 * np.count_nonzero(X) * 3


# --- the same again


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


# --- what it says

RATES_TOO_LARGE = {"GroupLassoClassifier": 1e13}  # whose gradient is bounded


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
    # Slowly: after which epoch the last ten have gained nothing for the first time.
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


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
@pytest.mark.parametrize("removal", [SignChange(), SignVariance()], ids=repr)
def test_group_lasso_has_no_signs_to_follow(estimator, removal):
    with pytest.raises(
        ValueError, match=r"Sign.* follows the signs of switches, and the group lasso"
    ):
        fit(estimator, removal=removal)


@every_estimator
def test_gradient_training_follows_no_path(estimator):
    X, y = data_of(estimator)
    model = clone(estimator).set_params(solver=GradientDescent())
    with pytest.raises(ValueError, match=r"GradientDescent\(\) follows no path"):
        regularization_path(model, X, y)


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


# --- stopped by hand


class Interrupt(Removal):
    """Ctrl-C in the epoch `at`, and features leave before it."""

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
    # The one that was begun is paid for, but not made.
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


# --- warm start


@every_shrinknet
@pytest.mark.parametrize("gate", ["switch", "filter"])
@pytest.mark.parametrize("p", [1, 2, 1.5])
@pytest.mark.parametrize("groups", [None, [2, 0, 1, 3] * 3], ids=["features", "groups"])
def test_warm_start_goes_on_from_the_coefficients(estimator, gate, p, groups):
    X, y = data_of(estimator)
    removal = Threshold(0.05)
    model = fit(estimator, X, y, p=p, groups=groups, warm_start=True, removal=removal, alpha=0.2)
    before, coef = model.get_support(), model.coef_.copy()
    assert 0 < before.sum() < 12
    expected = model.objective_
    model.set_params(solver=GradientDescent(max_epochs=20, gate=gate)).fit(X, y)
    assert objectives(model)[0] == pytest.approx(expected, rel=1e-9)
    assert not model.get_support()[~before].any()
    assert model.history_["n_alive"][0] == before.sum()
    assert not np.array_equal(model.coef_, coef)
    assert np.abs(model.coef_ - coef).max() < 2


class SeesWhatIsLeft(SignVariance):
    """SignVariance of switches that are numbered as when training began."""

    def dead(self, watched):
        assert len(watched.layer) == len(watched.gate) < watched.n_switches == 12
        assert not watched.layer.any()
        return super().dead(watched)


@every_shrinknet
def test_after_a_warm_start_removal_goes_on_among_what_is_left(estimator):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, warm_start=True, removal=Threshold(0.02), alpha=0.1)
    n_left = model.get_support().sum()
    solver = GradientDescent(max_epochs=200, removal=SeesWhatIsLeft(0.8))
    model.set_params(solver=solver, alpha=0.3).fit(X, y)
    assert model.get_support().sum() < n_left < 12


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
def test_warm_start_of_the_group_lasso(estimator):
    X, y = data_of(estimator)
    groups = [2, 0, 1, 3] * 3
    model = fit(estimator, X, y, warm_start=True, removal=Annealing(2), groups=groups)
    value = model.objective_
    model.set_params(solver=GradientDescent(max_epochs=20)).fit(X, y)
    assert objectives(model)[0] == pytest.approx(value, rel=1e-9)
    # Its problem is convex: what was zero may enter.
    assert model.history_["n_alive"][0] == 12


@every_estimator
def test_without_warm_start_or_with_another_shape_it_begins_anew(estimator):
    X, y = data_of(estimator)
    fresh = fit(estimator, X, y)
    assert same_model(clone(fresh).fit(X, y).fit(X, y), fresh)
    model = fit(estimator, X[:, :7], y, warm_start=True).fit(X, y)
    assert same_model(model, fresh)


@every_estimator
def test_warm_start_from_an_exact_solution_stays_near_it(estimator):
    X, y = data_of(estimator)
    exact = clone(estimator).set_params(warm_start=True, tol=1e-8).fit(X, y)
    value = exact.objective_
    exact.set_params(solver=GradientDescent(max_epochs=300, learning_rate=1e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nowhere to go but up
        model = exact.fit(X, y)
    assert objectives(model)[0] == pytest.approx(value, rel=1e-6)
    assert model.objective_ <= value * (1 + 1e-3)


@every_estimator
@every_batch_size
def test_no_intercept_even_after_a_warm_start_with_one(estimator, batch_size):
    X, y = data_of(estimator)
    solver = GradientDescent(max_epochs=50, batch_size=batch_size)
    model = clone(estimator).set_params(solver=solver, fit_intercept=False)
    assert not model.fit(X, y).intercept_.any()
    model.set_params(fit_intercept=True).fit(X, y)
    assert model.intercept_.all()
    model.set_params(fit_intercept=False, warm_start=True).fit(X, y)
    assert not model.intercept_.any()


def test_warm_start_where_nothing_is_left_to_gain_is_not_divergence():
    X, _ = simulate(60, 12, 3)
    Y = X[:, :4] @ np.ones((4, 3))
    model = GroupLassoRegressor(0.0, warm_start=True, random_state=0).fit(X, Y)
    model.set_params(solver=GradientDescent(max_epochs=50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it can only rise
        model.fit(X, Y)
    assert model.objective_ < 0.1


# --- schedules and data


def test_learning_rate_decays_by_the_formula():
    # One feature, no penalty, no momentum: a recursion of one number, no more.
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 5.0])
    solver = GradientDescent(
        "sgd", learning_rate=0.1, learning_rate_decay=0.5, momentum=0, max_epochs=10
    )
    model = GroupLassoRegressor(0, fit_intercept=False, solver=solver, random_state=0).fit(x, y)
    w = np.random.RandomState(0).standard_normal(1)[0]
    for epoch in range(10):
        w -= (
            0.1
            / (1 + 0.5 * epoch)
            * sum(xi * (xi * w - yi) for xi, yi in zip(x[:, 0], y, strict=True))
            / 3
        )
    assert model.coef_[0] == pytest.approx(w, rel=1e-12)


@every_estimator
def test_decay_and_momentum_are_other_trainings(estimator):
    base = {"optimizer": "sgd", "learning_rate": 0.01}
    settings = [{}, {"learning_rate_decay": 0.1}, {"momentum": 0.5}, {"momentum": 0}]
    models = [fit(estimator, **base, **setting) for setting in settings]
    assert len({m.objective_ for m in models}) == 4
    # Momentum is of SGD alone.
    assert same_model(*(fit(estimator, momentum=m) for m in (0, 0.9)))


@every_estimator
@every_batch_size
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(estimator, batch_size, container):
    X, y = data_of(estimator)
    X[np.abs(X) < 1] = 0
    removal = Threshold(0.02)
    setting = {"batch_size": batch_size, "removal": removal, "groups": [0, 1, 2, 3, 4, 5] * 2}
    dense, model = fit(estimator, X, y, **setting), fit(estimator, container(X), y, **setting)
    # What the last digits of the moments differ by is carried through all epochs.
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, dense.intercept_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(model.history_["n_alive"], dense.history_["n_alive"])


@every_estimator
@every_batch_size
def test_float32_stays_and_agrees(estimator, batch_size):
    X, y = data_of(estimator)
    double = fit(estimator, X, y, batch_size=batch_size)
    single = fit(estimator, X.astype(np.float32), y, batch_size=batch_size)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    if hasattr(single, "switch_"):
        assert single.switch_.dtype == single.weight_.dtype == np.float32
        np.testing.assert_array_equal(single.coef_, single.weight_ * single.switch_)
    np.testing.assert_allclose(single.coef_, double.coef_, atol=1e-4)


@pytest.mark.parametrize("estimator", [SHRINKNETS[0], GROUP_LASSOS[0]], ids=name_of)
@pytest.mark.parametrize("shape", ["1-D", "column", "many"])
def test_shapes_follow_y(estimator, shape):
    X, Y = simulate(40, 6, 3)
    y = {"1-D": Y[:, 0], "column": Y[:, :1], "many": Y}[shape]
    model = fit(estimator, X, y)
    assert model.coef_.shape == (*y.shape[1:], 6)
    assert np.shape(model.intercept_) == y.shape[1:]
    assert model.predict(X).shape == y.shape
    if hasattr(model, "weight_"):
        assert model.weight_.shape == model.coef_.shape
        assert model.switch_.shape == (6,)


@pytest.mark.parametrize("estimator", [SHRINKNETS[1], GROUP_LASSOS[1]], ids=name_of)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_may_be_strings(estimator, n_classes):
    X, y = simulate_classes(60, 12, n_classes)
    names = np.array(["ash", "beech", "cedar"])
    coded, named = (fit(estimator, X, labels, alpha=0.02) for labels in (y, names[y]))
    assert same_model(coded, named)
    np.testing.assert_array_equal(named.predict(X), names[coded.predict(X)])
    assert coded.score(X, y) > 0.7


@pytest.mark.parametrize("estimator", [SHRINKNETS[1], GROUP_LASSOS[1]], ids=name_of)
def test_class_weights_are_sample_weights(estimator):
    X, y = data_of(estimator)
    weight = {0: 3.0, 2: 0.5}
    s = np.array([weight.get(label, 1.0) for label in y])
    model = fit(estimator, X, y, class_weight=weight)
    np.testing.assert_allclose(model.coef_, fit(estimator, X, y, s).coef_, atol=1e-9)
    assert np.abs(model.coef_ - fit(estimator, X, y).coef_).max() > 1e-3


AWKWARD = {
    "constant": lambda X, Y: (np.where(np.arange(8) == 3, 7.1, X), Y, None),
    "all constant": lambda X, Y: (np.ones_like(X), Y, None),
    "duplicates": lambda X, Y: (X[:, [0, 0, 1, 1, 2, 2, 3, 3]], Y, None),
    "p > n": lambda X, Y: (X[:5], Y[:5], None),
    "one feature": lambda X, Y: (X[:, :1], Y, None),
    "one sample": lambda X, Y: (X[:1], Y[:1], None),
    "y all zero": lambda X, Y: (X, 0 * Y, None),
    "zero weights": lambda X, Y: (X, Y, np.arange(len(X)) % 2),
    "one weight": lambda X, Y: (X, Y, np.arange(len(X)) == 4),
    "integers": lambda X, Y: (np.round(5 * X).astype(int), np.round(5 * Y).astype(int), None),
}


@pytest.mark.parametrize("estimator", [SHRINKNETS[0], GROUP_LASSOS[0]], ids=name_of)
@every_batch_size
@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("alpha", [0, 0.1])
def test_awkward_data(estimator, batch_size, kind, alpha):
    X, Y, s = AWKWARD[kind](*simulate(30, 8, 2))
    given = X.copy(), Y.copy()
    removal = Threshold(0.01)
    with warnings.catch_warnings():
        # Some have means far from 0, or hardly a feature of the right scale.
        warnings.filterwarnings("ignore", "(?s).*above that of a model without features")
        model = fit(estimator, X, Y, s, alpha=alpha, batch_size=batch_size, removal=removal)
    assert np.isfinite(model.predict(X)).all()
    values = objectives(model)
    assert values[-1] < values[0]
    loss = squared_loss(X, Y, model.coef_, model.intercept_, s)
    assert model.history_["loss"][-1] == pytest.approx(loss, rel=1e-9, abs=1e-12)
    np.testing.assert_array_equal(X, given[0])
    np.testing.assert_array_equal(Y, given[1])


# --- scikit-learn

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
    # Minibatches of weighted rows are not those of repeated rows.
    expected = {
        f"check_sample_weight_equivalence_on_{kind}_data": "batches are of rows, not of weight"
        for kind in ("dense", "sparse")
        if estimator is MINIBATCHES
    }
    results = check_estimator(estimator, on_skip=None, expected_failed_checks=expected)
    failed = {result["check_name"] for result in results if result["status"] != "passed"}
    assert failed == set(expected)
    assert len(results) > 50


@every_shrinknet
def test_a_warm_start_from_an_empty_model_begins_anew(estimator):
    # No gradient moves a switch and a weight that are both zero.
    X, y = data_of(estimator)
    model = clone(estimator).set_params(alpha=1e3, warm_start=True, random_state=0).fit(X, y)
    assert not model.coef_.any()
    model.set_params(alpha=estimator.alpha, solver=GradientDescent(max_epochs=20)).fit(X, y)
    fresh = clone(model).fit(X, y)
    assert same_model(model, fresh)


@every_estimator
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_data_without_squares_are_named(estimator, scale):
    X, y = data_of(estimator)
    with pytest.raises(ValueError, match=r"works with squares of X.*do not fit in float64"):
        fit(estimator, scale * X, y)


class Answers(Removal):
    """Says what it was told to say."""

    def __init__(self, answer, memory=None):
        self.answer, self.memory = answer, memory

    def dead(self, watched):
        if self.memory is not None:
            watched.memory["n"] = self.memory
        return self.answer(watched)


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        (lambda w: (w.sizes < 0.1).astype(int), r"int64 of shape \(12,\)"),
        (lambda w: np.flatnonzero(w.sizes < 0.1), r"int64 of shape \(\d+,\)"),
        (lambda w: w.sizes[:3] < 0.1, r"bool of shape \(3,\)"),
        (lambda w: None, r"object of shape \(\)"),
    ],
    ids=["numbers", "positions", "too short", "nothing"],
)
def test_what_a_strategy_says_is_checked(answer, given):
    message = rf"Answers.dead gave {given}: it should give booleans of shape \(12,\)"
    with pytest.raises(ValueError, match=message):
        fit(SHRINKNETS[0], removal=Answers(answer))


def test_what_a_strategy_remembers_is_checked():
    removal = Answers(lambda w: np.arange(len(w.gate)) == 0, memory=1)
    with pytest.raises(ValueError, match=r"memory\['n'\] has shape \(\).*one entry a switch"):
        fit(SHRINKNETS[0], removal=removal)


def test_a_list_of_booleans_is_a_mask():
    removal = Answers(lambda w: [True] + [False] * (len(w.gate) - 1))
    assert fit(SHRINKNETS[0], removal=removal, max_epochs=5).get_support().sum() == 7


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_the_intercept_begins_where_it_is_best_without_features(optimizer):
    # From 0 it would take thousands of epochs to get there.
    X, Y = simulate(60, 12, 3)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rate = 0.2 if optimizer == "adagrad" else 0.02
    model = fit(SHRINKNETS[0], X, Y + 1000, optimizer=optimizer, learning_rate=rate)
    assert model.history_["loss"][0] < 10 * Y.var(axis=0).sum()
    np.testing.assert_allclose(model.intercept_, Y.mean(axis=0) + 1000, atol=0.1)
    assert model.score(X, Y + 1000) > 0.3


@every_estimator
def test_a_model_worse_than_no_features_is_reported(estimator):
    X, y = data_of(estimator)
    with pytest.warns(
        ConvergenceWarning, match="above that of a model without features .*Standardise"
    ):
        fit(estimator, X + 1e4, y, learning_rate=1e-6, max_epochs=20)


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


@every_estimator
def test_warnings_of_a_training_point_at_the_users_line(estimator):
    X, y = data_of(estimator)
    solver = GradientDescent(tol=1e-9, max_epochs=3)
    with pytest.warns(ConvergenceWarning) as caught:
        clone(estimator).set_params(solver=solver).fit(X, y)
    assert caught[0].filename == __file__


def test_the_end_of_a_training_that_blew_up_is_an_error():
    # Adagrad cannot overflow: its steps are as long as the rate.
    with pytest.raises(ValueError, match="learning_rate=1000 diverged: the objective was"):
        fit(SHRINKNETS[0], learning_rate=1000, max_epochs=20)


@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
def test_without_an_intercept_it_is_not_updated():
    X, Y = simulate(60, 12, 3)
    model = ShrinkNetRegressor(fit_intercept=False)
    model = fit(model, X, Y, max_epochs=1, learning_rate=1e-6, random_state=3)
    assert model.cost_.parameter_updates == 12 * 3 + 12
