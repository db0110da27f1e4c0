"""Intervals of coefficients: `split_intervals` and `bootstrap_intervals`.

The rows that select features make their coefficients look larger than they are, and intervals from
the same rows do not hold what they promise. Other rows know nothing of the selection.
"""

import warnings
from typing import Any

import numpy as np
from scipy import linalg, sparse, stats
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length

from shrinklin.estimators.classifiers import GroupLassoClassifier
from shrinklin.estimators.origins import steps_of
from shrinklin.estimators.resampling import seen_in_fits, with_rows
from shrinklin.estimators.selector import linear_model
from shrinklin.estimators.summary import SummarisedModel, coefficient_names, feature_names
from shrinklin.messages import imported
from shrinklin.selection.folds import take
from shrinklin.validation.data import check_given
from shrinklin.validation.parameters import check_real

# Of the refit without penalty, relative to the gradient at 0.
_TOL = 1e-9
# How much of a direction in which the design vanishes is of a column that takes part in it.
_INVOLVED = 1e-6
# How many features an error names.
_SHOWN = 5


def split_intervals(estimator, X, y, *, test_size=0.5, level=0.95, random_state=None) -> Any:
    """Select features with some rows, and estimate their coefficients with the others.

    The estimator is fitted to a part of the rows. On the other part, a model without penalty is
    fitted to the features that it keeps: least squares, or logistic regression. The intervals are
    those of this second model. As its rows did not choose the features, they are valid for these
    features, whatever the choice was.

    Parameters
    ----------
    estimator : regressor or classifier of shrinklin, or Pipeline that ends with one
        It may choose its alpha by cross-validation or an information criterion. It is cloned and
        not fitted.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows that are independent of each other.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets or class labels.
    test_size : float, default=0.5
        The share of rows for the intervals, in (0, 1). Classes are divided in equal shares.
    level : float, default=0.95
        The share of intervals that should contain the true coefficient, in (0, 1).
    random_state : int, RandomState or None, default=None
        Seed of the split.

    Returns
    -------
    pandas.DataFrame
        A row for each kept feature and target: "feature", "target", "coefficient",
        "standard_error", "low" and "high". With two classes, the target is the second one. With
        more, there is a row for each class, and coefficients of a feature sum to 0 over classes.
        Features of a pipeline are those of its last step. Names are those of `summary`.

    Raises
    ------
    TypeError
        If the estimator is not one of shrinklin.
    ValueError
        If the other rows are too few for the kept features, or determine no coefficients, because
        features are collinear or separate the classes.

    See Also
    --------
    bootstrap_intervals : How much the coefficients of a model vary.

    Notes
    -----
    A coefficient here is that of the best linear model of the *kept features alone*. It is not that
    of a model with all features: a feature that is kept stands for what it shares with features
    that are not. Another split keeps other features, and then asks other questions.

    Standard errors do not assume that the linear model is true, nor that the noise is equal
    everywhere: they are HC3 for least squares and the sandwich for logistic regression [1]_. The
    intervals use quantiles of Student's t and of the normal distribution. There are no p-values of
    the selection: a feature that is not kept is not shown to have no effect.

    References
    ----------
    .. [1] Rinaldo, Wasserman, G'Sell (2019), Bootstrapping and sample splitting for
       high-dimensional, assumption-lean inference, Annals of Statistics 47.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import GroupLassoRegressor, split_intervals
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 10))
    >>> y = 2 * X[:, 3] + rng.normal(size=200)
    >>> table = split_intervals(GroupLassoRegressor(0.5), X, y, random_state=0)
    >>> table[["feature", "low", "high"]].round(1)
      feature  low  high
    0      x3  2.0   2.4
    """
    check_level(level)
    _check_share("test_size", test_size)
    model = last_step(estimator)
    check_given(model, y)
    y = np.asarray(y).reshape(-1) if is_classifier(model) else y
    classes = y if is_classifier(model) else None
    X, y = with_rows("X", X), with_rows("y", y)
    check_consistent_length(X, y)
    # `train_test_split` of scikit-learn 1.6 cannot take rows of a table of pyarrow.
    choice, rest = train_test_split(
        np.arange(X.shape[0]), test_size=test_size, random_state=random_state, stratify=classes
    )
    chosen = clone(estimator).fit(take(X, choice), take(y, choice))
    X_rest, y_rest = take(X, rest), take(y, rest)
    model = linear_model(last_step(chosen))
    for step in steps_of(chosen)[:-1]:
        X_rest = step.transform(X_rest)
    kept = model.get_support(indices=True)
    names = np.array(feature_names(steps_of(chosen)[:-1], model), dtype=object)[kept]
    coefs = errors = np.zeros((len(coefficient_names(model)), 0))
    quantile = 0.0
    if len(kept):
        estimate = _logistic if is_classifier(model) else _least_squares
        Z = _columns(X_rest, kept)
        _check_determined(Z, names, model)
        coefs, errors, quantile = estimate(Z, y_rest, model, (1 + level) / 2)
    half = quantile * errors
    values = {"coefficient": coefs, "standard_error": errors, "low": coefs - half}
    return _table(names, model, values | {"high": coefs + half})


