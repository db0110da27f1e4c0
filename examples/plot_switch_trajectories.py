"""
Switches while they are trained
===============================

In front of every feature ShrinkNet has a switch, a number that multiplies it. What do the switches
do during training? Those of features that matter settle; the others are drawn to zero
and jump across it from then on. A change of sign tells them apart, early.
"""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin import GradientDescent, ShrinkNetRegressor, SignChange

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
Y = X[:, :4] @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(300, 3))

# %%
# A removal strategy sees the switches after every step. This one writes them down. What it keeps in
# ``memory`` loses the entries of removed features, so the numbers of those that are left stay there.

EPOCHS = 400
recorded = {removes: np.full((EPOCHS, 20), np.nan) for removes in (False, True)}


class Recorded(SignChange):
    def __init__(self, removes):
        self.removes = removes

    def dead(self, watched):
        features = watched.memory.setdefault("features", np.arange(watched.n_switches))
        recorded[self.removes][watched.epoch - 1, features] = watched.switch
        return super().dead(watched) & self.removes


# %%
# Both trainings begin at the same random switches.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
for ax, (removes, switches) in zip(axes, recorded.items(), strict=True):
    solver = GradientDescent(max_epochs=EPOCHS, removal=Recorded(removes))
    model = ShrinkNetRegressor(0.3, solver=solver, random_state=0).fit(X, Y)
    epochs = 1 + np.arange(EPOCHS)
    others = ax.plot(epochs, switches[:, 4:], color="0.6", linewidth=0.8)
    lines = ax.plot(epochs, switches[:, :4], linewidth=1.8)
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set(
        xscale="log",
        xlabel="epoch",
        title="Removed as its sign changes" if removes else "No removal",
    )
axes[0].set_ylabel("switch of a feature")
axes[0].legend([lines[0], others[0]], ["four that matter", "the others"], frameon=False)
plt.show()
