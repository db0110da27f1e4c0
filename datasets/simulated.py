"""Simulated data: parity, a support shared by all targets, and twins of real datasets."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state

from datasets.catalogue import card as card_of
from datasets.dataset import assemble


def make_xor(n_samples=3000, n_features=60, k=3, random_state=None):
    """Parity of k features: y = 1(x_1 ⋯ x_k > 0), x uniform on [−1, 1]^p.

    No proper subset of the k features contains information about y. This is the hard case
    for methods that select features one by one.

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
    The experiments on connection pruning with annealing (CPNA) use these data.
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

    Features have mean 0, standard deviation 1, and corr(x_i, x_j) = correlation^|i − j|.
    The signal of each target has standard deviation 1.

    Parameters
    ----------
    n_samples, n_features, n_targets : int, default=100, 50, 4
    n_relevant : int in [1, n_features], default=5
        The number of features that the targets depend on.
    noise : float, default=0.5
        The standard deviation of the noise.
    correlation : float in (−1, 1), default=0.5
        The correlation of neighbouring features.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    X : ndarray, shape (n_samples, n_features)
    Y : ndarray, shape (n_samples, n_targets)
    support : ndarray of int, shape (n_relevant,)
        The indices of the relevant features, ascending.
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
    # The covariance of the relevant features is known, so the deviation is not estimated.
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
    """A simulated dataset with the shape of a real one, for use where that is not available.

    It has as many samples, features, and targets or classes as the card says, and nothing else
    of the real dataset. A tenth of the features is relevant, the same ones for all targets
    (`make_shared_support` with correlation 0.9 and noise 0.3). For classification, there is one
    such target per class, and the class of a sample is the one with the largest target.

    Parameters
    ----------
    name : str
        The name of a card.
    random_state : int, RandomState or None, default=0

    Returns
    -------
    Dataset
        Its card is named NAME-twin and says that the data are simulated.
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
    """The column of the largest score in each row, such that every column occurs."""
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
