"""Costs of several fits, side by side."""

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.display.axes import OUTSIDE, SPENT
from shrinklin.display.display import Display


class CostDisplay(Display):
    """Costs of several fits, side by side: one bar per fit and measure of cost.

    Parameters
    ----------
    costs : dict of str to CostMeter
        ``cost_`` of fitted estimators, or ``cost`` of a `shrinklin.networks.Shrinker`, by
        name. Costs are shown relative to the first one.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : list of matplotlib BarContainer
        One per fit.
    """

    def __init__(self, costs) -> None:
        self.costs = dict(costs)
        if not self.costs:
            raise ValueError(
                "costs is empty: give a dict of name to CostMeter with at least one entry."
            )

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
                raise ValueError(f"{estimator!r} has no cost_: give estimators of shrinklin.")
        return cls({name: e.cost_ for name, e in estimators.items()}).plot(ax=ax)

    def _draw(self, ax):
        measures = [name for name in SPENT if name != "epoch"]
        first, *_ = self.costs.values()
        height = 0.8 / len(self.costs)
        self.bars_ = []
        for row, (name, cost) in enumerate(self.costs.items()):
            at = np.arange(len(measures)) + (row - (len(self.costs) - 1) / 2) * height
            shares = [getattr(cost, m) / max(getattr(first, m), 1) for m in measures]
            bars = ax.barh(at, shares, 0.9 * height, label=name)
            ax.bar_label(bars, [f"{share:.3g}" for share in shares], padding=2, fontsize="small")
            self.bars_.append(bars)
        ax.set_yticks(np.arange(len(measures)), [SPENT[m] for m in measures])
        ax.yaxis.set_inverted(True)
        ax.set_xscale("log")
        # The bars have labels. Tick labels between powers of ten would overlap.
        ax.xaxis.set_minor_formatter("")
        ax.margins(x=0.15)
        ax.set_xlabel(f"relative to {next(iter(self.costs))}")
        ax.legend(**OUTSIDE, ncols=min(len(self.costs), 3))
