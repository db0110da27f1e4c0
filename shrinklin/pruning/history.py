"""What a training records, epoch by epoch."""

import numpy as np

COLUMNS = (
    "epoch",
    "loss",
    "penalty",
    "n_alive",
    "neuron_epochs",
    "parameter_updates",
    "multiply_adds",
)


class History:
    """A table with one row per epoch; `HistoryDisplay` draws it.

    "epoch" counts from 0, which is before the first step. "n_alive" is the number of units that
    are left: features of a linear model, neurons and channels of a network. The last three
    columns are the counts of `CostMeter` so far.

    Parameters
    ----------
    layers : sequence of str, default=()
        Names of the layers of a network, whose sizes are recorded too.

    Attributes
    ----------
    layers : tuple of str
    rows : list of tuple
        One value per name in `COLUMNS`, then the size of each layer. They are all that a saved
        history has to hold.
    """

    def __init__(self, layers=()):
        self.layers, self.rows = tuple(layers), []

    def write(self, epoch, loss, penalty, n_alive, cost, sizes=()):
        """Add the row of an epoch.

        `cost` is the `CostMeter` of the training, `sizes` the number of units that are left in
        each layer. A loss that is not known is NaN.
        """
        counts = cost.neuron_epochs, cost.parameter_updates, cost.multiply_adds
        # Added in one step, so that Ctrl-C leaves no incomplete row.
        self.rows.append((epoch, loss, penalty, n_alive, *counts, *sizes))

    @property
    def last(self):
        """The last row, a dict."""
        return dict(zip(COLUMNS, self.rows[-1][: len(COLUMNS)], strict=True))

    def arrays(self):
        """The columns: a dict of ndarrays of shape (n_epochs + 1,).

        With layers, "layer_sizes" is a dict of such arrays, by the names of the layers.
        """
        columns, n = [np.array(column) for column in zip(*self.rows, strict=True)], len(COLUMNS)
        found = dict(zip(COLUMNS, columns[:n], strict=True))
        sizes = dict(zip(self.layers, columns[n:], strict=True))
        return found | {"layer_sizes": sizes} if self.layers else found
