"""How often each feature is kept when a model is fitted to resamples of the rows.

One seed decides the rows of all resamples, in a fixed order. The fits can then run on any number
of processes. Each fit returns the columns of X that it kept, and its warnings, which are reported
together at the end. Warnings of other packages are collected only in other processes, because all
threads of a process share the filters and hooks of `warnings`.
"""

import os
import warnings
from contextlib import contextmanager
from functools import partial
from inspect import Parameter, signature
from itertools import chain, islice, pairwise

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.estimators.origins import (
    composed,
    names_made,
    origins,
    steps_of,
    unchanged,
)
from shrinklin.messages import alone_in_another_process, collected, results, warn
from shrinklin.validation.entries import check_unmasked
from shrinklin.validation.parameters import check_whole
from shrinklin.validation.weights import check_weights


def selection_frequencies(
    estimator,
    X,
    y,
    n_resamples=100,
    *,
    resampling="half",
    sample_weight=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
) -> np.ndarray:
    """How often each feature is kept in fits to resamples of the rows.

    A feature that depends on only a few rows is seldom kept. A feature with strong support in the
    data is almost always kept.

    Parameters
    ----------
    estimator : estimator with ``get_support``, or Pipeline that ends with one
        An estimator of shrinklin, or a selector of scikit-learn. A model without
        ``get_support`` can be put into `sklearn.feature_selection.SelectFromModel`. Of all
        steps of a pipeline except the last, it must be known from which columns they make
        theirs: the Notes of `summary` list these steps. A step without
        ``get_feature_names_out`` is taken to keep the columns. The estimator is cloned and not
        fitted. Its ``random_state`` is the same in every fit.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The data.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets or class labels, as the estimator takes them.
    n_resamples : int, default=100
        Number of fits, >= 1. With "half", each pair of halves gives two fits. If the number
        is odd, only the first half of the last pair is fitted.
    resampling : {"half", "bootstrap"}, default="half"
        "half" draws complementary pairs: the rows are split at random into two halves, and
        each half is fitted. With an odd number of rows, the second half has one row more.
        "bootstrap" draws as many rows as there are, with replacement. It keeps more
        features, because a half contains less evidence.
        If y holds classes, each class is resampled separately: a half has half of its rows,
        a bootstrap as many rows as the class has. y holds classes if its labels are text or
        booleans, or if the estimator, the last step of the pipeline, or the model inside
        `SelectFromModel` is a classifier.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights >= 0 of the rows in the fits. Rows of weight 0 are left out from the
        beginning. In a pipeline, only the last step gets the weights, as
        ``step__sample_weight``. With metadata routing enabled, ``fit`` of the pipeline gets
        them as ``sample_weight`` and passes them on to the steps that request them.
    random_state : int, RandomState or None, default=None
        Seed of the resamples. The same int gives the same bits for any `n_jobs`, if the
        estimator has a fixed ``random_state`` or draws no random numbers.
    n_jobs : int, default=None
        Number of fits that run in parallel, as in joblib. Each fit uses one thread for linear
        algebra.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, in the extra ``plot``).

    Returns
    -------
    ndarray of shape (n_features,)
        For each column of X, the share of fits that kept it, in [0, 1]. After a pipeline, a column
        is kept if any feature that is made from it is kept: a level of a category, a product.

    Raises
    ------
    TypeError
        If the estimator has no ``get_support``, or if there is a `sample_weight` and its
        ``fit`` takes none.
    ValueError
        If arguments are not as described here.
    Exception
        Any error of a fit, with a note that names the resample.

    Warns
    -----
    ConvergenceWarning, UserWarning
        One warning per category for all fits of shrinklin's estimators, with the number of fits.
    Warning
        Warnings of other estimators: in the same way if the fits run in other processes
        (`n_jobs`), else one by one, as in a single fit.
    UserWarning
        If a class has only one row, so that one half of every pair lacks the class.

    See Also
    --------
    StabilityDisplay : Draws the frequencies.

    References
    ----------
    .. [1] Meinshausen, Bühlmann (2010), Stability selection, J. R. Stat. Soc. B 72.
    .. [2] Shah, Samworth (2013), Variable selection with error control: another look at
       stability selection, J. R. Stat. Soc. B 75.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import ShrinkNetRegressor, selection_frequencies
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> y = X[:, 0] - X[:, 2]
    >>> selection_frequencies(ShrinkNetRegressor(), X, y, 10, random_state=0)
    array([1., 0., 1., 0.])
    """
    check_whole("n_resamples", n_resamples, 1)
    _check_resampling(resampling)
    _check_selects(estimator)
    X, y, s = _data(estimator, X, y, sample_weight)
    classes = _classes(estimator, y, X.shape[0])
    # A separate generator, because fits may draw from numpy's global one in between.
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    drawn = enumerate(resamples(classes, n_resamples, resampling, rng), start=1)
    fits = (
        partial(_fit, estimator, X, y, s, rows, f"{k} of {n_resamples}", os.getpid())
        for k, rows in drawn
    )
    if resampling == "half":
        # Before the fits, because one that lacks a class may raise an error.
        _report_single_rows(classes, y)
    # For joblib's thread-based backends: see `one_blas_thread`.
    with one_blas_thread():
        kept, warned = _run(fits, n_resamples, n_jobs, verbose)
    _report(warned, n_resamples)
    return kept / n_resamples


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


