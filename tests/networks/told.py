"""A strategy that removes what a test tells it to."""

import numpy as np

from shrinklin import Removal


class Told(Removal):
    """Removes the switches of the next step's list.

    Attributes
    ----------
    dead_now : ndarray of bool, or None
        A mask of the switches that are left; it is used once.
    """

    needs_norms = False
    dead_now = None

    def dead(self, watched):
        dead, self.dead_now = self.dead_now, None
        return np.zeros(len(watched.gate), dtype=bool) if dead is None else dead
