"""The moments of a file are those of its table, and reading it takes little memory."""

import io
import re
import runpy
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equal_moments import assert_6_digits, assert_equal, far_from_zero
from shrinklin import GroupLassoRegressor, Moments
from written_tables import FEATURES, each_kind, expected, read, table, write

ROOT = Path(__file__).parents[1]
kind = pytest.fixture(params=["csv", "parquet"])(each_kind)


@pytest.mark.parametrize("rows", [1, 7, 50, None])
@pytest.mark.parametrize("target", ["y", ["y", "z"], ["y"]])
def test_equal_to_the_moments_of_the_table(tmp_path, kind, rows, target):
    frame = table()
    file = write(frame, tmp_path / f"table.{kind}")
    found = read(file, target, features=FEATURES, sample_weight="w", rows=rows)
    whole = expected(frame, target, sample_weight="w")
    assert_equal(found, whole)
    assert found.y_ndim == whole.y_ndim
    assert list(found.feature_names) == FEATURES


def test_all_columns_but_targets_and_weight_are_features(tmp_path, kind):
    file = write(table(), tmp_path / f"table.{kind}")
    assert list(read(file, "y", sample_weight="w").feature_names) == ["a", "b", "c", "on", "z"]
    assert list(read(str(file), ["y", "z"]).feature_names) == ["a", "b", "c", "on", "w"]


def test_features_stand_in_the_order_they_are_given(tmp_path, kind):
    frame = table()
    file = write(frame, tmp_path / f"table.{kind}")
    found = read(file, "y", features=["c", "a"])
    assert list(found.feature_names) == ["c", "a"]
    assert_equal(found, expected(frame, "y", ["c", "a"]))
    model = GroupLassoRegressor(alpha=0.01).fit_moments(found)
    model.predict(frame[["c", "a"]])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["a", "c"]])


@pytest.mark.parametrize("features", [None, FEATURES])
def test_columns_of_several_files_are_taken_by_name(tmp_path, kind, features):
    frames = [table(seed=seed).drop(columns="w") for seed in range(3)]
    frames[1] = frames[1][frames[1].columns[::-1]]
    frames.append(frames[0].head(0))
    files = [write(f, tmp_path / f"{i}.{kind}") for i, f in enumerate(frames)]
    found = read(files, ["y", "z"], features=features, rows=8)
    assert_equal(found, expected(pd.concat(frames), ["y", "z"]))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(rows=st.integers(1, 60), sizes=st.lists(st.integers(0, 20), min_size=1, max_size=3))
def test_any_chunks_of_any_files(tmp_path_factory, rows, sizes):
    frames = [table(1 + size, seed) for seed, size in enumerate(sizes)]
    folder = tmp_path_factory.mktemp("any")
    for suffix in ("csv", "parquet"):
        files = [write(f, folder / f"{i}.{suffix}") for i, f in enumerate(frames)]
        found = read(files, "y", features=FEATURES, rows=rows)
        assert_equal(found, expected(pd.concat(frames), "y"))


def test_a_folder_of_parquet_files(tmp_path):
    for seed in range(3):
        write(table(seed=seed), tmp_path / f"{seed}.parquet", row_group_size=20)
    whole = pd.concat([table(seed=seed) for seed in range(3)])
    assert_equal(read(tmp_path, "y", features=FEATURES), expected(whole, "y"))


def test_options_go_to_pandas(tmp_path):
    frame = table()
    text = frame.drop(columns="w").to_csv(sep=";", decimal=",")
    found = Moments.from_csv(io.StringIO(text), "y", sep=";", decimal=",", index_col=0)
    assert_equal(found, expected(frame, "y", ["a", "b", "c", "on", "z"]))
    found = Moments.from_csv(io.StringIO("1,2,3\n4,5,7\n"), 2, header=None)
    assert found.feature_names is None  # they are numbers
    assert found.n_features == 2


def test_options_go_to_pyarrow(tmp_path):
    file = write(table(), tmp_path / "table.csv")
    found = Moments.from_parquet(file, "y", features=FEATURES, format="csv")
    assert_equal(found, expected(table(), "y"))


def test_the_index_of_a_table_is_no_feature(tmp_path):
    frame = table()
    frame.index = frame.index + 5
    found = read(write(frame, tmp_path / "table.parquet"), "y")
    assert "__index_level_0__" not in found.feature_names
    file = write(frame, tmp_path / "table.csv", index=True)
    with pytest.raises(
        ValueError, match=r"column without a name, which pandas calls 'Unnamed: 0'.*index_col=0"
    ):
        read(file, "y")
    assert_equal(read(file, "y", features=FEATURES), expected(frame, "y"))
    assert_equal(read(file, "y", index_col=0), read(tmp_path / "table.parquet", "y"))


