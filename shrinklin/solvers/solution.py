"""What a solver returns, and what each outcome means."""

from dataclasses import dataclass
from enum import Enum

import numpy as np


class Status(Enum):
    """Outcome of a solve. The value is a sentence that says what to do."""

    CONVERGED = ""
    MAX_ITER = "Increase max_iter or tol, or standardise the features."
    PRECISION = (
        "Further steps no longer change the objective in floating point: "
        "increase tol, or standardise the features."
    )
    MAX_EPOCHS = "Increase max_epochs, learning_rate or tol of GradientDescent."
    ROSE = "Give GradientDescent a smaller learning_rate, or more epochs."
    ASTRAY = (
        "Standardise the features, as the intercept converges slowly if their means are far from "
        "0; or give GradientDescent more epochs or another learning_rate."
    )
    INTERRUPTED = "To continue from these coefficients, fit again with warm_start=True."
    DIVERGED = (
        "Give GradientDescent a smaller learning_rate, and standardise the features; "
        'optimizer="adagrad" or "adam" tolerates larger ones than "sgd".'
    )
    SEPARATED = (
        "Unpenalised features separate some or all samples without error, so their coefficients "
        "could grow without limit. Give alpha > 0, and feature_weights > 0."
    )


@dataclass(frozen=True)
class Solution:
    """A point W and how it was reached.

    Attributes
    ----------
    W : ndarray of shape (n_features, n_targets)
        In the internal order of the objective's `Groups`.
    intercept : ndarray of shape (n_targets,)
        The intercept that `loss` was computed with.
    gradient : ndarray of shape (n_features, n_targets)
        ∇f(W).
    loss : float
        f(W).
    value : float
        F(W).
    residual : float
        max_g √L_g‖W_g − prox(W_g − ∇_g f/L_g)‖, relative to
        `Objective.residual_scale`.
    n_iter : int
        Sweeps over the coordinates.
    status : Status
    """

    W: np.ndarray
    intercept: np.ndarray
    gradient: np.ndarray
    loss: float
    value: float
    residual: float
    n_iter: int
    status: Status

    def evaluated(self, objective):
        """f(W) and its gradient, as from `Objective.evaluate`."""
        return self.loss, self.gradient

    def packed(self):
        """The same without the gradient, and with only the non-zero rows of W."""
        support = np.flatnonzero(self.W.any(axis=1))
        return PackedSolution(
            support, self.W[support], len(self.W), self.intercept, self.loss, self.value,
            self.residual, self.n_iter, self.status,
        )  # fmt: skip


@dataclass(frozen=True)
class PackedSolution:
    """A `Solution` that takes little memory, for one of many alphas.

    Attributes
    ----------
    support : ndarray of shape (n_kept,)
    rows : ndarray of shape (n_kept, n_targets)
        The rows of W in the support. All other rows are zero.
    n_features : int
    intercept, loss, value, residual, n_iter, status : as in `Solution`
    """

    support: np.ndarray
    rows: np.ndarray
    n_features: int
    intercept: np.ndarray
    loss: float
    value: float
    residual: float
    n_iter: int
    status: Status

    @property
    def W(self):
        """A new array of shape (n_features, n_targets)."""
        W = np.zeros((self.n_features, self.rows.shape[1]), order="F")
        W[self.support] = self.rows
        return W

    def evaluated(self, objective):
        """As in `Solution`, but computed again. `objective` must have the same strength."""
        return objective.evaluate(self.W)

    def packed(self):
        return self
