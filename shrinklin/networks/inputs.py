"""The example inputs of a model, and the tensors inside any structure."""

from copy import copy
from dataclasses import fields, is_dataclass

import torch
from torch import nn


class Inputs:
    """Arguments for a model.

    Parameters
    ----------
    example_inputs : Tensor, tuple or dict
        One positional argument, several of them, or keyword arguments.
    """

    def __init__(self, example_inputs):
        if isinstance(example_inputs, torch.Tensor):
            example_inputs = (example_inputs,)
        if isinstance(example_inputs, dict):
            self.args, self.kwargs = (), dict(example_inputs)
        elif isinstance(example_inputs, (tuple, list)):
            self.args, self.kwargs = tuple(example_inputs), {}
        else:
            raise TypeError(
                f"example_inputs is of type {type(example_inputs).__name__}: give a tensor, a "
                "tuple of positional arguments or a dict of keyword arguments."
            )
        if not list(self.tensors()):
            raise ValueError("example_inputs has no tensor: give what the model is called with.")

    def tensors(self):
        """All tensors among them."""
        return tensors_in((self.args, self.kwargs))

    def copy(self):
        """The same with copies of the tensors, for a model that writes into its input."""
        given = {id(tensor): tensor.clone() for tensor in self.tensors()}
        new = copy(self)
        new.args, new.kwargs = replaced(self.args, given), replaced(self.kwargs, given)
        return new

    def given_to(self, model):
        """What a model returns for copies of them."""
        mine = self.copy()
        return model(*mine.args, **mine.kwargs)


# What is made of one list; a named tuple takes its fields one by one.
PLAIN = (tuple, list, torch.Size)


def tensors_in(thing):
    """Yield the tensors in nested tuples, lists, dicts and dataclasses, in order."""
    if isinstance(thing, torch.Tensor):
        yield thing
    for part in _parts(thing):
        yield from tensors_in(part)


def n_rows(thing):
    """Size of the first tensor that has dimensions, 1 if there is none."""
    return next((tensor.shape[0] for tensor in tensors_in(thing) if tensor.dim()), 1)


def _parts(thing):
    if isinstance(thing, dict):
        return thing.values()
    if isinstance(thing, (tuple, list)):
        return thing
    if is_dataclass(thing) and not isinstance(thing, type):
        return [getattr(thing, field.name) for field in fields(thing)]
    return ()


def returned_tensors(output):
    """The tensors that a model returned, each once, those that other objects hold among them."""
    found, seen, ahead = [], set(), [output]
    while ahead:
        thing = ahead.pop()
        if id(thing) in seen or isinstance(thing, (type, nn.Module)):
            continue
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            found.append(thing)
        else:
            ahead += [*_parts(thing), *getattr(thing, "__dict__", {}).values()]
    return found


def replaced(thing, given):
    """The same structure with other tensors: `given` by the `id` of the old ones."""
    if isinstance(thing, torch.Tensor):
        return given.get(id(thing), thing)
    if isinstance(thing, dict):
        return {key: replaced(value, given) for key, value in thing.items()}
    if isinstance(thing, (tuple, list)):
        values = [replaced(value, given) for value in thing]
        return type(thing)(values) if type(thing) in PLAIN else type(thing)(*values)
    return thing
