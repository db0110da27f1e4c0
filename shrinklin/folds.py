r"""Folds of cross-validation: what is fitted to, and what judges the models.

All data (`Whole`) and the training part of every fold (`Rows` or `Sums`) are solved along the
same alphas by `follow`. The models of a fold are scored where they are solved for, by a scorer
(`ScoredFold`), or by the moments of the held-out rows (`MomentFold`): for the squared loss these
give the held-out errors of a whole path, and the moments of the training rows are what they leave
of all.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from scipy import sparse

from shrinklin.blas import one_blas_thread
from shrinklin.cost import CostMeter
from shrinklin.messages import warn
from shrinklin.moments import Moments
from shrinklin.path import RegularizationPath, path_of_solutions
from shrinklin.validation import naming

# A difference of moments that is less than this of what it was taken from is made anew.
_LEFT = 1e-4
# Errors that moments may round by more than this are measured on the rows;
_ROUNDED = 1e-9
# where there are no rows, more than this is worth a word.
_MUCH_ROUNDED = 1e-3


@dataclass(frozen=True)
class Rows:
    """Checked data, or some rows of them."""

    X: np.ndarray
    y: np.ndarray
    s: np.ndarray
    rows: np.ndarray | None = None

    def data(self):
        """X, y and weights of the rows."""
        if self.rows is None:
            return self.X, self.y, self.s
        return self.X[self.rows], self.y[self.rows], self.s[self.rows]

    def objective(self, model):
        """Its `Objective` and `Target`."""
        X, y, s = self.data()
        return model._objective(X, y, s, model._groups_of(X.shape[1]))


@dataclass(frozen=True)
class Sums:
    """Moments to fit to, of an X of that dtype."""

    moments: Moments
    dtype: np.dtype

    def objective(self, model):
        return model._prepare_moments(self.moments, self.dtype)


@dataclass(frozen=True)
class Whole:
    """All data: their objective is there already, as the alphas come from it."""

    prepared: tuple
    score = None

    @property
    def train(self):
        return self

    def objective(self, model):
        return self.prepared


@dataclass(frozen=True)
class Score:
    """A scorer, and the held-out rows that it sees."""

    scorer: Callable
    X: np.ndarray
    y: np.ndarray
    rows: np.ndarray
    params: dict

    def __call__(self, estimator):
        score = self._scored(estimator)
        if np.ndim(score) != 0:
            raise ValueError(
                f"scoring gave an array of shape {np.shape(score)}: give one that returns a number."
            )
        return float(score)

    def _scored(self, estimator):
        n_samples = self.X.shape[0]
        params = {name: _part(values, self.rows, n_samples) for name, values in self.params.items()}
        try:
            return self.scorer(estimator, self.X[self.rows], self.y[self.rows], **params)
        except TypeError as error:
            if "sample_weight" not in params or "sample_weight" not in str(error):
                raise
            raise TypeError(
                f"sample_weight was given, and the scoring does not take it ({error}): leave it "
                "out, give a scoring that does, or enable metadata routing, where a scorer gets it "
                "only if it asks."
            ) from error


def _part(values, rows, n_samples):
    """What belongs to some of the rows, if there is one value a row."""
    if sparse.issparse(values) or hasattr(values, "iloc"):
        per_row = values.shape[0] == n_samples
    else:
        per_row = isinstance(values, list | tuple | np.ndarray) and len(values) == n_samples
    if not per_row:
        return values
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    return values.tocsr()[rows] if sparse.issparse(values) else np.asarray(values)[rows]


@dataclass(frozen=True)
class ScoredFold:
    """A fold whose models a scorer judges, where they are solved for."""

    train: Rows | Sums
    score: Score

    def scores(self, followed):
        return followed.scores


@dataclass(frozen=True)
class MomentFold:
    """A fold of which moments are known, training and held out."""

    train: Sums
    test: Moments
    rows: Rows | None = None
    score = None

    def scores(self, followed):
        """Minus the mean squared error of every model on the held-out rows."""
        errors = followed.path.mean_squared_errors(self.test)
        rounding = _rounding(followed.path, self.test)
        if self.rows is None:
            _warn_if_rounded(rounding > _MUCH_ROUNDED * errors)
            return -errors
        rounded = np.flatnonzero(rounding > _ROUNDED * errors)
        if len(rounded):
            errors[rounded] = _errors_on_rows(self.rows, followed.path, rounded)
        return -errors


def _rounding(path, moments):
    """How far the errors that moments give to the models of a path may be off by rounding.

    They are sums of terms that cancel: where features nearly do, or the fit is nearly perfect,
    little is left of them.
    """
    eps = 8 * np.finfo(float).eps
    sizes = np.sqrt(np.diagonal(moments.xx) / moments.weight)
    spread = (np.abs(path.coefs) @ sizes) ** 2 + np.diagonal(moments.yy) / moments.weight
    off = moments.y_mean - path.intercepts - path.coefs @ moments.x_mean
    off_by = eps * (
        np.abs(moments.y_mean)
        + np.abs(path.intercepts)
        + np.abs(path.coefs) @ np.abs(moments.x_mean)
    )
    return (eps * spread + off_by * (2 * np.abs(off) + off_by)).mean(axis=1)


def _errors_on_rows(rows, path, models):
    X, y, s = rows.data()
    errors = np.empty(len(models))
    for place, i in enumerate(models):
        residual = y.reshape(len(y), -1) - X @ path.coefs[i].T - path.intercepts[i]
        errors[place] = np.average((residual**2).mean(axis=1), weights=s)
    return errors


def _warn_if_rounded(much):
    if much.any():
        warn(
            f"moments tell the held-out error of {much.sum()} of {len(much)} models to less than "
            f"{_MUCH_ROUNDED:g} of itself, as features nearly cancel or the fit is nearly perfect: "
            "leave one of such features out, give larger alphas, or use fit.",
            UserWarning,
        )


@dataclass(frozen=True)
class Followed:
    """What came of one path: of a fold either the path or, by a scorer, scores.

    The solutions of a fold have no arrays: there are many, and n_features may be large.
    """

    path: RegularizationPath | None
    solutions: list
    cost: CostMeter
    scores: np.ndarray | None


def follow(model, name, train, score, alphas):
    """Solve for every alpha; `name` says for what, in errors.

    One BLAS thread throughout, so that the bits are the same in any process.
    """
    model = copy.copy(model)
    with one_blas_thread(), naming(name):
        objective, target = train.objective(model)
        solutions = model._solutions(objective, [model._strength(alpha) for alpha in alphas])
        path = scores = None
        if score is None:
            path = path_of_solutions(model, objective, target, alphas, solutions)
        else:
            models = _models(model, objective, target, alphas, solutions)
            scores = np.array([score(model) for model in models])
    if not isinstance(train, Whole):
        nothing = np.empty(0)
        solutions = [replace(solution, W=nothing, gradient=nothing) for solution in solutions]
    # Of all data the objective stays in use.
    return Followed(path, solutions, copy.copy(objective.cost), scores)


def _models(model, objective, target, alphas, solutions):
    """`model`, which this changes, as that of one solution after the other."""
    for alpha, solution in zip(alphas, solutions, strict=True):
        model.alpha = alpha
        model._keep(objective, solution, target)
        yield model


def remaining(total, part):
    """The moments of total without part; None where that would lose digits."""
    if total.weight - part.weight <= _LEFT * total.weight:
        return None
    left = total.without(part)
    with np.errstate(invalid="ignore"):
        lost = [np.diagonal(left.xx) < _LEFT * np.diagonal(total.xx)]
        lost.append(np.diagonal(left.yy) < _LEFT * np.diagonal(total.yy))
    return None if any(mask.any() for mask in lost) else left


def moments_of_folds(X, y, s, splits):
    """Moments of all rows and, of every fold, of training and held-out rows; rows read."""
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
