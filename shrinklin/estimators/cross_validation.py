"""Choosing alpha, and a ridge, by cross-validation along paths.

The order of a fit:

1. The data are checked once, and the folds are drawn once.
2. For every ridge, paths with the same alphas are solved, for all data and for the training rows of
   every fold, several at a time (`Grid`). The models of a fold are scored on its held-out rows.
3. If the best alpha is the smallest, the paths of this ridge are continued. With a ridge > 0, they
   may end early (`_ends`).
4. `choose` picks a ridge and an alpha from the scores.
5. The estimator becomes the model for these on the path of all data.

If the Gram matrix is formed anyway and models are scored by squared error, only the moments of
the folds are needed, and X is read once for the whole search.
"""

import copy
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse

from shrinklin.blas import one_blas_thread
from shrinklin.estimators.base import (
    LinearModel,
    become,
    checked,
    path_of,
    refuse_moments,
    warn_unless_converged,
    without_alpha,
)
from shrinklin.estimators.candidates import Candidates, Setting, joined, located
from shrinklin.estimators.fold_search import FoldSearch, check_scores, check_weights_of
from shrinklin.messages import results, warn
from shrinklin.selection.alphas import alpha_grid, non_negative, warn_if_alphas_are_too_large
from shrinklin.selection.choice import choose
from shrinklin.selection.folds import Rows, ScoredFold, Scoring, Whole
from shrinklin.selection.grid import Grid
from shrinklin.validation.parameters import check_whole

_ACCEPTED = {
    "ridges": "a finite number >= 0, or a list of them",
    "relax": "True, False or a list of ridges, finite numbers >= 0",
}
# The chosen model is solved again, with this times tol.
_POLISH = 1e-6
# How many times a path may be continued, each time by a third of its alphas.
_MOST_ROUNDS = 3
# A path of at least _LONG alphas may end after the larger half of them. Its best models are early
# if they are in this share of that half. More than _MANY features, and than samples, are many.
_LONG, _EARLY, _MANY = 20, 2 / 3, 100


