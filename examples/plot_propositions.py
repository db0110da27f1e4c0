"""
Two propositions, looked at
===========================

The drafts prove four propositions about ShrinkNet. ``proofs_check`` puts each, as printed and as
corrected, to a search for counterexamples. (It needs the extra ``proofs``: in a clone, ``pip
install -e ".[proofs]"``.) Two of them can be seen with one feature: the loss is not convex in
switch and weight, and minima come in pairs.
"""

import matplotlib.pyplot as plt
import numpy as np

from proofs_check.claim import search
from proofs_check.statements import STATEMENTS

asked = ["A.2 as printed", "A.2 corrected", "A.4 as printed", "A.4 corrected"]
outcomes = {c.name: search(c, examples=30) for c in STATEMENTS if c.name in asked}
for name, outcome in outcomes.items():
    print(f"{name}: {outcome.verdict}", f"by {outcome.instance}" if outcome.refuted else "")

# %%
# The loss (1 − aβ)² is zero on two branches of a hyperbola. Between two points of it, one on each,
# lies the origin with loss 1: no convex function rises between two of its minima. With both
# parameters penalised two points are left of the branches, (a, β) and (−a, −β): the same model.
# Where the penalty is so strong that the switch is zero there is but one: it is the switches that
# are not zero that count.

grid = np.linspace(-2, 2, 201)
a, beta = np.meshgrid(grid, grid)
loss = (1 - a * beta) ** 2
terms = {
    "Loss: not convex": loss,
    "Loss and penalty: a pair": loss + 0.3 * abs(beta) + 0.1 * a**2,
    "Strong penalty: one minimum": loss + 2 * abs(beta) + a**2,
}
figure, axes = plt.subplots(3, 1, figsize=(6.4, 11), sharex=True, layout="constrained")
minima = {}
for ax, (title, values) in zip(axes, terms.items(), strict=True):
    levels = values.min() + np.geomspace(0.03, 16, 14)
    ax.contour(a, beta, values, levels=levels, cmap="viridis", linewidths=1)
    minima[title] = np.argwhere(values <= values.min() + 1e-12)
    ax.set(ylabel="switch β", title=title)
for ax, title in list(zip(axes, terms, strict=True))[1:]:
    rows, columns = minima[title].T
    ax.plot(grid[columns], grid[rows], "o", color="C3", label="minimum")
    ax.legend(loc="upper left", framealpha=1)
axes[0].plot([-1, 0, 1], [-1, 0, 1], "o-", color="C1", label="losses 0, 1, 0")
axes[0].legend(loc="upper left", framealpha=1)
axes[2].set_xlabel("weight a")
plt.show()
