"""The figure of `network_landscape`: figures 1 to 4 of CPNA, one below the other."""

import matplotlib.pyplot as plt
import numpy as np

from experiments.network_landscape import DEEP, MINIMA, TRANSITION, UNITS, best_starts

_TRAIN = {"linestyle": "--", "marker": "^", "fillstyle": "none"}
_TEST = {"linestyle": "-", "marker": "o"}


def drawn(table):
    minima, transition, units = (
        table[table["figure"] == name] for name in (MINIMA, TRANSITION, UNITS)
    )
    problems = [
        list(of_k.groupby(["n", "p"], sort=False)) for _, of_k in minima.groupby("k", sort=False)
    ]
    ks = [list(part.groupby("k", sort=False)) for part in (transition, units)]
    n_columns = max(map(len, [*problems, *ks]))
    n_rows = 2 * len(problems) + 2
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(3.2 * n_columns, 2.6 * n_rows + 0.6),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for ax in axes.flat:
        ax.set_visible(False)
    for i, of_k in enumerate(problems):
        for (losses, aucs), ((n, p), rows) in zip(axes[2 * i : 2 * i + 2].T, of_k, strict=False):
            _sorted_ends(losses, aucs, rows)
            losses.set_title(f"k = {rows['k'].iloc[0]}, p = {p}, {n} rows", fontsize="medium")
        for ax in axes[2 * i : 2 * i + 2, 0]:
            ax.legend(fontsize="small")
    for ax, (k, rows) in zip(axes[-2], ks[0], strict=False):
        _transition(ax, k, rows)
    for ax, (k, rows) in zip(axes[-1], ks[1], strict=False):
        _units(ax, k, rows)
    for row in axes:
        row[0].set_ylabel(row[0].get_label())
    return figure


def _shown(ax, label):
    ax.set_visible(True)
    ax.set_label(label)
    ax.grid(alpha=0.3)


def _sorted_ends(losses, aucs, rows):
    """Losses, and below them AUCs, of starts in the order of their losses."""
    _shown(losses, "training loss")
    _shown(aucs, "AUC")
    for place, (units, of_width) in enumerate(rows.groupby("units", sort=False)):
        ends = of_width.sort_values("loss")
        rank, color = np.arange(1, len(ends) + 1), f"C{place}"
        # A loss of 0 to the digits of float32 has no place on a log scale.
        losses.plot(rank, ends["loss"].clip(lower=1e-7), color=color, label=f"{units} units")
        later = ends["later_loss"].clip(lower=1e-7)
        losses.plot(rank, later, ".", color=color, markersize=5, label="… trained on")
        aucs.plot(rank, ends["train_auc"], "--", color=color, label=f"{units} units, training")
        aucs.plot(rank, ends["test_auc"], "-", color=color, label="… test")
    losses.set_yscale("log")
    aucs.set(ylim=(0.45, 1.02), xlabel="rank of the start, by loss")


def _transition(ax, k, rows):
    _shown(ax, "test AUC, lowest loss")
    for place, (n, of_n) in enumerate(best_starts(rows).groupby("n", sort=False)):
        _band(ax, of_n, "p", "test_auc", f"C{place + 2}", f"{n} rows", _TEST)
    ax.axhline(DEEP, color="0.6", linestyle=":", linewidth=1)
    ax.set_title(f"k = {k}, {rows['units'].iloc[0]} units", fontsize="medium")
    ax.set(ylim=(0.45, 1.02), xlabel="p, columns")
    ax.legend(fontsize="small")


def _units(ax, k, rows):
    _shown(ax, "AUC, lowest loss")
    for place, (p, of_p) in enumerate(best_starts(rows).groupby("p", sort=False)):
        color = f"C{place + 4}"
        _band(ax, of_p, "units", "train_auc", color, f"p = {p}, training", _TRAIN)
        _band(ax, of_p, "units", "test_auc", color, "… test", _TEST)
    ax.set_title(f"k = {k}, {rows['n'].iloc[0]} rows", fontsize="medium")
    # Room for the legend.
    ax.set(xscale="log", ylim=(0.2, 1.02), xlabel="hidden units")
    ax.legend(fontsize="small", loc="lower right")


def _band(ax, rows, x, value, color, label, style):
    """The mean over draws, and their range."""
    found = rows.groupby(x)[value].agg(["mean", "min", "max"])
    ax.fill_between(found.index, found["min"], found["max"], color=color, alpha=0.2, linewidth=0)
    ax.plot(found.index, found["mean"], color=color, markersize=4, label=label, **style)
