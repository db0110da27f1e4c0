"""Classifiers that learn from rows that come in turn: their steps, memory and words."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss as mean_log_loss
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from interrupt import interrupt_after
from oracles import indicators_of, log_loss
from problems import simulate_classes
from shrinklin import (
    Annealing,
    GradientDescent,
    GroupLassoClassifier,
    Moments,
    ProximalNewton,
    Removal,
    ShrinkNetClassifier,
    SignChange,
    SignVariance,
    Threshold,
)
from shrinklin.gradient.risk import SampleRisk
from shrinklin.gradient.stream import Stream

ESTIMATORS = [ShrinkNetClassifier(random_state=0), GroupLassoClassifier(random_state=0)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
every_number_of_classes = pytest.mark.parametrize("n_classes", [2, 3])
every_batch_size = pytest.mark.parametrize("batch_size", [None, 7])
LEARNT = ("coef_", "intercept_", "switch_", "weight_")


def make(estimator, **parameters):
    """A copy; keyword arguments are parameters of a new solver, or of the estimator."""
    of_solver = GradientDescent().get_params(deep=False)
    own = {k: parameters.pop(k) for k in list(parameters) if k not in of_solver}
    return clone(estimator).set_params(solver=GradientDescent(**parameters), **own)


def chunks_of(n_classes=3, sizes=(30, 20, 25, 30, 15), seed=0):
    X, y = simulate_classes(sum(sizes), 8, n_classes, seed=seed)
    # Every class is in the first chunk, as the first rows are one of each.
    cuts = np.cumsum(sizes)[:-1]
    return list(zip(np.split(X, cuts), np.split(y, cuts), strict=True))


def stream(model, chunks, n_classes=3, weights=None):
    weights = [None] * len(chunks) if weights is None else weights
    for (X, y), s in zip(chunks, weights, strict=True):
        model.partial_fit(X, y, classes=np.arange(n_classes), sample_weight=s)
    return model


def learnt(model):
    return {name: getattr(model, name) for name in LEARNT if hasattr(model, name)}


def same_bits(first, second):
    return all(np.array_equal(v, getattr(second, n)) for n, v in learnt(first).items())


def assert_close(first, second, atol=1e-12):
    for name, value in learnt(first).items():
        np.testing.assert_allclose(value, getattr(second, name), rtol=0, atol=atol)


# --- against a slow reference


class Slow:
    """Both formulations from their formulas, feature by feature; removed ones are zeros."""

    def __init__(self, estimator, n_features, n_targets, b, rng, start=None):
        self.estimator, self.solver, self.rng = estimator, estimator.solver, rng
        self.switched = isinstance(estimator, ShrinkNetClassifier)
        self.A = rng.standard_normal((n_features, n_targets)) / np.sqrt(n_features)
        self.beta = rng.standard_normal(n_features) if self.switched else np.ones(n_features)
        self.b = b
        if start is not None:
            self.A, self.beta, self.b = start
        self.alive = np.ones(n_features, dtype=bool)
        self.memory: dict[str, dict] = {"A": {}, "beta": {}, "b": {}}
        self.mean, self.variance = np.sign(self.beta), np.zeros(n_features)
        self.n_steps, self.n_calls, self.n_rows, self.weight = 0, 0, 0, 0.0

    def call(self, X, Y, s=None):
        s = np.ones(len(X)) if s is None else s
        X, Y, s = X[s > 0], Y[s > 0], s[s > 0]
        n, size = len(X), self.solver.batch_size
        self.n_rows, self.weight = self.n_rows + n, self.weight + s.sum()
        s = s / (self.weight / self.n_rows)
        order, size = (np.arange(n), n) if size is None else (self.rng.permutation(n), size)
        for k in range(0, n, size):
            rows = order[k : k + size]
            self.step(X[rows], Y[rows], s[rows])
        self.n_calls += 1

    def step(self, X, Y, s):
        self.n_steps += 1
        dW, db = np.zeros_like(self.A), np.zeros_like(self.b)
        for x, y, weight in zip(X, Y, s, strict=True):
            z = (self.beta[:, None] * self.A).T @ x + self.b
            full = np.r_[0.0, z] if len(z) == 1 else z
            P = (np.exp(full) / np.exp(full).sum())[-len(z) :]
            dW += weight * np.outer(x, P - y) / len(X)
            db += weight * (P - y) / len(X)
        (self.move_switched if self.switched else self.move_plain)(dW)
        self.b = self.b - self.rule("b", db)
        self.A[~self.alive], self.beta[~self.alive] = 0.0, 0.0 if self.switched else 1.0

    def move_switched(self, dW):
        alpha, decay = self.estimator.alpha, self.estimator.weight_decay
        dA = self.beta[:, None] * dW + 2 * decay * self.A
        dbeta = (self.A * dW).sum(axis=1) + alpha * np.sign(self.beta)
        self.A = self.A - self.rule("A", dA)
        self.beta = self.beta - self.rule("beta", dbeta)
        if self.solver.removal is not None:
            gamma, sign = self.solver.removal.gamma, np.sign(self.beta)
            self.variance = gamma * self.variance + (1 - gamma) * (sign - self.mean) ** 2
            self.mean = gamma * self.mean + (1 - gamma) * sign
            self.alive &= self.variance <= self.solver.removal.threshold

    def move_plain(self, dW):
        alpha, d = self.estimator.alpha, np.zeros_like(dW)
        for j, w in enumerate(self.A):
            size, push = np.linalg.norm(w), np.linalg.norm(dW[j])
            d[j] = dW[j] + alpha * w / size if size else dW[j] * max(0, 1 - alpha / push)
        moved = self.A - self.rule("A", d)
        moved[(moved * self.A).sum(axis=1) < 0] = 0.0
        self.A = moved

    def rule(self, name, d):
        memory, solver = self.memory[name], self.solver
        rate = solver.learning_rate / (1 + solver.learning_rate_decay * self.n_calls)
        if solver.optimizer == "sgd":
            memory["v"] = solver.momentum * memory.get("v", 0) + d
            return rate * memory["v"]
        if solver.optimizer == "adagrad":
            memory["s"] = memory.get("s", 0) + d**2
            return rate * d / (np.sqrt(memory["s"]) + 1e-10)
        memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * d
        memory["s"] = 0.999 * memory.get("s", 0) + 0.001 * d**2
        mean, square = memory["m"], memory["s"]
        steps = self.n_steps
        return rate * mean / (1 - 0.9**steps) / (np.sqrt(square / (1 - 0.999**steps)) + 1e-8)

    def deviation(self, model):
        """The largest of all of a model's parameters."""
        off = [model.coef_ - (self.beta[:, None] * self.A).T, model.intercept_ - self.b]
        if self.switched:
            off += [model.switch_ - self.beta, model.weight_ - self.A.T]
        return max(np.abs(values).max() for values in off)