def _check_selects(estimator):
    steps = steps_of(estimator)
    if isinstance(estimator, type) or not steps or not hasattr(steps[-1], "get_support"):
        raise TypeError(
            f"estimator={estimator!r} does not say which features it keeps: give an instance of an "
            "estimator of shrinklin or of a selector of scikit-learn (with get_support), or a "
            "Pipeline that ends with one. Wrap other models in "
            "sklearn.feature_selection.SelectFromModel."
        )


def _data(estimator, X, y, sample_weight):
    """X, y and the weights, in types that can be indexed by rows, without rows of weight 0."""
    if isinstance(X, Moments):
        raise TypeError("X is Moments, which have no rows to draw: give the samples.")
    X, y = _with_rows("X", X), None if y is None else _with_rows("y", y)
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
            X, y, s = (_take(data, np.flatnonzero(s)) for data in (X, y, s))
    if X.shape[0] < 2:
        weighted = "" if s is None else " of weight > 0"
        raise ValueError(f"X has 1 row{weighted}: give at least 2, so that resamples can be drawn.")
    return X, y, s


def _with_rows(name, data):
    check_unmasked(name, data)
    if sparse.issparse(data):
        return data.tocsr()
    return data if hasattr(data, "shape") else np.asarray(data)


def _take(data, rows):
    if data is None:
        return None
    return data.iloc[rows] if hasattr(data, "iloc") else data[rows]


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


def _run(fits, n_resamples, n_jobs, verbose):
    """How many fits keep each column, and (number of fit, category, text) of all warnings."""
    kept, warned = 0, []
    done = results(fits, n_resamples, n_jobs, verbose, "selection_frequencies", "fit")
    for number, (support, log) in enumerate(done, start=1):
        kept = kept + support
        warned += [(number, category, text) for category, text in log]
    return kept, warned


def _fit(estimator, X, y, s, rows, name, caller):
    """The columns kept in a fit to these rows, and (category, text) of its warnings."""
    model = clone(estimator)
    weights = {} if s is None else {_weight_name(model): s[rows]}
    try:
        # BLAS rounds differently with other numbers of threads, which depend on n_jobs.
        with one_blas_thread(), collected() as log, _heard(log, caller):
            model.fit(_take(X, rows), _take(y, rows), **weights)
            return _support(model, X.shape[1]), log
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


def _support(model, n_features):
    """Which of the n_features columns of X a fitted model keeps."""
    *before, last = steps_of(model)
    support = np.asarray(last.get_support(), dtype=bool)
    columns = _columns_made(before, last, n_features, len(support))
    if len(columns) != len(support):
        raise ValueError(
            f"X has {n_features} columns, but the steps after it select among {len(support)}: give "
            "a pipeline whose steps keep the columns or select among them."
        )
    kept = np.zeros(n_features, dtype=bool)
    kept[list(frozenset().union(*(columns[k] for k in np.flatnonzero(support))))] = True
    return kept


def _columns_made(steps, last, n_features, n_made):
    """The columns of X from which each column that the last step takes is made."""
    says = "get_feature_names_out", "get_support"
    # Otherwise nothing says that a step changes the columns.
    steps = [step for step in steps if any(hasattr(step, name) for name in says)]
    columns = unchanged(n_features)
    for step, after in pairwise([*steps, last]):
        n_passed = n_made if after is last else getattr(after, "n_features_in_", None)
        made = origins(step, len(columns), n_passed)
        if made is None or None in made:
            raise _other_columns(step, len(columns), n_passed)
        columns = composed(columns, made)
    return columns


def _other_columns(step, n_given, n_passed):
    """An error about a step of which it is not known from which columns it makes its own."""
    given = list(getattr(step, "feature_names_in_", [f"x{j}" for j in range(n_given)]))
    made = names_made(step)
    if made is None:
        change = "does not name the columns that it makes"
    elif n_passed not in (None, len(made)):
        change = f"passes on {len(made)} columns, but the steps after it select among {n_passed}"
    elif len(made) != n_given:
        change = f"turns {n_given} columns into {len(made)}"
    else:
        change = f"turns columns {given[:3]}… into {made[:3]}…"
    return ValueError(
        f"the step {type(step).__name__} {change}, so it is not known to which columns of X the "
        "features kept after it belong: give steps that keep the columns and their names (as "
        "StandardScaler does), select among them (as SelectKBest does) or make each of their "
        "columns of known ones (as OneHotEncoder does), or transform X beforehand."
    )


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
