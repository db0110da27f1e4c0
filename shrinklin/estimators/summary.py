"""The features that a fitted model keeps, as a table, with the columns that they come from."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from shrinklin.estimators.origins import origins_of_steps, steps_of
from shrinklin.estimators.selector import linear_model
from shrinklin.messages import imported
from shrinklin.selection.path import RegularizationPath

_COLUMNS = ("original", "norm", "switch", "frequency")


class SummarisedModel:
    """A fitted model, or a choice of one, that can be summarised."""

    def summary(self, frequencies=None) -> Any:
        """A table of the features that the model keeps, as by `shrinklin.summary`.

        Parameters
        ----------
        frequencies : array-like of shape (n_features,), default=None
            Selection frequencies of all features, as `selection_frequencies` returns them.

        Returns
        -------
        pandas.DataFrame
        """
        return summary(self, frequencies)


def summary(model, frequencies=None) -> Any:
    """A table of the features that a model keeps, and of the columns that they come from.

    Needs pandas (in the extra ``plot``).

    Parameters
    ----------
    model : fitted estimator of shrinklin, fitted Pipeline that ends with one, or path
        A linear model: an estimator for one alpha, a CV class, `AutoSparseRegressor`,
        `AutoSparseClassifier` or `InformationCriterion`. Pipelines may be nested. Of a path, the
        tables of all models follow each other.
    frequencies : array-like of shape (n_columns,), default=None
        Selection frequencies of all columns that `model` takes, as
        ``selection_frequencies(model, X, y)`` returns them.

    Returns
    -------
    pandas.DataFrame
        One row per feature that is kept, indexed by its name, largest norm first; of a path, by
        alpha and by name. The columns are:

        - "original": the column of the table given to `model` from which the feature is made; a
          tuple if there are several, as for a product; None if that is not known. Columns
          without names are called "x0", "x1", …
        - "norm": the Euclidean norm of the coefficients;
        - the coefficients, one column per target or class, with its name. Targets without names
          are called "target 0", "target 1", …, and that of a 1-D y "coefficient". Two classes
          have one column, for the second class. A target or class that is called like another
          column of the table is called "coefficient of …";
        - "switch", for ShrinkNet;
        - "frequency", if `frequencies` are given: that of the original column. It is missing if
          there is no single original column.

    Raises
    ------
    TypeError
        If `model` is not such a model.
    ValueError
        If a path has no models, or if `frequencies` are not one number in [0, 1] per column.

    See Also
    --------
    SummaryDisplay : Draws the norms.

    Notes
    -----
    The original columns are known after selectors, steps that keep names, as `StandardScaler`
    does, `ColumnTransformer`, `FeatureUnion`, `OneHotEncoder`, `TargetEncoder`, `KBinsDiscretizer`,
    `SplineTransformer`, `PolynomialFeatures`, `SimpleImputer`, `MissingIndicator`, and any step
    with only one input column. An output column with the name of an input column counts as this
    column. A `FunctionTransformer` therefore needs ``feature_names_out="one-to-one"``, or names
    that are those of its input. (`Normalizer` and `KNNImputer` keep names, although they also look
    at the other columns of a row.)

    Coefficients can be compared only if the features have the same scale.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import ShrinkNetRegressor, summary
    >>> X, Y = load_linnerud(return_X_y=True, as_frame=True)
    >>> table = summary(ShrinkNetRegressor(alpha=50.0).fit(X, Y))
    >>> list(table.index), list(table.columns)
    (['Situps'], ['original', 'norm', 'Weight', 'Waist', 'Pulse', 'switch'])
    """
    pandas = imported("pandas", "summary", "plot")
    if isinstance(model, RegularizationPath):
        return _of_path(model, frequencies, pandas)
    *steps, last = steps_of(model) or [None]
    if not isinstance(last, SummarisedModel):
        raise TypeError(
            f"model is {type(last).__name__}, or a pipeline that ends with it: give a fitted "
            "linear estimator of shrinklin, a fitted Pipeline that ends with one, or a path. If a "
            "search such as GridSearchCV fitted it, give its best_estimator_."
        )
    check_is_fitted(last)
    linear: Any = linear_model(last)
    coef, n_features = np.atleast_2d(linear.coef_), linear.n_features_in_
    norms = np.linalg.norm(coef, axis=0)
    kept = [j for j in np.argsort(-norms, kind="stable") if coef[:, j].any()]
    given = _given_names([*steps, linear])
    n_given = None if given is None else len(given)
    made = origins_of_steps(steps, n_given, n_features) or []
    # As objects, so that None stays None.
    original = pandas.Series([_original(made[j], given) for j in kept], dtype=object)
    data = {"original": original.to_numpy(), "norm": norms[kept]}
    for name, values in zip(coefficient_names(linear), coef[:, kept], strict=True):
        data[f"coefficient of {name}" if name in _COLUMNS else name] = values
    if hasattr(linear, "switch_"):
        data["switch"] = linear.switch_[kept]
    if frequencies is not None:
        shares = _checked_frequencies(frequencies, n_given)
        data["frequency"] = [_frequency(made[j], shares) for j in kept]
    names = feature_names(steps, linear)
    return pandas.DataFrame(data, index=pandas.Index([names[j] for j in kept], name="feature"))


def _of_path(path, frequencies, pandas):
    if not len(path):
        raise ValueError("this path has no models: compute one with at least one alpha.")
    tables = {each.alpha: summary(each, frequencies) for each in path}
    # pandas does not tell the types of empty tables beside others.
    some = {alpha: table for alpha, table in tables.items() if len(table)} or tables
    return pandas.concat(some, names=["alpha"])


def _given_names(steps):
    """Names of the columns that the first step takes. None if not even their number is known."""
    first = steps[0]
    generated = [f"x{j}" for j in range(getattr(first, "n_features_in_", 0))]
    return list(getattr(first, "feature_names_in_", generated)) or None


def feature_names(steps, linear):
    """Names of the columns that a fitted model takes after these steps of a pipeline."""
    if hasattr(linear, "feature_names_in_"):
        return linear.feature_names_in_
    names = _given_names([*steps, linear])
    try:
        for step in steps:
            names = step.get_feature_names_out(names)
    except (AttributeError, TypeError, ValueError):  # a step has no names
        names = []
    n_features = linear.n_features_in_
    return names if len(names) == n_features else [f"x{j}" for j in range(n_features)]


def coefficient_names(linear):
    """A name for every row of ``coef_``: of the target or class, the second one of two classes."""
    if hasattr(linear, "classes_"):
        classes = linear.classes_.tolist()
        names = classes[1:] if len(classes) == 2 else classes
    else:
        n_targets = len(np.atleast_2d(linear.coef_))
        names = list(getattr(linear, "target_names_in_", []))
        if len(set(names)) < n_targets:
            one = linear.coef_.ndim == 1
            names = ["coefficient"] if one else [f"target {k}" for k in range(n_targets)]
    return names


def _original(made, given):
    if made is None:
        return None
    columns = tuple(given[j] for j in sorted(made))
    return columns[0] if len(columns) == 1 else columns


def _frequency(made, shares):
    return shares[min(made)] if made is not None and len(made) == 1 else np.nan


def _checked_frequencies(frequencies, n_columns):
    shares = np.asarray(frequencies, dtype=float)
    right = shares.ndim == 1 and (n_columns is None or len(shares) == n_columns)
    if not right or not ((shares >= 0) & (shares <= 1)).all():
        number = "one" if n_columns is None else f"{n_columns}, one"
        raise ValueError(
            f"frequencies has shape {shares.shape}: give shares between 0 and 1, {number} per "
            "column of the X that the model takes, as selection_frequencies(model, X, y) returns "
            "them."
        )
    return shares
