import logging
import os
import signal
import subprocess
import sys
import threading
import time

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import psutil  # comes with dask.distributed
import pytest
from dask.distributed import Client, LocalCluster
from scipy import sparse

import shrinklin.distributed
from equal_moments import arrays, assert_6_digits, assert_equal, far_from_zero
from problems import simulate
from shrinklin import GroupLassoRegressor, Moments
from shrinklin.distributed import moments

NAMES = list("abcdef")
# Earlier releases of dask say so of `scheduler="threads"`, which is meant here.
beside_a_client = pytest.mark.filterwarnings("ignore:Running on a single-machine scheduler")


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        processes=True,
        n_workers=3,
        threads_per_worker=1,
        # Any free port: None is 8787, of which there is one.
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,  # of the worker that is killed
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


def data(n_samples=100):
    X, Y = simulate(n_samples, 6, 3)
    return X + np.arange(6), Y, np.random.default_rng(0).uniform(0, 2, n_samples)


def frames(n_partitions=5):
    X, Y, s = data()
    table = pd.DataFrame(X, columns=NAMES).assign(y=Y[:, 0], z=Y[:, 1], w=s, row=range(100))
    return dd.from_pandas(table, npartitions=n_partitions)


def same_bits(a, b):
    return all(np.array_equal(x, y) for x, y in zip(arrays(a), arrays(b), strict=True))


# Here, in threads.


@pytest.mark.parametrize("columns", [6, 4, 1])
@pytest.mark.parametrize("rows", [100, 13, 1])
def test_arrays_in_any_chunks(rows, columns):
    X, Y, s = data()
    cut = da.from_array(X, chunks=(rows, columns))
    found = moments(cut, da.from_array(Y, chunks=(9, 2)), da.from_array(s, chunks=50))
    assert_equal(found, Moments.from_data(X, Y, s))


def test_one_target_and_sparse_blocks():
    X, Y, _ = data()
    X[np.abs(X) < 0.8] = 0
    blocks = da.from_array(X, chunks=(30, 6)).map_blocks(sparse.csr_array, dtype=float)
    found = moments(blocks, da.from_array(Y[:, 0]))
    assert found.y_ndim == 1
    assert_equal(found, Moments.from_data(X, Y[:, 0]))


def test_blocks_of_unknown_length_that_may_be_empty():
    X, Y, s = data()
    cut = [da.from_array(a, chunks=10) for a in (X, Y, s)]
    chosen = cut[0][:, 0] > 1.8
    assert not chosen.compute().reshape(10, 10).any(axis=1).all()  # some are empty
    found = moments(*(a[chosen] for a in cut))
    keep = X[:, 0] > 1.8
    assert_equal(found, Moments.from_data(X[keep], Y[keep], s[keep]))


@pytest.mark.parametrize("targets", ["y", ["y", "z"]])
@pytest.mark.parametrize("weights", ["w", None])
def test_frames_keep_their_names(targets, weights):
    table = frames()
    table = table[table.a > 0.5]  # lengths are not known, some partitions are small
    s = None if weights is None else table[weights]
    found = moments(table[NAMES], table[targets], s)
    rows = table.compute()
    whole = Moments.from_data(rows[NAMES], rows[targets], None if s is None else rows["w"])
    assert_equal(found, whole)
    assert found.y_ndim == whole.y_ndim
    assert list(found.feature_names) == NAMES
    model = GroupLassoRegressor().fit_moments(found)
    assert list(model.feature_names_in_) == NAMES


def test_partitions_without_rows_add_nothing():
    table = frames(10)
    table = table[table.row < 25]
    rows = table.compute()
    found = moments(table[NAMES], table["y"])
    assert_equal(found, Moments.from_data(rows[NAMES], rows["y"]))


def test_the_same_bits_whatever_runs_it():
    X, Y, _ = data(1000)
    cut = da.from_array(X, chunks=(9, 6)), da.from_array(Y, chunks=9)
    found = []
    for scheduler in ("synchronous", "threads", "threads"):
        with dask.config.set(scheduler=scheduler, num_workers=3):
            found.append(moments(*cut))
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])


