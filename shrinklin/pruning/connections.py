"""Removal of single connections of a network, layer by layer: the schedule.

References
----------
.. [1] Finding deep local optima using network pruning (2019), under review for ICLR 2020.
"""

from sklearn.base import BaseEstimator

from shrinklin.pruning.removal import annealed
from shrinklin.validation.parameters import check_flag, check_real, check_whole


class ConnectionAnnealing(BaseEstimator):
    r"""Keeps the largest weights of some layers of a network, fewer from epoch to epoch.

    This is connection pruning with normalisation and annealing, CPNA [1]_. Give it to `Shrinker`
    as ``connections``. Layers are pruned one after another. The epochs after the first `pretrain`
    are divided into equal phases, one for each layer. A layer that has p weights when its phase
    begins keeps, after e of the N epochs of the phase, the

    .. math:: M_e = \Big\lceil k + (p - k) \max\Big(0,
              \frac{N - 2e}{2 e \mu + N}\Big) \Big\rceil

    largest :math:`\|w\|`, where k is its number in `n_connections`. The printed formula is garbled;
    this is that of `Annealing`. So exactly k are left in the second half of the phase, in which
    the network trains on. Fewer are left if units go that lose all connections to another layer.

    A pruned weight is 0 and stays 0, and so do its gradient and its entries in the optimiser's
    state. A weight of a pruned layer that is 0 for any other reason counts as pruned too.

    Units that have lost all connections to the layers that read them leave the network, and so do
    columns of the input. A unit that has lost all connections from the layers before it is a
    constant. It leaves too if the biases of the layers that read it can take the constant exactly.

    Parameters
    ----------
    n_connections : dict of str to int
        k for each layer by name, in the order of pruning. Other layers are not pruned.
    mu : float, default=10.0
        >= 0: the larger, the earlier weights go. 0 is a straight line.
    pretrain : int, default=0
        Epochs before the first phase. At least one epoch must be left for each layer.
    normalize : bool, default=True
        Whether weights are compared after the normalisation of CPNA, step (3): what makes a hidden
        unit with a `Mask`, weights and bias, is divided by c, the norm of these weights, and what
        reads the unit is multiplied by c. That changes no output if activations have
        f(cx) = c f(x) for c > 0, as ReLU has; other models are refused. The printed step divides by
        zero where a unit has only weights of 0: such a unit stays as it is. Training goes on with
        the weights as they were, because the optimiser's state belongs to their scale.

    References
    ----------
    .. [1] Finding deep local optima using network pruning (2019), under review for ICLR 2020.

    Examples
    --------
    >>> from shrinklin.networks import ConnectionAnnealing
    >>> connections = ConnectionAnnealing({"2": 10, "0": 30}, mu=0)
    >>> sizes = {"2": 50, "0": 400}
    >>> [connections.kept("2", 50, epoch, max_epochs=16) for epoch in range(1, 6)]
    [40, 30, 20, 10, 10]
    """

    def __init__(self, n_connections, mu=10.0, pretrain=0, normalize=True) -> None:
        self.n_connections = n_connections
        self.mu = mu
        self.pretrain = pretrain
        self.normalize = normalize

    def check(self, sizes, max_epochs):
        """Raise an error unless the parameters fit the network.

        Parameters
        ----------
        sizes : dict of str to int
            The number of weights of each layer.
        max_epochs : int or None
        """
        check_real("mu", self.mu, 0)
        check_whole("pretrain", self.pretrain, 0)
        check_flag("normalize", self.normalize)
        if not isinstance(self.n_connections, dict) or not self.n_connections:
            raise ValueError(
                f"n_connections={self.n_connections!r}: give a dict of layer to the number of "
                "weights to keep, in the order of pruning."
            )
        for layer, kept in self.n_connections.items():
            _check_layer(layer, kept, sizes)
        if max_epochs is None:
            raise ValueError(
                "ConnectionAnnealing follows a schedule over all epochs, but max_epochs=None: give "
                "the number of epochs as max_epochs."
            )
        n_layers = len(self.n_connections)
        if max_epochs - self.pretrain < n_layers:
            raise ValueError(
                f"pretrain={self.pretrain} leaves {max(0, max_epochs - self.pretrain)} of "
                f"max_epochs={max_epochs} for the pruning of {n_layers} layers, which needs one "
                "epoch each: decrease pretrain or increase max_epochs."
            )

    def begun(self, epoch, max_epochs):
        """The layers whose phase has begun in an epoch, counted from 1."""
        return [layer for layer in self.n_connections if epoch > self._phase(layer, max_epochs)[0]]

    def kept(self, layer, n_weights, epoch, max_epochs):
        """M_e of a layer that had `n_weights` when its phase began."""
        first, last = self._phase(layer, max_epochs)
        return annealed(n_weights, self.n_connections[layer], epoch - first, last - first, self.mu)

    def _phase(self, layer, max_epochs):
        """The epochs before the phase of a layer, and those before the next."""
        place, n_layers = list(self.n_connections).index(layer), len(self.n_connections)
        n_epochs = max_epochs - self.pretrain
        return tuple(self.pretrain + i * n_epochs // n_layers for i in (place, place + 1))


def _check_layer(layer, kept, sizes):
    if layer not in sizes:
        accepted = ", ".join(f'"{name}"' for name in sizes)
        raise ValueError(
            f"n_connections has layer {layer!r}, which has no weights between units: give one of "
            f"{accepted}."
        )
    check_whole(f"n_connections[{layer!r}]", kept, 1)
    if kept > sizes[layer]:
        raise ValueError(
            f"n_connections has {kept} for layer {layer!r}, which has {sizes[layer]} weights: give "
            "at most that many."
        )
