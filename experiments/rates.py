"""The learning rate of networks that lose units or connections: constant, then falling."""

import math


def rate_of(epoch, n_epochs, first=0.5):
    """The learning rate in an epoch, divided by the first one.

    Parameters
    ----------
    epoch : int
        From 0.
    n_epochs : int
    first : float, default=0.5
        The share of epochs in which the rate is constant. Then it falls towards 0 along a cosine.
    """
    done = max(0.0, (epoch / n_epochs - first) / (1 - first))
    return 0.5 * (1 + math.cos(math.pi * done))
