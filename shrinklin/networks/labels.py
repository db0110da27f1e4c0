"""Labels of units, and which labels turn out to name the same unit.

Every entry of a tensor is labelled with the unit that it belongs to, or with `FREE` if it belongs
to none that could be removed, such as the entries of the model's input.
"""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

FREE = 0


class Labels:
    """Makes labels, and notes what is said about them.

    Labels are tensors of int64 of any shape.
    """

    def __init__(self):
        self.n_labels = 1
        self._pairs = []
        self._whole = []

    def new(self, n):
        """n labels of new units: (n,)."""
        self.n_labels += n
        return torch.arange(self.n_labels - n, self.n_labels)

    def join(self, one, other, reason):
        """The same units are called `one` and `other`, which broadcast.

        A unit that meets an entry without unit has to stay, for this reason.
        """
        pairs = torch.stack([each.reshape(-1) for each in torch.broadcast_tensors(one, other)])
        free = (pairs == FREE).any(dim=0)
        if free.any():
            self.stay(pairs[:, free], reason)
            pairs = pairs[:, ~free]
        self._pairs.append(pairs.numpy())

    def stay(self, labels, reason):
        """These units must not be removed."""
        labels = labels.unique().numpy()
        labels = labels[labels != FREE]
        if len(labels):
            self._whole.append((labels, reason))

    def units(self):
        """What is known by now: `Units`."""
        pairs = np.concatenate([np.empty((2, 0), dtype=np.int64), *self._pairs], axis=1)
        graph = coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(self.n_labels,) * 2)
        names = connected_components(graph, directed=False)[1]
        return Units(names, self._whole)


class Units:
    """The units of a network.

    Parameters
    ----------
    names : ndarray of shape (n_labels,)
        The unit of each label, a number.
    whole : list of (ndarray of labels, str)
        Labels of units that must stay, and why.

    Attributes
    ----------
    n_units : int
    reasons : dict of int to str
        Why a unit must stay.
    """

    def __init__(self, names, whole):
        self._names = names
        self.n_units = int(names.max()) + 1
        self.free = int(names[FREE])
        self.reasons = {self.free: "it is no unit"}
        for labels, reason in whole:
            for unit in np.unique(names[labels]):
                self.reasons.setdefault(int(unit), reason)

    def of(self, labels):
        """The units of labels: an ndarray of the same shape."""
        return self._names[labels.numpy()]

    def stay(self, labels, reason):
        """These units must not be removed either."""
        for unit in np.unique(self.of(labels)):
            self.reasons.setdefault(int(unit), reason)
