"""Which columns a model keeps, and how much of them."""

from typing import Self

import numpy as np

from shrinklin.display.axes import add_title, horizontal_bars
from shrinklin.estimators.origins import steps_of
from shrinklin.estimators.summary import summary
from shrinklin.validation.entries import is_missing
from shrinklin.validation.parameters import check_whole


class SummaryDisplay:
    """The norms of the coefficients that a model keeps, by original column.

    Parameters
    ----------
    table : pandas.DataFrame
        As `summary` returns it. Features of the same original column share a bar: the Euclidean
        norm of all their coefficients. A feature made from several columns belongs to a bar of
        these columns, and a feature whose columns are not known has a bar of its own.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        One bar per column that is shown, the longest first.
    """

    def __init__(self, table, *, name=None) -> None:
        missing = [column for column in ("original", "norm") if column not in table]
        if missing:
            raise ValueError(
                f"table has no column {missing[0]!r}: give what shrinklin.summary returns."
            )
        self.table, self.name = table, name

    @classmethod
    def from_estimator(cls, model, *, ax=None, n_shown=20) -> Self:
        """Summarise a fitted model and draw it.

        Parameters
        ----------
        model : as for `summary`
        ax : matplotlib Axes, default=None
        n_shown : as in `plot`

        Returns
        -------
        SummaryDisplay
        """
        check_whole("n_shown", n_shown, 1)
        display = cls(summary(model), name=type(steps_of(model)[-1]).__name__)
        return display.plot(ax=ax, n_shown=n_shown)

    def plot(self, ax=None, *, n_shown=20) -> Self:
        """Draw one bar per column that the model keeps.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_shown : int, default=20
            Number of columns with a bar, those with the largest norms.

        Returns
        -------
        SummaryDisplay
        """
        check_whole("n_shown", n_shown, 1)
        norms = self._norms()
        shown = sorted(norms, key=norms.__getitem__, reverse=True)[:n_shown]
        ax, self.bars_ = horizontal_bars(ax, shown, [norms[name] for name in shown])
        left = len(norms) - len(shown)
        also = f"\nnot shown: {left} columns with smaller norms" if left else ""
        ax.set_xlabel(f"norm of the coefficients{also}")
        add_title(ax, self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _norms(self):
        """The norm of the coefficients of each column, or columns, by label."""
        squares: dict = {}
        rows = zip(self.table.index, self.table["original"], self.table["norm"], strict=True)
        for feature, original, norm in rows:
            label = _label(feature, original)
            squares[label] = squares.get(label, 0.0) + float(norm) ** 2
        return {label: float(np.sqrt(square)) for label, square in squares.items()}


def _label(feature, original):
    if isinstance(original, tuple):
        return " × ".join(map(str, original)) if original else str(feature)
    return str(feature) if is_missing(original) else str(original)
