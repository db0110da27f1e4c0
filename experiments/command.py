"""Run the drafts' experiments: a CSV file, a figure, a table and a verdict each."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryFile

from experiments.backends import BACKENDS
from experiments.catalogue import EXPERIMENTS
from experiments.report import COMMAND, claims_table, print_claims, print_run
from experiments.run import Place, run

CLAIMS = "claims"


def main(arguments=None):
    """Run from the command line; returns the exit code: 2 if something could not be run."""
    command = parser()
    options = command.parse_args(arguments)
    if options.name == CLAIMS and options.dataset:
        command.error("claims runs every experiment on what it has without network: no --dataset.")
    # Figures go to files, so no display is needed.
    import matplotlib

    matplotlib.use("agg")
    place = Place(
        options.out,
        options.data_home,
        options.jobs,
        options.backend,
        options.address,
        options.quiet,
    )
    try:
        finished, failed = run_all(chosen(options), options.quick or options.name == CLAIMS, place)
    except KeyboardInterrupt:
        print("Stopped: the same command goes on where it was.", file=sys.stderr)
        return 130
    if finished:
        print_claims(claims_table(finished))
    if finished and options.name == CLAIMS:
        file = options.out / "claims.csv"
        claims_table(finished).to_csv(file, index=False)
        print(f"Written: {file}" + (", without the runs that failed" if failed else ""))
    return 2 if failed else 0


def run_all(runs, quick, place):
    """Print every run that finishes. Returns these runs, and whether any failed."""
    finished, failed = [], False
    for experiment, dataset in runs:
        try:
            done = run(experiment, dataset, quick, place)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            print(f"{experiment.name} on {dataset}: {error}", file=sys.stderr)
            failed = True
            continue
        finished.append(done)
        print_run(done)
    return finished, failed


def chosen(options):
    """One pair (experiment, dataset) per run."""
    if options.name == CLAIMS:
        return [
            (experiment, dataset)
            for experiment in EXPERIMENTS.values()
            for dataset in experiment.quick_datasets
        ]
    experiment = EXPERIMENTS[options.name]
    usual = experiment.quick_datasets if options.quick else experiment.datasets
    return [(experiment, dataset) for dataset in options.dataset or usual]


def parser():
    names = [f"  {name:14} {experiment.about}" for name, experiment in EXPERIMENTS.items()]
    names.append(f"  {CLAIMS:14} All of them in their quick form, and the table of claims")
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=__doc__,
        epilog="experiments:\n" + "\n".join(names),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=[*EXPERIMENTS, CLAIMS], metavar="NAME", help="see below")
    parser.add_argument(
        "--dataset", nargs="+", metavar="NAME", help="instead of those of the drafts; a run each"
    )
    parser.add_argument(
        "--data-home",
        type=folder,
        metavar="FOLDER",
        help="arff or npz files, or a cache of the openml client (default: that client's own)",
    )
    parser.add_argument(
        "--out",
        type=writable_folder,
        default="results",
        metavar="FOLDER",
        help="where results go, and where a run that was stopped is taken up (results)",
    )
    parser.add_argument(
        "--jobs",
        type=jobs,
        default=1,
        help="cells at once; -1: all cores (1); where time is measured always one",
    )
    parser.add_argument("--quick", action="store_true", help="small data and grids, no network")
    parser.add_argument("--backend", choices=BACKENDS, default="loky", help="of joblib (loky)")
    parser.add_argument("--address", help="of the scheduler of a running cluster")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    return parser


def folder(text):
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return path


def writable_folder(text):
    """A folder that can be written to; created if it does not exist."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no folder that can be written: {error.strerror}"
        ) from error
    return path


def jobs(text):
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1 and value != -1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number >= 1, or -1 for all cores")
    return value
