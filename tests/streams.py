"""Classifiers that learn from chunks of rows, and a slow reference of what they learn."""

import numpy as np
import pytest
from sklearn.base import clone

from oracles import indicators_of
from problems import simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    ShrinkNetClassifier,
)

ESTIMATORS = [ShrinkNetClassifier(random_state=0), GroupLassoClassifier(random_state=0)]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
every_number_of_classes = pytest.mark.parametrize("n_classes", [2, 3])
every_batch_size = pytest.mark.parametrize("batch_size", [None, 7])


RATES_TOO_LARGE = {GroupLassoClassifier: 1e13}  # its gradient is bounded
LEARNT = ("coef_", "intercept_", "switch_", "weight_")


def make(estimator, **parameters):
    """A copy; keyword arguments are parameters of a new solver, or of the estimator."""
    of_solver = GradientDescent().get_params(deep=False)
    own = {k: parameters.pop(k) for k in list(parameters) if k not in of_solver}
    return clone(estimator).set_params(solver=GradientDescent(**parameters), **own)


def chunks_of(n_classes=3, sizes=(30, 20, 25, 30, 15), seed=0):
    X, y = simulate_classes(sum(sizes), 8, n_classes, seed=seed)
    # The first rows are one of each class, so the first chunk has every class.
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


class Slow:
    """ShrinkNet and group lasso by their formulas, feature by feature; removed ones are zeros."""

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
        """The largest difference over all parameters of a model."""
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
    """The reference after the same calls; labels are class numbers."""
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
    """`make`, with weight_decay as the number that the formula needs."""
    if isinstance(estimator, ShrinkNetClassifier):
        setting["weight_decay"] = 0.02
    return make(estimator, **setting)
