"""Gradient training, epoch by epoch."""

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import OUTSIDE, SPENT, add_title, own_or_new, prefix_of, sharing_x

_FEATURES_LEFT, _UNITS_LEFT = "features left", "units left"


class HistoryDisplay:
    """Objective and features left of a gradient training, epoch by epoch.

    Of a network, it draws the units left, which are neurons and channels.

    Parameters
    ----------
    history : dict of str to ndarray
        ``history_`` of an estimator, or ``history`` of a `shrinklin.networks.Shrinker`.
        Epochs whose loss is NaN have no objective in the picture.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the objective.
    ax_alive_ : matplotlib Axes
        The axes of the features or units left, on the right.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Objective, loss, and features left; the last alone if no loss is known.
    """

    def __init__(self, history, *, name=None) -> None:
        self.history, self.name = history, name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, against="epoch") -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : a regressor or classifier of shrinklin
            Fitted with ``solver=GradientDescent()``.
        ax : matplotlib Axes, default=None
        against : str, default="epoch"
            As in `plot`.

        Returns
        -------
        HistoryDisplay
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "history_"):
            raise ValueError(
                f"{estimator!r} has no history_: give an estimator of shrinklin that was fitted "
                "with solver=GradientDescent(), not a pipeline that contains it."
            )
        display = cls(estimator.history_, name=type(estimator).__name__)
        return display.plot(ax=ax, against=against)

    def plot(self, ax=None, *, against="epoch") -> Self:
        """Draw the objective and the loss, and on the right axis the features left.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        against : {"epoch", "neuron_epochs", "parameter_updates", "multiply_adds"}
            What the horizontal axis shows: epochs, or what was spent so far.

        Returns
        -------
        HistoryDisplay
        """
        if against not in SPENT:
            accepted = ", ".join(f'"{name}"' for name in SPENT)
            raise ValueError(f"against={against!r}: give one of {accepted}.")
        ax, what = own_or_new(ax), self._what_is_left()
        alive = _right_axis(ax, what)
        prefix = prefix_of(ax, self.name) or prefix_of(alive, self.name)
        left, right = (f"C{2 * len(alive.lines) + k}" for k in (0, 1))
        x, n_alive = self.history[against], self.history["n_alive"]
        lines = self._draw_objective(ax, x, left, prefix)
        label = f"{prefix}{what}"
        lines += alive.step(x, n_alive, where="post", color=right, label=label)
        # Most changes happen early, and span several orders of magnitude.
        ax.set_xscale("symlog", linthresh=max(x[0], 1))
        alive.autoscale(axis="y")
        alive.set_ylim(bottom=0)
        ax.set_xlabel(SPENT[against])
        ax.set_ylabel("objective")
        ax.yaxis.set_visible(len(ax.lines) > 0)
        ax.legend(handles=[*ax.lines, *alive.lines], **OUTSIDE, ncols=3)
        add_title(ax, self.name)
        self.ax_, self.ax_alive_, self.figure_, self.lines_ = ax, alive, ax.figure, lines
        return self

    def _what_is_left(self):
        return _UNITS_LEFT if "layer_sizes" in self.history else _FEATURES_LEFT

    def _draw_objective(self, ax, x, color, prefix):
        """The lines of the objective and the loss, where they are known."""
        known = ~np.isnan(self.history["loss"])
        if not known.any():
            return []
        x, loss = x[known], self.history["loss"][known]
        objective = loss + self.history["penalty"][known]
        lines = ax.plot(x, objective, color=color, label=f"{prefix}objective (loss + penalty)")
        lines += ax.plot(x, loss, color=color, linestyle="--", label=f"{prefix}loss")
        if objective.min() <= 0:
            ax.set_yscale("linear")
        elif objective.max() > 20 * objective.min():
            ax.set_yscale("log")
        return lines


def _right_axis(ax, label):
    """The axes of what is left. If a training was drawn before, they are reused."""
    for other in sharing_x(ax):
        same_place = other.get_position().bounds == ax.get_position().bounds
        if other is not ax and same_place and other.get_ylabel() in (_FEATURES_LEFT, _UNITS_LEFT):
            return other
    right = ax.twinx()
    right.set_ylabel(label)
    return right
