"""Estimators that need no choice: candidates of several kinds, compared in the same folds."""

from copy import copy
from dataclasses import replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.estimators.candidates import Candidates
from shrinklin.estimators.classifiers import GroupLassoClassifier
from shrinklin.estimators.cross_validation import SparseLinearModelCV
from shrinklin.estimators.cv import ClassifierCV, RegressorCV
from shrinklin.estimators.parameters import (
    CLASSIFICATION,
    CROSS_VALIDATION,
    ENTRIES,
    GROUP_LASSO,
    REGRESSION,
    by_name,
    documented,
)
from shrinklin.estimators.regressors import GroupLassoRegressor
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.problem.formulations import PlainFormulation
from shrinklin.problem.greedy import GreedyProblem
from shrinklin.selection.alphas import alpha_grid
from shrinklin.selection.choice import choose, standard_errors
from shrinklin.selection.folds import Whole
from shrinklin.validation.parameters import check_whole

_ENTRIES = ENTRIES | by_name(
    """
selection : {"best", "1se", "sparsest"}
    "best" takes the model with the best mean score. "1se" takes the model with the fewest features
    among those that are not clearly worse: their mean score is below the best by at most one
    standard error, that of the best score and that of the difference. Each is the standard
    deviation over the folds, divided by the square root of the number of folds. "sparsest" takes
    the fewest features within one standard deviation of the best score. Among models with equally
    few features, the one with the best mean score is taken.
front_ : dict of str to ndarray
    The best models, from few to many features: the row of `cv_results_` ("candidate"), what that
    row has, and the "standard_error" of "mean_score" (NaN with one fold). Each has a better mean
    score than all models with fewer features.
cv_results_ : dict of str to ndarray
    All models: "kind" ("group lasso", "ShrinkNet" or "greedy"), "alpha" (the largest number of
    groups of greedy ones), "ridge", "refit_ridge" (NaN if there was no refit), "n_features",
    "mean_score" and "std_score" (ddof=0) over the folds. ``pandas.DataFrame(cv_results_)`` makes a
    table of it.
best_index_ : int
    The row of the chosen model in `cv_results_`.
"""
)
_PENALTIES = {"group lasso": GroupLasso(), "ShrinkNet": Bridge2()}
# The greedy path ends at this many groups.
_MOST_GREEDY = 60
# The ratio of two ridges that are tried.
_STEP = 10


class AutoSparse(SparseLinearModelCV):
    """A linear model of any kind, chosen by cross-validation among models of few features."""

    # The kinds of models that are compared, and the ridges with which each is solved. The searches
    # of single kinds have the others as parameters.
    kinds: ClassVar[dict]
    alphas, eps = 50, 1e-3
    _remedy = "GroupLasso…CV or ShrinkNet…CV with a smaller eps may find a better model."

    def _choose(self, problem, model, whole, folds, n_multiply_adds=0):
        """Solve all paths, choose a model, and become it."""
        names = getattr(model, "feature_names_in_", None)
        cost = copy(whole.prepared[0].cost)
        cost.count_product(n_multiply_adds)
        candidates = self._candidates_of(partial(self._search, problem, whole, folds, names))
        table, scores = self._judged(candidates, cost)
        n_features = table["n_features"]
        best = choose(scores, n_features, self.selection, self.max_features, paired=True)
        self._warn_of_choice(candidates, table, scores, best)
        front = _front(table["mean_score"], n_features)
        models = _Models(candidates, whole.prepared[1])
        self._store(model, **models.attributes(best), cost_=cost, cv_results_=table)
        self.front_ = {"candidate": front, **{name: col[front] for name, col in table.items()}}
        several = len(folds) > 1
        self.front_["standard_error"] = (
            standard_errors(scores[front]) if several else np.full(len(front), np.nan)
        )
        self._models, self.score_name_, self.best_index_ = models, self._score_name(), best
        self._report(f": {table['kind'][best]}, ", f"mean score {table['mean_score'][best]:.6g}")
        return self

    def _candidates_of(self, search):
        """All `Candidates`. `search(others, kind, ridge)` makes more, given those so far."""
        found: list[Candidates] = []
        for kind, ridges in self.kinds.items():
            for ridge in ridges:
                found.append(search(found, kind, ridge))
        return found

    def _search(self, problem, whole, folds, names, others, kind, ridge):
        objective, target = whole.prepared
        if kind == "greedy":
            problem = GreedyProblem(**vars(problem))
        else:
            problem = replace(problem, formulation=PlainFormulation(_PENALTIES[kind]))
            objective = replace(objective, penalty=_PENALTIES[kind])
        settings, grid = self._grid(problem, ridge, Whole((objective, target)), folds, names)
        if kind == "greedy":
            grid.add(np.arange(self._most_greedy(objective.groups) + 1.0))
            return Candidates(settings, grid, kind=kind)
        first = grid.problems[0]
        alphas = alpha_grid(self.alphas, self.eps, first, first.ridged(objective))
        open_end = self._solve(grid, alphas, others, may_end=True)
        return Candidates(settings, grid, open_end, kind)

    def _most_greedy(self, groups):
        most = min(_MOST_GREEDY, np.count_nonzero(groups.weights))
        return most if self.max_features is None else min(most, self.max_features)

    def with_features(self, n_features) -> Self:
        """The best model that keeps at most `n_features` features: a fitted copy.

        Parameters
        ----------
        n_features : int

        Returns
        -------
        AutoSparseRegressor or AutoSparseClassifier
            With the scores of this one, and other coefficients.
        """
        check_is_fitted(self)
        check_whole("n_features", n_features, 0)
        few = np.flatnonzero(self.front_["n_features"] <= n_features)
        if not len(few):
            least = self.front_["n_features"].min()
            raise ValueError(
                f"n_features={n_features}: the smallest model has {least} features. Give at least "
                "as many."
            )
        return self.candidate(self.front_["candidate"][few[-1]])

    def candidate(self, i) -> Self:
        """The model of a row of `cv_results_`: a fitted copy.

        Parameters
        ----------
        i : int

        Returns
        -------
        AutoSparseRegressor or AutoSparseClassifier
            With the scores of this one, and other coefficients.
        """
        check_is_fitted(self)
        check_whole("i", i, 0)
        n_models = len(self.cv_results_["kind"])
        if i >= n_models:
            raise ValueError(
                f"i={i}: cv_results_ has {n_models} rows. Give one of 0 to {n_models - 1}."
            )
        other = copy(self)
        # Tables, and the configuration of `set_output`, are not shared.
        other.__dict__.update({n: copy(v) for n, v in vars(self).items() if isinstance(v, dict)})
        other.__dict__.update(self._models.attributes(i), best_index_=int(i))
        return other


