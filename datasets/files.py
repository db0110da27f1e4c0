"""Datasets in a folder: NAME.arff, NAME.npz, or a file that the card names.

An npz file contains `X` and `y`, and may contain `feature_names` and `target_names`.
This module only reads.
"""

import numpy as np

from datasets.dataset import assemble, told
from datasets.tables import read_arff, reading, split


def folders(home):
    """A folder and its subfolders: the places to search for datasets and caches."""
    return [home, *sorted(child for child in home.glob("*") if child.is_dir())]


def find(card, home):
    """The file of a dataset in a folder or one of its subfolders, or None.

    Parameters
    ----------
    card : Card
    home : Path

    Returns
    -------
    Path or None
    """
    names = [f"{card.name}.arff", f"{card.name}.npz", *card.files]
    paths = (folder / name for folder in folders(home) for name in names)
    return next((path for path in paths if path.is_file()), None)


def read(card, path):
    """Load the dataset in a file, and check it.

    Parameters
    ----------
    card : Card
    path : Path
        Read as npz if it ends in .npz, otherwise as ARFF.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the file cannot be read, or does not agree with the card.
    """
    remedy = "Replace the file, or move it away to have another source tried."
    with told(card, path, remedy):
        parts = _arrays(card, path) if path.suffix == ".npz" else split(card, read_arff(path))
        return assemble(card, *parts)


def _arrays(card, path):
    with reading("an npz file with X and y"), np.load(path, allow_pickle=False) as file:
        names = [name for name in ("feature_names", "target_names") if name in file]
        content = {name: _text(file[name]) for name in ("X", "y", *names)}
        content |= {name: content[name].ravel() for name in names}
    made_up = [f"{card.feature_prefix}{j + 1}" for j in range(card.n_features)]
    features = content.get("feature_names", made_up)
    targets = content.get("target_names")
    if targets is None and card.task == "regression":
        targets = [f"y{k + 1}" for k in range(card.n_targets)]
    return content["X"], content["y"], features, targets


def _text(array):
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
