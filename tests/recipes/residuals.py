"""Residuals against predictions."""

import numpy as np

from shrinklin.display.axes import own_or_new


class ResidualDisplay:
    """Residuals against predictions, a point per sample.

    Parameters
    ----------
    y, predicted : ndarray of shape (n_samples,)

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : matplotlib PathCollection
    """

    def __init__(self, y, predicted) -> None:
        self.y, self.predicted = np.asarray(y), np.asarray(predicted)

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None):
        """Draw the residuals of a fitted regressor on (X, y)."""
        return cls(y, estimator.predict(X)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the points; ``ax=None`` makes a new figure."""
        ax = own_or_new(ax)
        self.points_ = ax.scatter(self.predicted, self.y - self.predicted, s=8)
        ax.axhline(0, color="0.7", linewidth=0.8)
        ax.set_xlabel("prediction")
        ax.set_ylabel("residual")
        self.ax_, self.figure_ = ax, ax.figure
        return self
