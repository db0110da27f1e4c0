"""Estimators that choose alpha and a ridge by cross-validation: see `cross_validation`."""

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np
from sklearn.metrics import get_scorer

from shrinklin.data.gram import gram_multiply_adds, takes_gram_of_folds
from shrinklin.data.moments import Moments
from shrinklin.estimators.base import checked_moments
from shrinklin.estimators.classifiers import (
    GroupLassoClassifier,
    LinearClassifier,
    ShrinkNetClassifier,
)
from shrinklin.estimators.cross_validation import SparseLinearModelCV
from shrinklin.estimators.fold_search import neg_log_loss
from shrinklin.estimators.parameters import (
    CLASSIFICATION,
    CROSS_VALIDATION,
    GROUP_LASSO,
    REGRESSION,
    SHRINKNET,
    documented,
)
from shrinklin.estimators.regressors import GroupLassoRegressor, LinearRegressor, ShrinkNetRegressor
from shrinklin.selection.folds import (
    MomentFold,
    Rows,
    ScoredFold,
    Sums,
    Whole,
    moments_of_folds,
    remaining,
)


class RegressorCV(SparseLinearModelCV, LinearRegressor):
    """A regressor that chooses alpha, with moments of the folds if they save time."""

    _default_scoring = "neg_mean_squared_error"
    _default_refits = (0.0, 0.001, 0.01, 0.1)

    def _loss_scorer(self):
        return get_scorer(self._default_scoring)

    def _fit_splits(self, problem, model, X, y, s, splits, scoring):
        by_moments = problem.task.takes_moments and takes_gram_of_folds(X, len(splits))
        if not by_moments or not problem.solver.forms_gram(*X.shape):
            return super()._fit_splits(problem, model, X, y, s, splits, scoring)
        total, pairs, n_read = moments_of_folds(X, y, s, splits)
        folds: list[MomentFold | ScoredFold] = []
        for (train, test), (_, rows) in zip(pairs, splits, strict=True):
            sums = Sums(train, X.dtype)
            if self._scores_loss():
                folds.append(MomentFold(sums, test, Rows(X, y, s, rows)))
            else:
                folds.append(ScoredFold(sums, scoring, rows))
        n_targets = len(total.y_mean)
        read = gram_multiply_adds((n_read, X.shape[1]), n_targets)
        whole = Whole(problem.objective_of_moments(total, X.dtype))
        return self._choose(problem, model, whole, folds, read)

    def fit_moments(self, folds) -> Self:
        """Choose alpha and fit the model, given the moments of the data of every fold.

        The data may have any size: the moments of a fold may come from chunks, files or a
        cluster, as for `fit_moments` of the estimator for one alpha. `cv` is not used. Models are
        scored by minus their mean squared error.

        Parameters
        ----------
        folds : sequence of Moments
            Moments of at least two folds. Each fold is held out once. Moments add up, so of
            many files, five folds are ``[sum(moments[k::5]) for k in range(5)]``.

        Returns
        -------
        self
            As after `fit`.

        Raises
        ------
        ValueError
            If there are fewer than two folds, if their columns differ, or if `scoring` needs the
            samples.
        """
        self._check_selection()
        self._check_scoring()
        folds = _checked_folds(folds)
        if not self._scores_loss():
            raise ValueError(
                f"scoring={self.scoring!r} needs the samples, as moments give only the mean "
                f'squared error: give scoring=None or "{self._default_scoring}", or use fit.'
            )
        model, total, dtype = self._model(), reduce(add, folds), np.dtype(float)
        problem = checked_moments(model, total)
        prepared = []
        for k, test in enumerate(folds):
            left = remaining(total, test)
            if left is None:
                left = reduce(add, folds[:k] + folds[k + 1 :])
            prepared.append(MomentFold(Sums(left, dtype), test))
        whole = Whole(problem.objective_of_moments(total, dtype))
        return self._choose(problem, model, whole, prepared)


