"""Convolutional blocks, between a stem and a mean over all pixels."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from dense_nets import Times
from net import Net, numbers


def conv_bn(n_in, n_out, kernel=3, **settings):
    conv = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False, **settings)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out))


class Block(nn.Module):
    """A residual block with the activation after the sum."""

    def __init__(self, n_in, n, stride=1, project=False):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n + 1, 3, stride, padding=1, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(n + 1), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(n + 1, n, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n)
        self.shortcut = conv_bn(n_in, n, 1, stride=stride) if project else nn.Identity()

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.relu(out)


class PreactivationBlock(nn.Module):
    """Its batch normalisation reads the stream, which stays as it is."""

    def __init__(self, n, inner):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(n), nn.Conv2d(n, inner, 3, padding=1)
        self.bn2, self.conv2 = nn.BatchNorm2d(inner), nn.Conv2d(inner, n, 3, padding=1)

    def forward(self, x):
        out = self.conv1(F.relu(self.bn1(x)))
        return x + self.conv2(F.relu(self.bn2(out)))


class PaddedBlock(nn.Module):
    """A shortcut without parameters: half the pixels, and channels of zeros."""

    def __init__(self, n_in, n):
        super().__init__()
        self.conv1, self.conv2 = conv_bn(n_in, n + 1, stride=2), conv_bn(n + 1, n)
        self.before = (n - n_in) // 2
        self.after = n - n_in - self.before

    def forward(self, x):
        out = self.conv2(F.relu(self.conv1(x)))
        shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after))
        return F.relu(out + shortcut)


class Pooled(nn.Module):
    """A stem, a body, the mean over all pixels, and a linear layer."""

    def __init__(self, n, body, n_out=None):
        super().__init__()
        self.stem, self.body = conv_bn(3, n), body
        self.head = nn.Linear(n_out or n, 3)

    def forward(self, x):
        x = self.body(F.relu(self.stem(x)))
        return self.head(x.mean((2, 3)))


class DenseBlock(nn.Module):
    """Every layer reads all before it."""

    def __init__(self, n, growth, preactivation=False):
        super().__init__()
        reads = [n + k * growth for k in range(2)]
        make = self.preactivated if preactivation else self.activated
        self.layers = nn.ModuleList(make(n_in, growth) for n_in in reads)

    @staticmethod
    def activated(n_in, n):
        return nn.Sequential(conv_bn(n_in, n), nn.ReLU())

    @staticmethod
    def preactivated(n_in, n):
        conv = nn.Conv2d(n_in, n, 3, padding=1, bias=False)
        return nn.Sequential(nn.BatchNorm2d(n_in), nn.ReLU(), conv)

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


def separable(n, n_out, bias):
    """A depthwise and a pointwise convolution; with biases instead of batch normalisation."""
    depthwise = nn.Conv2d(n, n, 3, padding=1, groups=n, bias=bias)
    pointwise = nn.Conv2d(n, n_out, 1, bias=bias)
    if bias:
        return nn.Sequential(depthwise, nn.ReLU6(), pointwise, nn.ReLU6())
    bn = nn.BatchNorm2d
    layers = [depthwise, bn(n), nn.ReLU6(), pointwise, bn(n_out), nn.ReLU6()]
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    def __init__(self, n, inner):
        super().__init__()
        self.expand, self.project = conv_bn(n, inner, 1), conv_bn(inner, n, 1)
        self.depthwise = conv_bn(inner, inner, groups=inner)

    def forward(self, x):
        inner = F.relu6(self.depthwise(F.relu6(self.expand(x))))
        return x + self.project(inner)


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, n, inner, convolutional):
        super().__init__()
        make = partial(nn.Conv2d, kernel_size=1) if convolutional else nn.Linear
        self.convolutional, self.fc1, self.fc2 = convolutional, make(n, inner), make(inner, n)

    def forward(self, x):
        if self.convolutional:
            squeezed = F.adaptive_avg_pool2d(x, 1)
            return x * torch.sigmoid(self.fc2(F.relu(self.fc1(squeezed))))
        factor = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))
        return x * factor[:, :, None, None]


class SpatialAttention(nn.Module):
    """One channel multiplies all."""

    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(n, 1, 3, padding=1)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(x))


class AttentionByMean(nn.Module):
    """Mean and maximum over channels, as in CBAM."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x):
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.conv(seen))


