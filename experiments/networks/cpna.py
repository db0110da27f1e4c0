"""Pruning of networks with one hidden layer on XOR: the recipes, and what is left.

Connections are pruned by `ConnectionAnnealing`, columns of the input by `Annealing`.
"""

from dataclasses import dataclass, replace

import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from experiments.cpna import COURSE, CPNA, NORMALISATION, PAPERS_ORDER, PLAIN, TABLE
from experiments.cpna_recipes import HIGH, KEPT, RECIPES
from experiments.networks.training import Batches, perceptron, xor
from shrinklin import Annealing
from shrinklin.networks import ConnectionAnnealing, Mask, Shrinker, add_switches
from shrinklin.networks.training import train_epoch


def log_loss(model, batch):
    """The mean log-loss of a batch."""
    return binary_cross_entropy_with_logits(model(batch[0]).squeeze(1), batch[1])


def adam(model, schedule):
    """The optimiser of a schedule."""
    return torch.optim.Adam(
        model.parameters(), lr=schedule.rate, weight_decay=schedule.decay, fused=True
    )


def train(model, schedule, X, y, shrinker=None, watch=None, optimizer=None):
    """Train by a schedule; returns the model and the loss of the last epoch.

    Parameters
    ----------
    shrinker : Shrinker, default=None
    watch : callable, default=None
        Takes the model after each epoch.
    optimizer : Optimizer, default=None
        That of the shrinker.
    """
    optimizer = adam(model, schedule) if optimizer is None else optimizer
    (group,) = optimizer.param_groups
    for epoch in range(schedule.epochs):
        group["lr"], group["weight_decay"], batch = schedule.at(epoch)
        loss = train_epoch(model, optimizer, Batches(X, y, batch), log_loss, shrinker)
        if shrinker is not None:
            shrinker.end_epoch()
        if watch is not None:
            watch(model.train(False))
    return model.train(False), loss


def masked(plain, X):
    """The network with masks, also in front of its columns."""
    return add_switches(plain, X[:2], gate=Mask, inputs=True)


def number_units(bias, optimizer):
    """Let the optimiser hold the number of each unit, as its states are cut along.

    It takes states of other names once it has made its own, in the first step. Units may leave
    right after that.
    """

    def number(optimizer, arguments, options):
        optimizer.state[bias]["unit"] = torch.arange(len(bias)).float()
        handle.remove()

    handle = optimizer.register_step_post_hook(number)


class Pruned:
    """A network whose connections are pruned, with what it was at first.

    Parameters
    ----------
    plain : nn.Module
        A network with one hidden layer.
    schedule : Schedule
    connections : ConnectionAnnealing
    X, y : Tensor
    watch : callable, default=None
        As in `train`.

    Attributes
    ----------
    model : nn.Module
        With masks.
    columns, units : Tensor of int
        Columns of the input and hidden units that are left.
    initial : dict of str to Tensor
        The state of the network at first.
    """

    def __init__(self, plain, schedule, connections, X, y, watch=None):
        self.initial = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
        self.model = masked(plain, X)
        optimizer = adam(self.model, schedule)
        shrinker = Shrinker(
            self.model, optimizer, example_inputs=X[:2], alpha=0, max_epochs=schedule.epochs,
            connections=connections,
        )  # fmt: skip
        number_units(self.model[0].bias, optimizer)
        train(self.model, schedule, X, y, shrinker, watch, optimizer)
        self.columns = self.model[0].input_gate.kept
        self.units = optimizer.state[self.model[0].bias]["unit"].long()

    def plain(self):
        """The network without masks, for the columns that are left."""
        model = perceptron((len(self.columns), len(self.units), 1))
        state = {name: t for name, t in self.model.state_dict().items() if "gate" not in name}
        model.load_state_dict(state)
        return model

    def restarted(self, from_initial):
        """What is left of the network, with its initial or with new random weights."""
        model = perceptron((len(self.columns), len(self.units), 1))
        if from_initial:
            of = self.initial
            state = {"0.weight": of["0.weight"][self.units][:, self.columns]}
            state |= {"0.bias": of["0.bias"][self.units], "2.bias": of["2.bias"]}
            model.load_state_dict({**state, "2.weight": of["2.weight"][:, self.units]})
        for i in (0, 2):
            mask = (self.model[i].weight.detach() != 0).float()
            model[i].weight.data *= mask
            # Adam does not move a weight of 0 whose gradients are 0.
            model[i].weight.register_hook(lambda gradient, mask=mask: gradient * mask)
        return model


