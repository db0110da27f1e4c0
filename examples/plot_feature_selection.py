"""
Select features for another model
=================================

Nearest neighbours measure distances over all columns, and columns of noise drown the rest. The
estimators are selectors too: in front of another model in a pipeline they pass on the features they
keep. How much noise can be added to the 13 columns of the wines before the neighbours are lost?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import ShrinkNetClassifier

X, y = load_wine(return_X_y=True)
noise = np.random.default_rng(0).normal(size=(len(X), 300))
neighbours = KNeighborsClassifier()
models = {
    "all columns": make_pipeline(StandardScaler(), neighbours),
    "selected by ShrinkNet": make_pipeline(StandardScaler(), ShrinkNetClassifier(0.03), neighbours),
}

# %%
# The selector is fitted in every fold to the training rows alone, as it is a step of the pipeline.

amounts = [0, 30, 100, 300]
scores = {
    name: [cross_val_score(model, np.hstack([X, noise[:, :n]]), y, cv=3).mean() for n in amounts]
    for name, model in models.items()
}
for name, values in scores.items():
    print(
        f"{name}: accuracy {values[0]:.2f} without noise, {values[-1]:.2f} with 300 columns of it"
    )

# %%
# Selection costs next to nothing where there is no noise, and keeps the neighbours together where
# there is.

_, ax = plt.subplots(layout="constrained")
for (name, values), marker in zip(scores.items(), "os", strict=True):
    ax.plot(amounts, values, marker=marker, label=name)
ax.set_xscale("symlog", linthresh=30)
ax.set_xticks(amounts, amounts)
ax.set(xlabel="columns of noise added to 13", ylabel="accuracy, mean of three folds")
ax.set(title="Which wine is it? By five nearest neighbours", ylim=(None, 1))
ax.minorticks_off()
ax.legend(loc="lower left", frameon=False)
plt.show()
