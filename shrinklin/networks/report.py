"""What can be read of a network's layers: their sizes, and why one stays whole."""

from dataclasses import dataclass

import numpy as np

from shrinklin.networks.gates import layer_name


@dataclass(frozen=True)
class LayerReport:
    """One layer.

    Attributes
    ----------
    name : str
    n_units : int
        Units that are on.
    n_initial : int or None
        Units when the `Shrinker` was made. None for a layer without gate.
    note : str
        Why it stays whole, or why units that are off are still there. "" if all is well.
    """

    name: str
    n_units: int
    n_initial: int | None
    note: str


class Report(list):
    """A list of `LayerReport`, which prints as a table."""

    def __str__(self):
        width = max([len("layer"), *(len(layer.name) for layer in self)])
        lines = [f"{'layer':{width}}  units     of"]
        for layer in self:
            of = "" if layer.n_initial is None else layer.n_initial
            lines.append(f"{layer.name:{width}}  {layer.n_units:5}  {of:5}  {layer.note}".rstrip())
        return "\n".join(lines)


def report(gates, structure, initial):
    """The `Report` of a model's gates, and of the layers without.

    Parameters
    ----------
    gates : dict of str to Gate
    structure : Structure
    initial : dict of str to int
        For each gate, its units when training began.
    """
    removable = structure.removable()
    gated = [
        _of_gate(structure, name, gate, initial[name], removable) for name, gate in gates.items()
    ]
    units = [structure.units_of(name) for name in gates]
    covered = np.unique(np.concatenate([np.empty(0, dtype=int), *units]))
    return Report([*gated, *_without_gate(structure, covered)])


def _of_gate(structure, name, gate, n_initial, removable):
    units, alive = structure.units_of(name), gate.alive.cpu().numpy()
    reasons = [structure.units.reasons.get(int(unit)) for unit in units]
    note = ""
    if all(reasons):
        note = f"stays whole: {reasons[0]}"
    elif not alive.all():
        waiting = [removable.reasons.get(int(unit)) for unit in units[~alive]]
        why = [reason for reason in waiting if reason]
        note = (
            f"{len(why)} off, but still there: {why[0]}" if why else "units that are off can be cut"
        )
    return LayerReport(layer_name(name), int(alive.sum()), n_initial, note)


def _without_gate(structure, covered):
    """Layers whose units no gate can switch off."""
    found: dict = {}
    for run in structure.runs:
        for made in run.made:
            units = structure.of(made.weight, made.dim)
            if not np.isin(units, covered).any():
                reason = structure.units.reasons.get(int(units[0]))
                note = f"stays whole: {reason}" if reason else "has no switches"
                found[made.weight.module] = LayerReport(made.weight.module, len(units), None, note)
    whole = {leaf.module: leaf for leaf in structure.leaves if leaf.whole and leaf.tensor.dim() > 1}
    for name, leaf in whole.items():
        if name not in found:
            found[name] = LayerReport(name, len(leaf.tensor), None, f"stays whole: {leaf.whole}")
    return found.values()
