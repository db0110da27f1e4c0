"""Checks of what the user gives: each error says what was given and what to do.

What is given is read and never written to: sparse data too, which scipy likes to sort in place
(`features`).
"""

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_consistent_length

SPARSE_FORMATS = ("csr", "csc")
# What parameters hold that have one entry a feature.
_PER_FEATURE = {"groups": "label", "feature_weights": "weight"}
_FLAGS = (bool, np.bool_)
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


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


def features(X):
    """X for the checks of scikit-learn: nothing in it is masked, and nothing a date.

    A dense X is not copied. A sparse one becomes a CSR or CSC with sorted indices, each once,
    of which what scipy notes down is its own: so nothing is written to the arrays of the user.
    """
    check_unmasked("X", X)
    check_undated("X", X)
    if not sparse.issparse(X) or X.ndim != 2:
        return X
    X = X if X.format in SPARSE_FORMATS else X.tocsr()
    own = type(X)((X.data, X.indices, X.indptr), shape=X.shape)
    if not own.has_canonical_format:
        own = own.copy()
        own.sum_duplicates()
    return own


def check_unmasked(name, values):
    """Raise where entries of an array, or of arrays in a list, are masked: numpy shows them."""
    parts = values if isinstance(values, list | tuple) else [values]
    # Of long lists, types are looked at faster than entries.
    if any(issubclass(kind, np.ma.MaskedArray) for kind in set(map(type, parts))):
        arrays = [part for part in parts if isinstance(part, np.ma.MaskedArray)]
        masked = sum(np.ma.count_masked(array) for array in arrays)
        if masked:
            raise ValueError(
                f"{name} has {masked} masked entries: fill them in, or leave them out."
            )


def check_undated(name, values):
    """Raise for dates and times, which numpy would turn into counts of whatever their unit is."""
    for where, dtype in _dtypes(values):
        if _is_date(dtype):
            kind = dtype.__name__ if isinstance(dtype, type) else dtype
            raise ValueError(
                f"{name} has entries that are not real numbers, but dates or times "
                f"({kind}{where}): give, for instance, days since the first, "
                "(t - t.min()) / numpy.timedelta64(1, 'D') for dates t, or leave them out."
            )


def _dtypes(values):
    """Pairs (place, dtype) of an array or of the columns of a frame, types where they are mixed."""
    dtypes, columns = getattr(values, "dtypes", None), getattr(values, "columns", None)
    if columns is None or not isinstance(dtypes, Iterable):
        return [("", dtype) for dtype in _dtypes_of(values)]
    return [
        (f" in column {name!r}", dtype)
        for j, (name, one) in enumerate(zip(columns, dtypes, strict=True))
        for dtype in (_dtypes_of(values.iloc[:, j]) if _is_mixed(one) else [one])
    ]


def _dtypes_of(values):
    dtype = getattr(values, "dtype", None)
    if isinstance(values, list | tuple) or _is_mixed(dtype):
        return entry_types(values if dtype is None else np.asarray(values))
    return [] if dtype is None else [dtype]


def _is_mixed(dtype):
    """Whether a dtype does not say what its entries are, as those of objects and categories."""
    return getattr(dtype, "kind", None) == "O"


def _is_date(dtype):
    """Of a type of Python, or a dtype of numpy, pandas or polars."""
    temporal = getattr(dtype, "is_temporal", None)
    if temporal is not None:
        return temporal()
    if isinstance(dtype, type):
        return issubclass(dtype, _DATES) or dtype.__name__ == "Period"
    return getattr(dtype, "kind", None) in ("m", "M")


def entry_types(values):
    """Types of the entries of a list, nested or not, or of an array."""
    if isinstance(values, np.ndarray):
        mixed = values.dtype == object
        return set(map(type, values.ravel())) if mixed else {values.dtype.type}
    found = set(map(type, values))
    nested = {kind for kind in found if issubclass(kind, list | tuple | np.ndarray)}
    inside = [entry_types(value) for value in values if type(value) in nested] if nested else []
    return (found - nested).union(*inside)


def real_array(values):
    """An array of float64 of real numbers; flags, text, dates and what is missing are none."""
    check_unmasked("it", values)
    try:
        given = np.asarray(values)
        types = entry_types(values if isinstance(values, list | tuple) else given)
        wrong = [kind for kind in types if not issubclass(kind, Real) or kind in _FLAGS]
        if wrong:
            shown = ", ".join(sorted(kind.__name__ for kind in wrong))
            raise ValueError(f"it holds {shown}, and not real numbers alone")
        return given.astype(float)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def labels(y):
    """Labels y: those in an array of objects that all are numbers, as numpy makes of a list.

    What is missing, or of mixed types, is left as it is: scikit-learn refuses it.
    """
    if not hasattr(y, "dtype"):
        return y
    y = np.asarray(y)
    if y.dtype.kind in "mM" and np.isnat(y).any():
        raise ValueError("Input contains NaN")
    if y.dtype != object or not all(issubclass(t, (Real, *_FLAGS)) for t in entry_types(y)):
        return y
    listed = np.array(y.tolist())
    # Not those that become others, as whole numbers beyond float64 do.
    return listed if listed.dtype.kind in "biuf" and np.array_equal(listed, y) else y


