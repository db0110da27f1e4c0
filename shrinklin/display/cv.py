"""The scores of a cross-validation."""

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import (
    add_title,
    alpha_axis,
    number_of_features,
    prefix_of,
    vertical_line,
)
from shrinklin.display.display import Display
from shrinklin.selection.choice import standard_errors


class CVDisplay(Display):
    """Scores of cross-validation against alpha, and the number of features that models keep.

    The mean over the folds is drawn with its standard error, and each fold in grey.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    n_selected : ndarray of shape (n_alphas,)
        Number of features that the models of all data keep.
    alpha : float
        The chosen alpha, one of `alphas`.
    score_name : str, default="score"
        Name of the score. If it begins with ``"neg_"``, minus the scores are drawn.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    ax_selected_ : matplotlib Axes
        The upper axis, with numbers of features.
    figure_ : matplotlib Figure
    line_ : matplotlib Line2D
        The line of the mean scores.
    """

    def __init__(
        self, alphas, cv_scores, n_selected, *, alpha, score_name="score", name=None
    ) -> None:
        self.alphas, self.cv_scores = np.asarray(alphas), np.asarray(cv_scores)
        self.n_selected, self.alpha = np.asarray(n_selected), alpha
        self.score_name, self.name = score_name, name
        shapes = len(self.alphas), len(self.cv_scores), len(self.n_selected)
        if self.cv_scores.ndim != 2 or len(set(shapes)) > 1:
            raise ValueError(
                f"alphas, cv_scores and n_selected have lengths {shapes}: give one row of "
                "cv_scores and one number in n_selected per alpha."
            )
        if alpha not in self.alphas:
            raise ValueError(
                f"alpha={alpha!r} is not among the alphas: give the alpha that was chosen."
            )

    @classmethod
    def from_estimator(cls, estimator, *, ax=None) -> Self:
        """Draw the search of a fitted estimator.

        Parameters
        ----------
        estimator : GroupLassoRegressorCV or another of shrinklin's CV classes
            Fitted.
        ax : matplotlib Axes, default=None

        Returns
        -------
        CVDisplay
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "cv_scores_"):
            raise ValueError(
                f"{estimator!r} has no cv_scores_: give a CV estimator of shrinklin, not a "
                "pipeline that contains it."
            )
        display = cls(
            estimator.alphas_,
            estimator.cv_scores_,
            estimator.n_selected_,
            alpha=estimator.alpha_,
            score_name=estimator.score_name_,
            name=type(estimator).__name__,
        )
        return display.plot(ax=ax)

    def _draw(self, ax):
        prefix = prefix_of(ax, self.name)
        negated = self.score_name.startswith("neg_")
        values = -self.cv_scores if negated else self.cv_scores
        means = values.mean(axis=1)
        ax.plot(self.alphas, values, color="0.8", linewidth=0.7, zorder=1)
        (self.line_,) = ax.plot(self.alphas, means, label=f"{prefix}mean over folds")
        best = int(self.cv_scores.mean(axis=1).argmax())
        if values.shape[1] > 1:
            self._draw_errors(ax, values, best, upper=negated)
        color = self.line_.get_color()
        ax.plot(self.alphas[best], means[best], "o", color=color, label="best mean")
        chosen = int(np.flatnonzero(self.alphas == self.alpha)[0])
        label = f"{prefix}chosen: alpha {self.alpha:.3g}, {self.n_selected[chosen]} features"
        vertical_line(ax, self.alpha, linestyle="--", label=label)
        alpha_axis(ax, self.alphas)
        ax.set_ylabel(self.score_name.removeprefix("neg_").replace("_", " "))
        ax.legend(fontsize="small", frameon=False)
        self.ax_selected_ = number_of_features(ax, self.alphas, self.n_selected)
        add_title(ax, self.name)

    def _draw_errors(self, ax, values, best, *, upper):
        """A band of one standard error, and a line at its edge at the best alpha."""
        means, color = values.mean(axis=1), self.line_.get_color()
        errors = standard_errors(values)
        band = means - errors, means + errors
        ax.fill_between(self.alphas, *band, color=color, alpha=0.2, label="± standard error")
        edge = band[1 if upper else 0][best]
        ax.axhline(edge, color=color, linestyle=":", label="one standard error from the best")