def best_constant(Y, s=None):
    share = np.average(Y, axis=0, weights=s)
    if len(share) == 1:
        return np.log(share / (1 - share))
    return np.log(share) - np.log(share).mean()


def slow_stream(model, chunks, weights=None):
    """The reference after the same calls, for numbers of classes as labels."""
    weights = [None] * len(chunks) if weights is None else weights
    coded = [(X, indicators_of(np.r_[y, chunks[0][1]])[: len(y)]) for X, y in chunks]
    X, Y = coded[0]
    b, rng = best_constant(Y, weights[0]), np.random.RandomState(model.random_state)
    slow = Slow(model, X.shape[1], Y.shape[1], b, rng)
    for (X, Y), s in zip(coded, weights, strict=True):
        slow.call(X, Y, s)
    return slow


OPTIMIZERS: dict[str, dict] = {
    "adagrad": {},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.02, "momentum": 0.7},
    "adam": {"optimizer": "adam", "learning_rate": 0.03},
}


def prepared(estimator, **setting):
    """With everything that the formula needs as a number."""
    if isinstance(estimator, ShrinkNetClassifier):
        setting["weight_decay"] = 0.02
    return make(estimator, **setting)


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


# Wrong code that the comparison rejects.


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
        # The loss over the share is the penalty times the share, for a rule without scale.
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


# --- against fit

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
    # A factor is no matter, even where the first call is alone in having it.
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


@every_estimator
def test_rows_in_any_order_of_classes(estimator):
    X, y = simulate_classes(300, 8, 3, noise=0.3)
    model = make(estimator, alpha=0.01, learning_rate=0.2)
    stream(model, [(X[y == 2][:20], y[y == 2][:20])])
    # One class is all it has seen, and others are still possible.
    assert (model.predict(X) == 2).mean() > 0.9
    P = model.predict_proba(X)
    assert P.shape == (300, 3)
    assert (P > 1e-6).all()
    np.testing.assert_allclose(P.sum(axis=1), 1)
    # Five rows of one class, then five of the next, and so on.
    of_class = {k: X[y == k] for k in range(3)}
    alone = [(of_class[k][m : m + 5], [k] * 5) for m in range(0, 40, 5) for k in range(3)]
    stream(model, alone * 5)
    assert model.score(X, y) > 0.85


