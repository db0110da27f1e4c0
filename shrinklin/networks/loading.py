"""Loads the state of a shrunk network into a full one: `load_shrunk`."""

import torch
from torch import nn

from shrinklin.networks.cutting import Changes, put
from shrinklin.networks.gates import Columns, first_module, gates_of, put_in_front, take_away


def load_shrunk(model, state_dict):
    """Shrink the layers of a new model to the sizes in a state, and load the state.

    Call it before you make the optimiser and the `Shrinker`: layers that shrink get new parameters.

    Parameters
    ----------
    model : nn.Module
        As it was made before training. If the state is of a model with switches, it needs
        `add_switches`; if the state is of a folded one, it does not.
    state_dict : dict of str to Tensor
        The state of a shrunk model, folded or not.

    Returns
    -------
    nn.Module
        The same model, changed in place.

    Raises
    ------
    ValueError
        If the state is of another model. The model is not changed then.

    Examples
    --------
    >>> import torch
    >>> from shrinklin.networks import load_shrunk
    >>> def net(n_hidden):
    ...     return torch.nn.Sequential(torch.nn.Linear(8, n_hidden), torch.nn.Linear(n_hidden, 2))
    >>> load_shrunk(net(64), net(5).state_dict())
    Sequential(
      (0): Linear(in_features=8, out_features=5, bias=True)
      (1): Linear(in_features=5, out_features=2, bias=True)
    )
    """
    gates, front = gates_of(model), _front(model)
    folded = [name for name in gates if f"{name}.alive" not in state_dict]
    chosen = {f"{name}.kept" for name in gates} | {front}
    own = model.state_dict(keep_vars=True)
    own = {n: t for n, t in own.items() if n not in chosen and not _in(n, folded)}
    new_columns = front in state_dict and not hasattr(first_module(model), "input_gate")
    _check_names(own, {n for n in state_dict if n not in chosen})
    for name, gate in gates.items():
        _check_columns(name, gate, state_dict)
    smaller = {name: _resized(name, t, state_dict[name]) for name, t in own.items()}
    changes = Changes()
    try:
        put(changes, model, {name: t for name, t in smaller.items() if t is not None})
        for name, gate in gates.items():
            if f"{name}.kept" in state_dict:
                changes.assign(gate, "kept", state_dict[f"{name}.kept"].to(gate.alive.device))
        # Not strict, as folded gates are still there.
        model.load_state_dict(state_dict, strict=False)
    except BaseException:
        changes.undo()
        raise
    for name in folded:
        take_away(model, name)
    if new_columns:
        put_in_front(model, Columns(state_dict[front].to(next(model.parameters()).device)))
    return model


def _front(model):
    """The name of the columns that a model takes of its input, if it takes some."""
    first = first_module(model)
    (path,) = [name for name, module in model.named_modules() if module is first]
    return f"{path}.input_gate.kept".lstrip(".")


def _in(name, modules):
    return any(name.startswith(f"{module}.") for module in modules)


def _check_names(own, given):
    missing, unknown = sorted(set(own) - given), sorted(given - set(own))
    parts = [("lacks", missing), ("has", unknown)]
    found = " and ".join(f"it {verb} {', '.join(names[:3])}" for verb, names in parts if names)
    if found:
        raise ValueError(
            f"state_dict is of another model: {found}. A model with switches needs add_switches "
            "before, a folded one does not."
        )


def _check_columns(name, gate, state):
    """Raise an error unless a gate in front of the input can take the columns of the state."""
    kept = state.get(f"{name}.kept")
    if kept is None:
        return
    n_units = len(state[f"{name}.alive"]) if f"{name}.alive" in state else len(kept)
    if len(kept) != n_units or (gate.kept is None and not bool((kept < len(gate)).all())):
        raise ValueError(
            f"state_dict has {name}.kept={kept.tolist()}, the columns of the input that are left: "
            f"the model has {len(gate)}, and {n_units} units are left."
        )


def _resized(name, tensor, loaded):
    """An empty tensor of the loaded shape, None if it has that shape already."""
    if not isinstance(tensor, torch.Tensor):
        # The state that a module adds to that of its tensors.
        return None
    if not isinstance(loaded, torch.Tensor):
        raise ValueError(
            f"state_dict has {name} of type {type(loaded).__name__}: it should be a tensor."
        )
    if tensor.shape == loaded.shape:
        return None
    if tensor.dim() != loaded.dim() or any(
        a < b for a, b in zip(tensor.shape, loaded.shape, strict=True)
    ):
        raise ValueError(
            f"state_dict has {name} of shape {tuple(loaded.shape)}, the model of shape "
            f"{tuple(tensor.shape)}: it should be no larger than in the full model."
        )
    values = torch.empty(loaded.shape, dtype=tensor.dtype, device=tensor.device)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(values, requires_grad=tensor.requires_grad)
    return values
