r"""The minimum of f over features whose coefficients have to be >= 0, with all others at zero.

It is needed where nothing but this bound keeps features out of the model, and starts descents. So
it may be rough. The method is that of Lawson and Hanson [1], which needs no more of f than its
minimum over some features without a bound.

References
----------
.. [1] Lawson, Hanson (1974), Solving least squares problems, chapter 23.
"""

import numpy as np

# How many features may enter, relative to their number.
_ENTRIES = 3


def nonnegative_minimum(smooth, features):
    """W (n_features, n_targets) with the minimum over `features` of every target alone."""
    W = np.zeros(smooth.C.shape, order="F")
    for target in range(W.shape[1]):
        W[:, target] = _Descent(smooth, features, target).run()
    return W


class _Descent:
    """The descent for one target. `inside` marks the features that are not at zero."""

    def __init__(self, smooth, features, target):
        self.smooth, self.features, self.target = smooth, features, target
        self.W = np.zeros(smooth.C.shape, order="F")
        self.inside = np.zeros(len(features), dtype=bool)

    def run(self):
        loss, gradient = self.smooth.evaluate(self.W)
        for _ in range(_ENTRIES * len(self.features)):
            rounding = self.smooth.rounding(self.W, loss)[0] * self.smooth.sizes
            pull = np.where(self.inside, 0.0, -gradient[self.features, self.target])
            pull -= rounding[self.features]
            best = pull.argmax()
            if pull[best] <= 0:
                break
            start, before = self.W.copy(), loss
            self.inside[best] = True
            self._settle()
            loss, gradient = self.smooth.evaluate(self.W)
            if loss >= before:  # only rounding is left
                self.W = start
                break
        return self.W[:, self.target]

    def _settle(self):
        """Move to the minimum over the features inside. Those that reach zero on the way leave."""
        while self.inside.any():
            at = self.features[self.inside]
            goal = self.smooth.minimise(self.W, at)[at, self.target]
            here = self.W[at, self.target]
            if (goal > 0).all():
                self.W[at, self.target] = goal
                return
            room = np.where(goal > 0, np.inf, here / np.where(here > goal, here - goal, np.inf))
            share = room.min()
            kept = room > share
            self.W[at, self.target] = np.where(kept, here + share * (goal - here), 0.0)
            self.inside[self.inside] = kept
