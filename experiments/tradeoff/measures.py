"""What is measured of a model: its features and its losses."""

import numpy as np
from scipy.special import log_softmax, xlogy

from experiments.drafts import NEGLIGIBLE, scale


def facts(model, train, held_out):
    """The results of a model."""
    weights = np.abs(model.coef)
    n_columns = weights.shape[1]
    n_features = int((weights >= NEGLIGIBLE).any(axis=0).sum())
    return {
        "alpha": model.alpha,
        # In the drafts' scale.
        "lambda": model.alpha / scale(train.y),
        "n_columns": n_columns,
        "n_features": n_features,
        "n_selected": int(weights.any(axis=0).sum()),
        "sparsity": 1 - n_features / n_columns,
        "training_loss": relative_loss(model, train),
        "held_out_loss": None if held_out is None else relative_loss(model, held_out),
        "residual": model.residual,
    }


def relative_loss(model, part):
    """Loss on these rows, divided by that of the best constant on them."""
    Z = part.X @ model.coef.T + model.intercept
    if part.regression:
        return float(((part.y - Z) ** 2).mean() / ((part.y - part.y.mean(axis=0)) ** 2).mean())
    return _log_loss(Z, part.y) / _entropy(part.y)


def _log_loss(Z, y):
    if Z.shape[1] == 1:
        # With two classes there is one raw prediction: that of the second.
        Z = np.hstack([np.zeros_like(Z), Z])
    return float(-log_softmax(Z, axis=1)[np.arange(len(y)), y].mean())


def _entropy(y):
    shares = np.bincount(y) / len(y)
    return float(-xlogy(shares, shares).sum())
