"""Networks with one hidden layer, fully connected or pruned: training, and the choice of settings.

All are trained with Adam and batches of 64 rows. The learning rate is constant for half of the
epochs and then falls to 0 along a cosine.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold

from experiments.networks.training import Batches, accuracy, loss, perceptron, tensors
from experiments.rates import rate_of
from shrinklin.networks import ConnectionAnnealing, Mask, Shrinker, add_switches
from shrinklin.networks.training import train_epoch

BATCH = 64
# The first layer, and the last.
FIRST, LAST = "0", "2"


@dataclass(frozen=True)
class Recipe:
    """A network and its training.

    Attributes
    ----------
    units : int
        Hidden units at first.
    rate, decay : float
        The learning rate and the weight decay of Adam.
    epochs : int
    connections : tuple of int or None
        How many connections are left of the first and of the last layer. None: all.
    """

    units: int
    rate: float
    decay: float
    epochs: int
    connections: tuple | None = None

    def rate_of(self, epoch):
        """The learning rate in an epoch, counted from 0, divided by `rate`."""
        return rate_of(epoch, self.epochs)


@dataclass
class Trained:
    """A network after its training.

    Attributes
    ----------
    model : nn.Module
    seconds : float
        CPU time of the training, without `best`.
    best : float or None
        The best accuracy on other rows after any epoch in which no connection is too many.
    """

    model: torch.nn.Module
    seconds: float = 0.0
    best: float | None = None

    @property
    def connections(self):
        """The connections that are left in the first and in the last layer."""
        return tuple(int((self.model[i].weight != 0).sum()) for i in (0, 2))

    @property
    def units(self):
        """The hidden units that are left."""
        return self.model[0].weight.shape[0]

    @property
    def columns(self):
        """How many columns of the input are read."""
        return int((self.model[0].weight != 0).any(dim=0).sum())

    def accuracy(self, X, y):
        """In %."""
        return 100 * accuracy(self.model, X, y)

    def see(self, X, y):
        """Compare the accuracy on these rows with the best."""
        self.best = max(self.accuracy(X, y), self.best or 0.0)


def trained(recipe, rows, n_classes, seed, others=None):
    """Train a network.

    Parameters
    ----------
    recipe : Recipe
    rows : tuple of Tensor
        X and y.
    n_classes, seed : int
    others : tuple of Tensor, default=None
        The rows that `Trained.best` is about.
    """
    X, y = rows
    torch.manual_seed(seed)
    model = perceptron((X.shape[1], recipe.units, n_classes))
    if recipe.connections:
        model = add_switches(model, X[:2], gate=Mask, inputs=True)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.decay, fused=True
    )
    shrinker = pruning(recipe, model, optimizer, X) if recipe.connections else None
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, recipe.rate_of)
    found = Trained(model)
    for _ in shrinker.epochs() if shrinker else range(recipe.epochs):
        start = time.process_time()
        train_epoch(model, optimizer, Batches(X, y, BATCH), loss, shrinker)
        scheduler.step()
        found.seconds += time.process_time() - start
        if others and (not shrinker or sum(found.connections) <= sum(recipe.connections)):
            found.see(*others)
            model.train()
    model.train(False)
    return found


def pruning(recipe, model, optimizer, X):
    """CPNA: first the connections to the outputs, then those of the columns."""
    first, last = recipe.connections
    connections = ConnectionAnnealing({LAST: last, FIRST: first}, pretrain=recipe.epochs // 5)
    return Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0, when="epoch", max_epochs=recipe.epochs,
        connections=connections,
    )  # fmt: skip


class Search:
    """The choice among recipes by cross-validation.

    Parameters
    ----------
    X, y : ndarray
        Training rows.
    n_folds, n_classes, seed : int

    Attributes
    ----------
    scores : dict of Recipe to float
        Mean accuracies over the folds, in %.
    """

    def __init__(self, X, y, n_folds, n_classes, seed):
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        self.folds = [
            tuple(tensors(X[rows], y[rows]) for rows in parts) for parts in folds.split(X, y)
        ]
        self.n_classes, self.seed = n_classes, seed
        self.scores: dict[Recipe, float] = {}

    def score(self, recipe):
        """The mean accuracy, from memory if it is known."""
        if recipe not in self.scores:
            found = [
                trained(recipe, inside, self.n_classes, self.seed).accuracy(*outside)
                for inside, outside in self.folds
            ]
            self.scores[recipe] = float(np.mean(found))
        return self.scores[recipe]

    def best(self, recipes):
        """The first of those with the best score."""
        return max(recipes, key=self.score)


def equivalent(connections, n_inputs, n_outputs):
    """Units of a fully connected network with about as many connections."""
    return max(1, round(sum(connections) / (n_inputs + n_outputs)))


class Choices:
    """The recipes of one run, chosen on its training rows.

    Parameters
    ----------
    search : Search
    settings : experiments.cpna_uci.Settings
    connections : tuple of int
        CPNA's connections in the first and in the last layer.
    n_inputs : int
    """

    def __init__(self, search, settings, connections, n_inputs):
        self.search, self.settings = search, settings
        self.sizes = n_inputs, search.n_classes
        wide = self._trained_best(settings.units)
        # Fewer units, and other numbers of connections, are tried with the rates of the first.
        self.best = search.best([wide, *(replace(wide, units=n) for n in settings.fewer_units)])
        self.pruned = self._trained_best(settings.units, connections)
        sizes = [self.scaled(connections, level) for level in settings.levels]
        self.sized = search.best([replace(self.pruned, connections=size) for size in sizes])
        # It is trained best at about the first size, too.
        self._small = self._trained_best(equivalent(connections, *self.sizes))

    def scaled(self, connections, level):
        """`level` times as many connections, as far as the network has them."""
        most = (n * self.settings.units for n in self.sizes)
        return tuple(min(level * n, size) for n, size in zip(connections, most, strict=True))

    def equivalent(self, recipe):
        """The fully connected network that is about as large as a pruned one."""
        return replace(self._small, units=equivalent(recipe.connections, *self.sizes))

    def _trained_best(self, units, connections=None):
        settings = self.settings
        return self.search.best(
            [
                Recipe(units, rate, decay, settings.epochs, connections)
                for rate in settings.rates
                for decay in settings.decays
            ]
        )


def measured(recipe, rows, others, n_classes, seed):
    """The results of a recipe: trained on `rows`, judged on `others`."""
    rows, others = tensors(*rows), tensors(*others)
    found = trained(recipe, rows, n_classes, seed, others)
    first, last = found.connections
    return {
        "units": recipe.units,
        "rate": recipe.rate,
        "decay": recipe.decay,
        "units_left": found.units,
        "first_connections": first,
        "last_connections": last,
        "columns": found.columns,
        "accuracy": found.accuracy(*others),
        "best_accuracy": found.best,
        "seconds": found.seconds,
    }
