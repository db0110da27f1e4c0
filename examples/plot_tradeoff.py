"""
Loss against number of features
===============================

How many features does it take to predict well? Ten of 60 correlated features matter for three
targets. Group lasso shrinks what it keeps, and makes up for it by further features; ShrinkNet
shrinks little. Group lasso refitted, by least squares on the features it selected, shows
how much of that is shrinkage and how much is the choice of features.
"""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin import GroupLassoRegressor, ShrinkNetRegressor, TradeoffDisplay, regularization_path

rng = np.random.default_rng(0)
factors = rng.normal(size=(12, 60))
X = rng.normal(size=(600, 12)) @ factors / 3 + rng.normal(size=(600, 60))
W = np.zeros((60, 3))
W[::6] = rng.normal(size=(10, 3))
Y = X @ W + 2 * rng.normal(size=(600, 3))
train, test = (X[:200], Y[:200]), (X[200:], Y[200:])

# %%
# A path has the models of all alphas, from no feature to many.

lasso = regularization_path(GroupLassoRegressor(), *train, alphas=40, eps=0.01)
paths = {
    "group lasso": lasso,
    "group lasso, refitted": lasso.refit(*train),
    "ShrinkNet": regularization_path(ShrinkNetRegressor(), *train, alphas=40, eps=0.01),
}
within_ten = {n: path.losses(*test)[path.n_selected <= 10].min() for n, path in paths.items()}
for name, loss in within_ten.items():
    print(f"{name}, at most ten features: held-out error {loss:.2f}")

# %%
# The error of the noise alone is 4. ShrinkNet comes near it with the features that matter; group
# lasso takes some more, and its refit overfits them.

display = TradeoffDisplay.from_paths(paths, *test)
display.ax_.axhline(4, color="0.6", linestyle=":", label="noise")
display.ax_.axvline(10, color="0.8", zorder=0)
display.ax_.text(10.5, 12.5, "features that matter", va="top")
display.ax_.set(title="Held-out error of every model", ylim=(3, 13))
display.ax_.legend(frameon=False)
plt.show()
