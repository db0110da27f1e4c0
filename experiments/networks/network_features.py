"""Networks that choose columns of their input, and a plain network on columns that are given."""

import time
from dataclasses import dataclass

import numpy as np
import torch

from experiments.network_features import Kept
from experiments.networks.training import (
    Batches,
    accuracy,
    loss,
    perceptron,
    tensors,
    trained,
)
from experiments.rates import rate_of
from shrinklin import Annealing, SignVariance
from shrinklin.networks import Mask, Shrinker, ShrinkNetMLPClassifier, Switch, add_switches
from shrinklin.networks.training import train_epoch

UNITS = 256
# From a few columns to most of them.
LAMBDAS = (0.0003, 0.003, 0.03, 0.1)
# Batches instead of all rows at once, and steps of λ by 3 instead of 2 %.
LASSONET_SETTINGS = {"batch_size": 256, "path_multiplier": 1.03}


@dataclass(frozen=True)
class Recipe:
    """The training of a network that loses columns, with Adam.

    The learning rate is constant for the first half of the epochs, in which columns leave, and then
    falls to 0 along a cosine.

    Attributes
    ----------
    epochs, batch : int
    rate, decay : float
        Learning rate and weight decay.
    pretrain : int
        Epochs before the first column leaves.
    mu : float
        As in `Annealing`.
    high : float
        A mean training loss after the last column has left that tells that the columns are wrong:
        training begins again then, at most `tries` times in all.
    tries : int
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    pretrain: int = 2
    mu: float = 2.0
    high: float = float("inf")
    tries: int = 1


TABLE = Recipe(40, 256, 0.02, 3e-4)
RECIPES = {
    "segment": Recipe(100, 256, 0.02, 3e-4, pretrain=10),
    "wine": Recipe(100, 64, 0.02, 3e-4, pretrain=10),
    # Batches are large: with fewer rows the columns are often wrong. At chance, the loss is 0.69.
    "xor": Recipe(120, 1000, 0.015, 4e-3, pretrain=25, mu=0.0, high=0.6, tries=6),
}


def recipe_of(name):
    """The recipe of a dataset by its name."""
    return RECIPES.get(name, TABLE)


def annealed(rows, asked, seed):
    """Networks that lose columns by annealing until as many are left as are asked for."""
    return [_annealed(rows, n, seed) for n in asked]


def _annealed(rows, n_columns, seed):
    recipe, start = recipe_of(rows.name), time.process_time()
    torch.manual_seed(seed)
    found = []
    for _ in range(recipe.tries):
        removal = {"input": Annealing(n_columns, recipe.mu, recipe.pretrain)}
        found.append(shrunk(rows, recipe, Mask, removal, 0.0))
        if found[-1][1] < recipe.high:
            break
    model, _ = min(found, key=lambda pair: pair[1])
    return kept_of(model, rows, start)


def shrunk(rows, recipe, gate, removal, alpha):
    """A network after its training, and the mean loss of the last epoch.

    Parameters
    ----------
    rows : Rows
    recipe : Recipe
    gate : class
        `Mask` or `Switch`, in front of the columns and behind the hidden units.
    removal : dict of str to Removal
    alpha : float
        λ. It is 0 in the second half.
    """
    X, y = tensors(*rows.training)
    plain = perceptron((X.shape[1], UNITS, rows.n_classes))
    model = add_switches(plain, X[:2], gate=gate, inputs=True)
    optimizer = torch.optim.Adam(parameters_of(model, recipe.decay), lr=recipe.rate, fused=True)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=alpha, max_epochs=recipe.epochs,
        when="epoch", removal=removal,
    )  # fmt: skip
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: rate_of(e, recipe.epochs))
    last = np.inf
    for epoch in shrinker.epochs():
        if 2 * epoch >= recipe.epochs:
            shrinker.alpha = 0.0
        last = train_epoch(model, optimizer, Batches(X, y, recipe.batch), loss, shrinker)
        scheduler.step()
    return model.train(False), last


def parameters_of(model, decay):
    """The groups of the optimiser: switches have no weight decay."""
    switches = {id(gate.theta) for gate in model.modules() if isinstance(gate, Switch)}
    parts: dict[bool, list] = {True: [], False: []}
    for parameter in model.parameters():
        parts[id(parameter) in switches].append(parameter)
    groups = [(parts[False], decay), (parts[True], 0.0)]
    return [{"params": part, "weight_decay": value} for part, value in groups if part]


def kept_of(model, rows, start):
    """What a trained model kept, with its accuracies and the seconds since `start`."""
    seconds = time.process_time() - start
    held_out, test = (accuracy(model, *tensors(*part)) for part in (rows.validation, rows.test))
    return Kept(model[0].input_gate.kept.numpy(), 100 * test, seconds, 100 * held_out)


def switched(rows, asked, seed):
    """Networks with a switch in front of each column, for several λ.

    For each number that is asked for, the one of those with at most as many columns that is best on
    the validation rows. The seconds are those of all λ.
    """
    recipe, found = recipe_of(rows.name), []
    for alpha in LAMBDAS:
        torch.manual_seed(seed)
        start = time.process_time()
        model, _ = shrunk(rows, recipe, Switch, {"input": SignVariance()}, alpha)
        found.append(kept_of(model, rows, start))
    seconds = sum(one.seconds for one in found)
    return [_best_of(found, n, seconds) for n in asked]


def _best_of(found, most, seconds):
    few = [one for one in found if len(one.columns) <= most]
    if not few:
        return None
    best = max(few, key=lambda one: one.held_out)
    return Kept(best.columns, best.accuracy, seconds, best.held_out)


def estimated(rows, asked, seed):
    """`ShrinkNetMLPClassifier` with `n_features`; 0 leaves the number to the penalty."""
    found = []
    for n in asked:
        start = time.process_time()
        model = ShrinkNetMLPClassifier(n_features=n or None, random_state=seed)
        model.fit(*rows.training)
        seconds = time.process_time() - start
        columns = np.flatnonzero(model.get_support())
        found.append(Kept(columns, 100 * model.score(*rows.test), seconds))
    return found


def lassonet(rows, asked, seed):
    """LassoNet: the first network of its path with at most so many columns.

    The seconds are those from the beginning of the path to this network.
    """
    from lassonet import LassoNetClassifier

    torch.manual_seed(seed)
    start, seconds = time.process_time(), []
    model = LassoNetClassifier(
        **LASSONET_SETTINGS, verbose=0, random_state=seed, torch_seed=seed, device="cpu"
    )
    (X, y), (X_held_out, y_held_out), (X_test, y_test) = rows.training, rows.validation, rows.test
    path = model.path(
        X, y, X_val=X_held_out, y_val=y_held_out, return_state_dicts=True,
        disable_lambda_warning=True,
        callback=lambda *_: seconds.append(time.process_time() - start),
    )  # fmt: skip
    found = []
    for n in asked:
        place = next(i for i, item in enumerate(path) if item.selected.sum() <= n)
        model.load(path[place].state_dict)
        columns = np.flatnonzero(path[place].selected.numpy())
        right = float((model.predict(X_test) == y_test).mean())
        found.append(Kept(columns, 100 * right, seconds[place]))
    return found


def refitted(rows, columns, seed):
    """The accuracy in % of a plain network that reads these columns alone."""
    if not len(columns):
        return None
    (X, y), (X_test, y_test) = (tensors(X[:, columns], y) for X, y in (rows.training, rows.test))
    torch.manual_seed(seed)
    model = perceptron((len(columns), UNITS, rows.n_classes))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4, fused=True)
    trained(model, optimizer, Batches(X, y, 128), 40)
    return 100 * accuracy(model, X_test, y_test)
