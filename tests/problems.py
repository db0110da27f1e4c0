"""Named problems: every solver and estimator is held to all of them."""

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)


def simulate(
    n_samples=60, n_features=12, n_targets=3, n_relevant=4, correlation=0.0, noise=1.0, seed=0
):
    """Standardised X with equicorrelated columns, Y from the first few of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) * np.sqrt(1 - correlation)
    X += rng.normal(size=(n_samples, 1)) * np.sqrt(correlation)
    W = np.zeros((n_features, n_targets))
    n_relevant = min(n_relevant, n_features)
    W[:n_relevant] = rng.normal(size=(n_relevant, n_targets))
    Y = X @ W + noise * rng.normal(size=(n_samples, n_targets))
    return X, Y


def _standardised(X, Y):
    return (X - X.mean(axis=0)) / X.std(axis=0), (Y - Y.mean(axis=0)) / Y.std(axis=0)


def _with_means():
    X, Y = simulate(seed=3)
    return X + np.arange(12) * 10, Y - 50


def _constant_column():
    X, Y = simulate(seed=4)
    X[:, 2] = 0.1
    X[:, 5] = -3e8
    return X, Y


def _duplicated_columns():
    X, Y = simulate(seed=5)
    X[:, 7] = X[:, 1]
    X[:, 8] = -X[:, 1]
    return X, Y


def _uneven_scales():
    X, Y = simulate(seed=6)
    return X * 10.0 ** np.linspace(-3, 3, 12), Y


PROBLEMS = {
    "tall": lambda: simulate(200, 10, 4),
    "square": lambda: simulate(30, 30, 2, seed=1),
    "wide": lambda: simulate(25, 80, 3, seed=2),
    "correlated": lambda: simulate(80, 40, 5, 10, correlation=0.95, seed=7),
    "one target": lambda: simulate(50, 15, 1, seed=8),
    "many targets": lambda: simulate(40, 8, 25, seed=9),
    "one feature": lambda: simulate(20, 1, 2, 1, seed=10),
    "means": _with_means,
    "constant column": _constant_column,
    "duplicated columns": _duplicated_columns,
    "uneven scales": _uneven_scales,
    "diabetes": lambda: _standardised(
        *(a.reshape(442, -1) for a in load_diabetes(return_X_y=True))
    ),
    "linnerud": lambda: _standardised(*load_linnerud(return_X_y=True)),
}


def random_small(seed, max_features=9):
    """A small standardised problem, small enough for every support to be tried."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(2, max_features + 1))
    X, Y = simulate(
        n_samples=int(rng.choice([15, 40])),
        n_features=n_features,
        n_targets=int(rng.choice([1, 3, 5])),
        n_relevant=int(rng.integers(1, n_features + 1)),
        correlation=float(rng.choice([0, 0.5, 0.9])),
        noise=float(rng.choice([0.1, 1, 3])),
        seed=seed,
    )
    return _standardised(X, Y)


def simulate_classes(
    n_samples=80, n_features=12, n_classes=3, n_relevant=4, correlation=0.0, noise=1.0, seed=0
):
    """X as by `simulate`; y is the largest of n_classes noisy scores, every class present."""
    X, scores = simulate(n_samples, n_features, n_classes, n_relevant, correlation, noise, seed)
    y = scores.argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return X, y


def _loaded(load, n_samples=None):
    X, y = load(return_X_y=True)
    X, y = X[:n_samples], y[:n_samples]
    deviations = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviations > 0, deviations, 1), y


CLASSIFICATION_PROBLEMS = {
    "three classes": lambda: simulate_classes(80, 12, 3),
    "two classes": lambda: simulate_classes(60, 15, 2, seed=1),
    "wide": lambda: simulate_classes(30, 80, 3, seed=2),
    "correlated": lambda: simulate_classes(80, 20, 4, 8, correlation=0.9, noise=0.3, seed=3),
    "iris": lambda: _loaded(load_iris),
    "wine": lambda: _loaded(load_wine),
    "breast cancer": lambda: _loaded(load_breast_cancer),
    "digits": lambda: _loaded(load_digits, 200),
}


def random_small_classes(seed, max_features=6):
    """A small standardised problem of 2 to 4 classes."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(2, max_features + 1))
    X, y = simulate_classes(
        n_samples=int(rng.choice([20, 50])),
        n_features=n_features,
        n_classes=int(rng.integers(2, 5)),
        n_relevant=int(rng.integers(1, n_features + 1)),
        correlation=float(rng.choice([0, 0.5, 0.9])),
        noise=float(rng.choice([0.1, 1, 3])),
        seed=seed,
    )
    return (X - X.mean(axis=0)) / X.std(axis=0), y
