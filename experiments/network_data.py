"""Data for networks that classify: training, validation and test rows of a seed."""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from sklearn.model_selection import train_test_split

import datasets

IMAGES = ("mnist", "cifar10")
# Means and standard deviations of the channels of the training images, divided by 255.
_MNIST = ([0.1307], [0.3081])
_CIFAR10 = ([0.4913, 0.4821, 0.4465], [0.2470, 0.2435, 0.2616])
# Columns that are nearly constant would have huge entries.
_LARGEST = 10


@dataclass(frozen=True, eq=False)
class ClassData:
    """Rows and their classes.

    Attributes
    ----------
    name : str
    X : ndarray
        Tables: float64, shape (n_rows, n_features). Images: uint8, shape (n_rows, n_channels,
        height, width).
    y : ndarray of int64, shape (n_rows,)
        Classes, from 0.
    X_test, y_test : ndarray or None
        Test rows of images. Those of tables are drawn by `split`.
    checksum : str
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    checksum: str
    X_test: np.ndarray | None = None
    y_test: np.ndarray | None = None

    @property
    def n_classes(self):
        return int(self.y.max()) + 1

    def split(self, seed, n_training, n_validation, n_test):
        """Rows for one seed, with the shares of classes of the whole.

        Columns of tables are standardised by the training rows, images by the channels of all
        training images.

        Parameters
        ----------
        seed : int
        n_training, n_validation, n_test : int

        Returns
        -------
        list of (X, y)
            Training, validation and test rows: float32 and int64.

        Raises
        ------
        ValueError
            If there are not so many rows.
        """
        with_test = n_test if self.y_test is None else 0
        _check_rows(self.name, self.y, n_training + n_validation + with_test)
        if self.y_test is not None:
            _check_rows(f"the test part of {self.name}", self.y_test, n_test)
        rows = np.arange(len(self.y))
        others, training = _drawn(rows, self.y, n_training, seed)
        others, validation = _drawn(others, self.y, n_validation, seed)
        parts = [(self.X[part], self.y[part]) for part in (training, validation)]
        if self.X_test is None or self.y_test is None:
            test = _drawn(others, self.y, n_test, seed)[1]
            parts.append((self.X[test], self.y[test]))
        else:
            # The same for all seeds.
            test = _drawn(np.arange(len(self.y_test)), self.y_test, n_test, 0)[1]
            parts.append((self.X_test[test], self.y_test[test]))
        scaled = self._scaling(parts[0][0])
        return [(scaled(X).astype(np.float32), y) for X, y in parts]

    def _scaling(self, X):
        if self.X_test is not None:
            moments = _MNIST if self.X.shape[1] == 1 else _CIFAR10
            mean, scale = 255 * np.reshape(moments, (2, -1, 1, 1))
            return lambda X: (X - mean) / scale
        mean, scale = X.mean(axis=0), X.std(axis=0)
        scale = np.where(scale > 0, scale, 1)
        return lambda X: np.clip((X - mean) / scale, -_LARGEST, _LARGEST)


def _check_rows(name, y, n_asked):
    """Raise an error if there are fewer rows than are drawn, or too few left to be stratified."""
    left = len(y) - n_asked
    if left < 0 or 0 < left < len(np.unique(y)):
        more = "" if left < 0 else f", and {left} left over are too few for all classes"
        raise ValueError(
            f"{name} has {len(y)} rows, but {n_asked} are to be drawn{more}: give data with more "
            "rows."
        )


def _drawn(rows, y, n, seed):
    """Other rows, and n rows with about the same shares of classes."""
    if n == 0:
        return rows, rows[:0]
    if n == len(rows):
        return rows[:0], np.random.default_rng(seed).permutation(rows)
    return train_test_split(rows, test_size=n, stratify=y[rows], random_state=seed)


def load_classes(name, data_home=None):
    """The `ClassData` of mnist, cifar10, or of a dataset by the name of its card.

    Raises
    ------
    ValueError
        If there is none of that name, or it has no classes.
    DatasetError
        If it is not available.
    """
    if name in IMAGES:
        images = datasets.load_images(name, data_home=data_home)
        return ClassData(name, images.X, images.y, images.checksum, images.X_test, images.y_test)
    tasks = {card.name: card.task for card in datasets.cards()}
    task = tasks.get(str(name).removesuffix("-twin"))
    if task != "classification":
        known = sorted(each for each in tasks if tasks[each] == "classification")
        what = f"{name!r} is data for {task}" if task else f"there is no dataset {name!r}"
        raise ValueError(f"{what}: give one with classes, {', '.join([*IMAGES, *known])}.")
    data = datasets.load(name, data_home=data_home)
    y = np.unique(data.y, return_inverse=True)[1].astype(np.int64)
    return ClassData(name, data.X, y, data.checksum)


def with_noise(data, seed=0):
    """A table beside as many columns of noise: its own, each in another order of the rows."""
    noise = np.random.default_rng(seed).permuted(data.X, axis=0)
    return replace(data, X=np.hstack([data.X, noise]))


@dataclass(frozen=True, eq=False)
class Tables:
    """Several tables.

    Attributes
    ----------
    by_name : dict of str to ClassData
    """

    by_name: dict

    @property
    def checksum(self):
        """One for all."""
        known = " ".join(f"{name} {data.checksum}" for name, data in self.by_name.items())
        return sha256(known.encode()).hexdigest()

    def __getitem__(self, name):
        return self.by_name[name]

    def __iter__(self):
        return iter(self.by_name)
