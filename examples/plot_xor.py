"""
XOR: a linear model of products
===============================

A point is of class 1 if the product of its first three coordinates is positive; twelve more
coordinates say nothing. No single coordinate tells anything, so a linear model of the features is
as good as a guess. Of all products of up to three features, one tells everything: can it be found?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from shrinklin import ShrinkNetClassifier

X = np.random.default_rng(0).uniform(-1, 1, size=(2000, 15))
y = np.where(X[:, :3].prod(axis=1) > 0, "positive", "negative")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
products = PolynomialFeatures(3, interaction_only=True, include_bias=False)
model = make_pipeline(products, StandardScaler(), ShrinkNetClassifier(alpha=0.1))
accuracy = model.fit(X_train, y_train).score(X_test, y_test)
of_features = LogisticRegression().fit(X_train, y_train).score(X_test, y_test)
selected = list(model.get_feature_names_out())
print(f"logistic regression on the features: {of_features:.0%} of held-out points are right;")
print(f"ShrinkNet on {products.n_output_features_} products: {accuracy:.1%}, by {selected}")

# %%
# Above, the points with a positive third coordinate: a checkerboard, which no line divides. Below,
# the coefficients of all products.

figure, (upper, lower) = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
for name, color in {"positive": "C1", "negative": "C0"}.items():
    shown = (y == name) & (X[:, 2] > 0)
    upper.scatter(X[shown, 0], X[shown, 1], s=8, color=color, label=name)
upper.set(xlabel="x0", ylabel="x1", title="Classes where x2 > 0", aspect="equal")
upper.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
coef = model[-1].coef_[0]
lower.plot(np.abs(coef), "o", markersize=3)
lower.annotate(
    selected[0], (np.abs(coef).argmax(), np.abs(coef).max()), (8, -3), textcoords="offset points"
)
lower.set(
    xlabel="number of the product",
    ylabel="size of its coefficient",
    title=f"{len(selected)} of {len(coef)} products kept",
)
plt.show()
