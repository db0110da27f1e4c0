"""The coefficients of a path."""

from typing import Self

import numpy as np

from shrinklin.display.axes import add_title, alpha_axis, own_or_new, prefix_of
from shrinklin.estimators.base import regularization_path
from shrinklin.validation.entries import column_names


class PathDisplay:
    """Norm of the coefficients of each feature against alpha.

    Parameters
    ----------
    path : RegularizationPath
        The path to draw.
    feature_names : sequence of str of length n_features, default=None
        Names for the legend. None takes those of the path. Features without names are
        numbered.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One per feature that any model keeps, sorted by the largest norm over the path, from
        large to small.
    """

    def __init__(self, path, *, feature_names=None, name=None) -> None:
        names = path.feature_names if feature_names is None else feature_names
        if names is not None and len(names) != path.n_features:
            raise ValueError(
                f"feature_names has {len(names)} entries, but the path has {path.n_features} "
                "features: give one name per feature."
            )
        self.path, self.feature_names, self.name = path, names, name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, n_named=5, **path_options) -> Self:
        """Compute a path and draw it.

        Parameters
        ----------
        estimator : a regressor or classifier of shrinklin
        X, y : as for `regularization_path`
        ax : matplotlib Axes, default=None
        n_named : int, default=5
            As in `plot`.
        **path_options
            Further arguments of `regularization_path`.

        Returns
        -------
        PathDisplay
        """
        path = regularization_path(estimator, X, y, **path_options)
        names = column_names(X)  # may be numbers
        display = cls(path, feature_names=names, name=type(estimator).__name__)
        return display.plot(ax=ax, n_named=n_named)

    def plot(self, ax=None, *, n_named=5) -> Self:
        """Draw the norms over all targets against alpha, on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_named : int, default=5
            Number of features named in the legend, those with the largest norms.

        Returns
        -------
        PathDisplay
        """
        ax = own_or_new(ax)
        prefix = prefix_of(ax, self.name)
        norms = np.sqrt((self.path.kept_coefs**2).sum(axis=1))
        self.lines_ = []
        for rank, k in enumerate(np.argsort(-norms.max(axis=0, initial=0.0), kind="stable")):
            named, j = rank < n_named, self.path.kept[k]
            label = f"feature {j}" if self.feature_names is None else str(self.feature_names[j])
            self.lines_ += ax.plot(
                self.path.alphas,
                norms[:, k],
                color=None if named else "0.75",
                linewidth=1.6 if named else 0.7,
                zorder=3 if named else 2,
                label=prefix + label if named else None,
            )
        alpha_axis(ax, self.path.alphas)
        ax.set_ylabel("norm of a feature's coefficients")
        add_title(ax, self.name)
        if self.lines_ and n_named:
            ax.legend(loc="best", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self
