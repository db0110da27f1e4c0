"""What a solver returns, and what each outcome means."""

from dataclasses import dataclass
from enum import Enum

import numpy as np


class Status(Enum):
    """Outcome of a solve; the value is the remedy, as a sentence."""

    CONVERGED = ""
    MAX_ITER = "Increase max_iter or tol, or standardise the features."
    PRECISION = (
        "Further steps no longer change the objective in floating point: "
        "increase tol, or standardise the features."
    )
    MAX_EPOCHS = "Increase max_epochs, learning_rate or tol of GradientDescent."
    ROSE = "Give GradientDescent a smaller learning_rate, or more epochs."
    ASTRAY = (
        "Standardise the features, as the intercept follows slowly where their means are far "
        "from 0; or give GradientDescent more epochs, or another learning_rate."
    )
    INTERRUPTED = "To go on from these coefficients, fit again with warm_start=True."
    DIVERGED = (
        "Give GradientDescent a smaller learning_rate, and standardise the features; "
        'optimizer="adagrad" or "adam" bears larger ones than "sgd".'
    )
    SEPARATED = (
        "Features without penalty tell classes apart without error: their coefficients could "
        "grow without end. Give alpha > 0, and feature_weights > 0."
    )


@dataclass(frozen=True)
class Solution:
    """A point W and how it was reached.

    Attributes
    ----------
    W : ndarray of shape (n_features, n_targets)
        In the internal order of the objective's `Groups`.
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
    gradient: np.ndarray
    loss: float
    value: float
    residual: float
    n_iter: int
    status: Status
