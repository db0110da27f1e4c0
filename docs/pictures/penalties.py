"""Two penalties, and what is left of a coefficient z: for bridge.md."""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso


def remainder(penalty, z):
    """What the penalty of strength 1 leaves of each z."""
    left = np.empty_like(z)
    for i in range(len(z)):
        penalty.prox(z[i : i + 1], 1.0, left[i : i + 1])
    # A jump is no line.
    left[1:][(left[1:] > 0) & (left[:-1] == 0) & (left[1:] > 0.1)] = np.nan
    return left


figure, (cost, left) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
z = np.linspace(0, 4, 801)
for name, penalty in {"group lasso, |w|": GroupLasso(), "bridge, |w|^(2/3)": Bridge2()}.items():
    cost.plot(z, z**penalty.power, label=name)
    left.plot(z, remainder(penalty, z), label=name)
left.plot(z, z, color="0.7", linestyle=":", label="no penalty")
cost.set(title="what a coefficient costs", xlabel="|w|")
left.set(title="what is left of a coefficient", xlabel="z, without penalty", ylabel="with penalty")
cost.legend(frameon=False)
left.legend(frameon=False)
