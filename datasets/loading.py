"""Load a dataset by name: from scikit-learn, a folder, a cache of `openml`, or OpenML."""

import os
from pathlib import Path

from datasets import bundled, files, openml_client
from datasets.catalogue import card as card_of
from datasets.dataset import DatasetError, way_on
from datasets.simulated import make_twin

TWIN = "-twin"


def load(name, *, data_home=None):
    """Load a dataset by the name of its card, and check it.

    Parameters
    ----------
    name : str
        The name of a card. NAME-twin is a simulated dataset of the same shape (see
        `make_twin`).
    data_home : path-like, default=None
        A folder that contains NAME.arff, NAME.npz, another file named by the card, or a cache
        of the `openml` client; its subfolders are searched too. If the dataset is not there,
        it is downloaded, checked, and added to the folder as to such a cache. Your files
        never change, with one exception: if a cached dataset is damaged or does not agree
        with its card, a new download that does replaces it.
        None: the cache that `openml` is configured for.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no card of that name.
    DatasetError
        If the dataset is not available, or does not agree with its card.

    Notes
    -----
    The `openml` client tries each download up to four times, within about 6 s.

    Examples
    --------
    >>> from datasets import load
    >>> data = load("digits-completion").standardized()
    >>> data.X.shape, data.y.shape
    ((1797, 32), (1797, 32))
    """
    if isinstance(name, str) and name.endswith(TWIN):
        return make_twin(name.removesuffix(TWIN))
    return _fetch(card_of(name), data_home)


def fetch(card, *, data_home=None):
    """Load the dataset of a card, for example of your own card.

    Parameters
    ----------
    card : Card
    data_home : path-like, default=None
        As for `load`.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        As for `load`.
    """
    return _fetch(card, data_home)


def _fetch(card, data_home):
    """Do the work of `load` and `fetch`. Both are one call away, so warnings name their caller."""
    home = None if data_home is None else _folder(card, data_home)
    if card.bundled:
        return bundled.read(card)
    path = None if home is None else files.find(card, home)
    if path is not None:
        return files.read(card, path)
    if card.openml_name is None:
        raise DatasetError(f"{card.name} is not on OpenML. {way_on(card, home)}")
    return openml_client.obtain(card, home)


def _folder(card, data_home):
    home = Path(data_home).expanduser()
    if not os.fspath(data_home):
        raise DatasetError(f"{card.name}: data_home is empty: give a folder, or None.")
    try:
        home.stat()
    except FileNotFoundError:
        # A download creates it.
        return home
    except (OSError, ValueError) as error:
        # The path is too long, contains a null character, leads through a file, or is forbidden.
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{card.name}: data_home cannot be a folder: {reason}.") from error
    if not home.is_dir():
        raise DatasetError(
            f"{card.name}: data_home={str(home)!r} is a file: give the folder it is in."
        )
    return home
