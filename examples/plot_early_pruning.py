"""
What removing features during training saves
============================================

The drafts train a ShrinkNet by gradient descent and remove a feature for good when its switch looks
dead. What does that cost in accuracy, and what does it save? The data are 256 digits in halves,
with as many columns of noise as there are pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from shrinklin import CostDisplay, GradientDescent, HistoryDisplay, ShrinkNetRegressor, SignVariance

images = load_digits().data
noise = np.random.default_rng(0).normal(size=(len(images), 32))
X = StandardScaler().fit_transform(np.hstack([images[:, :32], noise]))
Y = StandardScaler().fit_transform(images[:, 32:])

# %%
# ``SignVariance`` calls a switch dead whose sign keeps changing. The exact solver, which is what
# ``fit`` uses unless told otherwise, solves the same problem without gradient steps.

watched = SignVariance(gamma=0.99)
models = {
    "no removal": ShrinkNetRegressor(0.3, solver=GradientDescent(), random_state=0),
    "sign variance": ShrinkNetRegressor(
        0.3, solver=GradientDescent(removal=watched), random_state=0
    ),
    "exact solver": ShrinkNetRegressor(0.3),
}
for name, model in models.items():
    model.fit(X, Y)
    kept = model.get_support()
    print(
        f"{name}: objective {model.objective_:.2f}, {kept[:32].sum()} pixels, {kept[32:].sum()} noise"
    )

# %%
# Training goes on with ever fewer features. A neuron-epoch is one feature alive for one epoch: the
# measure of the drafts, which does not depend on a machine.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
HistoryDisplay.from_estimator(models["sign variance"], ax=left)
left.set_title("Training with removal")
CostDisplay.from_estimators(models, ax=right)
right.set_title("What each fit cost")
plt.show()
