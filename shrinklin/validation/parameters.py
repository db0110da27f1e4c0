"""Checks of parameters: numbers, flags, and lists of one entry per feature.

`sklearn.utils.check_scalar` is not enough: it accepts NaN, infinity and True, and does not say
what to give instead. The other checks of scikit-learn are private.
"""

import textwrap
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


def by_column(name, values, names, n_features):
    """The entries of a parameter in the order of the columns of X.

    A mapping and a pandas Series are read by the names of the columns, a callable is called with
    these names, or with the number of columns if they have none. An error is raised if there is no
    entry for some column.
    """
    if callable(values) and not isinstance(values, type):
        return _from_callable(name, values, names, n_features)
    return _listed(name, values, names)


def _from_callable(name, function, names, n_features):
    made = function(n_features if names is None else np.array(names, dtype=object))
    try:
        values = _listed(name, made, names)
        if values is None:
            raise ValueError(f"{_wanted(name)}.")
        if len(values) != n_features:
            raise ValueError(
                f"it has {len(values)} entries, and X has {n_features} features: {_wanted(name)}."
            )
    except ValueError as error:
        raise ValueError(f"{name}={function!r} returned {_some_of(made)}: {error}") from error
    return values


def _wanted(name):
    return f"give a list with one {_PER_FEATURE[name]} per feature"


def _some_of(values):
    return textwrap.shorten(repr(values), 100, placeholder=" …")


def _listed(name, values, names):
    wanted = _wanted(name)
    if isinstance(values, Mapping):
        return _aligned(name, list(values), list(values.values()), names, "dict with the keys")
    if isinstance(values, Set | Iterator):
        why = "has no order" if isinstance(values, Set) else "can be read only once"
        raise ValueError(f"{name} is a {type(values).__name__}, which {why}: {wanted}.")
    listed = values is None or isinstance(values, Sequence) or np.asarray(values).ndim > 0
    if not listed or isinstance(values, str | bytes | bytearray):
        raise ValueError(
            f"{name}={values!r} is not a list: {wanted}, a dict or Series by the names of the "
            "columns, or a callable."
        )
    check_unmasked(name, values)
    if hasattr(values, "iloc") and values.ndim == 1:
        index, entries = list(values.index), values.to_numpy()
        if index == list(range(len(index))):
            return entries
        return _aligned(name, index, entries, names, "Series with the index")
    return values


def _aligned(name, index, entries, names, what):
    """The entries whose index is a column of X, in the order of the columns."""
    columns = [] if names is None else list(names)
    if index == columns:
        return entries
    why = "X has no column names" if names is None else _lacking(index, columns)
    if why is not None:
        raise ValueError(
            f"{name} is a {what} {_some(index)}, but {why}: give an entry for each name of a "
            "column, in any order, or give a list in the order of the columns."
        )
    place = {label: i for i, label in enumerate(index)}
    return [entries[place[column]] for column in columns]


def _lacking(index, columns):
    """Why an index does not have one entry for each column. None if it has.

    It may have further entries: a fold of the rows can lack the column of a rare level.
    """
    twice = [name for names in (index, columns) for name, n in Counter(names).items() if n > 1]
    known, indexed = set(columns), set(index)
    unknown = [label for label in index if label not in known]
    missing = [name for name in columns if name not in indexed]
    if twice:
        return f"{twice[0]!r} appears twice"
    if missing:
        other = f", and {unknown[0]!r} is not a column of X" if unknown else ""
        return f"the column {missing[0]!r} of X is not in it{other}"
    return None


def _some(names):
    return "[" + ", ".join(map(repr, names[:5])) + ", …" * (len(names) > 5) + "]"