def test_a_class_that_the_first_rows_lack_begins_as_half_a_row():
    X = np.random.default_rng(0).normal(size=(10, 4))
    tiny = {"learning_rate": 1e-12}
    for codes, n_classes, shares in [
        ([0] * 10, 2, [9.5, 0.5]),
        ([1] * 10, 2, [0.5, 9.5]),
        ([0] * 3 + [1] * 7, 2, [3, 7]),
        ([0] * 4 + [2] * 6, 3, [4, 0.5, 6]),
    ]:
        model = make(ESTIMATORS[0], **tiny)
        model.partial_fit(X, codes, classes=range(n_classes))
        logs = np.log(np.asarray(shares, dtype=float))
        expected = logs[1:] - logs[0] if n_classes == 2 else logs - logs.mean()
        np.testing.assert_allclose(model.intercept_, expected, atol=1e-9)
    none = make(ESTIMATORS[0], fit_intercept=False).partial_fit(X, [0] * 10, classes=[0, 1])
    assert not none.intercept_.any()


# --- what is carried from call to call


@every_estimator
@every_batch_size
@pytest.mark.parametrize("removal", [Threshold(0.05), SignVariance(0.8)], ids=repr)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_in_mid_stream_goes_on_with_the_same_bits(estimator, batch_size, removal, way):
    if estimator is ESTIMATORS[1]:
        removal = Threshold(0.05)
    chunks = chunks_of() * 3
    setting = {"batch_size": batch_size, "alpha": 0.2, "removal": removal}
    whole = stream(make(estimator, **setting), chunks)
    model = stream(make(estimator, **setting), chunks[:6])
    other = way(model)
    assert same_bits(stream(model, chunks[6:]), whole)
    assert same_bits(stream(other, chunks[6:]), whole)
    assert other.cost_ == whole.cost_
    assert whole.get_support().sum() < 8
    # A clone knows nothing; it begins again.
    assert same_bits(stream(clone(model), chunks), whole)


def test_no_data_are_kept():
    X, y = simulate_classes(5000, 8, 3)
    model = stream(clone(ESTIMATORS[0]), [(X, y)] * 3)
    assert len(pickle.dumps(model)) < 20_000


@every_estimator
def test_it_does_not_grow(estimator):
    X, y = simulate_classes(20, 8, 3)
    removal = Threshold(1e-9) if estimator is ESTIMATORS[1] else SignVariance(0.9, 2.0)
    model = make(estimator, removal=removal, batch_size=7)
    sizes = [len(pickle.dumps(stream(model, [(X, y)] * 40))) for _ in range(2)]
    # Numbers may need another digit.
    assert abs(sizes[1] - sizes[0]) < 50


class SeesThreads(Removal):
    def dead(self, watched):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert pools
        assert all(pool["num_threads"] == 1 for pool in pools)
        return np.zeros(len(watched.gate), dtype=bool)


@every_estimator
def test_products_are_of_one_thread(estimator):
    with threadpool_limits(2, "blas"):
        stream(make(estimator, removal=SeesThreads()), chunks_of())


@every_estimator
@every_batch_size
def test_a_removed_feature_never_returns(estimator, batch_size):
    removal = SignVariance(0.5) if estimator is ESTIMATORS[0] else Threshold(0.05)
    model = make(estimator, removal=removal, alpha=0.2, batch_size=batch_size)
    alive = np.ones(8, dtype=bool)
    for X, y in chunks_of() * 6:
        model.partial_fit(X, y, classes=range(3))
        n_removed = sum(n for _, n in model.cost_.removals)
        if estimator is ESTIMATORS[0]:
            assert not model.get_support()[~alive].any()
            assert model.get_support().sum() == 8 - n_removed
            alive = model.get_support()
        np.testing.assert_array_equal(model.coef_.any(axis=0), model.get_support())
    assert 0 < n_removed < 8


@every_estimator
@every_batch_size
def test_annealing_counts_calls(estimator, batch_size):
    removal, chunks = Annealing(3, mu=2.0, pretrain=2), chunks_of() * 4
    model = make(estimator, removal=removal, max_epochs=10, batch_size=batch_size)
    for call, chunk in enumerate(chunks, start=1):
        stream(model, [chunk])
        left = 8 - sum(n for _, n in model.cost_.removals)
        assert left == removal.kept(8, min(call, 10), 10)
    assert left == 3


@every_estimator
def test_nothing_left_is_a_model_of_the_intercept(estimator):
    model = stream(make(estimator, removal=Threshold(1e9)), chunks_of())
    assert not model.get_support().any()
    assert model.intercept_.any()


