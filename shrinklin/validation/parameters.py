"""Checks of parameters: numbers, flags, and lists of one entry per feature.

`sklearn.utils.check_scalar` is not enough: it accepts NaN, infinity and True, and does not say
what to give instead. The other checks of scikit-learn are private.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from numbers import Integral, Real

import numpy as np

from shrinklin.validation.entries import FLAGS, check_unmasked

# Parameters with one entry per feature, and the name of an entry.
_PER_FEATURE = {"groups": "label", "feature_weights": "weight"}


def check_real(name, value, least, *, open_end=False):
    """Raise an error unless value is a finite number >= least, or > least if `open_end`."""
    accepted = f"give a finite number {'>' if open_end else '>='} {least}."
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: {accepted}")
    if not _is_finite(value) or value < least or (open_end and value == least):
        raise ValueError(f"{name}={value!r}: {accepted}")


def _is_finite(value):
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:  # an int too large for float64
        return False


def check_whole(name, value, least):
    """Raise an error unless value is a whole number >= least."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name}={value!r}: give a whole number >= {least}.")


def check_flag(name, value):
    """Raise an error unless value is True or False."""
    if not isinstance(value, FLAGS):
        raise TypeError(f"{name}={value!r}: give True or False.")


def by_column(name, values, names):
    """The entries of a parameter in the order of the columns of X, whose names are `names`.

    A pandas Series is aligned by its index. An error is raised if that is impossible.
    """
    wanted = f"give a list with one {_PER_FEATURE[name]} per feature"
    if isinstance(values, Mapping):
        raise ValueError(
            f"{name} is a {type(values).__name__}: {wanted}, in the order of the columns of X, "
            "such as [given[column] for column in X.columns]."
        )
    if isinstance(values, Set | Iterator):
        why = "has no order" if isinstance(values, Set) else "can be read only once"
        raise ValueError(f"{name} is a {type(values).__name__}, which {why}: {wanted}.")
    listed = values is None or isinstance(values, Sequence) or np.asarray(values).ndim > 0
    if not listed or isinstance(values, str | bytes | bytearray):
        raise ValueError(f"{name}={values!r} is not a list: {wanted}.")
    check_unmasked(name, values)
    if hasattr(values, "iloc") and values.ndim == 1:
        return _aligned(name, values, names)
    return values


def _aligned(name, series, names):
    index, columns = list(series.index), [] if names is None else list(names)
    if index in (columns, list(range(len(index)))):
        return series.to_numpy()
    why = "X has no column names" if names is None else _difference(index, columns)
    if why is not None:
        raise ValueError(
            f"{name} is a Series with the index {_some(index)}, but {why}: give it the column "
            "names as its index, each once and in any order, or give a list in the order of the "
            f"columns ({name}.to_list())."
        )
    place = {label: i for i, label in enumerate(index)}
    return series.to_numpy()[[place[column] for column in columns]]


def _difference(index, columns):
    """How an index differs from the column names, apart from their order. None if it does not."""
    twice = [name for names in (index, columns) for name, n in Counter(names).items() if n > 1]
    known, indexed = set(columns), set(index)
    unknown = [label for label in index if label not in known]
    missing = [name for name in columns if name not in indexed]
    if twice:
        return f"{twice[0]!r} appears twice"
    if unknown:
        return f"{unknown[0]!r} is not a column of X"
    return f"the column {missing[0]!r} of X is not in the index" if missing else None


def _some(names):
    return "[" + ", ".join(map(repr, names[:5])) + ", …" * (len(names) > 5) + "]"
