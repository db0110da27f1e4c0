"""How models are fitted: by the exact solvers, and by Adagrad as in the drafts."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from experiments.drafts import WEIGHT_DECAY, scale, shrinknet
from experiments.tradeoff.settings import (
    ALL,
    GROUP_LASSO,
    REFITTED,
    SHRINKNET_1,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    regularization_path,
)

# scikit-learn's default; with the mean log-loss, the ridge has the factor 1/(2 C n).
RIDGE_C = 1.0


@dataclass(frozen=True)
class Model:
    """A fitted model: raw predictions are coef x + intercept, as in the estimators.

    Attributes
    ----------
    alpha : float
        In the scale of the estimators.
    coef : ndarray of shape (n_targets, n_features)
    intercept : ndarray of shape (n_targets,)
    residual : float or None
        How far from optimal, as the estimators' `residual_`; None if unknown.
    """

    alpha: float
    coef: np.ndarray
    intercept: np.ndarray
    residual: float | None = None


def path_models(cells, train):
    """One `Model` per cell of a path of an exact method."""
    method, fold = cells[0]["method"], cells[0]["fold"]
    path = exact_path(method, train, [cell["strength"] for cell in cells])
    if method == REFITTED:
        if fold != ALL and not train.regression:
            return _refitted_with_ridge(path, train)
        path = path.refit(train.X, train.y)
    fields = zip(path.alphas, path.coefs, path.intercepts, path.residuals, strict=True)
    return [Model(*fields_) for fields_ in fields]


def exact_path(method, train, shares):
    """The `RegularizationPath` of a method of `EXACT`, not yet refitted.

    Parameters
    ----------
    method : str
    train : Part
    shares : list of float
        Alphas relative to the largest one, from large to small.
    """
    estimator = _estimator(method, train)
    # Every path starts at the largest alpha; to find it, a rough solution is enough.
    rough = _estimator(method, train).set_params(tol=1.0)
    largest = regularization_path(rough, train.X, train.y, alphas=1).alphas[0]
    return regularization_path(estimator, train.X, train.y, alphas=largest * np.array(shares))


def _estimator(method, train):
    if method in (GROUP_LASSO, REFITTED, TRAINED_LASSO):
        return GroupLassoRegressor() if train.regression else GroupLassoClassifier()
    return shrinknet(train.y)(p=1 if method == SHRINKNET_1 else 2)


def _refitted_with_ridge(path, train):
    """scikit-learn's logistic regression on the support of every model.

    Without a ridge, coefficients grow without bound once the features separate the classes, and
    so does the held-out loss.
    """
    known, models = {}, []
    for alpha, coef in zip(path.alphas, path.coefs, strict=True):
        support = coef.any(axis=0)
        key = support.tobytes()
        if key not in known:
            known[key] = _ridge_on(support, train)
        models.append(Model(alpha, *known[key]))
    return models


def _ridge_on(support, train):
    """Coefficients and intercept of logistic regression on some of the features."""
    # If no feature is left, a column of zeros takes its place, to fit the intercept alone.
    X = train.X[:, support] if support.any() else np.zeros((len(train.X), 1))
    fitted = LogisticRegression(C=RIDGE_C, max_iter=10_000).fit(X, train.y)
    coef = np.zeros((len(fitted.intercept_), len(support)))
    if support.any():
        coef[:, support] = fitted.coef_
    return coef, fitted.intercept_


def trained_models(cells, train):
    """One `Model` per cell, trained as in the drafts: full-batch Adagrad, nothing removed."""
    return [_trained(cell, train) for cell in cells]


def _trained(cell, train):
    unit = scale(train.y)
    solver = GradientDescent(max_epochs=cell["epochs"], learning_rate=cell["learning_rate"])
    alpha = cell["strength"] * unit
    model = _estimator(cell["method"], train)
    model.set_params(alpha=alpha, solver=solver, random_state=cell["seed"])
    if cell["method"] == TRAINED_SHRINKNET:
        model.set_params(weight_decay=WEIGHT_DECAY * unit)
    model.fit(train.X, train.y)
    return Model(alpha, np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_))
