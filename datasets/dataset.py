"""What `load` returns, and the checks that every load passes."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from datasets.catalogue import Card

# How missing values of a nominal column are written in ARFF.
MISSING = "?"


class DatasetError(RuntimeError):
    """A dataset could not be had, or is not what its card says."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A dataset as its source has it.

    Attributes
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
    y : ndarray
        Regression: float64, shape (n_samples, n_targets). Classification: labels as in the
        source, strings or integers, shape (n_samples,).
    feature_names : list of str
    target_names : list of str
        The targets, or the classes in the order of `numpy.unique(y)`.
    card : Card
    checksum : str
        SHA-256 of the data as loaded, before `standardized`.
    n_dropped : int
        Rows left out because a value was missing.
    """

    X: np.ndarray
    y: np.ndarray
    feature_names: list[str]
    target_names: list[str]
    card: Card
    checksum: str
    n_dropped: int = 0

    def standardized(self):
        """A copy as the paper prepares it: mean 0 and deviation 1 in every column.

        Regression targets too; labels stay. The deviation is that of the rows (divided by
        n, not n − 1); a constant column becomes 0.

        Returns
        -------
        Dataset
        """
        y = _standardize(self.y) if self.card.task == "regression" else self.y.copy()
        return replace(self, X=_standardize(self.X), y=y)


def _standardize(table):
    centred = table - table.mean(axis=0)
    # Rounding of the mean leaves a constant column with a tiny deviation.
    constant = table.max(axis=0) == table.min(axis=0)
    deviation = np.where(constant, 1.0, centred.std(axis=0))
    return np.where(constant, 0.0, centred / deviation)


def assemble(card, X, y, feature_names, target_names=None, *, origin, remedy):
    """A `Dataset` that agrees with its card.

    Parameters
    ----------
    card : Card
    X : array-like, shape (n_samples, n_features)
    y : array-like, shape (n_samples, n_targets) or (n_samples,)
    feature_names : sequence of str
    target_names : sequence of str, default=None
        For classification None takes the labels themselves.
    origin, remedy : str
        For errors: where the data come from, and what to do about them, a sentence.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
    """
    X = np.array(X, dtype=np.float64, order="C", ndmin=2)
    y = _targets(card, y)
    sizes = _sizes(card, X, y)
    if sizes:
        raise DatasetError(f"{card.name} in {origin}: {sizes} {remedy}")
    X, y, n_dropped = _complete_rows(card, X, y, origin, remedy)
    if card.task == "classification":
        labels = [str(label) for label in np.unique(y)]
        target_names = labels if target_names is None else target_names
    names = [str(name) for name in feature_names], [str(name) for name in target_names]
    problem = _labels_and_names(card, y, *names)
    found = checksum(X, y, *names)
    if not problem and card.checksum not in (None, found):
        problem = (
            f"the checksum is {found}, expected {card.checksum}: "
            "values, names or their order differ."
        )
    if problem:
        raise DatasetError(f"{card.name} in {origin}: {problem} {remedy}")
    return Dataset(
        X=X,
        y=y,
        feature_names=names[0],
        target_names=names[1],
        card=card,
        checksum=found,
        n_dropped=n_dropped,
    )


def _targets(card, y):
    if card.task == "classification":
        y = np.array(y)
        # Labels read from a numeric column: 3.0 stands for 3.
        whole = y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.round(y)).all()
        return y.astype(np.int64) if whole or y.dtype.kind in "iub" else y
    y = np.array(y, dtype=np.float64, order="C")
    return y[:, None] if y.ndim == 1 else y


def _sizes(card, X, y):
    expected = (card.n_samples,) if card.n_targets is None else (card.n_samples, card.n_targets)
    if X.shape == card.shape and y.shape == expected:
        return None
    return (
        f"found X of shape {X.shape} and y of shape {y.shape}, "
        f"expected {card.shape} and {expected}."
    )


def _complete_rows(card, X, y, origin, remedy):
    known = np.isfinite(X).all(axis=1)
    if y.dtype.kind == "f":
        known &= np.isfinite(y.reshape(len(y), -1)).all(axis=1)
    elif y.dtype.kind == "U":
        known &= y != MISSING
    n_dropped = int((~known).sum())
    if n_dropped and not card.missing:
        raise DatasetError(
            f"{card.name} in {origin}: {n_dropped} rows have values that are missing or "
            f"not finite, expected none. {remedy}"
        )
    if not known.any():
        raise DatasetError(f"{card.name} in {origin}: a value is missing in every row. {remedy}")
    return X[known], y[known], n_dropped


def _labels_and_names(card, y, feature_names, target_names):
    n_outputs = card.n_targets or card.n_classes
    if card.task == "classification" and len(np.unique(y)) != n_outputs:
        return f"found {len(np.unique(y))} classes, expected {n_outputs}."
    if (len(feature_names), len(target_names)) != (card.n_features, n_outputs):
        return (
            f"found {len(feature_names)} names of features and {len(target_names)} of targets "
            f"or classes, expected {card.n_features} and {n_outputs}."
        )
    return None


def checksum(X, y, feature_names, target_names):
    """SHA-256 of values and names, whatever format they were read from.

    X and real targets enter as little-endian float64 in C order (−0 as 0), labels as text,
    each part after its shape.

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
    """How to get on without a download, as a sentence."""
    names = " or ".join([f"{card.name}.arff", f"{card.name}.npz", *card.files])
    looked = "" if data_home is None else f" (it is not in {data_home})"
    return f"Give data_home a folder that holds {names}{looked}. Source: {card.source}"
