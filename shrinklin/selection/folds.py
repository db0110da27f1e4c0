r"""Folds of cross-validation: the training data, and the scores of the models.

`follow` solves for the same alphas on all data (`Whole`) and on the training rows of every fold
(`Rows` or `Sums`). There are two ways to score the models of a fold:

- `ScoredFold`: a scorer judges each model in the process that solved for it.
- `MomentFold`: for squared loss, the moments of the held-out rows give the held-out errors of a
  whole path. The moments of the training rows are those of all rows minus these.
"""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import config_context

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.messages import naming, warn
from shrinklin.selection.path import RegularizationPath, path_of_solutions
from shrinklin.solvers.solution import PackedSolution

# If a subtraction leaves less than this share of the moments, they are computed anew instead.
_LEFT = 1e-4
# Errors from moments with relative rounding errors above this are measured on the rows instead.
_ROUNDED = 1e-9
# If there are no rows, rounding errors above this cause a warning.
_MUCH_ROUNDED = 1e-3


@dataclass(frozen=True)
class Rows:
    """Checked data, or some of their rows."""

    X: np.ndarray
    y: np.ndarray
    s: np.ndarray
    rows: np.ndarray | None = None

    def data(self):
        """X, y and the sample weights of the rows."""
        if self.rows is None:
            return self.X, self.y, self.s
        return self.X[self.rows], self.y[self.rows], self.s[self.rows]

    def objective(self, problem):
        """The `Objective` and the `Target` of these rows."""
        return problem.objective(*self.data())


@dataclass(frozen=True)
class Sums:
    """Training data given by their moments. `dtype` is that of X."""

    moments: Moments
    dtype: np.dtype

    def objective(self, problem):
        return problem.objective_of_moments(self.moments, self.dtype)


@dataclass(frozen=True)
class Whole:
    """All data. Their objective exists already, because the alphas depend on it."""

    prepared: tuple

    @property
    def train(self):
        return self

    def objective(self, problem):
        return self.prepared


@dataclass(frozen=True)
class Scoring:
    """A scorer with its data, as the user gave them, and its metadata `params`.

    `model_of(problem, attributes, names)` makes the estimator for the scorer; for networks,
    `model_of(attributes)`. `names` are the column names of X, or None.
    """

    scorer: Callable
    model_of: Callable
    X: Any
    y: Any
    params: dict

    @property
    def sees_names(self):
        """Whether the columns of X may have names."""
        return not (isinstance(self.X, np.ndarray) or sparse.issparse(self.X))

    def on(self, rows):
        """A function that scores a model on these rows."""
        n_samples = _n_rows(self.X)
        X, y = take(self.X, rows), take(self.y, rows)
        params = {name: _part(values, rows, n_samples) for name, values in self.params.items()}
        scorer = self.scorer  # the function that goes to another process needs only some rows
        return lambda model: score(scorer, model, X, y, params)


def score(scorer, model, X, y, params):
    """The score of a model, which must be one number."""
    found = _score_with_labels(scorer, model, X, y, params)
    shape: tuple = np.shape(found)
    if shape:
        raise ValueError(f"scoring gave an array of shape {shape}: give one that returns a number.")
    return float(found)


def _score_with_labels(scorer, model, X, y, params):
    """The score. If the scorer fails without the class labels, it gets them."""
    try:
        return _scored(scorer, model, X, y, params)
    except ValueError:
        for labels in _labels(model, y):
            # With metadata routing, a scorer passes on to its metric what that accepts.
            with suppress(TypeError, ValueError), config_context(enable_metadata_routing=True):
                return _scored(scorer, model, X, y, {**labels, **params})
        raise


