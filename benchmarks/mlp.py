"""Default networks for tables beside scikit-learn's best of a grid: `python benchmarks/mlp.py`.

Five-fold cross-validation, with three draws of the folds. `MLPClassifier` and `MLPRegressor` get
standardised features and targets, and the best of eight settings is the one with the best mean on
these very folds, which favours it. Our estimators are as they come. Accuracy or R², parameters of
the fitted network, features kept, and seconds per fit.
"""

import argparse
import time
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from shrinklin.networks import ShrinkNetMLPClassifier, ShrinkNetMLPRegressor

HIDDEN, ALPHAS = [(100,), (100, 100)], [1e-4, 1e-2, 1.0, 10.0]
OURS = "shrinklin, default"
COLUMNS = ["data", "seed", "model", "score", "parameters", "features", "seconds"]


def make_houses(n_samples=4000, random_state=0):
    """Prices like those of `sklearn.datasets.fetch_california_housing`: skewed columns, a coast."""
    rng = np.random.default_rng(random_state)
    income, age = rng.lognormal(1.2, 0.45, n_samples), rng.integers(1, 53, n_samples)
    rooms = rng.lognormal(1.65, 0.25, n_samples) + 0.2 * income
    bedrooms = 1 + 0.05 * rng.lognormal(0, 1, n_samples)
    people, household = (rng.lognormal(*p, n_samples) for p in ((7, 0.7), (1.05, 0.25)))
    north = rng.choice([34, 37.6, 38.5, 36.7], n_samples, p=[0.5, 0.25, 0.15, 0.1])
    north = north + rng.normal(0, 0.5, n_samples)
    east = -118.3 - (north - 34) * 1.05 + rng.normal(0, 0.6, n_samples)
    coast = np.exp(-(((east + 118.4 + (north - 34) * 1.1) / 0.5) ** 2))
    price = 0.42 * income - 0.012 * income**2 + 1.1 * coast * (1 + 0.1 * income)
    price += 0.006 * age - 0.35 * (household - 2.9) + 0.1 * np.sin(3 * north)
    price += 0.15 * np.log(people) * coast + rng.normal(0, 0.35, n_samples)
    X = np.column_stack([income, age, rooms, bedrooms, people, household, north, east])
    return X, np.minimum(price, 5.0)


TABLES = {
    "digits": (True, lambda: load_digits(return_X_y=True)),
    "wine": (True, lambda: load_wine(return_X_y=True)),
    "breast cancer": (True, lambda: load_breast_cancer(return_X_y=True)),
    "diabetes": (False, lambda: load_diabetes(return_X_y=True)),
    "houses": (False, make_houses),
}


def rivals(has_classes):
    """The settings of scikit-learn's networks, by name."""
    for hidden, alpha in product(HIDDEN, ALPHAS):
        given = {"hidden_layer_sizes": hidden, "alpha": alpha}
        given |= {"max_iter": 500, "random_state": 0}
        if has_classes:
            network = MLPClassifier(**given)
        else:
            network = TransformedTargetRegressor(
                MLPRegressor(**given), transformer=StandardScaler()
            )
        yield f"MLP {hidden}, alpha={alpha:g}", make_pipeline(StandardScaler(), network)


def size(fitted):
    """Numbers of parameters and of features that a fitted model reads."""
    if hasattr(fitted, "n_parameters_"):
        return fitted.n_parameters_, fitted.layer_sizes_[0]
    network = getattr(fitted[-1], "regressor_", fitted[-1])
    sizes = [network.n_features_in_, *network.hidden_layer_sizes, network.n_outputs_]
    return sum((a + 1) * b for a, b in pairwise(sizes)), sizes[0]


def measure(has_classes, X, y, seed, model):
    """Means over the folds: score, parameters, features, seconds."""
    folds = (StratifiedKFold if has_classes else KFold)(5, shuffle=True, random_state=seed)
    start = time.perf_counter()
    result = cross_validate(model, X, y, cv=folds, return_estimator=True)
    seconds = (time.perf_counter() - start) / 5
    sizes = np.mean([size(each) for each in result["estimator"]], axis=0)
    return [result["test_score"].mean(), *sizes, seconds]


def main(out, names, seeds):
    """Write and print the table."""
    rows = []
    for name, seed in tqdm(list(product(names, range(seeds))), desc="tables"):
        has_classes, load = TABLES[name]
        X, y = load()
        ours = ShrinkNetMLPClassifier if has_classes else ShrinkNetMLPRegressor
        for model_name, model in [(OURS, ours(random_state=seed)), *rivals(has_classes)]:
            found = measure(has_classes, X, y, seed, model)
            rows.append([name, seed, model_name, *found])
            pd.DataFrame(rows, columns=COLUMNS).to_csv(out, index=False, float_format="%.4g")
    print(summary(pd.DataFrame(rows, columns=COLUMNS)).to_string())


def summary(table):
    """A row per table: our score and size, those of the best rival, and both ratios."""
    means = table.groupby(["data", "model"], sort=False).mean(numeric_only=True).reset_index()
    rows = {}
    for name, group in means.groupby("data", sort=False):
        ours = group[group.model == OURS].iloc[0]
        rest = group[group.model != OURS]
        best = rest.loc[rest.score.idxmax()]
        rows[name] = {
            "ours": ours.score, "parameters": ours.parameters, "features": ours.features,
            "best rival": best.model, "score": best.score, "its parameters": best.parameters,
            "score ratio": ours.score / best.score, "size ratio": ours.parameters / best.parameters,
            "seconds": ours.seconds, "its seconds": best.seconds,
        }  # fmt: skip
    return pd.DataFrame(rows).T.infer_objects().round(4)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=Path(__file__).parent / "results" / "mlp.csv")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    main(given.out, given.tables, given.seeds)
