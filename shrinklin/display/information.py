"""An information criterion along a path."""

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import (
    OUTSIDE,
    alpha_axis,
    number_of_features,
    vertical_line,
)
from shrinklin.display.display import Display
from shrinklin.estimators.criterion import InformationCriterion


class InformationCriterionDisplay(Display):
    """An information criterion against alpha, and the alpha that it chooses.

    The upper axis shows the number of features that models keep.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    criteria : ndarray of shape (n_alphas,)
        Values that are not finite are not drawn: those models are not candidates.
    n_selected : ndarray of shape (n_alphas,)
        Number of features kept.
    alpha : float
        The chosen alpha.
    criterion : str
        Name of the criterion, for the label.

    Attributes
    ----------
    ax_ : matplotlib Axes
    ax_selected_ : matplotlib Axes
        The upper axis, with the number of features kept.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The criterion, and the mark at the chosen alpha.
    """

    def __init__(self, alphas, criteria, n_selected, alpha, criterion) -> None:
        self.alphas, self.criteria = np.asarray(alphas), np.asarray(criteria)
        self.n_selected, self.alpha = np.asarray(n_selected), alpha
        self.criterion = criterion
        shapes = self.alphas.shape, self.criteria.shape, self.n_selected.shape
        if self.alphas.ndim != 1 or len(set(shapes)) > 1:
            raise ValueError(
                f"alphas, criteria and n_selected have shapes {shapes}: give three 1-D arrays of "
                "equal length."
            )

    @classmethod
    def from_estimator(cls, fitted, *, ax=None) -> Self:
        """Draw the choice of a fitted `InformationCriterion`.

        Parameters
        ----------
        fitted : InformationCriterion
        ax : matplotlib Axes, default=None

        Returns
        -------
        InformationCriterionDisplay
        """
        if not isinstance(fitted, InformationCriterion):
            raise TypeError(f"{fitted!r} is not an InformationCriterion: give a fitted one.")
        check_is_fitted(fitted)
        kept = fitted.n_selected_
        display = cls(fitted.alphas_, fitted.criteria_, kept, fitted.alpha_, fitted.criterion)
        return display.plot(ax=ax)

    def _draw(self, ax):
        finite = np.isfinite(self.criteria)
        lines = ax.plot(self.alphas[finite], self.criteria[finite], marker=".")
        lines += vertical_line(ax, self.alpha, label=f"chosen: alpha = {self.alpha:.3g}")
        # The axis also covers models whose criterion is not drawn.
        alpha_axis(ax, self.alphas)
        ax.set_ylabel(self.criterion.upper())
        ax.legend(**OUTSIDE)
        self.ax_selected_ = number_of_features(ax, self.alphas, self.n_selected)
        self.lines_ = lines
