"""Loss against the number of features."""

from itertools import cycle
from typing import Self

import numpy as np

from shrinklin.display.display import Display


class TradeoffDisplay(Display):
    """Loss against the number of features, for several paths on the same axes.

    A line connects the models of a path in order of alpha.

    Parameters
    ----------
    curves : dict of str to (n_features, loss)
        For every name, two arrays of shape (n_alphas,): the number of features
        and the loss of each model.
    loss_name : str, default="mean squared error"
        Label of the loss.
    size_name : str, default="features kept"
        Label of the other axis, for other sizes than numbers of features: the parameters of the
        networks of a `ShrinkPath`, for example.
    log : bool, default=False
        Whether the axis of sizes is logarithmic.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One per curve.
    """

    def __init__(
        self, curves, *, loss_name="mean squared error", size_name="features kept", log=False
    ) -> None:
        self.curves = {name: (np.asarray(k), np.asarray(v)) for name, (k, v) in curves.items()}
        for name, (k, v) in self.curves.items():
            if k.ndim != 1 or k.shape != v.shape:
                raise ValueError(
                    f"the numbers of features and the losses of curve {name!r} have shapes "
                    f"{k.shape} and {v.shape}: give two 1-D arrays of equal length."
                )
        self.loss_name, self.size_name, self.log = loss_name, size_name, log

    @classmethod
    def from_paths(cls, paths, X, y, *, ax=None, loss_name=None) -> Self:
        """Draw the loss on (X, y) of several paths.

        Parameters
        ----------
        paths : dict of str to RegularizationPath
        X, y : data to measure the loss on, held out or not
        ax : matplotlib Axes, default=None
        loss_name : str, default=None
            None takes that of the paths: mean squared error or log-loss.

        Returns
        -------
        TradeoffDisplay
        """
        curves = {name: (path.n_selected, path.losses(X, y)) for name, path in paths.items()}
        loss_name = loss_name or " / ".join({path.loss_name: None for path in paths.values()})
        return cls(curves, loss_name=loss_name).plot(ax=ax)

    def _draw(self, ax):
        self.lines_ = []
        for (name, (k, loss)), marker in zip(self.curves.items(), cycle("osD^v"), strict=False):
            self.lines_ += ax.plot(
                k, loss, marker=marker, markersize=3.5, linewidth=1.2, label=name
            )
        ax.set_xlabel(self.size_name)
        if self.log:
            ax.set_xscale("log")
        ax.set_ylabel(self.loss_name)
        ax.legend(frameon=False)