def bootstrap_intervals(
    estimator,
    X,
    y,
    n_resamples=200,
    *,
    level=0.95,
    random_state=None,
    n_jobs=None,
    verbose=0,
) -> Any:
    """How much the coefficients vary from sample to sample, and how often features are kept.

    The estimator is fitted to many samples of the rows, drawn with replacement. For each
    coefficient there is the interval that contains its values in a share `level` of these fits. A
    feature that a fit drops counts with 0.

    Parameters
    ----------
    estimator : regressor or classifier of shrinklin, or Pipeline that ends with one
        It is cloned and not fitted.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows that are independent of each other.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets or class labels. Each class is drawn as often as it occurs.
    n_resamples : int, default=200
        Number of fits, >= 1. The ends of 95 % intervals need some hundreds.
    level : float, default=0.95
        In (0, 1).
    random_state : int, RandomState or None, default=None
        Seed of the samples. The same int gives the same bits for any `n_jobs`.
    n_jobs : int, default=None
        Number of fits that run in parallel, as in joblib.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, in the extra ``plot``).

    Returns
    -------
    pandas.DataFrame
        A row for each target and each feature that any fit keeps, the most frequent feature first:
        "feature", "target", "coefficient" (in the fit to all rows), "low", "high", and "frequency",
        the share of fits that keep the feature. Names are those of `split_intervals`.

    Raises
    ------
    TypeError
        If the estimator is not one of shrinklin.
    ValueError
        If arguments are not as described here.

    See Also
    --------
    split_intervals : Intervals for the effects of kept features.
    selection_frequencies : The frequencies alone, also from halves of the rows.

    Notes
    -----
    These are not confidence intervals of true effects. The penalty pulls every estimate towards 0,
    in each sample in the same way, and the interval with it. At 0 the bootstrap of such estimates
    is not consistent [1]_. Read them as a statement about the fitted model: with other rows of the
    same kind, it would have had these coefficients.

    References
    ----------
    .. [1] Chatterjee, Lahiri (2010), Asymptotic properties of the residual bootstrap for Lasso
       estimators, Proceedings of the American Mathematical Society 138.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import GroupLassoRegressor, bootstrap_intervals
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 10))
    >>> y = 2 * X[:, 3] + rng.normal(size=200)
    >>> table = bootstrap_intervals(GroupLassoRegressor(0.3), X, y, 50, random_state=0)
    >>> table[["feature", "low", "high", "frequency"]].round(1)[:1]
      feature  low  high  frequency
    0      x3  1.6   1.9        1.0
    """
    check_level(level)
    last_step(estimator)
    seen = list(
        seen_in_fits(
            _coefficients, estimator, X, y, n_resamples, "bootstrap", None, random_state, n_jobs,
            verbose, "bootstrap_intervals",
        )
    )  # fmt: skip
    whole = clone(estimator).fit(X, y)
    known = _coefficients(whole, None)
    found = list(dict.fromkeys(name for one in seen for name in one))
    model = linear_model(last_step(whole))
    none = np.zeros(len(coefficient_names(model)))
    drawn = np.array([[one.get(name, none) for name in found] for one in seen])
    drawn = drawn.reshape(len(seen), len(found), len(none))
    frequency = drawn.any(axis=2).mean(axis=0)
    order = np.argsort(-frequency, kind="stable")
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)[:, order]
    names = np.array(found, dtype=object)[order]
    coefs = np.array([known.get(name, none) for name in names]).reshape(len(names), len(none))
    values = {"coefficient": coefs.T, "low": ends[0].T, "high": ends[1].T}
    shares = np.broadcast_to(frequency[order], (len(none), len(names)))
    return _table(names, model, values | {"frequency": shares})


