"""Random problems, each made from a few drawn words and numbers: what fails is short to read."""

from dataclasses import dataclass, fields, replace

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from judge import Judge
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)

ESTIMATORS = {
    ("regression", "group lasso"): GroupLassoRegressor,
    ("regression", "p=2"): ShrinkNetRegressor,
    ("regression", "p=1"): ShrinkNetRegressor,
    ("classification", "group lasso"): GroupLassoClassifier,
    ("classification", "p=2"): ShrinkNetClassifier,
    ("classification", "p=1"): ShrinkNetClassifier,
}
PENALTIES = ("group lasso", "p=2", "p=1")
# Powers of ten: all but the last few leave room for the squares of products.
EXPONENTS = (0, 3, -3, 20, -20, 60, -60, 100, -100, 150, -150)
# What a fit multiplies may be this large, and no more; see `Problem.moderate`.
_WITHIN = 140


@dataclass(frozen=True)
class Problem:
    """A problem in words; its numbers follow from `seed`.

    `share` is α over one at which the model is empty, `response` how y depends on X, `ridge` that
    over the largest mean square of a column.
    """

    task: str = "regression"
    penalty: str = "group lasso"
    n_samples: int = 8
    n_features: int = 3
    n_targets: int = 1
    share: float = 0.1
    ridge: float = 0.0
    seed: int = 0
    solver: str = "auto"
    columns: str = "plain"
    response: str = "linear"
    x_exponent: int = 0
    y_exponent: int = 0
    weights: str = "none"
    groups: str = "single"
    free: bool = False
    fit_intercept: bool = True
    layout: str = "dense"

    def __repr__(self):
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        told = [f"{name}={value!r}" for name, value, default in given if value != default]
        return f"Problem({', '.join(told)})"

    @property
    def moderate(self):
        """Whether all products of the data lie well within float64: it has to be solved."""
        x, y = abs(self.x_exponent), abs(self.y_exponent)
        y = y if self.task == "regression" else 0
        uneven = x if self.columns == "mixed" else 0
        return x + y + uneven <= _WITHIN

    def given(self):
        """The `Given` of this problem."""
        rng = np.random.default_rng(self.seed)
        X = _columns(self, rng)
        y = _response(self, X, rng)
        X = X * _scales(self)
        if self.task == "regression":
            y = y * 10.0**self.y_exponent
        given = Given(self, X, y, _sample_weight(self, rng), *_groups(self), 1.0, _ridge(self, X))
        return replace(given, alpha=_alpha(self, given))


@dataclass(frozen=True, eq=False)
class Given:
    """What an estimator is given: X (n, p) dense, y, weights or None, alpha and ridge."""

    problem: Problem
    X: np.ndarray
    y: np.ndarray
    s: np.ndarray | None
    labels: list | None
    feature_weights: np.ndarray | None
    alpha: float
    ridge: float

    def judge(self):
        problem = self.problem
        return Judge(
            self.stored().astype(float), self.y, self.s, problem.task, problem.penalty,
            self.alpha, self.labels, self.feature_weights, problem.fit_intercept, self.ridge,
        )  # fmt: skip

    def stored(self):
        """X dense, after what its layout makes of it."""
        return self.X.astype(np.float32) if self.problem.layout == "float32" else self.X

    def laid_out(self):
        """X as the estimator gets it."""
        layout = self.problem.layout
        if layout in ("csr", "csc"):
            return sparse.csr_array(self.X).asformat(layout)
        return np.asfortranarray(self.X) if layout == "fortran" else self.stored()

    def estimator(self, **params):
        problem = self.problem
        own = {} if problem.penalty == "group lasso" else {"p": int(problem.penalty[-1])}
        if problem.task == "regression" and problem.solver != "auto":
            own["solver"] = CoordinateDescent(gram=problem.solver == "gram")
        return ESTIMATORS[problem.task, problem.penalty](
            alpha=self.alpha, ridge=self.ridge, groups=self.labels,
            feature_weights=self.feature_weights, fit_intercept=problem.fit_intercept,
            **own, **params,
        )  # fmt: skip