@every_estimator
@every_batch_size
def test_counts(estimator, batch_size):
    chunks, q = chunks_of(), 3
    model = stream(make(estimator, batch_size=batch_size), chunks)
    n_parameters = 8 * q + q + (8 if estimator is ESTIMATORS[0] else 0)
    sizes = [len(y) for _, y in chunks]
    n_steps = len(sizes) if batch_size is None else sum(-(-n // 7) for n in sizes)
    assert model.cost_.epochs == model.n_iter_ == 5
    assert model.cost_.neuron_epochs == 5 * 8
    assert model.cost_.parameter_updates == n_steps * n_parameters
    # A gradient is two products, and the values before and after the steps are one each; a
    # batch of all rows has the first for nothing.
    n_products = 3 if batch_size is None else 4
    assert model.cost_.multiply_adds == n_products * sum(sizes) * 8 * q


# --- what is set


def objective_of(model, X, y, s=None):
    if not hasattr(model, "switch_"):
        penalty = model.alpha * np.linalg.norm(model.coef_, axis=0).sum()
    else:
        decay = 4 * model.alpha / 27 * (model.weight_**2).sum()
        penalty = model.alpha * np.abs(model.switch_).sum() + decay
    return log_loss(X, y, model.coef_, model.intercept_, s) + penalty


@every_estimator
@every_number_of_classes
def test_attributes_after_a_call(estimator, n_classes):
    model = clone(estimator)
    for k, (X, y) in enumerate(chunks_of(n_classes), start=1):
        s = np.arange(len(y)) % 3 + 1.0
        assert model.partial_fit(X, y, classes=range(n_classes), sample_weight=s) is model
        if set(y) == set(range(n_classes)):
            assert model.objective_ == pytest.approx(objective_of(model, X, y, s), rel=1e-12)
        assert model.n_iter_ == k
    n_rows = 1 if n_classes == 2 else 3
    assert model.coef_.shape == (n_rows, 8)
    assert model.intercept_.shape == (n_rows,)
    np.testing.assert_array_equal(model.classes_, np.arange(n_classes))
    assert model.n_features_in_ == 8
    assert not hasattr(model, "history_")
    if hasattr(model, "switch_"):
        np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


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
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@every_batch_size
def test_sparse_equals_dense(estimator, container, batch_size):
    chunks = [(np.where(np.abs(X) < 1, 0, X), y) for X, y in chunks_of()]
    setting = {"batch_size": batch_size, "removal": Threshold(0.05), "alpha": 0.2}
    dense = stream(make(estimator, **setting), chunks)
    model = stream(make(estimator, **setting), [(container(X), y) for X, y in chunks])
    assert_close(model, dense, 1e-10)


@every_estimator
def test_float32_labels_as_text_and_frames(estimator):
    chunks, names = chunks_of(), np.array(["ash", "beech", "cedar"])
    double = stream(clone(estimator), chunks)
    single = stream(clone(estimator), [(X.astype(np.float32), y) for X, y in chunks])
    assert {value.dtype for value in learnt(single).values()} == {np.dtype(np.float32)}
    assert_close(single, double, 1e-4)
    columns = list("abcdefgh")
    for dtype in (str, object):
        named = clone(estimator)
        for k, (X, y) in enumerate(chunks):
            frame = pd.DataFrame(X, columns=columns)
            classes = ["cedar", "ash", "beech"] if k == 0 else None
            named.partial_fit(frame, pd.Series(names[y].astype(dtype)), classes)
        assert same_bits(named, double)
        assert list(named.feature_names_in_) == columns
        np.testing.assert_array_equal(named.predict(frame), names[double.predict(frame.to_numpy())])
    with pytest.raises(ValueError, match="feature names should match"):
        named.partial_fit(frame[columns[::-1]], names[y])


@every_estimator
def test_many_classes_in_small_chunks(estimator):
    # Nearly all labels of a chunk are different, which is nothing to be warned of.
    X, y = simulate_classes(90, 5, 40)
    model = clone(estimator)
    for k in range(0, 90, 30):
        model.partial_fit(X[k : k + 30], y[k : k + 30], classes=range(40))
    assert model.predict_proba(X).shape == (90, 40)


@every_estimator
def test_a_call_of_no_weight_adds_nothing(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2])
    other = copy.deepcopy(model)
    X, y = chunks[2]
    assert other.partial_fit(X, y, sample_weight=np.zeros(len(y))) is other
    other.set_params(class_weight={1: 0}).partial_fit(X[y == 1], y[y == 1])
    other.set_params(class_weight=None)
    assert other.n_iter_ == 2
    assert same_bits(stream(model, chunks[2:]), stream(other, chunks[2:]))


@every_estimator
def test_rows_of_less_weight_count_less(estimator):
    (X, y), (_, _), (Z, z), *_ = chunks_of()
    z = (z + 1) % 3  # of another opinion
    probabilities = []
    for weight in (1e-9, 0.1, 1, 10):
        weights = [None, np.full(len(z), weight)] * 40
        model = stream(make(estimator, alpha=0.001), [(X, y), (Z, z)] * 40, weights=weights)
        probabilities.append(mean_log_loss(y, model.predict_proba(X), labels=range(3)))
    assert (np.diff(probabilities) > 0).all()


# --- before and after fit


@every_estimator
@every_batch_size
def test_it_goes_on_from_a_fitted_model(estimator, batch_size):
    chunks = chunks_of()
    X, y = chunks[0]
    model = prepared(estimator, batch_size=batch_size, max_epochs=30).fit(X, y)
    switch = getattr(model, "switch_", np.ones(8))
    weight = getattr(model, "weight_", model.coef_)
    start = weight.T.copy(), switch.copy(), model.intercept_.copy()
    slow = Slow(model, 8, 3, None, np.random.RandomState(0), start)
    for X, y in chunks:
        slow.call(X, np.eye(3)[y])
        model.partial_fit(X, y)
    assert slow.deviation(model) < 1e-10
    assert model.n_iter_ == model.cost_.epochs == 5
    assert not hasattr(model, "history_")


@every_estimator
def test_fit_begins_anew(estimator):
    X, y = simulate_classes(50, 6, 2)
    fresh = make(estimator, max_epochs=20).fit(X, y)
    model = stream(clone(fresh), chunks_of()).fit(X, y)
    assert same_bits(model, fresh)
    assert model.history_["epoch"][-1] == 20
    # Of the stream nothing is left.
    assert same_bits(model.partial_fit(X, y), fresh.partial_fit(X, y))
    assert model.n_iter_ == 1


@every_estimator
@pytest.mark.parametrize("removal", [None, Threshold(0.02)], ids=repr)
def test_what_an_exact_fit_left_out(estimator, removal):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.15).fit(X, y)
    out = ~model.get_support()
    assert 0 < out.sum() < 8
    model.set_params(solver=GradientDescent(removal=removal), alpha=0.001)
    stream(model, [(X, y)] * 5)
    assert not hasattr(model, "residual_")
    if estimator is ESTIMATORS[0] or removal is not None:
        assert not model.get_support()[out].any()
    else:
        assert model.get_support()[out].any()


