"""Datasets in a folder: NAME.arff, NAME.npz, or a file that the card names.

An npz file holds `X` and `y`, and may hold `feature_names` and `target_names`.
Nothing here writes.
"""

import zipfile
from pathlib import Path

import numpy as np

from datasets.dataset import DatasetError, assemble
from datasets.tables import read_arff, split


def find(card, folder):
    """The file of a dataset in a folder or one folder further down, or None.

    Parameters
    ----------
    card : Card
    folder : path-like

    Returns
    -------
    Path or None
    """
    folder = Path(folder)
    if not folder.is_dir():
        return None
    names = [f"{card.name}.arff", f"{card.name}.npz", *card.files]
    folders = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
    paths = (place / name for place in folders for name in names)
    return next((path for path in paths if path.is_file()), None)


def read(card, path):
    """The dataset of a file, checked.

    Parameters
    ----------
    card : Card
    path : Path
        Ends in .arff or .npz.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the file cannot be read, or does not hold what the card says.
    """
    remedy = f"Replace the file, or move it out of {path.parent} to have another source tried."
    parts = _arrays(card, path, remedy) if path.suffix == ".npz" else _columns(card, path, remedy)
    return assemble(card, *parts, origin=path, remedy=remedy)


def _columns(card, path, remedy):
    try:
        return split(card, read_arff(path))
    except DatasetError as error:
        raise DatasetError(f"{error} ({path}) {remedy}") from error


def _arrays(card, path, remedy):
    try:
        with np.load(path, allow_pickle=False) as file:
            content = dict(file)
        X, y = content["X"], content["y"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{path} cannot be read as an npz file with X and y: {error}. {remedy}"
        ) from error
    features = content.get("feature_names", [f"x{j + 1}" for j in range(X.shape[-1])])
    targets = content.get("target_names")
    if targets is None and card.task == "regression":
        targets = [f"y{k + 1}" for k in range(card.n_targets)]
    return X, y, features, targets
