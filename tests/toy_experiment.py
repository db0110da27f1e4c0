"""An experiment whose results are known, for the tests of what runs experiments.

``python tests/toy_experiment.py`` runs it once for every line ``JOBS OUT`` of its input, each time
in a process that can be killed. They are forked: importing all anew would take most of the time.
"""

import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.experiment import Experiment, Outcome, Verdict
from experiments.run import Place, run


@dataclass(frozen=True)
class Numbers:
    values: np.ndarray
    checksum: str


class Toy(Experiment):
    """Squares of numbers, with random digits behind them, in jobs of one to three cells."""

    name = "toy"
    about = "Squares of numbers"
    datasets = ("twelve", "forty")
    quick_datasets = ("twelve",)

    def __init__(self, wait=0.0, broken=None):
        self.wait, self.broken = wait, broken

    def load(self, dataset, quick, data_home):
        n = {"twelve": 12, "forty": 40}[dataset]
        return Numbers(np.arange(n) / 7, checksum=f"of {dataset}")

    def jobs(self, data, quick):
        cells = [
            {"kind": kind, "index": index, "scale": 10.0**-index}
            for kind in ("plain", "a, b")
            for index in range(len(data.values))
        ]
        sizes = np.tile([1, 3, 2], len(cells))
        ends = [end for end in np.cumsum(sizes) if end < len(cells)]
        return [list(job) for job in np.split(np.array(cells, dtype=object), ends)]

    def measure(self, cells, data):
        time.sleep(self.wait * len(cells))
        return [self._of_cell(cell, data.values[cell["index"]]) for cell in cells]

    def _of_cell(self, cell, value):
        if cell["index"] == self.broken:
            raise ZeroDivisionError("there is no such number")
        if cell["index"] == 5:
            warnings.warn("five\nis odd", stacklevel=1)
        rng = np.random.default_rng(cell["index"])
        return {
            "square": value**2,
            "noise": rng.standard_normal(),
            "empty": None if cell["kind"] == "plain" else "x",
        }

    def summary(self, table):
        return table.groupby("kind")[["square"]].sum()

    def draw(self, table):
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(layout="constrained")
        ax.plot(table["index"], table["square"])
        return figure

    def verdicts(self, table):
        grows = table.groupby("kind")["square"].apply(lambda s: s.is_monotonic_increasing).all()
        outcome = Outcome.CONFIRMED if grows else Outcome.NOT_CONFIRMED
        figures = f"Up to {table.square.max():.3g}."
        return [Verdict("Squares grow", "school", outcome, "they do", "never", figures)]


def serve():
    """Print the number of each process, and when it has ended how."""
    for line in sys.stdin:
        n_jobs, out = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if child == 0:
            run(Toy(wait=0.01), "forty", False, Place(Path(out), n_jobs=int(n_jobs), quiet=True))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
