"""What choosing alpha costs, next to one path on all data: `python benchmarks/cross_validation.py`.

5 folds × 100 alphas on 100 000 × 500 × 10: the CV class, which reads X once, and a path fitted from
scratch for every fold, each in turn, `--repeats` times; and once GridSearchCV and scikit-learn's
MultiTaskLassoCV on the same alphas, which are stopped after `--limit` seconds. The medians are
divided by that of one path.
"""

import argparse
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import MultiTaskLassoCV
from sklearn.model_selection import GridSearchCV, KFold
from tqdm.auto import tqdm

from shrinklin import (
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    regularization_path,
)

N_FOLDS, N_ALPHAS = 5, 100
CLASSES = {
    "group lasso": (GroupLassoRegressor, GroupLassoRegressorCV),
    "ShrinkNet": (ShrinkNetRegressor, ShrinkNetRegressorCV),
}


def simulate(n_samples, n_features, n_targets, n_relevant=50):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    W = rng.standard_normal((n_relevant, n_targets))
    return X, X[:, :n_relevant] @ W + 5 * rng.standard_normal((n_samples, n_targets))


def seconds(job):
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def from_scratch(single, X, Y, alphas):
    """Mean held-out errors, with a path of its own for every fold."""
    errors = []
    for train, test in KFold(N_FOLDS).split(X):
        path = regularization_path(single, X[train], Y[train], alphas=alphas)
        errors.append(path.mean_squared_errors(X[test], Y[test]))
    return np.mean(errors, axis=0)


def peers(X, Y):
    """The slow ways to choose group lasso's alpha, by name."""
    alphas = regularization_path(GroupLassoRegressor(), X, Y, alphas=N_ALPHAS).alphas
    grid = {"alpha": alphas}
    scoring = "neg_mean_squared_error"
    return {
        "GridSearchCV": GridSearchCV(GroupLassoRegressor(), grid, cv=N_FOLDS, scoring=scoring),
        "MultiTaskLassoCV": MultiTaskLassoCV(alphas=alphas, cv=N_FOLDS, tol=1e-6),
    }


def seconds_of_peer(peer, X, Y, limit):
    """Of a fit in a process of its own; infinite where it was stopped."""
    process = multiprocessing.get_context("fork").Process(target=peer.fit, args=(X, Y))
    start = time.perf_counter()
    process.start()
    process.join(limit)
    if not process.is_alive():
        return time.perf_counter() - start
    process.kill()
    process.join()
    return np.inf


def measure(X, Y, repeats, limit):
    """A row a way: seconds, and as a multiple of one path on all data."""
    rows = []
    for name, (single, crossed) in CLASSES.items():
        alphas = regularization_path(single(), X, Y, alphas=N_ALPHAS).alphas
        ways = {
            "one path on all data": lambda s=single: regularization_path(s(), X, Y),
            "CV class": lambda c=crossed: c(cv=N_FOLDS).fit(X, Y),
            "CV class, n_jobs=2": lambda c=crossed: c(cv=N_FOLDS, n_jobs=2).fit(X, Y),
            "a path from scratch a fold": lambda s=single, a=alphas: from_scratch(s(), X, Y, a),
        }
        for _ in tqdm(range(repeats), desc=name):
            rows += [(name, way, seconds(job)) for way, job in ways.items()]
    for name, peer in peers(X, Y).items() if limit else ():
        taken = seconds_of_peer(peer, X, Y, limit)
        stopped = "" if np.isfinite(taken) else f", stopped after {limit:g} s"
        rows.append(("group lasso", name + stopped, taken))
    table = pd.DataFrame(rows, columns=["penalty", "way", "seconds"])
    table = table.groupby(["penalty", "way"], sort=False)["seconds"].median().reset_index()
    one = table[table["way"] == "one path on all data"].set_index("penalty")["seconds"]
    table["of one path"] = table["seconds"] / table["penalty"].map(one)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600, help="of a peer, seconds")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    # What is compiled on first use is not measured.
    for _, crossed in CLASSES.values():
        crossed(alphas=3).fit(*simulate(500, 60, 2))
    table = measure(*simulate(100_000, 500, 10), options.repeats, options.limit)
    table.round(3).to_csv(options.out / "cross_validation.csv", index=False)
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
