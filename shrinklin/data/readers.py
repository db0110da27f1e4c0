"""Chunks (X, Y, sample_weight) of tables in files, for `Moments.from_chunks`.

pandas and pyarrow read the files. This module selects columns by name and refuses entries that
are not numbers. Errors name the file, the column and the row.
"""

import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from gzip import BadGzipFile
from json import JSONDecodeError
from numbers import Real
from os import PathLike

import numpy as np

from shrinklin.messages import imported
from shrinklin.validation.parameters import check_whole

# Errors of files that are cut off, or have another encoding or compression than expected.
_UNREADABLE = (UnicodeError, EOFError, BadGzipFile, zlib.error)
_REMEDY = "To do so chunk by chunk, read the chunks yourself and give them to Moments.from_chunks."


@dataclass(frozen=True)
class ColumnRoles:
    """Which columns are the targets, the features and the weights of the samples.

    Parameters
    ----------
    target : str or list of str
        A str makes Y 1-D. Any other ordered collection of names becomes a list.
    features : list of str or None
        None until the columns of the first file are known.
    sample_weight : str or None
    """

    target: str | list
    features: list | None = None
    sample_weight: str | None = None

    def __post_init__(self):
        for name in ("target", "features"):
            value = getattr(self, name)
            if isinstance(value, set | frozenset):
                raise ValueError(f"{name} is a set, which has no order: give a list of names.")
            if isinstance(value, Iterable) and not isinstance(value, str):
                object.__setattr__(self, name, list(value))
        if isinstance(self.features, str) or self.features == [] or self.target == []:
            raise ValueError(
                f"target={self.target!r}, features={self.features!r}: give a name or a non-empty "
                "list of names as target, and None or a non-empty list of names as features."
            )
        if len(set(self.wanted)) < len(self.wanted):
            twice = sorted({str(name) for name in self.wanted if self.wanted.count(name) > 1})
            raise ValueError(
                f"column {twice[0]!r} is given twice among target, features and sample_weight: "
                "give each column only one role."
            )

    @property
    def _others(self):
        """The columns of targets and weights."""
        targets = self.target if isinstance(self.target, list) else [self.target]
        return targets + ([] if self.sample_weight is None else [self.sample_weight])

    @property
    def wanted(self):
        return self._others + (self.features or [])

    def found_in(self, names, where):
        """The roles in a table with these column names. The features are then known."""
        names = list(names)
        self._check_there(names, where)
        if self.features is not None:
            return self
        features = [name for name in names if name not in self._others]
        if not features:
            raise ValueError(
                f"{where} has no columns except {self._others}, which are target and "
                "sample_weight: at least one feature is needed."
            )
        return replace(self, features=features)

    def _check_there(self, names, where):
        there = set(names)
        missing = [name for name in self.wanted if name not in there]
        if missing:
            shown = ", ".join(repr(name) for name in names[:10]) + ", …" * (len(names) > 10)
            raise ValueError(
                f"{where} has no column {missing[0]!r}: {len(names)} columns were read, {shown}. "
                "Check the names (and sep= and header= of a CSV file)."
            )

    def of(self, frame):
        """(X, Y, sample_weight) from a DataFrame of numbers."""
        s = None if self.sample_weight is None else frame[self.sample_weight].astype(float)
        return frame[self.features].astype(float), frame[self.target].astype(float), s


@dataclass(frozen=True)
class _TextFormat:
    """How booleans and numbers are written in a CSV file, from the options of `pandas.read_csv`.

    If the rows read at a time contain booleans and numbers in one column, or huge numbers and
    others, pandas reads the column as text. This class converts such text entry by entry, so
    that the values do not depend on which rows are read together.
    """

    flags: dict
    number: re.Pattern
    thousands: str
    decimal: str
    typed: Container

    @classmethod
    def of(cls, options):
        flags = dict.fromkeys(options.get("true_values") or (), 1.0)
        flags |= dict.fromkeys(options.get("false_values") or (), 0.0)
        decimal, thousands = options.get("decimal", "."), options.get("thousands") or ""
        point = re.escape(decimal)
        number = rf"[+-]?(\d+{point}?\d*|{point}\d+)([eE][+-]?\d+)?"
        typed = _TypedColumns.of(options)
        return cls(flags, re.compile(number, re.ASCII), thousands, decimal, typed)

    def numbers(self, values):
        """A column with its text converted to numbers, or unchanged if that is impossible."""
        category = hasattr(values, "cat")
        if not category and (values.dtype.kind != "O" or values.name in self.typed):
            return values
        read = [self._value(v) if isinstance(v, str) else v for v in values]
        if any(value is None for value in read):
            return values
        return type(values)(read, index=values.index, dtype=object, name=values.name)

    def _value(self, text):
        text = text.strip()
        if text in self.flags:
            return self.flags[text]
        if text.lower() in ("true", "false"):
            return float(text.lower() == "true")
        text = text.replace(self.thousands, "") if self.thousands else text
        return float(text.replace(self.decimal, ".")) if self.number.fullmatch(text) else None


