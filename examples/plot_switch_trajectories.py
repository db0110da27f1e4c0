"""
Switches while they are trained
===============================

In front of every feature ShrinkNet has a switch, a number that multiplies it. What do the switches
do in training? Most are drawn to zero, and jump across it from then on; those of features that
matter settle elsewhere. So a change of sign tells which to remove, and while training still runs.
"""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin import GradientDescent, Removal, ShrinkNetRegressor, SignChange

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
Y = X[:, :4] @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(300, 3))

# %%
# A removal strategy sees the switches after every step. This one writes them down and leaves the
# decision to another. ``memory`` loses the entries of removed features, and so knows who is left.


class Recorded(Removal):
    def __init__(self, strategy=None):
        self.strategy = strategy

    def dead(self, watched):
        features = watched.memory.setdefault("features", np.arange(watched.n_switches))
        switches[watched.epoch - 1, features] = watched.switch
        nothing = np.zeros(len(features), dtype=bool)
        return nothing if self.strategy is None else self.strategy.dead(watched)


# %%
# Both trainings begin at the same random switches. What ``SignChange`` takes out does not return:
# the features that do not matter, and with them one that does if it began on the wrong side of
# zero. The exact solver depends on no such beginnings.

figure, axes = plt.subplots(2, 1, figsize=(6.4, 8), sharex=True, layout="constrained")
for ax, strategy in zip(axes, (None, SignChange()), strict=True):
    switches = np.full((500, 20), np.nan)
    solver = GradientDescent(max_epochs=500, removal=Recorded(strategy))
    model = ShrinkNetRegressor(0.3, solver=solver, random_state=0).fit(X, Y)
    others = ax.plot(np.arange(1, 501), switches[:, 4:], color="0.6", linewidth=0.8)
    lines = ax.plot(np.arange(1, 501), switches[:, :4], linewidth=2)
    ax.set(xscale="log", ylabel="switch of a feature", title=f"Removal: {strategy}")
axes[1].set_xlabel("epoch")
handles = {f"feature {j}, which matters": lines[j] for j in range(4)} | {"others": others[0]}
figure.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False)
exact = ShrinkNetRegressor(0.3).fit(X, Y)
for name, fitted in {"SignChange": model, "exact solver": exact}.items():
    print(f"{name}: keeps features", *np.flatnonzero(fitted.get_support()))
plt.show()
