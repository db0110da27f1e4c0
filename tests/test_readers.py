import gzip
import io
import re
import runpy
import subprocess
import sys
import tracemalloc
import warnings
from dataclasses import replace
from decimal import Decimal
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
    # The parser of pandas alone holds up to 1.2 MB.
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
        (
            {"target": "y", "sample_weight": "a"},
            r"table.\w+: column 'a' of weights is negative in 2\d of the 50 rows .*in row 3 ",
        ),
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
    with pytest.raises(ValueError, match=r"2.parquet has no column 'a'"):
        read(files, "y")
    files[1] = write(table().assign(extra=1), tmp_path / "3.parquet")
    with pytest.raises(ValueError, match=r"3.parquet has a column 'extra' that the files before"):
        read(files, "y")
    assert read(files, "y", features=["a"]).n_samples == 100
    files[1] = write(table().assign(c=["1", "2"] * 25), tmp_path / "4.parquet")
    with pytest.raises(ValueError, match=r"4.parquet: column 'c' holds (str|object), '1' in row 0"):
        read(files, "y")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([True, False], [3, 4]),
        (np.float32([0.5, 0.25]), [1 / 3, 1 / 7]),
        ([1, 2], [0.5, 0.25]),
        (np.int8([1, 2]), [1000, 2000]),
    ],
)
def test_numbers_are_those_of_each_file_whatever_the_first_holds(tmp_path, kind, first, then):
    frames = [pd.DataFrame({"a": a, "y": [1.0, 3.0]}) for a in (first, then)]
    files = [write(frame, tmp_path / f"{i}.{kind}") for i, frame in enumerate(frames)]
    whole = pd.concat([frame.astype(float) for frame in frames])
    assert_equal(read(files, "y"), Moments.from_data(whole[["a"]], whole["y"]))


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


@pytest.mark.parametrize("ending", ["", "9"])
@pytest.mark.parametrize("features", [None, ["a", "b"], ["a"]])
def test_more_fields_than_names_are_refused(tmp_path, features, ending):
    file = tmp_path / "wide.csv"
    file.write_text("a,b,y\n" + "".join(f"{i},{i * i},5,{ending}\n" for i in (4, 6, 1)))
    for rows in (1, None):
        with pytest.raises(ValueError, match=r"rows of .*wide.csv have more fields than its head"):
            read(file, "y", features=features, rows=rows)


def test_separators_at_the_ends_of_lines(tmp_path):
    frame = table()[["a", "b", "y"]]
    file = tmp_path / "ends.csv"
    head, *lines = frame.to_csv(index=False).splitlines()
    file.write_text("\n".join([head, *[line + "," for line in lines]]))
    assert_equal(read(file, "y", index_col=False, rows=8), expected(frame, "y", ["a", "b"]))


def test_two_columns_of_a_name_are_refused(tmp_path):
    file = tmp_path / "twice.csv"
    file.write_text("a,y,y\n1,2,2\n3,4,4\n")
    with pytest.raises(ValueError, match=r"twice.csv has two columns 'y', or .* by features="):
        read(file, "y")
    assert list(read(file, "y", features=["a"]).feature_names) == ["a"]
    import pyarrow.parquet

    columns = [pyarrow.array([1.0, 2.0])] * 3
    file = tmp_path / "twice.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns, names=["a", "y", "y"]), file)
    good = write(pd.DataFrame({"a": [1.0, 2.0], "y": [3.0, 1.0]}), tmp_path / "good.parquet")
    for features in (None, ["a"]):
        with pytest.raises(ValueError, match=r"twice.parquet cannot be read .* duplicate field"):
            read(file, "y", features=features)
        with pytest.raises(ValueError, match=r"twice.parquet has 2 columns 'y': rename"):
            read([good, file], "y", features=features)


def test_numbers_that_are_stored_otherwise(tmp_path):
    frame = table()
    kept = frame.assign(a=frame["a"].round(4), b=frame["c"])
    told = kept.assign(a=[Decimal(f"{a:.4f}") for a in kept["a"]], b=kept["b"].astype("category"))
    file = write(told, tmp_path / "told.parquet")
    assert_equal(read(file, "y", features=FEATURES, rows=9), expected(kept, "y"))


def test_whole_numbers_of_more_than_64_bits(tmp_path):
    big = 2.0**70 * np.array([1, 2, 3])
    frame = pd.DataFrame({"a": [str(int(a)) for a in big], "y": [1, 2, 4]})
    file, whole = write(frame, tmp_path / "big.csv"), Moments.from_data(big[:, None], frame["y"])
    assert_equal(read(file, "y", dtype={"a": float}), whole)
    assert_equal(read(file, "y"), whole)


