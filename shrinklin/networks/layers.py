"""How units go through layers: which of a weight's entries make a unit, and which read it."""

import torch

from shrinklin.networks.flow import UNKNOWN, Flow, Made, Read, without_units
from shrinklin.networks.tracing import named, rule

# Names of functions, for those who look for calls of layers.
CONVOLUTIONS = ("conv1d", "conv2d", "conv3d")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
LAYERS = {"linear", "matmul", "mm", *CONVOLUTIONS, *TRANSPOSED}
NORMS = {"batch_norm", "instance_norm"}


def _layer(run, call, given):
    """The weight and the bias of a layer, or None if a weight is no parameter of the model."""
    weight, bias = given["weight"], given.get("bias")
    call.weight = run.leaf(weight)
    call.bias = None if bias is None else run.leaf(bias)
    if call.weight is None or (bias is not None and call.bias is None):
        call.weight, call.reason = None, f"{call.label} has a weight that is computed anew"
        return None
    return call.weight, call.bias


def _read(run, call, flow, dim, weight_dim, exact=True):
    """Note that a weight reads the units along `dim`; False if it cannot be said which."""
    vector = flow.vector(dim)
    if vector is None:
        return False
    labels, constants = vector
    columns = call.weight.vector(weight_dim, run.labels)
    run.labels.join(columns, labels, f"{call.label} reads what has no units, such as the input")
    run.reads.append(Read(call.weight, weight_dim, constants, call.bias, exact))
    return True


def _made(run, call, result, dim, weight_dim):
    """What is known of the output of a layer: its units are along a dimension of the weight."""
    rows = call.weight.vector(weight_dim, run.labels)
    if call.bias is not None:
        run.labels.join(rows, call.bias.vector(0, run.labels), "")
    run.made.append(Made(call.weight, weight_dim, call.bias))
    flow = without_units(result)
    flow.labels = rows.view([-1 if d == dim % result.dim() else 1 for d in range(result.dim())])
    return [flow]


@rule("linear")
def linear(run, call, function, args, kwargs, result):
    """y = x W' + b."""
    given = named(("input", "weight", "bias"), args, kwargs)
    if _layer(run, call, given) is None or not _read(run, call, run.flow(given["input"]), -1, 1):
        return None
    return _made(run, call, result, -1, 0)


@rule("matmul", "mm")
def matmul(run, call, function, args, kwargs, result):
    """y = x W for a matrix W of the model."""
    if len(args) != 2:
        return None
    x, weight = args
    if weight.dim() != 2 or run.leaf(weight) is None or run.leaf(x) is not None:
        return None
    _layer(run, call, {"weight": weight})
    if not _read(run, call, run.flow(x), -1, 0):
        return None
    return _made(run, call, result, -1, 1)


OF_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


@rule(*CONVOLUTIONS)
def convolution(run, call, function, args, kwargs, result):
    """A convolution, with one group or one group for each channel."""
    given = named(OF_CONVOLUTION, args, kwargs)
    if _layer(run, call, given) is None:
        return None
    x, weight = run.flow(given["input"]), call.weight.tensor
    channel = len(x.shape) - weight.dim() + 1
    groups, padding = given.get("groups", 1), given.get("padding", 0)
    exact = padding == "valid" or not any(
        padding if isinstance(padding, (tuple, list)) else (padding,)
    )
    if groups == 1:
        if not _read(run, call, x, channel, 1, exact):
            return None
        return _made(run, call, result, channel, 0)
    if groups == len(weight) == x.shape[channel]:
        return _depthwise(run, call, x, channel, result)
    call.reason = f"{call.label} has groups of several channels"
    return None


def _depthwise(run, call, x, channel, result):
    """A filter for each channel: the units go through."""
    vector = x.vector(channel)
    if vector is None:
        return None
    labels, constants = vector
    rows, bias = call.weight.vector(0, run.labels), call.bias
    run.labels.join(rows, labels, f"{call.label} filters what has no units, such as the input")
    added = torch.zeros(len(labels), dtype=torch.float64)
    if bias is not None:
        run.labels.join(rows, bias.vector(0, run.labels), "")
        added = bias.tensor.detach().double().cpu()
    constants = torch.where(constants == 0, added, UNKNOWN)
    shape = [-1 if d == channel else 1 for d in range(result.dim())]
    return [Flow(tuple(result.shape), rows.view(shape), constants.view(shape))]


OF_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups")


@rule(*TRANSPOSED)
def transposed_convolution(run, call, function, args, kwargs, result):
    """A transposed convolution; a constant input gives no constant near the border."""
    given = named(OF_TRANSPOSED, args, kwargs)
    if given.get("groups", 1) != 1 or _layer(run, call, given) is None:
        return None
    x = run.flow(given["input"])
    channel = len(x.shape) - call.weight.tensor.dim() + 1
    if not _read(run, call, x, channel, 0, exact=False):
        return None
    return _made(run, call, result, channel, 1)


OF_EMBEDDING = ("input", "weight", "padding_idx", "max_norm", "norm_type", "scale_grad", "sparse")


@rule("embedding")
def embedding(run, call, function, args, kwargs, result):
    """The columns of the table are units."""
    given = named(OF_EMBEDDING, args, kwargs)
    if given.get("max_norm") is not None or given.get("sparse"):
        return None
    if _layer(run, call, {"weight": given["weight"]}) is None:
        return None
    return _made(run, call, result, -1, 1)


OF_NORM = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")


@rule(*NORMS)
def norm(run, call, function, args, kwargs, result):
    """Each unit on its own."""
    given = named(OF_NORM, args, kwargs)
    flow = run.flow(given["input"])
    leaves = {name: given.get(name) for name in OF_NORM[1:5] if given.get(name) is not None}
    if not leaves or any(run.leaf(t) is None for t in leaves.values()) or flow.vector(1) is None:
        return None
    labels, constants = flow.vector(1)
    for tensor in leaves.values():
        reason = f"{call.label} normalises what has no units, such as the input"
        run.labels.join(run.leaf(tensor).vector(0, run.labels), labels, reason)
    call.weight = run.leaf(leaves["weight"]) if "weight" in leaves else None
    call.bias = run.leaf(leaves["bias"]) if "bias" in leaves else None
    call.mean = run.leaf(leaves["running_mean"]) if "running_mean" in leaves else None
    constants = _normalised(constants, given)
    shape = [1, -1] + [1] * (result.dim() - 2)
    return [Flow(tuple(result.shape), labels.view(shape), constants.view(shape))]


def _normalised(constants, given):
    """What BatchNorm makes of constants."""

    def entries(name, otherwise):
        tensor = given.get(name)
        return otherwise if tensor is None else tensor.detach().double().cpu()

    scaled = torch.zeros_like(constants)
    from_input = given.get("training", given.get("use_input_stats"))
    if not from_input and given.get("running_mean") is not None:
        root = (entries("running_var", 1.0) + given.get("eps", 1e-5)) ** 0.5
        scaled = (constants - entries("running_mean", 0.0)) / root * entries("weight", 1.0)
    return torch.where(constants.isnan(), UNKNOWN, scaled + entries("bias", 0.0))
