"""Checks of what the user gives: each error says what was given and what to do."""

import re
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_consistent_length

SPARSE_FORMATS = ("csr", "csc")


@contextmanager
def naming(what):
    """Say in a ValueError what it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def check_real(name, value, least, *, open_end=False):
    """Raise unless value is a finite number >= least, or > least if `open_end`."""
    accepted = f"give a finite number {'>' if open_end else '>='} {least}."
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: {accepted}")
    if not _is_finite(value) or value < least or (open_end and value == least):
        raise ValueError(f"{name}={value!r}: {accepted}")


def _is_finite(value):
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:  # a whole number beyond float64
        return False


def check_whole(name, value, least):
    """Raise unless value is a whole number >= least."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name}={value!r}: give a whole number >= {least}.")


def check_flag(name, value):
    """Raise unless value is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={value!r}: give True or False.")


def check_weights(sample_weight, X):
    """Sample weights as float64 (n_samples,), None meaning ones; see errors."""
    if sample_weight is None:
        return np.ones(X.shape[0])
    given = np.asarray(sample_weight)
    if given.ndim != 1:
        raise ValueError(
            f"sample_weight has shape {given.shape}: give one weight a row of X, or None."
        )
    try:
        s = given.astype(float, casting="unsafe" if given.dtype.kind == "O" else "same_kind")
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"sample_weight of dtype {given.dtype} is not numeric: give one finite weight >= 0 a "
            "row of X, or None."
        ) from error
    check_consistent_length(s, X)
    if not np.isfinite(s).all():
        raise ValueError(
            f"sample_weight contains NaN or infinity on {(~np.isfinite(s)).sum()} rows: give "
            "finite weights >= 0, 0 to leave a row out."
        )
    if (s < 0).any():
        raise ValueError(
            f"sample_weight has {(s < 0).sum()} negative entries: weights are >= 0; give 0 to "
            "leave a row out."
        )
    if not s.any():
        raise ValueError("sample_weight is zero on every row: give at least one row weight > 0.")
    return s


def relative_weights(sample_weight, X):
    """The same for what depends on their ratios alone: near 1, whatever their unit."""
    s = check_weights(sample_weight, X)
    return s / power_of_four(s.max())


def power_of_four(sizes):
    """Powers near the sizes: to divide by them, and by their roots, rounds nothing."""
    return np.ldexp(1.0, (np.frexp(sizes)[1] - 1) // 2 * 2)


# Of y alone: errors of X say so.
_NO_LABELS = ("Unknown label type: unknown", "^Input contains NaN$", "not supported between")


def with_remedy(estimator, error):
    """The error of scikit-learn's `validate_data`, with what to do about it where it lacks that."""
    if isinstance(error, OverflowError):
        return ValueError(
            f"{type(estimator).__name__} was given a whole number that float64 cannot hold "
            f"({error}): divide the data by a constant."
        )
    if "could not convert string" in str(error):
        return ValueError(
            f"{type(estimator).__name__} was given text ({error}): X must be numbers, and y too "
            "for a regressor. Encode text columns first, for instance with "
            "sklearn.preprocessing.OneHotEncoder."
        )
    if any(re.search(words, str(error)) for words in _NO_LABELS):
        return ValueError(
            f"{type(estimator).__name__} was given a y of which some entries are missing, or text "
            f"beside numbers ({error}): labels must be all numbers or all strings. Give missing "
            "ones a label of their own, or leave their rows out."
        )
    if "inconsistent numbers of samples" in str(error):
        return ValueError(f"{error}: give X and y the same rows.")
    return error


def predictions(X, coef, intercept):
    """X coef.T + intercept, of shape (n_samples, ..); raise where that leaves its dtype's range."""
    with np.errstate(over="ignore", invalid="ignore"):
        Z = X @ coef.T + intercept
    fits = np.isfinite(Z).reshape(len(Z), -1).all(axis=1)
    if not fits.all():
        raise ValueError(
            f"what is predicted does not fit in {Z.dtype} in {np.count_nonzero(~fits)} of "
            f"{len(Z)} rows, first {fits.argmin()}: see whether X is in the units of the X that "
            "was fitted."
        )
    return Z


def weigh_classes(class_weight, classes, codes, sample_weight):
    """Sample weights times the weights of their classes, whose numbers are `codes`."""
    s = sample_weight * _class_weights(class_weight, classes, codes, sample_weight)[codes]
    present = classes[np.unique(codes[s > 0])].tolist()
    if len(present) < 2:
        found = f"one class, {present[0]!r}," if present else "no class"
        raise ValueError(
            f"y has {found} on the rows whose sample_weight and class_weight are not 0: a "
            "classifier needs at least two classes."
        )
    return s


def _class_weights(class_weight, classes, codes, sample_weight):
    if isinstance(class_weight, str) and class_weight == "balanced":
        # By weight, not by number: a weight of 2 is the row given twice.
        share = np.bincount(codes, sample_weight, len(classes)) / sample_weight.sum()
        return 1 / (len(classes) * np.where(share > 0, share, 1.0))
    given = {} if class_weight is None else class_weight
    if not isinstance(given, dict):
        raise ValueError(
            f'class_weight={given!r}: give None, "balanced", or a dict of label to weight.'
        )
    labels = classes.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise ValueError(
            f"class_weight has weights for {unknown}, which are not among the labels {labels} "
            "of y: give weights for labels of y."
        )
    for label, weight in given.items():
        check_real(f"class_weight[{label!r}]", weight, 0)
    return np.array([float(given.get(label, 1)) for label in labels])


def narrowest(dtype, *arrays):
    """dtype, or float64 where it would turn a value into 0 or infinity, or keep few digits."""
    if dtype == np.float64:
        return dtype
    with np.errstate(over="ignore", under="ignore"):
        casts = [array.astype(dtype) for array in arrays]
    kept = all(
        np.isfinite(cast).all() and np.array_equal(np.abs(cast) >= np.finfo(dtype).tiny, array != 0)
        for cast, array in zip(casts, arrays, strict=True)
    )
    return dtype if kept else np.dtype(float)
