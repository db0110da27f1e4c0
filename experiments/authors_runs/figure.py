"""The figure: sizes against accuracy with both fronts, and ratios between the kinds."""

import numpy as np

from experiments.authors_runs.fronts import (
    ALL_PARAMETERS,
    AUTHORS,
    BAND,
    compared,
    front,
    own_targets,
    ratios,
    tasks,
)
from experiments.authors_runs.runs import SECONDS, SHRINKNET, STATIC
from experiments.authors_runs.sizes import CIFAR10
from experiments.authors_runs.speed import NAMES
from experiments.authors_runs.verdicts import FEW, HARDLY, LEAST, MOST, percent

_COLORS, _MARKERS = {STATIC: "C1", SHRINKNET: "C0"}, {STATIC: "^", SHRINKNET: "o"}
_LABELS = (
    "test accuracy, %",
    "ratio of sizes, static to ShrinkNet",
    "ratio of seconds, static to ShrinkNet",
)


def draw(table):
    import matplotlib.pyplot as plt

    found = tasks(table)
    figure, axes = plt.subplots(
        3, len(found), figsize=(5.5 * len(found), 12.5), layout="constrained", squeeze=False
    )
    for task, (cloud, sizes, speeds) in zip(found, axes.T, strict=True):
        draw_cloud(cloud, table, task)
        draw_sizes(sizes, table, task)
        draw_speeds(speeds, table, task)
        for ax in (sizes, speeds):
            ax.set_xlabel("target: test accuracy, %")
    for row, label in zip(axes, _LABELS, strict=True):
        row[0].set_ylabel(label)
    # Both columns have the same legend, and in the last one there is room.
    for ax in axes[1:, -1]:
        ax.legend(loc="upper left", fontsize="small", framealpha=0.6)
    return figure


def draw_cloud(ax, table, task):
    """All networks, and the fronts."""
    for kind, rows in zip((STATIC, SHRINKNET), compared(table, task), strict=True):
        best, color = front(rows), _COLORS[kind]
        ax.plot(
            rows["counted"],
            100 * rows["accuracy"],
            marker=_MARKERS[kind],
            linestyle="none",
            color=color,
            alpha=0.3,
            markersize=4,
            label=f"{len(rows)} {kind} networks" if kind == STATIC else f"{len(rows)} {kind}s",
        )
        ax.step(best["counted"], 100 * best["accuracy"], where="post", color=color)
    ax.set(xscale="log", title=task, ylim=(45, 99))
    ax.set_xlabel("size: parameters, as the authors count")
    ax.legend(loc="lower right", fontsize="small", framealpha=0.6)


def draw_sizes(ax, table, task):
    """Ratios of sizes at the targets, with the band of the draws."""
    found, own = ratios(table, task), ratios(table, task, at=own_targets(table, task))
    low, high = np.array([one.draws.band for one in found]).reshape(-1, 2).T
    ax.fill_between(
        _targets(found),
        low,
        high,
        color="C2",
        alpha=0.25,
        linewidth=0,
        label=f"{percent(BAND)} of the draws",
    )
    _draw_ratios(ax, found, color="C2", marker="o", markersize=3.5, label=AUTHORS.name)
    few = [one for one in found if min(one.n_reach) < FEW]
    style = {"color": "C2", "linestyle": "none", "marker": "o", "markersize": 6}
    _draw_ratios(ax, few, fillstyle="none", label=f"fewer than {FEW} of a kind", **style)
    honest = ratios(table, task, ALL_PARAMETERS)
    _draw_ratios(ax, honest, color="0.3", linestyle="--", linewidth=1, label=ALL_PARAMETERS.name)
    style = {"color": "C3", "linestyle": "none", "marker": "x"}
    _draw_ratios(ax, own, label="at the accuracies of ShrinkNet's front", **style)
    _log_scale(ax, (1, LEAST, MOST) if task == CIFAR10 else (1, HARDLY), (0.4, 60))


def draw_speeds(ax, table, task):
    """Ratios of seconds at the targets."""
    for place, column in enumerate(SECONDS):
        style = {"color": f"C{place}", "marker": "os^v"[place], "markersize": 3.5}
        found = ratios(table, task, value=column)
        _draw_ratios(ax, found, linewidth=1.2, label=NAMES[column], **style)
    _log_scale(ax, (1,), (0.4, 10))


def _targets(found):
    return [100 * one.target for one in found]


def _draw_ratios(ax, found, **style):
    ax.plot(_targets(found), [one.ratio for one in found], **style)


def _log_scale(ax, lines, limits):
    """A log scale that has at least these limits, with lines across."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    ax.set_yscale("log")
    found = ax.get_ylim()
    ax.set_ylim(min(found[0], limits[0]), max(found[1], limits[1]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 4)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_locator(NullLocator())
    for line in lines:
        ax.axhline(line, color="black", linewidth=0.8, linestyle=":" if line > 1 else "-")
