"""A table of named columns, as ARFF and Parquet files hold it, and its split by a card."""

from dataclasses import dataclass

import numpy as np
from scipy.io import arff

from datasets.dataset import MISSING, DatasetError


@dataclass(frozen=True, eq=False)
class Table:
    """Columns in the order of the file: float64 for numbers (nan: missing), else text."""

    names: list[str]
    columns: list[np.ndarray]


def split(card, table, marked=()):
    """Features and targets of a table.

    Parameters
    ----------
    card : Card
    table : Table
    marked : sequence of str, default=()
        The targets according to the source; it decides for classes only, and only where
        the card names no column.

    Returns
    -------
    X : ndarray, shape (n_samples, n_features)
    y : ndarray, shape (n_samples, n_targets), or (n_samples,) for classes
    feature_names, target_names : list of str
        For classes `target_names` is None.
    """
    targets = _target_names(card, table, marked)
    features = [name for name in table.names if name not in targets]
    column = dict(zip(table.names, table.columns, strict=True))
    X = np.column_stack([_numbers(name, column[name]) for name in features])
    if card.task == "classification":
        return X, column[targets[0]], features, None
    return X, np.column_stack([_numbers(name, column[name]) for name in targets]), features, targets


def _target_names(card, table, marked):
    if len(set(table.names)) != len(table.names):
        raise DatasetError(f"{card.name}: two columns of the file have the same name.")
    if card.n_target_columns >= len(table.names):
        raise DatasetError(f"{card.name}: the file has {len(table.names)} columns, too few.")
    if card.target_columns:
        absent = [name for name in card.target_columns if name not in table.names]
        if absent:
            raise DatasetError(f"{card.name}: the file has no column {', '.join(absent)}.")
        return list(card.target_columns)
    if card.task == "classification" and len(marked) == 1 and marked[0] in table.names:
        return list(marked)
    return table.names[-card.n_target_columns :]


def _numbers(name, column):
    if column.dtype.kind == "f":
        return column
    try:
        return np.where(column == MISSING, "nan", column).astype(np.float64)
    except ValueError as error:
        raise DatasetError(f"Column {name!r} is not numeric: {error}.") from error


def read_arff(path):
    """The `Table` of an ARFF file; `DatasetError` if it cannot be read as one.

    By scipy; what that does not know (sparse rows, values in single quotes) by liac-arff,
    if it is installed.
    """
    try:
        with path.open(encoding="utf-8") as file:
            records, header = arff.loadarff(file)
    except (OSError, ValueError, IndexError, StopIteration, NotImplementedError) as error:
        return _read_by_liac(path, error)
    names = header.names()
    if not names or not len(records):
        raise DatasetError(f"{path} cannot be read as ARFF: it has no rows.")
    return Table(names, [_plain(records[name]) for name in names])


def _plain(column):
    return np.char.decode(column, "utf-8") if column.dtype.kind == "S" else column.astype(float)


def _read_by_liac(path, error):
    """The `Table` of what scipy gave up with `error`."""
    problem = f"{path} cannot be read as ARFF: {error or 'it breaks off'}."
    try:
        from arff import ArffException, load
    except ImportError:
        hint = "Sparse rows and single quotes need the package liac-arff."
        raise DatasetError(f"{problem} {hint}") from error
    try:
        with path.open(encoding="utf-8") as file:
            content = load(file)
    except (ArffException, ValueError, IndexError, OSError):
        raise DatasetError(problem) from error
    if not content["data"] or not content["attributes"]:
        raise DatasetError(problem) from error
    names, kinds = zip(*content["attributes"], strict=True)
    columns = zip(*content["data"], strict=True)
    return Table(list(names), list(map(_column, columns, kinds)))


def _column(values, kind):
    """As an array; `kind` is the list of values of a nominal column."""
    if isinstance(kind, list):
        return np.array([MISSING if value is None else value for value in values])
    return np.array(values, dtype=np.float64)


def read_parquet(path):
    """The `Table` of a Parquet file; `DatasetError` if it cannot be read as one."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    # pyarrow's errors derive from these.
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} cannot be read as Parquet: {error}.") from error
    if frame.empty:
        raise DatasetError(f"{path} cannot be read as Parquet: it has no rows.")
    return Table([str(name) for name in frame.columns], [_series(frame[c]) for c in frame.columns])


def _series(series):
    if series.dtype.kind in "fiu":
        return series.to_numpy(dtype=np.float64)
    return np.array(
        [MISSING if lost else str(v) for v, lost in zip(series, series.isna(), strict=True)]
    )


MISSING_EXTRA = (
    'Downloads and caches of OpenML need the extra `data`: pip install ".[data]" '
    'from the root of the repository, or pip install "openml>=0.15" pandas.'
)
