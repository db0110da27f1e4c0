"""Estimators whose alpha is chosen by cross-validation: see `choice`."""

from functools import reduce
from operator import add
from typing import Self

import numpy as np
from scipy import sparse
from sklearn.metrics import get_scorer
from sklearn.utils.validation import column_or_1d

from shrinklin.data.moments import Moments
from shrinklin.estimators.base import (
    checked_moments,
)
from shrinklin.estimators.choice import SparseLinearModelCV
from shrinklin.estimators.classifiers import (
    GroupLassoClassifier,
    LinearClassifier,
    ShrinkNetClassifier,
)
from shrinklin.estimators.regressors import GroupLassoRegressor, LinearRegressor, ShrinkNetRegressor
from shrinklin.objective.quadratic import moments_multiply_adds
from shrinklin.selection.folds import (
    MomentFold,
    Rows,
    ScoredFold,
    Sums,
    Whole,
    moments_of_folds,
    remaining,
)
from shrinklin.validation.weights import relative_weights

# Moments of all folds are worth their memory up to so many times that of X.
_MOMENTS_TO_X = 4


class _RegressorCV(SparseLinearModelCV, LinearRegressor):
    """Shared by the regressors: folds from moments, where they are worth it."""

    _default_scoring = "neg_mean_squared_error"

    def _loss_scorer(self):
        return get_scorer(self._default_scoring)

    def _fit_splits(self, problem, model, X, y, s, splits, scoring):
        n_samples, n_features = X.shape
        # Training and held out, n_features² numbers each.
        size = X.nnz if sparse.issparse(X) else X.size
        few = 2 * len(splits) * n_features**2 <= _MOMENTS_TO_X * size
        if not few or not problem.solver.forms_gram(n_samples, n_features):
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
        read = moments_multiply_adds((n_read, n_features), n_targets)
        whole = Whole(problem.objective_of_moments(total, X.dtype))
        return self._choose(problem, model, whole, folds, read)

    def fit_moments(self, folds) -> Self:
        """Choose alpha and fit the model, with the moments of the data of every fold.

        For data of any size: each fold's may come from chunks, files or a cluster, as
        for `fit_moments` of the estimator of one alpha. `cv` does not matter, and
        models are scored by minus their mean squared error.

        Parameters
        ----------
        folds : sequence of Moments
            At least two; every one is held out once.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For less than two folds, moments of different columns, or a `scoring` that
            needs the samples.
        """
        self._check_selection()
        self._check_scoring()
        folds = _checked_folds(folds)
        if not self._scores_loss():
            raise ValueError(
                f"scoring={self.scoring!r} needs the samples, and moments give the mean squared "
                f'error alone: give scoring=None or "{self._default_scoring}", or use fit.'
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
    folds = [folds] if isinstance(folds, Moments) else list(folds)
    wrong = [fold for fold in folds if not isinstance(fold, Moments)]
    if wrong:
        raise TypeError(
            f"folds holds {type(wrong[0]).__name__}: give a list of shrinklin.Moments, one a fold."
        )
    if len(folds) < 2:
        raise ValueError(f"folds holds the moments of {len(folds)} fold: give at least two.")
    return folds


class _ClassifierCV(SparseLinearModelCV, LinearClassifier):
    """Shared by the classifiers: every fold knows all classes."""

    _default_scoring = "neg_log_loss"

    def _loss_scorer(self):
        return _neg_log_loss

    def _rows(self, X, y, s, train):
        # All rows, but weights for those of training: a class that they lack stays a class.
        return Rows(X, y, s * np.bincount(train, minlength=len(s)))


def _neg_log_loss(classifier, X, y, sample_weight=None):
    """As scikit-learn's, also where the rows lack a class."""
    y, classes = column_or_1d(y), classifier.classes_
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y has labels {unknown[:3].tolist()} that the model was not fitted to: give labels "
            f"among {classes.tolist()}."
        )
    codes = np.searchsorted(classes, y)
    logs = classifier.predict_log_proba(X)[np.arange(len(codes)), codes]
    return np.average(logs, weights=relative_weights(sample_weight, logs))