class _Models:
    """The models of some `Candidates`, of all data, stored without zeros."""

    def __init__(self, candidates, target):
        self._target = target
        self._models = [model for each in candidates for model in each.models()]

    def attributes(self, i):
        """Fitted attributes of a model."""
        problem, solution = self._models[i]
        return problem.model_attributes(solution, self._target)


def _front(means, n_features):
    """Models with better mean scores than all that have as few features, from few to many."""
    # Of equal scores and numbers of features the first.
    order = np.lexsort((np.arange(len(means)), -means, n_features))
    best = np.maximum.accumulate(np.concatenate([[-np.inf], means[order][:-1]]))
    return order[means[order] > best]


@documented(REGRESSION, GROUP_LASSO, CROSS_VALIDATION, entries=_ENTRIES)
class AutoSparseRegressor(AutoSparse, RegressorCV):
    """The most accurate linear model of few features, without anything to choose.

    Cross-validation compares models of three kinds in the same folds: group lasso, ShrinkNet
    (p = 2), without and with a ridge, and supports that grow by one group at a time, up to 60. All
    are there with refits, too. `front_` has the best models of few and of many features.

    Standardise the features first: the penalties act on coefficients, which have units.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $coef_, $intercept_, $n_iter_, $front_, $cv_results_, $best_index_, $score_name_, $cost_
    $n_features_in_, $feature_names_in_, $target_names_in_

    See Also
    --------
    GroupLassoRegressorCV, ShrinkNetRegressorCV : Search among models of one kind.
    FrontDisplay : Draws the front.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import AutoSparseRegressor
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = AutoSparseRegressor().fit(X, y)
    >>> bool(model.with_features(1).get_support().sum() <= 1)
    True
    """

    _single = GroupLassoRegressor
    kinds: ClassVar = {"group lasso": (0.0, 0.01), "ShrinkNet": (0.0, 0.01), "greedy": (0.0,)}
    relax = True

    def __init__(
        self,
        *,
        selection="1se",
        max_features=None,
        cv=None,
        scoring=None,
        groups=None,
        feature_weights=None,
        fit_intercept=True,
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.selection = selection
        self.max_features = max_features
        self.cv = cv
        self.scoring = scoring
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose


@documented(CLASSIFICATION, GROUP_LASSO, CROSS_VALIDATION, entries=_ENTRIES)
class AutoSparseClassifier(AutoSparse, ClassifierCV):
    """The most accurate linear classifier of few features, without anything to choose.

    Cross-validation compares models of three kinds in the same folds: group lasso; ShrinkNet
    (p = 2), without and with a ridge; and supports that grow by one group at a time, up to 60, with
    a ridge. `front_` has the best models of few and of many features.

    Standardise the features first: the penalties act on coefficients, which have units.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $classes_, $coef_, $intercept_, $n_iter_, $front_, $cv_results_, $best_index_, $score_name_
    $cost_, $n_features_in_, $feature_names_in_

    See Also
    --------
    GroupLassoClassifierCV, ShrinkNetClassifierCV : Search among models of one kind.
    FrontDisplay : Draws the front.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinklin import AutoSparseClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = AutoSparseClassifier(max_features=2, cv=2).fit(X, y)
    >>> bool(model.get_support().sum() <= 2)
    True
    """

    _single = GroupLassoClassifier
    kinds: ClassVar = {"group lasso": (0.0,), "ShrinkNet": (0.0, 0.003)}

    def __init__(
        self,
        *,
        selection="1se",
        max_features=None,
        cv=None,
        scoring=None,
        groups=None,
        feature_weights=None,
        fit_intercept=True,
        class_weight=None,
        max_iter=10_000,
        tol=1e-6,
        n_jobs=None,
        verbose=0,
    ) -> None:
        self.selection = selection
        self.max_features = max_features
        self.cv = cv
        self.scoring = scoring
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _candidates_of(self, search):
        """With one more ridge for ShrinkNet, and greedy supports with the better of its ridges.

        Greedy supports need a ridge: where few features separate the classes, there is no minimum
        without.
        """
        found = super()._candidates_of(search)
        shrinknets = [each for each in found if each.kind == "ShrinkNet"]
        if len(shrinknets) < 2:
            return found
        without, ridged = shrinknets
        helps = self._best_score(ridged.grid) > self._best_score(without.grid)
        further = search(found, "ShrinkNet", ridged.ridge * (_STEP if helps else 1 / _STEP))
        best = max(ridged, further, key=lambda each: self._best_score(each.grid))
        return [*found, further, search(found, "greedy", best.ridge)]