class ChannelsLast(nn.Module):
    """Linear layers over the channels."""

    def __init__(self, n, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(n, inner), nn.Linear(inner, n)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        return F.gelu(self.fc2(F.gelu(self.fc1(x)))).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, n, inner):
        super().__init__()
        self.depthwise = nn.Conv2d(n, n, 3, padding=1, groups=n)
        self.norm, self.scale = nn.LayerNorm(n), Times(n)
        self.fc1, self.fc2 = nn.Linear(n, inner), nn.Linear(inner, n)

    def forward(self, x):
        inner = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        inner = self.scale(self.fc2(F.gelu(self.fc1(inner))))
        return x + inner.permute(0, 3, 1, 2)


class DropPath(nn.Module):
    """A branch that is left out of some of the images while training."""

    def __init__(self, n):
        super().__init__()
        self.branch = conv_bn(n, n)

    def forward(self, x):
        branch = F.relu(self.branch(x))
        if self.training:
            branch = branch * (torch.rand(len(x), 1, 1, 1, dtype=x.dtype) < 0.5)
        return x + branch


class Views(nn.Module):
    """The number of channels is taken from the shape."""

    def forward(self, x):
        batch, channels, height, width = x.shape
        return x.reshape(batch, channels, height * width).view(batch, channels, height, width)


def series(*layers):
    return nn.Sequential(*layers)


IMAGES = numbers(4, 3, 8, 8)


def pooled(name, n, body, shrinks=(), n_out=None, **facts):
    """Facts of the layers of the body; the stem, "stem.0", shrinks unless they say otherwise."""
    said = {*facts.get("whole", {}), *facts.get("either", ())}
    shrinks = {f"body.{layer}" for layer in shrinks} | ({"stem.0"} - said)
    build = partial(make_pooled, n, body, n_out)
    return Net(name, build, (IMAGES,), shrinks, outputs={"head"}, **facts)


def make_pooled(n, body, n_out):
    return Pooled(n, body(), n_out)


def whole_body(reason, *layers):
    return dict.fromkeys([f"body.{layer}" for layer in layers] + ["stem.0"], reason)


RESIDUALS = [
    pooled(
        "resnet",
        5,
        lambda: series(Block(5, 5), Block(5, 6, stride=2, project=True), Block(6, 6)),
        ["0.conv1", "0.conv2", "1.conv1", "1.conv2", "1.shortcut.0", "2.conv1", "2.conv2"],
        n_out=6,
        joined=(
            {"stem.0", "body.0.conv2"},
            {"body.1.conv2", "body.1.shortcut.0", "body.2.conv2"},
        ),
    ),
    # A unit of the stream that is off is no longer 0 behind bn1.
    pooled(
        "preactivation_resnet",
        5,
        lambda: PreactivationBlock(5, 6),
        ["conv1"],
        either={"stem.0", "body.conv2"},
        joined=({"stem.0", "body.conv2"},),
    ),
    pooled(
        "padded_shortcut",
        4,
        lambda: PaddedBlock(4, 7),
        ["conv1.0"],
        n_out=7,
        either={"stem.0", "body.conv2.0"},
    ),
    pooled("dense_block", 4, lambda: DenseBlock(4, 3), ["layers.0.0.0", "layers.1.0.0"], n_out=10),
    pooled(
        "preactivation_dense_block",
        4,
        lambda: DenseBlock(4, 3, preactivation=True),
        ["layers.1.2"],
        n_out=10,
        either={"stem.0", "body.layers.0.2"},
    ),
    pooled(
        "drop_path",
        5,
        lambda: DropPath(5),
        ["branch.0"],
        joined=({"stem.0", "body.branch.0"},),
        random=True,
    ),
]


