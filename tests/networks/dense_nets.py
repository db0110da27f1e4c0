"""Fully connected nets."""

import math
from collections import OrderedDict
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from net import Net, numbers


def mlp(behind, bias=True):
    """Layers first, second and head; `behind(n)` makes what stands behind n hidden units."""
    layers = OrderedDict(first=nn.Linear(5, 7, bias))
    layers.update({f"behind_first_{i}": module for i, module in enumerate(behind(7))})
    layers["second"] = nn.Linear(7, 6, bias)
    layers.update({f"behind_second_{i}": module for i, module in enumerate(behind(6))})
    layers["head"] = nn.Linear(6, 3, bias)
    return nn.Sequential(layers)


def chain(name, behind, bias=True, **facts):
    if not {"whole", "either"} & set(facts):
        facts["shrinks"] = {"first", "second"}
    return Net(name, partial(mlp, behind, bias), (numbers(6, 5),), outputs={"head"}, **facts)


def of_both(reason):
    return {"first": reason, "second": reason}


BOTH = {"first", "second"}

CHAINS = [
    chain("mlp", lambda n: [nn.ReLU()]),
    chain("mlp_without_bias", lambda n: [nn.ReLU()], bias=False),
    chain("mlp_gelu", lambda n: [nn.GELU()]),
    chain("mlp_tanh", lambda n: [nn.Tanh()]),
    chain("mlp_inplace_relu", lambda n: [nn.ReLU(inplace=True)]),
    chain("mlp_sigmoid", lambda n: [nn.Sigmoid()], folds=True),
    chain("mlp_softplus", lambda n: [nn.Softplus()], folds=True),
    # A reader without a bias has no place for sigmoid(0).
    chain("mlp_sigmoid_without_bias", lambda n: [nn.Sigmoid()], False, whole=of_both("bias")),
    chain("mlp_dropout", lambda n: [nn.ReLU(), nn.Dropout(0.4)], random=True),
    # Dropout makes noise of a constant, unless it is 0.
    chain(
        "mlp_sigmoid_dropout",
        lambda n: [nn.Sigmoid(), nn.Dropout(0.4)],
        whole=of_both("not constant"),
        random=True,
    ),
    # Which does not leave 0 as it is either.
    chain(
        "mlp_alpha_dropout",
        lambda n: [nn.SELU(), nn.AlphaDropout(0.4)],
        whole=of_both("alpha_dropout"),
        random=True,
    ),
    chain("mlp_prelu", lambda n: [nn.PReLU(n)]),
    chain("mlp_prelu_of_one_weight", lambda n: [nn.PReLU()]),
    chain("mlp_batchnorm", lambda n: [nn.BatchNorm1d(n), nn.ReLU()]),
    chain("mlp_batchnorm_without_bias", lambda n: [nn.BatchNorm1d(n), nn.ReLU()], bias=False),
    chain("mlp_batchnorm_plain", lambda n: [nn.BatchNorm1d(n, affine=False), nn.ReLU()]),
    chain(
        "mlp_batchnorm_of_batches",
        lambda n: [nn.BatchNorm1d(n, track_running_stats=False), nn.ReLU()],
    ),
    # What it leaves of a unit that is off differs between training and evaluation.
    chain("mlp_relu_before_batchnorm", lambda n: [nn.ReLU(), nn.BatchNorm1d(n)], either=BOTH),
    chain("mlp_layernorm", lambda n: [nn.LayerNorm(n), nn.ReLU()], whole=of_both("norm")),
    chain("mlp_rmsnorm", lambda n: [nn.RMSNorm(n), nn.ReLU()], whole=of_both("norm|mean")),
    chain("mlp_softmax", lambda n: [nn.Softmax(dim=1)], whole=of_both("softmax")),
]


