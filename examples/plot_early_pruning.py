"""
What removing features during training saves
============================================

The drafts train a ShrinkNet by gradient descent and remove a feature for good when its switch looks
dead. What does that cost, and what does it save? The task is to complete the lower half of a digit
(32 targets) from its upper half (32 pixels) and 32 columns of noise.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from shrinklin import CostDisplay, GradientDescent, HistoryDisplay, ShrinkNetRegressor, SignVariance

images = load_digits().data
random = np.random.default_rng(0).normal(size=(len(images), 32))
X = StandardScaler().fit_transform(np.hstack([images[:, :32], random]))
Y = StandardScaler().fit_transform(images[:, 32:])

# %%
# ``SignVariance`` calls a switch dead whose sign keeps changing. The exact solver, which is what
# ``fit`` uses unless told otherwise, solves the same problem without gradient steps.

plain = GradientDescent(max_epochs=3000)
pruning = GradientDescent(max_epochs=3000, removal=SignVariance(gamma=0.99))
models = {
    "no removal": ShrinkNetRegressor(0.3, solver=plain, random_state=0),
    "sign variance": ShrinkNetRegressor(0.3, solver=pruning, random_state=0),
    "exact solver": ShrinkNetRegressor(0.3),
}
for name, model in models.items():
    model.fit(X, Y)
    pixels, noise = model.get_support().reshape(2, 32).sum(axis=1)
    print(f"{name}: objective {model.objective_:.2f}, {pixels} pixels and {noise} columns of noise")

# %%
# Without removal no feature becomes exactly zero. With it, training goes on with ever fewer. A
# neuron-epoch is one feature alive for one epoch: the measure of the drafts.

figure, (upper, lower) = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
HistoryDisplay.from_estimator(models["sign variance"], ax=upper)
upper.set_title("Training with removal")
CostDisplay.from_estimators(models, ax=lower)
lower.set_title("What each fit cost")
plt.show()
