"""The state of an optimiser, when entries of its parameters leave or are switched off."""

from copy import copy

import torch

from shrinklin.networks.inputs import tensors_in


def smaller_state(optimizer, replaced):
    """The state of an optimiser for smaller parameters.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    replaced : dict of Tensor to (Tensor, dict of int to Tensor)
        For each parameter: the new one, and the positions that are left along dimensions.

    Returns
    -------
    dict
        As `optimizer.state`.

    Raises
    ------
    ValueError
        If a tensor of the state has another shape than its parameter.
    """
    states = copy(optimizer.state)
    states.clear()
    for parameter, state in optimizer.state.items():
        if parameter not in replaced:
            states[parameter] = state
            continue
        check_state(optimizer, parameter, state)
        new, dims = replaced[parameter]
        states[new] = {name: _smaller(value, parameter, dims) for name, value in state.items()}
    return states


def _smaller(value, parameter, dims):
    if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
        return value
    return taken(value, dims)


def taken(values, dims):
    """Entries at these positions along dimensions."""
    for dim, positions in dims.items():
        values = values.index_select(dim, positions.to(values.device))
    return values


def check_state(optimizer, parameter, state):
    """Raise an error unless the state has the shape of the parameter."""
    for name, value in state.items():
        fits = isinstance(value, torch.Tensor) and (
            value.shape == parameter.shape or value.numel() == 1
        )
        if not fits and list(tensors_in(value)):
            shape = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ValueError(
                f"{type(optimizer).__name__} keeps state[{name!r}] of shape {shape} for a "
                f"parameter of shape {tuple(parameter.shape)}, and it is not known which of it "
                "belongs to which unit: use an optimiser whose state has the shape of the "
                "parameters, such as SGD, Adam, AdamW, Adagrad or RMSprop."
            )


def check_optimizer(optimizer):
    """Raise an error if an optimiser of this kind keeps a state that cannot be cut.

    It is tried on a small parameter, if its class takes its own defaults.
    """
    parameter = torch.nn.Parameter(torch.ones(4, 3))
    parameter.grad = torch.ones(4, 3)
    try:
        twin = type(optimizer)([parameter], **optimizer.defaults)
        twin.step(lambda: torch.ones(()))
    except (TypeError, ValueError, RuntimeError):
        return
    for state in twin.state.values():
        check_state(optimizer, parameter, state)


def forget(optimizer, parameter, places):
    """Set the state of entries of a parameter to 0, at these positions."""
    for value in optimizer.state.get(parameter, {}).values():
        if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
            value[places] = 0