def test_numbers_of_what_both_are_made_of_are_drawn_once():
    counted = []

    def count(block):
        counted.append(len(block))
        return block

    table = da.from_array(np.hstack(data()[:2]), chunks=(20, 9)).map_blocks(count, dtype=float)
    counted.clear()  # dask tries on an empty block
    moments(table[:, :6], table[:, 6:])
    assert counted == [20] * 5


def test_means_of_1e8_keep_their_digits():
    X, Y, near = far_from_zero()
    found = moments(da.from_array(X, chunks=(61, 4)), da.from_array(Y, chunks=61))
    assert_6_digits(found, near)


def _forgets_the_last_group(parts):
    n = shrinklin.distributed._FAN_IN
    return parts[: len(parts) // n * n]


def test_a_tree_that_drops_what_is_left_over_is_rejected(monkeypatch):
    X, Y, s = data()
    tree = shrinklin.distributed._tree
    monkeypatch.setattr(
        shrinklin.distributed, "_tree", lambda chunks: tree(_forgets_the_last_group(chunks))
    )
    found = moments(*(da.from_array(a, chunks=8) for a in (X, Y, s)))
    with pytest.raises(AssertionError):
        assert_equal(found, Moments.from_data(X, Y, s))


# On a cluster.


@beside_a_client
@pytest.mark.usefixtures("client")
def test_a_cluster_gives_what_this_process_gives():
    X, Y, s = data(1000)
    cut = [da.from_array(a, chunks=90) for a in (X, Y, s)]
    found = moments(*cut)
    assert_equal(found, Moments.from_data(X, Y, s))
    with dask.config.set(scheduler="threads"):
        assert same_bits(found, moments(*cut))


@pytest.mark.usefixtures("client")
def test_a_cluster_takes_frames():
    table = frames()
    rows = table.compute()
    found = moments(table[NAMES], table[["y", "z"]], table["w"])
    assert_equal(found, Moments.from_data(rows[NAMES], rows[["y", "z"]], rows["w"]))
    assert list(found.feature_names) == NAMES


@pytest.mark.usefixtures("client")
def test_an_error_of_a_worker_names_the_chunk():
    X, Y, _ = data()
    X[57, 2] = np.nan
    with pytest.raises(
        ValueError, match=r"chunk 5: 1 of the 6 columns of X contain NaN.*First columns: 2"
    ):
        moments(da.from_array(X, chunks=10), da.from_array(Y, chunks=10))


def slowed(X, n_rows, log):
    """X in blocks that take their time, each leaving a file named after its worker."""

    def slow(block, block_info=None):
        time.sleep(0.1)
        number = block_info[0]["chunk-location"][0]
        (log / f"{number}-{os.getpid()}-{time.time_ns()}").touch()
        return block

    return da.from_array(X, chunks=(n_rows, X.shape[1])).map_blocks(slow, dtype=float, meta=X)


def wait_until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_in_the_middle(log, pids, found):
    """Kill the worker that has done the most when 6 of 30 blocks are done: too few for a sum."""
    wait_until(lambda: len(list(log.iterdir())) >= 6)
    done = [file.name.split("-") for file in log.iterdir()]
    by = {pid: {number for number, p, _ in done if p == str(pid)} for pid in pids}
    victim = max(pids, key=lambda pid: len(by[pid]))
    os.kill(victim, signal.SIGKILL)
    found.update(victim=victim, lost=by[victim], done={number for number, *_ in done})


@beside_a_client
def test_a_worker_that_is_killed_changes_nothing(client, tmp_path, monkeypatch):
    monkeypatch.setattr(shrinklin.distributed, "_FAN_IN", 8)  # blocks wait for each other
    X, Y, _ = data(900)
    pids = list(client.run(os.getpid).values())
    assert len(pids) == 3
    X_slow, Y_cut = slowed(X, 30, tmp_path), da.from_array(Y, chunks=30)
    killed = {}
    killer = threading.Thread(target=kill_in_the_middle, args=(tmp_path, pids, killed))
    killer.start()
    found = moments(X_slow, Y_cut)
    killer.join()
    assert_equal(found, Moments.from_data(X, Y))
    with dask.config.set(scheduler="threads"):
        assert same_bits(found, moments(da.from_array(X, chunks=(30, 6)), Y_cut))

    # It died in the middle, with blocks done, and what was lost was done again by others.
    assert 6 <= len(killed["done"]) < 30
    wait_until(lambda: not psutil.pid_exists(killed["victim"]))
    done = [file.name.split("-")[:2] for file in tmp_path.iterdir()]
    again = {number for number, pid in done if pid != str(killed["victim"])}
    assert killed["lost"] & again
    assert {number for number, _ in done} == {str(i) for i in range(30)}


# What is given wrongly.


def _wrong(change):
    X, Y, s = (da.from_array(a, chunks=20) for a in data())
    return change(X, Y, s, frames())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, Y, s, t: (np.eye(3), Y), TypeError, r"X is a numpy.ndarray: give a dask Array"),
        (lambda X, Y, s, t: (X, [1, 2]), TypeError, r"Y is a builtins.list.*Moments.from_data"),
        (lambda X, Y, s, t: (t["a"], t["y"]), TypeError, r"X is a dask.*Series: give"),
        (lambda X, Y, s, t: (X, Y, np.ones(100)), TypeError, "sample_weight is a numpy.ndarray"),
        (
            lambda X, Y, s, t: (t[NAMES], Y),
            TypeError,
            "DataFrame, Y is a dask Array: .*to_dask_array",
        ),
        (lambda X, Y, s, t: (X, Y[:, :0]), ValueError, r"Y of shape \(100, 0\).* one column each"),
        (lambda X, Y, s, t: (X[:, :0], Y), ValueError, r"X of shape \(100, 0\)"),
        (lambda X, Y, s, t: (X, Y, s.astype(str)), ValueError, "chunk \\d: .* is not numeric"),
        (
            lambda X, Y, s, t: (t[NAMES], t["y"].map_partitions(lambda q: q[::-1])),
            ValueError,
            r"chunk \d: the index of Y .* do not belong together",
        ),
        (lambda X, Y, s, t: (X, Y[:50]), ValueError, r"X of shape \(100, 6\), Y of shape \(50, 3"),
        (lambda X, Y, s, t: (X, Y, s[:9]), ValueError, r"sample_weight of shape \(9,\)"),
        (lambda X, Y, s, t: (X[:, 0], Y), ValueError, r"X of shape \(100,\)"),
        (lambda X, Y, s, t: (X, Y, Y), ValueError, r"sample_weight of shape \(n_samples,\)"),
        (lambda X, Y, s, t: (X, Y, 0 * s), ValueError, "no block has a row of weight > 0"),
        (lambda X, Y, s, t: (X[:0], Y[:0]), ValueError, "no block has a row of weight > 0"),
        (lambda X, Y, s, t: (X[X[:, 0] > 0], Y[:40]), ValueError, "compute_chunk_sizes"),
        (
            lambda X, Y, s, t: (X[X[:, 0] > 0], Y[Y[:, 0] > 0]),
            ValueError,
            r"chunk \d: X has shape .* the same number of rows",
        ),
        (
            lambda X, Y, s, t: (t[NAMES], t["y"].repartition(npartitions=2)),
            ValueError,
            "X has 5 partitions, Y has 2",
        ),
        (
            lambda X, Y, s, t: (t[NAMES], t["y"].repartition(divisions=[0, 1, 2, 3, 4, 99])),
            ValueError,
            "their numbers or their divisions differ",
        ),
        (
            lambda X, Y, s, t: (t.assign(a="x")[NAMES], t["y"]),
            ValueError,
            "column 'a' of X holds .*, not numbers",
        ),
    ],
)
def test_wrong_input_is_named(change, error, message):
    with pytest.raises(error, match=message):
        moments(*_wrong(change))


def test_missing_values_of_a_frame_name_their_column():
    rows = frames().compute()
    rows.loc[70, "b"] = np.nan
    table = dd.from_pandas(rows, npartitions=4)
    with pytest.raises(
        ValueError, match=r"chunk 2: 1 of the 6 columns of X contain NaN.*First columns: b"
    ):
        moments(table[NAMES], table["y"])


def test_dask_is_imported_when_it_is_used_and_named_where_it_is_not_there():
    code = (
        "import sys, shrinklin; from shrinklin.distributed import moments\n"
        "assert 'dask' not in sys.modules; sys.modules['dask'] = None\n"
        "try: moments(1, 2)\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs dask[array,dataframe] (" in result.stdout, result.stderr
    assert 'pip install "dask[array,dataframe]", or in a clone' in result.stdout
