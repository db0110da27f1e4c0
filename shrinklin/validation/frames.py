"""Columns of DataFrames that are not numbers: text, categories and missing entries.

The types of pandas, polars and pyarrow are told by what they say of themselves, so that none of
these packages is imported.
"""

import numpy as np

from shrinklin.validation.entries import columns_of, is_missing

_CATEGORIES = ("category", "dictionary", "Categorical", "Enum")
# Of polars, and of pyarrow, where large_string and large_list are types, too.
_TEXT = ("string", "utf8", "binary")
_NESTED = (
    "List",
    "Array",
    "Struct",
    "Object",
    "list",
    "large_list",
    "fixed_size_list",
    "struct",
    "map",
)
# How many columns an error names.
_SHOWN = 5


def check_encoded(X):
    """Raise an error for columns of text or categories in a DataFrame.

    scikit-learn reads them as numbers if all labels look like numbers.
    """
    found = [(name, kind) for name, column, dtype in _columns(X) if (kind := _kind(column, dtype))]
    nested = [name for name, kind in found if kind == "nested"]
    if nested:
        raise ValueError(
            f"X has lists, records or other objects in {len(nested)} of {X.shape[1]} columns: "
            f"{_listed(nested)}. Make columns of numbers of them, or leave them out."
        )
    if found:
        more = ", …" * (len(found) > _SHOWN)
        some = ", ".join(f"{name!r} ({kind})" for name, kind in found[:_SHOWN]) + more
        names = _listed([name for name, _ in found])
        raise ValueError(
            f"X has text or categories in {len(found)} of {X.shape[1]} columns: {some}. Encode "
            "them as numbers first, for instance with scikit-learn by\n"
            f"    encoder = make_column_transformer((OneHotEncoder(), [{names}]), "
            'remainder="passthrough")\n'
            "    make_pipeline(encoder, model).fit(X, y)\n"
            "If a column has numbers as text, convert it to a type of numbers instead."
        )


def missing_in(name, X):
    """An error that names the columns of a DataFrame with missing entries, or None."""
    names = [column for column, _, _ in _columns(X)]
    array = np.asarray(X) if names else np.empty((0, 0))
    if array.ndim != 2 or array.dtype.kind not in ("f", "O"):
        return None
    find = np.isnan if array.dtype.kind == "f" else np.frompyfunc(is_missing, 1, 1)
    found = np.flatnonzero(find(array).astype(bool).any(axis=0))
    if not len(found):
        return None
    return ValueError(
        f"{name} has missing values (NaN) in {len(found)} of {len(names)} columns: "
        f"{_listed([names[j] for j in found])}. Fill in missing values, for instance with "
        "sklearn.impute.SimpleImputer in a pipeline, or leave out their rows."
    )


def _listed(names):
    return ", ".join(map(repr, names[:_SHOWN])) + ", …" * (len(names) > _SHOWN)


def _columns(X):
    """(name, function that returns the column, dtype) of the columns of a DataFrame."""
    for j, (name, dtype) in enumerate(columns_of(X)):
        yield name, lambda j=j: X.iloc[:, j], dtype


def _kind(column, dtype):
    """What is in a column that holds no numbers: "text", "category", "nested", or None."""
    if isinstance(dtype, np.dtype):
        # A dtype of Python objects does not tell what they are.
        types = set(map(type, np.asarray(column()))) if dtype.kind == "O" else ()
        if any(issubclass(kind, list | tuple | dict | np.ndarray) for kind in types):
            return "nested"
        return "text" if any(issubclass(kind, str | bytes) for kind in types) else None
    # Before polars 1.0, String was Utf8. Arrow writes small letters.
    if getattr(dtype, "type", None) is str or str(dtype).lower().endswith(_TEXT):
        return "text"
    if str(dtype).startswith(_NESTED):
        return "nested"
    return "category" if str(dtype).startswith(_CATEGORIES) else None
