"""Pictures: what enters a path and what it is worth; the choice of alpha; training and its cost."""

from itertools import cycle
from typing import Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from shrinklin.base import regularization_path
from shrinklin.information import InformationCriterion
from shrinklin.messages import imported
from shrinklin.stability import selection_frequencies
from shrinklin.validation import check_real, check_whole

# What may stand on the axis of a history, and its label.
_SPENT = {
    "epoch": "epochs",
    "neuron_epochs": "neuron-epochs",
    "parameter_updates": "parameter updates",
    "multiply_adds": "multiply-adds",
}
_FEATURES_LEFT = "features left"
# How far an upper axis is above the one before, in heights of the axes.
_UPPER_STEP = 0.13
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
    pyplot = imported("matplotlib.pyplot", "plot()", "plot")
    return pyplot.subplots(layout="constrained")[1]


class PathDisplay:
    """Size of every feature's coefficients against alpha.

    Parameters
    ----------
    path : RegularizationPath
    feature_names : sequence of str of length n_features, default=None
        Names for the legend. None takes those of the path; without any, features are
        numbered.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One a feature that is ever selected, in the order of their largest norm.
    """

    def __init__(self, path, *, feature_names=None, name=None) -> None:
        names = path.feature_names if feature_names is None else feature_names
        if names is not None and len(names) != path.n_features:
            raise ValueError(
                f"feature_names has {len(names)} entries, the path {path.n_features} "
                "features: give one name a feature."
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
        names = list(X.columns) if hasattr(X, "columns") else None  # numbers too
        display = cls(path, feature_names=names, name=type(estimator).__name__)
        return display.plot(ax=ax, n_named=n_named)

    def plot(self, ax=None, *, n_named=5) -> Self:
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
        prefix = _prefix(ax, self.name)
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
        _alpha_axis(ax, self.path.alphas)
        ax.set_ylabel("norm of a feature's coefficients")
        _add_title(ax, self.name)
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

    def __init__(self, curves, *, loss_name="mean squared error") -> None:
        self.curves = {name: (np.asarray(k), np.asarray(v)) for name, (k, v) in curves.items()}
        for name, (k, v) in self.curves.items():
            if k.ndim != 1 or k.shape != v.shape:
                raise ValueError(
                    f"curve {name!r} has {k.shape} numbers of features and {v.shape} losses: "
                    "give two 1-D arrays of equal length."
                )
        self.loss_name = loss_name

    @classmethod
    def from_paths(cls, paths, X, y, *, ax=None, loss_name=None) -> Self:
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

    def plot(self, ax=None) -> Self:
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


class CVDisplay:
    """Scores of cross-validation against alpha, and how many features models keep.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    n_selected : ndarray of shape (n_alphas,)
        Features that the models of all data keep.
    alpha : float
        The chosen one of `alphas`.
    score_name : str, default="score"
        Of a name that begins with ``"neg_"``, minus the scores are drawn.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    ax_selected_ : matplotlib Axes
        The upper axis, with numbers of features.
    figure_ : matplotlib Figure
    line_ : matplotlib Line2D
        Of the means.
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
                f"alphas, cv_scores and n_selected have lengths {shapes}: give one number, one row "
                "of scores and one number of features for every alpha."
            )
        if alpha not in self.alphas:
            raise ValueError(f"alpha={alpha!r} is not among the alphas: give the chosen one.")

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
                f"{estimator!r} has no cv_scores_: give one of shrinklin's CV classes, not its "
                "pipeline."
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

    def plot(self, ax=None) -> Self:
        """Draw the mean over the folds with its standard error, and every fold in grey.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        CVDisplay
        """
        ax = _axes(ax)
        prefix = _prefix(ax, self.name)
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
        _vertical(ax, self.alpha, linestyle="--", label=label)
        _alpha_axis(ax, self.alphas)
        ax.set_ylabel(self.score_name.removeprefix("neg_").replace("_", " "))
        ax.legend(fontsize="small", frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        self.ax_selected_ = _number_of_features(ax, self.alphas, self.n_selected)
        _add_title(ax, self.name)
        return self

    def _draw_errors(self, ax, values, best, *, upper):
        """A band of one standard error, and a line at its edge at the best alpha."""
        means, color = values.mean(axis=1), self.line_.get_color()
        errors = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        band = means - errors, means + errors
        ax.fill_between(self.alphas, *band, color=color, alpha=0.2, label="± standard error")
        edge = band[1 if upper else 0][best]
        ax.axhline(edge, color=color, linestyle=":", label="one standard error from the best")


def _prefix(ax, name):
    """What labels begin with where other models are drawn already."""
    return f"{name}: " if name and ax.lines else ""


def _add_title(ax, name):
    """Name one model more."""
    before = ax.get_title()
    if name and name not in before.split(", "):
        ax.set_title(f"{before}, {name}" if before else name)


def _vertical(ax, x, **style):
    """A vertical line over all of the axes, in the next colour of their cycle."""
    return ax.plot([x, x], [0, 1], transform=ax.get_xaxis_transform(), **style)


def _sharing(ax):
    """The axes that have the x of `ax`, itself among them."""
    return ax.get_shared_x_axes().get_siblings(ax)


def _alpha_axis(ax, alphas):
    """Let the penalty weaken to the right, in logarithm if all that is drawn can be.

    However often it is done, and whatever was drawn before, on axes that share x too.
    """
    ax.update_datalim(np.column_stack([alphas, np.zeros(len(alphas))]), updatey=False)
    ends = np.array([each.dataLim.intervalx for each in _sharing(ax)])
    ends = ends[np.isfinite(ends).all(axis=1)]
    ax.set_xscale("log" if 0 < ends.min() < ends.max() else "linear")
    ax.autoscale_view(scaley=False)
    ax.xaxis.set_inverted(True)
    ax.set_xlabel("alpha (penalty weakens to the right)")


def _number_of_features(ax, alphas, n_selected, n_ticks=8):
    """An upper axis that says how many features the model at an alpha keeps.

    Above those of models that were drawn before.
    """
    upper = ax.secondary_xaxis(1 + _UPPER_STEP * len(ax.child_axes))
    at = np.unique(np.linspace(0, len(alphas) - 1, n_ticks).round().astype(int))
    upper.set_xticks(alphas[at], labels=[str(n) for n in n_selected[at]])
    upper.set_xticks([], minor=True)
    upper.set_xlabel("features kept")
    return upper


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
                f"{estimator!r} has no history_: give one of shrinklin's estimators, not its "
                "pipeline, fitted with solver=GradientDescent()."
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
        if against not in _SPENT:
            accepted = ", ".join(f'"{name}"' for name in _SPENT)
            raise ValueError(f"against={against!r}: give one of {accepted}.")
        ax = _axes(ax)
        prefix, alive = _prefix(ax, self.name), _right_axis(ax)
        left, right = (f"C{2 * len(alive.lines) + k}" for k in (0, 1))
        x, objective = self.history[against], self.history["loss"] + self.history["penalty"]
        lines = ax.plot(x, objective, color=left, label=f"{prefix}objective (loss + penalty)")
        loss, n_alive = self.history["loss"], self.history["n_alive"]
        lines += ax.plot(x, loss, color=left, linestyle="--", label=f"{prefix}loss")
        label = f"{prefix}{_FEATURES_LEFT}"
        lines += alive.step(x, n_alive, where="post", color=right, label=label)
        # Most of what there is to see happens early, and over orders of magnitude.
        ax.set_xscale("symlog", linthresh=max(x[0], 1))
        if objective.min() <= 0:
            ax.set_yscale("linear")
        elif objective.max() > 20 * objective.min():
            ax.set_yscale("log")
        alive.autoscale(axis="y")
        alive.set_ylim(bottom=0)
        ax.set_xlabel(_SPENT[against])
        ax.set_ylabel("objective")
        ax.legend(handles=[*ax.lines, *alive.lines], **_OUTSIDE, ncols=3)
        _add_title(ax, self.name)
        self.ax_, self.ax_alive_, self.figure_, self.lines_ = ax, alive, ax.figure, lines
        return self


def _right_axis(ax):
    """The axis of the features left, that of trainings drawn before if there is one."""
    for other in _sharing(ax):
        same_place = other.get_position().bounds == ax.get_position().bounds
        if other is not ax and same_place and other.get_ylabel() == _FEATURES_LEFT:
            return other
    right = ax.twinx()
    right.set_ylabel(_FEATURES_LEFT)
    return right


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

    def __init__(self, costs) -> None:
        self.costs = dict(costs)
        if not self.costs:
            raise ValueError("costs is empty: give one CostMeter or more, by name.")

    @classmethod
    def from_estimators(cls, estimators, *, ax=None) -> Self:
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

    def plot(self, ax=None) -> Self:
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
        ax.yaxis.set_inverted(True)
        ax.set_xscale("log")
        # The bars say their numbers; those between powers of ten would overlap.
        ax.xaxis.set_minor_formatter("")
        ax.margins(x=0.15)
        ax.set_xlabel(f"relative to {next(iter(self.costs))}")
        ax.legend(**_OUTSIDE, ncols=min(len(self.costs), 3))
        self.ax_, self.figure_ = ax, ax.figure
        return self


class StabilityDisplay:
    r"""How often the most frequent features are kept in fits to resamples.

    Parameters
    ----------
    frequencies : array-like of shape (n_features,)
        Shares in [0, 1], as `selection_frequencies` returns them.
    feature_names : sequence of str of length n_features, default=None
        None numbers the features.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        One bar a feature that is shown, the most frequent first.

    Notes
    -----
    Keeping the features at or above a threshold π > 1/2 is stability selection. With q the
    mean number of features that a fit keeps, of p, the expected number V of features kept
    without reason is bounded [1]_:

    .. math:: E[V] \le \frac{q^2}{(2\pi - 1) p}

    which is ``frequencies.sum() ** 2 / ((2 * threshold - 1) * len(frequencies))``. It holds
    for halves of independent rows, not for the bootstrap, if the features without effect are
    exchangeable and the fits find features with effect no worse than guessing does. For
    complementary pairs it holds without these conditions, if "without reason" is read as: a
    single half keeps the feature with a probability of at most q/p [2]_. Fits that keep fewer
    features have a smaller bound.

    The theorem [2]_ is on pairs of disjoint samples of ⌊n/2⌋ rows each, the n rows being
    independent and of one distribution. Of an odd n one half has a row more here, and where y
    holds classes each is halved by itself: there the bound is a guide, not a theorem.

    References
    ----------
    .. [1] Meinshausen, Bühlmann (2010), Stability selection, J. R. Stat. Soc. B 72.
    .. [2] Shah, Samworth (2013), Variable selection with error control: another look at
       stability selection, J. R. Stat. Soc. B 75.
    """

    def __init__(self, frequencies, *, feature_names=None, name=None) -> None:
        self.frequencies = np.asarray(frequencies, dtype=float)
        shape = self.frequencies.shape
        if len(shape) != 1 or not ((self.frequencies >= 0) & (self.frequencies <= 1)).all():
            raise ValueError(
                f"frequencies of shape {shape}: give a 1-D array of shares between 0 and 1, one a "
                "feature."
            )
        if feature_names is not None and len(feature_names) != shape[0]:
            raise ValueError(
                f"feature_names has {len(feature_names)} entries, frequencies {shape[0]}: give one "
                "name a feature."
            )
        self.feature_names, self.name = feature_names, name

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, ax=None, n_shown=20, threshold=None, **options
    ) -> Self:
        """Compute the frequencies and draw them.

        Parameters
        ----------
        estimator, X, y : as for `selection_frequencies`
        ax : matplotlib Axes, default=None
        n_shown, threshold : as in `plot`
        **options
            Further arguments of `selection_frequencies`.

        Returns
        -------
        StabilityDisplay
        """
        _check_bars(n_shown, threshold)
        frequencies = selection_frequencies(estimator, X, y, **options)
        names = list(X.columns) if hasattr(X, "columns") else None
        last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        display = cls(frequencies, feature_names=names, name=type(last).__name__)
        return display.plot(ax=ax, n_shown=n_shown, threshold=threshold)

    def plot(self, ax=None, *, n_shown=20, threshold=None) -> Self:
        """Draw a bar a feature, those at or above the threshold in colour.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_shown : int, default=20
            How many features, the most frequent ones, get a bar.
        threshold : float in [0, 1], default=None
            Where to draw a dashed line; None draws none.

        Returns
        -------
        StabilityDisplay
        """
        _check_bars(n_shown, threshold)
        order = np.argsort(-self.frequencies, kind="stable")[:n_shown]
        shares, at = self.frequencies[order], np.arange(len(order))
        own, ax = ax is None, _axes(ax)
        if own:
            ax.figure.set_figheight(max(4.8, 1.4 + 0.2 * len(order)))
        names = [self._name_of(j) for j in order]
        _check_bars_of_others(ax, names)
        stable = shares >= (0 if threshold is None else threshold)
        self.bars_ = ax.barh(at, shares, color=np.where(stable, "C0", "0.75"))
        ax.set_yticks(at, names, fontsize="small")
        ax.set_ylim(len(order) - 0.4, -0.6)
        ax.set_xlim(0, 1.01)
        if threshold is not None:
            ax.axvline(threshold, color="0.2", linestyle="--", linewidth=1.2)
        ax.set_xlabel("\n".join(self._notes(len(order), threshold)))
        _add_title(ax, self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _name_of(self, j):
        return f"feature {j}" if self.feature_names is None else str(self.feature_names[j])

    def _notes(self, n_drawn, threshold):
        """Lines below the axis: what it is, what the line is, what is not shown."""
        n_features = len(self.frequencies)
        yield "share of the fits that keep a feature"
        if threshold is not None:
            reached = (self.frequencies >= threshold).sum()
            yield f"dashed: {threshold:g}, reached by {reached} of {n_features} features"
        if n_drawn < n_features:
            most = np.sort(self.frequencies)[::-1][n_drawn]
            yield f"not shown: {n_features - n_drawn} features, each with at most {most:.3g}"


def _check_bars_of_others(ax, names):
    """Raise where y already names other bars: axes that share y have one name a place."""
    drawn = any(each.containers for each in ax.get_shared_y_axes().get_siblings(ax))
    # Inner axes of a figure do not show the names that they have.
    if drawn and ax.yaxis.get_major_formatter().format_ticks(ax.get_yticks()) != names:
        raise ValueError(
            "ax, or axes that share its y, have bars of other features, which would get the names "
            "of these: give axes of their own, without sharey."
        )


def _check_bars(n_shown, threshold):
    check_whole("n_shown", n_shown, 1)
    if threshold is not None:
        check_real("threshold", threshold, 0)
        if threshold > 1:
            raise ValueError(f"threshold={threshold!r}: give a share between 0 and 1.")


class InformationCriterionDisplay:
    """An information criterion against alpha, and the alpha that it chooses.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    criteria : ndarray of shape (n_alphas,)
        Those that are not finite, of models that are no candidates, are not drawn.
    n_selected : ndarray of shape (n_alphas,)
        Features kept.
    alpha : float
        The one chosen.
    criterion : str
        Name, for the label.

    Attributes
    ----------
    ax_ : matplotlib Axes
    ax_selected_ : matplotlib Axes
        On top, with the number of features kept.
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
            raise TypeError(f"{fitted!r} is no InformationCriterion: give a fitted one.")
        check_is_fitted(fitted)
        kept = fitted.n_selected_
        display = cls(fitted.alphas_, fitted.criteria_, kept, fitted.alpha_, fitted.criterion)
        return display.plot(ax=ax)

    def plot(self, ax=None) -> Self:
        """Draw the criterion on a logarithmic axis of alpha, features kept on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        InformationCriterionDisplay
        """
        ax = _axes(ax)
        finite = np.isfinite(self.criteria)
        lines = ax.plot(self.alphas[finite], self.criteria[finite], marker=".")
        lines += _vertical(ax, self.alpha, label=f"chosen: alpha = {self.alpha:.3g}")
        # Where no criterion is drawn there are models too.
        _alpha_axis(ax, self.alphas)
        ax.set_ylabel(self.criterion.upper())
        ax.legend(**_OUTSIDE)
        top = _number_of_features(ax, self.alphas, self.n_selected)
        self.ax_, self.ax_selected_, self.figure_, self.lines_ = ax, top, ax.figure, lines
        return self
