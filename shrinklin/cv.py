r"""Choosing alpha by cross-validation along paths.

The order of a fit: the data are checked once and the folds drawn once. All data, and the
training rows of every fold, are solved along the same alphas, several at a time (`folds.follow`).
The models of a fold are scored on its held-out rows, `choose` picks an alpha from the scores,
and the estimator becomes the model that the path of all data has there.

Where the Gram matrix is formed anyway and models are scored by squared error, moments of the folds
are all that is needed: X is read once for the whole search.
"""

import copy
from abc import abstractmethod
from collections.abc import Iterable
from functools import partial, reduce
from operator import add
from typing import Self

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import column_or_1d

from shrinklin.base import (
    LinearModel,
    become,
    checked,
    checked_moments,
    warn_unless_converged,
    without_alpha,
)
from shrinklin.blas import one_blas_thread
from shrinklin.classifiers import GroupLassoClassifier, LinearClassifier, ShrinkNetClassifier
from shrinklin.cost import CostMeter
from shrinklin.folds import (
    MomentFold,
    Rows,
    ScoredFold,
    Scoring,
    Sums,
    Whole,
    follow,
    moments_of_folds,
    remaining,
    score,
)
from shrinklin.messages import results
from shrinklin.moments import Moments
from shrinklin.path import (
    alpha_grid,
    path_of_solutions,
    warn_if_alphas_are_too_large,
    with_model,
)
from shrinklin.quadratic import moments_multiply_adds
from shrinklin.regressors import GroupLassoRegressor, LinearRegressor, ShrinkNetRegressor
from shrinklin.validation import relative_weights

_SELECTIONS = ("best", "1se", "sparsest")
# Moments of all folds are worth their memory up to so many times that of X.
_MOMENTS_TO_X = 4
# The chosen model is solved to this times tol.
_POLISH = 1e-6


def choose(scores, n_selected, selection):
    """Index of the chosen alpha; see `selection` of the estimators.

    Parameters
    ----------
    scores : ndarray of shape (n_alphas, n_folds)
        Larger is better; alphas from large to small.
    n_selected : ndarray of shape (n_alphas,)
    selection : {"best", "1se", "sparsest"}
    """
    means, n_folds = scores.mean(axis=1), scores.shape[1]
    best = int(means.argmax())
    if selection == "best":
        return best
    deviation = scores[best].std(ddof=1)
    slack = deviation / np.sqrt(n_folds) if selection == "1se" else deviation
    near = means >= means[best] - slack
    fewest = near & (n_selected == n_selected[near].min())
    return int(np.where(fewest, means, -np.inf).argmax())


