"""Data larger than memory: a path fitted to 20 GB that are made chunk by chunk.

The table has 500 features and 10 targets, which depend on 20 of the features. No chunk is kept:
each is drawn from its own seed, goes into `Moments`, and is gone. Reported are the time of each
stage, the most memory that the process ever had, which features were found, and how far the
coefficients are from those that made the data.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from shrinklin import GroupLassoRegressor, Moments, ShrinkNetRegressor, regularization_path

N_FEATURES, N_TARGETS, N_RELEVANT = 500, 10, 20
CHUNK_ROWS = 25_000
MODELS = {"group lasso": GroupLassoRegressor(), "ShrinkNet": ShrinkNetRegressor()}


def true_coefficients():
    """W (n_features, n_targets), zero but for 20 rows anywhere."""
    rng = np.random.default_rng(0)
    W = np.zeros((N_FEATURES, N_TARGETS))
    rows = rng.choice(N_FEATURES, N_RELEVANT, replace=False)
    W[rows] = rng.normal(scale=0.2, size=(N_RELEVANT, N_TARGETS))
    return W


class VirtualTable:
    """Chunks (X, Y) of correlated features with means, and the seconds spent on making them."""

    def __init__(self, n_chunks, W):
        self.n_chunks, self.W, self.seconds = n_chunks, W, 0.0

    def __iter__(self):
        means = np.linspace(-10, 10, N_FEATURES)
        for number in tqdm(range(self.n_chunks), desc="chunks", unit="chunk"):
            start = time.perf_counter()
            rng = np.random.default_rng([1, number])
            X = rng.standard_normal((CHUNK_ROWS, N_FEATURES))
            X += rng.standard_normal((CHUNK_ROWS, 1)) + means
            Y = X @ self.W + 5.0 + 3.0 * rng.standard_normal((CHUNK_ROWS, N_TARGETS))
            self.seconds += time.perf_counter() - start
            yield X, Y


def peak_gigabytes():
    """Most memory that this process had in use."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def stage_of_moments(table):
    """The `Moments` of a table, and a row of what that took."""
    start = time.perf_counter()
    moments = Moments.from_chunks(table)
    seconds = time.perf_counter() - start
    rows = [
        {"stage": "making the data", "seconds": table.seconds},
        {"stage": "moments", "seconds": seconds - table.seconds},
    ]
    return moments, [row | {"peak GB": peak_gigabytes()} for row in rows]


def stage_of_path(name, model, moments, W):
    """What a path took, and how good its model of about `N_RELEVANT` features is."""
    start = time.perf_counter()
    path = regularization_path(model, moments, alphas=30)
    seconds = time.perf_counter() - start
    relevant = W.any(axis=1)
    # The densest model of no more features than count.
    best = np.flatnonzero(path.n_selected <= N_RELEVANT)[-1]
    found = path.coefs[best].any(axis=0)
    return {
        "stage": f"path of {name}",
        "seconds": seconds,
        "peak GB": peak_gigabytes(),
        "features": int(found.sum()),
        "right": int((found & relevant).sum()),
        "relative error": np.linalg.norm(path.coefs[best].T - W) / np.linalg.norm(W),
    }


def measure(gigabytes):
    """A row a stage."""
    W = true_coefficients()
    n_chunks = max(1, round(gigabytes * 1e9 / (8 * N_FEATURES * CHUNK_ROWS)))
    moments, rows = stage_of_moments(VirtualTable(n_chunks, W))
    rows += [stage_of_path(name, model, moments, W) for name, model in MODELS.items()]
    size = {"samples": moments.n_samples, "GB": 8e-9 * N_FEATURES * moments.n_samples}
    return pd.DataFrame([size | row for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gb", type=float, default=20, help="size of the table of features")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    table = measure(arguments.gb)
    table.round(4).to_csv(arguments.out / "out_of_core.csv", index=False)
    print(table.round(4).to_string(index=False, na_rep=""))


if __name__ == "__main__":
    main()
