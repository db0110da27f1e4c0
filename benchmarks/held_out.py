"""The best held-out loss at the fewest features: `python -m benchmarks.held_out`.

Nested: each of `--folds` outer folds is held out once, and everything is chosen by five folds of
the other rows: for each recipe the best model, the smallest within one standard error of it, and
the best with at most 5, 10, 20 and 50 features. Columns are standardised by the training rows, and
targets have unit variance.

Data are multi-target data that `datasets` loads from `--data-home`, classes in NAME.npz there
(`--rows` of the rows, as few rows are the hard case), some of scikit-learn's, and simulated ones.
What is not there is skipped. Recipes are `AutoSparseRegressor` and `AutoSparseClassifier`, and the
same with one kind of models. For comparison there are a ridge and a forest, which use all features.
A run goes on from the file `--out`, if it is there.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

import datasets
from shrinklin import AutoSparseClassifier, AutoSparseRegressor

AT_MOST = (5, 10, 20, 50)
MULTI_TARGET = ["oes97", "oes10", "wq", "enb", "jura", "andro"]
CLASSES = ["optdigits", "segment", "mfeat", "isolet_part"]
# What differs from the estimator that compares everything.
ALONE = {"ridges": (0.0,), "relax": False}
RECIPES = {
    "auto": {},
    "group lasso": {"kinds": ("group lasso",), **ALONE},
    "group lasso, refitted": {"kinds": ("group lasso",), **ALONE, "relax": True},
    "ShrinkNet": {"kinds": ("ShrinkNet",), **ALONE},
    "ShrinkNet, ridges": {"kinds": ("ShrinkNet",), "relax": False},
    "greedy": {"kinds": ("greedy",)},
}


# Data.


def spectra(rng, n_samples=150, n_features=300, n_targets=3):
    """Smooth curves, of which a few places matter."""
    places = np.linspace(0, 1, n_features)
    centres, widths = rng.uniform(size=30), rng.uniform(0.02, 0.1, size=30)
    shapes = np.exp(-(((places[:, None] - centres) / widths) ** 2))
    X = rng.normal(size=(n_samples, 30)) @ shapes.T
    X += 0.02 * rng.normal(size=X.shape)
    W = np.zeros((n_features, n_targets))
    W[rng.choice(n_features, 6, replace=False)] = rng.normal(size=(6, n_targets))
    return X, X @ W + 0.5 * rng.normal(size=(n_samples, n_targets))


def wide_classes(rng, n_samples=100, n_features=1000, n_classes=4):
    X = rng.normal(size=(n_samples, n_features))
    W = np.zeros((n_features, n_classes))
    W[:15] = rng.normal(size=(15, n_classes))
    return X, (X @ W + rng.gumbel(size=(n_samples, n_classes))).argmax(axis=1)


def all_data(home, n_rows):
    """Yield (name, X, y), y of floats for regression and of class numbers otherwise."""
    yield "diabetes", *load_diabetes(return_X_y=True)
    yield "spectra (simulated)", *spectra(np.random.default_rng(0))
    for name in MULTI_TARGET:
        yield from _multi_target(name, home)
    for name, load in {"wine": load_wine, "breast cancer": load_breast_cancer}.items():
        yield name, *load(return_X_y=True)
    yield "wide classes (simulated)", *wide_classes(np.random.default_rng(0))
    yield "digits", *_few(*load_digits(return_X_y=True), n_rows)
    for name in CLASSES:
        yield from _classes(name, home, n_rows)


def _multi_target(name, home):
    try:
        found = datasets.load(name, data_home=home)
    except datasets.DatasetError as error:
        print(f"{name} is skipped: {str(error).splitlines()[0]}")
        return
    yield name, np.asarray(found.X, dtype=float), np.asarray(found.y, dtype=float)


def _classes(name, home, n_rows):
    for file in sorted(Path(home or ".").rglob(f"{name}.npz")):
        with np.load(file, allow_pickle=False) as data:
            codes = np.unique(data["y"], return_inverse=True)[1]
            yield name, *_few(data["X"].astype(float), codes, n_rows)
            return
    print(f"{name} is skipped: there is no {name}.npz below {home}.")


def _few(X, y, n_rows):
    return train_test_split(X, y, train_size=n_rows, stratify=y, random_state=0)[::2]


# Models.


def fitted(recipe, X, y):
    is_class = y.dtype.kind == "i"
    base = AutoSparseClassifier if is_class else AutoSparseRegressor
    # The estimators compare everything; these attributes are not parameters.
    return type(base.__name__, (base,), RECIPES[recipe])(cv=5).fit(X, y)


def models_of(search):
    """(column, model) for every column of the table."""
    front = search.front_
    n, means, errors = (front[k] for k in ("n_features", "mean_score", "standard_error"))
    yield "best", search.with_features(n[-1])
    near = means >= means[-1] - errors[-1]
    yield "1se", search.with_features(n[near][0])
    for most in AT_MOST:
        if n[0] <= most:
            yield f"<= {most}", search.with_features(most)


def peers(X, y):
    if y.dtype.kind == "i":
        yield "ridge", LogisticRegressionCV(Cs=10, max_iter=2000).fit(X, y)
        yield "forest", RandomForestClassifier(300, random_state=0).fit(X, y)
    else:
        yield "ridge", RidgeCV(np.geomspace(1e-2, 1e4, 25)).fit(X, y)
        yield "forest", RandomForestRegressor(300, random_state=0).fit(X, y)


def loss(model, X, y):
    """Held-out loss, and the error rate of a classifier."""
    if y.dtype.kind != "i":
        return float(np.mean((model.predict(X) - y) ** 2)), np.nan
    P = np.clip(model.predict_proba(X), 1e-6, 1)
    P = P / P.sum(axis=1, keepdims=True)
    return log_loss(y, P, labels=model.classes_), float(np.mean(model.predict(X) != y))


def measure(name, X, y, folds):
    """Rows of the table."""
    split = StratifiedKFold if y.dtype.kind == "i" else KFold
    rows = []
    for k, (train, test) in enumerate(split(folds, shuffle=True, random_state=0).split(X, y)):
        scaler = StandardScaler().fit(X[train])
        moving = X[train].std(axis=0) > 0
        A, B = scaler.transform(X[train])[:, moving], scaler.transform(X[test])[:, moving]
        y_train, y_test = y[train], y[test]
        if y.dtype.kind != "i":
            of_y = StandardScaler().fit(y_train.reshape(len(train), -1))
            parts = (of_y.transform(part.reshape(len(part), -1)) for part in (y_train, y_test))
            y_train, y_test = (part.reshape(-1, *y.shape[1:]) for part in parts)
        rows += [[name, k, *row] for row in measure_fold(A, y_train, B, y_test)]
    return rows


def measure_fold(X, y, X_test, y_test):
    for recipe in RECIPES:
        start = time.process_time()
        search = fitted(recipe, X, y)
        seconds = time.process_time() - start
        for column, model in models_of(search):
            kept = np.flatnonzero(model.get_support())
            shown = " ".join(map(str, kept))
            yield recipe, column, *loss(model, X_test, y_test), len(kept), seconds, shown
    for recipe, model in peers(X, y):
        yield recipe, "best", *loss(model, X_test, y_test), X.shape[1], np.nan, ""


NAMES = ["data", "fold", "recipe", "column", "loss", "error", "features", "seconds", "kept"]


def summary(table):
    """For each kind of data: geometric means of loss / the best recipe's, and of features."""
    means = table.groupby(["data", "recipe", "column"], sort=False)
    means = means[["loss", "error", "features", "seconds"]].mean().reset_index()
    classes = means.groupby("data")["error"].transform("max").notna()
    for title, part in (("regression", means[~classes]), ("classes", means[classes])):
        if len(part):
            best = part.groupby(["data", "column"])["loss"].transform("min")
            part = part.assign(ratio=np.log(part["loss"] / best))
            found = part.pivot_table("ratio", "recipe", "column", sort=False)
            print(title, "\n", np.exp(found).round(3).to_string())
            worst = part.pivot_table("ratio", "recipe", "column", "max", sort=False)
            print("worst\n", np.exp(worst).round(2).to_string())
            print(part.pivot_table("features", "recipe", "column", sort=False).round(1).to_string())
            print(part.pivot_table("seconds", "recipe", sort=False).round(1).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", type=Path, default=None)
    parser.add_argument("--only", nargs="+", help="names of data")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--folds", type=int, default=5)
    default = Path(__file__).parent / "results" / "held_out.csv"
    parser.add_argument("--out", type=Path, default=default)
    options = parser.parse_args()
    table = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame(columns=NAMES)
    for name, X, y in tqdm(list(all_data(options.data_home, options.rows))):
        if name in set(table["data"]) or (options.only and name not in options.only):
            continue
        found = pd.DataFrame(measure(name, X, y, options.folds), columns=NAMES)
        found = found.round({"loss": 4, "error": 4, "seconds": 1})
        table = pd.concat([table, found]) if len(table) else found
        table.to_csv(options.out, index=False)
    summary(table)


if __name__ == "__main__":
    main()
