"""What the last layer stands for: how y becomes a tensor, and the loss."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch.nn import functional

from shrinklin.networks.mlp.rows import Scaling

# Share of the past in the running mean squared error.
_INERTIA = 0.9
# The least error, at which R² is 0.99. Below it, training would follow rounding errors where a
# network can fit all rows.
_LEAST_ERROR = 0.01
_LEAST_FREEDOM = 0.5
# By how much the loss of a useless network exceeds that of a constant: in R² or in nats.
_CLEARLY = 0.05


class Outputs(ABC):
    """Outputs of a network.

    Attributes
    ----------
    n_outputs : int
    scaling : Scaling
        Of the outputs.
    weight_decay : float
        The default of the estimator, times the number of rows.
    """

    n_outputs: int
    scaling: Scaling
    weight_decay: float

    @abstractmethod
    def take_account(self, n_parameters):
        """Learn how many weights and biases the network has now, at the start of an epoch."""

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

    @abstractmethod
    def is_astray(self, Z, y, weight):
        """Whether the loss is clearly above that of the best constant prediction."""


class Classes(Outputs):
    """Log-odds of classes. Two classes have one output.

    Parameters
    ----------
    n_classes : int
    """

    weight_decay = 1.5

    def __init__(self, n_classes):
        self.n_outputs = 1 if n_classes == 2 else n_classes
        self.scaling = Scaling(np.zeros(self.n_outputs), np.ones(self.n_outputs))

    def take_account(self, n_parameters):
        pass

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

    def is_astray(self, Z, y, weight):
        share = torch.bincount(y, weight) / weight.sum()
        entropy = torch.special.entr(share).sum()
        return bool(self.loss(Z, y, weight) > entropy + _CLEARLY)

    def score(self, Z, y, weight):
        found = (Z[:, 0] > 0).long() if self.n_outputs == 1 else Z.argmax(dim=1)
        return float((weight * (found == y)).sum() / weight.sum())


class Targets(Outputs):
    """Targets with a normal distribution around the outputs.

    Its variance is estimated from the errors, so the loss, as that of classes, is a log-likelihood,
    and the same penalty suits data with little and with much noise, as in the square-root lasso.
    The estimate is a running mean of the mean squared error of the standardised targets, divided
    by the share of the data that is left as degrees of freedom, at least a half: a large network
    would otherwise learn the noise, and then be sure of it.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_targets)
    weight : ndarray of shape (n_samples,)

    Attributes
    ----------
    error : float, or None before the first step
        The running mean.
    freedom : float
        The share.
    """

    weight_decay = 10.0

    def __init__(self, Y, weight):
        self.n_outputs, self._n_values = Y.shape[1], Y.shape[1] * float(weight.sum())
        self.scaling = Scaling.of("y", Y, weight)
        self.error, self.freedom = None, 1.0

    def take_account(self, n_parameters):
        self.freedom = max(1 - n_parameters / self._n_values, _LEAST_FREEDOM)

    def encode(self, y, dtype):
        return torch.as_tensor(self.scaling.apply(y.astype(float)), dtype=dtype)

    def loss(self, Z, y, weight):
        error = (weight * (Z - y).square().mean(dim=1)).mean()
        now, known = float(error.detach()), self.error
        self.error = now if known is None else _INERTIA * known + (1 - _INERTIA) * now
        variance = max(self.error, _LEAST_ERROR) / self.freedom
        return self.n_outputs * error / (2 * variance)

    def score(self, Z, y, weight):
        mean = (weight[:, None] * y).sum(dim=0) / weight.sum()
        left = (weight[:, None] * (y - Z).square()).sum(dim=0)
        total = (weight[:, None] * (y - mean).square()).sum(dim=0)
        # Without variation, R² is 0 unless the prediction is perfect, as in scikit-learn.
        constant = (left == 0).to(left.dtype)
        return float(torch.where(total > 0, 1 - left / total, constant).mean())

    def is_astray(self, Z, y, weight):
        return self.score(Z, y, weight) < -_CLEARLY