@every_estimator
@pytest.mark.parametrize("removal", [None, Threshold(0.001)], ids=repr)
def test_a_model_without_features_begins_anew(estimator, removal):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=1e3).fit(X, y)
    assert not model.coef_.any()
    model.set_params(alpha=0.01, solver=GradientDescent(removal=removal))
    assert stream(model, [(X, y)] * 10).get_support().any()


@pytest.mark.parametrize("groups", [None, [2, 0, 1, 3] * 2], ids=["features", "groups"])
def test_what_closed_filters_left_out_stays_out(groups):
    X, y = simulate_classes(60, 8, 3)
    setting = {"gate": "filter", "max_epochs": 300, "groups": groups, "alpha": 0.05}
    model = make(ESTIMATORS[0], **setting).fit(X, y)
    out = ~model.get_support()
    assert 0 < out.sum() < 8
    assert model.weight_[:, out].any()  # a filter that closes leaves them
    model.set_params(solver=GradientDescent(), alpha=0.001)
    stream(model, [(X, y)] * 20)
    np.testing.assert_array_equal(model.get_support(), ~out)


OTHER_GROUPS = [[0, 0, 1, 1, 2, 2, 3, 3], [2, 0, 1, 3] * 2, [0] * 8]


@every_estimator
@pytest.mark.parametrize("groups", OTHER_GROUPS, ids=repr)
@pytest.mark.parametrize("solver", ["auto", GradientDescent(removal=SignChange(), max_epochs=50)])
@pytest.mark.filterwarnings("ignore:(?s).*above that of a model without features")
def test_groups_may_change_after_fit(estimator, groups, solver):
    if estimator is ESTIMATORS[1]:
        solver = "auto"
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.1, solver=solver).fit(X, y)
    coef = model.coef_.copy()
    assert 0 < model.get_support().sum() < 8
    # At next to no rate it is the model that was fitted.
    model.set_params(groups=groups, solver=GradientDescent(learning_rate=1e-12))
    other = copy.deepcopy(model).set_params(warm_start=True, solver__max_epochs=1)
    np.testing.assert_allclose(model.partial_fit(X, y).coef_, coef, rtol=0, atol=1e-10)
    np.testing.assert_allclose(other.fit(X, y).coef_, coef, rtol=0, atol=1e-10)