def test_one_chunk_is_in_memory_at_a_time(tmp_path):
    file = tmp_path / "long.csv"
    line = ",".join(f"0.{j}25" for j in range(1, 9)) + "\n"
    file.write_text("y," + ",".join("abcdefg") + "\n" + line * 50_000)
    read(file, "y", rows=1000, nrows=2000)
    tracemalloc.start()
    found = read(file, "y", rows=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_samples == 50_000
    # pandas' parser alone takes up to 1.2 MB.
    assert peak < 0.5 * 50_000 * 8 * 8


def test_means_of_1e8_keep_their_digits(tmp_path, kind):
    X, Y, near = far_from_zero()
    frame = pd.DataFrame(np.hstack([X, Y]), columns=list("abcdyz"))
    assert_6_digits(read(write(frame, tmp_path / f"far.{kind}"), ["y", "z"], rows=61), near)


def test_columns_taken_by_place_are_rejected(tmp_path, monkeypatch):
    frames = [table(), table(seed=1)[table().columns[::-1]]]
    files = [write(frame, tmp_path / f"{i}.csv") for i, frame in enumerate(frames)]
    by_place = pd.read_csv
    monkeypatch.setattr(
        pd, "read_csv", lambda *a, **k: by_place(*a, **k, header=0, names=list(table().columns))
    )
    with pytest.raises((AssertionError, ValueError)):
        assert_equal(
            read(files, "y", features=["a", "b", "c"]),
            expected(pd.concat(frames), "y", ["a", "b", "c"]),
        )


def test_the_index_of_a_later_parquet_file_is_no_feature(tmp_path):
    frames = [table(), table(seed=1).set_axis(range(7, 57))]
    files = [write(frame, tmp_path / f"{i}.parquet") for i, frame in enumerate(frames)]
    whole = pd.concat(frames)
    assert_equal(read(files, "y"), expected(whole, "y", ["a", "b", "c", "on", "z", "w"]))


def test_columns_in_the_names_of_folders(tmp_path):
    for year in (2020, 2021):
        (tmp_path / f"year={year}").mkdir()
        write(table(seed=year), tmp_path / f"year={year}" / "part.parquet")
    whole = pd.concat([table(seed=year).assign(year=year) for year in (2020, 2021)])
    for features in (["a", "year"], None):
        found = read(tmp_path, "y", features=features, partitioning="hive")
        names = features or ["a", "b", "c", "on", "z", "w", "year"]
        assert_equal(found, expected(whole, "y", names))
    assert "year" not in read(tmp_path, "y", partitioning=None).feature_names


def test_separators_at_the_ends_of_lines(tmp_path):
    frame = table()[["a", "b", "y"]]
    file = tmp_path / "ends.csv"
    head, *lines = frame.to_csv(index=False).splitlines()
    file.write_text("\n".join([head, *[line + "," for line in lines]]))
    assert_equal(read(file, "y", index_col=False, rows=8), expected(frame, "y", ["a", "b"]))


def test_names_and_files_in_any_order_of_things(tmp_path, kind):
    frame = table()
    file = write(frame, tmp_path / f"table.{kind}")
    whole = expected(frame, "y", ["c", "a"])
    for features in (pd.Index(["c", "a"]), {"c": 1, "a": 2}.keys(), iter(["c", "a"])):
        assert_equal(read(file, "y", features=features), whole)
    for target in ({"y"}, frozenset({"y"})):
        with pytest.raises(ValueError, match="target is a set, which has no order"):
            read(file, target)
    reader = getattr(Moments, f"from_{kind}")
    assert reader((f for f in [file, file]), "y").n_samples == 100


def in_another_process(code):
    """The number that this code prints, run in a process of its own to measure its memory."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not result.returncode, result.stderr
    return float(result.stdout)


def test_a_gigabyte_goes_through_a_process_of_little_memory():
    grown = in_another_process("""
import resource
import numpy as np
from shrinklin import GroupLassoRegressor, Moments

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def chunks(n):
    for number in range(n):
        rng = np.random.default_rng(number)
        X = rng.random((25_000, 50), dtype=np.float32).astype(float)
        yield X, X[:, :2]

# The first fit loads what is compiled, beside which the second takes room for its chunks.
for _ in range(2):
    GroupLassoRegressor().fit_moments(Moments.from_chunks(chunks(2)))
before = peak()
found = Moments.from_chunks(chunks(100))
assert found.n_samples * found.n_features * 8 == 1e9
GroupLassoRegressor().fit_moments(found)
print(peak() - before)
""")
    assert grown < 2e7


def test_little_of_a_parquet_file_is_read_ahead(tmp_path):
    rows = np.random.default_rng(0).normal(size=(300_000, 16))
    frame = pd.DataFrame(rows, columns=[f"x{j}" for j in range(15)] + ["y"])
    file = write(frame, tmp_path / "long.parquet", row_group_size=4000)
    peak = in_another_process(f"""
import pyarrow
from shrinklin import Moments
Moments.from_parquet({str(file)!r}, "y", batch_size=2000)
print(pyarrow.default_memory_pool().max_memory())
""")
    assert peak < 0.5 * rows.nbytes


def test_the_example_runs_and_draws(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "large_data.png"
    monkeypatch.setattr(sys, "argv", ["large_data.py", "--out", str(picture)])
    runpy.run_path(str(ROOT / "examples" / "reports" / "large_data.py"), run_name="__main__")
    shown = capsys.readouterr().out
    first, last = np.array(re.findall(r"error ([\d.]+) after .*, ([\d.]+) after", shown), float).T
    assert (last < 0.8 * first).all()
    assert shown.count("the whole file differs by") == 2
    assert picture.stat().st_size > 10_000
