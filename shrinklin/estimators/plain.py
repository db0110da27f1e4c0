"""A fitted model as an ordinary pipeline of scikit-learn."""

import numpy as np
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from shrinklin.estimators.selector import linear_model


class PlainModel:
    """A fitted linear model, or a choice of one, that scikit-learn alone can stand in for."""

    def to_sklearn(self) -> Pipeline:
        """The fitted model as a pipeline of scikit-learn that predicts the same.

        It holds nothing of shrinklin, so it can be unpickled without shrinklin, and converted by
        tools that know scikit-learn's estimators, such as skl2onnx and skops. It has two steps:
        "columns", a `SelectKBest` whose scores are the largest absolute coefficients, and "model",
        a `LinearRegression` or `LogisticRegression` with the coefficients of these columns.

        Returns
        -------
        sklearn.pipeline.Pipeline
            It takes the same columns as this model. It cannot be fitted again, because
            `SelectKBest` has no function that computes the scores.

        Notes
        -----
        A model that keeps no feature passes on one column, with coefficient 0, because
        scikit-learn's models need at least one.

        To replace the last step of a pipeline:
        ``Pipeline([*pipeline.steps[:-1], ("model", pipeline[-1].to_sklearn())])``.
        """
        check_is_fitted(self)
        model = linear_model(self)
        columns = _columns(model)
        kept = columns.get_support(indices=True)
        return Pipeline([("columns", columns), ("model", _linear(model, kept))])


def _columns(model):
    """A fitted selector of the columns with coefficients, or of one column if there are none."""
    # Not a ColumnTransformer, which skl2onnx does not take after other steps.
    sizes = np.abs(np.atleast_2d(model.coef_)).max(axis=0)
    # Without a score_func it cannot be fitted to other data, and skops has no function to trust.
    columns = SelectKBest(None, k=max(1, int(np.count_nonzero(sizes))))
    # The model gets an array, whatever the output that is configured for transformers.
    columns.set_output(transform="default")
    columns.scores_, columns.pvalues_ = sizes, None
    columns.n_features_in_ = model.n_features_in_
    if hasattr(model, "feature_names_in_"):
        columns.feature_names_in_ = model.feature_names_in_.copy()
    return columns


def _linear(model, kept):
    """A fitted model of the kept columns."""
    if hasattr(model, "classes_"):
        linear = LogisticRegression()
        linear.classes_ = model.classes_.copy()
        linear.n_iter_ = np.array([getattr(model, "n_iter_", 0)], dtype=np.int32)
    else:
        linear = LinearRegression()
    linear.fit_intercept = model.fit_intercept
    linear.coef_ = np.ascontiguousarray(model.coef_[..., kept])
    linear.intercept_ = np.copy(model.intercept_) if np.ndim(model.intercept_) else model.intercept_
    linear.n_features_in_ = len(kept)
    return linear