WRITTEN = {
    "flags and numbers": (["True", "False", "1", "0", "true", "FALSE"], [1, 0, 1, 0, 1, 0], {}),
    "flags and fractions": (
        ["True", "1.5", "-.5e1", "False", "+2.", "1e-3"],
        [1, 1.5, -5, 0, 2, 1e-3],
        {},
    ),
    "spaces": (["True", " 1", "0 ", "2", "False", "3"], [1, 1, 0, 2, 0, 3], {}),
    "words of one's own": (
        ["yes", "no", "1", "True", "0", "no"],
        [1, 0, 1, 1, 0, 0],
        {"true_values": ["yes"], "false_values": ["no"]},
    ),
    "signs of one's own": (
        ["True", "1.234,5", "1.000", "False", "2", "-3,25"],
        [1, 1234.5, 1000, 0, 2, -3.25],
        {"thousands": ".", "decimal": ",", "sep": ";"},
    ),
    "categories": (
        ["True", "1", "0", "2.5", "False", "3"],
        [1, 1, 0, 2.5, 0, 3],
        {"dtype": {"a": "category"}},
    ),
    "huge and negative": (
        ["18446744073709551615", "-1", "3", "4", "5", "6"],
        [2.0**64, -1, 3, 4, 5, 6],
        {},
    ),
    "huge and fractions": ([str(10**23), "1.5", "3", "4", "5", "6"], [1e23, 1.5, 3, 4, 5, 6], {}),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize(
    "role",
    [
        {"target": "b", "features": ["a"]},
        {"target": "a", "features": ["b"]},
        {"target": "b", "features": ["c"], "sample_weight": "a"},
    ],
    ids=["feature", "target", "weight"],
)
def test_what_a_column_means_does_not_depend_on_the_rows_read_at_a_time(kind, role):
    texts, numbers, options = WRITTEN[kind]
    frame = pd.DataFrame({"a": np.array(numbers, float), "b": range(6), "c": [0, 3, 1, 2, 5, 1]})
    if "sample_weight" in role:
        texts, frame["a"] = [text.lstrip("-") for text in texts], np.abs(frame["a"])
    sep = options.get("sep", ",")
    rows = [sep.join(map(str, row)) for row in zip(texts, frame["b"], frame["c"], strict=True)]
    text = "\n".join([sep.join("abc"), *rows])
    for n_rows in (1, 2, 3, 6):
        found = Moments.from_csv(io.StringIO(text), **role, chunksize=n_rows, **options)
        whole = expected(frame, **role)
        # Rows of no weight are counted where they come with others.
        assert_equal(replace(found, n_samples=6), whole)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["True", "maybe", "1"], {}),
        (["True", "1_000", "1"], {}),
        (["True", "1.5", "1"], {"decimal": ","}),
        (["True", "1,5", "1"], {"quoting": 0}),
        (["True", "1", "0"], {"dtype": {"a": str}}),
        (["1", "2", "3"], {"dtype": str}),
        (["True", "1", "0"], {"converters": {"a": str}}),
    ],
)
def test_text_stays_text_however_many_rows_are_read_at_a_time(texts, options):
    lines = [f'"{text}",{i}' for i, text in enumerate(texts)]
    for n_rows in (1, 2, 3):
        with pytest.raises(ValueError, match=r"column '[ab]' holds .*, and not numbers"):
            Moments.from_csv(
                io.StringIO("\n".join(["a,b", *lines])), "b", chunksize=n_rows, **options
            )


@pytest.mark.parametrize(("text", "told"), [("1,234", "thousands=','"), ("1,5", "decimal=','")])
def test_numbers_that_pandas_takes_for_text_name_its_option(tmp_path, text, told):
    frame = pd.DataFrame({"a": ["3", text], "y": [1, 2]})
    with pytest.raises(ValueError, match=rf"holds (str|object), '{text}' in row 1, .* give {told}"):
        read(write(frame, tmp_path / "a.csv"), "y")


def _unreadable(folder):
    text = table().to_csv(index=False)
    (folder / "utf16.csv").write_bytes(text.encode("utf-16"))
    (folder / "latin.csv").write_bytes(text.replace("on", "ön").encode("latin-1"))
    (folder / "zipped.csv").write_bytes(gzip.compress(text.encode()))
    (folder / "cut.csv.gz").write_bytes(gzip.compress(text.encode())[:-30])
    (folder / "plain.csv.gz").write_text(text)
    (folder / "text.parquet").write_text(text)


@pytest.mark.parametrize(
    "name",
    ["utf16.csv", "latin.csv", "zipped.csv", "cut.csv.gz", "plain.csv.gz", "text.parquet"],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name):
    _unreadable(tmp_path)
    good = write(table(), tmp_path / ("good.csv" if ".csv" in name else "good.parquet"))
    for files in ([good, tmp_path / name], tmp_path / name):
        with pytest.raises(ValueError, match=f"{name} cannot be read as such a table"):
            read(files, "y")


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


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path.name} holds no files"):
        Moments.from_parquet(tmp_path, "y")


def in_another_process(code):
    """What is printed by code, run on its own so that its memory can be measured."""
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
    message = rf'Moments.{reader} needs {package} \(.*\): pip install "{package}", or in a clone'
    with pytest.raises(ImportError, match=message):
        getattr(Moments, reader)("table", "y")


def test_the_example_runs_and_draws(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "large_data.png"
    monkeypatch.setattr(sys, "argv", ["large_data.py", "--out", str(picture)])
    runpy.run_path(str(ROOT / "examples" / "reports" / "large_data.py"), run_name="__main__")
    shown = capsys.readouterr().out
    first, last = np.array(re.findall(r"error ([\d.]+) after .*, ([\d.]+) after", shown), float).T
    assert (last < 0.8 * first).all()
    assert shown.count("the whole file differs by") == 2
    assert picture.stat().st_size > 10_000


def test_parquet_whose_description_is_damaged_is_told(tmp_path):
    from pyarrow import parquet, table

    file = tmp_path / "damaged.parquet"
    columns = table({"x": [1.0, 2.0], "y": [0.0, 1.0]})
    parquet.write_table(columns.replace_schema_metadata({"pandas": "{"}), file)
    with pytest.raises(ValueError, match=r"damaged.parquet cannot be read as such a table"):
        Moments.from_parquet(file, "y")


def test_parquet_that_is_none_is_told(tmp_path):
    file = tmp_path / "none.parquet"
    file.write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    with pytest.raises(ValueError, match=r"none.parquet cannot be read as such a table"):
        Moments.from_parquet(str(file), "y")
