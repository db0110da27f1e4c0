"""What can be read of a network's layers: their sizes, and why one stays whole."""

from dataclasses import dataclass

import numpy as np

from shrinklin.networks.gates import layer_name
from shrinklin.networks.removable import find_removable


@dataclass(frozen=True)
class LayerReport:
    """One layer.

    Attributes
    ----------
    name : str
    n_units : int or None
        Units that are on. None for a module of which it is not known.
    n_initial : int or None
        Units when the `Shrinker` was made. None for a layer without gate.
    note : str
        Why it stays whole, or why units that are off are still there. "" if all is well.
    """

    name: str
    n_units: int | None
    n_initial: int | None
    note: str


class Report(list):
    """A list of `LayerReport`, which prints as a table."""

    def __str__(self):
        width = max([len("layer"), *(len(layer.name) for layer in self)])
        lines = [f"{'layer':{width}}  units     of"]
        for layer in self:
            sizes = ["" if n is None else n for n in (layer.n_units, layer.n_initial)]
            lines.append(f"{layer.name:{width}}  {sizes[0]:5}  {sizes[1]:5}  {layer.note}".rstrip())
        return "\n".join(lines)


def report(gates, structure, initial, trial, reasons):
    """The `Report` of a model's gates, and of the layers without.

    Parameters
    ----------
    gates : dict of str to Gate
    structure : Structure
    initial : dict of str to int
        For each gate, its units when training began.
    trial : Trial
    reasons : dict of str to str
        Why a layer without gate has none.
    """
    left = find_removable(structure).reasons
    rows = []
    for name, gate in gates.items():
        units, alive = structure.units_of(name), gate.alive.cpu().numpy()
        note = (
            _whole(structure, units)
            or _left(units[~alive], left)
            or _cannot(name, trial, int(alive.sum()))
        )
        rows.append(LayerReport(layer_name(name), int(alive.sum()), initial[name], note))
    covered = np.concatenate([structure.units_of(name) for name in gates])
    return Report([*rows, *_without_gate(structure, np.unique(covered), reasons)])


def _whole(structure, units):
    reasons = [structure.units.reasons.get(int(unit), "") for unit in units]
    return f"stays whole: {reasons[0]}" if all(reasons) else ""


def _left(off, left):
    why = [left[int(unit)] for unit in off if int(unit) in left]
    if not why:
        return ""
    n_off = "1 unit is" if len(why) == 1 else f"{len(why)} units are"
    return f"{n_off} off, but still there: {why[0]}"


def _cannot(name, trial, n_on):
    if n_on == 1:
        return "its last unit stays"
    if name in trial.stuck:
        return f"units can be switched off, but not cut: {trial.stuck[name]}"
    if name in trial.waiting:
        return f"units that are off will have to wait: {trial.waiting[name]}"
    return ""


def _without_gate(structure, covered, reasons):
    """Layers whose units no gate can switch off."""
    found: dict = {}
    for run in structure.runs:
        for made in run.made:
            name, units = made.weight.module, structure.of(made.weight, made.dim)
            if not np.isin(units, covered).any():
                note = f"stays whole: {reasons[name]}" if name in reasons else "has no switches"
                found[name] = LayerReport(name, len(units), None, note)
    for leaf in structure.leaves:
        if leaf.whole and leaf.tensor.dim() > 1 and leaf.module not in found:
            note = f"stays whole: {leaf.whole}"
            found[leaf.module] = LayerReport(leaf.module, None, None, note)
    return found.values()
