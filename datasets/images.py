"""Images of MNIST and CIFAR10, whose sources say which images are for tests."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np

from datasets.catalogue import card
from datasets.dataset import DatasetError, told
from datasets.files import folders
from datasets.loading import fetch
from datasets.tables import reading
from shrinklin.messages import imported


@dataclass(frozen=True, eq=False)
class Images:
    """Training and test images.

    Parameters
    ----------
    X : ndarray of uint8, shape (n_images, n_channels, height, width)
    y : ndarray of int64, shape (n_images,)
        Classes, from 0.
    X_test, y_test : ndarray
        As X and y.

    Attributes
    ----------
    checksum : str
        SHA-256 of these.
    """

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def checksum(self):
        digest = hashlib.sha256()
        for part in (self.X, self.y, self.X_test, self.y_test):
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Source:
    """Where images come from: files, how they are read, and the card for OpenML."""

    files: tuple
    read: object
    card: str
    n_training: int
    shape: tuple


def load_images(name, *, data_home=None):
    """Load images with their training and test part.

    Parameters
    ----------
    name : {"mnist", "cifar10"}
    data_home : path-like, default=None
        A folder with mnist.npz (X_train, y_train, X_test, y_test), or with train_jpeg.npz and
        test_jpeg.npz, JPEG copies of CIFAR10; subfolders are searched too. If there is none, the
        images are loaded as mnist_784 or cifar_10, as by `load`.

    Returns
    -------
    Images

    Raises
    ------
    ValueError
        If there are no images of that name.
    DatasetError
        If they are not available, or a file cannot be read.
    """
    if name not in _SOURCES:
        raise ValueError(f"There are no images {name!r}. There are {', '.join(_SOURCES)}.")
    source = _SOURCES[name]
    home = None if data_home is None else Path(data_home).expanduser()
    for folder in [] if home is None else folders(home):
        paths = [folder / file for file in source.files]
        if all(path.is_file() for path in paths):
            return _from_files(source, paths)
    try:
        return _from_openml(source, data_home)
    except DatasetError as error:
        files = " and ".join(source.files)
        raise DatasetError(f"{error}. Or give data_home a folder that holds {files}.") from error


def _from_files(source, paths):
    remedy = "Replace the file, or move it away."
    with told(card(source.card), paths[0], remedy), reading("an npz file of images"):
        return source.read(*paths)


def _from_openml(source, data_home):
    data = fetch(card(source.card), data_home=data_home)
    images = data.X.astype(np.uint8).reshape(-1, *source.shape)
    # Classes are written as "0" to "9".
    classes = data.y.astype(np.int64)
    n = source.n_training
    return Images(images[:n], classes[:n], images[n:], classes[n:])


def _arrays(path):
    with np.load(path, allow_pickle=False) as file:
        X, X_test = file["X_train"][:, None], file["X_test"][:, None]
        return Images(X, file["y_train"].astype(np.int64), X_test, file["y_test"].astype(np.int64))


def _jpegs(training, test):
    image = imported("PIL.Image", "Reading JPEG files", "experiments", "pillow")
    parts = []
    for path in (training, test):
        with np.load(path, allow_pickle=False) as file:
            data, ends, y = file["jpeg"], file["offsets"], file["y"].astype(np.int64)
        each = [data[a:b].tobytes() for a, b in pairwise(ends)]
        decoded = [np.asarray(image.open(BytesIO(one)).convert("RGB")) for one in each]
        parts += [np.stack(decoded).transpose(0, 3, 1, 2), y]
    return Images(*parts)


_SOURCES = {
    "mnist": _Source(("mnist.npz",), _arrays, "mnist_784", 60_000, (1, 28, 28)),
    "cifar10": _Source(
        ("train_jpeg.npz", "test_jpeg.npz"), _jpegs, "cifar_10", 50_000, (3, 32, 32)
    ),
}
