"""Chunks (X, Y, sample_weight) of tables in files, for `Moments.from_chunks`.

pandas and pyarrow read the files. What is done here: columns are taken by their names, and
whatever is no number is refused, with the file, the column and the row.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from shrinklin.validation import check_whole

_REMEDY = "To do so chunk by chunk, read them yourself and give them to Moments.from_chunks."


@dataclass(frozen=True)
class Columns:
    """Which columns are the targets, the features and the weights of the samples.

    Parameters
    ----------
    target : str or list of str
        A str makes Y 1-D.
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
            if isinstance(value, list | tuple | np.ndarray):
                object.__setattr__(self, name, list(value))
        if isinstance(self.features, str) or self.features == [] or self.target == []:
            raise ValueError(
                f"target={self.target!r}, features={self.features!r}: give target a name or a "
                "list of names, at least one, and features a list of names or None."
            )
        if len(set(self.wanted)) < len(self.wanted):
            twice = sorted({str(name) for name in self.wanted if self.wanted.count(name) > 1})
            raise ValueError(
                f"column {twice[0]!r} is given twice among target, features and sample_weight: "
                "give each column one role."
            )

    @property
    def _others(self):
        """Targets and weights."""
        targets = self.target if isinstance(self.target, list) else [self.target]
        return targets + ([] if self.sample_weight is None else [self.sample_weight])

    @property
    def wanted(self):
        return self._others + (self.features or [])

    def found_in(self, names, where):
        """These columns, features known, of a table that has columns of those names."""
        names = list(names)
        self._check_there(names, where)
        if self.features is not None:
            return self
        features = [name for name in names if name not in self._others]
        if not features:
            raise ValueError(
                f"{where} has no columns but {self._others}, of target and sample_weight: at "
                "least one feature is needed."
            )
        return replace(self, features=features)

    def _check_there(self, names, where):
        missing = [name for name in self.wanted if name not in names]
        if missing:
            shown = ", ".join(repr(name) for name in names[:10]) + ", …" * (len(names) > 10)
            raise ValueError(
                f"{where} has no column {missing[0]!r}: what was read of it has {len(names)} "
                f"columns, {shown}. Check the names (and sep= and header= of a CSV file)."
            )

    def of(self, frame):
        """(X, Y, sample_weight) of a DataFrame."""
        s = None if self.sample_weight is None else frame[self.sample_weight].astype(float)
        return frame[self.features].astype(float), frame[self.target].astype(float), s


def csv_chunks(path, columns, chunksize, options):
    """Yield (X, Y, sample_weight) of at most `chunksize` rows of CSV files."""
    check_whole("chunksize", chunksize, 1)
    pandas = _imported("pandas", "Moments.from_csv")
    # Without a list of features all columns count: those of the first file are then asked of
    # all, and one more in a later file is an error.
    if columns.features is not None:
        options = {"usecols": set(columns.wanted).__contains__} | options
    names = None
    for file in _several(path):
        with (
            _naming(file, (pandas.errors.EmptyDataError, pandas.errors.ParserError)),
            pandas.read_csv(file, chunksize=chunksize, **options) as frames,
        ):
            start = 0
            for frame in frames:
                if start == 0:
                    _check_index(frame, columns, file)
                    columns = columns.found_in(frame.columns, file)
                    names = _same_names(names, frame.columns, file)
                yield from _chunk(frame, columns, file, start)
                start += len(frame)


def _check_index(frame, columns, file):
    """pandas writes the numbers of the rows as a column without a name, unless told not to."""
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed: ")]
    if columns.features is None and unnamed:
        raise ValueError(
            f"{file} has a column without a name, {unnamed[0]!r} to pandas: for an index that was "
            "written along, give index_col=0; else name the columns that count by features=."
        )


def _same_names(names, found, file):
    names = set(found) if names is None else names
    others = [name for name in found if name not in names]
    if others:
        raise ValueError(
            f"{file} has a column {others[0]!r} that the files before it do not have: give the "
            "same columns in all files, or the names that count by features=."
        )
    return names


def parquet_chunks(path, columns, batch_size, options):
    """Yield (X, Y, sample_weight) of at most `batch_size` rows of parquet files."""
    check_whole("batch_size", batch_size, 1)
    _imported("pandas", "Moments.from_parquet")
    dataset = _imported("pyarrow.dataset", "Moments.from_parquet")
    from pyarrow import ArrowInvalid

    files = [str(file) for file in path] if isinstance(path, list | tuple) else path
    # What is read ahead, unless told not to: whole row groups, and 16 batches.
    form = dataset.ParquetFileFormat(pre_buffer=False, use_buffered_stream=True)
    table = dataset.dataset(files, **({"format": form} | options))
    columns = columns.found_in(_names_to_take(table.schema, columns), _place(path))
    how = {"columns": columns.wanted, "batch_size": batch_size, "batch_readahead": 1}
    for file in table.get_fragments():
        with _naming(file.path, ArrowInvalid):
            start = 0
            for batch in file.to_batches(table.schema, **how):
                frame = batch.to_pandas(ignore_metadata=True)
                yield from _chunk(frame, columns, file.path, start)
                start += len(frame)


def _names_to_take(schema, columns):
    """The names in a schema; where all of them count, without the index of a DataFrame."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    left_out = index if columns.features is None else []
    wanted = columns.wanted
    return [name for name in schema.names if name in wanted or name not in left_out]


def _chunk(frame, columns, file, start):
    """Yield the rows of a frame that begins at row `start` of its file, if it has any."""
    if len(frame):
        for name in columns.wanted:
            _check_column(frame[name], f"{file}: column {name!r}", start)
        yield columns.of(frame)


def _check_column(values, what, start):
    """Raise for values that are not numbers, of which the first is in row `start`."""
    _refuse(values.isna(), f"{what} is empty", start)
    if values.dtype.kind not in "biuf":
        row = next((i for i, value in enumerate(values) if not _is_number(value)), 0)
        raise ValueError(
            f"{what} holds {values.dtype}, {values.iloc[row]!r} in row {start + row}, and not "
            f"numbers: leave it out by features=, or encode it as numbers. {_REMEDY}"
        )
    _refuse(np.isinf(values.to_numpy(dtype=float)), f"{what} is infinite", start)


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


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
    except errors as error:
        raise ValueError(f"{file} cannot be read as a table like the others: {error}") from error


def _several(path):
    files = list(path) if isinstance(path, list | tuple) else [path]
    if not files:
        raise ValueError("path is an empty list: give at least one file.")
    return files


def _place(path):
    return ", ".join(map(str, _several(path)[:3]))


def _imported(name, what):
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{what} needs {name.partition(".")[0]}: pip install "shrinklin[files]".'
        ) from error
