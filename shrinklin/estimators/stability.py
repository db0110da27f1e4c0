"""How often each feature is kept when a model is fitted to resamples of the rows."""

from itertools import pairwise

import numpy as np

from shrinklin.estimators.origins import (
    composed,
    names_made,
    origins,
    steps_of,
    unchanged,
)
from shrinklin.estimators.resampling import seen_in_fits


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
    _check_selects(estimator)
    kept = seen_in_fits(
        _support, estimator, X, y, n_resamples, resampling, sample_weight, random_state, n_jobs,
        verbose, "selection_frequencies",
    )  # fmt: skip
    return sum(kept) / n_resamples


def _check_selects(estimator):
    steps = steps_of(estimator)
    if isinstance(estimator, type) or not steps or not hasattr(steps[-1], "get_support"):
        raise TypeError(
            f"estimator={estimator!r} does not say which features it keeps: give an instance of an "
            "estimator of shrinklin or of a selector of scikit-learn (with get_support), or a "
            "Pipeline that ends with one. Wrap other models in "
            "sklearn.feature_selection.SelectFromModel."
        )


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