def _coefficients(fitted, _):
    """The coefficients of the kept features of a fitted model or pipeline, by their names."""
    model = linear_model(last_step(fitted))
    coef = np.atleast_2d(model.coef_)
    names = feature_names(steps_of(fitted)[:-1], model)
    return {names[j]: coef[:, j] for j in model.get_support(indices=True)}


def _table(names, model, values):
    """A row for each feature and target, of values (n_targets, n_features)."""
    pandas = imported("pandas", "A table of intervals", "plot")
    unnamed = np.ndim(model.coef_) == 1 and not hasattr(model, "target_names_in_")
    targets = ["y"] if unnamed else coefficient_names(model)
    rows = [(name, target) for name in names for target in targets]
    table = pandas.DataFrame(rows, columns=["feature", "target"])
    return table.assign(**{name: value.T.ravel() for name, value in values.items()})


def check_level(level):
    """Raise an error unless it is a share between 0 and 1."""
    _check_share("level", level)


def _check_share(name, value):
    check_real(name, value, 0, open_end=True)
    if value >= 1:
        raise ValueError(f"{name}={value!r}: give a number < 1.")


def last_step(estimator):
    """The linear estimator of shrinklin at the end of a pipeline, or by itself."""
    *_, last = steps_of(estimator) or [None]
    if isinstance(last, type) or not isinstance(last, SummarisedModel):
        raise TypeError(
            f"estimator={estimator!r} is no linear regressor or classifier of shrinklin: give one, "
            "or a Pipeline that ends with one. If it is a search such as GridSearchCV, fit it and "
            "give its best_estimator_."
        )
    return last


def _columns(X, columns):
    """Some columns, dense, as there are few."""
    if hasattr(X, "iloc"):
        return X.iloc[:, columns].to_numpy(dtype=float)
    if sparse.issparse(X):
        return X.tocsc()[:, columns].toarray().astype(float)
    return np.asarray(X)[:, columns].astype(float)


def _with_intercept(Z, model):
    return np.column_stack([Z, np.ones(len(Z))]) if model.fit_intercept else Z


def _check_determined(Z, names, model):
    """Raise an error if the rows do not determine the coefficients of the features `names`."""
    design = _with_intercept(Z, model)
    n, k = design.shape
    if n <= k:
        raise ValueError(
            f"{n} rows are left to estimate {k} coefficients: give more rows, a larger test_size, "
            "or an estimator that keeps fewer features."
        )
    lengths = np.linalg.norm(design, axis=0)
    R = np.linalg.qr(design / np.where(lengths > 0, lengths, 1), mode="r")
    # Rounding grows with the rows.
    null = linalg.null_space(R, rcond=n * np.finfo(float).eps)
    involved = names[(np.abs(null) > _INVOLVED).any(axis=1)[: len(names)]]
    if not null.shape[1]:
        return
    # Equal entries are a multiple of the intercept. Without one, only zeros determine nothing.
    alone = ((Z[0] if model.fit_intercept else 0) == Z).all(axis=0)
    constant = involved if len(involved) == 1 else names[alone]
    if len(constant):
        one = len(constant) == 1
        raise ValueError(
            f"the kept {'feature' if one else 'features'} {_listed(constant)} "
            f"{'is' if one else 'are'} constant in the rows for the intervals, so "
            f"{'its coefficient is' if one else 'their coefficients are'} not determined: leave "
            f"{'it' if one else 'them'} out, or give more rows."
        )
    raise ValueError(
        f"the kept features {_listed(involved)} are collinear in the rows for the intervals, so "
        "their coefficients are not determined: leave some of them out. One-hot encoders need "
        'drop="first".'
    )


