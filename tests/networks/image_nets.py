"""Convolutional nets: whole architectures."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from block_nets import conv_bn, series
from net import Net, numbers


class VGG(nn.Module):
    """Convolutions, a flatten written in one of several ways, and linear layers."""

    def __init__(self, flatten, size=8, activation=nn.ReLU, padding=1, normed=True):
        super().__init__()
        layers = []
        for n_in, n_out in ((3, 5), (5, 6)):
            layers.append(nn.Conv2d(n_in, n_out, 3, padding=padding))
            layers += [nn.BatchNorm2d(n_out)] if normed else []
            layers += [activation(), nn.MaxPool2d(2)]
            size = (size + 2 * padding - 2) // 2
        self.features, self.flatten = nn.Sequential(*layers), flatten
        layers = [nn.Linear(6 * size * size, 7), activation(), nn.Linear(7, 3)]
        self.classifier = nn.Sequential(*layers)

    def forward(self, x):
        return self.classifier(self.flatten(self.features(x)))


def by_method(x):
    return x.flatten(1)


def by_view(x):
    return x.view(x.size(0), -1)


def vgg(name, flatten, size=8, **settings):
    normed = settings.get("normed", True)
    layers = {"features.0", "features.4" if normed else "features.3", "classifier.0"}
    folds = settings.get("activation") is nn.Sigmoid
    build = partial(VGG, flatten, size, **settings)
    images = numbers(4, 3, size, size)
    return Net(name, build, (images,), layers, outputs={"classifier.2"}, folds=folds)


class LeNet(nn.Module):
    """The number of columns is written into the view."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16 * 5 * 5, 12), nn.Linear(12, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 5 * 5)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 5, 3, stride=2, padding=1)
        self.enc2 = nn.Conv2d(5, 7, 3, stride=2, padding=1)
        self.dec1 = nn.ConvTranspose2d(7, 6, 3, stride=2, padding=1, output_padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.dec2 = nn.ConvTranspose2d(6, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x):
        x = F.relu(self.enc2(F.relu(self.enc1(x))))
        return torch.sigmoid(self.dec2(F.relu(self.norm(self.dec1(x)))))


class UNet(nn.Module):
    """Coarse and fine channels side by side."""

    def __init__(self, transposed):
        super().__init__()
        self.down, self.bottom = conv_bn(3, 4), conv_bn(4, 6)
        self.up = nn.ConvTranspose2d(6, 5, 2, stride=2) if transposed else conv_bn(6, 5)
        self.merge, self.out = conv_bn(9, 7), nn.Conv2d(7, 2, 1)
        self.transposed = transposed

    def forward(self, x):
        fine = F.relu(self.down(x))
        coarse = F.relu(self.bottom(F.max_pool2d(fine, 2)))
        if not self.transposed:
            size = fine.shape[2:]
            coarse = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        coarse = F.relu(self.up(coarse))
        return self.out(F.relu(self.merge(torch.cat([coarse, fine], dim=1))))


def signals():
    """1-D convolutions."""
    layers = [nn.Conv1d(2, 5, 3, padding=1), nn.BatchNorm1d(5), nn.ReLU(), nn.MaxPool1d(2)]
    layers += [nn.Conv1d(5, 6, 3), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(6, 3))


def volumes():
    """3-D convolutions."""
    layers = [nn.Conv3d(1, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.AvgPool3d(2)]
    layers += [nn.Conv3d(4, 5, 2), nn.ReLU(), nn.Dropout3d(0.2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(5, 3))


def vgg16(n_classes=10):
    """VGG16 with batch normalisation for CIFAR: 13 convolutions and three linear layers.

    Takes images of shape (n, 3, 32, 32); 15.2 million parameters for ten classes.
    """
    layers, n = [], 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(n, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            n = width
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(512, n_classes))


IMAGES = numbers(4, 3, 8, 8)

VGGS = [
    vgg("vgg", by_method),
    vgg("vgg_flatten_module", nn.Flatten()),
    vgg("vgg_view", by_view),
    vgg("vgg_gelu", by_method, activation=nn.GELU),
    vgg("vgg_without_batchnorm", by_method, normed=False),
    vgg("vgg_sigmoid_without_padding", by_method, 14, activation=nn.Sigmoid, padding=0),
    Net(
        "lenet",
        LeNet,
        (numbers(4, 1, 32, 32),),
        shrinks={"conv1", "fc1", "fc2"},
        whole={"conv2": "view|shape|size|width"},
        outputs={"fc3"},
    ),
    # What a reader sees of sigmoid(0) differs at the border.
    Net(
        "vgg_sigmoid",
        partial(VGG, by_method, activation=nn.Sigmoid),
        (IMAGES,),
        shrinks={"features.4", "classifier.0"},
        whole={"features.0": "pad"},
        outputs={"classifier.2"},
        folds=True,
    ),
]

OTHERS = [
    Net(
        "adaptive_pooling",
        lambda: series(
            nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, 3)
        ),
        (IMAGES,),
        {"0"},
        outputs={"4"},
    ),
    Net("autoencoder", Autoencoder, (IMAGES,), {"enc1", "enc2", "dec1"}, outputs={"dec2"}),
    Net(
        "unet",
        partial(UNet, False),
        (IMAGES,),
        {"down.0", "bottom.0", "up.0", "merge.0"},
        outputs={"out"},
    ),
    Net(
        "unet_transposed",
        partial(UNet, True),
        (IMAGES,),
        {"down.0", "bottom.0", "up", "merge.0"},
        outputs={"out"},
    ),
    Net("signals", signals, (numbers(4, 2, 12),), {"0", "4"}, outputs={"8"}),
    Net("volumes", volumes, (numbers(4, 1, 4, 4, 4),), {"0", "4"}, outputs={"8"}, random=True),
]

IMAGE = VGGS + OTHERS
