"""How units go through functions that are no layers.

A rule takes the run, the call and what the function was called with, and returns what is known of
each tensor of the result, or None if it cannot say: then the units stay.
"""

import torch

from shrinklin.networks.flow import UNKNOWN, Flow, compact, without_units
from shrinklin.networks.inputs import replaced, tensors_in
from shrinklin.networks.tracing import named, rule

# Each entry of the result depends on the entries at the same place. To find constants of the result
# they are called on float64 constants, so they have to take these, and do nothing besides.
ELEMENTWISE = [
    "add", "sub", "mul", "div", "neg", "positive", "abs", "pow", "float_power", "square", "sqrt",
    "rsqrt", "reciprocal", "exp", "expm1", "log", "log1p", "erf", "sin", "cos", "tanh", "sigmoid",
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "softsign", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "tanhshrink", "clamp",
    "clamp_min", "clamp_max", "maximum", "minimum", "lerp", "addcmul", "addcdiv", "where", "gt",
    "lt", "ge", "le", "eq", "ne", "logical_and", "logical_or", "logical_not", "sign", "floor",
    "ceil", "round", "masked_fill", "isnan", "isfinite", "threshold", "hardshrink", "softshrink",
]  # fmt: skip
CONVERSIONS = [
    "to", "type", "float", "double", "half", "bfloat16", "type_as", "cuda", "cpu", "contiguous",
    "clone", "detach", "requires_grad_", "requires_grad", "alias", "data", "Identity", "identity",
]  # fmt: skip
# The order of units does not change, and all of them go through.
MOVEMENTS = [
    "reshape", "view", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze", "permute",
    "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT", "H", "mH", "expand",
    "expand_as", "view_as", "reshape_as", "broadcast_to", "repeat", "tile", "repeat_interleave",
    "flip",
]  # fmt: skip
# They may take some of the units and leave others.
CHOICES = ["__getitem__", "select", "narrow", "chunk", "split", "unbind", "tensor_split"]
POOLS = {
    f"{name}{n}d": n
    for n in (1, 2, 3)
    for name in ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")
}
# They add up over windows that may reach into a border of zeros, or interpolate.
ZERO_ONLY = {"avg_pool1d", "avg_pool2d", "avg_pool3d", "interpolate", "upsample", "sum"}


@rule(*ELEMENTWISE)
def elementwise(run, call, function, args, kwargs, result):
    """Units at the same place are the same units."""
    if not isinstance(result, torch.Tensor) or "out" in kwargs:
        return None
    flows = [run.flow(t) for t in tensors_in((args, kwargs))]
    labels = _joined(run, call, flows, tuple(result.shape))
    constants = _constants(call.name, function, args, kwargs, run)
    return [Flow(tuple(result.shape), labels, _aligned(constants, result.dim()), True)]


def _aligned(values, n_dims):
    return values.reshape([1] * (n_dims - values.dim()) + list(values.shape))


def _joined(run, call, flows, shape):
    """Join the labels of what was combined; returns those of the result."""
    n_dims = len(shape)
    aligned = [
        Flow(
            (1,) * (n_dims - len(f.shape)) + f.shape,
            _aligned(f.labels, n_dims),
            f.constants,
            f.derived,
        )
        for f in flows
    ]
    main = max(aligned, key=lambda flow: (flow.derived, len(flow.varying), flow.has_units))
    for other in aligned:
        if other is not main:
            _join(run, call, main, other)
    return main.labels


def _join(run, call, main, other):
    """Join the labels of two tensors that were combined.

    Units u of `main` are along one dimension, say the second of (n, c). The other may be:

    - (n, c) or (c,) with units v along the same dimension, or a parameter: u and v are one;
    - (n, 1), such as a mask: nothing follows for u, but if it is a unit itself, it stays;
    - (n, c) or (c,) without units there, such as the input, or with units along another
      dimension: all stay.
    """
    across = f"{call.label} combines its units with those along another dimension"
    spread = [d for d in main.varying if other.shape[d] == 1]
    undivided = [d for d in main.varying if other.shape[d] > 1 and other.labels.shape[d] == 1]
    # Entries of a parameter are of any unit to begin with.
    foreign = set(other.varying) - set(main.varying) if other.derived else set()
    if foreign or (undivided and other.has_units):
        run.stay(main, across)
        run.stay(other, across)
    elif spread:
        # One number for all units, of a layer that has one unit.
        run.stay(other, f"{call.label} spreads it over all units of another layer")
    else:
        reason = f"{call.label} combines its units with a tensor that has none, such as the input"
        run.labels.join(main.labels, other.labels, reason)


