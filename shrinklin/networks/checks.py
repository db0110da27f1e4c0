"""Checks of what a `Shrinker` is given."""

import torch
from torch import nn

from shrinklin.networks.gates import gates_of, layer_name
from shrinklin.networks.optimizer_state import check_optimizer
from shrinklin.pruning.connections import ConnectionAnnealing
from shrinklin.pruning.pruner import Pruner
from shrinklin.pruning.removal import Removal
from shrinklin.validation.parameters import check_real, check_whole

# Older versions of torch have no Muon.
MIXING = (torch.optim.LBFGS, *([torch.optim.Muon] if hasattr(torch.optim, "Muon") else []))


def check_numbers(alpha, weight_decay, p, groups, max_epochs, when):
    """Raise an error unless the parameters of a `Shrinker` make sense."""
    check_real("alpha", alpha, 0)
    check_real("weight_decay", weight_decay, 0)
    check_real("p", p, 0, open_end=True)
    if max_epochs is not None:
        check_whole("max_epochs", max_epochs, 1)
    for name, value, accepted in (
        ("groups", groups, ("rows", "columns")),
        ("when", when, ("step", "epoch")),
    ):
        if value not in accepted:
            raise ValueError(f'{name}={value!r}: give "{accepted[0]}" or "{accepted[1]}".')


def check_model(model):
    """Raise an error unless it is a model with gates, which can be cut."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is of type {type(model).__name__}: give a torch.nn.Module.")
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        raise ValueError(
            f"model is a {type(model).__name__}, which keeps the first parameters: train on "
            "one device."
        )
    if "_orig_mod" in dict(model.named_children()):
        raise ValueError("model was compiled: give the model that torch.compile was given.")
    for name, module in model.named_modules():
        if "_orig_mod" in dict(module.named_children()):
            raise ValueError(
                f'model has a part that was compiled, "{name}": compile the whole model, or the '
                "part in place by its method compile()."
            )
    if not gates_of(model):
        raise ValueError(
            "the model has no switches: call add_switches(model, example_inputs) before the "
            "optimiser is made, or place Switch, Filter or Mask by hand."
        )


def check_copies(copies, model):
    """Raise an error unless the copies have the parameters of the model."""
    if isinstance(copies, nn.Module):
        raise TypeError(
            f"averaged is of type {type(copies).__name__}: give a list of models, such as "
            "[average.module]."
        )
    own = {name: parameter.shape for name, parameter in model.named_parameters()}
    for each in copies:
        if not isinstance(each, nn.Module) or own != {
            n: p.shape for n, p in each.named_parameters()
        }:
            raise ValueError(
                f"averaged has an object of type {type(each).__name__} whose parameters are not "
                "those of the model: give copies of the model, such as the attribute module of an "
                "AveragedModel that was made after add_switches."
            )


def check_optimizers(optimizer, model):
    """The optimisers as a list; raises an error if they do not fit the model."""
    optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
    for each in optimizers:
        if not isinstance(each, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer is of type {type(each).__name__}: give a torch.optim.Optimizer, or "
                "a list of them."
            )
        if isinstance(each, MIXING):
            raise ValueError(
                f"{type(each).__name__} mixes the entries of a parameter, so that a step depends "
                "on units that are off: use SGD, Adam, AdamW, Adagrad or RMSprop."
            )
        check_optimizer(each)
    trained = {
        id(p): group for each in optimizers for group in each.param_groups for p in group["params"]
    }
    thetas = {id(gate.theta) for gate in gates_of(model).values() if hasattr(gate, "theta")}
    for name, parameter in model.named_parameters():
        _check_parameter(name, parameter, trained, id(parameter) in thetas)
    return optimizers


def _check_parameter(name, parameter, trained, is_switch):
    if id(parameter) not in trained:
        if parameter.requires_grad:
            raise ValueError(
                f"the optimizer does not train {name} of this model: make it with "
                "model.parameters() after add_switches, give a list if there are several "
                "optimisers, or set requires_grad=False."
            )
    elif is_switch and trained[id(parameter)].get("weight_decay"):
        raise ValueError(
            f"the optimizer has weight_decay={trained[id(parameter)]['weight_decay']} on {name}: a "
            "penalty on the squares of switches keeps them from 0. Give switches a group of their "
            "own with weight_decay=0, or use weight_decay of Shrinker, which is on weights only."
        )


def check_removal(removal, gates):
    """The strategies: (strategy, names of its gates), or an error."""
    if removal is None:
        return []
    if isinstance(removal, Removal):
        strategies = [(removal, list(gates))]
    elif isinstance(removal, dict):
        strategies = _grouped((each, _gate_name(layer, gates)) for layer, each in removal.items())
    else:
        strategies = [(removal, [])]
    for strategy, names in strategies:
        if not isinstance(strategy, Removal):
            raise ValueError(
                f"removal={removal!r}: give None, an instance of shrinklin.Threshold, SignChange, "
                "SignVariance, Annealing or Budget, or of a subclass of shrinklin.Removal, or a "
                "dict of layer to such an instance."
            )
        if strategy.needs_switch and not all(hasattr(gates[name], "theta") for name in names):
            raise ValueError(
                f"removal={strategy!r} follows the signs of switches, but a Mask has none: give "
                "Threshold, Annealing, Budget or None, or use Switch."
            )
    return strategies


def _grouped(pairs):
    """Pairs (strategy, names of gates), those of the same object put together."""
    groups: dict = {}
    for strategy, name in pairs:
        groups.setdefault(id(strategy), (strategy, []))[1].append(name)
    return list(groups.values())


def check_connections(connections, averaged):
    """Raise an error unless it is None or a strategy, without averages of the model."""
    if connections is None:
        return
    if not isinstance(connections, ConnectionAnnealing):
        raise TypeError(
            f"connections={connections!r}: give None or a ConnectionAnnealing. Strategies that "
            "remove units are given as removal."
        )
    if averaged:
        raise ValueError(
            "averaged models keep weights that connections prunes: average after the training with "
            "connections, or give averaged=()."
        )


def check_schedules(strategies, gates, max_epochs):
    """Raise an error unless the strategies fit the number of units and of epochs."""
    for strategy, names in strategies:
        Pruner(strategy, sum(int(gates[name].alive.sum()) for name in names), max_epochs)


def _gate_name(layer, gates):
    names = {layer_name(name): name for name in gates}
    if layer not in names:
        accepted = ", ".join(f'"{name}"' for name in names)
        raise ValueError(
            f"removal has layer {layer!r}, which has no switches: give one of {accepted}."
        )
    return names[layer]
