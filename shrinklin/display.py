"""Pictures: what enters a path and what it is worth; how training went and what it cost."""

from itertools import cycle

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.path import regularization_path

# What may stand on the axis of a history, and its label.
_SPENT = {
    "epoch": "epochs",
    "neuron_epochs": "neuron-epochs",
    "parameter_updates": "parameter updates",
    "multiply_adds": "multiply-adds",
}
# A legend below the axes, where nothing is drawn.
_OUTSIDE = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, -0.13),
    "frameon": False,
    "fontsize": "small",
}


def _axes(ax):
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plot() needs matplotlib: pip install "shrinklin[plot]".') from error
    return plt.subplots(layout="constrained")[1]


class PathDisplay:
    """Size of every feature's coefficients against alpha.

    Parameters
    ----------
    path : RegularizationPath
    feature_names : sequence of str of length n_features, default=None
        Names for the legend; None numbers the features.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One a feature that is ever selected, in the order of their largest norm.
    """

    def __init__(self, path, *, feature_names=None, name=None):
        n_features = path.coefs.shape[2]
        if feature_names is not None and len(feature_names) != n_features:
            raise ValueError(
                f"feature_names has {len(feature_names)} entries, the path {n_features} "
                "features: give one name a feature."
            )
        self.path, self.feature_names, self.name = path, feature_names, name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, n_named=5, **path_options):
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
        names = list(X.columns) if hasattr(X, "columns") else None
        path = regularization_path(estimator, X, y, **path_options)
        display = cls(path, feature_names=names, name=type(estimator).__name__)
        return display.plot(ax=ax, n_named=n_named)

    def plot(self, ax=None, *, n_named=5):
        """Draw the norms over all targets, on a logarithmic axis of alpha.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_named : int, default=5
            How many features, those of the largest norms, the legend names.

        Returns
        -------
        PathDisplay
        """
        ax = _axes(ax)
        norms = np.sqrt((self.path.coefs**2).sum(axis=1))
        ever = np.flatnonzero(norms.any(axis=0))
        ever = ever[np.argsort(-norms[:, ever].max(axis=0), kind="stable")]
        self.lines_ = []
        for rank, j in enumerate(ever):
            named = rank < n_named
            label = f"feature {j}" if self.feature_names is None else str(self.feature_names[j])
            self.lines_ += ax.plot(
                self.path.alphas,
                norms[:, j],
                color=f"C{rank}" if named else "0.75",
                linewidth=1.6 if named else 0.7,
                zorder=3 if named else 2,
                label=label if named else None,
            )
        if (self.path.alphas > 0).all() and len(self.path.alphas) > 1:
            ax.set_xscale("log")
        ax.invert_xaxis()
        ax.set_xlabel("alpha (penalty weakens to the right)")
        ax.set_ylabel("norm of a feature's coefficients")
        if self.name:
            ax.set_title(self.name)
        if self.lines_ and n_named:
            ax.legend(loc="best", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class TradeoffDisplay:
    """Loss against the number of features, several models on one axis.

    Parameters
    ----------
    curves : dict of str to (n_features, loss)
        For every model two arrays of shape (n_alphas,): how many features it
        keeps, and its loss.
    loss_name : str, default="mean squared error"
        Label of the loss.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One a model.
    """

    def __init__(self, curves, *, loss_name="mean squared error"):
        self.curves = {name: (np.asarray(k), np.asarray(v)) for name, (k, v) in curves.items()}
        for name, (k, v) in self.curves.items():
            if k.ndim != 1 or k.shape != v.shape:
                raise ValueError(
                    f"curve {name!r} has {k.shape} numbers of features and {v.shape} losses: "
                    "give two 1-D arrays of equal length."
                )
        self.loss_name = loss_name

    @classmethod
    def from_paths(cls, paths, X, y, *, ax=None, loss_name=None):
        """Draw the loss on (X, y) of several paths.

        Parameters
        ----------
        paths : dict of str to RegularizationPath
        X, y : data to measure the loss on, held out or not
        ax : matplotlib Axes, default=None
        loss_name : str, default=None
            None takes the paths' own: mean squared error, or log-loss.

        Returns
        -------
        TradeoffDisplay
        """
        curves = {name: (path.n_selected, path.losses(X, y)) for name, path in paths.items()}
        loss_name = loss_name or " / ".join({path.loss_name: None for path in paths.values()})
        return cls(curves, loss_name=loss_name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw one line a model, through its models in order of alpha.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        TradeoffDisplay
        """
        ax = _axes(ax)
        self.lines_ = []
        for (name, (k, loss)), marker in zip(self.curves.items(), cycle("osD^v"), strict=False):
            self.lines_ += ax.plot(
                k, loss, marker=marker, markersize=3.5, linewidth=1.2, label=name
            )
        ax.set_xlabel("features kept")
        ax.set_ylabel(self.loss_name)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


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
        Of the objective.
    ax_alive_ : matplotlib Axes
        Of the features left, on the right.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Objective, loss, and features left.
    """

    def __init__(self, history, *, name=None):
        self.history, self.name = history, name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, against="epoch"):
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
                f"{estimator!r} has no history_: give one of shrinklin's estimators, not its "
                "pipeline, fitted with solver=GradientDescent()."
            )
        display = cls(estimator.history_, name=type(estimator).__name__)
        return display.plot(ax=ax, against=against)

    def plot(self, ax=None, *, against="epoch"):
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
        if against not in _SPENT:
            accepted = ", ".join(f'"{name}"' for name in _SPENT)
            raise ValueError(f"against={against!r}: give one of {accepted}.")
        ax = _axes(ax)
        alive = ax.twinx()
        x, objective = self.history[against], self.history["loss"] + self.history["penalty"]
        lines = ax.plot(x, objective, color="C0", label="objective (loss + penalty)")
        lines += ax.plot(x, self.history["loss"], color="C0", linestyle="--", label="loss")
        lines += alive.step(
            x, self.history["n_alive"], where="post", color="C1", label="features left"
        )
        # Most of what there is to see happens early, and over orders of magnitude.
        ax.set_xscale("symlog", linthresh=max(x[0], 1))
        if objective.max() > 20 * objective.min() > 0:
            ax.set_yscale("log")
        alive.set_ylim(bottom=0)
        ax.set_xlabel(_SPENT[against])
        ax.set_ylabel("objective")
        alive.set_ylabel("features left")
        ax.legend(handles=lines, **_OUTSIDE, ncols=3)
        if self.name:
            ax.set_title(self.name)
        self.ax_, self.ax_alive_, self.figure_, self.lines_ = ax, alive, ax.figure, lines
        return self


