"""
Few features, many targets: completing digits
=============================================

The lower half of every image of a digit (32 targets) is predicted from its upper half
(32 features). Group lasso, group lasso refitted on its support, and ShrinkNet are
compared at every number of features, on the images they saw and on held-out ones.
Errors are in squared grey levels (0 to 16), averaged over images and pixels.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    GroupLassoRegressor,
    ShrinkNetRegressor,
    TradeoffDisplay,
    regularization_path,
)

MODELS = {
    "group lasso": GroupLassoRegressor(verbose=1),
    "ShrinkNet": ShrinkNetRegressor(verbose=1),
}
BUDGETS = [2, 4, 6, 8, 12, 16, 20, 24]


def load():
    """Upper halves, standardised, and lower halves: X_train, X_test, Y_train, Y_test."""
    images = load_digits().data
    halves = train_test_split(images[:, :32], images[:, 32:], random_state=0)
    X_train, X_test, Y_train, Y_test = halves
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test), Y_train, Y_test


def fit_paths(X, Y):
    """A path a model, and group lasso's refitted."""
    paths = {name: regularization_path(model, X, Y) for name, model in MODELS.items()}
    refitted = paths["group lasso"].refit(X, Y)
    return {
        "group lasso": paths["group lasso"],
        "group lasso, refitted": refitted,
        "ShrinkNet": paths["ShrinkNet"],
    }


def tabulate(paths, train, test):
    """Training and held-out MSE of the best fitting model within each budget of features."""
    rows = {}
    for budget in BUDGETS:
        for name, path in paths.items():
            errors = np.where(path.n_selected <= budget, path.mean_squared_errors(*train), np.inf)
            best = np.argmin(errors)
            rows[budget, name] = {
                "kept": path.n_selected[best],
                "training": errors[best],
                "held-out": path.mean_squared_errors(*test)[best],
            }
    table = pd.DataFrame(rows).T.unstack()
    table = table.swaplevel(axis=1)[list(paths)]
    table.index.name = "features <="
    return table.astype({column: int for column in table if column[1] == "kept"}).round(2)


def verdict(paths, test, within=1.05):
    """Who needs how many features for (almost) the best held-out error of group lasso."""
    errors = {name: path.mean_squared_errors(*test) for name, path in paths.items()}
    target = within * errors["group lasso"].min()
    needed = {name: path.n_selected[errors[name] <= target] for name, path in paths.items()}
    counts = [f"{name} {min(k)}" if len(k) else f"{name} more" for name, k in needed.items()]
    return (
        f"For a held-out MSE of {target:.2f}, within {within - 1:.0%} of group lasso's best, "
        f"the features needed are: {'; '.join(counts)}."
    )


def draw(paths, train, test, file):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for ax, title, data in zip(axes, ("training", "held-out"), (train, test), strict=True):
        TradeoffDisplay.from_paths(paths, *data, ax=ax)
        ax.set_title(f"{title} images")
    axes[1].set_ylabel("")
    figure.suptitle("Lower half of a digit from its upper half (32 features, 32 targets)")
    figure.savefig(file, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--out", default="digits_completion.png", help="where the picture goes")
    out = parser.parse_args().out
    X_train, X_test, Y_train, Y_test = load()
    paths = fit_paths(X_train, Y_train)
    train, test = (X_train, Y_train), (X_test, Y_test)
    with pd.option_context("display.width", 120):
        print(tabulate(paths, train, test).to_string())
    draw(paths, train, test, out)
    print(f"\nTrade-off picture: {out}")
    print(verdict(paths, test))


if __name__ == "__main__":
    main()
