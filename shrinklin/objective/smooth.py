"""What solvers need from the smooth part f of an objective: a loss, maybe with a ridge penalty.

W does not contain the intercept: f is already minimised over it, or has none.
Features are in the order of `Groups`.

The ridge ½ Σ_j ρ_j ‖w_j‖² is like the squared loss of one more sample for each feature and target,
√ρ_j at this feature and 0 elsewhere, whose target is 0. So it adds ρ_j to the diagonal of the
Hessian, and what is said here of the residual holds for the residual of all samples.
"""

import copy
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
        Index of the user's column at every position.
    n_samples : int
    cost : CostMeter
        Counts all work on this f, its own and that of solvers.
    ridge : ndarray of shape (n_features,), or None
        ρ. None without ridge.
    """

    C: np.ndarray
    order: np.ndarray
    n_samples: int
    cost: CostMeter
    ridge: np.ndarray | None = None

    def ridged(self, ridge):
        """The same loss with this ridge (n_features,), which replaces any other."""
        other = copy.copy(self)
        other.ridge = ridge
        return other

    @property
    def ridges(self):
        """ρ of every feature: (n_features,), zeros without ridge."""
        return np.zeros(len(self.C)) if self.ridge is None else self.ridge

    def ridge_of(self, W):
        """The ridge penalty of W."""
        return 0.0 if self.ridge is None else 0.5 * float(self.ridge @ (W * W).sum(axis=1))

    def with_ridge_slope(self, gradient, W):
        """The gradient of f at W, given that of the loss."""
        return gradient if self.ridge is None else gradient + self.ridge[:, None] * W

    @property
    @abstractmethod
    def value_at_zero(self):
        """f(0)."""

    @abstractmethod
    def evaluate(self, W):
        """f(W) and its gradient."""

    def evaluate_within(self, W, groups, strengths):
        """f(W) and its gradient, exact for groups that exceed `strengths` (n_groups,) or W_g ≠ 0.

        For other groups, the gradient may be replaced by one that is no shorter.
        """
        return self.evaluate(W)

    def with_memory(self):
        """The same f, but a call keeps its results for the next.

        This saves time and may change the last digits. Without memory, the same call gives the same
        bits, whatever was called before. An f that already has a memory is returned unchanged.
        """
        return self

    @abstractmethod
    def intercept(self, W):
        """The best intercept for W, or zeros if f has no intercept."""

    @abstractmethod
    def value_at(self, W, intercept):
        """f(W) with the given intercept instead of the best one."""

    @abstractmethod
    def minimise(self, W, features):
        """W with its rows `features` moved to the minimum of f, and all others unchanged."""

    @abstractmethod
    def lipschitz(self, groups):
        """Upper bound on the largest eigenvalue of the Hessian on each group: (n_groups,)."""

    @abstractmethod
    def model(self, W):
        """A `Quadratic` with the value and gradient of f at W, and about the same curvature."""

    @abstractmethod
    def dual_scale(self, loss, product):
        """The factor that makes the residual of W the best dual point, ignoring feasibility.

        `loss` is f(W) and `product` is ⟨W, ∇f(W)⟩.
        """

    @abstractmethod
    def mixing(self, W, loss, scale):
        """The contribution of the loss to the gap F(W) − D, where D is the dual value.

        The dual point is the residual of W times `scale`. The rest of the gap is
        Σ_g (s_g‖W_g‖ + scale ⟨W_g, ∇_g⟩). Never negative, and computed without cancellation.
        """

    @property
    @abstractmethod
    def lengths(self):
        """Norms of the scaled and centred columns: (n_features,)."""

    @property
    @abstractmethod
    def sizes(self):
        """Norms of the columns as products use them, perhaps not centred: (n_features,)."""

    @abstractmethod
    def rounding(self, W, loss):
        """Bounds on rounding errors: of ‖∇_g‖, in units of `sizes`, and of the gap."""

    @abstractmethod
    def infeasibility(self, W, gradient, features, rounding):
        """The cost of removing from the residual of W what is left of its gradient on `features`.

        The removal makes the residual dual feasible if `features` are not penalised. Returns how
        much ‖∇_g‖ may grow, in units of `lengths`, and how much the dual value may fall. Both
        include `rounding`, the rounding error of the gradient. Features that are collinear up to
        rounding count as collinear.
        """

    def rounding_unit(self, W):
        """Relative rounding error of a sum over the samples and the features of W.

        The errors are nearly independent, so they grow only with the square root of their
        number. The bound leaves room.
        """
        n_alive = np.count_nonzero(W.any(axis=1))
        return np.finfo(float).eps * (4 + np.sqrt(self.n_samples) + 4 * np.sqrt(n_alive))
