"""The result of `load`, and the checks of everything that is loaded."""

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from datasets.catalogue import Card

# A missing value of a nominal column, as ARFF files write it.
MISSING = "?"
# The kinds of NumPy's real data types.
NUMERIC = "biuf"


class DatasetError(RuntimeError):
    """A dataset is not available, or does not agree with its card."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A dataset with the values of its source.

    Attributes
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
    y : ndarray
        Regression: float64, shape (n_samples, n_targets). Classification: the labels of the
        source, strings or integers, shape (n_samples,).
    feature_names : list of str
    target_names : list of str
        The names of the targets, or the classes in the order of `numpy.unique(y)`.
    card : Card
    checksum : str
        SHA-256 of the loaded data. `standardized` does not change it.
    n_dropped : int
        The number of rows dropped because a value was missing.
    """

    X: np.ndarray
    y: np.ndarray
    feature_names: list[str]
    target_names: list[str]
    card: Card
    checksum: str
    n_dropped: int = 0

    def standardized(self):
        """A copy with mean 0 and standard deviation 1 in every column.

        The ShrinkNets paper prepares its data in this way. Regression targets are
        standardized too, labels are not. The standard deviation divides by n, not n − 1.
        A constant column becomes 0.

        Returns
        -------
        Dataset
        """
        y = _standardize(self.y) if self.card.task == "regression" else self.y.copy()
        return replace(self, X=_standardize(self.X), y=y)


def _standardize(table):
    centred = table - table.mean(axis=0)
    # Rounding errors of the mean can give a constant column a tiny deviation.
    constant = table.max(axis=0) == table.min(axis=0)
    deviation = np.where(constant, 1.0, centred.std(axis=0))
    return np.where(constant, 0.0, centred / deviation)


@contextmanager
def told(card, origin, remedy):
    """Add the dataset, its origin and what to do to the message of a `DatasetError`."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"{card.name} in {origin}: {error} {remedy}") from error


def assemble(card, X, y, feature_names, target_names=None):
    """Make a `Dataset`, and check that it agrees with its card.

    Parameters
    ----------
    card : Card
    X : array-like, shape (n_samples, n_features)
    y : array-like, shape (n_samples, n_targets) or (n_samples,)
    feature_names : sequence of str
    target_names : sequence of str, default=None
        None, for classification only: the labels themselves.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        The message names neither the dataset nor its origin: see `told`.
    """
    X, y = np.asarray(X), np.asarray(y)
    if card.task == "regression" and y.ndim == 1:
        y = y[:, None]
    _types_and_sizes(card, X, y)
    X, y, n_dropped = _complete_rows(card, X, y)
    X, y = np.array(X, dtype=np.float64, order="C"), _targets(card, y)
    if card.task == "classification" and target_names is None:
        target_names = np.unique(y)
    names = [str(name) for name in feature_names], [str(name) for name in target_names]
    _labels_and_names(card, y, *names)
    found = checksum(X, y, *names)
    if card.checksum not in (None, found):
        raise DatasetError(
            f"the checksum is {found}, expected {card.checksum}: "
            "values, names or their order differ."
        )
    return Dataset(
        X=X,
        y=y,
        feature_names=names[0],
        target_names=names[1],
        card=card,
        checksum=found,
        n_dropped=n_dropped,
    )


def _types_and_sizes(card, X, y):
    labels = "U" if card.task == "classification" else ""
    if X.dtype.kind not in NUMERIC or y.dtype.kind not in NUMERIC + labels:
        raise DatasetError(
            f"found X of type {X.dtype} and y of type {y.dtype}, expected real numbers"
            f"{' and labels' if labels else ''}."
        )
    expected = (card.n_samples,) if card.n_targets is None else (card.n_samples, card.n_targets)
    if X.shape != card.shape or y.shape != expected:
        raise DatasetError(
            f"found X of shape {X.shape} and y of shape {y.shape}, "
            f"expected {card.shape} and {expected}."
        )


def _complete_rows(card, X, y):
    """X and y without the rows that have a missing value, and the number of these rows."""
    columns = np.column_stack([X, y]) if y.dtype.kind != "U" else X
    n_infinite = int(np.isinf(columns).any(axis=1).sum())
    if n_infinite:
        raise DatasetError(f"{n_infinite} rows have values that are infinite, expected none.")
    known = ~np.isnan(columns).any(axis=1)
    if y.dtype.kind == "U":
        known &= y != MISSING
    n_dropped = int((~known).sum())
    if n_dropped and not card.missing:
        raise DatasetError(f"{n_dropped} rows have values that are missing, expected none.")
    if not known.any():
        raise DatasetError("a value is missing in every row.")
    return X[known], y[known], n_dropped


def _targets(card, y):
    if card.task == "regression":
        return np.array(y, dtype=np.float64, order="C")
    # In labels from a numeric column, 3.0 means 3.
    whole = y.dtype.kind in "biu" or (y.dtype.kind == "f" and (y == np.round(y)).all())
    return y.astype(np.int64) if whole else y.copy()


def _labels_and_names(card, y, feature_names, target_names):
    n_outputs = card.n_targets or card.n_classes
    labels = None if card.task == "regression" else np.unique(y)
    if labels is not None and len(labels) != n_outputs:
        raise DatasetError(f"found {len(labels)} classes, expected {n_outputs}.")
    if (len(feature_names), len(target_names)) != (card.n_features, n_outputs):
        raise DatasetError(
            f"found {len(feature_names)} names of features and {len(target_names)} of targets "
            f"or classes, expected {card.n_features} and {n_outputs}."
        )
    if labels is not None and labels.dtype.kind == "U" and labels.tolist() != target_names:
        raise DatasetError(
            f"the classes are called {', '.join(target_names)}, "
            f"but the labels, sorted, are {', '.join(labels)}."
        )


def checksum(X, y, feature_names, target_names):
    """SHA-256 of values and names. It does not depend on the format of the file.

    X and regression targets are hashed as little-endian float64 in C order (−0 as 0), labels
    and names as text. The shape of each part is hashed before it.

    Parameters
    ----------
    X : ndarray, shape (n_samples, n_features)
    y : ndarray, shape (n_samples, n_targets) or (n_samples,)
    feature_names, target_names : list of str

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in (X, y, feature_names, target_names):
        part = np.asarray(part)
        digest.update(repr(part.shape).encode())
        digest.update(_bytes(part))
    return digest.hexdigest()


def _bytes(part):
    if part.dtype.kind == "f":
        return (part.astype("<f8") + 0.0).tobytes()
    return "\n".join(map(str, part)).encode("utf-8")


def way_on(card, data_home):
    """A sentence that says how to load the dataset without a download."""
    names = " or ".join([f"{card.name}.arff", f"{card.name}.npz", *card.files])
    looked = "" if data_home is None else f" (it is not in {data_home})"
    return f"Give data_home a folder that holds {names}{looked}. Source: {card.source}"
