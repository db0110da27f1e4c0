import io
import re
import runpy
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import simulate
from shrinklin import GroupLassoRegressor, Moments
from test_moments import assert_6_digits, assert_equal, far_from_zero

ROOT = Path(__file__).parents[1]
FEATURES = ["a", "b", "c", "on"]


def table(n_samples=50, seed=0):
    """Columns of floats, whole numbers and flags, two targets and a weight."""
    X, Y = simulate(n_samples, 3, 2, seed=seed)
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": X[:, 0],
            "y": Y[:, 0],
            "b": X[:, 1] + 100,
            "c": rng.integers(-5, 5, n_samples),
            "on": X[:, 2] > 0,
            "z": Y[:, 1],
            "w": rng.uniform(0, 2, n_samples),
        }
    )


def write(frame, file, **options):
    if file.suffix == ".csv":
        frame.to_csv(file, **({"index": False} | options))
    else:
        frame.to_parquet(file, **options)
    return file


def read(file, *arguments, rows=None, **options):
    """By the reader for files of that kind, `rows` at a time."""
    one = file[0] if isinstance(file, list) else file
    csv = ".csv" in str(one)
    if rows is not None:
        options["chunksize" if csv else "batch_size"] = rows
    return (Moments.from_csv if csv else Moments.from_parquet)(file, *arguments, **options)


def expected(frame, target, features=None, sample_weight=None):
    s = None if sample_weight is None else frame[sample_weight]
    return Moments.from_data(frame[features or FEATURES].astype(float), frame[target], s)


@pytest.fixture(params=["csv", "parquet"])
def kind(request):
    return request.param


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
    with pytest.raises(ValueError, match=r"column without a name, 'Unnamed: 0'.*index_col=0"):
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
    assert peak < 0.3 * 50_000 * 8 * 8


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


# What is given wrongly.


def _with(column, row, value):
    frame = table()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize("column", ["a", "on", "y", "w"])
def test_missing_values_are_named(tmp_path, kind, column):
    file = write(_with(column, 23, None), tmp_path / f"gap.{kind}")
    message = (
        rf"gap.{kind}: column '{column}' is empty in 1 of the 10 rows read, first in row 23 .*"
        r"leave out their rows.*Moments.from_chunks"
    )
    with pytest.raises(ValueError, match=message):
        read(file, "y", sample_weight="w", rows=10)


def test_text_and_infinity_are_named(tmp_path, kind):
    file = write(table().assign(b="x"), tmp_path / f"text.{kind}")
    with pytest.raises(ValueError, match=rf"text.{kind}: column 'b' holds .*'x' in row 0.*encode"):
        read(file, "y")
    assert read(file, "y", features=["a", "c"]).n_features == 2
    file = write(table().assign(c=table().c.replace(2, np.inf)), tmp_path / f"inf.{kind}")
    with pytest.raises(ValueError, match=r"column 'c' is infinite in \d of the 50 rows"):
        read(file, "y")


def test_text_among_numbers_is_shown(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        file = write(_with("c", 31, "n.d."), tmp_path / "mixed.csv")
        with pytest.raises(ValueError, match=r"column 'c' holds .*'n.d.' in row 31"):
            read(file, "y", rows=20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": "q"},
            r"table.\w+ has no column 'q': .* 7 columns, 'a', 'y', .*Check the names",
        ),
        ({"target": ["y", "q"]}, "has no column 'q'"),
        ({"target": "y", "sample_weight": "q"}, "has no column 'q'"),
        ({"target": "y", "features": ["a", "q"]}, "has no column 'q'"),
        ({"target": []}, "give target a name or a list of names, at least one"),
        ({"target": "y", "features": []}, "features a list of names or None"),
        ({"target": "y", "features": "abc"}, "features='abc'"),
        ({"target": "y", "features": ["a", "y"]}, "column 'y' is given twice"),
        ({"target": "y", "sample_weight": "y"}, "column 'y' is given twice"),
        ({"target": ["y", "y"]}, "column 'y' is given twice"),
        ({"target": list(table().columns)}, "at least one feature is needed"),
        ({"target": "y", "rows": 0}, "=0: give a whole number >= 1"),
        ({"target": "y", "sample_weight": "a"}, "chunk 0: sample_weight has .* negative"),
    ],
)
def test_wrong_columns_are_named(tmp_path, kind, options, message):
    file = write(table(), tmp_path / f"table.{kind}")
    options = dict(options)
    with pytest.raises(ValueError, match=message):
        read(file, options.pop("target"), **options)


def test_files_of_other_columns_are_named(tmp_path):
    one, more = write(table(), tmp_path / "one.csv"), tmp_path / "more.csv"
    write(table().assign(extra=1), more)
    with pytest.raises(ValueError, match=r"more.csv has a column 'extra' that the files before"):
        read([one, more], "y")
    with pytest.raises(ValueError, match=r"one.csv has no column 'extra'"):
        read([more, one], "y")
    assert read([one, more], "y", features=["a"]).n_samples == 100
    files = [write(table(), tmp_path / "1.parquet")]
    files.append(write(table().drop(columns="a"), tmp_path / "2.parquet"))
    with pytest.raises(ValueError, match=r"2.parquet: column 'a' is empty in 50 of the 50 rows"):
        read(files, "y")
    files[1] = write(table().assign(c="x"), tmp_path / "3.parquet")
    with pytest.raises(ValueError, match=r"3.parquet cannot be read as a table like the others"):
        read(files, "y")


def test_files_that_are_not_there_or_empty(tmp_path, kind):
    with pytest.raises(FileNotFoundError, match="none"):
        read(tmp_path / f"none.{kind}", "y")
    with pytest.raises(ValueError, match="no chunk has a row"):
        read(write(table().head(0), tmp_path / f"header.{kind}"), "y")
    empty = tmp_path / f"empty.{kind}"
    empty.touch()
    with pytest.raises(ValueError, match="empty"):
        read(empty, "y")
    with pytest.raises(ValueError, match="at least one file"):
        getattr(Moments, f"from_{kind}")([], "y")


@pytest.mark.parametrize(
    ("reader", "missing"),
    [("from_csv", "pandas"), ("from_parquet", "pandas"), ("from_parquet", "pyarrow.dataset")],
)
def test_without_the_extra_it_is_named(monkeypatch, reader, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    package = missing.partition(".")[0]
    message = rf'Moments.{reader} needs {package}: pip install "shrinklin\[files\]"'
    with pytest.raises(ImportError, match=message):
        getattr(Moments, reader)("table", "y")


def test_the_example_runs_and_draws(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "large_data.png"
    monkeypatch.setattr(sys, "argv", ["plot_large_data.py", "--out", str(picture)])
    runpy.run_path(str(ROOT / "examples" / "plot_large_data.py"), run_name="__main__")
    shown = capsys.readouterr().out
    first, last = np.array(re.findall(r"error ([\d.]+) after .*, ([\d.]+) after", shown), float).T
    assert (last < 0.8 * first).all()
    assert shown.count("the whole file differs by") == 2
    assert picture.stat().st_size > 10_000