@every_estimator
def test_without_an_intercept_none_is_left_of_the_fit(estimator):
    X, y = simulate_classes(60, 8, 3)
    model = clone(estimator).set_params(alpha=0.1).fit(X, y)
    assert model.intercept_.any()
    model.set_params(fit_intercept=False).partial_fit(X, y)
    assert not model.intercept_.any()


@every_estimator
def test_a_fit_that_fails_in_mid_stream_leaves_model_and_stream(estimator):
    chunks, (X, y) = chunks_of(), simulate_classes(50, 5, 2)
    model = stream(clone(estimator), chunks[:2])
    before = vars(model).copy()
    with pytest.raises(ValueError, match="one class"):
        model.fit(X, np.zeros(50))
    assert vars(model) == before
    diverging = GradientDescent("sgd", learning_rate=RATES_TOO_LARGE.get(type(model), 1e5))
    diverging.set_params(max_epochs=9)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(solver=diverging).fit(X, y)
    assert vars(model.set_params(solver="auto")) == before
    assert same_bits(stream(model, chunks[2:]), stream(clone(estimator), chunks))


@every_estimator
def test_what_is_not_penalised_is_not_left_out(estimator):
    omega = np.array([0.0] + [1.0] * 7)
    model = make(estimator, feature_weights=omega, removal=Threshold(1e9))
    stream(model, chunks_of())
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [0])


# --- parameters that change


@every_estimator
def test_the_penalty_may_change(estimator):
    chunks = chunks_of()
    model = stream(prepared(estimator, alpha=0.01), chunks[:3])
    slow = slow_stream(model, chunks[:3])
    model.set_params(alpha=0.7)  # the reference looks at it too
    for X, y in chunks[3:]:
        slow.call(X, np.eye(3)[y])
        model.partial_fit(X, y)
    assert slow.deviation(model) < 1e-10
    # However much stronger, it is no divergence.
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
    """Minds its own memory."""

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
        ({"groups": [0, 0, 1, 1, 2, 2, 3, 3]}, "groups"),  # the order of the features is the same
        ({"fit_intercept": False}, "fit_intercept"),
    ],
    ids=repr,
)
def test_what_may_not_change(estimator, parameters, name):
    chunks = chunks_of()
    if name == "gate" and estimator is ESTIMATORS[1]:
        # It has none.
        model = stream(make(estimator), chunks[:2]).set_params(**parameters)
        assert same_bits(stream(model, chunks[2:]), stream(make(estimator), chunks))
        return
    model = stream(make(estimator), chunks[:2])
    before = learnt(model)
    old = {key: model.get_params()[key] for key in parameters}
    with pytest.raises(ValueError, match=f"^{name} changed between two calls.*set it back"):
        model.set_params(**parameters).partial_fit(*chunks[2])
    assert all(before[key] is getattr(model, key) for key in before)
    stream(model.set_params(**old), chunks[2:])
    assert same_bits(model, stream(make(estimator), chunks))


# --- what it says

