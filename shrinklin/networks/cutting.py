"""Cuts units out of a model, of its optimiser, and of copies of the model.

Everything is made ready first and put in place after that, so that a failure leaves all as it was.
A cut parameter is a new `Parameter`: the old one may still be needed to go back through an earlier
loss.
"""

from torch import nn

from shrinklin.networks.optimizer_state import smaller_state, taken

# The attributes that hold sizes: the tensor and the dimension that each is the size of.
SIZES = {
    nn.Linear: {"out_features": ("weight", 0), "in_features": ("weight", 1)},
    nn.Embedding: {"embedding_dim": ("weight", 1)},
    nn.PReLU: {"num_parameters": ("weight", 0)},
}
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORM_MODULES: tuple = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
NORM_MODULES += (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


def sizes_of(module):
    """The sizes that a module of torch should state, from its tensors."""
    for kind, attributes in SIZES.items():
        if isinstance(module, kind):
            return {name: getattr(module, t).shape[dim] for name, (t, dim) in attributes.items()}
    if isinstance(module, CONVOLUTIONS):
        out, each = module.weight.shape[:2]
        groups = out if 1 < module.groups == module.in_channels else module.groups
        return {"out_channels": out, "in_channels": each * groups, "groups": groups}
    if isinstance(module, TRANSPOSED):
        return dict(zip(("in_channels", "out_channels"), module.weight.shape[:2], strict=True))
    if isinstance(module, NORM_MODULES):
        tensors = [t for t in (module.weight, module.running_mean) if t is not None]
        return {"num_features": len(tensors[0])} if tensors else {}
    return {}


class Changes:
    """Assignments that can be taken back.

    A target is an object, whose attribute is assigned, or a dict.
    """

    def __init__(self):
        self._before = []

    def assign(self, target, name, value):
        """target.name = value, or target[name] = value."""
        if isinstance(target, dict):
            self._before.append((target, name, target[name]))
            target[name] = value
        else:
            self._before.append((target, name, getattr(target, name)))
            setattr(target, name, value)

    def undo(self):
        """Take all of them back."""
        for target, name, value in reversed(self._before):
            if isinstance(target, dict):
                target[name] = value
            else:
                setattr(target, name, value)
        self._before = []


def cut(model, left, folds=(), optimizers=(), copies=()):
    """Cut units out of a model.

    Parameters
    ----------
    model : nn.Module
    left : dict of str to dict of int to Tensor
        For parameters and buffers by name: the positions that are left along dimensions.
    folds : list of (Leaf, Leaf, int, Tensor)
        As in `Removable`.
    optimizers : sequence of torch.optim.Optimizer
        Of the model.
    copies : sequence of nn.Module
        Models with the same names.

    Returns
    -------
    Changes
        Whose `undo` takes it back.
    """
    new = {
        name: _smaller(_tensor(model, name), dims, _added(name, folds))
        for name, dims in left.items()
    }
    for bias, *_ in folds:
        new.setdefault(bias.name, _smaller(bias.tensor, {}, _added(bias.name, folds)))
    of_copies = [
        {name: _smaller(_tensor(c, name), dims) for name, dims in left.items()} for c in copies
    ]
    replaced = {_tensor(model, name): (tensor, left.get(name, {})) for name, tensor in new.items()}
    states = [smaller_state(optimizer, replaced) for optimizer in optimizers]
    changes = Changes()
    try:
        for each, tensors in zip((model, *copies), (new, *of_copies), strict=True):
            put(changes, each, tensors)
        for optimizer, state in zip(optimizers, states, strict=True):
            _put_into_optimizer(changes, optimizer, state, replaced)
    except BaseException:
        changes.undo()
        raise
    return changes


def _tensor(model, name):
    """A parameter or buffer by its name."""
    path, _, attribute = name.rpartition(".")
    return getattr(model.get_submodule(path), attribute)


def _added(name, folds):
    """What is added to a bias: None, or its entries."""
    added = None
    for bias, weight, dim, constants in folds:
        if bias.name == name:
            matrix = weight.tensor.detach().double().cpu().movedim(dim, -1)
            product = matrix @ constants.double()
            product = product.reshape(len(product), -1).sum(dim=1)
            added = product if added is None else added + product
    return added


def _smaller(tensor, dims, added=None):
    """A tensor without some of its entries; a parameter keeps gradient and `requires_grad`."""
    values = tensor.detach()
    if added is not None:
        values = values + added.to(values)
    values = taken(values, dims)
    if not isinstance(tensor, nn.Parameter):
        return values
    parameter = nn.Parameter(values, requires_grad=tensor.requires_grad)
    # Marks that others have put on it.
    vars(parameter).update(vars(tensor))
    if tensor.grad is not None:
        parameter.grad = taken(tensor.grad, dims)
    return parameter


def put(changes, model, tensors):
    """Put new tensors in place, under all names of the old ones, and the new sizes."""
    old = {id(_tensor(model, name)): tensor for name, tensor in tensors.items()}
    for module in model.modules():
        mine = [*module.named_parameters(recurse=False, remove_duplicate=False)]
        mine += [*module.named_buffers(recurse=False, remove_duplicate=False)]
        mine = [(name, old[id(tensor)]) for name, tensor in mine if id(tensor) in old]
        for name, tensor in mine:
            changes.assign(module, name, tensor)
        for name, size in sizes_of(module).items() if mine else ():
            changes.assign(module, name, size)


def _put_into_optimizer(changes, optimizer, state, replaced):
    for group in optimizer.param_groups:
        if any(p in replaced for p in group["params"]):
            new = [replaced[p][0] if p in replaced else p for p in group["params"]]
            changes.assign(group, "params", new)
    changes.assign(optimizer, "state", state)