class GroupLassoRegressorCV(_RegressorCV):
    r"""Multi-target group lasso whose alpha is chosen by cross-validation.

    Models are `GroupLassoRegressor`. Where the Gram matrix is formed (`CoordinateDescent`)
    and models are scored by squared error, X is read once for all folds and alphas: the
    `Moments` of a fold's training rows are those of all rows less the fold's, and give
    the held-out errors too. `fit_moments` needs no more than these.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from the least alpha whose model is empty down to `eps`
        times it, evenly spaced in logarithm; or the values themselves.
    eps : float, default=1e-3
        Ratio of the smallest to the largest alpha, in (0, 1).
    cv : int, splitter or iterable, default=None
        As for `sklearn.model_selection.GridSearchCV`: None is 5 folds.
        The folds are drawn once.
    scoring : str or callable, default=None
        As for `GridSearchCV`: a callable gets the model, and the held-out rows of X and y
        in the kind that they were given. None is "neg_mean_squared_error", minus the mean
        squared error over samples and targets. `score` gives it too, but R² for None.
    selection : {"best", "1se", "sparsest"}, default="best"
        "best" takes the alpha of the best mean score, the largest of equals. "1se"
        takes the model of the fewest features whose mean score is within one
        standard error of the best: the deviation of the best alpha's scores over the
        folds, divided by the root of their number. "sparsest" does the same
        within one deviation. Of models with as many features it is the best.
    groups, feature_weights, fit_intercept, solver, max_iter, tol :
        As for `GroupLassoRegressor`.
    n_jobs : int, default=None
        Paths to follow at a time, one a fold and one of all data: the result is the
        same to the bit. None is 1, -1 all cores.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    alpha_ : float
        The chosen one.
    alphas_ : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores_ : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    score_name_ : str
        What they are: `scoring`, or "score" for a callable.
    n_selected_ : ndarray of shape (n_alphas,)
        Features that the models of all data keep.
    path_ : RegressionPath
        Of all data.
    cost_ : CostMeter
        What all paths cost together.
    coef_, intercept_, n_iter_, objective_, residual_, dual_gap_, n_features_in_
        The model of all data at `alpha_`: as for `GroupLassoRegressor`.

    See Also
    --------
    GroupLassoRegressor : The model for one alpha.
    CVDisplay : Picture of the scores.

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

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        cv=None,
        scoring=None,
        selection="best",
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
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


class ShrinkNetRegressorCV(_RegressorCV):
    r"""Multi-target ShrinkNet whose alpha is chosen by cross-validation.

    Models are `ShrinkNetRegressor`, found along a whole path, as `regularization_path`
    does: they may be better than those of single fits. Where the Gram matrix is formed
    (`CoordinateDescent`) and models are scored by squared error, X is read once for all
    folds and alphas, as by `GroupLassoRegressorCV`.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from the least alpha whose model is empty (at
        which no single group leaves zero) down to `eps`
        times it, evenly spaced in logarithm; or the values themselves.
    eps : float, default=1e-3
        Ratio of the smallest to the largest alpha, in (0, 1).
    cv : int, splitter or iterable, default=None
        As for `sklearn.model_selection.GridSearchCV`: None is 5 folds.
        The folds are drawn once.
    scoring : str or callable, default=None
        As for `GridSearchCV`: a callable gets the model, and the held-out rows of X and y
        in the kind that they were given. None is "neg_mean_squared_error", minus the mean
        squared error over samples and targets. `score` gives it too, but R² for None.
    selection : {"best", "1se", "sparsest"}, default="best"
        "best" takes the alpha of the best mean score, the largest of equals. "1se"
        takes the model of the fewest features whose mean score is within one
        standard error of the best: the deviation of the best alpha's scores over the
        folds, divided by the root of their number. "sparsest" does the same
        within one deviation. Of models with as many features it is the best.
    weight_decay, p, groups, feature_weights, fit_intercept, solver, max_iter, tol :
        As for `ShrinkNetRegressor`.
    n_jobs : int, default=None
        Paths to follow at a time, one a fold and one of all data: the result is the
        same to the bit. None is 1, -1 all cores.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    alpha_ : float
        The chosen one.
    alphas_ : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores_ : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    score_name_ : str
        What they are: `scoring`, or "score" for a callable.
    n_selected_ : ndarray of shape (n_alphas,)
        Features that the models of all data keep.
    path_ : RegressionPath
        Of all data.
    cost_ : CostMeter
        What all paths cost together.
    coef_, intercept_, switch_, weight_, n_iter_, objective_, residual_, n_features_in_
        The model of all data at `alpha_`: as for `ShrinkNetRegressor`.

    See Also
    --------
    ShrinkNetRegressor : The model for one alpha.
    CVDisplay : Picture of the scores.

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
        cv=None,
        scoring=None,
        selection="best",
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
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
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


