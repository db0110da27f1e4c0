"""A fitted model as an ordinary pipeline of scikit-learn."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


class PlainModel:
    """A fitted linear model, or a choice of one, that scikit-learn alone can stand in for."""

    def to_sklearn(self) -> Pipeline:
        """The fitted model as a pipeline of scikit-learn that predicts the same.

        It holds nothing of shrinklin, so it can be unpickled without shrinklin, and converted by
        tools that know scikit-learn's estimators, such as skl2onnx and skops. It has two steps:
        "columns", a `ColumnTransformer` that passes on the columns with coefficients, and "model",
        a `LinearRegression` or `LogisticRegression` with their coefficients.

        Returns
        -------
        sklearn.pipeline.Pipeline
            A DataFrame that it predicts for needs only the columns with coefficients, in any order,
            if the model was fitted to named columns. Sparse matrices must be CSR or CSC.

        Notes
        -----
        A model that keeps no feature passes on the first column, with coefficient 0, because
        scikit-learn's models need at least one.

        To replace the last step of a pipeline:
        ``Pipeline([*pipeline.steps[:-1], ("model", pipeline[-1].to_sklearn())])``.

        Fitting the pipeline again fits `LinearRegression` or `LogisticRegression` to the same
        columns, without the penalty of shrinklin.
        """
        check_is_fitted(self)
        model = getattr(self, "estimator_", self)
        kept = np.flatnonzero(np.atleast_2d(model.coef_).any(axis=0))
        kept = kept if len(kept) else np.arange(1)
        return Pipeline([("columns", _columns(model, kept)), ("model", _linear(model, kept))])


def _columns(model, kept):
    """A fitted selection of columns."""
    selection = ColumnTransformer([("kept", "passthrough", kept.tolist())])
    # The model gets an array, whatever the output that is configured for transformers.
    selection.set_output(transform="default")
    selection.fit(np.zeros((1, model.n_features_in_)))
    if hasattr(model, "feature_names_in_"):
        selection.feature_names_in_ = np.array(model.feature_names_in_, dtype=object)
    return selection


def _linear(model, kept):
    """A fitted model of the kept columns."""
    if hasattr(model, "classes_"):
        linear = LogisticRegression()
        linear.classes_ = model.classes_.copy()
        linear.n_iter_ = np.array([model.n_iter_], dtype=np.int32)
    else:
        linear = LinearRegression()
    linear.fit_intercept = model.fit_intercept
    linear.coef_ = np.ascontiguousarray(model.coef_[..., kept])
    linear.intercept_ = np.copy(model.intercept_) if np.ndim(model.intercept_) else model.intercept_
    linear.n_features_in_ = len(kept)
    return linear
