"""The example inputs of a model, and the tensors inside any structure."""

from dataclasses import fields, is_dataclass

import torch


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


# What is made of one list; a named tuple takes its fields one by one.
PLAIN = (tuple, list, torch.Size)


def tensors_in(thing):
    """Yield the tensors in nested tuples, lists, dicts and dataclasses, in order."""
    if isinstance(thing, torch.Tensor):
        yield thing
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from tensors_in(value)
    elif isinstance(thing, (tuple, list)):
        for value in thing:
            yield from tensors_in(value)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from tensors_in(getattr(thing, field.name))


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
