"""The figure: accuracy against size, ratio of sizes against accuracy, accuracy against cost."""

import numpy as np

from experiments.random_search.fronts import (
    SHARES,
    budgets_of,
    of_way,
    seeds_of,
    test_within,
)
from experiments.random_search.settings import (
    NARROW,
    PATH,
    PATH_AGAIN,
    PRUNED,
    RANDOM,
    SCALED,
    SWITCHES,
)
from experiments.random_search.verdicts import AT_MOST, LEAST, MOST, geometric_mean, ratio_curve

_COLOURS = {RANDOM: "C7", SCALED: "C8", SWITCHES: "C0"}
_MARKS = {PATH: ("C3", "o"), PATH_AGAIN: ("C1", "v"), NARROW: ("C2", "s"), PRUNED: ("C4", "D")}
_BAND = {"alpha": 0.15, "linewidth": 0}


def draw(table):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 7.5), layout="constrained")
    _draw_fronts(axes[0, 0], table)
    _draw_ratios(axes[0, 1], table)
    _draw_costs(axes[1, 0], table)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    axes[1, 1].axis("off")
    axes[1, 1].legend(handles, labels, loc="center", frameon=False, fontsize="large")
    return figure


def _present(table, ways):
    return [way for way in ways if (table["way"] == way).any()]


def _draw_fronts(ax, table):
    """The best network of at most each size; mean, least and largest of the seeds."""
    from matplotlib.ticker import EngFormatter

    sizes = np.geomspace(table["parameters"].min(), table["parameters"].max(), 80)
    for way in _present(table, _COLOURS):
        found = [[test_within(rows, size) for size in sizes] for rows in _by_seed(table, way)]
        _draw_band(ax, sizes, np.array(found), _COLOURS[way], way)
    for way in _present(table, _MARKS):
        rows = table[table["way"] == way].groupby("budget")
        ends = rows["test"].agg(["min", "max"])
        _draw_marks(ax, rows["parameters"].mean(), rows["test"].mean(), ends, way)
    _logarithmic(ax.xaxis, ax.set_xscale, EngFormatter(sep=""))
    # Tiny networks of random sizes may be far worse than all others.
    lowest = table.loc[table["way"].isin(_MARKS), "test"].min()
    ax.set(xlabel="parameters", ylabel="test accuracy", ylim=(lowest - 0.05, None))


def _by_seed(table, way):
    return [of_way(table, way, seed) for seed in seeds_of(table)]


def _draw_band(ax, x, found, colour, label):
    """Where all seeds have a value."""
    ax.plot(x, found.mean(axis=0), color=colour, label=label)
    ax.fill_between(x, found.min(axis=0), found.max(axis=0), color=colour, **_BAND)


def _draw_marks(ax, x, mean, ends, way):
    colour, marker = _MARKS[way]
    errors = [mean - ends["min"], ends["max"] - mean]
    style = {"marker": marker, "markersize": 5, "linestyle": ":", "capsize": 2}
    ax.errorbar(x, mean, yerr=errors, color=colour, label=way, **style)


def _draw_ratios(ax, table):
    """Sizes of static networks divided by those of ShrinkNet, at equal numbers of trainings."""
    curves = ratio_curve(table)
    mean = geometric_mean(curves)
    known = ~np.isnan(mean)
    x, mean, lines = 100 * SHARES[known], mean[known], curves[:, known]
    ax.plot(x, mean, color="black", marker=".")
    ax.fill_between(x, np.nanmin(lines, axis=0), np.nanmax(lines, axis=0), color="black", **_BAND)
    drafts = (1, AT_MOST) if (table["network"] == "perceptron").all() else (LEAST, MOST)
    ax.axhspan(*drafts, color="C0", alpha=0.12, linewidth=0)
    ax.text(0.02, drafts[1], "the draft's range", color="C0", transform=ax.get_yaxis_transform())
    ax.axhline(1, color="black", linewidth=0.8)
    _logarithmic(ax.yaxis, ax.set_yscale)
    ax.set(xlabel="target, % of the accuracy that both reach", ylabel="size: static / ShrinkNet")
    ax.set_xlim(100 * SHARES[0] - 1, 101)


def _draw_costs(ax, table):
    """The best network of at most one of the budgets, as trainings are added; fronts as points."""
    budgets = budgets_of(table)
    budget = budgets[(len(budgets) - 1) // 2]
    for way in _present(table, _COLOURS):
        found = [_growing(rows, budget) for rows in _by_seed(table, way)]
        x, y = np.array(found).mean(axis=0).T
        ax.plot(x / 1e9, y, color=_COLOURS[way], marker=".")
    for way in _present(table, (PATH, NARROW, PRUNED)):
        found = [_growing(rows, budget)[-1] for rows in _by_seed(table, way)]
        x, y = np.mean(found, axis=0)
        ax.plot(x / 1e9, y, color=_MARKS[way][0], marker=_MARKS[way][1], linestyle="none")
    _logarithmic(ax.xaxis, ax.set_xscale)
    ax.set_xlabel("multiply-adds of all trainings, 10⁹")
    ax.set_ylabel(f"test accuracy, at most {budget:g} parameters")


def _growing(rows, budget):
    """Multiply-adds and accuracy of the first trainings; nan while no network is small enough."""
    return [
        (cost, test_within(rows.iloc[: n + 1], budget))
        for n, cost in enumerate(rows["multiply_adds"].cumsum())
    ]


def _logarithmic(axis, set_scale, formatter="{x:g}"):
    """A log scale with ticks at 1, 2, 5, 10, …"""
    from matplotlib.ticker import LogLocator, NullLocator

    set_scale("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(formatter)
    axis.set_minor_locator(NullLocator())
