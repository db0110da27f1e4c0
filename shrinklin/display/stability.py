"""How often features are kept in fits to resamples."""

from typing import Self

import numpy as np
from sklearn.pipeline import Pipeline

from shrinklin.display.axes import add_title, horizontal_bars
from shrinklin.estimators.stability import selection_frequencies
from shrinklin.validation.entries import column_names
from shrinklin.validation.parameters import check_real, check_whole


class StabilityDisplay:
    r"""How often the most frequent features are kept in fits to resamples.

    Parameters
    ----------
    frequencies : array-like of shape (n_features,)
        Shares in [0, 1], as `selection_frequencies` returns them.
    feature_names : sequence of str of length n_features, default=None
        Names for the axis. None numbers the features.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        One bar per feature that is shown, the most frequent first.

    Notes
    -----
    Stability selection keeps the features with a frequency of at least π, a threshold > 1/2. Let p
    be the number of features and q the mean number of features that a fit keeps. Then the
    expected number of features V that are kept without reason is bounded [1]_:

    .. math:: E[V] \le \frac{q^2}{(2\pi - 1) p}

    This is ``frequencies.sum() ** 2 / ((2 * threshold - 1) * len(frequencies))``. The bound holds
    for halves of independent rows, not for the bootstrap, under two conditions: features without
    effect are exchangeable, and fits find features with an effect no worse than random guessing.
    For complementary pairs it holds without these conditions, if "without reason" means that a
    single half keeps the feature with a probability of at most q/p [2]_. Fits that keep fewer
    features have a smaller bound.

    The theorem [2]_ assumes pairs of disjoint samples of ⌊n/2⌋ rows each, and n rows that are
    independent and identically distributed. Here, one half has one row more if n is odd, and each
    class is halved separately if y holds classes. The bound is then a guide, not a theorem.

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
                f"frequencies of shape {shape}: give a 1-D array of shares between 0 and "
                "1, one per feature."
            )
        if feature_names is not None and len(feature_names) != shape[0]:
            raise ValueError(
                f"feature_names has {len(feature_names)} entries, but frequencies has {shape[0]}: "
                "give one name per feature."
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
        names = column_names(X)
        last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        display = cls(frequencies, feature_names=names, name=type(last).__name__)
        return display.plot(ax=ax, n_shown=n_shown, threshold=threshold)

    def plot(self, ax=None, *, n_shown=20, threshold=None) -> Self:
        """Draw one bar per feature, in colour if it is at or above the threshold.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_shown : int, default=20
            Number of features with a bar, the most frequent ones.
        threshold : float in [0, 1], default=None
            Where to draw a dashed line; None draws none.

        Returns
        -------
        StabilityDisplay
        """
        _check_bars(n_shown, threshold)
        order = np.argsort(-self.frequencies, kind="stable")[:n_shown]
        shares, names = self.frequencies[order], [self._name_of(j) for j in order]
        stable = shares >= (0 if threshold is None else threshold)
        colors = np.where(stable, "C0", "0.75")
        ax, self.bars_ = horizontal_bars(ax, names, shares, colors)
        ax.set_xlim(0, 1.01)
        if threshold is not None:
            ax.axvline(threshold, color="0.2", linestyle="--", linewidth=1.2)
        ax.set_xlabel("\n".join(self._notes(len(order), threshold)))
        add_title(ax, self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _name_of(self, j):
        return f"feature {j}" if self.feature_names is None else str(self.feature_names[j])

    def _notes(self, n_drawn, threshold):
        """Yield the lines below the axis: its label, the dashed line, the features not shown."""
        n_features = len(self.frequencies)
        yield "share of the fits that keep a feature"
        if threshold is not None:
            reached = (self.frequencies >= threshold).sum()
            yield f"dashed: {threshold:g}, reached by {reached} of {n_features} features"
        if n_drawn < n_features:
            most = np.sort(self.frequencies)[::-1][n_drawn]
            yield f"not shown: {n_features - n_drawn} features, each with at most {most:.3g}"


def _check_bars(n_shown, threshold):
    check_whole("n_shown", n_shown, 1)
    if threshold is not None:
        check_real("threshold", threshold, 0)
        if threshold > 1:
            raise ValueError(f"threshold={threshold!r}: give a share between 0 and 1.")
