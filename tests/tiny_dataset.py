"""A made-up dataset of 12 rows, 3 features and 2 targets, and what tests of datasets share."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets import Card
from datasets.dataset import checksum

# Real data stand beside the repository and not in it.
DATA = Path(__file__).parents[2] / "shared" / "data"


def needs(path):
    return pytest.mark.skipif(not path.exists(), reason=f"{path.name} is not beside the project")


def contents(folder):
    """Everything in a folder, bytes and times included."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def files_in(folder):
    """As `contents`, without folders: their times change when a file comes and goes."""
    return {path: state for path, state in contents(folder).items() if path.is_file()}


def assert_same(one, other):
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.y, other.y)
    assert one.feature_names == other.feature_names
    assert one.target_names == other.target_names


def as_arff(values, names=("a", "b", "c", "u", "v")):
    header = "".join(f"@attribute {name} numeric\n" for name in names)
    rows = "\n".join(
        ",".join("?" if np.isnan(value) else repr(float(value)) for value in row) for row in values
    )
    return f"@relation tiny\n{header}@data\n{rows}\n"


VALUES = np.round(np.random.default_rng(0).normal(size=(12, 5)), 4)
ARFF = as_arff(VALUES)
CHECKSUM = checksum(VALUES[:, :3], VALUES[:, 3:], ["a", "b", "c"], ["u", "v"])
TINY = Card(
    name="tiny",
    title="Made up",
    task="regression",
    source="these tests",
    licence="BSD-3-Clause",
    n_samples=12,
    n_features=3,
    n_targets=2,
    openml_name="tiny",
    checksum=CHECKSUM,
    openml_seen=True,
)
LABELS = replace(TINY, task="classification", n_targets=None, n_classes=2, checksum=None)


def assert_tiny(dataset):
    np.testing.assert_array_equal(dataset.X, VALUES[:, :3])
    np.testing.assert_array_equal(dataset.y, VALUES[:, 3:])
    assert dataset.X.flags.c_contiguous
    assert dataset.feature_names == ["a", "b", "c"]
    assert dataset.target_names == ["u", "v"]
    assert dataset.checksum == CHECKSUM
    assert dataset.card.checksum == CHECKSUM
    assert dataset.n_dropped == 0


def raising(error):
    """A function that raises this error, whatever it is given."""

    def function(*_, **__):
        raise error

    return function


class Bomb:
    """Makes the folder `mark` when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)