class CostDisplay:
    """What several fits cost, beside each other.

    Parameters
    ----------
    costs : dict of str to CostMeter
        ``cost_`` of fitted estimators; the others are shown relative to the first.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : list of matplotlib BarContainer
        One a fit.
    """

    def __init__(self, costs):
        self.costs = dict(costs)
        if not self.costs:
            raise ValueError("costs is empty: give one CostMeter or more, by name.")

    @classmethod
    def from_estimators(cls, estimators, *, ax=None):
        """Draw the cost of fitted estimators.

        Parameters
        ----------
        estimators : dict of str to a fitted regressor or classifier of shrinklin
        ax : matplotlib Axes, default=None

        Returns
        -------
        CostDisplay
        """
        for estimator in estimators.values():
            check_is_fitted(estimator)
            if not hasattr(estimator, "cost_"):
                raise ValueError(f"{estimator!r} has no cost_: give estimators of shrinklin's.")
        return cls({name: e.cost_ for name, e in estimators.items()}).plot(ax=ax)

    def plot(self, ax=None):
        """Draw one bar a fit and a measure, as a share of the first fit's.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        CostDisplay
        """
        ax = _axes(ax)
        measures = [name for name in _SPENT if name != "epoch"]
        first, *_ = self.costs.values()
        height = 0.8 / len(self.costs)
        self.bars_ = []
        for row, (name, cost) in enumerate(self.costs.items()):
            at = np.arange(len(measures)) + (row - (len(self.costs) - 1) / 2) * height
            shares = [getattr(cost, m) / max(getattr(first, m), 1) for m in measures]
            bars = ax.barh(at, shares, 0.9 * height, label=name)
            ax.bar_label(bars, [f"{share:.3g}" for share in shares], padding=2, fontsize="small")
            self.bars_.append(bars)
        ax.set_yticks(np.arange(len(measures)), [_SPENT[m] for m in measures])
        ax.invert_yaxis()
        ax.set_xscale("log")
        ax.margins(x=0.15)
        ax.set_xlabel(f"relative to {next(iter(self.costs))}")
        ax.legend(**_OUTSIDE, ncols=min(len(self.costs), 3))
        self.ax_, self.figure_ = ax, ax.figure
        return self
