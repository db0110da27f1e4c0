"""
Few features, many targets or classes: digits
=============================================

Two tasks on images of handwritten digits, each with group lasso, group lasso refitted on
its support, and ShrinkNet, at every number of features, on the images they saw and on
held-out ones:

- completion: the lower half of an image (32 targets) from its upper half (32 features);
  errors are in squared grey levels (0 to 16), averaged over images and pixels;
- classification: which of the ten digits it is, from all 64 pixels, by log-loss. Once the
  pixels that are kept tell the training images apart without error, an unpenalised refit
  is sure of itself and its held-out loss grows without end; so the refit has a small ridge
  too: scikit-learn's LogisticRegression as it comes. ShrinkNet is there without and with one.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    TradeoffDisplay,
    regularization_path,
)

# About 0.4 / the number of training images.
RIDGE = 0.0003


@dataclass
class Curve:
    """Features kept, and the losses, of models from sparse to dense."""

    n_features: np.ndarray
    training: np.ndarray
    held_out: np.ndarray


def curve(path, train, test):
    return Curve(path.n_selected, path.losses(*train), path.losses(*test))


def standardised(X, y, **options):
    """X_train, y_train and X_test, y_test; X in units of the training images."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, **options)
    scaler = StandardScaler().fit(X_train)
    return (scaler.transform(X_train), y_train), (scaler.transform(X_test), y_test)


def complete():
    """Curves of the models that complete a digit from its upper half."""
    images = load_digits().data
    train, test = standardised(images[:, :32], images[:, 32:])
    lasso = regularization_path(GroupLassoRegressor(verbose=1), *train)
    shrinknet = regularization_path(ShrinkNetRegressor(verbose=1), *train)
    return {
        "group lasso": curve(lasso, train, test),
        "group lasso, refitted": curve(lasso.refit(*train), train, test),
        "ShrinkNet": curve(shrinknet, train, test),
    }


def classify():
    """Curves of the models that tell which digit an image shows."""
    X, y = load_digits(return_X_y=True)
    train, test = standardised(X, y, stratify=y)
    lasso = regularization_path(GroupLassoClassifier(verbose=1), *train, alphas=40)
    shrinknet = regularization_path(ShrinkNetClassifier(verbose=1), *train, alphas=40)
    ridged = regularization_path(ShrinkNetClassifier(ridge=RIDGE, verbose=1), *train, alphas=40)
    return {
        "group lasso": curve(lasso, train, test),
        "group lasso, refitted": refit_with_ridge(lasso, train, test),
        "ShrinkNet": curve(shrinknet, train, test),
        f"ShrinkNet, ridge={RIDGE}": curve(ridged, train, test),
    }


def refit_with_ridge(path, train, test):
    """Logistic regression with scikit-learn's usual ridge on the features of each model."""
    sizes, losses = [], []
    supports = np.unique(path.coefs.any(axis=1), axis=0)
    for support in sorted(supports, key=np.sum):
        if support.any():
            model = LogisticRegression(max_iter=10_000).fit(train[0][:, support], train[1])
            sizes.append(support.sum())
            losses.append(
                [log_loss(y, model.predict_proba(X[:, support])) for X, y in (train, test)]
            )
    return Curve(np.array(sizes), *np.array(losses).T)


def tabulate(curves, budgets):
    """Losses of the model that fits best within each budget of features."""
    rows = {}
    for budget in budgets:
        for name, found in curves.items():
            allowed = np.flatnonzero(found.n_features <= budget)
            if len(allowed):
                best = allowed[np.argmin(found.training[allowed])]
                kept, losses = found.n_features[best], (found.training[best], found.held_out[best])
                rows[budget, name] = {"kept": kept, "training": losses[0], "held-out": losses[1]}
    table = pd.DataFrame(rows).T.unstack().swaplevel(axis=1)[list(curves)]
    table.index.name = "features <="
    return table.astype({column: "Int64" for column in table if column[1] == "kept"}).round(3)


def verdict(curves, loss_name, within=1.05):
    """Who needs how many features for (almost) the best held-out loss of group lasso."""
    target = within * curves["group lasso"].held_out.min()
    needed = {name: found.n_features[found.held_out <= target] for name, found in curves.items()}
    counts = [f"{name} {min(k)}" if len(k) else f"{name} never" for name, k in needed.items()]
    return (
        f"For a held-out {loss_name} of {target:.3g}, within {within - 1:.0%} of group lasso's "
        f"best, the features needed are: {'; '.join(counts)}."
    )


def draw(tasks, file):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), sharey="row", layout="constrained")
    for row, (title, (curves, loss_name, scale)) in zip(axes, tasks.items(), strict=True):
        for ax, images in zip(row, ("held-out", "training"), strict=True):
            losses = {
                name: (found.n_features, found.training if images == "training" else found.held_out)
                for name, found in curves.items()
            }
            TradeoffDisplay(losses, loss_name=loss_name).plot(ax=ax)
            ax.set_title(f"{title}, {images} images")
            ax.set_yscale(scale)
        row[1].set_ylabel("")
    figure.savefig(file, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--out", default="digits.png", help="where the picture goes")
    out = parser.parse_args().out
    tasks = {
        "32 features to 32 targets": (complete(), "mean squared error", "linear"),
        "64 features to 10 classes": (classify(), "log-loss", "log"),
    }
    for (title, (curves, loss_name, _)), budgets in zip(
        tasks.items(), ([2, 4, 6, 8, 12, 16, 20, 24], [10, 15, 20, 25, 30, 40, 50]), strict=True
    ):
        with pd.option_context("display.width", 120):
            print(f"\n{title}, {loss_name}\n{tabulate(curves, budgets).to_string()}")
        print(verdict(curves, loss_name))
    draw(tasks, out)
    print(f"\nTrade-off picture: {out}")


if __name__ == "__main__":
    main()
