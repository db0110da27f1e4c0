"""Datasets to try shrinklin on: one card per dataset, loaders that check, simulated data.

>>> import datasets
>>> iris = datasets.load("iris")
>>> iris.X.shape, iris.target_names
((150, 4), ['setosa', 'versicolor', 'virginica'])
>>> datasets.card("oes97").n_targets
16

`load` takes a dataset from scikit-learn, from a file in your folder (`data_home`), from a cache
of the `openml` client, or downloads it with that client. It always checks the data against the
card. This package is not installed: import it from the root of the repository.
"""

from datasets.catalogue import Card, card, cards
from datasets.dataset import Dataset, DatasetError
from datasets.images import Images, load_images
from datasets.loading import fetch, load
from datasets.simulated import make_shared_support, make_twin, make_xor

__all__ = [
    "Card",
    "Dataset",
    "DatasetError",
    "Images",
    "card",
    "cards",
    "fetch",
    "load",
    "load_images",
    "make_shared_support",
    "make_twin",
    "make_xor",
]
