"""Gradient training, epoch by epoch."""

from typing import Self

from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import OUTSIDE, SPENT, add_title, own_or_new, prefix_of, sharing_x

_FEATURES_LEFT = "features left"


class HistoryDisplay:
    """Objective and features left of a gradient training, epoch by epoch.

    Parameters
    ----------
    history : dict of str to ndarray
        ``history_`` of an estimator.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the objective.
    ax_alive_ : matplotlib Axes
        The axes of the features left, on the right.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Objective, loss, and features left.
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
        ax = own_or_new(ax)
        prefix, alive = prefix_of(ax, self.name), _right_axis(ax)
        left, right = (f"C{2 * len(alive.lines) + k}" for k in (0, 1))
        x, objective = self.history[against], self.history["loss"] + self.history["penalty"]
        lines = ax.plot(x, objective, color=left, label=f"{prefix}objective (loss + penalty)")
        loss, n_alive = self.history["loss"], self.history["n_alive"]
        lines += ax.plot(x, loss, color=left, linestyle="--", label=f"{prefix}loss")
        label = f"{prefix}{_FEATURES_LEFT}"
        lines += alive.step(x, n_alive, where="post", color=right, label=label)
        # Most changes happen early, and span several orders of magnitude.
        ax.set_xscale("symlog", linthresh=max(x[0], 1))
        if objective.min() <= 0:
            ax.set_yscale("linear")
        elif objective.max() > 20 * objective.min():
            ax.set_yscale("log")
        alive.autoscale(axis="y")
        alive.set_ylim(bottom=0)
        ax.set_xlabel(SPENT[against])
        ax.set_ylabel("objective")
        ax.legend(handles=[*ax.lines, *alive.lines], **OUTSIDE, ncols=3)
        add_title(ax, self.name)
        self.ax_, self.ax_alive_, self.figure_, self.lines_ = ax, alive, ax.figure, lines
        return self


def _right_axis(ax):
    """The axes of the features left. If a training was drawn before, they are reused."""
    for other in sharing_x(ax):
        same_place = other.get_position().bounds == ax.get_position().bounds
        if other is not ax and same_place and other.get_ylabel() == _FEATURES_LEFT:
            return other
    right = ax.twinx()
    right.set_ylabel(_FEATURES_LEFT)
    return right
