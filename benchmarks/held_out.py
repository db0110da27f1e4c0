"""The best held-out loss at the fewest features: `python -m benchmarks.held_out`.

Nested: each of `--folds` outer folds is held out once, and everything is chosen by five folds of
the other rows: for each recipe the best model, the smallest within one standard error of it, and
the best with at most 5, 10, 20 and 50 features. Columns are standardised by the training rows, and
targets have unit variance.

Data are multi-target data that `datasets` loads from `--data-home`, classes in NAME.npz there
(`--rows` of the rows, as few rows are the hard case), some of scikit-learn's, and simulated ones.
What is not there is skipped. "auto" is `AutoSparseRegressor` or `AutoSparseClassifier`; further
recipes choose among some of its candidates only. For comparison there are a group lasso whose
weights come from a ridge (adaptive), abess with ridge refits, if it is installed, scikit-learn's
`MultiTaskLassoCV`, and a ridge and a forest, which use all features. A run goes on from the file
`--out`, if it is there.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskLassoCV,
    Ridge,
    RidgeCV,
)
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

import datasets
from shrinklin import (
    AutoSparseClassifier,
    AutoSparseRegressor,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
)

AT_MOST = (5, 10, 20, 50)
MULTI_TARGET = ["oes97", "oes10", "wq", "enb", "jura", "andro"]
CLASSES = ["optdigits", "segment", "mfeat", "isolet_part", "gas_drift_z10"]
# Numbers of features, and ridges of the refits, among which abess may choose.
ABESS_SIZES = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 38, 50)
ABESS_REFITS = (0.003, 0.03)
# scikit-learn's MultiTaskLassoCV takes minutes for more columns.
FEW_COLUMNS = 100


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


def has_classes(y):
    return y.dtype.kind == "i"


def splits(y, n_folds, random_state):
    kind = StratifiedKFold if has_classes(y) else KFold
    return list(kind(n_folds, shuffle=True, random_state=random_state).split(y, y))


def inner(y):
    """The folds of a search. Rows of the regressions are often sorted, by time or place."""
    return 5 if has_classes(y) else KFold(5, shuffle=True, random_state=0)


# Recipes: a table of candidates, and a function that gives the model of a row.


def alone(kind, table, *, ridges=False, refits=False):
    """Candidates of one kind."""
    chosen = table["kind"] == kind
    if not ridges:
        chosen &= table["ridge"] == 0
    if not refits:
        chosen &= table["refit_ridge"].isna()
    return table[chosen]


def of_auto(X, y):
    """(recipe, table, model) for `AutoSparse…` and for some of its candidates only."""
    auto = _auto(y)(cv=inner(y)).fit(X, y)
    table = pd.DataFrame(auto.cv_results_)
    # "1se" is its own choice, which also looks at differences in every fold.
    yield "auto", table.assign(chosen=table.index == auto.best_index_), auto.candidate
    yield "group lasso", alone("group lasso", table), auto.candidate
    yield "ShrinkNet", alone("ShrinkNet", table), auto.candidate
    yield "ShrinkNet, ridges", alone("ShrinkNet", table, ridges=True), auto.candidate
    yield "greedy", alone("greedy", table, ridges=True, refits=True), auto.candidate


def _auto(y):
    return AutoSparseClassifier if has_classes(y) else AutoSparseRegressor


def of_refits(X, y):
    """Group lasso, also with refits."""
    yield "group lasso, refitted", *_group_lasso(X, y, relax=True)


def of_adaptive(X, y):
    """Group lasso with weights from a ridge of all features."""
    norms = np.linalg.norm(np.atleast_2d(ridge(X, y).coef_), axis=0)
    weights = 1 / np.maximum(norms, 1e-6 * norms.max())
    yield "adaptive group lasso", *_group_lasso(X, y, feature_weights=weights / weights.min())


def _group_lasso(X, y, relax=False, feature_weights=None):
    kind = _auto(y)
    # The estimators compare everything; these attributes are not parameters.
    alone = type(kind.__name__, (kind,), {"kinds": {"group lasso": (0.0,)}, "relax": relax})
    search = alone(cv=inner(y), feature_weights=feature_weights).fit(X, y)
    return pd.DataFrame(search.cv_results_), search.candidate


def of_abess(X, y):
    """The best support of each size, by splicing, and refits with ridges."""
    try:
        import abess
    except ImportError:
        return
    sizes = [k for k in ABESS_SIZES if k <= min(X.shape[1], len(X) // 2)]

    def models(X, y):
        for size in sizes:
            kept = _spliced(abess, X, y, size)
            for penalty in ABESS_REFITS:
                yield OnColumns(kept, refitted(X[:, kept], y, penalty))

    scores = [
        [-loss(model, X[test], y[test])[0] for model in models(X[train], y[train])]
        for train, test in splits(y, 5, 0)
    ]
    of_all = list(models(X, y))
    table = pd.DataFrame({
        "n_features": [len(model.kept) for model in of_all],
        "mean_score": np.mean(scores, axis=0),
        "std_score": np.std(scores, axis=0),
    })  # fmt: skip
    yield "abess, refitted", table, of_all.__getitem__


def _spliced(abess, X, y, size):
    if not has_classes(y):
        kind = abess.LinearRegression if y.ndim == 1 else abess.MultiTaskRegression
    else:
        kind = abess.LogisticRegression if y.max() == 1 else abess.MultinomialRegression
    moving = np.flatnonzero(np.ptp(X, axis=0) > 0)  # it refuses others
    coef = kind(support_size=min(size, len(moving)), thread=1).fit(X[:, moving], y).coef_
    return moving[coef.reshape(len(moving), -1).any(axis=1)]


class OnColumns:
    """A model of some columns."""

    def __init__(self, kept, model):
        self.kept, self.model, self.classes_ = kept, model, getattr(model, "classes_", None)

    def get_support(self):
        mask = np.zeros(1 + self.kept.max(initial=0), dtype=bool)
        mask[self.kept] = True
        return mask

    def predict(self, X):
        return self.model.predict(X[:, self.kept])

    def predict_proba(self, X):
        return self.model.predict_proba(X[:, self.kept])


def refitted(X, y, penalty):
    """The minimum of the mean loss + penalty/2 ‖W‖²."""
    if has_classes(y):
        return LogisticRegression(C=1 / (len(X) * penalty), max_iter=500).fit(X, y)
    return Ridge(len(X) * penalty).fit(X, y)


def ridge(X, y):
    if has_classes(y):
        return LogisticRegressionCV(Cs=10, cv=3, max_iter=500).fit(X, y)
    return RidgeCV(np.geomspace(1e-2, 1e4, 25)).fit(X, y)


def single_models(X, y):
    """(recipe, model) that chooses by itself."""
    if not has_classes(y) and X.shape[1] <= FEW_COLUMNS:
        lasso = MultiTaskLassoCV(cv=inner(y), max_iter=10_000).fit(X, y.reshape(len(y), -1))
        yield "MultiTaskLassoCV", lasso
    yield "ridge (all features)", ridge(X, y)
    forest = RandomForestClassifier if has_classes(y) else RandomForestRegressor
    yield "forest (all features)", forest(300, random_state=0).fit(X, y)


def todays(X, y):
    """What the time of "auto" is compared with: a search among models of one kind."""
    if has_classes(y):
        return ShrinkNetClassifierCV(ridges=0.0, cv=inner(y)).fit(X, y)
    return ShrinkNetRegressorCV(cv=inner(y)).fit(X, y)


# Measuring.


def columns_of(table):
    """Yield (column, row of the table): models of at most so many features, and others."""
    best = table["mean_score"].idxmax()
    yield "best", best
    if "chosen" in table:
        yield "1se", table["chosen"].idxmax()
    else:
        error = table["std_score"][best] / np.sqrt(5 - 1)
        yield "1se", _sparsest(table[table["mean_score"] >= table["mean_score"][best] - error])
    for most in AT_MOST:
        few = table[table["n_features"] <= most]
        if len(few):
            yield f"<= {most}", few["mean_score"].idxmax()


def _sparsest(table):
    return table[table["n_features"] == table["n_features"].min()]["mean_score"].idxmax()


def loss(model, X, y):
    """Held-out loss, and the error rate of a classifier."""
    if not has_classes(y):
        return float(np.mean((model.predict(X).reshape(y.shape) - y) ** 2)), np.nan
    P = np.clip(model.predict_proba(X), 1e-6, 1)
    P = P / P.sum(axis=1, keepdims=True)
    return log_loss(y, P, labels=model.classes_), float(np.mean(model.predict(X) != y))


def measure(name, X, y, folds):
    """Rows of the table."""
    rows = []
    for k, (train, test) in enumerate(splits(y, folds, 0)):
        scaler = StandardScaler().fit(X[train])
        moving = X[train].std(axis=0) > 0
        A, B = scaler.transform(X[train])[:, moving], scaler.transform(X[test])[:, moving]
        y_train, y_test = y[train], y[test]
        if not has_classes(y):
            of_y = StandardScaler().fit(y_train.reshape(len(train), -1))
            parts = (of_y.transform(part.reshape(len(part), -1)) for part in (y_train, y_test))
            y_train, y_test = (part.reshape(-1, *y.shape[1:]) for part in parts)
        rows += [[name, k, *row] for row in measure_fold(A, y_train, B, y_test)]
        if k == 0:  # enough for the time
            start = time.process_time()
            todays(A, y_train)
            seconds = time.process_time() - start
            rows.append([name, k, "ShrinkNet…CV", "time", *[np.nan] * 3, seconds, ""])
    return rows


def measure_fold(X, y, X_test, y_test):
    for recipes in (of_auto, of_refits, of_adaptive, of_abess):
        start = time.process_time()
        found = list(recipes(X, y))
        seconds = time.process_time() - start
        for recipe, table, model_of in found:
            for column, row in columns_of(table):
                model = model_of(row)
                kept = np.flatnonzero(model.get_support())
                shown = " ".join(map(str, kept))
                yield recipe, column, *loss(model, X_test, y_test), len(kept), seconds, shown
            seconds = np.nan  # of the first recipe, whose candidates the others have
    for recipe, model in single_models(X, y):
        used = np.atleast_2d(model.coef_).any(axis=0).sum() if "Lasso" in recipe else X.shape[1]
        yield recipe, "best", *loss(model, X_test, y_test), used, np.nan, ""


NAMES = ["data", "fold", "recipe", "column", "loss", "error", "features", "seconds", "kept"]


# The summary.


def summary(table):
    """Print, for regressions and classes, geometric means over data, and more."""
    sparse = ~table["recipe"].str.contains("all features")
    of_data = ["data", "recipe", "column"]
    means = table.groupby(of_data, sort=False)[["loss", "error", "features"]].mean().reset_index()
    best = table[sparse].groupby(of_data)["loss"].mean().groupby(["data", "column"]).min()
    means["ratio"] = np.log(means["loss"] / best.loc[_pairs(means)].to_numpy())
    jaccard = table[sparse].groupby(of_data, sort=False)["kept"].agg(overlap).rename("jaccard")
    means = means.merge(jaccard.reset_index(), how="left", on=of_data)
    classes = means.groupby("data")["error"].transform("max").notna()
    for title, part in (("regression", means[~classes]), ("classes", means[classes])):
        if not len(part):
            continue
        part = part[part["column"] != "time"]
        print(f"\n{title}: {part['data'].nunique()} data")
        _show("held-out loss / that of the best recipe", np.exp(_pivot(part, "ratio")), 3)
        _show("the worst data", np.exp(_pivot(part, "ratio", "max")), 2)
        if part["error"].notna().any():
            _show("error rate", _pivot(part, "error"), 3)
        _show("features", _pivot(part, "features"), 1)
        _show("overlap of the features of two folds (Jaccard)", _pivot(part, "jaccard"), 2)
        timed = table[table["data"].isin(part["data"]) & table["seconds"].notna()]
        timed = timed.groupby(["data", "recipe"])["seconds"].mean().unstack()
        _show("seconds", timed, 1)


def _pairs(means):
    return pd.MultiIndex.from_frame(means[["data", "column"]])


def _pivot(part, value, how="mean"):
    return part.pivot_table(value, "recipe", "column", how, sort=False)


def _show(title, table, digits):
    print(f"\n{title}\n{table.round(digits).to_string(na_rep='')}")


def overlap(kept):
    """The mean share of features that two folds have in common."""
    sets = [set(str(each).split()) for each in kept.fillna("")]
    pairs = [(a, b) for i, a in enumerate(sets) for b in sets[:i] if a | b]
    return np.mean([len(a & b) / len(a | b) for a, b in pairs]) if pairs else np.nan


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
