"""Checks of X and y besides those of scikit-learn, and remedies for data that it refuses.

The user's data are never changed. This includes sparse data, which scipy may sort in place
(`features`).
"""

from numbers import Complex, Real

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.utils.validation import check_array, check_consistent_length

from shrinklin.validation.entries import (
    FLAGS,
    check_undated,
    check_unmasked,
    column_names,
    entry_types,
    is_missing,
)
from shrinklin.validation.frames import check_encoded, missing_in

SPARSE_FORMATS = ("csr", "csc")


def features(X):
    """X for the checks of scikit-learn. Raises an error for masked entries, dates and text.

    A dense X is not copied. A sparse X becomes CSR or CSC with sorted indices and no duplicates.
    scipy stores in the matrix object whether the indices are sorted. So it gets a new object
    with the user's arrays, which stay as they are.
    """
    check_unmasked("X", X)
    check_undated("X", X)
    check_encoded(X)
    if not sparse.issparse(X) or X.ndim != 2:
        return X
    X = X if X.format in SPARSE_FORMATS else X.tocsr()
    own = type(X)((X.data, X.indices, X.indptr), shape=X.shape)
    if not own.has_canonical_format:
        own = own.copy()
        own.sum_duplicates()
    return own


def check_given(estimator, y):
    """Raise an error if there is no y."""
    if y is None:
        name, what = type(estimator).__name__, "class labels"
        if not is_classifier(estimator):
            what = "targets"
        # It begins as in scikit-learn.
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None: give y, the "
            f"{what}, with an entry for each row of X."
        )


def labels(y):
    """The labels y. An object array of numbers gets the dtype that a list of them would get.

    Missing labels and mixed types stay as they are, because scikit-learn refuses them.
    """
    if not hasattr(y, "dtype"):
        return y
    y = np.asarray(y)
    if y.dtype.kind in "mM" and np.isnat(y).any():
        raise ValueError("Input contains NaN")
    if y.dtype != object or not all(issubclass(t, (Real, *FLAGS)) for t in entry_types(y)):
        return y
    listed = np.array(y.tolist())
    # Not if values would change, as for whole numbers beyond float64.
    return listed if listed.dtype.kind in "biuf" and np.array_equal(listed, y) else y


# Diagnosis: scikit-learn refused the data.


def diagnosis(estimator, X, y, error):
    """The error to raise instead of scikit-learn's `error`, with a remedy if the data show one.

    Only the data and the type of the error decide. Its message is quoted, but never parsed. As in
    scikit-learn, X is checked before y.
    """
    name = type(estimator).__name__
    if _has_other_columns(estimator, X):
        return error
    found = _not_numbers(name, "X", X, error) or missing_in("X", X)
    if found or y is None or not _is_accepted(X):
        return found or error
    found = _other_rows(X, y, error)
    if found is None and is_classifier(estimator):
        found = _not_labels(name, y, error)
    elif found is None:
        found = _not_numbers(name, "y", y, error) or _missing_targets(name, y, error)
    return found or error


def _has_other_columns(estimator, X):
    fitted = getattr(estimator, "feature_names_in_", None)
    columns = column_names(X)
    return fitted is not None and columns is not None and list(fitted) != columns


def _is_accepted(X):
    try:
        check_array(X, accept_sparse=SPARSE_FORMATS, dtype=[np.float64, np.float32])
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _other_rows(X, y, error):
    """An error if X and y have different lengths, else None."""
    try:
        check_consistent_length(X, y)
    except ValueError as different:
        return ValueError(f"{different}: give X and y with the same number of rows.")
    except TypeError:  # y is not an array
        return error
    return None


def _not_numbers(name, what, values, error):
    """An error about an entry that is not a real number, or None."""
    entry = _refused(values, error)
    if entry is None:
        return None
    if isinstance(error, OverflowError):
        return ValueError(
            f"{name} was given a whole number that is too large for float64 ({error}): divide the "
            "data by a constant."
        )
    if isinstance(entry, str | bytes):
        return ValueError(
            f"{name} was given text ({error}): X must be numbers, and y too for a regressor. "
            "Encode text columns first, for instance with sklearn.preprocessing.OneHotEncoder."
        )
    if isinstance(error, TypeError):
        if is_missing(entry):
            return missing_in(what, values) or _to_fill_in(name, error)
        return _to_encode(name, error)
    if isinstance(entry, Complex):
        return ValueError(
            f"Complex data not supported: {name} takes real numbers. Give the real and the "
            "imaginary parts as two columns of X, or as two targets."
        )
    return None


def _refused(values, error):
    """The first entry that numpy refuses with an error of this type, or None."""
    array = _array(values)
    if array.dtype.kind in "biuf":
        return None
    for entry in array.flat:
        if isinstance(entry, Complex) and not isinstance(entry, Real):
            return entry
        try:
            # numpy reads None as NaN.
            float(np.nan if entry is None else entry)
        except type(error):
            return entry
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def _array(values):
    """The entries as an array, which is empty if numpy cannot make one."""
    try:
        return np.asarray(values.tocoo().data if sparse.issparse(values) else values)
    except (TypeError, ValueError):  # rows of different lengths
        return np.empty(0)


def _missing_targets(name, y, error):
    """An error about NaN in an object array y, or None. For floats, scikit-learn's is enough."""
    y = _array(y)
    missing = y.dtype == object and any(map(is_missing, y.flat))
    return _to_fill_in(name, error) if missing and isinstance(error, ValueError) else None


def _to_fill_in(name, error):
    return ValueError(
        f"{name} was given entries that are not real numbers ({error}): fill in missing values, "
        "or leave them out."
    )


def _to_encode(name, error):
    return TypeError(
        f"{name} was given entries that are not real numbers ({error}): encode them as numbers."
    )


def _not_labels(name, y, error):
    """An error about missing labels or labels of mixed types, or None."""
    y = _array(y)
    if y.dtype.kind == "c":
        return _not_numbers(name, "y", y, error)
    if y.dtype.kind in "mM":
        right = not np.isnat(y).any()
    else:
        right = labels(y).dtype != object or entry_types(y) in ({str}, {bytes})
    one_column = y.shape[:1] == (y.size,)
    if right or not one_column:
        return None
    return ValueError(
        f"{name} was given a y with missing entries, or with both text and numbers ({error}): "
        "labels must be all numbers or all strings. Give missing labels a label of their own, or "
        "leave out their rows."
    )
