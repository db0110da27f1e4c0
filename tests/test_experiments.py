"""What runs the experiments: results that survive a kill, workers, the command line.

The experiments themselves have a test file each.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from dask.distributed import LocalCluster
from joblib import delayed, parallel_config

from experiments import backends, command
from experiments.catalogue import EXPERIMENTS
from experiments.experiment import Experiment
from experiments.report import claims_table
from experiments.results import Results, locked
from experiments.run import Place, run
from toy_experiment import Toy

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    run(Toy(), "twelve", False, Place(out, quiet=True))
    return out


def bytes_of(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_run_writes_what_was_measured(whole):
    assert set(bytes_of(whole)) == {
        f"toy-twelve.{kind}" for kind in ("csv", "json", "md", "png", "svg")
    }
    done = run(Toy(broken=1), "twelve", False, Place(whole, quiet=True))
    table = done.table
    # Nothing was measured again (index 1 would have raised), and every cell is there once.
    cells = [cell for job in Toy().jobs(Toy().load("twelve", False, None), False) for cell in job]
    assert table[["kind", "index", "scale"]].to_dict("records") == cells
    # To the last bit.
    np.testing.assert_array_equal(table["square"], (table["index"] / 7) ** 2)
    assert table["noise"][3] == np.random.default_rng(3).standard_normal()
    # What a job warned of stands beside all its cells.
    warned = table["index"].isin([4, 5])
    assert (table["warning"].notna() == warned).all()
    assert set(table["warning"].dropna()) == {"five is odd"}
    assert table["empty"].isna().tolist() == [True] * 12 + [False] * 12


@pytest.fixture
def _another_cluster_runs():
    """The port that dask would take is not free."""
    with socket.socket() as other:
        with suppress(OSError):  # there is one indeed
            other.bind(("", 8787))
            other.listen()
        yield


@pytest.mark.usefixtures("_another_cluster_runs")
@pytest.mark.parametrize(
    "place", [{"n_jobs": 2}, {"n_jobs": -1}, {"n_jobs": 2, "backend": "dask"}], ids=str
)
def test_results_do_not_depend_on_the_workers(whole, tmp_path, place):
    run(Toy(wait=0.001), "twelve", False, Place(tmp_path, quiet=True, **place))
    assert bytes_of(tmp_path) == bytes_of(whole)


def test_workers_of_several_threads_are_refused(tmp_path):
    # `warnings.catch_warnings` and the threads of BLAS are a matter of whole processes.
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        place = Place(tmp_path, backend="dask", address=cluster.scheduler_address, quiet=True)
        with pytest.raises(ValueError, match="--nthreads 1"):
            run(Toy(), "twelve", False, place)


def test_backends_without_a_generator_get_batches():
    with parallel_config("loky", n_jobs=2):
        found = list(backends._in_batches(delayed(abs)(-i) for i in range(5)))
    assert found == [0, 1, 2, 3, 4]


def test_a_cluster_that_runs_already_can_be_used(whole, tmp_path):
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        place = Place(tmp_path, backend="dask", address=cluster.scheduler_address, quiet=True)
        run(Toy(), "twelve", False, place)
        # It is left running.
        assert len(cluster.scheduler_info["workers"]) == 2
    assert bytes_of(tmp_path) == bytes_of(whole)


def test_a_file_torn_anywhere_is_taken_up(whole, tmp_path):
    data = (whole / "toy-twelve.csv").read_bytes()
    settings = json.loads((whole / "toy-twelve.json").read_text())
    code = settings.pop("code")
    file = tmp_path / "toy-twelve.csv"
    shutil.copy(whole / "toy-twelve.json", tmp_path)
    toy = Toy()
    numbers = toy.load("twelve", False, None)
    jobs = toy.jobs(numbers, False)
    line_ends = [0] + [i + 1 for i, byte in enumerate(data) if byte == ord("\n")]
    for length in range(len(data)):
        file.write_bytes(data[:length])
        results = Results(file, settings, code, jobs)
        # What is kept is the finished jobs, and all of them.
        n_rows = sum(end <= length for end in line_ends[2:])
        sizes = np.cumsum([len(job) for job in jobs])
        assert results.unfinished == list(range(int((sizes <= n_rows).sum()), len(jobs)))
        if length % 200 == 0:
            run(toy, "twelve", False, Place(tmp_path, quiet=True))
            assert file.read_bytes() == data


def test_rows_of_a_job_stand_in_the_file_as_soon_as_it_is_measured(tmp_path):
    toy = Toy()
    numbers = toy.load("twelve", False, None)
    file = tmp_path / "x.csv"
    results = Results(file, {}, "code", toy.jobs(numbers, False))
    for job in (4, 0):
        results.append(job, toy.measure(results.jobs[job], numbers))
        assert file.read_bytes().count(b"\n") == 1 + results.n_finished
    with pytest.raises(ValueError, match="jobs are not finished"):
        results.finish()


@pytest.fixture
def begin():
    """`begin(out, n_jobs)` begins a run: its number, and what waits for how it ends."""
    script = [sys.executable, str(ROOT / "tests" / "toy_experiment.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(script, env=environment, text=True, **pipes) as server:

        def begin_run(out, n_jobs):
            server.stdin.write(f"{n_jobs} {out}\n")
            server.stdin.flush()
            number = int(server.stdout.readline())
            return number, lambda: int(server.stdout.readline())

        yield begin_run
        server.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_run_killed_ten_times_ends_as_an_unbroken_one(tmp_path, begin):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    _, ended = begin(unbroken, 1)
    assert ended() == 0
    rng = np.random.default_rng(0)
    file, sizes = broken / "toy-forty.csv", []
    for attempt in range(10):
        before = len(sizes) and sizes[-1]
        # With workers of its own now and then: they must not outlive it and write.
        process, ended = begin(broken, 2 if attempt in (3, 8) else 1)
        # From the moment on when it has begun to write, so that it gets somewhere.
        while not file.exists() or file.stat().st_size <= before:
            os.kill(process, 0)  # an error once it has ended
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.06))
        os.kill(process, signal.SIGKILL)
        assert ended() == -signal.SIGKILL
        sizes.append(file.stat().st_size)
    # Every one went on from what it found, and none was done.
    assert (np.diff(sizes) > 0).all()
    assert sizes[-1] < (unbroken / "toy-forty.csv").stat().st_size
    _, ended = begin(broken, 2)
    assert ended() == 0
    assert bytes_of(broken) == bytes_of(unbroken)


def test_a_file_of_unknown_origin_is_left_alone(whole, tmp_path):
    copy(whole, tmp_path)
    (tmp_path / "toy-twelve.json").unlink()
    with pytest.raises(ValueError, match="holds another run"):
        run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    assert (tmp_path / "toy-twelve.csv").read_bytes() == bytes_of(whole)["toy-twelve.csv"]


@pytest.mark.parametrize("name", ["experiment", "dataset", "quick", "checksum", "shrinklin"])
def test_all_settings_are_compared(whole, tmp_path, name):
    copy(whole, tmp_path)
    edit(tmp_path / "toy-twelve.json", name, "other")
    with pytest.raises(ValueError, match=f"holds another run: {name} is 'other' there"):
        run(Toy(), "twelve", False, Place(tmp_path, quiet=True))


def test_other_code_may_draw_what_is_complete_and_not_go_on(whole, tmp_path):
    copy(whole, tmp_path)
    edit(tmp_path / "toy-twelve.json", "code", "other")
    run(Toy(broken=1), "twelve", False, Place(tmp_path, quiet=True))
    # It still says which code measured.
    assert json.loads((tmp_path / "toy-twelve.json").read_text())["code"] == "other"
    file = tmp_path / "toy-twelve.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    # The last job is half written: a file that is refused is left as it is.
    file.write_bytes(b"".join(lines[:9]))
    with pytest.raises(ValueError, match="begun by other code"):
        run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    assert file.read_bytes() == b"".join(lines[:9])
    # Where no job was finished nothing can be mixed.
    file.write_bytes(b"".join(lines[:1]))
    run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    assert bytes_of(tmp_path) == bytes_of(whole)


def copy(whole, folder):
    for file in whole.iterdir():
        shutil.copy(file, folder)


def edit(file, name, value):
    settings = json.loads(file.read_text())
    assert name in settings
    file.write_text(json.dumps({**settings, name: value}))


def test_a_complete_file_without_a_column_is_refused(whole, tmp_path):
    copy(whole, tmp_path)
    file = tmp_path / "toy-twelve.csv"
    file.write_text(file.read_text().replace("square", "cube", 1))
    with pytest.raises(ValueError, match="has no column 'square'"):
        run(Toy(), "twelve", False, Place(tmp_path, quiet=True))


def test_one_process_writes_at_a_time(whole, tmp_path):
    with (
        locked(tmp_path / "toy-twelve.csv"),
        pytest.raises(ValueError, match="being written by another process"),
    ):
        run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    # A lock that a killed process left behind is none.
    (tmp_path / "toy-twelve.lock").touch()
    run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    assert bytes_of(tmp_path) == bytes_of(whole)


class OtherCells(Toy):
    def jobs(self, data, quick):
        return super().jobs(data, quick)[1:]


class OtherColumns(Toy):
    def measure(self, cells, data):
        return [{**row, "more": 1} for row in super().measure(cells, data)]


@pytest.mark.parametrize(
    ("other", "message"),
    [(OtherCells(), "holds cells that this run does not have"), (OtherColumns(), "more")],
    ids=["cells", "columns"],
)
def test_the_file_of_other_code_is_refused(whole, tmp_path, other, message):
    copy(whole, tmp_path)
    file = tmp_path / "toy-twelve.csv"
    file.write_bytes(b"\n".join(file.read_bytes().split(b"\n")[:8]) + b"\n")
    with pytest.raises(ValueError, match=message):
        run(other, "twelve", False, Place(tmp_path, quiet=True))


# It is in two jobs: which of them two processes come to first is open.
@pytest.mark.parametrize(("n_jobs", "kind"), [(1, "plain"), (2, "(plain|a, b)")])
def test_a_cell_that_fails_is_named_and_the_others_are_kept(whole, tmp_path, n_jobs, kind):
    place = Place(tmp_path, n_jobs=n_jobs, quiet=True)
    message = rf"toy, from {{'kind': '{kind}', 'index': 7.*ZeroDivisionError: there is no"
    with pytest.raises(RuntimeError, match=message):
        run(Toy(wait=0.002, broken=9), "twelve", False, place)
    assert (tmp_path / "toy-twelve.csv").read_bytes().count(b"\n") > 1
    run(Toy(), "twelve", False, Place(tmp_path, quiet=True))
    assert bytes_of(tmp_path) == bytes_of(whole)


def test_time_is_measured_alone(tmp_path):
    class Timed(Toy):
        timed = True

        def measure(self, cells, data):
            self.seen = os.getpid()
            return super().measure(cells, data)

    timed = Timed()
    run(timed, "twelve", False, Place(tmp_path, n_jobs=2, backend="dask", quiet=True))
    assert timed.seen == os.getpid()


# The command line.


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "toy", Toy())


@pytest.mark.usefixtures("toys")
def test_the_command_runs_prints_and_judges(tmp_path, capsys):
    assert command.main(["toy", "--out", str(tmp_path), "--jobs", "1"]) == 0
    shown = capsys.readouterr()
    assert "Squares of numbers (twelve)" in shown.out
    assert "Squares of numbers (forty)" in shown.out
    assert "4 of 24 cells warned" in shown.out
    assert "confirmed" in shown.out
    assert "toy-forty.svg" in shown.out
    assert "80/80" in shown.err  # the progress bar
    assert command.main(["toy", "--quick", "--quiet", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert (tmp_path / "toy-twelve-quick.csv").exists()


@pytest.mark.usefixtures("toys")
def test_a_dataset_that_fails_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    def load(self, dataset, quick, data_home):
        if dataset == "twelve":
            raise RuntimeError("no network")
        return original(self, dataset, quick, data_home)

    original = Toy.load
    monkeypatch.setattr(Toy, "load", load)
    assert command.main(["toy", "--out", str(tmp_path), "--quiet"]) == 2
    assert capsys.readouterr().err == "toy on twelve: no network\n"
    assert (tmp_path / "toy-forty.csv").exists()


@pytest.mark.usefixtures("toys")
def test_ctrl_c_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def measure(self, cells, data):
        if cells[0]["index"] > 3:
            raise KeyboardInterrupt
        return original(self, cells, data)

    original = Toy.measure
    monkeypatch.setattr(Toy, "measure", measure)
    arguments = ["toy", "--dataset", "twelve", "--out", str(tmp_path), "--quiet"]
    assert command.main(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert (tmp_path / "toy-twelve.csv").read_bytes().count(b"\n") > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["tradeoff", "--jobs", "0"], ">= 1, or -1"),
        (["tradeoff", "--jobs", "two"], "two: give a whole number"),
        (["tradeoff", "--out", __file__], "is no folder that can be written: File exists"),
        (["tradeoff", "--out", "/proc/nope"], "is no folder that can be written"),
        (["tradeoff", "--data-home", "no/such/folder"], "'no/such/folder' is no folder"),
        (["claims", "--dataset", "digits"], "no --dataset"),
        (["tradeoff", "--backend", "slurm"], "invalid choice: 'slurm'"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("toys")
def test_an_address_is_of_a_cluster(tmp_path, capsys):
    arguments = ["toy", "--out", str(tmp_path), "--quiet", "--address", "tcp://127.0.0.1:1"]
    assert command.main(arguments) == 2
    assert "--backend dask or ray" in capsys.readouterr().err


def test_claims_stand_in_one_table(whole, tmp_path, monkeypatch, capsys):
    done = run(Toy(), "twelve", False, Place(whole, quiet=True))
    table = claims_table([done, done])
    assert table["verdict"].tolist() == ["confirmed"] * 2
    assert table["figures"][0] == "Up to 2.47."
    assert table["rule"][0].startswith("Confirmed: they do; with conditions: never")
    monkeypatch.setattr(command, "EXPERIMENTS", {"toy": Toy()})
    assert command.main(["claims", "--out", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "claims.csv").read_text().count("\n") == 2
    assert "Squares grow" in capsys.readouterr().out
    assert (tmp_path / "toy-twelve-quick.csv").exists()


def test_the_page_of_a_run(whole):
    page = (whole / "toy-twelve.md").read_text()
    assert "`python -m experiments toy --dataset twelve`" in page
    rule = "*Confirmed: they do; with conditions: never; else not confirmed.*"
    assert f"- **confirmed**: Squares grow (school). Up to 2.47.\n  {rule}\n" in page
    assert "![Squares of numbers](toy-twelve.png)" in page


def test_the_catalogue_is_complete():
    linear = {"tradeoff", "early-pruning", "time-vs-cost", "xor", "landscape"}
    assert set(EXPERIMENTS) == linear | {"cpna-uci", "network-features"}
    for name, experiment in EXPERIMENTS.items():
        assert isinstance(experiment, Experiment)
        assert experiment.name == name
        assert experiment.about
        assert experiment.quick_datasets
