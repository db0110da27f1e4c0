"""Simulated data: parity, a support shared by all targets, and twins of real datasets."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state

from datasets.catalogue import card as card_of
from datasets.dataset import assemble


def make_xor(n_samples=3000, n_features=60, k=3, random_state=None):
    """Parity of k features: y = 1(x_1 ⋯ x_k > 0), x uniform on [−1, 1]^p.

    No proper subset of the k features tells anything about y: the hard case for a
    selection that looks at features one by one.

    Parameters
    ----------
    n_samples : int, default=3000
    n_features : int, default=60
    k : int in [1, n_features], default=3
    random_state : int, RandomState or None, default=None

    Returns
    -------
    X : ndarray, shape (n_samples, n_features)
    y : ndarray of int, shape (n_samples,)

    References
    ----------
    Data of the experiments on connection pruning with annealing (CPNA).
    """
    if not 1 <= k <= n_features:
        raise ValueError(f"k={k}: give a whole number from 1 to n_features={n_features}.")
    X = check_random_state(random_state).uniform(-1, 1, size=(n_samples, n_features))
    return X, (X[:, :k].prod(axis=1) > 0).astype(np.int64)


def make_shared_support(
    n_samples=100,
    n_features=50,
    n_targets=4,
    *,
    n_relevant=5,
    noise=0.5,
    correlation=0.5,
    random_state=None,
):
    """Linear targets that all depend on the same few features.

    Neighbouring features are correlated, corr(x_i, x_j) = correlation^|i − j|; each has
    mean 0 and deviation 1. The signal of each target has deviation 1.

    Parameters
    ----------
    n_samples, n_features, n_targets : int, default=100, 50, 4
    n_relevant : int in [1, n_features], default=5
        How many features enter, with a coefficient in every target.
    noise : float, default=0.5
        Deviation of the noise, that of the signal being 1.
    correlation : float in (−1, 1), default=0.5
        Of neighbouring features.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    X : ndarray, shape (n_samples, n_features)
    Y : ndarray, shape (n_samples, n_targets)
    support : ndarray of int, shape (n_relevant,)
        The features that enter, ascending.
    """
    if not 1 <= n_relevant <= n_features:
        raise ValueError(
            f"n_relevant={n_relevant}: give a whole number from 1 to n_features={n_features}."
        )
    if not -1 < correlation < 1:
        raise ValueError(f"correlation={correlation}: give a number between -1 and 1.")
    if noise < 0:
        raise ValueError(f"noise={noise}: give a number >= 0.")
    random = check_random_state(random_state)
    X = _neighbours_correlated(n_samples, n_features, correlation, random)
    support = np.sort(random.choice(n_features, n_relevant, replace=False))
    W = random.uniform(0.5, 1.5, size=(n_relevant, n_targets))
    W *= random.choice([-1.0, 1.0], size=W.shape)
    # The covariance of the relevant features is known: no need to estimate a deviation.
    covariance = correlation ** np.abs(np.subtract.outer(support, support)).astype(float)
    W /= np.sqrt(np.einsum("jk,jl,lk->k", W, covariance, W))
    Y = X[:, support] @ W + noise * random.standard_normal((n_samples, n_targets))
    return X, Y, support


def _neighbours_correlated(n_samples, n_features, correlation, random):
    X = random.standard_normal((n_samples, n_features))
    fresh = np.sqrt(1 - correlation**2)
    for j in range(1, n_features):
        X[:, j] = correlation * X[:, j - 1] + fresh * X[:, j]
    return X


def make_twin(name, random_state=0):
    """A simulated dataset of a real one's shape, for when that cannot be had.

    It has the samples, features and targets or classes of the card, nothing else of it:
    a tenth of the features matters, for all targets alike (`make_shared_support`
    with correlation 0.9 and noise 0.3); a class is the largest of as many such targets.

    Parameters
    ----------
    name : str
        Of a card.
    random_state : int, RandomState or None, default=0

    Returns
    -------
    Dataset
        Its card is called NAME-twin, and says that it is simulated.
    """
    card = card_of(name)
    n_outputs = card.n_targets or card.n_classes
    X, Y, _ = make_shared_support(
        card.n_samples,
        card.n_features,
        n_outputs,
        n_relevant=max(1, card.n_features // 10),
        noise=0.3,
        correlation=0.9,
        random_state=random_state,
    )
    names = [f"x{j + 1}" for j in range(card.n_features)]
    targets = [f"y{k + 1}" for k in range(n_outputs)] if card.task == "regression" else None
    y = Y if card.task == "regression" else _largest(Y)
    return assemble(_twin_card(card), X, y, names, targets)


def _largest(Y):
    """The column of the largest score in each row, every column being some row's."""
    scores = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    labels = scores.argmax(axis=1)
    for label in range(Y.shape[1]):
        if not (labels == label).any():
            labels[scores[:, label].argmax()] = label
    return labels


def _twin_card(card):
    return replace(
        card,
        name=f"{card.name}-twin",
        title=f"Simulated twin of {card.name}: its shape, none of its values",
        source="datasets.make_twin",
        licence="BSD-3-Clause",
        target_columns=(),
        openml_name=None,
        openml_id=None,
        files=(),
        bundled=False,
        missing=False,
        checksum=None,
        paper="not used",
        notes=f"Simulated. The real dataset: {card.title}.",
    )
