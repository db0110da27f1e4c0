"""Draw the new picture."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from problems import simulate
from shrinklin import GroupLassoRegressor, ResidualDisplay

matplotlib.use("agg")
X, Y = simulate(30, 4, 1)
model = GroupLassoRegressor(0.1).fit(X, Y[:, 0])
_, ax = plt.subplots()
display = ResidualDisplay.from_estimator(model, X, Y[:, 0], ax=ax)
drawn = np.asarray(display.points_.get_offsets())
np.testing.assert_allclose(drawn.sum(axis=1), Y[:, 0])
np.testing.assert_allclose(drawn[:, 0], model.predict(X))
assert display.ax_ is ax
assert ax.get_xlabel() == "prediction"
display.figure_.canvas.draw()
