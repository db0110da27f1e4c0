"""
The fewest features within one standard error
=============================================

Cross-validation knows the best alpha only as well as it knows the scores, and models of the best
score tend to keep too much. ``selection="1se"`` takes the fewest features among models within one
standard error of the best mean score. Of the 40 features here five matter, for all four targets.
"""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin import CVDisplay, GroupLassoRegressorCV, ShrinkNetRegressorCV

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 40)) + rng.normal(size=(120, 1))
W = np.zeros((40, 4))
W[:5] = rng.normal(size=(5, 4))
Y = X @ W + 2 * rng.normal(size=(120, 4))

# %%
# All folds are solved along the same alphas. ``n_selected_`` says how many features the models of
# all data keep there, so that one search shows what either rule takes.

models = {}
for CV in (GroupLassoRegressorCV, ShrinkNetRegressorCV):
    models[CV.__name__] = search = CV(alphas=30, selection="1se").fit(X, Y)
    best = search.cv_scores_.mean(axis=1).argmax()
    print(
        f"{CV.__name__}: the best mean has {search.n_selected_[best]} features, "
        f'"1se" takes {search.get_support().sum()}'
    )

# %%
# Among the models whose mean is below the dotted line, those of the fewest features are taken, and
# of them the best: its alpha is dashed. The numbers above say how many features a model keeps.

figure, axes = plt.subplots(2, 1, figsize=(6.4, 8), sharey=True, layout="constrained")
for ax, search in zip(axes, models.values(), strict=True):
    CVDisplay.from_estimator(search, ax=ax)
plt.show()
