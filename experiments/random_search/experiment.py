"""The experiment, put together from the other modules of this folder."""

import numpy as np

from experiments.experiment import Experiment
from experiments.random_search.figure import draw
from experiments.random_search.fronts import (
    best_within,
    budgets_of,
    n_trainings,
    of_way,
    seeds_of,
    test_within,
)
from experiments.random_search.settings import jobs, problem
from experiments.random_search.verdicts import (
    as_accurate,
    cheaper_front,
    from_scratch,
    ratio_in_range,
    smaller_or_equal,
    while_training,
)


class RandomSearch(Experiment):
    """Sizes of layers that are sampled, and sizes that training finds."""

    name = "random-search"
    about = "Accuracy, size and cost of static networks, ShrinkNet and fronts (001, figures 1-2)"
    datasets = ("covertype93k", "cifar10")
    quick_datasets = ("digits",)
    networks = True
    # Seconds are measured.
    timed = True

    def load(self, dataset, quick, data_home):
        """The `Problem`. There is one size of each, so `quick` changes nothing."""
        return problem(dataset, data_home)

    def jobs(self, data, quick):
        return jobs(data.setting)

    def measure(self, cells, data):
        """Layers, accuracies and costs of networks; what several share is divided among them."""
        from experiments.networks.random_search import measure

        return measure(cells, data)

    def summary(self, table):
        """Test accuracies within the front's budgets, and costs; means over seeds."""
        import pandas as pd

        found = {way: _row(table, way) for way in table["way"].unique()}
        return pd.DataFrame(found).T

    def draw(self, table):
        return draw(table)

    def verdicts(self, table):
        return [
            as_accurate(table),
            smaller_or_equal(table),
            ratio_in_range(table),
            cheaper_front(table),
            from_scratch(table),
            while_training(table),
        ]


def _row(table, way):
    """A row of the summary."""
    import pandas as pd

    found = []
    for seed in seeds_of(table):
        rows = of_way(table, way, seed)
        within = {f"<= {int(n)}": round(test_within(rows, n), 4) for n in budgets_of(table)}
        best = best_within(rows, np.inf)
        found.append(
            {
                **within,
                "best": best["test"],
                "its parameters": best["parameters"],
                "trainings": n_trainings(table, way),
                "CPU s": rows["seconds"].sum(),
                "multiply-adds, 1e9": rows["multiply_adds"].sum() / 1e9,
                "updates, 1e6": rows["parameter_updates"].sum() / 1e6,
            }
        )
    return pd.DataFrame(found).mean()