class GroupLassoClassifierCV(_ClassifierCV):
    r"""Logistic regression with a group lasso, alpha chosen by cross-validation.

    Models are `GroupLassoClassifier`.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from the least alpha whose model is empty down to `eps`
        times it, evenly spaced in logarithm; or the values themselves.
    eps : float, default=1e-3
        Ratio of the smallest to the largest alpha, in (0, 1).
    cv : int, splitter or iterable, default=None
        As for `sklearn.model_selection.GridSearchCV`: None is 5 folds, stratified by
        class.
        The folds are drawn once.
    scoring : str or callable, default=None
        As for `GridSearchCV`: a callable gets the model, and the held-out rows of X and y
        in the kind that they were given. None is "neg_log_loss", minus the mean log-loss.
        Scores that need to know are told all classes, as a fold may lack one. `score`
        gives it too, but accuracy for None.
    selection : {"best", "1se", "sparsest"}, default="best"
        "best" takes the alpha of the best mean score, the largest of equals. "1se"
        takes the model of the fewest features whose mean score is within one
        standard error of the best: the deviation of the best alpha's scores over the
        folds, divided by the root of their number. "sparsest" does the same
        within one deviation. Of models with as many features it is the best.
    groups, feature_weights, fit_intercept, class_weight, solver, max_iter, tol :
        As for `GroupLassoClassifier`.
    n_jobs : int, default=None
        Paths to follow at a time, one a fold and one of all data: the result is the
        same to the bit. None is 1, -1 all cores.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    alpha_ : float
        The chosen one.
    alphas_ : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores_ : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    score_name_ : str
        What they are: `scoring`, or "score" for a callable.
    n_selected_ : ndarray of shape (n_alphas,)
        Features that the models of all data keep.
    path_ : ClassificationPath
        Of all data.
    cost_ : CostMeter
        What all paths cost together.
    coef_, intercept_, classes_, n_iter_, objective_, residual_, dual_gap_, n_features_in_
        The model of all data at `alpha_`: as for `GroupLassoClassifier`.

    See Also
    --------
    GroupLassoClassifier : The model for one alpha.
    CVDisplay : Picture of the scores.

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

    def __init__(
        self,
        alphas=100,
        *,
        eps=1e-3,
        cv=None,
        scoring=None,
        selection="best",
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
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


class ShrinkNetClassifierCV(_ClassifierCV):
    r"""Logistic regression with switches, alpha chosen by cross-validation.

    Models are `ShrinkNetClassifier`, found along a whole path, as `regularization_path`
    does: they may be better than those of single fits.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        How many, from the least alpha whose model is empty (at
        which no single group leaves zero) down to `eps`
        times it, evenly spaced in logarithm; or the values themselves.
    eps : float, default=1e-3
        Ratio of the smallest to the largest alpha, in (0, 1).
    cv : int, splitter or iterable, default=None
        As for `sklearn.model_selection.GridSearchCV`: None is 5 folds, stratified by
        class.
        The folds are drawn once.
    scoring : str or callable, default=None
        As for `GridSearchCV`: a callable gets the model, and the held-out rows of X and y
        in the kind that they were given. None is "neg_log_loss", minus the mean log-loss.
        Scores that need to know are told all classes, as a fold may lack one. `score`
        gives it too, but accuracy for None.
    selection : {"best", "1se", "sparsest"}, default="best"
        "best" takes the alpha of the best mean score, the largest of equals. "1se"
        takes the model of the fewest features whose mean score is within one
        standard error of the best: the deviation of the best alpha's scores over the
        folds, divided by the root of their number. "sparsest" does the same
        within one deviation. Of models with as many features it is the best.
    weight_decay, p, groups, feature_weights, fit_intercept, class_weight, solver, max_iter, tol :
        As for `ShrinkNetClassifier`.
    n_jobs : int, default=None
        Paths to follow at a time, one a fold and one of all data: the result is the
        same to the bit. None is 1, -1 all cores.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    alpha_ : float
        The chosen one.
    alphas_ : ndarray of shape (n_alphas,)
        From large to small.
    cv_scores_ : ndarray of shape (n_alphas, n_folds)
        Larger is better.
    score_name_ : str
        What they are: `scoring`, or "score" for a callable.
    n_selected_ : ndarray of shape (n_alphas,)
        Features that the models of all data keep.
    path_ : ClassificationPath
        Of all data.
    cost_ : CostMeter
        What all paths cost together.
    coef_, intercept_, classes_, switch_, weight_, n_iter_, objective_, residual_, n_features_in_
        The model of all data at `alpha_`: as for `ShrinkNetClassifier`.

    See Also
    --------
    ShrinkNetClassifier : The model for one alpha.
    CVDisplay : Picture of the scores.

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
        cv=None,
        scoring=None,
        selection="best",
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
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
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