def _constants(name, function, args, kwargs, run):
    """Constant entries of the result of a function of entries at the same place."""
    tensors = list(tensors_in((args, kwargs)))
    constants = [run.flow(t).constants for t in tensors]
    spread = torch.broadcast_tensors(*constants)
    known = ~torch.stack([c.isnan() for c in spread]).any(dim=0)
    result = torch.full(spread[0].shape, UNKNOWN, dtype=torch.float64)
    if known.any():
        # Copies, as the function may write into what it is given.
        given = {
            id(t): (c.bool() if t.dtype == torch.bool else c).clone()
            for t, c in zip(tensors, spread, strict=True)
        }
        values = function(*replaced(args, given), **replaced(kwargs, given))
        result[known] = values.double()[known]
    # Whatever the other factor is, or the divisor.
    if name == "mul":
        result[torch.stack([c == 0 for c in spread]).any(dim=0)] = 0.0
    if name == "div" and len(spread) == 2:
        result[(spread[0] == 0) & spread[1].isnan()] = 0.0
    return result


@rule("prelu")
def prelu(run, call, function, args, kwargs, result):
    """One slope for all units, or one for each."""
    given, slopes = named(("input", "weight"), args, kwargs).values()
    flow, slope = run.flow(given), run.flow(slopes)
    if slopes.numel() > 1:
        along = slope.labels.view([1, -1] + [1] * (given.dim() - 2))
        run.labels.join(flow.labels, along, f"{call.label} has slopes without units")
    constants = torch.where(flow.constants >= 0, flow.constants, UNKNOWN)
    return [Flow(tuple(result.shape), flow.labels, constants)]


@rule("dropout", "dropout1d", "dropout2d", "dropout3d")
def dropout(run, call, function, args, kwargs, result):
    """Zeros stay zeros."""
    flow = run.flow(args[0])
    constants = torch.where(flow.constants == 0, 0.0, UNKNOWN)
    return [Flow(tuple(result.shape), flow.labels, constants)]


@rule(*CONVERSIONS)
def conversion(run, call, function, args, kwargs, result):
    """The same entries, but for what is rounded to whole numbers."""
    if not isinstance(result, torch.Tensor):
        # Tensor.type() returns a name.
        return []
    flow = run.flow(args[0])
    constants = flow.constants
    if args[0].is_floating_point() and not result.is_floating_point():
        constants = torch.where(constants == 0, 0.0, UNKNOWN)
    return [Flow(tuple(result.shape), flow.labels, constants)]


@rule(*MOVEMENTS)
def movement(run, call, function, args, kwargs, result):
    """The labels move as the entries do."""
    flow, given = run.flow(args[0]), (*args[1:], *kwargs.values())
    uneven = call.name == "repeat_interleave" and any(isinstance(a, torch.Tensor) for a in given)
    as_bits = any(isinstance(a, torch.dtype) for a in given)
    if not isinstance(result, torch.Tensor) or uneven or as_bits:
        return None
    return [_moved(flow, result, lambda values: function(values, *args[1:], **kwargs))]


def _moved(flow, result, move):
    # Contiguous, as `view` asks for.
    labels, constants = (
        compact(move(values.expand(flow.shape).contiguous()))
        for values in (flow.labels, flow.constants)
    )
    return Flow(tuple(result.shape), labels, constants)


@rule(*CHOICES)
def choice(run, call, function, args, kwargs, result):
    """Parts of a tensor. Positions of units change, so all have to be in every part."""
    flow = run.flow(args[0])
    if call.name == "__getitem__" and not _is_plain(args[1]):
        return None
    outputs = [result] if isinstance(result, torch.Tensor) else list(result)
    flows = [
        _moved(flow, each, lambda values, i=i: _part(function(values, *args[1:], **kwargs), i))
        for i, each in enumerate(outputs)
    ]
    run.choices.append((flow, flows, f"{call.label} takes some of its units by their position"))
    return flows


def _part(moved, i):
    return moved if isinstance(moved, torch.Tensor) else moved[i]


def _is_plain(index):
    index = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, slice)) for i in index)


@rule("index_select")
def index_select(run, call, function, args, kwargs, result):
    """A buffer of positions has an entry for each unit, as in a gate in front of the input."""
    arguments = named(("input", "dim", "index"), args, kwargs)
    given, dim, index = (arguments[name] for name in ("input", "dim", "index"))
    leaf = run.leaf(index)
    if leaf is None:
        return None
    run.stay(run.flow(given), f"{call.label} takes some of its units by their position")
    flow = without_units(result)
    shape = [-1 if d == dim % result.dim() else 1 for d in range(result.dim())]
    flow.labels = leaf.vector(0, run.labels).view(shape)
    return [flow]


