"""The figure: loss against sparsity, in training and held out."""

import numpy as np

from experiments.tradeoff.curves import curve
from experiments.tradeoff.settings import EXACT, TRAINED, TRAINED_LASSO, TRAINED_SHRINKNET

# The colour shows the problem, the marker how it is solved. The refit counts as a problem.
_COLOURS = dict(zip(EXACT, ("C0", "C1", "C2", "C3"), strict=True)) | {
    TRAINED_LASSO: "C0",
    TRAINED_SHRINKNET: "C2",
}
# A scale linear in the square root of the share that is kept: there are hundreds of columns, and
# models with few features matter most.
_SPARSITIES = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 1)
# Limits of the axis. Losses far above the constant model's, or almost 0 as for separable classes,
# would leave too little room for the others.
_LOWEST, _HIGHEST = 1e-3, 1.5


def draw(table):
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullLocator

    figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharey=True, layout="constrained")
    for ax, held_out in zip(axes, (False, True), strict=True):
        _draw_panel(ax, table, held_out)
    # Set for both panels, which share the axis.
    axes[0].set_yscale("log")
    bottom, top = axes[0].get_ylim()
    axes[0].set_ylim(max(bottom, _LOWEST), min(top, _HIGHEST))
    crowded = axes[0].get_ylim()[0] < 0.3
    subs = (1, 2, 3, 5, 7) if crowded else range(1, 10)
    axes[0].yaxis.set_major_locator(LogLocator(subs=subs))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("loss, relative to that of the best constant")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw_panel(ax, table, held_out):
    for method in table["method"].unique():
        found = curve(table, method, held_out)
        style = (
            {"linestyle": "none", "marker": "x", "markersize": 7}
            if method in TRAINED
            else {"marker": "o", "markersize": 3, "linewidth": 1.2}
        )
        ax.plot(found["sparsity"], found["loss"], color=_COLOURS[method], label=method, **style)
    ax.set_title("held-out rows (mean over folds)" if held_out else "training rows (all)")
    ax.set_xscale("function", functions=(_stretch, _shrink))
    ax.set_xticks(_SPARSITIES, [f"{sparsity:g}" for sparsity in _SPARSITIES])
    ax.set_xlim(0, 1.0005)
    ax.set_xlabel("sparsity: share of columns whose weights are all below 1e-3")
    ax.grid(alpha=0.3, linewidth=0.5)


def _stretch(sparsity):
    kept = 1 - np.asarray(sparsity)
    return -np.sign(kept) * np.sqrt(np.abs(kept))


def _shrink(stretched):
    return 1 + np.sign(stretched) * np.square(stretched)
