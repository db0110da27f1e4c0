"""Rules for a gradient step on a vector of parameters.

The state of each is a list of vectors as long as the parameters, so that the entries of removed
parameters can be dropped.

References
----------
.. [1] Duchi, Hazan, Singer (2011), Adaptive subgradient methods for online learning and
   stochastic optimization, J. Mach. Learn. Res. 12.
.. [2] Kingma, Ba (2015), Adam: a method for stochastic optimization, ICLR.
"""

from abc import ABC, abstractmethod

import numpy as np

# They avoid division by zero, as in [1] and [2].
_ADAGRAD_EPS, _ADAM_EPS = 1e-10, 1e-8
_ADAM_MEAN, _ADAM_SQUARE = 0.9, 0.999


class Optimizer(ABC):
    """One rule and its state.

    Attributes
    ----------
    state : list of ndarray of shape (n_parameters,)
    """

    state: list

    @abstractmethod
    def step(self, gradient, rate):
        """What to subtract from the parameters."""

    def keep(self, mask):
        """Drop the state of all parameters outside the mask."""
        self.state = [values[mask] for values in self.state]


class SGD(Optimizer):
    """v ← momentum v + gradient; the step is rate v."""

    def __init__(self, n_parameters, momentum):
        self.momentum = momentum
        self.state = [np.zeros(n_parameters)]

    def step(self, gradient, rate):
        (velocity,) = self.state
        velocity *= self.momentum
        velocity += gradient
        return rate * velocity


class Adagrad(Optimizer):
    """Steps of rate times the gradient, divided by the root of the sum of its squares [1]_."""

    def __init__(self, n_parameters):
        self.state = [np.zeros(n_parameters)]

    def step(self, gradient, rate):
        (squares,) = self.state
        squares += gradient * gradient
        return rate * gradient / (np.sqrt(squares) + _ADAGRAD_EPS)


class Adam(Optimizer):
    """Steps of rate times the gradient's mean, divided by the root of its mean square [2]_."""

    def __init__(self, n_parameters):
        self.state = [np.zeros(n_parameters), np.zeros(n_parameters)]
        self.n_steps = 0

    def step(self, gradient, rate):
        mean, square = self.state
        self.n_steps += 1
        mean *= _ADAM_MEAN
        mean += (1 - _ADAM_MEAN) * gradient
        square *= _ADAM_SQUARE
        square += (1 - _ADAM_SQUARE) * gradient * gradient
        unbiased = mean / (1 - _ADAM_MEAN**self.n_steps)
        root = np.sqrt(square / (1 - _ADAM_SQUARE**self.n_steps))
        return rate * unbiased / (root + _ADAM_EPS)


# By name: made for a number of parameters and a momentum, which "sgd" alone takes.
OPTIMIZERS = {
    "sgd": SGD,
    "adagrad": lambda n_parameters, momentum: Adagrad(n_parameters),
    "adam": lambda n_parameters, momentum: Adam(n_parameters),
}