X, Y = simulate_classes(30, 8, 3)


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, Y), ValueError, r"classes=None in the first call .*give all labels .*np.unique"),
        ((X, Y, [0, 1]), ValueError, r"y has labels that .* classes \[0, 1\]: 2. Give all labels"),
        ((X, Y, [0]), ValueError, r"classes=\[0\] is one class: give a list .* two or more"),
        ((X, Y, []), ValueError, r"classes=\[\]: give a list of all labels"),
        ((X, Y, 3), ValueError, "classes=3: give a list of all labels"),
        ((X, Y, [[0, 1, 2]]), ValueError, r"classes=\[\[0, 1, 2\]\]: give a list of all"),
        ((X, Y, [0, 1, "2"]), ValueError, r"classes=.*They are no labels: Mix of label"),
        ((X, Y, [0, 1, 2.5]), ValueError, r"classes=.*They are no labels: Unknown label type"),
        ((X, Y, [0, 1, None]), ValueError, r"classes=.*They are no labels"),
        ((X, Y / 7, range(3)), ValueError, r"y has labels that are not among .*: 0\.14"),
        ((X, Y.astype(str), range(3)), ValueError, r"y has labels that are not among .*: '0'"),
        ((X, np.arange(30), range(3)), ValueError, r"\[0, 1, 2\]: 3, 4, 5, 6, 7, …. Give"),
        ((X, Y, range(3), np.full(30, 1e308)), ValueError, "sums to more than a float64 holds"),
        ((Moments.from_data(X, Y), None, range(3)), TypeError, "Moments, which .* Give the sam"),
        ((X[:9], Y, range(3)), ValueError, "inconsistent numbers of samples.*the same rows"),
        ((np.where(X > 2, np.nan, X), Y, range(3)), ValueError, "contains NaN"),
        ((1e200 * X, Y, range(3)), ValueError, "works with squares of X"),
        ((X, Y, range(3), np.zeros(30)), ValueError, "zero on every row of the first call"),
        ((X, Y, range(3), -np.ones(30)), ValueError, "negative entries"),
        ((X, Y, range(3), 0), ValueError, r"sample_weight has shape \(\): give one"),
        ((X, Y, range(3), np.ones(29)), ValueError, "inconsistent numbers of samples"),
        ((X, Y, range(3), np.zeros(29)), ValueError, "inconsistent numbers of samples"),
        ((X, Y, range(3), ["a"] * 30), ValueError, "sample_weight of dtype .* not numeric"),
    ],
    ids=range(23),
)
def test_a_bad_first_call_leaves_nothing_behind(estimator, arguments, error, message):
    model = clone(estimator)
    before = vars(model).copy()
    with pytest.raises(error, match=message):
        model.partial_fit(*arguments)
    assert vars(model) == before
    assert same_bits(stream(model, chunks_of()), stream(clone(estimator), chunks_of()))


@every_estimator
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"class_weight": "balanced"}, 'class_weight="balanced" needs .*give a dict of label'),
        ({"class_weight": {7: 2}}, r"class_weight has weights for \[7\]"),
        ({"class_weight": {0: 0, 1: 0}}, "one class, 2,"),
        ({"class_weight": "even"}, "class_weight='even': give None"),
        ({"alpha": -1}, "alpha=-1: give"),
        ({"solver": GradientDescent(batch_size=0)}, "batch_size=0: give"),
        ({"solver": GradientDescent(removal=Annealing(9))}, "n_features=9 is more than the 8"),
        ({"solver": "sgd"}, "solver='sgd' is not a solver of"),
    ],
    ids=repr,
)
def test_bad_parameters(estimator, parameters, message):
    model, chunks = stream(clone(estimator), chunks_of()), chunks_of()
    for started in (clone(estimator), model):
        with pytest.raises(ValueError, match=message):
            stream(started.set_params(**parameters), chunks[:1])


def test_group_lasso_has_no_signs_to_follow():
    with pytest.raises(ValueError, match="follows the signs of switches"):
        stream(make(ESTIMATORS[1], removal=SignChange()), chunks_of())


@every_estimator
@pytest.mark.parametrize("fitted", [False, True])
def test_bad_later_calls_leave_the_model_as_it_was(estimator, fitted):
    chunks = chunks_of()
    begin = (lambda m: m.fit(*chunks[0])) if fitted else (lambda m: stream(m, chunks[:1]))
    model, other = begin(clone(estimator)), begin(clone(estimator))
    X, y = chunks[1]
    for arguments, message in [
        ((X[:, :-1], y), "X has 7 features, but .* is expecting 8"),
        ((X, y, [0, 1]), r"classes=\[0, 1\] are not those of the model, \[0, 1, 2\]: give the"),
        (
            (X, y + 1),
            r"not among the classes \[0, 1, 2\]: 3. Begin anew with a clone, and give all",
        ),
        ((X, y, None, np.full(len(y), np.nan)), "sample_weight contains NaN"),
    ]:
        before = vars(model).copy()
        with pytest.raises(ValueError, match=message):
            model.partial_fit(*arguments)
        assert vars(model) == before
    for X, y in chunks[1:]:
        model.partial_fit(X, y)
        other.partial_fit(X, y, classes=[2, 1, 0])
    assert same_bits(model, other)


RATES_TOO_LARGE = {GroupLassoClassifier: 1e13}  # whose gradient is bounded


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
    # The next call has the bits that it would have had.
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
    # Of these rows, all of one class, the best constant and the model lose next to nothing.
    Z = np.array([[1.0, 10.0]] * 2 + [[1.0, -10.0]])
    model = make(ESTIMATORS[1], alpha=0.0, learning_rate=1.9)
    model.set_params(solver__max_epochs=1).fit(np.eye(2), [0, 1])
    model.coef_[:] = 20.0, 0.0
    before = np.logaddexp(0, -model.decision_function(Z)).mean()
    model.partial_fit(Z, [1, 1, 1])
    assert 1e3 * before < model.objective_ < 0.1