class Changed(nn.Module):
    """An operation on the 8 units of `first`, of which `second` reads `n_read` columns."""

    def __init__(self, change, n_read):
        super().__init__()
        self.first, self.change = nn.Linear(5, 8), change
        self.second, self.head = nn.Linear(n_read, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.change(self.first(x))
        return self.head(torch.relu(self.second(x)))


class Times(nn.Module):
    """A learnable factor for each unit."""

    def __init__(self, *shape):
        super().__init__()
        self.factor = nn.Parameter(torch.randn(shape))

    def forward(self, x):
        return x * self.factor


class Plus(nn.Module):
    """A learnable shift of each unit."""

    def __init__(self, *shape):
        super().__init__()
        self.shift = nn.Parameter(torch.randn(shape))

    def forward(self, x):
        return x + self.shift


class Standardised(nn.Module):
    """Constants for each unit, in buffers."""

    def __init__(self, n):
        super().__init__()
        self.register_buffer("spread", 1 + torch.rand(n))

    def forward(self, x):
        return x / self.spread


class Prototypes(nn.Module):
    """Distances to points."""

    def __init__(self):
        super().__init__()
        self.points = nn.Parameter(torch.randn(4, 8))

    def forward(self, x):
        return torch.cdist(x, self.points)


class Square(torch.autograd.Function):
    """A gradient written by hand."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


def assigned(x):
    x = x.clone()
    x[:, 1] = 1.0
    return x


def by_numpy(x):
    return torch.from_numpy(abs(x.detach().numpy()))


def by_sign_of_sum(x):
    return x if x.sum() > 0 else -x


def half_gated(x):
    value, gate = x.chunk(2, dim=1)
    return value * torch.sigmoid(gate)


def changed(name, change, whole=None, n_read=8, either=False, **facts):
    """A net of which `second` can shrink, and `first` too unless something else is said of it."""
    return Net(
        name,
        partial(make_changed, change, n_read),
        (numbers(6, 5),),
        shrinks=BOTH if whole is None and not either else {"second"},
        whole={} if whole is None else {"first": whole},
        either={"first"} if either else set(),
        outputs={"head"},
        **facts,
    )


def make_changed(change, n_read):
    """`change` is a function of tensors, or makes a module if it is a class or a partial."""
    return Changed(change() if isinstance(change, type | partial) else change, n_read)


SIZE = "view|shape|size|width|amax"

CHANGED = [
    changed("plus_its_relu", lambda x: x + torch.relu(x)),
    changed("times_its_sigmoid", lambda x: x * torch.sigmoid(x)),
    changed("shifted", lambda x: 2 * x + 1, folds=True),
    changed("exponential", torch.exp, folds=True),
    changed("scaled_by_a_number", lambda x: x / math.sqrt(8)),
    changed("scaled_by_its_width", lambda x: x / math.sqrt(x.shape[-1]), SIZE),
    changed("learned_scale", partial(Times, 8)),
    changed("learned_scale_of_one_number", partial(Times, 1)),
    changed("learned_shift", partial(Plus, 8), folds=True, either=True),
    changed("standardised", partial(Standardised, 8), either=True),
    changed("where", lambda x: torch.where(x > 0, x, 0.1 * x), either=True),
    changed("custom_function", Square.apply, either=True),
    changed("centred_by_batch", lambda x: x - x.mean(0, keepdim=True), either=True),
    changed("unit_length", F.normalize, either=True),
    changed("flipped", lambda x: x.flip(1), either=True),
    changed("repeated", lambda x: x.repeat(1, 2), n_read=16, either=True),
    changed("padded", lambda x: F.pad(x, (1, 1)), n_read=10, either=True),
    changed("softmax", lambda x: x.softmax(1), "softmax"),
    changed("cumulative", lambda x: x.cumsum(1), "cumsum"),
    changed("sorted", lambda x: x.sort(dim=1).values, "sort"),
    changed("fourier", lambda x: torch.fft.fft(x).real, "fft"),
    changed("rolled", lambda x: x.roll(3, 1), "roll"),
    changed("centred_by_units", lambda x: x - x.mean(1, keepdim=True), "mean"),
    changed("under_its_maximum", lambda x: x - x.amax(1, keepdim=True), "max"),
    changed("first_units", lambda x: x[:, :3], "slice|index", n_read=3),
    changed("every_other_unit", lambda x: x[:, ::2], "slice|index", n_read=4),
    changed("picked_units", lambda x: x[:, [4, 1, 6]], "index", n_read=3),
    changed("assigned_unit", assigned, "select|slice|index|assign|fill|copy"),
    changed("gated_by_chunk", half_gated, "chunk|split|slice", n_read=4),
    changed("gated_linear_unit", F.glu, "glu|split|chunk|slice", n_read=4),
    changed("maxout", lambda x: x.view(-1, 4, 2).amax(2), SIZE, n_read=4),
    changed("view_of_fixed_width", lambda x: x.view(-1, 8), SIZE),
    changed("view_in_halves", lambda x: x.view(-1, 2, 4).flatten(1), SIZE),
    changed("prototypes", Prototypes, "cdist", n_read=4),
    changed("scaled_by_an_item", lambda x: x * x.max().item(), "", refused=""),
    changed("by_numpy", by_numpy, "", refused=""),
]


class Branching(nn.Module):
    """Which layer runs depends on the data."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 7), nn.Linear(5, 7)
        self.head = nn.Linear(7, 3)

    def forward(self, x):
        hidden = self.first(x)
        hidden = hidden if hidden.sum() > 0 else self.second(x)
        return self.head(torch.relu(hidden))


class Gated(nn.Module):
    """SwiGLU, with a layer named as gates are."""

    def __init__(self, bias=True):
        super().__init__()
        self.gate, self.up = nn.Linear(5, 7, bias), nn.Linear(5, 7, bias)
        self.down, self.head = nn.Linear(7, 6, bias), nn.Linear(6, 3)

    def forward(self, x):
        x = self.down(F.silu(self.gate(x)) * self.up(x))
        return self.head(torch.relu(x))


class Residual(nn.Module):
    """A stream that begins with a layer, or with the input, which is never off."""

    def __init__(self, begins_with_input):
        super().__init__()
        self.begin = nn.Identity() if begins_with_input else nn.Linear(5, 6)
        n = 5 if begins_with_input else 6
        self.inside, self.back = nn.Linear(n, 7), nn.Linear(7, n)
        self.strength = nn.Parameter(torch.ones(1))
        self.head = nn.Linear(n, 3)

    def forward(self, x):
        x = self.begin(x)
        x = x + self.strength * self.back(torch.relu(self.inside(x)))
        return self.head(torch.relu(x))


class Skipping(nn.Module):
    """Input and hidden units side by side; two layers added up to the output."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 7), nn.Linear(12, 6)
        self.deep, self.wide = nn.Linear(6, 3), nn.Linear(7, 3)

    def forward(self, x):
        first = torch.relu(self.first(x))
        second = torch.relu(self.second(torch.cat([x, first], 1)))
        return self.deep(second) + self.wide(first)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(5, 7), nn.Linear(4, 6)
        self.both, self.head = nn.Linear(13, 8), nn.Linear(8, 3)

    def forward(self, x, y):
        both = torch.cat([torch.relu(self.left(x)), torch.tanh(self.right(y))], dim=-1)
        return self.head(torch.relu(self.both(both)))


class Added(nn.Module):
    """Two inputs whose layers share units."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(5, 7), nn.Linear(4, 7)
        self.head = nn.Linear(7, 3)

    def forward(self, x, *, y):
        return self.head(torch.relu(self.left(x) + self.right(y)))


class Heads(nn.Module):
    """Two outputs that read the same units, one of them without a gradient."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.first = kind, nn.Linear(5, 7)
        self.mean, self.scale = nn.Linear(7, 3), nn.Linear(7, 2)

    def forward(self, x):
        x = torch.relu(self.first(x))
        if self.kind is tuple:
            return self.mean(x), F.softplus(self.scale(x.detach()))
        return {"mean": self.mean(x), "all": [F.log_softmax(self.scale(x), dim=1)]}


class Shown(nn.Module):
    """The units of `second` are returned too."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return {"hidden": x, "out": self.head(x)}


class Helped(nn.Module):
    """A head that is there in training mode only."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)
        self.help = nn.Linear(7, 3)

    def forward(self, x):
        first = torch.relu(self.first(x))
        out = self.head(torch.relu(self.second(first)))
        return (out, self.help(first)) if self.training else out


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(5, 6), nn.Linear(6, 3)
        self.one, self.other = nn.Linear(6, 6), nn.Linear(6, 6)
        self.other.weight = self.one.weight

    def forward(self, x):
        x = torch.relu(self.one(torch.relu(self.first(x))))
        return self.head(torch.relu(self.other(x)))


class Twice(nn.Module):
    """One layer in two places."""

    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Linear(5, 6), nn.Linear(6, 6)
        self.last, self.head = nn.Linear(6, 7), nn.Linear(7, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = torch.relu(self.again(torch.relu(self.again(x))))
        return self.head(torch.relu(self.last(x)))


class SharedRelu(nn.Module):
    """A module without parameters in two places, and a layer that is never called."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)
        self.relu, self.spare = nn.ReLU(), nn.Linear(7, 6)

    def forward(self, x):
        return self.head(self.relu(self.second(self.relu(self.first(x)))))


class Products(nn.Module):
    """A bilinear layer."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(5, 7), nn.Linear(4, 6)
        self.product = nn.Bilinear(7, 6, 5)
        self.last, self.head = nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x, y):
        x = self.product(torch.relu(self.left(x)), torch.relu(self.right(y)))
        return self.head(torch.relu(self.last(torch.relu(x))))


class Mixture(nn.Module):
    """Experts weighted by a softmax over them."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(5, 3)
        experts = [nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 4)) for _ in range(3)]
        self.experts = nn.ModuleList(experts)

    def forward(self, x):
        weights = self.router(x).softmax(1)
        outputs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return (weights[:, :, None] * outputs).sum(1)