def _checked_folds(folds):
    if not isinstance(folds, Iterable) or isinstance(folds, str):
        folds = [folds]
    folds = list(folds)
    wrong = [fold for fold in folds if not isinstance(fold, Moments)]
    if wrong:
        raise TypeError(
            f"folds holds {type(wrong[0]).__name__}: give a list of "
            "shrinklin.Moments, one per fold."
        )
    if len(folds) < 2:
        raise ValueError(
            f"folds holds the moments of {len(folds)} fold: give a list of at least two. Moments "
            "hold no rows and cannot be split, so make one of every fold: of chunks, files or "
            "days, or [Moments.from_data(X[rows], y[rows]) for _, rows in KFold(5).split(X)]."
        )
    return folds


class ClassifierCV(SparseLinearModelCV, LinearClassifier):
    """A classifier that chooses alpha. The models of every fold have all classes."""

    _default_scoring = "neg_log_loss"
    _default_refits = (0.001, 0.01, 0.1)

    def _loss_scorer(self):
        return neg_log_loss

    def _checked_refits(self):
        checked = super()._checked_refits()
        if 0 in checked:
            raise ValueError(
                f"relax={self.relax!r}: a refit without ridge may have no minimum, as features may "
                "separate the classes: give True, False or a list of numbers > 0."
            )
        return checked

    def _rows(self, X, y, s, train):
        # All rows, but only training rows have weights, so no class is lost.
        return Rows(X, y, s * np.bincount(train, minlength=len(s)))


@documented(REGRESSION, GROUP_LASSO, CROSS_VALIDATION)
class GroupLassoRegressorCV(RegressorCV):
    """Multi-target group lasso whose alpha is chosen by cross-validation.

    The model for each alpha is that of `GroupLassoRegressor`. The estimator becomes the model
    for the chosen alpha, fitted to all data.

    If the Gram matrix is formed (see `CoordinateDescent`) and models are scored by squared
    error, X is read only once for all folds and alphas. The `Moments` of the training rows of a
    fold are then those of all rows minus those of the fold, and the moments of the fold give the
    held-out errors. `fit_moments` needs only these moments.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $alpha_, $ridge_, $refit_ridge_, $alphas_, $cv_scores_, $cv_results_, $score_name_
    $n_selected_, $path_, $cost_
    $coef_, $intercept_, $n_iter_, $objective_, $residual_, $dual_gap_
    $n_features_in_, $feature_names_in_, $target_names_in_

    See Also
    --------
    GroupLassoRegressor : Fits for one given alpha.
    CVDisplay : Draws the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import GroupLassoRegressorCV
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = GroupLassoRegressorCV(alphas=20, selection="1se").fit(X, y)
    >>> model.cv_scores_.shape
    (20, 5)
    >>> bool(model.alpha_ in model.alphas_)
    True
    """

    _single = GroupLassoRegressor
    # Models that were pickled by shrinklin 0.1.0 have neither.
    l1_ratio: Any = 0.0
    positive: Any = False

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        ridges=0.0,
        relax=False,
        cv=None,
        scoring=None,
        selection="best",
        max_features=None,
        groups=None,
        feature_weights=None,
        l1_ratio=0.0,
        positive=False,
        fit_intercept=True,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.ridges = ridges
        self.relax = relax
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.max_features = max_features
        self.groups = groups
        self.feature_weights = feature_weights
        self.l1_ratio = l1_ratio
        self.positive = positive
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