def hidden_pruning(n_left, normalize=True):
    """Only the connections of the hidden units to the output."""
    return ConnectionAnnealing({"2": n_left}, mu=0, normalize=normalize)


def both_prunings(k, n_left, pretrain=0):
    """Then the connections of the input to the hidden units, too."""
    connections = {"2": n_left, "0": round(KEPT * k * n_left)}
    return ConnectionAnnealing(connections, mu=0, pretrain=pretrain)


def pruned_hidden(recipe, p, X, y):
    """A network whose hidden connections are pruned."""
    plain = perceptron((p, recipe.n_hidden, 1))
    return Pruned(plain, recipe.hidden, hidden_pruning(recipe.n_left), X, y)


def pruned_in_order(recipe, k, p, X, y, watch=None):
    """A network on all columns, whose hidden connections are pruned and then those of the input."""
    connections = both_prunings(k, recipe.n_left, recipe.pretrain)
    return Pruned(perceptron((p, recipe.n_hidden, 1)), recipe.order, connections, X, y, watch)


def pruned_all(recipe, k, X, y, watch=None):
    """A network on k columns whose connections are all pruned."""
    plain = perceptron((X.shape[1], recipe.n_all, 1))
    plain[0].weight.data *= recipe.first_scale
    return Pruned(plain, recipe.pruning, both_prunings(k, recipe.n_all_left), X, y, watch)


@dataclass
class Choice:
    """k columns that a network keeps, its training loss in the last epoch, and its course."""

    columns: torch.Tensor
    loss: float
    course: list


def choose(recipe, k, train_rows, scored=None):
    """A `Choice`; `scored` makes an entry of its course after each epoch, of the model."""
    X, y = train_rows
    model = masked(perceptron((X.shape[1], recipe.n_choosing, 1)), X)
    schedule, course = recipe.choice, []
    optimizer = adam(model, schedule)
    # Annealing is at its end after half of the epochs that it is told.
    n_last = round(schedule.first * schedule.epochs)
    n_told = recipe.columns_from + 2 * (n_last - recipe.columns_from)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0, max_epochs=n_told, when="epoch",
        removal={"input": Annealing(k, 0, recipe.columns_from)},
    )  # fmt: skip
    watch = None if scored is None else lambda model: course.append(scored(model))
    model, loss = train(model, schedule, X, y, shrinker, watch, optimizer)
    return Choice(model[0].input_gate.kept, loss, course)


def best_choice(recipe, k, train_rows, scored=None):
    """The first choice with a low training loss, or the one with the lowest."""
    found = []
    for _ in range(recipe.most_choices):
        found.append(choose(recipe, k, train_rows, scored))
        if found[-1].loss < HIGH:
            break
    return min(found, key=lambda choice: choice.loss)


@torch.no_grad()
def scores(model, columns, k, train_rows, test_rows):
    """The results of a network that is given some columns; AUCs in %."""
    found = {}
    for name, (X, y) in (("train", train_rows), ("test", test_rows)):
        given = X if len(columns) == X.shape[1] else X[:, columns]
        found[f"{name}_loss"] = float(log_loss(model, (given, y)))
        found[f"{name}_auc"] = 100 * float(roc_auc_score(y, model(given).squeeze(1)))
    found = {name: float(f"{value:.6g}") for name, value in found.items()}
    weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    n_weights = sum(int((weight != 0).sum()) for weight in weights)
    return {
        **{**found, "n_weights": n_weights},
        **{"n_columns": len(columns), "n_wrong": int((columns >= k).sum())},
    }


