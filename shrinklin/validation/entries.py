"""Checks of the entries of arrays, tables and lists: masked, dates, missing, real numbers."""

import datetime
from collections.abc import Iterable
from numbers import Real

import numpy as np

FLAGS = (bool, np.bool_)
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
# Names of pyarrow's types.
_ARROW_DATES = ("timestamp[", "date32[", "date64[", "time32[", "time64[", "duration[")


def check_unmasked(name, values):
    """Raise an error if an array, or an array in a list, has masked entries.

    numpy would ignore the masks.
    """
    parts = values if isinstance(values, list | tuple) else [values]
    # In a long list, collecting the types is faster than looking at every entry.
    if any(issubclass(kind, np.ma.MaskedArray) for kind in set(map(type, parts))):
        arrays = [part for part in parts if isinstance(part, np.ma.MaskedArray)]
        masked = sum(np.ma.count_masked(array) for array in arrays)
        if masked:
            raise ValueError(
                f"{name} has {masked} masked entries: fill them in, or leave them out."
            )


def check_undated(name, values):
    """Raise an error for dates and times, which numpy would convert to numbers of any unit."""
    for where, dtype in _dtypes(values):
        if _is_date(dtype):
            kind = dtype.__name__ if isinstance(dtype, type) else dtype
            raise ValueError(
                f"{name} has entries that are not real numbers, but dates or times "
                f"({kind}{where}): give, for instance, days since the first, "
                "(t - t.min()) / numpy.timedelta64(1, 'D') for dates t, or leave them out."
            )


def column_names(values):
    """The names of the columns of a DataFrame, or of a table of pyarrow; else None."""
    names = getattr(values, "column_names", getattr(values, "columns", None))
    return None if names is None else list(names)


def columns_of(values):
    """Pairs (name, dtype) of the columns of a DataFrame, or of a table of pyarrow; else none."""
    schema = getattr(values, "schema", None)
    dtypes = getattr(values, "dtypes", getattr(schema, "types", None))
    names = column_names(values)
    if names is None or not isinstance(dtypes, Iterable):
        return []
    return list(zip(names, dtypes, strict=True))


def _dtypes(values):
    """Pairs (place, dtype): one per column of a table, and one per type if entries are mixed."""
    columns = columns_of(values)
    if not columns:
        return [("", dtype) for dtype in _dtypes_of(values)]
    return [
        (f" in column {name!r}", dtype)
        for j, (name, one) in enumerate(columns)
        for dtype in (_dtypes_of(values.iloc[:, j]) if _is_mixed(one) else [one])
    ]


def _dtypes_of(values):
    dtype = getattr(values, "dtype", None)
    if isinstance(values, list | tuple) or _is_mixed(dtype):
        return entry_types(values if dtype is None else np.asarray(values))
    return [] if dtype is None else [dtype]


def _is_mixed(dtype):
    """Whether a dtype does not tell the type of the entries, as for objects and categories."""
    return getattr(dtype, "kind", None) == "O"


def _is_date(dtype):
    """Whether a Python type, or a dtype of an array or table, is for dates or times."""
    temporal = getattr(dtype, "is_temporal", None)
    if temporal is not None:
        return temporal()
    if isinstance(dtype, type):
        return issubclass(dtype, _DATES) or dtype.__name__ == "Period"
    return getattr(dtype, "kind", None) in ("m", "M") or str(dtype).startswith(_ARROW_DATES)


def entry_types(values):
    """The types of the entries of an array, or of a list, which may be nested."""
    if isinstance(values, np.ndarray):
        mixed = values.dtype == object
        return set(map(type, values.ravel())) if mixed else {values.dtype.type}
    found = set(map(type, values))
    nested = {kind for kind in found if issubclass(kind, list | tuple | np.ndarray)}
    inside = [entry_types(value) for value in values if type(value) in nested] if nested else []
    return (found - nested).union(*inside)


def is_missing(entry):
    """Whether an entry is None, NaN, NaT or pandas.NA."""
    try:
        return entry is None or bool(entry != entry)
    except TypeError:  # pandas.NA, whose comparisons are neither true nor false
        return True
    except ValueError:  # an array
        return False


def real_array(values):
    """A float64 array. Raises an error for booleans, text, dates and missing entries."""
    check_unmasked("it", values)
    try:
        given = np.asarray(values)
        types = entry_types(values if isinstance(values, list | tuple) else given)
        wrong = [kind for kind in types if not issubclass(kind, Real) or kind in FLAGS]
        if wrong:
            shown = ", ".join(sorted(kind.__name__ for kind in wrong))
            raise ValueError(f"it holds {shown}, not only real numbers")
        return given.astype(float)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{error}") from error
