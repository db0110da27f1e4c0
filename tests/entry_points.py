"""Every function that is given X, y or weights, by name, and data to call them with."""

import dask
import dask.array as da
import numpy as np
import pandas as pd
from sklearn.base import clone

from shrinklin import (
    CoordinateDescent,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
    selection_frequencies,
)
from shrinklin.distributed import moments as moments_on_a_cluster

N, P = 40, 6
NAMES = list("abcdef")


def data():
    """X with mostly zero entries, a numeric y and a y of classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) * (rng.random((N, P)) < 0.4)
    y = X[:, 0] - X[:, 3] + 0.3 * rng.normal(size=N)
    return X, y, (y > np.median(y)).astype(int)


DENSE, Y, CODES = data()
FRAME = pd.DataFrame(DENSE, columns=NAMES)
S = np.linspace(0.5, 2.0, N)
ALPHAS = [0.1, 0.02]
REGRESSOR = GroupLassoRegressor(alpha=0.02, tol=1e-10)
CLASSIFIER = GroupLassoClassifier(alpha=0.02, tol=1e-10)
ALL_KEPT = GroupLassoRegressor(alpha=1e-6).fit(DENSE, Y)
FITTED_TO_NAMES = clone(REGRESSOR).fit(FRAME, Y)
FITTED, TOLD = clone(REGRESSOR).fit(DENSE, Y), clone(CLASSIFIER).fit(DENSE, CODES)
TRAINING = {"alpha": 0.02, "random_state": 0}
EPOCHS, BATCHES = GradientDescent(max_epochs=30), GradientDescent(max_epochs=30, batch_size=8)
PATH = regularization_path(REGRESSOR, DENSE, Y, alphas=ALPHAS)
PATH_OF_CLASSES = regularization_path(CLASSIFIER, DENSE, CODES, alphas=ALPHAS)


def followed(estimator):
    return lambda X, y, s: (
        regularization_path(estimator, X, y, alphas=ALPHAS, sample_weight=s).coefs
    )


def fitted(estimator):
    return lambda X, y, s: clone(estimator).fit(X, y, s).coef_


def streamed(estimator, **classes):
    def fit(X, y, s):
        model = clone(estimator).partial_fit(X, y, sample_weight=s, **classes)
        return model.partial_fit(X, y, sample_weight=s).coef_

    return fit


def in_blocks(X, y, s):
    block = da.from_delayed(dask.delayed(X, traverse=False), (N, P), float)
    s = None if s is None else da.from_array(s)
    return moments_on_a_cluster(block, da.from_array(y), s).xy


def resampled(X, y, s):
    estimator = GroupLassoRegressor(alpha=0.1)
    return selection_frequencies(estimator, X, y, 4, sample_weight=s, random_state=0)


# Functions of X, y and sample weights: for regression, and below for classes.
FITS = {
    "regressor": fitted(REGRESSOR),
    "groups": fitted(clone(REGRESSOR).set_params(groups=[0, 0, 1, 1, 2, 2])),
    "no Gram matrix": fitted(clone(REGRESSOR).set_params(solver=CoordinateDescent(gram=False))),
    "ShrinkNet": fitted(ShrinkNetRegressor(alpha=0.02, tol=1e-10)),
    "training": fitted(GroupLassoRegressor(**TRAINING, solver=EPOCHS)),
    "minibatches": fitted(ShrinkNetRegressor(**TRAINING, solver=BATCHES)),
    "partial_fit": streamed(REGRESSOR),
    "path": followed(REGRESSOR),
    "refit": lambda X, y, s: PATH.refit(X, y, s).coefs,
    "criterion": lambda X, y, s: (
        InformationCriterion(REGRESSOR, alphas=ALPHAS).fit(X, y, s).criteria_
    ),
    "cross-validation": fitted(GroupLassoRegressorCV(ALPHAS, cv=2)),
    "cross-validation by a scorer": fitted(GroupLassoRegressorCV(ALPHAS, cv=2, scoring="r2")),
    "moments": lambda X, y, s: Moments.from_data(X, y, s).xy,
    "moments of chunks": lambda X, y, s: Moments.from_chunks([(X, y, s), (X, y, s)]).xy,
    "stability": resampled,
    "score": lambda X, y, s: FITTED.score(X, y, s),
}
FITS_OF_CLASSES = {
    "classifier": fitted(CLASSIFIER),
    "ShrinkNet classifier": fitted(ShrinkNetClassifier(alpha=0.2, tol=1e-10)),
    "training of a classifier": fitted(GroupLassoClassifier(**TRAINING, solver=EPOCHS)),
    "minibatches of a classifier": fitted(ShrinkNetClassifier(**TRAINING, solver=BATCHES)),
    "partial_fit of a classifier": streamed(GroupLassoClassifier(random_state=0), classes=[0, 1]),
    "path of a classifier": followed(CLASSIFIER),
    "refit of a classifier": lambda X, y, s: PATH_OF_CLASSES.refit(X, y, s).coefs,
    "cross-validation of a classifier": fitted(GroupLassoClassifierCV(ALPHAS, cv=2)),
    "score of a classifier": lambda X, y, s: TOLD.score(X, y, s),
}
ALL_FITS = {name: (fit, Y) for name, fit in FITS.items()}
ALL_FITS |= {name: (fit, CODES) for name, fit in FITS_OF_CLASSES.items()}
# Functions of X alone, and losses, which take no weights.
READS = {
    "predict": FITTED.predict,
    "transform": FITTED.transform,
    "inverse_transform": ALL_KEPT.inverse_transform,
    "transform of a criterion": InformationCriterion(REGRESSOR, alphas=ALPHAS)
    .fit(DENSE, Y)
    .transform,
    "predict_proba": TOLD.predict_proba,
    "decision_function": TOLD.decision_function,
    "predictions of a path": PATH.predict,
    "predictions of a path of a classifier": PATH_OF_CLASSES.predict,
}
LOSSES = {
    "errors of a path": (PATH.mean_squared_errors, Y),
    "losses of a path": (PATH_OF_CLASSES.log_losses, CODES),
    "accuracies of a path": (PATH_OF_CLASSES.accuracies, CODES),
}
OF_X = {name: (lambda X, fit=fit, y=y: fit(X, y, S)) for name, (fit, y) in ALL_FITS.items()}
OF_X |= {name: (lambda X, loss=loss, y=y: loss(X, y)) for name, (loss, y) in LOSSES.items()}
OF_X |= {name: (lambda X, read=read: read(X)) for name, read in READS.items()}
OF_X["blocks of dask"] = lambda X: in_blocks(X, Y, S)
# Functions of y alone, each with its y, and of the weights alone; the other data are fixed.
OF_Y = {name: (lambda y, fit=fit: fit(DENSE, y, S), y) for name, (fit, y) in ALL_FITS.items()}
OF_Y |= {name: (lambda y, loss=loss: loss(DENSE, y), y) for name, (loss, y) in LOSSES.items()}
OF_WEIGHTS = {
    name: (lambda s, fit=fit, y=y: fit(DENSE, y, s)) for name, (fit, y) in ALL_FITS.items()
}


DAYS = pd.date_range("2020", periods=N)
