"""What a run of the experiments' quick forms leaves behind."""

import pandas as pd


def quick_runs(experiments):
    """Pairs of an experiment and a dataset of its quick form."""
    return [(each, dataset) for each in experiments.values() for dataset in each.quick_datasets]


def name_of(value):
    """The id of a parameter."""
    return getattr(value, "name", value)


def check_run(out, experiment, dataset):
    """All files are there, with a row for each cell."""
    stem = "-".join(dict.fromkeys([experiment.name, dataset, "quick"]))
    for kind in ("csv", "json", "md", "png", "svg"):
        assert (out / f"{stem}.{kind}").stat().st_size > 100
    table = pd.read_csv(out / f"{stem}.csv")
    cells = [
        cell for job in experiment.jobs(experiment.load(dataset, True, None), True) for cell in job
    ]
    assert len(table) == len(cells)
    assert not table[list(cells[0])].duplicated().any()
