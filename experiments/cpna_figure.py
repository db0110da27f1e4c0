"""The figure of `cpna`: table 1 with figure 7, figure 6 and figure 8 of CPNA."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from experiments.cpna import (
    ALL,
    COLUMNS_FIRST,
    COURSE,
    CPA,
    CPNA,
    HIDDEN,
    NORMALISATION,
    PAPER,
    PAPERS_ORDER,
    PLAIN,
    PRUNED,
    draws,
)

# Colours say what was pruned, lines from which weights it is.
_COLORS = {PLAIN: "0.5", HIDDEN: "C0", ALL: "C3"}
_LINES = ("-", "--", ":")
_TITLES = {
    PAPERS_ORDER: "hidden, then input connections",
    COLUMNS_FIRST: "columns, then new network",
}


def drawn(table):
    problems = list(draws(table))
    decays = list(table[table["figure"] == NORMALISATION].groupby("decay", sort=False))
    n_columns = max(len(problems), 2)
    figure, axes = plt.subplots(
        4, n_columns, figsize=(3.4 * n_columns, 12.5), layout="constrained", squeeze=False
    )
    for ax in axes.flat:
        ax.set_visible(False)
    for ax, (problem, aucs) in zip(axes[0], problems, strict=False):
        _retraining(ax, problem, aucs)
    axes[0, 0].set_ylabel("test AUC, %")
    for ax, (decay, rows) in zip(axes[1], decays, strict=False):
        _normalisation(ax, decay, rows)
    axes[1, 0].set_ylabel("test AUC, %")
    course = table[table["figure"] == COURSE]
    for (aucs, losses), method in zip(axes[2:].T, _TITLES, strict=False):
        _course(aucs, losses, method, course[course["method"] == method])
    axes[2, 0].set_ylabel("AUC, %")
    axes[3, 0].set_ylabel("log-loss")
    for ax in axes[1:3, 0]:
        ax.legend(fontsize="small")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _shown(ax):
    ax.set_visible(True)
    ax.grid(alpha=0.3)


def _retraining(ax, problem, aucs):
    """Sorted test AUCs of the draws; levels of the paper."""
    _shown(ax)
    rank = np.arange(1, len(aucs) + 1)
    lines = {PLAIN: ("-", _COLORS[PLAIN])}
    for what, methods in PRUNED.items():
        lines |= {
            method: (line, _COLORS[what]) for method, line in zip(methods, _LINES, strict=True)
        }
    for method, (line, color) in lines.items():
        ax.plot(rank, np.sort(aucs[method])[::-1], line, color=color, marker=".", label=method)
    k, p = problem
    if k in PAPER:
        for what, color in _COLORS.items():
            ax.plot(len(aucs) + 0.6, PAPER[k][what], "<", color=color, markersize=7)
        ax.plot([], [], "<", color="black", label="CPNA, table 1, in these colours")
    ax.set(xlabel="rank of the draw", ylim=(43, 102))
    ax.set_title(f"k = {k}, p = {p}", fontsize="medium")
    ax.xaxis.get_major_locator().set_params(integer=True)


def _normalisation(ax, decay, rows):
    """Means over starts, and their deviation."""
    _shown(ax)
    for method, color in ((PLAIN, "0.5"), (CPA, "C1"), (CPNA, "C2")):
        found = rows[rows["method"] == method].groupby("units")["test_auc"].agg(["mean", "std"])
        low, high = (found["mean"] + sign * found["std"] for sign in (-1, 1))
        ax.fill_between(found.index, low, high, color=color, alpha=0.2, linewidth=0)
        ax.plot(found.index, found["mean"], "o-", color=color, markersize=4, label=method)
    ax.set_xscale("log")
    ax.set_xticks(rows["units"].unique(), map(str, rows["units"].unique()))
    ax.minorticks_off()
    ax.set(xlabel="hidden units at first", ylim=(43, 102))
    k, p = rows[["k", "p"]].iloc[0]
    ax.set_title(f"k = {k}, p = {p}, weight decay {decay:g}", fontsize="medium")


def _course(aucs, losses, method, course):
    """AUC and loss by epoch; the first draw in bold."""
    for ax, value in ((aucs, "auc"), (losses, "loss")):
        _shown(ax)
        for seed, rows in course.groupby("seed"):
            first = seed == course["seed"].min()
            style = {"linewidth": 1.8 if first else 0.7, "alpha": 1 if first else 0.6}
            for part, color in (("train", "C4"), ("test", "C5")):
                label = ("training" if part == "train" else "test") if first else None
                y = rows[f"{part}_{value}"]
                ax.plot(rows["epoch"], y, color=color, label=label, **style)
        ax.set(xlabel="epoch")
    aucs.set_title(_TITLES[method], fontsize="medium")
    losses.set_yscale("log")
    losses.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    losses.yaxis.set_major_formatter("{x:g}")
    losses.yaxis.set_minor_locator(NullLocator())
