"""
A file larger than memory, by chunks
====================================

Of the rows, the squared loss needs their means and products alone, and those add up. So a file is
read chunk by chunk, and the model is that of all rows at once, not an approximation. Here 40
features, of which five matter, and three targets lie in a CSV file.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from shrinklin import Moments, ShrinkNetRegressor

rng = np.random.default_rng(0)
targets, features = ["y0", "y1", "y2"], [f"x{j}" for j in range(40)]
X = rng.normal(size=(6000, 40)) + 0.5 * rng.normal(size=(6000, 1))
Y = X[:, :5] @ rng.normal(size=(5, 3)) + 3 * rng.normal(size=(6000, 3))
table = pd.DataFrame(np.hstack([X, Y]), columns=features + targets)
train, held_out = table[:2000], table[2000:]
folder = tempfile.TemporaryDirectory()
file = Path(folder.name) / "table.csv"
train.to_csv(file, index=False)

# %%
# ``partial_fit`` gives a model of all rows so far after every chunk. If only the last is wanted,
# ``Moments.from_csv`` reads the whole file, and ``fit_moments`` fits once.

model, errors = ShrinkNetRegressor(alpha=0.3), []
for chunk in pd.read_csv(file, chunksize=50):
    model.partial_fit(chunk[features], chunk[targets])
    difference = held_out[targets] - model.predict(held_out[features])
    errors.append((difference**2).to_numpy().mean())
moments = Moments.from_csv(file, targets, chunksize=50)
folder.cleanup()
once = ShrinkNetRegressor(alpha=0.3).fit_moments(moments)
whole = ShrinkNetRegressor(alpha=0.3).fit(train[features], train[targets])
gaps = [abs(one.coef_ - whole.coef_).max() for one in (model, once)]
print(f"{moments}: coefficients differ from those of all rows at once by at most {max(gaps):.0e}")

# %%
# The error falls to that of the noise, and five features are left.

_, ax = plt.subplots(layout="constrained")
ax.plot(50 * np.arange(1, len(errors) + 1), errors, "o-", markersize=4, label="after each chunk")
ax.axhline(9, color="0.6", linestyle=":", label="noise")
ax.set(xscale="log", xlabel="rows read so far", ylabel="mean squared error, held out")
ax.set_title(f"A model of all rows so far ({model.get_support().sum()} features in the end)")
ax.legend(frameon=False)
plt.show()