@documented(REGRESSION, SHRINKNET, CROSS_VALIDATION)
class ShrinkNetRegressorCV(RegressorCV):
    """Multi-target ShrinkNet whose alpha is chosen by cross-validation.

    The model for each alpha is that of `ShrinkNetRegressor`. Models are solved along a whole path,
    as in `regularization_path`, so they may be better than those of single fits. The estimator
    becomes the model for the chosen alpha, fitted to all data.

    If the Gram matrix is formed (see `CoordinateDescent`) and models are scored by squared
    error, X is read only once for all folds and alphas, as in `GroupLassoRegressorCV`.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $alpha_, $ridge_, $refit_ridge_, $alphas_, $cv_scores_, $cv_results_, $score_name_
    $n_selected_, $path_, $cost_
    $coef_, $switch_, $weight_, $intercept_, $n_iter_, $objective_, $residual_
    $n_features_in_, $feature_names_in_, $target_names_in_

    See Also
    --------
    ShrinkNetRegressor : Fits for one given alpha.
    CVDisplay : Draws the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import ShrinkNetRegressorCV
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = ShrinkNetRegressorCV(alphas=20).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _single = ShrinkNetRegressor

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        ridges=0.0,
        relax=False,
        cv=None,
        scoring=None,
        selection="best",
        max_features=None,
        weight_decay=None,
        p=2,
        groups=None,
        feature_weights=None,
        fit_intercept=True,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.ridges = ridges
        self.relax = relax
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.max_features = max_features
        self.weight_decay = weight_decay
        self.p = p
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


@documented(CLASSIFICATION, GROUP_LASSO, CROSS_VALIDATION)
class GroupLassoClassifierCV(ClassifierCV):
    """Logistic regression with a group lasso whose alpha is chosen by cross-validation.

    The model for each alpha is that of `GroupLassoClassifier`. The estimator becomes the model
    for the chosen alpha, fitted to all data.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $alpha_, $ridge_, $refit_ridge_, $alphas_, $cv_scores_, $cv_results_, $score_name_
    $n_selected_, $path_, $cost_
    $classes_, $coef_, $intercept_, $n_iter_, $objective_, $residual_, $dual_gap_
    $n_features_in_, $feature_names_in_

    See Also
    --------
    GroupLassoClassifier : Fits for one given alpha.
    CVDisplay : Draws the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinklin import GroupLassoClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GroupLassoClassifierCV(alphas=10, scoring="accuracy").fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _single = GroupLassoClassifier
    # Models that were pickled by shrinklin 0.1.0 have neither.
    l1_ratio: Any = 0.0
    positive: Any = False

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        ridges=(0.0, 0.003, 0.03),
        relax=False,
        cv=None,
        scoring=None,
        selection="best",
        max_features=None,
        groups=None,
        feature_weights=None,
        l1_ratio=0.0,
        positive=False,
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.ridges = ridges
        self.relax = relax
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.max_features = max_features
        self.groups = groups
        self.feature_weights = feature_weights
        self.l1_ratio = l1_ratio
        self.positive = positive
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


@documented(CLASSIFICATION, SHRINKNET, CROSS_VALIDATION)
class ShrinkNetClassifierCV(ClassifierCV):
    """Logistic regression with switches whose alpha is chosen by cross-validation.

    The model for each alpha is that of `ShrinkNetClassifier`. Models are solved along a whole
    path, as in `regularization_path`, so they may be better than those of single fits. The
    estimator becomes the model for the chosen alpha, fitted to all data.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $alpha_, $ridge_, $refit_ridge_, $alphas_, $cv_scores_, $cv_results_, $score_name_
    $n_selected_, $path_, $cost_
    $classes_, $coef_, $switch_, $weight_, $intercept_, $n_iter_, $objective_, $residual_
    $n_features_in_, $feature_names_in_

    See Also
    --------
    ShrinkNetClassifier : Fits for one given alpha.
    CVDisplay : Draws the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinklin import ShrinkNetClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkNetClassifierCV(alphas=10, selection="sparsest").fit(X, y)
    >>> bool(model.get_support().sum() <= 3)
    True
    """

    _single = ShrinkNetClassifier

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        ridges=(0.0, 0.003, 0.03),
        relax=False,
        cv=None,
        scoring=None,
        selection="best",
        max_features=None,
        weight_decay=None,
        p=2,
        groups=None,
        feature_weights=None,
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.ridges = ridges
        self.relax = relax
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.max_features = max_features
        self.weight_decay = weight_decay
        self.p = p
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose
