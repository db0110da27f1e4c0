"""Load a dataset by name: from scikit-learn, a folder, a cache of `openml`, or OpenML."""

import os
from pathlib import Path

from datasets import bundled, files, openml_client
from datasets.catalogue import card as card_of
from datasets.dataset import DatasetError, way_on
from datasets.simulated import make_twin

TWIN = "-twin"
# Seconds to wait after a failed try to download: four tries in all.
WAITS = (1.0, 4.0, 16.0)


def load(name, *, data_home=None):
    """Load a dataset by the name of its card, and check it.

    Parameters
    ----------
    name : str
        A card's name, or that followed by "-twin": a simulated dataset of the same shape
        (see `make_twin`).
    data_home : path-like, default=None
        A folder with NAME.arff or NAME.npz (or a file the card names), there or one folder
        further down, or a cache of the `openml` client, likewise. What is not there
        is downloaded into it as into such a cache, once it has passed every check; files
        found are never altered, but for a cached dataset that is damaged or not what its
        card says: once downloaded anew, that takes its place.
        None: the cache that `openml` is configured for.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no card of that name.
    DatasetError
        If the data cannot be had, or are not what the card says.

    Notes
    -----
    A download that fails is tried four times within 21 s. Each wait is announced by a
    warning of the logger "datasets", on stderr unless logging is set up otherwise.

    Examples
    --------
    >>> from datasets import load
    >>> data = load("digits-completion").standardized()
    >>> data.X.shape, data.y.shape
    ((1797, 32), (1797, 32))
    """
    if isinstance(name, str) and name.endswith(TWIN):
        return make_twin(name.removesuffix(TWIN))
    return _fetch(card_of(name), data_home, WAITS)


def fetch(card, *, data_home=None, waits=WAITS):
    """Load the dataset of a card, one of yours for instance.

    Parameters
    ----------
    card : Card
    data_home : path-like, default=None
        As for `load`.
    waits : sequence of float, default=(1, 4, 16)
        Seconds between the tries of each request; there is one more try than waits.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        As for `load`.
    """
    return _fetch(card, data_home, waits)


def _fetch(card, data_home, waits):
    """As `fetch`; both it and `load` call it, so that warnings point to their caller."""
    home = None if data_home is None else _folder(card, data_home)
    if card.bundled:
        return bundled.read(card)
    path = None if home is None else files.find(card, home)
    if path is not None:
        return files.read(card, path)
    if card.openml_name is None:
        raise DatasetError(f"{card.name} is not on OpenML. {way_on(card, home)}")
    return openml_client.obtain(card, home, waits)


def _folder(card, data_home):
    home = Path(data_home).expanduser()
    if not os.fspath(data_home):
        raise DatasetError(f"{card.name}: data_home is empty: give a folder, or None.")
    try:
        home.stat()
    except FileNotFoundError:
        # It will be made.
        return home
    except (OSError, ValueError) as error:
        # Too long, with a zero in it, below a file, or closed.
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{card.name}: data_home cannot be a folder: {reason}.") from error
    if not home.is_dir():
        raise DatasetError(
            f"{card.name}: data_home={str(home)!r} is a file: give the folder it is in."
        )
    return home