SEPARABLES = [
    pooled(
        "separable",
        5,
        lambda: separable(5, 6, bias=False),
        ["0", "3"],
        n_out=6,
        joined=({"stem.0", "body.0"},),
    ),
    pooled(
        "separable_with_bias",
        5,
        lambda: separable(5, 6, bias=True),
        ["0", "2"],
        n_out=6,
        joined=({"stem.0", "body.0"},),
    ),
    pooled(
        "inverted_residual",
        5,
        lambda: InvertedResidual(5, 7),
        ["expand.0", "depthwise.0", "project.0"],
        joined=({"stem.0", "body.project.0"}, {"body.expand.0", "body.depthwise.0"}),
    ),
    pooled(
        "grouped",
        6,
        lambda: conv_bn(6, 4, groups=2),
        n_out=4,
        whole=whole_body("group", "0"),
    ),
    pooled(
        "depthwise_two_each",
        4,
        lambda: conv_bn(4, 8, groups=4),
        n_out=8,
        whole=whole_body("group|depthwise", "0"),
    ),
    pooled(
        "channel_shuffle",
        6,
        lambda: series(nn.ChannelShuffle(2), conv_bn(6, 5)),
        ["1.0"],
        n_out=5,
        whole={"stem.0": "shuffle|view|shape"},
    ),
    pooled(
        "pixel_shuffle",
        8,
        lambda: series(nn.PixelShuffle(2), conv_bn(2, 5)),
        ["1.0"],
        n_out=5,
        whole={"stem.0": "shuffle|view|shape"},
    ),
]


ATTENTIONS = [
    pooled(
        "squeeze",
        5,
        lambda: Squeeze(5, 4, convolutional=False),
        ["fc1", "fc2"],
        joined=({"stem.0", "body.fc2"},),
    ),
    pooled(
        "squeeze_by_convolutions",
        5,
        lambda: Squeeze(5, 4, convolutional=True),
        ["fc1", "fc2"],
        joined=({"stem.0", "body.fc2"},),
    ),
    pooled("spatial_attention", 5, lambda: SpatialAttention(5), whole={"body.conv": ""}),
    pooled(
        "attention_by_mean",
        5,
        AttentionByMean,
        whole={"stem.0": "mean|max", "body.conv": ""},
    ),
]


NORMS = [
    pooled("groupnorm", 6, lambda: nn.GroupNorm(3, 6), whole={"stem.0": "norm"}),
    pooled("instancenorm", 5, lambda: nn.InstanceNorm2d(5), either={"stem.0"}),
    pooled("instancenorm_affine", 5, lambda: nn.InstanceNorm2d(5, affine=True), either={"stem.0"}),
    pooled("local_response_norm", 6, lambda: nn.LocalResponseNorm(3), whole={"stem.0": ""}),
    pooled("layer_scale", 5, lambda: series(Times(5, 1, 1), conv_bn(5, 6)), ["1.0"], n_out=6),
]


SHAPES = [
    pooled("channels_last", 5, lambda: ChannelsLast(5, 6), ["fc1", "fc2"]),
    pooled(
        "convnext",
        5,
        lambda: ConvNeXtBlock(5, 7),
        ["fc1"],
        whole=whole_body("norm", "depthwise", "fc2"),
    ),
    pooled("shapes_taken", 5, Views),
    pooled(
        "unfold",
        2,
        lambda: series(nn.Unfold(3), nn.Unflatten(2, (6, 6))),
        n_out=18,
        either={"stem.0"},
    ),
]

BLOCKS = RESIDUALS + SEPARABLES + ATTENTIONS + NORMS + SHAPES
