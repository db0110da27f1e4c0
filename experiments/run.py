"""Run an experiment on a dataset: measure what is missing, draw, judge."""

import hashlib
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from joblib import delayed
from threadpoolctl import threadpool_limits

import datasets
import experiments
import shrinklin
from experiments.backends import workers
from experiments.experiment import Experiment
from experiments.networks import check_torch
from experiments.report import as_markdown
from experiments.results import Results, locked, read_table


@dataclass(frozen=True)
class Place:
    """Where a run reads, writes and computes.

    Attributes
    ----------
    out : Path
        Folder for the results.
    data_home : Path or None
        As in `datasets.load`.
    n_jobs : int
        How many jobs run at once.
    backend, address : str
        As in `backends.workers`.
    quiet : bool
        No progress bar.
    """

    out: Path
    data_home: Path | None = None
    n_jobs: int = 1
    backend: str = "loky"
    address: str | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Finished:
    """A run that is complete.

    Attributes
    ----------
    experiment : Experiment
    dataset : str
    quick : bool
    table : pandas DataFrame
        One row per cell.
    files : list of Path
        The files of the run; the first is the CSV file.
    """

    experiment: Experiment
    dataset: str
    quick: bool
    table: object
    files: list

    @property
    def summary(self):
        """As `Experiment.summary`."""
        return self.experiment.summary(self.table)

    @property
    def verdicts(self):
        """As `Experiment.verdicts`."""
        return self.experiment.verdicts(self.table)


def run(experiment, dataset, quick, place):
    """Measure the cells that are missing in the run's CSV file, then draw and judge.

    Results depend neither on the number of workers nor on interruptions. An experiment that
    measures time runs one job at a time on this machine, whatever `place` says.

    Returns
    -------
    Finished

    Raises
    ------
    ValueError
        If the file holds another run.
    RuntimeError
        If a cell cannot be measured; the message says which. Earlier results are kept.
    ImportError
        If networks are trained and torch is not installed.
    """
    if experiment.networks:
        check_torch(experiment.name)
    if experiment.timed:
        place = replace(place, n_jobs=1, backend="loky", address=None)
    data = experiment.load(dataset, quick, place.data_home)
    # Without repetition, as an experiment and its dataset may share a name.
    parts = dict.fromkeys([experiment.name, dataset, *(["quick"] if quick else [])])
    file = place.out / f"{'-'.join(parts)}.csv"
    settings = {
        "experiment": experiment.name,
        "dataset": dataset,
        "quick": quick,
        "checksum": getattr(data, "checksum", None),
        "shrinklin": shrinklin.__version__,
    }
    with locked(file):
        results = Results(file, settings, _code(), experiment.jobs(data, quick))
        measure_missing(experiment, data, results, place)
        results.finish()
        return _finished(experiment, dataset, quick, results)


def _finished(experiment, dataset, quick, results):
    """Draw and judge complete results."""
    file = results.file
    table, page = read_table(file), file.with_suffix(".md")
    try:
        files = [file, *_save(experiment.draw(table), file), page]
        done = Finished(experiment, dataset, quick, table, files)
        page.write_text(as_markdown(done), encoding="utf-8")
    except KeyError as error:
        raise ValueError(
            f"{file} has no column {error}, being of other code. Give another --out, or delete it."
        ) from error
    return done


def _code():
    """Identifies the code that measures: a hash of its files."""
    found = hashlib.sha256()
    for package in (experiments, datasets, shrinklin):
        [folder] = map(Path, package.__path__)
        for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.toml")]):
            found.update(file.relative_to(folder.parent).as_posix().encode())
            found.update(file.read_bytes())
    return found.hexdigest()


def measure_missing(experiment, data, results, place):
    from tqdm.auto import tqdm

    todo = results.unfinished
    if not todo:
        return
    with (
        workers(place.backend, place.n_jobs, place.address, data) as as_they_finish,
        tqdm(
            total=sum(map(len, results.jobs)),
            initial=results.n_finished,
            desc=results.file.stem,
            unit="cell",
            disable=place.quiet,
        ) as bar,
    ):
        calls = (delayed(_measure)(experiment, job, results.jobs[job], data) for job in todo)
        for job, measured in as_they_finish(calls):
            results.append(job, measured)
            bar.update(len(measured))


def _measure(experiment, job, cells, data):
    """Measure a job in a worker; the column `warning` holds its warnings."""
    with (
        threadpool_limits(1),
        _torch_limits(experiment),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            measured = experiment.measure(cells, data)
        except Exception as error:
            raise RuntimeError(
                f"{experiment.name}, from {cells[0]} on: {type(error).__name__}: {error}"
            ) from error
    text = "; ".join(sorted({str(warning.message) for warning in caught}))
    return job, [{**found, "warning": text} for found in measured]


def _torch_limits(experiment):
    """As `threadpool_limits(1)`, for torch."""
    if not experiment.networks:
        return nullcontext()
    from experiments.networks.training import one_thread

    return one_thread()


def _save(figure, file):
    """Save the figure as PNG and SVG; the same numbers give the same bytes."""
    import matplotlib.pyplot as plt

    files = [file.with_suffix(".png"), file.with_suffix(".svg")]
    with plt.rc_context({"svg.hashsalt": file.stem}):
        figure.savefig(files[0], dpi=110)
        figure.savefig(files[1], metadata={"Date": None})
    plt.close(figure)
    return files
