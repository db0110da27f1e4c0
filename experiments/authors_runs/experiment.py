"""The experiment, put together from the other modules of this folder."""

from experiments.authors_runs.convergence import converges_faster, same_training_time
from experiments.authors_runs.figure import draw
from experiments.authors_runs.fronts import tasks
from experiments.authors_runs.runs import FOLDER, GROUPS, measured, read
from experiments.authors_runs.simulated import simulated
from experiments.authors_runs.speed import dominated_by_noise, faster
from experiments.authors_runs.table import ratios_of
from experiments.authors_runs.verdicts import (
    always_above_one,
    as_accurate,
    better_or_equal,
    four_to_forty,
    hardly_above_three,
)
from experiments.experiment import Experiment

SIMULATED = "simulated"


class AuthorsRuns(Experiment):
    """The ShrinkNets paper's own networks; see `experiments.authors_runs`.

    A cell is a run. The full form reads the authors' runs from a folder; the quick one
    simulates runs of the same form, whose truth is known.
    """

    name = "authors-runs"
    about = "Sizes, accuracy and speed of the networks that the ShrinkNets paper trained"
    datasets = (FOLDER,)
    quick_datasets = (SIMULATED,)

    def load(self, dataset, quick, data_home):
        if dataset == SIMULATED:
            return simulated()
        if dataset != FOLDER:
            raise ValueError(
                f"{self.name} has the datasets {FOLDER} and {SIMULATED}, and not {dataset!r}."
            )
        return read(data_home)

    def jobs(self, data, quick):
        """One job per task and kind of network."""
        groups = data.settings.groupby(["task", "kind"], sort=False).groups
        return [
            [{"task": task, "kind": kind, "run": run} for run in sorted(groups[task, kind])]
            for task, kind in GROUPS.values()
            if (task, kind) in groups
        ]

    def measure(self, cells, data):
        return [measured(data, cell["run"]) for cell in cells]

    def summary(self, table):
        """Ratios, static to ShrinkNet, at target accuracies of whole points."""
        import pandas as pd

        return pd.concat({task: ratios_of(table, task) for task in tasks(table)}, names=["task"])

    def draw(self, table):
        """Sizes against accuracy with the fronts, and ratios of sizes and of seconds."""
        return draw(table)

    def verdicts(self, table):
        return [
            four_to_forty(table),
            always_above_one(table),
            hardly_above_three(table),
            as_accurate(table),
            better_or_equal(table),
            faster(table),
            dominated_by_noise(table),
            converges_faster(table),
            same_training_time(table),
        ]
