"""
Choosing alpha
==============

The lower half of handwritten digits (32 targets) from the upper (32 features). First group lasso's
alpha, by four searches over the same 50 alphas and 5 folds: scikit-learn's three, and
`GroupLassoRegressorCV`, which reads the data once and solves a path a fold. Then, by the rule of
one standard error, group lasso's and ShrinkNet's. The picture shows the last two.
"""

import argparse
import time

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    CVDisplay,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetRegressorCV,
    regularization_path,
)


def digits_in_halves():
    images = StandardScaler().fit_transform(load_digits().data[:, :32]), load_digits().data[:, 32:]
    return train_test_split(*images, random_state=0)


def searches(alphas):
    """Ways to choose among these alphas, by name."""
    grid, how = {"alpha": alphas}, {"scoring": "neg_mean_squared_error", "cv": 5}
    single, rule = GroupLassoRegressor(), {"selection": "1se", "cv": 5}
    return {
        "GridSearchCV": GridSearchCV(single, grid, **how),
        "RandomizedSearchCV, 15 of them": RandomizedSearchCV(
            single, grid, n_iter=15, random_state=0, **how
        ),
        "HalvingGridSearchCV": HalvingGridSearchCV(single, grid, random_state=0, **how),
        "GroupLassoRegressorCV": GroupLassoRegressorCV(alphas, cv=5),
        '..., selection="1se"': GroupLassoRegressorCV(alphas, **rule),
        'ShrinkNetRegressorCV, selection="1se"': ShrinkNetRegressorCV(len(alphas), **rule),
    }


def main():
    parser = argparse.ArgumentParser(description="Choose alpha in six ways.")
    parser.add_argument("--out", default="choosing_alpha.png", help="file for the picture")
    parser.add_argument("--alphas", type=int, default=50, help="how many")
    options = parser.parse_args()
    X_train, X_test, Y_train, Y_test = digits_in_halves()
    alphas = regularization_path(
        GroupLassoRegressor(), X_train, Y_train, alphas=options.alphas
    ).alphas
    rows, fitted = [], {}
    for name, search in searches(alphas).items():
        start = time.perf_counter()
        fitted[name] = search.fit(X_train, Y_train)
        seconds = time.perf_counter() - start
        model = getattr(search, "best_estimator_", search)
        alpha = getattr(search, "alpha_", None) or search.best_params_["alpha"]
        error = mean_squared_error(Y_test, model.predict(X_test))
        rows.append((name, seconds, alpha, model.get_support().sum(), error))
    columns = ["search", "seconds", "alpha", "features", "held-out error"]
    print(pd.DataFrame(rows, columns=columns).round(3).to_string(index=False))
    _, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
    for ax, name in zip(axes, list(fitted)[-2:], strict=True):
        CVDisplay.from_estimator(fitted[name], ax=ax)
    axes[0].figure.savefig(options.out, dpi=120)
    print(f"Picture written to {options.out}.")


if __name__ == "__main__":
    main()
