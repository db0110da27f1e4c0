"""What the last layer stands for: how y becomes a tensor, and the loss."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch.nn import functional

from shrinklin.networks.mlp.rows import Scaling

# Share of the past in the running mean squared error, and its least value: R² = 1 - 1e-6.
_INERTIA, _LEAST = 0.9, 1e-6


class Outputs(ABC):
    """Outputs of a network.

    Attributes
    ----------
    n_outputs : int
    scaling : Scaling
        Of the outputs.
    """

    n_outputs: int
    scaling: Scaling

    @abstractmethod
    def encode(self, y, dtype):
        """The targets as a tensor: y is the array that the estimator checked."""

    @abstractmethod
    def loss(self, Z, y, weight):
        """The loss of raw predictions Z, a tensor without dimensions.

        It is minus the log-likelihood of a row, averaged with weights that have mean 1 over all
        rows.
        """

    @abstractmethod
    def score(self, Z, y, weight):
        """R² or accuracy, a float."""


class Classes(Outputs):
    """Log-odds of classes. Two classes have one output.

    Parameters
    ----------
    n_classes : int
    """

    def __init__(self, n_classes):
        self.n_outputs = 1 if n_classes == 2 else n_classes
        self.scaling = Scaling(np.zeros(self.n_outputs), np.ones(self.n_outputs))

    def encode(self, y, dtype):
        return torch.as_tensor(y)

    def loss(self, Z, y, weight):
        if self.n_outputs == 1:
            losses = functional.binary_cross_entropy_with_logits(
                Z[:, 0], y.to(Z.dtype), reduction="none"
            )
        else:
            losses = functional.cross_entropy(Z, y, reduction="none")
        return (weight * losses).mean()

    def score(self, Z, y, weight):
        found = (Z[:, 0] > 0).long() if self.n_outputs == 1 else Z.argmax(dim=1)
        return float((weight * (found == y)).sum() / weight.sum())


class Targets(Outputs):
    """Targets with a normal distribution around the outputs.

    Its variance is the mean squared error of the standardised targets, a running mean over the
    steps. So the loss, as that of classes, is a log-likelihood, and the same penalty suits data
    with little and with much noise, as in the square-root lasso.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_targets)
    weight : ndarray of shape (n_samples,)

    Attributes
    ----------
    variance : float, or None before the first step
    """

    def __init__(self, Y, weight):
        self.n_outputs = Y.shape[1]
        self.scaling = Scaling.of("y", Y, weight)
        self.variance = None

    def encode(self, y, dtype):
        return torch.as_tensor(self.scaling.apply(y.astype(float)), dtype=dtype)

    def loss(self, Z, y, weight):
        errors = (weight * (Z - y).square().mean(dim=1)).mean()
        now = float(errors.detach())
        known = self.variance
        variance = now if known is None else _INERTIA * known + (1 - _INERTIA) * now
        self.variance = max(variance, _LEAST)
        return self.n_outputs * errors / (2 * self.variance)

    def score(self, Z, y, weight):
        mean = (weight[:, None] * y).sum(dim=0) / weight.sum()
        left = (weight[:, None] * (y - Z).square()).sum(dim=0)
        total = (weight[:, None] * (y - mean).square()).sum(dim=0)
        # Without variation, R² is 0 unless the prediction is perfect, as in scikit-learn.
        constant = (left == 0).to(left.dtype)
        return float(torch.where(total > 0, 1 - left / total, constant).mean())