def _listed(names):
    return ", ".join(map(repr, names[:_SHOWN])) + ", …" * (len(names) > _SHOWN)


def _least_squares(Z, y, model, probability):
    """Coefficients of least squares, their HC3 standard errors, and the quantile."""
    A, Y = _with_intercept(Z, model), np.asarray(y, dtype=float)
    Y = Y.reshape(len(A), -1)
    Q, R = np.linalg.qr(A)
    B = linalg.solve_triangular(R, Q.T @ Y)
    leverage = (Q**2).sum(axis=1)
    residuals = (Y - A @ B) / np.maximum(1 - leverage, np.finfo(float).eps)[:, None]
    # (A'A)⁻¹A', a row for each coefficient.
    hat = linalg.solve_triangular(R, Q.T)
    errors = np.sqrt(hat**2 @ residuals**2)
    k = Z.shape[1]
    quantile = stats.t.ppf(probability, len(A) - A.shape[1])
    return B[:k].T, errors[:k].T, quantile


def _logistic(Z, y, model, probability):
    """Coefficients of logistic regression, their sandwich errors, and the quantile."""
    # Columns of the same length, as they are easier to fit.
    scale = np.sqrt((Z**2).mean(axis=0))
    scale[scale == 0] = 1
    design = _with_intercept(Z / scale, model)
    refit = GroupLassoClassifier(alpha=0.0, tol=_TOL, fit_intercept=model.fit_intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            refit.fit(Z / scale, y)
        except ConvergenceWarning as warning:
            raise ValueError(
                "the kept features separate classes without error in the rows for the intervals, "
                "so logistic regression has no best coefficients: give more rows, a larger "
                "test_size, or an estimator that keeps fewer features."
            ) from warning
    codes = np.searchsorted(refit.classes_, y)
    covariance = _sandwich(design, codes, refit.predict_proba(Z / scale))
    n_classes, k = len(refit.classes_), Z.shape[1]
    # Of two classes the contrast with the last one is that with the second, with the other sign.
    onto = np.eye(n_classes)[:, :-1] - 1 / n_classes if n_classes > 2 else np.array([[-1.0]])
    blocks = covariance.reshape(n_classes - 1, -1, n_classes - 1, design.shape[1])
    squares = np.array([np.diag(onto @ blocks[:, j, :, j] @ onto.T) for j in range(k)]).T
    coefs = refit.coef_ - (refit.coef_.mean(axis=0) if n_classes > 2 else 0.0)
    return coefs / scale, np.sqrt(squares) / scale, stats.norm.ppf(probability)


def _sandwich(design, codes, probabilities):
    """Covariance of the contrasts of classes with the last one: (K − 1) blocks of coefficients."""
    (n, k), P = design.shape, probabilities[:, :-1]
    scores = (np.eye(probabilities.shape[1])[codes][:, :-1] - P)[:, :, None] * design[:, None, :]
    scores = scores.reshape(n, -1)
    weights = P[:, :, None] * (np.eye(P.shape[1]) - P[:, None, :])
    hessian = np.einsum("icd,ij,ik->cjdk", weights, design, design, optimize=True)
    inverse = np.linalg.inv(hessian.reshape(scores.shape[1], -1))
    # Without the factor, residuals of fitted models are too small.
    return inverse @ (scores.T @ scores) @ inverse * n / (n - k)
