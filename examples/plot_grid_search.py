"""
Search alpha of a whole pipeline
================================

scikit-learn's searches take the estimators as any other. Here `GridSearchCV` chooses ``alpha``, the
strength of the penalty, by the accuracy of telling malignant from benign tumours (569 samples, 30
features). The scaler is fitted anew in every fold.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import ShrinkNetClassifier


def n_features(pipeline, X, y):
    """A score that says how many features a model keeps."""
    return pipeline[-1].get_support().sum()


X, y = load_breast_cancer(return_X_y=True, as_frame=True)
pipeline = make_pipeline(StandardScaler(), ShrinkNetClassifier())
alphas = np.geomspace(0.003, 0.3, 7)
search = GridSearchCV(
    pipeline,
    {"shrinknetclassifier__alpha": alphas},
    scoring={"accuracy": "accuracy", "features": n_features},
    refit="accuracy",
    cv=3,
).fit(X, y)

# %%
# The best pipeline has been fitted to all samples, and names the features it keeps.

best_alpha = search.best_params_["shrinknetclassifier__alpha"]
selected = list(search.best_estimator_.get_feature_names_out())
print(f"alpha={best_alpha:.2g}, accuracy {search.best_score_:.3f}: {', '.join(selected)}")

# %%
# Accuracy changes little over a wide range of alpha; how many features it takes changes much.

found = search.cv_results_
figure, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(6.4, 5), layout="constrained")
upper.errorbar(alphas, found["mean_test_accuracy"], found["std_test_accuracy"], fmt="o-", capsize=3)
upper.set(ylabel="accuracy, held out", title="Three folds: mean and deviation")
lower.plot(alphas, found["mean_test_features"], "s-", color="C2")
lower.set(xscale="log", xlabel="alpha", ylabel="features kept, of 30", ylim=(0, None))
for ax in (upper, lower):
    ax.axvline(best_alpha, color="C1", linestyle="--", label=f"best: alpha={best_alpha:.2g}")
lower.legend(frameon=False)
plt.show()
