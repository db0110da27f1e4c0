r"""
The bridge identity: ShrinkNet's penalty on the coefficients
============================================================

ShrinkNet splits a coefficient w = βa and penalises λ|β| + λ₂a². The model depends on w
alone, so what counts is the least penalty over all splits:

.. math:: \min_{\beta a = w} \lambda|\beta| + \lambda_2 a^2 = \kappa |w|^{2/3}, \qquad
          \kappa = \tfrac{3}{2} \lambda^{2/3} (2\lambda_2)^{1/3}

With λ₂ = 4λ/27, the default, κ is λ: ``alpha`` of ShrinkNet weighs a bridge penalty as ``alpha`` of
group lasso weighs the norm.
"""

import matplotlib.pyplot as plt
import numpy as np

from shrinklin import GroupLassoRegressor, ShrinkNetRegressor

alpha, w = 1.0, np.linspace(-3, 3, 241)
beta = np.geomspace(1e-4, 10, 5000)[:, None]
splits = alpha * beta + 4 * alpha / 27 * (w / beta) ** 2
bridge = alpha * np.abs(w) ** (2 / 3)
gap = np.abs(splits.min(axis=0) - bridge).max()
print(f"best of 5000 splits against the formula: differs by at most {gap:.0e}")

# %%
# What a penalty does to a coefficient is its proximal operator, the w that minimises
# ½(z − w)² + penalty(w). A fit to this X takes it of all z at once, as the loss is then
# ½Σ(zⱼ − wⱼ)².

n = len(w)
X, y = np.sqrt(n) * np.eye(n), np.sqrt(n) * w
models = {"group lasso": GroupLassoRegressor, "ShrinkNet": ShrinkNetRegressor}
proxes = {name: model(alpha, fit_intercept=False).fit(X, y).coef_ for name, model in models.items()}

# %%
# The bridge rises steeply at zero and then flattens. So both set small coefficients to zero; but
# group lasso takes the same off all others, ShrinkNet less the larger they are.

figure, (upper, lower) = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
upper.plot(w, splits[3200:4800:200].T, color="C1", alpha=0.3, linewidth=0.8)
upper.plot(w, alpha * np.abs(w), color="C0", label="group lasso: |w|")
upper.plot(w, bridge, color="C1", label=r"ShrinkNet: $|w|^{2/3}$, the least of all splits (thin)")
upper.set(xlabel="coefficient w", ylabel="penalty", title="Penalties, λ = 1", ylim=(0, 4.2))
lower.plot(w, w, color="0.7", linestyle=":", label="no penalty")
for name, prox in proxes.items():
    lower.plot(w, prox, ".", markersize=4, label=name)
lower.set(xlabel="z", ylabel="w", title="Proximal operators, λ = 1")
for ax in (upper, lower):
    ax.legend(loc="upper left", framealpha=1)
plt.show()
