"""Datasets that come with scikit-learn: they need no file and no network."""

from sklearn import datasets as sklearn_datasets

from datasets.dataset import assemble, told

# Rows 1 to 4 of an 8 × 8 image, read line by line.
UPPER_HALF = 32


def read(card):
    """Load the dataset of a bundled card, and check it.

    Parameters
    ----------
    card : Card
        With ``bundled=True``.

    Returns
    -------
    Dataset
    """
    remedy = "Use the release of scikit-learn that the card was made with, or renew the card."
    with told(card, "scikit-learn", remedy):
        return assemble(card, *_parts(card.name))


def _parts(name):
    if name == "digits-completion":
        return _digits_completion()
    # The last digits of data scaled by scikit-learn depend on the machine.
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(sklearn_datasets, f"load_{name}")(**options)
    targets = bunch.get("target_names", ["progression"])
    # In earlier releases of scikit-learn, 5.366 in diabetes is 5.3660000000000005.
    return bunch.data.round(10), bunch.target, bunch.feature_names, targets


def _digits_completion():
    bunch = sklearn_datasets.load_digits()
    names = list(bunch.feature_names)
    upper, lower = bunch.data[:, :UPPER_HALF], bunch.data[:, UPPER_HALF:]
    return upper, lower, names[:UPPER_HALF], names[UPPER_HALF:]