@dataclass(frozen=True)
class _TypedColumns:
    """The columns whose type is given by the options `dtype` or `converters` of pandas."""

    names: frozenset
    all: bool

    @classmethod
    def of(cls, options):
        dtype = options.get("dtype")
        some = dtype if type(dtype) is dict else {}
        names = frozenset([*some, *(options.get("converters") or ())])
        return cls(names, dtype is not None and dtype is not some)

    def __contains__(self, name):
        return self.all or name in self.names


def csv_chunks(path, columns, chunksize, options):
    """Yield (X, Y, sample_weight) of at most `chunksize` rows of CSV files."""
    check_whole("chunksize", chunksize, 1)
    pandas = imported("pandas", "Moments.from_csv", "files")
    # Without a list of features, all columns are used. Later files must then have the columns of
    # the first file, and no others.
    if columns.features is not None:
        options = {"usecols": set(columns.wanted).__contains__} | options
    names, text_format = None, _TextFormat.of(options)
    refused = (pandas.errors.EmptyDataError, pandas.errors.ParserError, *_UNREADABLE)
    for file in _several(path):
        with (
            _naming(file, refused),
            pandas.read_csv(file, chunksize=chunksize, **options) as frames,
        ):
            start = 0
            for frame in frames:
                if "index_col" not in options:
                    _check_no_index(frame, start, file)
                if start == 0:
                    if names is None and columns.features is None:
                        _check_own_names(frame.columns, file)
                    columns = columns.found_in(frame.columns, file)
                    names = _same_names(names, frame.columns, file)
                yield from _chunk(frame, columns, file, start, text_format.numbers)
                start += len(frame)


def _check_no_index(frame, start, file):
    """Raise an error if rows have one more field than the header, as pandas then shifts names."""
    if not frame.index.equals(_row_numbers(start, len(frame))):
        raise ValueError(
            f"the rows of {file} have more fields than its header has names, so pandas takes the "
            "first field for an index. If the lines end with a separator, give index_col=False. If "
            "the first field is an index, give index_col=0. Otherwise correct the header."
        )


def _row_numbers(start, n_rows):
    from pandas import RangeIndex

    return RangeIndex(start, start + n_rows)


def _check_own_names(names, file):
    """Raise an error for names that pandas made up, because these columns would be features."""
    unnamed = [name for name in names if str(name).startswith("Unnamed: ")]
    if unnamed:
        raise ValueError(
            f"{file} has a column without a name, which pandas calls {unnamed[0]!r}: if it is an "
            "index that was saved with the data, give index_col=0; otherwise list the columns "
            "to use in features=."
        )
    twice = [name for name in names if f"{name}.1" in names]
    if twice:
        raise ValueError(
            f"{file} has two columns {twice[0]!r}, of which pandas calls the second {twice[0]}.1, "
            "or columns of both names: list the columns to use in features=."
        )


def _same_names(names, found, file):
    names = set(found) if names is None else names
    others = [name for name in found if name not in names]
    if others:
        raise ValueError(
            f"{file} has a column {others[0]!r} that the files before it do not have: give the "
            "same columns in all files, or list the columns to use in features=."
        )
    return names


