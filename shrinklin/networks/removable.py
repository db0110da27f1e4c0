"""Which units that a gate switched off can be cut out of a network."""

from dataclasses import dataclass

import numpy as np
import torch

# Two values of a constant this close are the same but for rounding.
RELATIVE, ABSOLUTE = 1e-14, 1e-15


@dataclass(frozen=True)
class Removable:
    """What can be cut out of a network.

    Attributes
    ----------
    units : ndarray of int
    reasons : dict of int to str
        Why other units stay that are off.
    waiting : set of int
        Those of them that training may free: a BatchNorm forgets what a unit was before.
    folds : list of (Leaf, Leaf, int, Tensor)
        For biases that take up constants: the bias, the weight that reads them, the dimension of
        the weight that meets them, and the constants, 0 for units that stay.
    """

    units: np.ndarray
    reasons: dict
    waiting: set
    folds: list


def find_removable(structure, folding=True, training=True):
    """Which units that are off can be cut out, and what that changes: `Removable`.

    Parameters
    ----------
    structure : Structure
    folding : bool
        Whether constants that are not 0 may be added to biases.
    training : bool
        Whether nothing may change in training either, or only in evaluation.
    """
    reads_by_weight: dict = {}
    for run in structure.runs if training else structure.runs[:1]:
        for read in run.reads:
            reads_by_weight.setdefault((read.weight.name, read.dim), []).append(read)
    off = _off(structure)
    known = structure.units.reasons
    reasons = {int(unit): known.get(int(unit), "") for unit in np.flatnonzero(off)}
    waiting: set = set()
    for reads in reads_by_weight.values():
        foldable = folding and _has_own_bias(structure, reads)
        _judge(structure, reads, off, reasons, waiting, foldable)
    _keep_layers(structure, reasons)
    units = np.array([unit for unit, reason in reasons.items() if not reason], dtype=int)
    folds = _folds(structure, units, reads_by_weight.values())
    return Removable(units, {u: r for u, r in reasons.items() if r}, waiting, folds)


def _keep_layers(structure, reasons):
    """Keep one unit of each weight, whether the cut is that of `fold` or of a `Shrinker`.

    Torch does not run convolutions and norms without units, and layers that read nothing cannot be
    traced.
    """
    for leaf in structure.leaves:
        for dim in leaf.vectors:
            units = structure.of(leaf, dim)
            if len(units) and all(reasons.get(int(unit)) == "" for unit in units):
                reasons[int(units[0])] = "a layer needs one unit"


def _off(structure):
    """A mask of the units that are off."""
    off = np.zeros(structure.units.n_units, dtype=bool)
    for leaf in structure.leaves:
        if leaf.constants is not None and 0 in leaf.vectors:
            off[structure.of(leaf, 0)[(leaf.constants == 0).cpu().numpy()]] = True
    return off


def _judge(structure, reads, off, reasons, waiting, foldable):
    """Keep the units that are not constant where they are read, or cannot be folded."""
    units = structure.of(reads[0].weight, reads[0].dim)
    constants = np.stack([read.constants.numpy() for read in reads])
    first, spread = constants[0], np.ptp(constants, axis=0)
    what = f"what {reads[0].weight.name} reads of it is"
    for place in np.flatnonzero(off[units] & (constants != 0).any(axis=0)):
        unit = int(units[place])
        if reasons[unit]:
            continue
        if np.isnan(constants[:, place]).any():
            example = "for instance because a unit of another layer is added to it"
            reasons[unit] = f"{what} not constant, {example}"
        elif spread[place] > ABSOLUTE + RELATIVE * abs(first[place]):
            reasons[unit] = f"{what} not yet the same constant in training and in evaluation"
            waiting.add(unit)
        elif not foldable:
            why = "and the layer has no bias of its own" if reads[0].exact else "beside padding"
            reasons[unit] = f"{what} a constant other than 0, {why}"


def _has_own_bias(structure, reads):
    """Whether a constant input can be added to the bias of the layer that reads it."""
    bias = reads[0].bias
    if bias is None or not all(read.exact and read.bias is bias for read in reads):
        return False
    # The model may read it by itself too.
    users = {call.weight.name for call in structure.calls if call.bias is bias and call.weight}
    return bias.entries is None and len(users) == 1


def _folds(structure, units, reads_by_weight):
    """Constants that biases take: see `Removable`."""
    folds = []
    for read, *_ in reads_by_weight:
        goes = np.isin(structure.of(read.weight, read.dim), units)
        constants = np.where(goes, read.constants, 0.0)
        if constants.any():
            folds.append((read.bias, read.weight, read.dim, torch.from_numpy(constants)))
    return folds
