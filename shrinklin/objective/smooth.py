"""What solvers ask of the smooth part f of an objective.

The intercept is not in W: f has it minimised out, or has none. Features are in
the order of `Groups`.
"""

from abc import ABC, abstractmethod

import numpy as np

from shrinklin.pruning.cost import CostMeter


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

    def with_memory(self):
        """The same f, but what one call computes is kept for the next.

        That saves time and shows in the last digits. Without memory, the same call gives the same
        bits, whatever was called before. An f that has a memory is returned as it is.
        """
        return self

    @abstractmethod
    def intercept(self, W):
        """The intercept that goes with W."""

    @abstractmethod
    def value_at(self, W, intercept):
        """f(W) with that intercept in place of the best."""

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
    def dual_scale(self, loss, product):
        """The factor by which the residual of W makes the best dual point, were it feasible.

        `loss` is f(W), `product` ⟨W, ∇f(W)⟩.
        """

    @abstractmethod
    def mixing(self, W, loss, scale):
        """What the gap F(W) − D has, at the residual of W times `scale`, beside the penalty.

        Never negative, and without cancellation: the rest is Σ_g s_g‖W_g‖ + scale ⟨W_g, ∇_g⟩.
        """

    @property
    @abstractmethod
    def lengths(self):
        """Norms of the columns, scaled and centred: (n_features,)."""

    @property
    @abstractmethod
    def sizes(self):
        """The same of the columns as they are multiplied, the means perhaps still in them."""

    @abstractmethod
    def rounding(self, W, loss):
        """How far floating point may be off: ‖∇_g‖ in units of `sizes`, and the gap."""

    @abstractmethod
    def infeasibility(self, W, gradient, features, rounding):
        """What it costs to take from the residual of W the rest of its gradient on `features`.

        That makes it dual feasible where these are not penalised. Returns what ‖∇_g‖ may grow
        by, in units of `lengths`, and what the dual value may fall by; `rounding` of the gradient
        counts, too. Features that are collinear but for rounding count as collinear.
        """

    def rounding_unit(self, W):
        """Relative error of a sum over samples and the features of W.

        Errors are independent enough to grow by the root of their number, which leaves room.
        """
        n_alive = np.count_nonzero(W.any(axis=1))
        return np.finfo(float).eps * (4 + np.sqrt(self.n_samples) + 4 * np.sqrt(n_alive))