def of_plain(cell, recipe, rows):
    """A plain network of a number of units and a weight decay."""
    torch.manual_seed(cell["seed"])
    X, y = rows[0]
    schedule = replace(recipe.plain, decay=cell["decay"])
    model, _ = train(perceptron((cell["p"], cell["units"], 1)), schedule, X, y)
    return scores(model, torch.arange(cell["p"]), cell["k"], *rows)


def of_retrained(pruned, columns, recipe, k, rows):
    """The pruned network on the given columns, then retrained from both kinds of weights."""
    left = columns[pruned.columns]
    found = [scores(pruned.plain(), left, k, *rows)]
    X, y = rows[0]
    given = X[:, left].contiguous()
    for from_initial in (False, True):
        model, _ = train(pruned.restarted(from_initial), recipe.retrained, given, y)
        found.append(scores(model, left, k, *rows))
    return found


def of_table(cells):
    """A draw of table 1."""
    k, p, seed = (cells[0][name] for name in ("k", "p", "seed"))
    recipe, rows = RECIPES[k], xor(k, p, cells[0]["n"], seed)
    X, y = rows[0]
    found = [of_plain(cell, recipe, rows) for cell in cells if cell["method"] == PLAIN]
    torch.manual_seed(seed)
    pruned = pruned_hidden(recipe, p, X, y)
    found += of_retrained(pruned, torch.arange(p), recipe, k, rows)
    torch.manual_seed(seed)
    columns = best_choice(recipe, k, rows[0]).columns
    given = X[:, columns].contiguous()
    pruned = pruned_all(recipe, k, given, y)
    refitted = perceptron((k, recipe.n_refit, recipe.n_refit, 1), nn.Tanh)
    refitted, _ = train(refitted, recipe.refit, given, y)
    found += of_retrained(pruned, columns, recipe, k, rows)
    return [*found, scores(refitted, columns, k, *rows)]


def of_normalisation(cells):
    """A plain network and two pruned ones, from the same start."""
    found = []
    for cell in cells:
        recipe = RECIPES[cell["k"]]
        rows = xor(cell["k"], cell["p"], cell["n"], cell["seed"])
        X, y = rows[0]
        torch.manual_seed(cell["seed"])
        model = perceptron((cell["p"], cell["units"], 1))
        schedule, left = replace(recipe.compared, decay=cell["decay"]), torch.arange(cell["p"])
        if cell["method"] == PLAIN:
            model, _ = train(model, schedule, X, y)
        else:
            connections = hidden_pruning(cell["n_left"], cell["method"] == CPNA)
            pruned = Pruned(model, schedule, connections, X, y)
            model, left = pruned.plain(), pruned.columns
        found.append(scores(model, left, cell["k"], *rows))
    return found


def of_course(cells):
    """A training, by epochs."""
    k, p, seed = (cells[0][name] for name in ("k", "p", "seed"))
    recipe, rows = RECIPES[k], xor(k, p, cells[0]["n"], seed)
    X, y = rows[0]
    all_columns = torch.arange(p)
    torch.manual_seed(seed)
    course: list = []

    def scored(model):
        return with_left(model, scores(model, all_columns, k, *rows), k)

    if cells[0]["method"] == PAPERS_ORDER:
        pruned_in_order(recipe, k, p, X, y, lambda model: course.append(scored(model)))
    else:
        choice = best_choice(recipe, k, rows[0], scored)
        course += choice.course
        given = X[:, choice.columns].contiguous()

        def watch(model):
            course.append(scores(model, choice.columns, k, *rows))

        pruned_all(recipe, k, given, y, watch)
    return [course[cell["epoch"] - 1] for cell in cells]


def with_left(model, found, k):
    """The results with the columns that the network has left."""
    kept = model[0].input_gate.kept
    if kept is None:
        return found
    return {**found, "n_columns": len(kept), "n_wrong": int((kept >= k).sum())}


MEASURED = {TABLE: of_table, NORMALISATION: of_normalisation, COURSE: of_course}


def measured(cells):
    """The results of a job."""
    return MEASURED[cells[0]["figure"]](cells)
