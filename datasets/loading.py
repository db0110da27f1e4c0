"""Load a dataset by name: from scikit-learn, a folder, a cache of `openml`, or OpenML."""

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
        is downloaded into it as into such a cache; files found are never altered.
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

    Examples
    --------
    >>> from datasets import load
    >>> data = load("digits-completion").standardized()
    >>> data.X.shape, data.y.shape
    ((1797, 32), (1797, 32))
    """
    if isinstance(name, str) and name.endswith(TWIN):
        return make_twin(name.removesuffix(TWIN))
    return fetch(card_of(name), data_home=data_home)


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
    if card.bundled:
        return bundled.read(card)
    path = None if data_home is None else files.find(card, data_home)
    if path is not None:
        return files.read(card, path)
    if card.openml_name is None:
        raise DatasetError(f"{card.name} is not on OpenML. {way_on(card, data_home)}")
    return openml_client.obtain(card, data_home, waits)
