"""Fits of an estimator to resamples of the rows: halves, or draws with replacement.

One seed decides the rows of all resamples, in a fixed order. The fits can then run on any number
of processes. Each returns what a function sees in it, and its warnings, which are reported together
at the end. Warnings of other packages are collected only in other processes, because all threads of
a process share the filters and hooks of `warnings`.
"""

import os
import warnings
from contextlib import contextmanager
from functools import partial
from inspect import Parameter, signature
from itertools import chain, islice

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.estimators.origins import steps_of
from shrinklin.messages import alone_in_another_process, collected, results, warn
from shrinklin.selection.folds import take
from shrinklin.validation.entries import check_unmasked
from shrinklin.validation.parameters import check_whole
from shrinklin.validation.weights import check_weights


def seen_in_fits(
    look, estimator, X, y, n_resamples, resampling, sample_weight, random_state, n_jobs, verbose,
    name,
):  # fmt: skip
    """Yield what a function sees in each fit to a resample, and warn in the end of what they did.

    Parameters
    ----------
    look : callable
        Takes the fitted model and the number of columns of X.
    estimator, X, y, n_resamples, resampling, sample_weight, random_state, n_jobs, verbose
        As for `selection_frequencies`.
    name : str
        Of the function that users called, for the progress bar.
    """
    check_whole("n_resamples", n_resamples, 1)
    _check_resampling(resampling)
    X, y, s = _data(estimator, X, y, sample_weight)
    classes = _classes(estimator, y, X.shape[0])
    # A separate generator, because fits may draw from numpy's global one in between.
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    drawn = enumerate(resamples(classes, n_resamples, resampling, rng), start=1)
    fits = (
        partial(_fit, estimator, X, y, s, rows, look, f"{k} of {n_resamples}", os.getpid())
        for k, rows in drawn
    )
    if resampling == "half":
        # Before the fits, because one that lacks a class may raise an error.
        _report_single_rows(classes, y)
    warned: list = []
    # For joblib's thread-based backends: see `one_blas_thread`.
    with one_blas_thread():
        done = results(fits, n_resamples, n_jobs, verbose, name, "fit")
        for number, (seen, log) in enumerate(done, start=1):
            warned += [(number, category, text) for category, text in log]
            yield seen
    _report(warned, n_resamples)


def resamples(classes, n_resamples, resampling, rng):
    """Yield the sorted rows of every resample.

    `classes` (n_samples,) holds the class number of each row, counted from 0. Without classes,
    all are 0.
    """
    draw = _pair_of_halves if resampling == "half" else _bootstrap
    return islice(chain.from_iterable(draw(classes, rng) for _ in range(n_resamples)), n_resamples)


def _pair_of_halves(classes, rng):
    order = rng.permutation(len(classes))
    # Sorting by class and taking every other row halves each class, and all rows together.
    rank = rng.permutation(classes.max() + 1)
    order = order[np.argsort(rank[classes[order]], kind="stable")]
    return np.sort(order[1::2]), np.sort(order[::2])


def _bootstrap(classes, rng):
    by_class = np.argsort(classes, kind="stable")
    ends = np.cumsum(np.bincount(classes))
    end = ends[classes[by_class]]
    begin = np.concatenate([[0], ends])[classes[by_class]]
    return (np.sort(by_class[rng.integers(begin, end)]),)


def _check_resampling(resampling):
    if not isinstance(resampling, str) or resampling not in ("half", "bootstrap"):
        raise ValueError(f'resampling={resampling!r}: give "half" or "bootstrap".')


def _data(estimator, X, y, sample_weight):
    """X, y and the weights, in types that can be indexed by rows, without rows of weight 0."""
    if isinstance(X, Moments):
        raise TypeError("X is Moments, which have no rows to draw: give the samples.")
    X, y = with_rows("X", X), None if y is None else with_rows("y", y)
    try:
        # A single number has no length. check_weights refuses it later.
        check_consistent_length(X, y, sample_weight if np.ndim(sample_weight) else None)
    except ValueError as error:
        raise ValueError(
            f"{error}: give X, y and sample_weight with the same number of rows."
        ) from error
    s = None
    if sample_weight is not None:
        _check_takes_weights(steps_of(estimator)[-1])
        s = check_weights(sample_weight, X)
        if not s.all():
            rows = np.flatnonzero(s)
            X, y, s = take(X, rows), None if y is None else take(y, rows), s[rows]
    if X.shape[0] < 2:
        weighted = "" if s is None else " of weight > 0"
        raise ValueError(f"X has 1 row{weighted}: give at least 2, so that resamples can be drawn.")
    return X, y, s