def _labels(model, y):
    """Yield arguments for the scorer of a classifier: the classes, and which one is positive."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return
    if len(classes) == 2:
        yield {"labels": classes, "pos_label": classes[1]}
        # Before scikit-learn 1.7, scores of probabilities take no labels.
        yield {"pos_label": classes[1]}
    if len(classes) == 2 or len(np.unique(y)) < len(classes):
        yield {"labels": classes}


def _scored(scorer, model, X, y, params):
    try:
        return scorer(model, X, y, **params)
    except TypeError as error:
        if "sample_weight" not in params or not _scores_unweighted(scorer, model, X, y, params):
            raise
        raise TypeError(
            f"sample_weight was given, but the scoring does not accept it ({error}): leave it out, "
            "give a scoring that accepts it, or enable metadata routing, which passes it only to "
            "scorers that request it."
        ) from error


def _scores_unweighted(scorer, model, X, y, params):
    """Whether a scorer works without sample_weight. No public attribute says if it accepts one."""
    others = {name: value for name, value in params.items() if name != "sample_weight"}
    try:
        scorer(model, X, y, **others)
    except Exception:
        return False
    return True


def _n_rows(values):
    # A sparse matrix has no length.
    return values.shape[0] if sparse.issparse(values) else len(_sized(values))


def _sized(values):
    """The values, as an array if they are of a kind that only numpy can read."""
    return values if hasattr(values, "__len__") else np.asarray(values)


def _part(values, rows, n_samples):
    """The values of some rows, if there is one value per row, else all values."""
    lists = isinstance(values, list | tuple) or (hasattr(values, "shape") and np.ndim(values) > 0)
    return take(values, rows) if lists and _n_rows(values) == n_samples else values


def take(values, rows):
    """Some rows of an array, matrix, frame, series or list, in the same type."""
    if sparse.issparse(values):
        return values.tocsr()[rows]
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "to_batches"):  # a table of pyarrow
        return values.take(rows)
    # Arrays, and the frames of polars.
    return [values[i] for i in rows] if isinstance(values, list | tuple) else _sized(values)[rows]


@dataclass(frozen=True)
class ScoredFold:
    """A fold whose models a scorer judges, in the process that solved for them."""

    train: Rows | Sums
    scoring: Scoring
    test: np.ndarray

    def scores(self, followed):
        return followed.scores


@dataclass(frozen=True)
class MomentFold:
    """A fold with the moments of its training rows and of its held-out rows."""

    train: Sums
    test: Moments
    rows: Rows | None = None

    def scores(self, followed):
        """Minus the mean squared error of every model on the held-out rows."""
        errors = followed.path.mean_squared_errors(self.test)
        rounding = _rounding(followed.path, self.test, self.train.dtype)
        if self.rows is None:
            _warn_if_rounded(rounding > _MUCH_ROUNDED * errors)
            return -errors
        rounded = np.flatnonzero(rounding > _ROUNDED * errors)
        if len(rounded):
            errors[rounded] = _errors_on_rows(self.rows, followed.path, rounded)
        return -errors


def _rounding(path, moments, dtype):
    """Bounds on the rounding errors of the models' mean squared errors, computed from moments.

    They are sums of terms that cancel. If features nearly cancel, or if the fit is nearly perfect,
    few digits are left. `dtype` is that of X, in which products may have been computed.
    """
    eps = 8 * np.finfo(dtype).eps
    coefs, x_mean = path.kept_coefs, moments.x_mean[path.kept]
    sizes = np.sqrt(np.diagonal(moments.xx)[path.kept] / moments.weight)
    spread = (np.abs(coefs) @ sizes) ** 2 + np.diagonal(moments.yy) / moments.weight
    off = moments.y_mean - path.intercepts - coefs @ x_mean
    off_by = eps * (
        np.abs(moments.y_mean) + np.abs(path.intercepts) + np.abs(coefs) @ np.abs(x_mean)
    )
    return (eps * spread + off_by * (2 * np.abs(off) + off_by)).mean(axis=1)


def _errors_on_rows(rows, path, models):
    X, y, s = rows.data()
    kept = X[:, path.kept].astype(float)
    errors = np.empty(len(models))
    for place, i in enumerate(models):
        coef = path.kept_coefs[i].astype(float)
        residual = y.reshape(len(y), -1) - kept @ coef.T - path.intercepts[i]
        errors[place] = np.average((residual**2).mean(axis=1), weights=s)
    return errors


def _warn_if_rounded(much):
    if much.any():
        warn(
            f"held-out errors from moments are inaccurate for {much.sum()} of {len(much)} models "
            f"(relative error above {_MUCH_ROUNDED:g}), as features nearly cancel or the fit is "
            "nearly perfect: leave out one of the features that cancel, give larger "
            "alphas, or use fit.",
            UserWarning,
        )


@dataclass(frozen=True)
class Followed:
    """The outcome of one path: a `MomentFold` has the path, and a `ScoredFold` has the scores.

    The solutions of a fold are stored without coefficients, to save memory. `end` is W of the last
    one, packed.
    """

    path: RegularizationPath | None
    solutions: list
    end: PackedSolution
    scores: np.ndarray | None


def follow(problems, name, fold, alphas, feature_names, before):
    """Solve for every alpha, for each of some problems that differ only in `ridge` and `relaxed`.

    Relaxed problems refit the solutions of the last one before them that is not relaxed.

    Returns a list of `Followed`, one for each problem, and the `CostMeter` of all. `before` has
    those of larger alphas, which these paths continue, or None. `name` identifies the data in error
    messages.

    Only one BLAS thread is used, so that the bits are the same in any process.
    """
    with one_blas_thread(), naming(name):
        prepared, target = fold.train.objective(problems[0])
        spent = copy.copy(prepared.cost)
        done, penalised = [], list[PackedSolution]()
        for problem, earlier in zip(problems, before, strict=True):
            objective = problem.ridged(prepared).with_memory()
            if problem.relaxed:
                solutions = problem.refit(objective, penalised)
            else:
                start = None if earlier is None else earlier.end.W
                solutions = problem.solve(objective, alphas, start=start)
                penalised = [solution.packed() for solution in solutions]
            done.append(_judged(problem, objective, target, fold, alphas, solutions, feature_names))
        # The objective of all data stays in use, and what it cost before has been counted.
        return done, prepared.cost.since(spent) if isinstance(fold, Whole) else prepared.cost


def _judged(problem, objective, target, fold, alphas, solutions, feature_names):
    """`Followed` of these solutions."""
    path = scores = None
    if isinstance(fold, MomentFold):
        path = path_of_solutions(problem, objective, target, alphas, solutions, feature_names)
    if isinstance(fold, ScoredFold):
        scoring, names = fold.scoring, feature_names if fold.scoring.sees_names else None
        score_of = scoring.on(fold.test)
        found = _attributes(problem, objective, target, alphas, solutions)
        models = (scoring.model_of(problem.at(alpha), part, names) for alpha, part in found)
        scores = np.array([score_of(model) for model in models])
    solutions = [solution.packed() for solution in solutions]
    end = solutions[-1]
    if not isinstance(fold, Whole):
        nothing = {"support": np.empty(0, dtype=int), "rows": np.empty((0, 0))}
        solutions = [replace(solution, **nothing) for solution in solutions]
    return Followed(path, solutions, end, scores)


def _attributes(problem, objective, target, alphas, solutions):
    """(alpha, fitted attributes) of every solution."""
    for alpha, solution in zip(alphas, solutions, strict=True):
        there = objective.at(problem.strength(alpha))
        yield alpha, problem.at(alpha).attributes(there, solution, target)


def remaining(total, part):
    """The moments `total` minus `part`. None if digits would be lost."""
    if total.weight - part.weight <= _LEFT * total.weight:
        return None
    left = total.without(part)
    with np.errstate(invalid="ignore"):
        lost = [np.diagonal(left.xx) < _LEFT * np.diagonal(total.xx)]
        lost.append(np.diagonal(left.yy) < _LEFT * np.diagonal(total.yy))
    return None if any(mask.any() for mask in lost) else left


def moments_of_folds(X, y, s, splits):
    """Moments of all rows, (training, held-out) moments of every fold, number of rows read."""
    n_samples, n_read = len(s), 0

    def moments(what, rows):
        nonlocal n_read
        n_read += len(rows)
        with naming(what):
            return Moments.from_data(X[rows], y[rows], s[rows])

    tests = [moments(f"held-out rows of fold {k}", test) for k, (_, test) in enumerate(splits)]
    held = np.concatenate([test for _, test in splits])
    once = len(held) == n_samples == len(np.unique(held))
    total = reduce(add, tests) if once else moments("all rows", np.arange(n_samples))
    pairs = []
    for k, ((train, test), part) in enumerate(zip(splits, tests, strict=True)):
        rest = len(train) + len(test) == n_samples == len(np.union1d(train, test))
        left = remaining(total, part) if rest else None
        pairs.append((left or moments(f"training rows of fold {k}", train), part))
    return total, pairs, n_read
