"""The authors' runs: their files, and what is measured of each run."""

import hashlib
from dataclasses import dataclass

import pandas as pd

from datasets import DatasetError
from datasets.files import folders
from datasets.tables import reading
from experiments.authors_runs.sizes import (
    CHANNELS,
    CIFAR10,
    COVERTYPE,
    N_CLASSIFIER_LAYERS,
    counts,
)

FOLDER = "smallify_authors_runs"
RUNS, LOGS = "runs.csv", "logs.parquet"
SHRINKNET, STATIC = "ShrinkNet", "static"
# The names of the authors' groups of runs, and what they stand for.
GROUPS = {
    "CIFAR10_VGG_DYNAMIC": (CIFAR10, SHRINKNET),
    "CIFAR10_VGG_STATIC": (CIFAR10, STATIC),
    "COVER_FC_DYNAMIC": (COVERTYPE, SHRINKNET),
    "COVER_FC_STATIC": (COVERTYPE, STATIC),
}
# Our names of their times for one input.
SECONDS = {
    "cpu_1": "bench_cpu_small",
    "cpu_large": "bench_cpu_big",
    "gpu_1": "bench_gpu_small",
    "gpu_large": "bench_gpu_big",
}
COLUMNS = {
    RUNS: {"group", "run", "layers", "dropout", "batch_norm", "learning_rate", "factor"}
    | {"size_layer_1", "size_layer_2", "size_layer_3", "classifier_layer_1", "classifier_layer_2"}
    | set(SECONDS.values()),
    LOGS: {"run", "epoch", "measure", "value"},
}
# Accuracies are kept to so many digits: the logs hold them in float32, which has 0.9 below 0.9.
_DIGITS = 6
# Validation accuracy is near its final value if it is lower by no more than this.
_NEAR = 0.01


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs and their logs.

    Attributes
    ----------
    settings : DataFrame
        One row per run, with its name as the index: `task`, `kind` and the columns of runs.csv.
    logs : DataFrame
        One row per run and epoch, which are its index; a column per measure.
    checksum : str or None
        SHA-256 of the files.
    """

    settings: pd.DataFrame
    logs: pd.DataFrame
    checksum: str | None = None

    @classmethod
    def of(cls, settings, logs, checksum=None):
        """From the tables in the files."""
        named = settings["group"].map(GROUPS)
        known = settings[named.notna()].set_index("run")
        task, kind = zip(*named.dropna(), strict=True)
        wide = logs.assign(run=logs["run"].astype(str), measure=logs["measure"].astype(str))
        return cls(
            known.assign(task=task, kind=kind),
            wide.pivot(index=["run", "epoch"], columns="measure", values="value").sort_index(),
            checksum,
        )


def read(data_home):
    """The runs in a folder.

    Parameters
    ----------
    data_home : Path or None
        It contains a folder `smallify_authors_runs`, or one of its subfolders does.

    Returns
    -------
    Runs

    Raises
    ------
    DatasetError
        If there is no such folder, or a file cannot be read or lacks a column.
    """
    folder = _find(data_home)
    tables = {
        RUNS: _table(pd.read_csv, folder / RUNS, "CSV"),
        LOGS: _table(pd.read_parquet, folder / LOGS, "parquet"),
    }
    for name, table in tables.items():
        missing = sorted(COLUMNS[name] - set(table))
        if missing:
            raise DatasetError(
                f"{folder / name} has no columns {', '.join(missing)}: give the table of the "
                "authors' runs, with one row per "
                + ("run." if name == RUNS else "run, epoch and measure.")
            )
    return Runs.of(tables[RUNS], tables[LOGS], _checksum(folder))


def _table(read_file, path, kind):
    try:
        with reading(kind):
            return read_file(path)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def _find(data_home):
    places = [] if data_home is None else [folder / FOLDER for folder in folders(data_home)]
    for place in places:
        if all((place / name).is_file() for name in (RUNS, LOGS)):
            return place
    where = "no --data-home was given" if data_home is None else f"{data_home} has none"
    raise DatasetError(
        f"The authors' runs are read from a folder {FOLDER} with {RUNS} and {LOGS}; {where}. Give "
        "--data-home the folder that contains it. The runs are published in "
        "github.com/mitdbg/fastdeepnets, in paper/ICML/experiments_results, as pickles, which "
        f"this package does not read: {RUNS} has one row per pickle of random_search, with its "
        f"settings and the seconds of *_benchmark.pkl; {LOGS} has their logs, with the columns "
        "run, epoch, measure and value."
    )


def _checksum(folder):
    found = hashlib.sha256()
    for name in (RUNS, LOGS):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


def measured(runs, name):
    """What is measured of a run, as a dict of plain values."""
    settings, log = runs.settings.loc[name], runs.logs.loc[name]
    epoch = chosen_epoch(log["val_acc"])
    at = log.loc[epoch]
    final = at["val_acc"]
    return {
        "epochs": len(log),
        "epoch": epoch,
        "near_epoch": int(log.index[(log["val_acc"] >= final - _NEAR)][0]),
        "val_accuracy": round(float(final), _DIGITS),
        "accuracy": round(float(at["test_acc"]), _DIGITS),
        **counts(settings["task"], widths(settings, at)),
        **{ours: float(settings[theirs]) for ours, theirs in SECONDS.items()},
        "training_seconds": round(float(log["time_training"].sum()), 3),
        "learning_rate": float(settings["learning_rate"]),
        # Of COVERTYPE alone: the authors' VGG16 has 13 convolutions and no dropout.
        "layers": None if settings["task"] == CIFAR10 else int(settings["layers"]),
        "plain": bool(not settings["batch_norm"] and settings["dropout"] == 0),
    }


def chosen_epoch(accuracies):
    """The epoch with the highest validation accuracy in the second half of training.

    Parameters
    ----------
    accuracies : Series
        Of validation, indexed by epoch.
    """
    return int(accuracies.iloc[len(accuracies) // 2 :].idxmax())


def widths(settings, log):
    """The sizes of a network's layers, but for the last, in an epoch.

    Those of a ShrinkNet are in its log; those of a static network are among its settings.
    """
    vgg = settings["task"] == CIFAR10
    n_layers = len(CHANNELS) + N_CLASSIFIER_LAYERS if vgg else int(settings["layers"])
    if settings["kind"] == SHRINKNET:
        return [int(log[f"size_{layer}"]) for layer in range(1, n_layers + 1)]
    if vgg:
        classifier = [f"classifier_layer_{k}" for k in range(1, N_CLASSIFIER_LAYERS + 1)]
        convolutions = [int(settings["factor"] * channels) for channels in CHANNELS]
        return convolutions + [int(settings[name]) for name in classifier]
    return [int(settings[f"size_layer_{layer}"]) for layer in range(1, n_layers + 1)]