def with_rows(name, data):
    """Data in a type that can be indexed by rows."""
    check_unmasked(name, data)
    if sparse.issparse(data):
        return data.tocsr()
    return data if hasattr(data, "shape") else np.asarray(data)


def _check_takes_weights(step):
    parameters = signature(step.fit).parameters.values()
    if not any(p.name == "sample_weight" or p.kind is Parameter.VAR_KEYWORD for p in parameters):
        raise TypeError(
            f"sample_weight was given, but {type(step).__name__}.fit does not accept it: leave it "
            "out, or give an estimator that takes weights."
        )


def _classes(estimator, y, n_samples):
    """The class number of each row. All are 0 if y holds no classes."""
    if y is None or sparse.issparse(y) or not _holds_classes(estimator, y):
        return np.zeros(n_samples, dtype=int)
    # A dict also takes labels of mixed types. It is up to the estimator to refuse them.
    numbers: dict = {}
    labels = np.asarray(y).reshape(-1).tolist()
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels])


def _holds_classes(estimator, y):
    if len(y.shape) > 1 and y.shape[1] != 1:
        return False
    model = steps_of(estimator)[-1]
    inside = getattr(model, "estimator", None)
    if is_classifier(model) or (isinstance(inside, BaseEstimator) and is_classifier(inside)):
        return True
    # A selector may not say whether it is for classes, but text and booleans are labels.
    return all(isinstance(label, str | bool) for label in np.asarray(y).reshape(-1).tolist())


def _fit(estimator, X, y, s, rows, look, name, caller):
    """What `look` sees in a fit to these rows, and (category, text) of its warnings."""
    model = clone(estimator)
    weights = {} if s is None else {_weight_name(model): s[rows]}
    try:
        # BLAS rounds differently with other numbers of threads, which depend on n_jobs.
        with one_blas_thread(), collected() as log, _heard(log, caller):
            model.fit(take(X, rows), None if y is None else take(y, rows), **weights)
            return look(model, X.shape[1]), log
    except Exception as error:
        error.add_note(
            f"This error occurred in the fit to resample {name}, with {len(rows)} of "
            f"{X.shape[0]} rows."
        )
        raise


@contextmanager
def _heard(log, caller):
    """Add warnings of other packages to `log`, if this process only runs fits.

    In the process of the caller they are shown as usual, as other threads may use `warnings`.
    """
    if not alone_in_another_process(caller):
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    log += [(w.category, str(w.message)) for w in caught]


def _weight_name(estimator):
    """The argument by which ``fit`` of the estimator passes weights to its last step."""
    if not isinstance(estimator, Pipeline) or get_config()["enable_metadata_routing"]:
        return "sample_weight"
    name, last = estimator.steps[-1]
    return f"{name}__{_weight_name(last)}"


def _report(warned, n_resamples):
    """Warn once per category."""
    for category in dict.fromkeys(category for _, category, _ in warned):
        said = {number: text for number, of, text in reversed(warned) if of is category}
        first = min(said)
        warn(
            f"{len(said)} of {n_resamples} fits warned. The warning of the fit to resample "
            f"{first}: {said[first]}",
            category,
        )


def _report_single_rows(classes, y):
    single = np.flatnonzero(np.bincount(classes) == 1)
    # If all labels differ they are not classes, and the fits raise an error.
    if not 0 < len(single) < len(classes):
        return
    firsts = np.unique(classes, return_index=True)[1][single]
    labels = np.asarray(y).reshape(-1)[firsts].tolist()
    warn(
        f"the classes {labels[:3]} of y have only one row each, so one half of every pair lacks "
        'them: leave them out, or give resampling="bootstrap".',
        UserWarning,
    )
