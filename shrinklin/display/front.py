"""The best score for every number of features."""

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import add_title
from shrinklin.display.display import Display


class FrontDisplay(Display):
    """Held-out score against the number of features: the front of the best models.

    Parameters
    ----------
    n_features : ndarray of shape (n_models,)
        From few to many.
    mean_scores : ndarray of shape (n_models,)
        Larger is better.
    standard_errors : ndarray of shape (n_models,)
        Of the mean scores.
    kinds : sequence of str of length n_models
        What made each model.
    chosen : int, default=None
        The number of features of the chosen model.
    score_name : str, default="score"
        Name of the score. If it begins with ``"neg_"``, minus the scores are drawn.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : dict of str to matplotlib ErrorbarContainer
        By kind.
    """

    def __init__(
        self, n_features, mean_scores, standard_errors, kinds, *, chosen=None,
        score_name="score", name=None,
    ) -> None:  # fmt: skip
        self.n_features, self.mean_scores = np.asarray(n_features), np.asarray(mean_scores)
        self.standard_errors, self.kinds = np.asarray(standard_errors), np.asarray(kinds)
        self.chosen, self.score_name, self.name = chosen, score_name, name
        parts = (self.n_features, self.mean_scores, self.standard_errors, self.kinds)
        shapes = [part.shape for part in parts]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1:
            raise ValueError(
                f"n_features, mean_scores, standard_errors and kinds have shapes {shapes}: give "
                "four 1-D arrays of equal length."
            )

    @classmethod
    def from_estimator(cls, estimator, *, ax=None) -> Self:
        """Draw the front of a fitted estimator.

        Parameters
        ----------
        estimator : AutoSparseRegressor or AutoSparseClassifier
            Fitted.
        ax : matplotlib Axes, default=None

        Returns
        -------
        FrontDisplay
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "front_"):
            raise ValueError(
                f"{estimator!r} has no front_: give an AutoSparseRegressor or an "
                "AutoSparseClassifier, not a pipeline that contains it."
            )
        front = estimator.front_
        display = cls(
            front["n_features"],
            front["mean_score"],
            front["standard_error"],
            front["kind"],
            chosen=estimator.cv_results_["n_features"][estimator.best_index_],
            score_name=estimator.score_name_,
            name=type(estimator).__name__,
        )
        return display.plot(ax=ax)

    def _draw(self, ax):
        values = -self.mean_scores if self.score_name.startswith("neg_") else self.mean_scores
        ax.plot(self.n_features, values, color="0.7", linewidth=1, zorder=1)
        self.points_ = {}
        for kind in dict.fromkeys(self.kinds.tolist()):
            mine = self.kinds == kind
            self.points_[kind] = ax.errorbar(
                self.n_features[mine], values[mine], self.standard_errors[mine],
                fmt="o", markersize=4, elinewidth=1, label=kind,
            )  # fmt: skip
        if self.chosen is not None:
            label = f"chosen: {self.chosen} features"
            ax.axvline(self.chosen, color="0.3", linestyle="--", linewidth=1, label=label)
        ax.set_xlabel("features kept")
        ax.set_ylabel(self.score_name.removeprefix("neg_").replace("_", " "))
        ax.legend(fontsize="small", frameon=False)
        add_title(ax, self.name)
