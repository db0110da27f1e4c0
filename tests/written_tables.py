"""A table in a CSV or Parquet file, read back as moments."""

import numpy as np
import pandas as pd

from problems import simulate
from shrinklin import Moments

FEATURES = ["a", "b", "c", "on"]


def table(n_samples=50, seed=0):
    """Columns of floats, whole numbers and flags, two targets and a weight."""
    X, Y = simulate(n_samples, 3, 2, seed=seed)
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": X[:, 0],
            "y": Y[:, 0],
            "b": X[:, 1] + 100,
            "c": rng.integers(-5, 5, n_samples),
            "on": X[:, 2] > 0,
            "z": Y[:, 1],
            "w": rng.uniform(0, 2, n_samples),
        }
    )


def write(frame, file, **options):
    if file.suffix == ".csv":
        frame.to_csv(file, **({"index": False} | options))
    else:
        frame.to_parquet(file, **options)
    return file


def read(file, *arguments, rows=None, **options):
    """The moments, by the reader for files of this kind, `rows` at a time."""
    one = file[0] if isinstance(file, list) else file
    csv = ".csv" in str(one)
    if rows is not None:
        options["chunksize" if csv else "batch_size"] = rows
    return (Moments.from_csv if csv else Moments.from_parquet)(file, *arguments, **options)


def expected(frame, target, features=None, sample_weight=None):
    """The moments of the table itself."""
    s = None if sample_weight is None else frame[sample_weight]
    return Moments.from_data(frame[features or FEATURES].astype(float), frame[target], s)


def each_kind(request):
    """A fixture: the ending of a file of each kind."""
    return request.param
