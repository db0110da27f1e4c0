"""Datasets that scikit-learn ships in its package: no file, no network."""

from sklearn import datasets as sklearn_datasets

from datasets.dataset import assemble, told

# Rows 1 to 4 of an 8 × 8 image, read line by line.
UPPER_HALF = 32


def read(card):
    """The dataset of a bundled card, checked.

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
    # Scaled by scikit-learn, the last digits would depend on the machine.
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(sklearn_datasets, f"load_{name}")(**options)
    targets = bunch.get("target_names", ["progression"])
    # Earlier releases of scikit-learn have 5.366 of diabetes as 5.3660000000000005.
    return bunch.data.round(10), bunch.target, bunch.feature_names, targets


def _digits_completion():
    bunch = sklearn_datasets.load_digits()
    names = list(bunch.feature_names)
    upper, lower = bunch.data[:, :UPPER_HALF], bunch.data[:, UPPER_HALF:]
    return upper, lower, names[:UPPER_HALF], names[UPPER_HALF:]
