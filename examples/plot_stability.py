"""
Which of 5000 features can be trusted?
======================================

With 200 rows and 5000 features a model keeps some features by chance. Stability selection fits it
to halves of the rows, again and again: features that matter are kept in nearly all of them. Eight
features matter here, and 32 others are correlated with them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from shrinklin import GroupLassoRegressor, StabilityDisplay, selection_frequencies

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 5000))
X[:, 8:40] += 0.7 * X[:, np.arange(32) % 8]
coef = np.zeros((5000, 2))
coef[:8] = rng.choice([-1, 1], size=(8, 2)) * rng.uniform(0.6, 1, size=(8, 2))
Y = X @ coef + 1.6 * rng.normal(size=(200, 2))
X, Y = StandardScaler().fit_transform(X), StandardScaler().fit_transform(Y)

# %%
# Let q be the mean number of features that a fit keeps, and τ the share of fits in which a feature
# has to be. Then at most q² / ((2τ − 1) p) of p features are expected to pass by chance. So a
# larger alpha, with fewer features in each fit, is the safer choice.

model = GroupLassoRegressor(alpha=0.17)
frequencies = selection_frequencies(model, X, Y, n_resamples=50, random_state=0)
share, q = 0.8, frequencies.sum()
stable = np.flatnonzero(frequencies >= share)
single = np.flatnonzero(model.fit(X, Y).get_support())
bound = q**2 / ((2 * share - 1) * 5000)
print(f"One fit keeps {len(single)} features, {np.sum(single >= 8)} of them by chance.")
print(f"Kept in at least {share:.0%} of the fits: {stable.tolist()}")
print(f"At most {bound:.1f} features are expected to be there by chance.")

# %%
# One feature that matters is missed: it is seldom kept, as its effect is small beside the noise.

display = StabilityDisplay(frequencies, name="Kept in fits to halves of the rows")
display.plot(threshold=share)
plt.show()
