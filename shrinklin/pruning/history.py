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

    "epoch" counts from 0, which is before the first step. "n_alive" is the number of features
    that are left. The last three columns are the counts of `CostMeter` so far.

    Attributes
    ----------
    rows : list of tuple
        One value per name in `COLUMNS`.
    """

    def __init__(self):
        self.rows = []

    def write(self, epoch, loss, penalty, n_alive, cost):
        """Add the row of an epoch; `cost` is the `CostMeter` of the training."""
        counts = cost.neuron_epochs, cost.parameter_updates, cost.multiply_adds
        # Added in one step, so that Ctrl-C leaves no incomplete row.
        self.rows.append((epoch, loss, penalty, n_alive, *counts))

    @property
    def last(self):
        """The last row, a dict."""
        return dict(zip(COLUMNS, self.rows[-1], strict=True))

    def arrays(self):
        """The columns: a dict of ndarrays of shape (n_epochs + 1,)."""
        columns = zip(*self.rows, strict=True)
        return {name: np.array(c) for name, c in zip(COLUMNS, columns, strict=True)}
