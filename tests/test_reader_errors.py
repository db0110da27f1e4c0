"""Files and columns that cannot be read: the error names the file, the column and the row."""

import gzip
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from shrinklin import Moments
from written_tables import each_kind, read, table, write

kind = pytest.fixture(params=["csv", "parquet"])(each_kind)


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
            r"table.\w+ has no column 'q': 7 columns were read, 'a', 'y', .*Check the names",
        ),
        ({"target": ["y", "q"]}, "has no column 'q'"),
        ({"target": "y", "sample_weight": "q"}, "has no column 'q'"),
        ({"target": "y", "features": ["a", "q"]}, "has no column 'q'"),
        ({"target": []}, "a name or a non-empty list of names as target"),
        ({"target": "y", "features": []}, "None or a non-empty list of names as features"),
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


@pytest.mark.parametrize("ending", ["", "9"])
@pytest.mark.parametrize("features", [None, ["a", "b"], ["a"]])
def test_more_fields_than_names_are_refused(tmp_path, features, ending):
    file = tmp_path / "wide.csv"
    file.write_text("a,b,y\n" + "".join(f"{i},{i * i},5,{ending}\n" for i in (4, 6, 1)))
    for rows in (1, None):
        with pytest.raises(ValueError, match=r"rows of .*wide.csv have more fields than its head"):
            read(file, "y", features=features, rows=rows)


def test_two_columns_of_a_name_are_refused(tmp_path):
    file = tmp_path / "twice.csv"
    file.write_text("a,y,y\n1,2,2\n3,4,4\n")
    with pytest.raises(ValueError, match=r"twice.csv has two columns 'y', of .* in features="):
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
        with pytest.raises(ValueError, match=f"{name} cannot be read in this format"):
            read(files, "y")


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path.name} holds no files"):
        Moments.from_parquet(tmp_path, "y")


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


def test_parquet_whose_description_is_damaged_is_told(tmp_path):
    from pyarrow import parquet, table

    file = tmp_path / "damaged.parquet"
    columns = table({"x": [1.0, 2.0], "y": [0.0, 1.0]})
    parquet.write_table(columns.replace_schema_metadata({"pandas": "{"}), file)
    with pytest.raises(ValueError, match=r"damaged.parquet cannot be read in this format"):
        Moments.from_parquet(file, "y")


def test_parquet_that_is_none_is_told(tmp_path):
    file = tmp_path / "none.parquet"
    file.write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    with pytest.raises(ValueError, match=r"none.parquet cannot be read in this format"):
        Moments.from_parquet(str(file), "y")
