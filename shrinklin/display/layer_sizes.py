"""The size of each layer of a network while it shrinks."""

from typing import Self

import numpy as np

from shrinklin.display.axes import add_title, own_or_new
from shrinklin.display.display import Display
from shrinklin.messages import imported

# More bars of a layer could not be told apart.
_MOST_BARS = 40
# The part of a layer's place that its bars fill.
_FILLED = 0.84
# Labels with more characters than this in total are rotated.
_LONGEST_LABELS = 60


class LayerSizesDisplay(Display):
    """Size of each layer of a network over time, as in figure 3 of the ShrinkNets paper.

    A layer has one bar for each epoch, from light at the beginning to dark at the end. If
    there are many epochs, 40 of them are drawn, at equal distances. Below each layer are
    its name and its first and last size.

    Parameters
    ----------
    history : dict
        ``history`` of a `shrinklin.networks.Shrinker`. Its "epoch" is an array, and its
        "layer_sizes" a dict of name to ndarray, with one entry per epoch.
    relative : bool, default=True
        Whether a bar shows which share of its layer is left. False shows the number of
        units, as the paper does; layers much smaller than others are then hard to see.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : list of matplotlib BarContainer
        One per epoch that is drawn, with one bar for each layer.
    """

    def __init__(self, history, *, relative=True, name=None) -> None:
        if not history.get("layer_sizes"):
            raise ValueError(
                f'history has the keys {list(history)}, but no "layer_sizes": give the history of '
                "a network. HistoryDisplay draws that of a linear model."
            )
        self.history, self.relative, self.name = history, relative, name

    def plot(self, ax=None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure, whose width depends on the number of layers.

        Returns
        -------
        LayerSizesDisplay
        """
        own, ax = ax is None, own_or_new(ax)
        if own:
            ax.figure.set_figwidth(max(6.4, 1.6 + 0.6 * len(self.history["layer_sizes"])))
        return super().plot(ax)

    def _draw(self, ax):
        names = list(self.history["layer_sizes"])
        sizes = np.array([self.history["layer_sizes"][name] for name in names])
        heights = sizes / sizes[:, :1] if self.relative else sizes
        n_epochs = heights.shape[1]
        n_bars = min(n_epochs, _MOST_BARS)
        width, places = _FILLED / n_bars, np.arange(len(names))
        epochs = np.linspace(0, n_epochs - 1, n_bars).round().astype(int)
        colors = self._colors(ax)
        self.bars_ = [
            ax.bar(
                places + (k - (n_bars - 1) / 2) * width,
                heights[:, epoch],
                width,
                color=colors(self.history["epoch"][epoch]),
            )
            for k, epoch in enumerate(epochs)
        ]
        _label_layers(ax, [f"{n}\n{s[0]} → {s[-1]}" for n, s in zip(names, sizes, strict=True)])
        ax.margins(x=0.02)
        ax.set_ylabel("share of units left" if self.relative else "units left")
        add_title(ax, self.name)

    def _colors(self, ax):
        """Add a colour bar; returns the function that gives an epoch its colour."""
        colors = imported("matplotlib.colors", "plot()", "plot")
        cm = imported("matplotlib.cm", "plot()", "plot")
        first, last = self.history["epoch"][0], self.history["epoch"][-1]
        # The lightest blues could not be told from the background.
        blues = colors.ListedColormap(cm.Blues(np.linspace(0.25, 1, 256)))
        mappable = cm.ScalarMappable(colors.Normalize(first, last), blues)
        ax.figure.colorbar(mappable, ax=ax, label="epoch", ticks=[first, last], aspect=30)
        return mappable.to_rgba


def _label_layers(ax, labels):
    crowded = len(labels) * max(len(line) for label in labels for line in label.split("\n"))
    rotated = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    style = rotated if crowded > _LONGEST_LABELS else {}
    ax.set_xticks(np.arange(len(labels)), labels, fontsize="small", **style)
