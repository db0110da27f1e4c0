"""Tables of named columns, read from ARFF and Parquet files, and their split into X and y.

Error messages say what is wrong, not in which file: see `datasets.dataset.told`.
"""

import textwrap
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from datasets.dataset import MISSING, DatasetError
from shrinklin.messages import imported


@dataclass(frozen=True, eq=False)
class Table:
    """Columns in the order of the file: float64 for numbers (nan: missing), otherwise text.

    Columns of free text have dtype object. Columns with a list of possible values have a
    string dtype.
    """

    names: list[str]
    columns: list[np.ndarray]


def split(card, table, marked=()):
    """Split a table into features and targets.

    Parameters
    ----------
    card : Card
    table : Table
    marked : sequence of str, default=()
        The targets according to the source. They matter if the card names no target columns:
        they decide for classification; for regression, as many columns other than the last
        are an error.

    Returns
    -------
    X : ndarray, shape (n_samples, n_features)
    y : ndarray, shape (n_samples, n_targets), or (n_samples,) for classes
    feature_names, target_names : list of str
        For classification, `target_names` is None.
    """
    targets = _target_names(card, table, marked)
    features = [name for name in table.names if name not in targets]
    column = dict(zip(table.names, table.columns, strict=True))
    X = np.column_stack([_numbers(name, column[name]) for name in features])
    if card.task == "classification":
        y = column[targets[0]]
        return X, y.astype(str) if y.dtype.kind == "O" else y, features, None
    return X, np.column_stack([_numbers(name, column[name]) for name in targets]), features, targets


def _target_names(card, table, marked):
    if len(set(table.names)) != len(table.names):
        raise DatasetError("two columns have the same name.")
    if card.n_target_columns >= len(table.names):
        raise DatasetError(f"it has {len(table.names)} columns, too few.")
    if card.target_columns:
        absent = [name for name in card.target_columns if name not in table.names]
        if absent:
            raise DatasetError(f"it has no column {', '.join(absent)}.")
        return list(card.target_columns)
    if card.task == "classification" and len(marked) == 1 and marked[0] in table.names:
        return list(marked)
    last = table.names[-card.n_target_columns :]
    if len(marked) == card.n_targets and set(marked) != set(last):
        raise DatasetError(
            f"its source marks {', '.join(marked)} as targets, its last columns are "
            f"{', '.join(last)}: name the target_columns on the card."
        )
    return last


def _numbers(name, column):
    if column.dtype.kind == "f":
        return column
    if column.dtype.kind == "O":
        raise DatasetError(f"column {name!r} is not numeric: it holds text.")
    try:
        return np.where(column == MISSING, "nan", column).astype(np.float64)
    except ValueError as error:
        raise DatasetError(f"column {name!r} is not numeric: {error}.") from error


@contextmanager
def reading(kind):
    """Turn everything that a reader raises into a `DatasetError`."""
    try:
        yield
    except ImportError as error:
        raise DatasetError(str(error)) from error
    # Damaged files cause errors of zipfile, zlib, csv, pyarrow, the system and others.
    except Exception as error:
        # The text of system errors would repeat the path.
        text = getattr(error, "strerror", None) or str(error)
        reason = textwrap.shorten(text, 200) or type(error).__name__
        raise DatasetError(f"it cannot be read as {kind}: {reason.rstrip('.')}.") from error


def read_arff(path):
    """The `Table` of an ARFF file; `DatasetError` if it cannot be read as one."""
    with reading("ARFF"):
        arff = imported("arff", "Reading ARFF", "data", "liac-arff")
        from datasets.arff_files import Decoder

        try:
            with path.open(encoding="utf-8") as file:
                content = Decoder().decode(line.strip() for line in file)
        except arff.ArffException as error:
            # str(error) fails if the row contains a percent sign.
            raise ValueError(f"{type(error).__name__} in line {error.line}") from error
        if not content["data"]:
            raise ValueError("it has no rows")
        names, kinds = zip(*content["attributes"], strict=True)
        columns = zip(*content["data"], strict=True)
        return Table(list(names), list(map(_column, columns, kinds)))


def _column(values, kind):
    """A column as an array. For a nominal column, `kind` is the list of its values."""
    if kind == "STRING" or isinstance(kind, list):
        text = [MISSING if value is None else value for value in values]
        return np.array(text, dtype=object if kind == "STRING" else str)
    return np.array(values, dtype=np.float64)


def read_parquet(path):
    """The `Table` of a Parquet file; `DatasetError` if it cannot be read as one."""
    with reading("Parquet"):
        pandas = imported("pandas", "Reading Parquet", "data")
        imported("pyarrow", "Reading Parquet", "data")
        frame = pandas.read_parquet(path)
        if frame.empty:
            raise ValueError("it has no rows")
    return Table([str(name) for name in frame.columns], [_series(frame[c]) for c in frame.columns])


def _series(series):
    if series.dtype.kind in "fiu":
        return series.to_numpy(dtype=np.float64)
    return np.array(
        [MISSING if lost else str(v) for v, lost in zip(series, series.isna(), strict=True)]
    )