def _columns(problem, rng):
    X = rng.normal(size=(problem.n_samples, problem.n_features))
    first, last, kind = X[:, :1], slice(problem.n_features // 2, None), problem.columns
    if kind == "duplicated":
        X[:, last] = first
    elif kind == "collinear":
        X[:, last] = first + 1e-6 * X[:, last]
    elif kind == "constant":
        X[:, last] = 0.1
    elif kind == "zero":
        X[:, last] = 0.0
    elif kind == "sparse":
        X *= rng.random(X.shape) < 0.2
    elif kind == "far":
        X[:, last] += 1e3
    elif kind == "flags":
        X = (X > 0).astype(float)
    return X


def _scales(problem):
    signs = np.ones(problem.n_features)
    if problem.columns == "mixed":
        signs[1::2] = -1
    return 10.0 ** (problem.x_exponent * signs)


def _response(problem, X, rng):
    if problem.task == "classification":
        return _classes(problem, X, rng)
    shape = (len(X), problem.n_targets)
    W = np.zeros((X.shape[1], problem.n_targets))
    W[:3] = rng.normal(size=W[:3].shape)
    noise = rng.normal(size=shape)
    Y = {
        "linear": X @ W + 0.3 * noise,
        "exact": X @ W,
        "noise": noise,
        "constant": np.full(shape, 0.1),
        "zero": np.zeros(shape),
    }[problem.response]
    return Y[:, 0] if problem.n_targets == 1 else Y


def _classes(problem, X, rng):
    """Numbers of classes, every class present among the first rows."""
    n_classes = problem.n_targets + 1
    W = rng.normal(size=(X.shape[1], n_classes))
    noise = {"linear": 1.0, "exact": 0.0}.get(problem.response, 1e6)
    y = (X @ W + noise * rng.normal(size=(len(X), n_classes))).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return y


def _sample_weight(problem, rng):
    n = problem.n_samples
    if problem.weights == "none":
        return None
    if problem.weights == "uneven":
        return 10.0 ** rng.uniform(-3, 3, n)
    s = rng.uniform(0.5, 2, n)
    # Every class keeps a row of weight.
    s[problem.n_targets + 1 :: 2] = 0.0
    return s


def _groups(problem):
    """Labels and weights of the features."""
    p = problem.n_features
    labels = {"single": None, "pairs": [j // 2 for j in range(p)], "one": [0] * p}[problem.groups]
    if not problem.free:
        return labels, None
    codes = np.arange(p) if labels is None else np.array(labels)
    return labels, np.where(codes == 0, 0.0, 1.0)


def _alpha(problem, given):
    # Where nothing can enter any will do, and float64 has to hold it.
    return problem.share * float(np.clip(given.judge().emptying() or 1.0, 1e-290, 1e290))


def _ridge(problem, X):
    if not problem.ridge:
        return 0.0
    squares = (X.astype(np.longdouble) ** 2).mean(axis=0).max()
    return problem.ridge * float(np.clip(squares or 1.0, 1e-290, 1e290))


def _problem(**drawn):
    if drawn["task"] == "classification":
        drawn["n_samples"] = max(drawn["n_samples"], drawn["n_targets"] + 1)
        drawn |= {"y_exponent": 0, "solver": "auto"}
        if drawn["layout"] == "float32":
            drawn["layout"] = "dense"
    if drawn["layout"] == "float32":
        # What float32 holds.
        drawn |= {"x_exponent": int(np.clip(drawn["x_exponent"], -3, 3))}
    return Problem(**drawn)


_SIZES = st.one_of(st.integers(1, 8), st.integers(1, 8), st.integers(1, 20), st.integers(1, 60))


def problems(**fixed):
    """Problems of all kinds, simple ones first; `fixed` are strategies in place of ours."""
    choices = {
        "task": st.sampled_from(["regression", "classification"]),
        "penalty": st.sampled_from(PENALTIES),
        "n_samples": _SIZES,
        "n_features": _SIZES,
        "n_targets": st.one_of(st.just(1), st.integers(1, 8)),
        "share": st.sampled_from([0.1, 0.5, 0.9, 0.01, 1e-3, 1e-6, 0.0, 1.01, 1e6]),
        "ridge": st.sampled_from([0.0, 0.0, 0.0, 0.1, 1e-3]),
        "seed": st.integers(0, 1000),
        "solver": st.sampled_from(["auto", "gram", "columns"]),
        "columns": st.sampled_from(
            ["plain", "duplicated", "collinear", "constant", "zero", "sparse", "far", "flags"]
            + ["mixed"]
        ),
        "response": st.sampled_from(["linear", "exact", "noise", "constant", "zero"]),
        "x_exponent": st.one_of(st.just(0), st.sampled_from(EXPONENTS)),
        "y_exponent": st.one_of(st.just(0), st.sampled_from(EXPONENTS)),
        "weights": st.sampled_from(["none", "zeros", "uneven"]),
        "groups": st.sampled_from(["single", "pairs", "one"]),
        "free": st.sampled_from([False, False, False, True]),
        "fit_intercept": st.sampled_from([True, True, False]),
        "layout": st.sampled_from(["dense", "csr", "csc", "fortran", "float32"]),
    }
    return st.builds(_problem, **choices | fixed)