class Functional(nn.Module):
    """A weight of the model's own, without a module."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 7), nn.Linear(6, 4), nn.Linear(4, 3)
        self.weight = nn.Parameter(torch.randn(6, 7))

    def forward(self, x):
        x = torch.relu(F.linear(torch.relu(self.first(x)), self.weight))
        return self.head(torch.relu(self.second(x)))


def frozen():
    model = mlp(lambda n: [nn.ReLU()])
    model.first.requires_grad_(False)
    return model


def parametrised():
    model = mlp(lambda n: [nn.ReLU()])
    weight_norm(model.second)
    return model


def bottleneck():
    """The only unit of a layer never goes."""
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1), nn.Tanh(), nn.Linear(1, 3))


X, Y = numbers(6, 5), numbers(6, 4, seed=1)

OTHERS = [
    Net("frozen_layer", frozen, (X,), shrinks=BOTH, outputs={"head"}),
    # Its weight is a function of all of its columns.
    Net("weight_norm", parametrised, (X,), whole=of_both("computed|output"), outputs={"head"}),
    Net("bottleneck_of_one", bottleneck, (X,), {"0"}, whole={"2": ""}, outputs={"4"}),
    Net("branching", Branching, (X,), refused="data|value|if|bool|number"),
    Net(
        "gated",
        Gated,
        (X,),
        shrinks={"gate", "up", "down"},
        outputs={"head"},
        joined=({"gate", "up"},),
    ),
    Net(
        "gated_without_bias",
        partial(Gated, False),
        (X,),
        shrinks={"gate", "up", "down"},
        outputs={"head"},
        joined=({"gate", "up"},),
    ),
    Net(
        "residual",
        partial(Residual, False),
        (X,),
        shrinks={"begin", "inside", "back"},
        outputs={"head"},
        joined=({"begin", "back"},),
    ),
    Net(
        "residual_of_the_input",
        partial(Residual, True),
        (X,),
        shrinks={"inside"},
        whole={"back": "input"},
        outputs={"head"},
    ),
    Net("skipping", Skipping, (X,), shrinks=BOTH, outputs={"deep", "wide"}),
    Net("two_inputs", TwoInputs, (X, Y), {"left", "right", "both"}, outputs={"head"}),
    Net(
        "inputs_by_name",
        Added,
        {"x": X, "y": Y},
        shrinks={"left", "right"},
        outputs={"head"},
        joined=({"left", "right"},),
    ),
    Net("two_heads", partial(Heads, tuple), (X,), {"first"}, outputs={"mean", "scale"}),
    Net("dict_of_heads", partial(Heads, dict), (X,), {"first"}, outputs={"mean", "scale"}),
    Net("units_shown", Shown, (X,), {"first"}, outputs={"second", "head"}),
    Net("head_in_training", Helped, (X,), shrinks=BOTH, outputs={"head", "help"}),
    Net(
        "tied_weights",
        Tied,
        (X,),
        whole=dict.fromkeys(("first", "one", "other"), "not constant|output"),
        outputs={"head"},
    ),
    Net(
        "layer_twice",
        Twice,
        (X,),
        shrinks={"last"},
        either={"first", "again"},
        outputs={"head"},
    ),
    Net("shared_relu", SharedRelu, (X,), BOTH, either={"spare"}, outputs={"head"}),
    Net(
        "bilinear",
        Products,
        (X, Y),
        shrinks={"last"},
        whole=dict.fromkeys(("left", "right"), "bilinear|einsum|trilinear"),
        outputs={"head"},
    ),
    Net(
        "mixture",
        Mixture,
        (X,),
        shrinks={"experts.0.0", "experts.1.0", "experts.2.0"},
        whole={"router": "softmax"},
        outputs={"experts.0.2", "experts.1.2", "experts.2.2"},
    ),
    Net("functional", Functional, (X,), {"second"}, either={"first"}, outputs={"head"}),
    Net(
        "without_batch",
        partial(mlp, lambda n: [nn.ReLU()]),
        (numbers(5),),
        either=BOTH,
        outputs={"head"},
        refused="batch|dim",
    ),
]

DENSE = CHAINS + CHANGED + OTHERS
