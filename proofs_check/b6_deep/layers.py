"""Layers of networks in exact fractions.

A signal is a tuple of positions, each a tuple of the channels there. Positions are along one
dimension, and a dense layer is a convolution of size 1 on a signal of one position.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from proofs_check.claim import exact
from proofs_check.rational import ZERO, dot

SOURCE = "shrinklin's own (shrinklin.networks: cutting and folding)"
TEMPTING = "a tempting shortcut, in no paper"


def picked(entries, places):
    """The entries at these places."""
    return tuple(entries[place] for place in places)


@dataclass(frozen=True)
class Convolution:
    """Each output at each position: b_o + Σ over taps k and inputs i of W[o][k][i] x[t + k][i].

    Padded, it has as many outputs as inputs along the positions, with zeros beyond the ends.
    """

    weight: tuple
    bias: tuple
    size: int
    padded: bool

    def __call__(self, signal):
        if self.padded:
            zeros = (tuple(ZERO for _ in signal[0]),) * (self.size // 2)
            signal = zeros + signal + zeros
        starts = range(len(signal) - self.size + 1)
        return tuple(self._at(signal[start : start + self.size]) for start in starts)

    def _at(self, window):
        return tuple(
            bias + sum((dot(*pair) for pair in zip(taps, window, strict=True)), ZERO)
            for taps, bias in zip(self.weight, self.bias, strict=True)
        )

    @property
    def n_outputs(self):
        return len(self.bias)

    def column(self, i):
        """For each output, its weights of input i, tap by tap."""
        return [[tap[i] for tap in taps] for taps in self.weight]

    def row_is_zero(self, o):
        return not any(map(any, self.weight[o]))

    def cut(self, outputs, inputs):
        """The layer with these outputs and inputs alone."""
        weight = tuple(
            tuple(picked(tap, inputs) for tap in taps) for taps in picked(self.weight, outputs)
        )
        return replace(self, weight=weight, bias=picked(self.bias, outputs))

    def with_rows_times(self, factors):
        weight = tuple(
            tuple(tuple(factor * entry for entry in tap) for tap in taps)
            for factor, taps in zip(factors, self.weight, strict=True)
        )
        bias = tuple(factor * entry for factor, entry in zip(factors, self.bias, strict=True))
        return replace(self, weight=weight, bias=bias)

    def with_columns_times(self, factors):
        weight = tuple(
            tuple(tuple(f * e for f, e in zip(factors, tap, strict=True)) for tap in taps)
            for taps in self.weight
        )
        return replace(self, weight=weight)

    def __str__(self):
        return f"conv{'+' if self.padded else ''}(W = {exact(self.weight)}, b = {exact(self.bias)})"


class Channelwise(ABC):
    """A layer that does the same at all positions, to each channel by itself."""

    @abstractmethod
    def one(self, channel, value):
        """What becomes of a value of this channel."""

    @abstractmethod
    def cut(self, channels):
        """The layer with these channels alone."""

    def __call__(self, signal):
        return tuple(
            tuple(self.one(channel, value) for channel, value in enumerate(position))
            for position in signal
        )


@dataclass(frozen=True)
class Norm(Channelwise):
    """BatchNorm in evaluation mode: γ(x − mean)/σ + β, with σ² the running variance plus ε."""

    gamma: tuple
    beta: tuple
    mean: tuple
    sigma: tuple

    def one(self, channel, value):
        gamma, beta, mean, sigma = (part[channel] for part in self.parts)
        return gamma * (value - mean) / sigma + beta

    @property
    def parts(self):
        return self.gamma, self.beta, self.mean, self.sigma

    def cut(self, channels):
        return Norm(*(picked(part, channels) for part in self.parts))

    def __str__(self):
        names = zip(("γ", "β", "mean", "σ"), self.parts, strict=True)
        return f"norm({', '.join(f'{name} = {exact(part)}' for name, part in names)})"


@dataclass(frozen=True)
class Relu(Channelwise):
    def one(self, channel, value):
        return max(value, ZERO)

    def cut(self, channels):
        return self

    def __str__(self):
        return "relu"


@dataclass(frozen=True)
class Switch(Channelwise):
    theta: tuple

    def one(self, channel, value):
        return self.theta[channel] * value

    def cut(self, channels):
        return Switch(picked(self.theta, channels))

    def __str__(self):
        return f"switch(θ = {exact(self.theta)})"


@dataclass(frozen=True)
class Part:
    """Layers one after the other, whose result is added to what they were given if `residual`."""

    layers: tuple
    residual: bool = False

    def __call__(self, signal):
        result = signal
        for layer in self.layers:
            result = layer(result)
        return added(signal, result) if self.residual else result

    def __str__(self):
        return f"{'x + ' if self.residual else ''}[{', '.join(map(str, self.layers))}]"


def added(first, second):
    return tuple(
        tuple(one + other for one, other in zip(*pair, strict=True))
        for pair in zip(first, second, strict=True)
    )


@dataclass(frozen=True)
class Network:
    """Parts one after the other, and some signals to try it on."""

    parts: tuple
    signals: tuple

    def outputs(self):
        return [self(signal) for signal in self.signals]

    def __call__(self, signal):
        for part in self.parts:
            signal = part(signal)
        return signal

    def __str__(self):
        return f"{'; '.join(map(str, self.parts))}; x = {exact(self.signals)}"


def differ(ours, theirs):
    """None if two lists of outputs are the same, else how they differ."""
    if ours == theirs:
        return None
    pairs = zip(ours, theirs, strict=True)
    one, other = next(pair for pair in pairs if pair[0] != pair[1])
    return f"the output is {exact(other)}, not {exact(one)}"
