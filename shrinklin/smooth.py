"""What solvers ask of the smooth part f of an objective.

The intercept is not in W: f has it minimised out, or has none. Features are in
the order of `Groups`.
"""

from abc import ABC, abstractmethod

import numpy as np

from shrinklin.cost import CostMeter


class Smooth(ABC):
    """f(W) for W (n_features, n_targets).

    Attributes
    ----------
    C : ndarray of shape (n_features, n_targets)
        Minus the gradient at W = 0.
    order : ndarray of shape (n_features,)
        The user's column at every position.
    n_samples : int
    cost : CostMeter
        Of all that is done with this f, by itself and by solvers.
    """

    C: np.ndarray
    order: np.ndarray
    n_samples: int
    cost: CostMeter

    @property
    @abstractmethod
    def value_at_zero(self):
        """f(0)."""

    @abstractmethod
    def evaluate(self, W):
        """f(W) and its gradient."""

    def evaluate_within(self, W, groups, strengths):
        """f(W) and its gradient, where that exceeds `strengths` (n_groups,) or W is not zero.

        Of the other groups it may be replaced by something that is no shorter.
        """
        return self.evaluate(W)

    def forget(self):  # noqa: B027
        """Be as when it was made: what is kept of evaluations may show in the last digits."""

    @abstractmethod
    def intercept(self, W):
        """The intercept that goes with W."""

    @abstractmethod
    def minimise(self, W, features):
        """W with its rows `features` at the minimum of f, the others as they are."""

    @abstractmethod
    def lipschitz(self, groups):
        """Bound on the largest eigenvalue of the Hessian on every group: (n_groups,)."""

    @abstractmethod
    def model(self, W):
        """A `Quadratic` with the value and gradient of f at W, and much the same curvature."""

    @abstractmethod
    def dual_value(self, W, loss, feasible):
        """Value of the dual at the residual of W times the best factor ≤ `feasible`.

        `loss` is f(W).

        A lower bound of the objective if at that factor the residual is dual feasible.
        """