@rule("cat", "concat", "concatenate", "stack")
def cat(run, call, function, args, kwargs, result):
    """Units beside one another or, along another dimension, the same units."""
    given = named(("tensors", "dim"), args, kwargs)
    tensors, dim = given["tensors"], given.get("dim", given.get("axis", 0)) % result.dim()
    flows = [run.flow(t) for t in tensors]
    if call.name == "stack":
        flows = [_unsqueezed(flow, dim) for flow in flows]
    labels = _side_by_side([f.labels for f in flows], flows, dim)
    if not any(dim in flow.varying for flow in flows):
        for flow in flows[1:]:
            _join(run, call, flows[0], flow)
        labels = flows[0].labels
    constants = _side_by_side([f.constants for f in flows], flows, dim)
    return [Flow(tuple(result.shape), compact(labels), compact(constants))]


def _unsqueezed(flow, dim):
    labels, constants = (values.unsqueeze(dim) for values in (flow.labels, flow.constants))
    return Flow((*flow.shape[:dim], 1, *flow.shape[dim:]), labels, constants, flow.derived)


def _side_by_side(values, flows, dim):
    """Values of several flows along a dimension."""
    narrow = [[1 if d == dim else n for d, n in enumerate(v.shape)] for v in values]
    rest = torch.broadcast_shapes(*narrow)
    wide = [[f.shape[dim] if d == dim else n for d, n in enumerate(rest)] for f in flows]
    return torch.cat([v.expand(shape) for v, shape in zip(values, wide, strict=True)], dim)


@rule("pad")
def pad(run, call, function, args, kwargs, result):
    """A border along dimensions without units."""
    flow = run.flow(args[0])
    given = named(("input", "pad", "mode", "value"), args, kwargs)
    padded = range(result.dim() - len(given["pad"]) // 2, result.dim())
    if set(flow.varying) & set(padded):
        return None
    constants = _over_places(flow, padded, call.name)
    if given.get("mode", "constant") == "constant":
        constants = torch.where(constants == (given.get("value") or 0.0), constants, UNKNOWN)
    return [Flow(tuple(result.shape), flow.labels, constants)]


@rule(*POOLS, "interpolate", "upsample")
def pool(run, call, function, args, kwargs, result):
    """Windows over places, for each unit on its own."""
    flow = run.flow(args[0])
    n_places = POOLS.get(call.name, len(flow.shape) - 2)
    places = range(len(flow.shape) - n_places, len(flow.shape))
    if not isinstance(result, torch.Tensor) or set(flow.varying) & set(places):
        return None
    constants = _over_places(flow, places, call.name)
    return [Flow(tuple(result.shape), flow.labels, constants)]


def _over_places(flow, places, name):
    """Constants where windows over these dimensions have the same constant everywhere."""
    constants = flow.constants
    if any(constants.shape[d] > 1 for d in places):
        return torch.full([1] * len(flow.shape), UNKNOWN, dtype=torch.float64)
    return torch.where(constants == 0, 0.0, UNKNOWN) if name in ZERO_ONLY else constants


@rule("mean", "sum", "amax", "amin")
def reduction(run, call, function, args, kwargs, result):
    """Over places, not over units."""
    flow = run.flow(args[0])
    n_dims = len(flow.shape)
    dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
    if dim is None or isinstance(dim, torch.dtype):
        return None
    places = [d % n_dims for d in ((dim,) if isinstance(dim, int) else dim)]
    if set(flow.varying) & set(places) or not places:
        return None
    constants = _over_places(flow, places, call.name)
    if result.dim() < n_dims:
        left = [d for d in range(n_dims) if d not in places]
        labels, constants = (
            values.reshape([values.shape[d] for d in left]) for values in (flow.labels, constants)
        )
    else:
        labels = flow.labels
    return [Flow(tuple(result.shape), labels, constants)]


@rule("zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "empty_like")
def like(run, call, function, args, kwargs, result):
    """A tensor of the same form: as many units, whatever they are."""
    flow = run.flow(args[0])
    known = {"zeros_like": 0.0, "ones_like": 1.0}.get(call.name, UNKNOWN)
    return [Flow(tuple(result.shape), flow.labels, torch.full_like(flow.constants, known))]


@rule("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor")
def creation(run, call, function, args, kwargs, result):
    """Only dtype and device are used."""
    return [without_units(result)]
