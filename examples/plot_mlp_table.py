"""
A small network for a table with useless columns
================================================

Half of these 128 columns are the pixels of handwritten digits. The others are the same columns with
shuffled rows, which say nothing about the digit. Both networks have their default parameters.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import TradeoffDisplay
from shrinklin.networks import ShrinkNetMLPClassifier, ShrinkNetMLPClassifierCV

torch.set_num_threads(1)  # Small networks are many times slower with several threads.
X, y = load_digits(return_X_y=True)
X = np.hstack([X, np.random.default_rng(0).permuted(X, axis=0)])
X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
usual = make_pipeline(StandardScaler(), MLPClassifier(random_state=0, max_iter=500)).fit(X, y)
small = ShrinkNetMLPClassifier(random_state=0).fit(X, y)
n_usual = sum(part.size for part in usual[-1].coefs_ + usual[-1].intercepts_)
right = [model.score(X_test, y_test) for model in (usual, small)]
print(f"MLPClassifier: {n_usual} parameters, {right[0]:.3f} of the test rows right")
print(f"ShrinkNetMLPClassifier: {small.n_parameters_} parameters, {right[1]:.3f} right")

# %%
# How small may it be? One training gives networks of several sizes. Cross-validation chooses the
# smallest whose log-loss is within one standard error of the best.

search = ShrinkNetMLPClassifierCV(sizes=[2000, 1000, 500, 250], cv=3, random_state=0)
search.fit(X, y)
print(f"chosen: {search.n_parameters_} parameters, {search.score(X_test, y_test):.3f} right")
read = np.linalg.norm(small.module_[0].weight.detach(), axis=0) * small.transform(X).std(axis=0)
norms = np.linalg.norm(usual[-1].coefs_[0], axis=1), small.inverse_transform([read])[0]
ratios = {"width_ratios": [1, 1, 2]}
_, (*maps, front) = plt.subplots(1, 3, figsize=(9, 4), layout="constrained", gridspec_kw=ratios)
for ax, name, values in zip(maps, ("MLPClassifier", "ShrinkNetMLPClassifier"), norms, strict=True):
    ax.imshow(values.reshape(16, 8), cmap="Blues")
    ax.axhline(7.5, color="black")
    ax.set_yticks([3.5, 11.5], ["pixels", "shuffled"], rotation=90, va="center")
    ax.set(xticks=[], title=f"{name}\nreads {np.count_nonzero(values)} columns")
losses = -search.cv_scores_
sizes, means = [each.n_parameters_ for each in search.path_], losses.mean(axis=1)
TradeoffDisplay(
    {"mean of three folds": (sizes, means)}, loss_name="log-loss", size_name="parameters", log=True
).plot(front)
errors = losses.std(axis=1, ddof=1) / np.sqrt(3)
front.errorbar(sizes, means, errors, fmt="none", color="C0", label="± standard error")
front.axvline(search.n_parameters_, color="C1", linestyle="--", label="chosen")
front.set_xticks(sizes, sizes)
front.minorticks_off()
front.set_title("ShrinkNetMLPClassifierCV")
front.legend()
plt.show()
