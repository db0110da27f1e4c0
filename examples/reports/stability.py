"""
Which features are kept again and again
=======================================

The ten columns of scikit-learn's diabetes data, and beside them 90 columns of noise. Group
lasso and ShrinkNet are fitted to 100 halves of the rows, at alphas where a fit keeps six to
seven features on average. One that is kept by chance is replaced by another in other
halves.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    GroupLassoRegressor,
    ShrinkNetRegressor,
    StabilityDisplay,
    selection_frequencies,
)

N_NOISE, THRESHOLD = 90, 0.8
MODELS = {"group lasso": GroupLassoRegressor(0.11), "ShrinkNet": ShrinkNetRegressor(0.03)}


def diabetes_and_noise():
    """X, a frame of 100 columns, and y of deviation 1."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    noise = np.random.default_rng(0).normal(size=(len(X), N_NOISE))
    names = [f"noise {j}" for j in range(N_NOISE)]
    return X.join(pd.DataFrame(noise, columns=names)), y / y.std()


def row(shares):
    """What the shares say, and the bound on features kept without reason."""
    stable, kept = shares >= THRESHOLD, shares.sum()
    return {
        "kept by a fit": kept,
        "of them noise": shares[-N_NOISE:].sum(),
        f"in {THRESHOLD:.0%} of the fits": stable.sum(),
        "of those noise": stable[-N_NOISE:].sum(),
        "expected at most": kept**2 / ((2 * THRESHOLD - 1) * len(shares)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("=\n\n")[1])
    parser.add_argument("--out", default="stability.png", help="where the picture goes")
    out = parser.parse_args().out
    X, y = diabetes_and_noise()
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    rows = {}
    for ax, (name, model) in zip(axes, MODELS.items(), strict=True):
        shares = selection_frequencies(make_pipeline(StandardScaler(), model), X, y, random_state=0)
        rows[name] = row(shares)
        StabilityDisplay(shares, feature_names=X.columns, name=name).plot(ax, threshold=THRESHOLD)
    print(pd.DataFrame(rows).T.round(2).to_string())
    figure.savefig(out, dpi=130)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
