"""Choosing alpha by cross-validation along paths.

The order of a fit:

1. The data are checked once, and the folds are drawn once.
2. Paths with the same alphas are solved for all data and for the training rows of every fold,
   several at a time (`folds.follow`). The models of a fold are scored on its held-out rows.
3. `choose` picks an alpha from the scores.
4. The estimator becomes the model for this alpha on the path of all data.

If the Gram matrix is formed anyway and models are scored by squared error, only the moments of
the folds are needed, and X is read once for the whole search.
"""

import copy
from functools import partial
from typing import Self

import numpy as np
from scipy import sparse

from shrinklin.blas import one_blas_thread
from shrinklin.estimators.base import (
    LinearModel,
    become,
    checked,
    warn_unless_converged,
    without_alpha,
)
from shrinklin.estimators.fold_search import FoldSearch, check_scores, check_weights_of
from shrinklin.messages import results
from shrinklin.pruning.cost import CostMeter
from shrinklin.selection.alphas import alpha_grid, warn_if_alphas_are_too_large
from shrinklin.selection.choice import choose
from shrinklin.selection.folds import Rows, ScoredFold, Scoring, Whole, follow
from shrinklin.selection.path import path_of_solutions, with_model

# The chosen model is solved again, with this times tol.
_POLISH = 1e-6


class SparseLinearModelCV(FoldSearch, LinearModel):
    """A linear model whose alpha is chosen by cross-validation."""

    def _model(self):
        """The estimator for one alpha, with the parameters of this one, to solve for many."""
        return without_alpha(self._one_model())

    def fit(self, X, y, sample_weight=None, **params) -> Self:
        """Choose alpha, and fit the model to all data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or class labels, as the estimator for one alpha takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, used in training and in scoring. With metadata routing enabled, a
            `scoring` other than the default gets them only if it requests them.
        **params : dict
            Metadata for the splitter and the scorer, such as ``groups``. They need
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        self
            The model of all data at the chosen alpha.

        Raises
        ------
        ValueError
            If data or parameters are not as described here, or if a score is not a number.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` sweeps did not reach `tol`, in any fold.
        UserWarning
            If `alphas` are so large that no model of all data keeps a feature.
        """
        self._check_selection()
        self._check_scoring()
        model, given = self._model(), (X, y)
        problem, X, y, s = checked(model, X, y, sample_weight)
        if sparse.issparse(X):
            X = X.tocsr()  # rows are selected
        if sparse.issparse(given[1]):
            given = given[0], y  # scorers take no sparse y
        # A row of weight 2 counts like two equal rows, in training and when held out.
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        for_splitter, for_scorer = self._route(weights, params)
        splits = self._splits(*given, len(s), for_splitter)
        check_weights_of(splits, s, "sample_weight" in for_scorer)
        if self._scores_loss():
            # Scores do not depend on the unit of the weights.
            given, for_scorer = (X, y), dict.fromkeys(for_scorer, s)
        scoring = Scoring(self._scorer(), partial(_model_at, model), *given, for_scorer)
        return self._fit_splits(problem, model, X, y, s, splits, scoring)

    def _fit_splits(self, problem, model, X, y, s, splits, scoring):
        """Fit to data that have been checked."""
        whole = Whole(problem.objective(X, y, s))
        folds = [ScoredFold(self._rows(X, y, s, train), scoring, test) for train, test in splits]
        return self._choose(problem, model, whole, folds)

    def _rows(self, X, y, s, train):
        """The training data of a fold."""
        return Rows(X, y, s, train)

    def _choose(self, problem, model, whole, folds, n_multiply_adds=0):
        """Solve all paths, choose alpha, and become the model for it."""
        objective, target = whole.prepared
        alphas = alpha_grid(self.alphas, self.eps, problem, objective)
        first, *others = self._follow_all(problem, model, [whole, *folds], alphas)
        scores = np.column_stack(
            [fold.scores(followed) for fold, followed in zip(folds, others, strict=True)]
        )
        check_scores(scores, [f"alpha {alpha:g}" for alpha in alphas])
        best = choose(scores, first.path.n_selected, self.selection)
        cost = CostMeter(multiply_adds=n_multiply_adds)
        for followed in [first, *others]:
            cost.include(followed.cost)
        before = copy.copy(objective.cost)
        model.alpha, problem = alphas[best], problem.at(alphas[best])
        objective = objective.at(problem.strength(problem.alpha)).with_memory()
        solution = problem.polished(objective, first.solutions[best], _POLISH)
        become(model, problem.attributes(objective, solution, target))
        chosen = path_of_solutions(problem, objective, target, alphas[[best]], [solution])
        path = with_model(first.path, best, chosen)
        cost.include(objective.cost.since(before))
        model.cost_ = cost
        self._store(model, alpha_=alphas[best], alphas_=alphas, cv_scores_=scores, path_=path)
        self.n_selected_, self.score_name_ = path.n_selected, self._score_name()
        self._report(f": alpha {self.alpha_:g}, ", f"mean score {scores[best].mean():.6g}")
        warn_if_alphas_are_too_large(type(self).__name__, problem, objective, path)
        return self

    def _follow_all(self, problem, model, folds, alphas):
        """`Followed` of every fold, in order, with one warning if any did not converge."""
        names = ["all rows", *(f"fold {k}" for k in range(len(folds) - 1))]
        names_of_columns = getattr(model, "feature_names_in_", None)
        jobs = (
            partial(follow, problem, name, fold, alphas, names_of_columns)
            for name, fold in zip(names, folds, strict=True)
        )
        # For joblib's thread-based backends: see `one_blas_thread`.
        with one_blas_thread():
            name, unit = type(self).__name__, "path"
            done = list(results(jobs, len(folds), self.n_jobs, self.verbose, name, unit))
        warn_unless_converged(self, [s for followed in done for s in followed.solutions])
        return done

    def _store(self, model, **chosen):
        """Take over the fitted attributes of `model`, and drop those of an earlier fit."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
        self.__dict__.update(fitted, **chosen)


def _model_at(model, alpha, attributes, feature_names):
    """A fitted copy of `model`, for scorers."""
    model = copy.copy(model)
    model.alpha = alpha
    if feature_names is None:
        vars(model).pop("feature_names_in_", None)
    become(model, attributes)
    return model