class SparseLinearModelCV(LinearModel):
    """A linear model whose alpha is chosen by cross-validation."""

    # The estimator for one alpha, and what its models are scored by.
    _single: type
    _default_scoring: str

    def _model(self):
        """The estimator to solve for many alphas, with the parameters of this one."""
        ours = self.get_params(deep=False)
        names = self._single().get_params(deep=False)
        return without_alpha(self._single(**{n: ours[n] for n in names if n in ours}))

    def _check_selection(self):
        if not isinstance(self.selection, str) or self.selection not in _SELECTIONS:
            accepted = ", ".join(f'"{name}"' for name in _SELECTIONS)
            raise ValueError(f"selection={self.selection!r}: give one of {accepted}.")

    def _check_scoring(self):
        if self.scoring is not None and not (
            isinstance(self.scoring, str) or callable(self.scoring)
        ):
            raise ValueError(
                f"scoring={self.scoring!r}: give None, the name of a score of scikit-learn, or a "
                "callable; only one, as alpha is chosen by it."
            )

    def _scores_loss(self):
        """Whether models are scored by the loss that they minimise."""
        named = isinstance(self.scoring, str) and self.scoring == self._default_scoring
        return self.scoring is None or named

    def _score_name(self):
        if self._scores_loss():
            return self._default_scoring
        return self.scoring if isinstance(self.scoring, str) else "score"

    @abstractmethod
    def _loss_scorer(self):
        """The scorer of that loss: called with an estimator, X, y and sample_weight."""

    def get_metadata_routing(self):
        """What metadata `fit` and `score` take for the splitter and for the scorer.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        if not isinstance(self.cv, Iterable):  # which has been split, and may be read once
            splits = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=check_cv(self.cv), method_mapping=splits)
        if not self._scores_loss():
            scores = MethodMapping().add(caller="fit", callee="score")
            scores.add(caller="score", callee="score")
            scorer = check_scoring(self._single(), scoring=self.scoring)
            router.add(scorer=scorer, method_mapping=scores)
        return router

    def _route(self, weights, params):
        """Arguments of the splitter, and of the scorer."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **weights, **params)
            scored = weights if self._scores_loss() else routed.scorer.score
            return {} if isinstance(self.cv, Iterable) else routed.splitter.split, scored
        if params:
            raise ValueError(
                f"fit was given {sorted(params)}, which reach the splitter and the scorer by "
                "metadata routing alone: sklearn.set_config(enable_metadata_routing=True), then "
                "for instance cv=GroupKFold().set_split_request(groups=True). Or draw the folds "
                "beforehand: cv=list(GroupKFold().split(X, y, groups))."
            )
        return {}, weights

    def score(self, X, y, sample_weight=None, **params) -> float:
        """The score that alpha was chosen by, of the model on these data.

        With ``scoring=None`` that of the estimator for one alpha instead, which is larger for
        better models whatever the data: R² of regressors, accuracy of classifiers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like, as for `fit`
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0. With metadata routing enabled, a `scoring` of one's own gets them
            only if it asks for them.
        **params : dict
            Other metadata of the scorer; needs
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        float
            Larger is better.
        """
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        routes = get_config()["enable_metadata_routing"]
        if params and (self.scoring is None or not routes):
            raise ValueError(
                f"score was given {sorted(params)}, which reach a scorer by metadata routing "
                "alone: sklearn.set_config(enable_metadata_routing=True), and a scoring that asks "
                "for them."
            )
        if self.scoring is None:
            return super().score(X, y, **weights)
        if routes and not self._scores_loss():
            weights = process_routing(self, "score", **weights, **params).scorer.score
        return score(self._scorer(), self, X, y, weights)

    def _splits(self, X, y, n_samples, params):
        """(training rows, held-out rows) of every fold, as indices."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        every, splits = np.arange(n_samples), []
        for k, (train, test) in enumerate(cv.split(X, y, **params)):
            try:
                splits.append((every[train], every[test]))
            except IndexError as error:
                raise ValueError(
                    f"fold {k} of cv has rows that are not among 0 … {n_samples - 1} "
                    f"({error}): give numbers of rows, or a mask of all rows."
                ) from error
            if not len(splits[k][0]) or not len(splits[k][1]):
                raise ValueError(
                    f"fold {k} of cv has {len(splits[k][0])} training and {len(splits[k][1])} "
                    "held-out rows: give folds that have both."
                )
        self._check_n_folds(len(splits))
        return splits

    def _check_n_folds(self, n_folds):
        least = 1 if self.selection == "best" else 2
        if n_folds < least:
            raise ValueError(
                f"{n_folds} folds: selection={self.selection!r} needs at least {least}."
            )

    def fit(self, X, y, sample_weight=None, **params) -> Self:
        """Choose alpha, and fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            As for the estimator of one alpha.
        y : array-like
            As for the estimator of one alpha.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, in training and in scoring. With metadata routing enabled,
            a `scoring` of one's own gets them only if it asks for them.
        **params : dict
            Metadata of the splitter and the scorer, such as ``groups``; needs
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For data or parameters outside what is stated here, and where a score is
            not a number.

        Warns
        -----
        ConvergenceWarning
            Where `max_iter` sweeps did not reach `tol`, in any fold.
        UserWarning
            Where `alphas` are so large that no model of all data keeps a feature.
        """
        self._check_selection()
        self._check_scoring()
        model, given = self._model(), (X, y)
        problem, X, y, s = checked(model, X, y, sample_weight)
        if sparse.issparse(X):
            X = X.tocsr()  # rows are taken out
        if sparse.issparse(given[1]):
            given = given[0], y  # no scorer takes it
        # A weight of 2 is the row given twice, held out or not.
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        for_splitter, for_scorer = self._route(weights, params)
        splits = self._splits(*given, len(s), for_splitter)
        _check_weights_of(splits, s, "sample_weight" in for_scorer)
        if self._scores_loss():
            # Without regard to the unit of the weights.
            given, for_scorer = (X, y), dict.fromkeys(for_scorer, s)
        scoring = Scoring(self._scorer(), *given, for_scorer)
        return self._fit_splits(problem, model, X, y, s, splits, scoring)

    def _fit_splits(self, problem, model, X, y, s, splits, scoring):
        """Fit to checked data."""
        whole = Whole(problem.objective(X, y, s))
        folds = [ScoredFold(self._rows(X, y, s, train), scoring, test) for train, test in splits]
        return self._choose(problem, model, whole, folds)

    def _scorer(self):
        if self._scores_loss():
            return self._loss_scorer()
        return check_scoring(self._single(), scoring=self.scoring)

    def _rows(self, X, y, s, train):
        """What to fit to in a fold."""
        return Rows(X, y, s, train)

    def _choose(self, problem, model, whole, folds, n_multiply_adds=0):
        """Follow all paths, choose alpha, and be the model there."""
        objective, target = whole.prepared
        alphas = alpha_grid(self.alphas, self.eps, problem, objective)
        first, *others = self._follow_all(problem, model, [whole, *folds], alphas)
        scores = np.column_stack(
            [fold.scores(followed) for fold, followed in zip(folds, others, strict=True)]
        )
        _check_scores(scores, alphas)
        best = choose(scores, first.path.n_selected, self.selection)
        cost = CostMeter(multiply_adds=n_multiply_adds)
        for followed in [first, *others]:
            cost.include(followed.cost)
        before = copy.copy(objective.cost)
        model.alpha, problem = alphas[best], problem.at(alphas[best])
        objective = objective.at(problem.strength(problem.alpha))
        solution = _polished(problem, objective, first.solutions[best])
        become(model, problem.attributes(objective, solution, target))
        chosen = path_of_solutions(problem, objective, target, alphas[[best]], [solution])
        path = with_model(first.path, best, chosen)
        cost.include(objective.cost.since(before))
        model.cost_ = cost
        self._store(model, alpha_=alphas[best], alphas_=alphas, cv_scores_=scores, path_=path)
        self.n_selected_, self.score_name_ = path.n_selected, self._score_name()
        self._report(best)
        warn_if_alphas_are_too_large(type(self).__name__, problem, objective, path)
        return self

    def _follow_all(self, problem, model, folds, alphas):
        """`Followed` of every fold, in order, with one word on what fell short."""
        names = ["all rows", *(f"fold {k}" for k in range(len(folds) - 1))]
        jobs = (
            partial(follow, problem, model, name, fold, alphas)
            for name, fold in zip(names, folds, strict=True)
        )
        # Where joblib works by threads: see `one_blas_thread`.
        with one_blas_thread():
            name, unit = type(self).__name__, "path"
            done = list(results(jobs, len(folds), self.n_jobs, self.verbose, name, unit))
        warn_unless_converged(self, [s for followed in done for s in followed.solutions])
        return done

    def _store(self, model, **chosen):
        """Take over the fitted attributes of `model`, and no others from before."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
        self.__dict__.update(fitted, **chosen)

    def _report(self, best):
        if self.verbose:
            print(
                f"{type(self).__name__}: alpha {self.alpha_:g}, {self.n_selected_[best]} of "
                f"{self.n_features_in_} features, mean score {self.cv_scores_[best].mean():.6g}."
            )


def _polished(problem, objective, solution):
    """The solution taken further, if it can be: one model is left, and it takes a step or two."""
    tol = _POLISH * problem.tol
    # Whether or not the path was solved in this process, these are the same bits.
    objective.smooth.forget()
    # Of a trial step that does not fit.
    unseen = np.errstate(over="ignore", invalid="ignore", divide="ignore")
    with one_blas_thread(), unseen:
        better = problem.solver.solve(objective, solution.W, tol=tol, max_iter=problem.max_iter)
    return min(solution, better, key=lambda s: s.residual)


def _check_weights_of(splits, s, scoring):
    for k, (train, test) in enumerate(splits):
        for name, rows in [("training", train)] + [("held-out", test)] * scoring:
            if not s[rows].any():
                raise ValueError(
                    f"sample_weight is zero on all {name} rows of fold {k}: give other folds, or "
                    "weights > 0."
                )


def _check_scores(scores, alphas):
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        i, k = bad[0]
        raise ValueError(
            f"{len(bad)} of {scores.size} scores are not finite, first {scores[i, k]} at alpha "
            f"{alphas[i]:g} in fold {k}: give a scoring that is defined on the held-out rows of "
            "every fold, or fewer folds."
        )


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