def by_column(name, values, names):
    """What is given of every feature, in the order of the columns, which have those `names`.

    A pandas Series is aligned by its index, and raises where that cannot be.
    """
    wanted = f"give a list of one {_PER_FEATURE[name]} a feature"
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
            f"{name} is a Series with the index {_some(index)}, and {why}: give it the names of "
            "the columns as its index, each once and in any order, or a list in the order of the "
            f"columns ({name}.to_list())."
        )
    place = {label: i for i, label in enumerate(index)}
    return series.to_numpy()[[place[column] for column in columns]]


def _difference(index, columns):
    """Why labels of an index are not the names of columns in another order, None if they are."""
    twice = [name for names in (index, columns) for name, n in Counter(names).items() if n > 1]
    known, indexed = set(columns), set(index)
    unknown = [label for label in index if label not in known]
    missing = [name for name in columns if name not in indexed]
    if twice:
        return f"{twice[0]!r} is there twice"
    if unknown:
        return f"{unknown[0]!r} is no column of X"
    return f"the column {missing[0]!r} of X is not among these" if missing else None


def _some(names):
    return "[" + ", ".join(map(repr, names[:5])) + ", …" * (len(names) > 5) + "]"


class CheckedSelector(SelectorMixin):
    """A selector that does not let out what is masked."""

    def transform(self, X):
        """Reduce X to the selected features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_selected_features)
        """
        check_unmasked("X", X)
        return super().transform(X)

    def inverse_transform(self, X):
        """Put columns of zeros where `transform` left features out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_selected_features)

        Returns
        -------
        {ndarray, sparse matrix} of shape (n_samples, n_features)
        """
        check_unmasked("X", X)
        return super().inverse_transform(X)


def check_weights(sample_weight, X):
    """`weights_of_rows`, of which some are > 0."""
    s = weights_of_rows(sample_weight, X)
    if not s.any():
        raise ValueError("sample_weight is zero on every row: give at least one row weight > 0.")
    return s


def weights_of_rows(sample_weight, X):
    """Sample weights as float64 (n_samples,), None meaning ones; see errors."""
    if sample_weight is None:
        return np.ones(X.shape[0])
    check_unmasked("sample_weight", sample_weight)
    given = np.asarray(sample_weight)
    if given.ndim != 1:
        raise ValueError(
            f"sample_weight has shape {given.shape}: give one weight a row of X, or None."
        )
    try:
        # A mask leaves rows out.
        s = given.astype(float) if given.dtype == bool else real_array(sample_weight)
    except ValueError as error:
        raise ValueError(
            f"sample_weight of dtype {given.dtype} is not numeric ({error}): give one finite "
            "weight >= 0 a row of X, or None."
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
    return s


def relative_weights(sample_weight, X):
    """The same for what depends on their ratios alone: near 1, whatever their unit."""
    s = check_weights(sample_weight, X)
    return s / power_of_four(s.max())


def power_of_four(sizes):
    """Powers near the sizes: to divide by them, and by their roots, rounds nothing."""
    return np.ldexp(1.0, (np.frexp(sizes)[1] - 1) // 2 * 2)


# Of y alone: errors of X say so.
_NO_LABELS = (
    "Unknown label type: unknown",
    "^Input contains NaN$",
    "not supported between",
    "^boolean value of NA is ambiguous$",
)


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
    if "Complex data not supported" in str(error):
        return ValueError(
            f"Complex data not supported: {type(estimator).__name__} takes real numbers. Give the "
            "real and the imaginary parts as two columns of X, or as two targets."
        )
    if "a real number, not" in str(error):
        missing = str(error).endswith("'NAType'")
        remedy = "fill in what is missing, or leave it out" if missing else "encode them as numbers"
        return (ValueError if missing else type(error))(
            f"{type(estimator).__name__} was given entries that are no real numbers ({error}): "
            f"{remedy}."
        )
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
    for label, weight in given.items():
        check_real(f"class_weight[{label!r}]", weight, 0)
    found = classes.tolist()
    _check_labels_of_weights(given, found)
    return np.array([float(given.get(label, 1)) for label in found])


def _check_labels_of_weights(class_weight, found):
    """As scikit-learn: training rows may lack a class, but then all that are there need weights."""
    unknown = [label for label in class_weight if label not in found]
    without = [label for label in found if label not in class_weight]
    if unknown and without:
        raise ValueError(
            f"class_weight has weights for {unknown}, which are not among the labels {found} of "
            f"y, and none for {without}: give every label of y a weight, 1 where it should count "
            "as it is."
        )


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
