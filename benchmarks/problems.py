"""What the datasets are made of: a problem, and the path that is asked for."""

import numpy as np


def problem(title, X, Y, loss, path, penalties=("group-lasso",)):
    """What a dataset gives the objective; `path` is (n_alphas, eps)."""
    n_alphas, eps = path
    return {
        "title": f"{title}, {n_alphas} alphas to α_max/{1 / eps:g}",
        "X": X,
        "Y": Y,
        "loss": loss,
        "n_alphas": n_alphas,
        "eps": eps,
        "penalties": penalties,
    }


def linear_targets(X, n_targets, noise, n_relevant, rng):
    """Of the first features of X, each with deviation √n_relevant before the noise."""
    n_relevant = min(n_relevant, X.shape[1])
    Y = X[:, :n_relevant] @ rng.standard_normal((n_relevant, n_targets))
    return Y + noise * rng.standard_normal(Y.shape)


def gaussian(shape, noise=5.0, n_relevant=50):
    """X and Y, centred; shape is (n_samples, n_features, n_targets)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape[:2])
    Y = linear_targets(X, shape[2], noise, n_relevant, rng)
    X -= X.mean(axis=0)
    Y -= Y.mean(axis=0)
    return X, Y


def gaussian_classes(shape, n_relevant=30):
    """Centred X, and classes drawn by logits of its first features, a column a class."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape[:2])
    X -= X.mean(axis=0)
    Z = linear_targets(X, shape[2], 0.0, n_relevant, rng) / 2 + rng.gumbel(size=(len(X), shape[2]))
    return X, np.eye(shape[2])[Z.argmax(axis=1)]


def by(*shape):
    return " × ".join(f"{size:,}".replace(",", " ") for size in shape)
