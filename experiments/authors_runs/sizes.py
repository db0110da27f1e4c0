"""Parameters and multiply-adds of the two architectures, from the sizes of their layers."""

from dataclasses import dataclass
from itertools import pairwise

CIFAR10, COVERTYPE = "CIFAR10", "COVERTYPE"

# Of VGG16: channels of the convolutions, and the side of the image that each one sees.
CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
SIDES = (32, 32, 16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2)
N_CLASSIFIER_LAYERS = 2
_KERNEL = 9
# What the authors' scripts take the first classifier layer to read.
_ASSUMED_CHANNELS = 1024

_INPUTS = {CIFAR10: 3, COVERTYPE: 98}
_OUTPUTS = {CIFAR10: 10, COVERTYPE: 7}


@dataclass(frozen=True)
class Layer:
    """A layer: its inputs and outputs, weights for each pair, and how often it is applied."""

    n_in: int
    n_out: int
    kernel: int = 1
    places: int = 1

    @property
    def weights(self):
        return self.n_in * self.n_out * self.kernel


def layers(task, widths):
    """The layers of a network.

    Parameters
    ----------
    task : {"CIFAR10", "COVERTYPE"}
    widths : list of int
        Of all layers but the last: 13 convolutions and 2 classifier layers for CIFAR10.
    """
    sizes = [_INPUTS[task], *widths, _OUTPUTS[task]]
    pairs = list(pairwise(sizes))
    n_convolutions = len(SIDES) if task == CIFAR10 else 0
    convolutions = zip(pairs[:n_convolutions], SIDES, strict=False)
    return [
        *(Layer(*pair, kernel=_KERNEL, places=side**2) for pair, side in convolutions),
        *(Layer(*pair) for pair in pairs[n_convolutions:]),
    ]


def counts(task, widths):
    """Three measures of a network's size, as a dict.

    `counted` is what the authors' scripts count; `parameters` are all weights and biases;
    `multiply_adds` are those of one input.
    """
    found = layers(task, widths)
    weights = sum(layer.weights for layer in found)
    if task == CIFAR10:
        first = found[len(SIDES)]
        counted = weights + (_ASSUMED_CHANNELS - first.n_in) * first.n_out
    else:
        counted = weights - found[-1].weights
    return {
        "counted": counted,
        "parameters": weights + sum(layer.n_out for layer in found),
        "multiply_adds": sum(layer.weights * layer.places for layer in found),
    }
