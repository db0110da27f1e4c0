"""
Degrees of freedom, and a choice of alpha without held-out data
===============================================================

On the left BIC along the path of group lasso, on the right EBIC along that of ShrinkNet,
each with the model it chooses. The table compares the degrees of freedom that they use, the
divergence of the fit, with the definition, Σ cov(ŷ, y)/σ², over draws of the noise. For group
lasso the two agree; ShrinkNet's divergence leaves out what the search among supports costs.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.base import clone

from shrinklin import (
    GroupLassoRegressor,
    InformationCriterion,
    InformationCriterionDisplay,
    ShrinkNetRegressor,
)

N, P, Q, DRAWS = 60, 15, 3, 400
MODELS = {
    "group lasso": (GroupLassoRegressor(), [1.0, 0.5, 0.2]),
    "ShrinkNet p=2": (ShrinkNetRegressor(), [1.0, 0.6, 0.3]),
    "ShrinkNet p=1": (ShrinkNetRegressor(p=1), [1.0, 0.6, 0.3]),
}


def problem():
    """X (60, 15), and the mean of Y (60, 3): five features matter, from much to little."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P))
    W = np.zeros((P, Q))
    W[:5] = rng.normal(size=(5, Q)) * np.array([1, 0.7, 0.5, 0.3, 0.2])[:, None]
    return X, X @ W


def compare(X, mean, draws=DRAWS):
    """Mean divergence, and covariance of fit and noise with its standard error."""
    noises, rows = np.random.default_rng(1).normal(size=(draws, N, Q)), []
    for name, (estimator, alphas) in MODELS.items():
        choose = InformationCriterion(estimator, alphas=alphas, noise_variance=1.0)
        chosen = [clone(choose).fit(X, mean + noise) for noise in noises]
        fits = np.array([one.path_.predict(X) for one in chosen])
        off = (fits - fits.mean(axis=0)) * draws / (draws - 1)
        covariances = (off * noises[:, None]).sum(axis=(2, 3))
        df = np.array([one.degrees_of_freedom_ for one in chosen])
        found = np.array([[one.n_selected_ for one in chosen], df, covariances, covariances - df])
        means, errors = found.mean(axis=1), found.std(axis=1) / np.sqrt(draws)
        for i, alpha in enumerate(alphas):
            values = [*means[:, i], errors[3, i]]
            rows.append([name, alpha, *np.round(values, 2)])
    columns = ["model", "alpha", "features", "divergence", "covariance", "difference", "± s.e."]
    return pd.DataFrame(rows, columns=columns)


def draw(X, Y, out):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    choices = {"bic": GroupLassoRegressor(), "ebic": ShrinkNetRegressor()}
    for ax, (criterion, estimator) in zip(axes, choices.items(), strict=True):
        chosen = InformationCriterion(estimator, criterion).fit(X, Y)
        InformationCriterionDisplay.from_estimator(chosen, ax=ax)
        ax.set_title(type(estimator).__name__)
    figure.savefig(out, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("=\n\n")[1])
    parser.add_argument("--out", default="information_criterion.png", help="for the picture")
    parser.add_argument("--draws", type=int, default=DRAWS, help="of the noise")
    args = parser.parse_args()
    X, mean = problem()
    draw(X, mean + np.random.default_rng(2).normal(size=mean.shape), args.out)
    print(f"picture: {args.out}")
    print(compare(X, mean, args.draws).to_string(index=False))


if __name__ == "__main__":
    main()
