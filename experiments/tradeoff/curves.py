"""Loss against the number of features: the curve of a method, and its best models."""

import numpy as np

from experiments.tradeoff.settings import ALL

BUDGETS = (5, 10, 20, 50, 80)


def folds_of(table, held_out):
    """The folds; without `held_out` the fit on all rows alone."""
    return [fold for fold in table["fold"].unique() if (fold != ALL) == held_out]


def curve(table, method, held_out):
    """As `curve_of_folds`, for the fit on all rows or as the mean over all folds."""
    return curve_of_folds(table, method, folds_of(table, held_out))


def curve_of_folds(table, method, folds):
    """Features, training and judged loss of every step of a method, as a DataFrame.

    Parameters
    ----------
    table : DataFrame
    method : str
    folds : list of str
        The folds to average over; [ALL] for the fit on all rows, judged on these rows.
    """
    held_out = ALL not in folds
    rows = table[(table["method"] == method) & table["fold"].isin(folds)]
    found = rows.groupby("step")[
        ["sparsity", "n_features", "training_loss", "held_out_loss"]
    ].mean()
    judged = found["held_out_loss"] if held_out else found["training_loss"]
    return found.assign(loss=judged).drop(columns="held_out_loss")


def best_within(curve_, budget):
    """The step of lowest training loss within the budget of features; None if there is none."""
    allowed = curve_[curve_["n_features"] <= budget]
    return None if allowed.empty else allowed.loc[allowed["training_loss"].idxmin()]


def frontier(curve_):
    """Steps with a lower training loss than all steps of fewer or as many features."""
    found = curve_.sort_values(["n_features", "training_loss"])
    least = found["training_loss"].cummin().shift(fill_value=np.inf)
    return found[found["training_loss"] < least]


def loss_at(curve_, sizes):
    """Loss at numbers of features, its logarithm interpolated between steps of the frontier."""
    found = frontier(curve_)
    return np.exp(np.interp(sizes, found["n_features"], np.log(found["loss"])))


def budgets(table):
    """The BUDGETS below the number of columns; if there are none, that number."""
    n_columns = int(table["n_columns"].max())
    return [budget for budget in BUDGETS if budget < n_columns] or [n_columns]


def best_of(table, method, budget):
    found = {}
    for held_out, loss in ((False, "training loss"), (True, "held-out loss")):
        best = best_within(curve(table, method, held_out), budget)
        features = "features, folds" if held_out else "features"
        found[features] = np.nan if best is None else best["n_features"]
        found[loss] = np.nan if best is None else best["loss"]
    return found