class SparseLinearModelCV(FoldSearch, LinearModel):
    """A linear model whose alpha and ridge are chosen by cross-validation."""

    alphas: Any
    # Models that were pickled by shrinklin 0.1.0 do not have these.
    ridges: Any = 0.0
    relax: Any = False
    max_features: Any = None
    _remedy = "give a smaller eps, or alphas that are small enough."
    # The ridges of refits with relax=True.
    _default_refits: tuple

    def _check_selection(self):
        super()._check_selection()
        _checked_ridges("ridges", self.ridges)
        self._checked_refits()
        if self.max_features is not None:
            check_whole("max_features", self.max_features, 0)

    def _model(self):
        """The estimator for one alpha, with the parameters of this one, to solve for many."""
        return without_alpha(self._one_model())

    def fit(self, X, y, sample_weight=None, **params) -> Self:
        """Choose the model by cross-validation, and fit it to all data.

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
            The chosen model of all data.

        Raises
        ------
        ValueError
            If data or parameters are not as described here, or if a score is not a number.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` sweeps did not reach `tol`, in any fold.
        UserWarning
            If alphas are too large for any feature, if all models keep more than `max_features`, or
            if smaller alphas than those that were tried may be better.
        """
        self._check_selection()
        self._check_scoring()
        refuse_moments(self, X, per_fold=True)
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
        """Solve all paths, choose a model, and become it."""
        names = getattr(model, "feature_names_in_", None)
        cost = copy.copy(whole.prepared[0].cost)
        cost.count_product(n_multiply_adds)
        ridges = _checked_ridges("ridges", self.ridges)
        first = problem.with_ridge(ridges[0])
        alphas = alpha_grid(self.alphas, self.eps, first, first.ridged(whole.prepared[0]))
        candidates: list[Candidates] = []
        for ridge in ridges:
            settings, grid = self._grid(problem, ridge, whole, folds, names)
            open_end = self._solve(grid, alphas, candidates, may_end=ridge > 0)
            candidates.append(Candidates(settings, grid, open_end))
        table, scores = self._judged(candidates, cost)
        row = choose(scores, table["n_features"], self.selection, self.max_features)
        self._warn_of_choice(candidates, table, scores, row)
        chosen, k, i = located(candidates, row)
        grid, setting = chosen.grid, chosen.settings[k]
        model.alpha, model.ridge = grid.alphas[i], setting.ridge
        problem = grid.problems[k].at(grid.alphas[i])
        path, objective = self._become(model, problem, whole, grid, k, i, cost)
        self.ridge_, self.refit_ridge_, self.cv_results_ = setting.ridge, setting.refit, table
        mean = table["mean_score"][row]
        self._report(f": alpha {self.alpha_:g}{setting}, ", f"mean score {mean:.6g}")
        if not table["n_features"].any():
            warn_if_alphas_are_too_large(type(self).__name__, problem, objective, path)
        return self

    def _grid(self, problem, ridge, whole, folds, names):
        """The `Setting`s of one ridge, and the `Grid` of their problems, without models."""
        settings = [Setting(ridge, refit) for refit in (None, *self._checked_refits())]
        problems = [setting.problem_of(problem) for setting in settings]
        return settings, Grid(problems, whole, folds, names, self._run)

    def _judged(self, candidates, cost):
        """The table and the scores of all models, after checks. `cost` then includes theirs."""
        for each in candidates:
            cost.include(each.grid.cost)
        warn_unless_converged(self, [s for each in candidates for s in each.grid.all_solutions])
        table, scores = joined(candidates)
        check_scores(scores, [name for each in candidates for name in each.names()])
        return table, scores

    def _become(self, model, problem, whole, grid, k, i, cost):
        """Become model i of problem k; returns the path and the objective."""
        objective, target = whole.prepared
        solutions = grid.solutions[k]
        before = copy.copy(objective.cost)
        objective = problem.ridged(objective).at(problem.strength(problem.alpha)).with_memory()
        if problem.is_penalised:
            solutions[i] = problem.polished(objective, solutions[i], _POLISH).packed()
        become(model, problem.attributes(objective, solutions[i], target))
        path = path_of(model, problem, objective, target, grid.alphas, solutions)
        cost.include(objective.cost.since(before))
        model.cost_ = cost
        self._store(
            model, alpha_=problem.alpha, alphas_=grid.alphas, cv_scores_=grid.scores[k], path_=path
        )
        self.n_selected_, self.score_name_ = path.n_selected, self._score_name()
        return path, objective

    def _checked_refits(self):
        """Ridges of the refits, from small to large."""
        if isinstance(self.relax, bool | np.bool_):
            return self._default_refits if self.relax else ()
        if np.ndim(self.relax) != 1:
            raise ValueError(f"relax={self.relax!r}: give {_ACCEPTED['relax']}.")
        return _checked_ridges("relax", self.relax)

    def _warn_of_choice(self, candidates, table, scores, row):
        """Warn if the chosen model has many features, or if smaller alphas may be better."""
        name, n_features = type(self).__name__, table["n_features"][row]
        if self.max_features is not None and n_features > self.max_features:
            warn(
                f"max_features={self.max_features}, but every model of {name} keeps more features; "
                f"the chosen one keeps {n_features}. Give larger alphas if you gave alphas, and no "
                "more features without penalty, or in one group, than max_features."
            )
        best = choose(scores, table["n_features"], "best", self.max_features)
        of_best, _, _ = located(candidates, best)
        if of_best.open_end:
            warn(
                f"the mean score of {name} is best at the smallest of its alphas, "
                f"{of_best.grid.alphas[-1]:.3g}, although the path was continued: {self._remedy}",
                UserWarning,
            )

    def _solve(self, grid, alphas, others, may_end):
        """Solve for the alphas, and for smaller ones if they may be better.

        If it `may_end`, the path may end after the larger half of the alphas, as `_ends` says.
        `others` are the `Candidates` so far.

        Returns whether even smaller alphas may be better.
        """
        if not isinstance(self.alphas, Integral) or len(alphas) < 2:
            grid.add(alphas)
            return False
        n_more, may_end = -(-len(alphas) // 3), may_end and len(alphas) >= _LONG
        for part in np.array_split(alphas, 2) if may_end else [alphas]:
            grid.add(part)
            if may_end and self._ends(grid, others):
                return False
        return self._continue(grid, n_more, others if may_end else [])

    def _ends(self, grid, others):
        """Whether smaller alphas are of no use.

        That is where the best models have large alphas, where all keep more than `max_features`, or
        where they keep many features and others are better.
        """
        last, means = grid.n_selected[:, -1].min(), grid.scores.mean(axis=2)
        latest = means.shape[1] - 1 - means[:, ::-1].argmax(axis=1)  # the last of equal ones
        early = (latest < _EARLY * means.shape[1]).all()
        too_many = self.max_features is not None and last > self.max_features
        many = last > max(grid.n_samples, _MANY)
        return early or too_many or (many and self._are_better(others, grid))

    def _are_better(self, others, grid):
        return any(self._best_score(each.grid) > self._best_score(grid) for each in others)

    def _continue(self, grid, n_more, others):
        """Add smaller alphas as long as the best is the smallest and the models grow.

        Returns whether the best is the smallest even so.
        """
        ratio = grid.alphas[-1] / grid.alphas[-2]
        for _ in range(_MOST_ROUNDS):
            k, i = self._best(grid)
            if i < len(grid.alphas) - 1 or self._ends(grid, others):
                return False
            grid.add(grid.alphas[-1] * ratio ** np.arange(1, n_more + 1))
            n_selected = grid.n_selected[k]
            if n_selected[-1] <= n_selected[i]:
                return False
        return self._best(grid)[1] == len(grid.alphas) - 1

    def _best_score(self, grid):
        return grid.scores[self._best(grid)].mean()

    def _best(self, grid):
        """Positions of the problem and the alpha with the best score."""
        scores, n_selected = grid.scores, grid.n_selected
        best = choose(
            scores.reshape(-1, scores.shape[2]), n_selected.ravel(), "best", self.max_features
        )
        return np.unravel_index(best, n_selected.shape)

    def _run(self, jobs):
        # For joblib's thread-based backends: see `one_blas_thread`.
        with one_blas_thread():
            name = type(self).__name__
            return list(results(jobs, len(jobs), self.n_jobs, self.verbose, name, "path"))

    def _store(self, model, **chosen):
        """Take over the fitted attributes of `model`, and drop those of an earlier fit."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
        self.__dict__.update(fitted, **chosen)


def _checked_ridges(name, ridges):
    """Different ridges, from small to large: a list."""
    wanted = f"{name}={ridges!r}: give {_ACCEPTED[name]}."
    ridges = [ridges] if np.ndim(ridges) == 0 else ridges
    return np.unique(non_negative(ridges, wanted)).tolist()


def _model_at(model, problem, attributes, feature_names):
    """A fitted copy of `model`, for scorers."""
    model = copy.copy(model)
    model.alpha = problem.alpha
    if not problem.relaxed:
        model.ridge = problem.ridge
    if feature_names is None:
        vars(model).pop("feature_names_in_", None)
    become(model, attributes)
    return model