class Interrupt(Removal):
    """Ctrl-C in the call `at`, after some steps of it."""

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
    """Takes out one switch every ten steps; Ctrl-C after it has counted one of call `at`."""

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


def test_an_objective_without_a_minimiser_is_warned_of():
    model = make(ESTIMATORS[0], weight_decay=0)
    with pytest.warns(UserWarning, match="weight_decay=0 leaves the objective") as caught:
        model.partial_fit(X, Y, classes=range(3))
    assert caught[0].filename == __file__


@every_estimator
def test_verbose_prints_a_line_a_call(estimator, capsys):
    stream(clone(estimator).set_params(verbose=1), chunks_of())
    out, err = capsys.readouterr()
    assert [line.split(", ")[-1] for line in out.splitlines()] == [
        f"{k} call{'s' * (k > 1)}." for k in range(1, 6)
    ]
    assert err == ""


@every_estimator
def test_random_states(estimator):
    chunks = chunks_of()
    models = [
        stream(clone(estimator).set_params(random_state=state), chunks)
        for state in (3, 3, 4, np.random.RandomState(3), np.random.RandomState(3))
    ]
    assert same_bits(models[0], models[1])
    assert not same_bits(models[0], models[2])
    assert same_bits(models[3], models[4])


def drawn_from(rng):
    return rng.get_state()[1:3]


@every_estimator
def test_a_generator_gives_one_number_and_none_where_the_first_call_fails(estimator):
    rng, chunks = np.random.RandomState(3), chunks_of()
    rate = RATES_TOO_LARGE.get(type(estimator), 1e5)
    model = make(estimator, optimizer="sgd", learning_rate=rate, batch_size=7)
    model.set_params(random_state=rng)
    with pytest.raises(ValueError, match="diverged"):
        stream(model, chunks[:1])
    np.testing.assert_equal(drawn_from(rng), drawn_from(np.random.RandomState(3)))
    stream(model.set_params(solver__learning_rate=0.01), chunks)
    one = np.random.RandomState(3)
    one.randint(2**31 - 1)
    np.testing.assert_equal(drawn_from(rng), drawn_from(one))


class Fails(Removal):
    def dead(self, watched):
        np.random.random_sample()  # noqa: NPY002
        raise RuntimeError("a strategy of one's own")


@every_estimator
def test_without_random_state_the_global_generator_is_left_alone(estimator):
    chunks, before = chunks_of(), np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(0)  # noqa: NPY002
        model = stream(make(estimator, random_state=None, batch_size=7), chunks[:1])
        begun = drawn_from(np.random)
        stream(model, chunks[1:3])
        np.testing.assert_equal(drawn_from(np.random), begun)
        model.set_params(solver__removal=Fails())
        with pytest.raises(RuntimeError):
            stream(model, chunks[3:])
        # What others draw meanwhile is not drawn again.
        assert drawn_from(np.random)[1] != begun[1]
    finally:
        np.random.set_state(before)  # noqa: NPY002


@every_estimator
def test_shallow_copies_go_on_apart(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2])
    first, second = (stream(copy.copy(model), chunks[2:]) for _ in range(2))
    assert same_bits(first, second)
    assert same_bits(stream(model, chunks[2:]), first)


@every_estimator
def test_random_state_is_looked_at_in_the_first_call_alone(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2]).set_params(random_state=9)
    assert same_bits(stream(model, chunks[2:]), stream(make(estimator, batch_size=7), chunks))


@every_estimator
def test_weights_whose_sum_over_all_calls_is_too_large(estimator):
    X, y = simulate_classes(30, 8, 3)
    model = clone(estimator).partial_fit(X, y, range(3), np.full(30, 4e306))
    before = vars(model).copy()
    with pytest.raises(ValueError, match="sums to more than a float64 holds over all"):
        model.partial_fit(X, y, sample_weight=np.full(30, 4e306))
    assert vars(model) == before


@pytest.mark.parametrize(("parameters", "warned"), [({"p": 0.5}, 0), ({"weight_decay": 0}, 1)])
def test_what_only_an_exact_solver_lacks_is_no_matter(parameters, warned):
    model = clone(ESTIMATORS[0]).set_params(**parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.partial_fit(X, Y, classes=range(3))
    assert len(caught) == warned
    with pytest.raises(ValueError, match=r"closed-form|without a minimiser"):
        model.fit(X, Y)
