"""
Data on a cluster, with dask
============================

Each worker takes the moments of its own blocks of rows, only their sum travels, and what follows is
computed here, without the rows: a fit, or the path of all alphas. Here the workers are threads
of this process; after ``dask.distributed.Client("tcp://…")`` they are those of a cluster.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np

from shrinklin import Moments, PathDisplay, ShrinkNetRegressor, regularization_path
from shrinklin.distributed import moments

# %%
# Arrays of dask are a plan: blocks of 5000 rows are made when they are needed. Four of 30 features
# matter.

random = da.random.default_rng(0)
X = random.normal(size=(50_000, 30), chunks=(5000, 30))
W = np.zeros((30, 3))
W[[2, 7, 11, 23]] = [[3, 0, 1], [0, -2, 1], [1, 1, 0], [0, 0.5, -0.5]]
Y = X @ W + random.normal(scale=2, size=(50_000, 3), chunks=(5000, 3))
found = moments(X, Y)
print(found, "from", X.numblocks[0], "blocks")

# %%
# The same as from rows in memory, to rounding:

in_memory = Moments.from_data(*da.compute(X, Y))
rounding = abs(found.xy - in_memory.xy).max() / abs(found.xy).max()
print(f"largest difference of the products, relative to the largest: {rounding:.0e}")

# %%
# As the penalty weakens the four enter, the strongest first; the others do not, down to a hundredth
# of the alpha where the path begins. It takes no more time for more rows.

path = regularization_path(ShrinkNetRegressor(), found, alphas=40, eps=0.01)
entered = np.flatnonzero(path.coefs[-1].any(axis=0))
print("features that entered:", *entered)
display = PathDisplay(path, name="ShrinkNet's path, from the moments alone").plot(n_named=4)
plt.show()
