"""Write tests/pickles: fitted models as a user of this version keeps them.

    python tests/make_pickles.py

Run it with the oldest versions of setup.cfg, as what numpy 2 writes numpy 1 cannot read, and only
when a version is released: the files are there to stay what they were.
"""

import pickle
from pathlib import Path

import numpy as np

from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignVariance,
)

FOLDER = Path(__file__).parent / "pickles"


def models(X, Y, labels):
    training = GradientDescent(max_epochs=50, tol=1e30, removal=SignVariance())
    streaming = GradientDescent(batch_size=5)
    return {
        "group_lasso_regressor": GroupLassoRegressor(0.3, groups=[0, 0, 1, 2]).fit(X, Y),
        "shrinknet_regressor": ShrinkNetRegressor(0.3).fit(X, Y[:, 0]),
        "group_lasso_classifier": GroupLassoClassifier(0.05).fit(X, labels),
        "shrinknet_classifier": ShrinkNetClassifier(0.05).fit(X, labels),
        "trained": ShrinkNetRegressor(0.3, solver=training, random_state=0).fit(X, Y),
        "moments": GroupLassoRegressor(0.3).partial_fit(X, Y),
        "stream": ShrinkNetClassifier(0.05, solver=streaming, random_state=0).partial_fit(
            X, labels, classes=["a", "b", "c"]
        ),
        "cross_validation": GroupLassoRegressorCV(3, cv=3).fit(X, Y),
        "criterion": InformationCriterion(GroupLassoRegressor(), alphas=3).fit(X, Y),
    }


def main():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 4))
    Y = X[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(size=(20, 3))
    FOLDER.mkdir(exist_ok=True)
    for name, model in models(X, Y, np.array(list("abc"))[Y.argmax(axis=1)]).items():
        kept = {"model": model, "X": X, "prediction": model.predict(X)}
        (FOLDER / f"{name}.pkl").write_bytes(pickle.dumps(kept, protocol=4))


if __name__ == "__main__":
    main()
