"""What the displays share: axes, titles and legends."""

import numpy as np

from shrinklin.messages import imported

# Measures of cost, and their labels.
SPENT = {
    "epoch": "epochs",
    "neuron_epochs": "neuron-epochs",
    "parameter_updates": "parameter updates",
    "multiply_adds": "multiply-adds",
}
# A legend below the axes, where nothing is drawn.
OUTSIDE = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, -0.13),
    "frameon": False,
    "fontsize": "small",
}
# Distance between an upper axis and the one below it, in heights of the axes.
_UPPER_STEP = 0.13


def own_or_new(ax):
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax
    pyplot = imported("matplotlib.pyplot", "plot()", "plot")
    return pyplot.subplots(layout="constrained")[1]


def prefix_of(ax, name):
    """The beginning of all labels, if other models are already drawn."""
    return f"{name}: " if name and ax.lines else ""


def add_title(ax, name):
    """Add the name of a model to the title."""
    before = ax.get_title()
    if name and name not in before.split(", "):
        ax.set_title(f"{before}, {name}" if before else name)


def vertical_line(ax, x, **style):
    """Draw a vertical line over the full height, in the next colour of the cycle."""
    return ax.plot([x, x], [0, 1], transform=ax.get_xaxis_transform(), **style)


def sharing_x(ax):
    """The axes that share the x axis of `ax`, including `ax`."""
    return ax.get_shared_x_axes().get_siblings(ax)


def alpha_axis(ax, alphas):
    """Let alpha fall to the right, on a logarithmic scale if all drawn values allow it.

    It may be called several times, after other drawings, and with axes that share x.
    """
    ax.update_datalim(np.column_stack([alphas, np.zeros(len(alphas))]), updatey=False)
    ends = np.array([each.dataLim.intervalx for each in sharing_x(ax)])
    ends = ends[np.isfinite(ends).all(axis=1)]
    ax.set_xscale("log" if 0 < ends.min() < ends.max() else "linear")
    ax.autoscale_view(scaley=False)
    ax.xaxis.set_inverted(True)
    ax.set_xlabel("alpha (penalty weakens to the right)")


def number_of_features(ax, alphas, n_selected, n_ticks=8):
    """Add an upper axis with the number of features that the models keep.

    It is placed above the upper axes of models that were drawn before.
    """
    upper = ax.secondary_xaxis(1 + _UPPER_STEP * len(ax.child_axes))
    at = np.unique(np.linspace(0, len(alphas) - 1, n_ticks).round().astype(int))
    upper.set_xticks(alphas[at], labels=[str(n) for n in n_selected[at]])
    upper.set_xticks([], minor=True)
    upper.set_xlabel("features kept")
    return upper


def horizontal_bars(ax, names, lengths, color="C0"):
    """Draw a bar for each name, from top to bottom. Returns the axes and the bars.

    Without `ax`, it makes a figure that is tall enough.
    """
    own, ax, at = ax is None, own_or_new(ax), np.arange(len(names))
    if own:
        ax.figure.set_figheight(max(4.8, 1.4 + 0.2 * len(names)))
    _check_bars_of_others(ax, names)
    bars = ax.barh(at, lengths, color=color)
    ax.set_yticks(at, names, fontsize="small")
    ax.set_ylim(len(names) - 0.4, -0.6)
    return ax, bars


def _check_bars_of_others(ax, names):
    """Raise an error if `ax`, or axes that share its y axis, have bars with other names.

    Shared axes have the same name at each position.
    """
    drawn = any(each.containers for each in ax.get_shared_y_axes().get_siblings(ax))
    # Inner axes of a figure may have names that they do not show.
    if drawn and ax.yaxis.get_major_formatter().format_ticks(ax.get_yticks()) != names:
        raise ValueError(
            "ax, or axes that share its y axis, already have bars of other features, which would "
            "get the wrong names: give separate axes, without sharey."
        )