def parquet_chunks(path, columns, batch_size, options):
    """Yield (X, Y, sample_weight) of at most `batch_size` rows of parquet files."""
    check_whole("batch_size", batch_size, 1)
    imported("pandas", "Moments.from_parquet", "files")
    dataset = imported("pyarrow.dataset", "Moments.from_parquet", "files")
    from pyarrow import ArrowInvalid

    files = _several(path)
    place = ", ".join(map(str, files[:3]))
    # By default, pyarrow reads many row groups ahead.
    form = dataset.ParquetFileFormat(pre_buffer=False)
    with _naming(place, (ArrowInvalid, OSError)):
        source = [str(file) for file in files] if len(files) > 1 else files[0]
        table = dataset.dataset(source, **({"format": form} | options))
    if not table.files:
        raise ValueError(
            f"{place} holds no files: give a folder of parquet files, or a list of files."
        )
    how = {"batch_size": batch_size, "batch_readahead": 0, "use_threads": False}
    all_count, known = columns.features is None, None
    for file in table.get_fragments():
        with _naming(file.path, (ArrowInvalid, OSError, JSONDecodeError, UnicodeError)):
            schema = _schema(file, table)
            names = _names_to_take(schema, set(columns.wanted), all_count, file.path)
            columns = columns.found_in(names, file.path)
            known = _same_names(known, names, file.path) if all_count else None
            start = 0
            for batch in file.to_batches(schema, columns=columns.wanted, **how):
                frame = batch.to_pandas(ignore_metadata=True)
                yield from _chunk(frame, columns, file.path, start)
                start += len(frame)


def _schema(file, table):
    """The schema of a file, with the columns that exist only in the names of folders.

    The schema of the first file is not used, as it would change the numbers of other files.
    """
    from pyarrow.dataset import get_partition_keys

    schema = file.physical_schema
    for name in get_partition_keys(file.partition_expression):
        if name not in schema.names:
            schema = schema.append(table.schema.field(name))
    return schema


def _names_to_take(schema, wanted, all_count, file):
    """The column names in a schema. If `all_count`, without the index of a DataFrame."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    names = [name for name in schema.names if name in wanted or not (all_count and name in index)]
    number = Counter(name for name in names if all_count or name in wanted)
    for name, times in number.items():
        if times > 1:
            raise ValueError(f"{file} has {times} columns {name!r}: rename all but one of them.")
    return names


def _chunk(frame, columns, file, start, read=lambda values: values):
    """Yield (X, Y, sample_weight) of a frame, if it has rows. It begins at row `start` of a file.

    `read` converts a column of text to numbers, if possible.
    """
    if len(frame):
        numbers = {
            name: _numbers(read(frame[name]), f"{file}: column {name!r}", start)
            for name in columns.wanted
        }
        if columns.sample_weight is not None:
            name = columns.sample_weight
            _refuse(numbers[name] < 0, f"{file}: column {name!r} of weights is negative", start)
        yield columns.of(type(frame)(numbers))


def _numbers(values, what, start):
    """A column as numbers. Raise an error for other entries, with rows counted from `start`."""
    _refuse(values.isna(), f"{what} is empty", start)
    if values.dtype.kind not in "biuf":
        _refuse_text(values, what, start)
        values = values.astype(float)
    _refuse(np.isinf(values.to_numpy(dtype=float)), f"{what} is infinite", start)
    return values


def _refuse_text(values, what, start):
    """Raise an error unless all entries are numbers stored otherwise: decimals or categories."""
    wrong = [i for i, value in enumerate(values) if not isinstance(value, Real | Decimal)]
    if wrong:
        # One entry of text makes pandas read the whole column as text. Name that entry.
        row = next((i for i in wrong if not _reads_as_number(values.iloc[i])), wrong[0])
        value = values.iloc[row]
        raise ValueError(
            f"{what} holds {values.dtype}, {value!r} in row {start + row}, not numbers: leave the "
            f"column out with features=, or encode it as numbers.{_hint(value)} {_REMEDY}"
        )


def _reads_as_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _hint(value):
    """The option that makes `pandas.read_csv` read this text as a number."""
    text = str(value).strip()
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        return " If it is a number, give thousands=','."
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        return " If it is a number, give decimal=','."
    return ""


def _refuse(bad, what, start):
    rows = np.flatnonzero(bad)
    if len(rows):
        raise ValueError(
            f"{what} in {len(rows)} of the {len(bad)} rows read, first in row {start + rows[0]} "
            f"(counted from 0): fill in these entries, or leave out their rows. {_REMEDY}"
        )


@contextmanager
def _naming(file, errors):
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except errors as error:
        hint = " Give its encoding= or compression=." if isinstance(error, _UNREADABLE) else ""
        raise ValueError(f"{file} cannot be read in this format: {error}.{hint}") from error


def _several(path):
    """`path` as a list of files. An open file counts as one, although it can be iterated over."""
    one = isinstance(path, str | bytes | PathLike) or hasattr(path, "read")
    files = list(path) if isinstance(path, Iterable) and not one else [path]
    if not files:
        raise ValueError("path is an empty list: give at least one file.")
    return files
