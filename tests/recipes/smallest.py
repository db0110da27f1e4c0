"""The strategy of the recipe 'Add a removal strategy'."""

import numpy as np

from shrinklin.pruning.removal import Removal
from shrinklin.validation.parameters import check_whole


class Smallest(Removal):
    """Takes out the smallest ``|β_g| ‖A_g‖₂`` of every layer once an epoch, down to `n_left`."""

    def __init__(self, n_left=3) -> None:
        self.n_left = n_left

    def check(self, n_switches, max_epochs):
        """See `Removal`."""
        check_whole("n_left", self.n_left, 1)

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        dead = np.zeros(len(watched.gate), dtype=bool)
        for layer in np.unique(watched.layer):
            members = np.flatnonzero(watched.layer == layer)
            if len(members) > self.n_left:
                dead[members[watched.sizes[members].argmin()]] = True
        return dead
