"""X, y and sample weights as estimators take them, and the classes of `partial_fit`.

What is wrong with them is said with a remedy. `estimator` is the one that is fitted: it gets
``n_features_in_`` and ``feature_names_in_`` if `reset`, and is compared with them if not.
"""

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import validate_data

from shrinklin.validation.data import (
    SPARSE_FORMATS,
    check_given,
    diagnosis,
    features,
    labels,
)
from shrinklin.validation.entries import check_undated, check_unmasked
from shrinklin.validation.weights import weigh_classes, weights_of_rows


def checked_targets(estimator, X, y, *, accept_sparse=SPARSE_FORMATS, reset=True):
    """X and the targets y of a regressor, as arrays."""
    check_given(estimator, y)
    y = y.toarray() if sparse.issparse(y) else y
    check_unmasked("y", y)
    check_undated("y", y)
    X = features(X)
    try:
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse=accept_sparse,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
            reset=reset,
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise diagnosis(estimator, X, y, error) from error
    if y.dtype.kind not in "biuf":
        raise ValueError(
            f"Complex data not supported: y has dtype {y.dtype}, and a regressor takes real "
            "numbers. Fit the real and the imaginary parts as two targets."
            if y.dtype.kind == "c"
            else f"y has dtype {y.dtype}: a regressor takes real numbers. Convert y, or use a "
            "classifier for labels."
        )
    return X, y


def checked_labels(estimator, X, y, *, accept_sparse=SPARSE_FORMATS, of_all_calls=None, reset=True):
    """X and the labels y of a classifier, as arrays.

    If the classes `of_all_calls` of `partial_fit` are known, y need not have several.
    """
    check_given(estimator, y)
    check_unmasked("y", y)
    X = features(X)
    try:
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse=accept_sparse,
            dtype=[np.float64, np.float32],
            reset=reset,
        )
        y = labels(y)
        if of_all_calls is None:
            check_classification_targets(y)
    except (TypeError, ValueError, OverflowError) as error:
        raise diagnosis(estimator, X, y, error) from error
    return X, y


# What calls of `partial_fit` have in common.


def refuse_balanced(class_weight):
    """Raise an error for a `class_weight` that needs the rows of all calls."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        raise ValueError(
            'class_weight="balanced" needs the number of rows of every class in all calls, '
            "which partial_fit does not know: give a dict of label to weight, for instance "
            "n_rows / (n_classes * n_rows_of_class), counted on a sample."
        )


def classes_of_all_calls(estimator, classes):
    """The sorted class labels, as given now or in an earlier call."""
    known = getattr(estimator, "classes_", None)
    if classes is None:
        if known is None:
            raise ValueError(
                "classes=None in the first call of partial_fit: give all labels that y may "
                "have in any call, for instance classes=np.unique(y) for the y of all data. "
                "Later calls do not need classes."
            )
        return known
    given = _sorted_labels(classes)
    if known is not None and not np.array_equal(known, given):
        raise ValueError(
            f"classes={given.tolist()} differ from those of the model, {known.tolist()}: give "
            "the same classes or None, or start again with a clone."
        )
    return given if known is None else known


def _sorted_labels(classes):
    """The given classes, sorted and without duplicates."""
    wanted = "give a list of all labels that y may have in any call of partial_fit, at least two"
    if np.ndim(classes) != 1 or len(classes) == 0:
        raise ValueError(f"classes={classes!r}: {wanted}.")
    check_unmasked("classes", classes)
    try:
        given = unique_labels(labels(classes))
        # Repeated, because scikit-learn warns if nearly all labels differ.
        check_classification_targets(np.tile(given, 3))
    except (TypeError, ValueError) as error:
        raise ValueError(f"classes={classes!r}: {wanted}. These are not labels: {error}") from error
    if len(given) < 2:
        raise ValueError(f"classes={given.tolist()} is only one class: {wanted}.")
    return given


def codes_of(estimator, y, classes):
    """For every row, the position of its class in `classes`."""
    numbers = {label: k for k, label in enumerate(classes.tolist())}
    given = y.tolist()
    unknown = {label: None for label in given if label not in numbers}
    if unknown:
        shown = ", ".join(map(repr, list(unknown)[:5])) + (", …" if len(unknown) > 5 else "")
        begin = "Start again with a clone, and give" if hasattr(estimator, "classes_") else "Give"
        raise ValueError(
            f"y has labels that are not among the classes {classes.tolist()}: {shown}. {begin} "
            "all labels as classes in the first call of partial_fit."
        )
    return np.array([numbers[label] for label in given], dtype=int)


def weights_of_call(estimator, sample_weight, X, classes, codes):
    """Sample weights times class weights. They are all 0 if the call adds nothing."""
    # One row per class, because a chunk need not contain all classes.
    every = np.arange(len(classes))
    factors = weigh_classes(estimator.class_weight, classes, every, np.ones(len(classes)))
    s = weights_of_rows(sample_weight, X)
    with np.errstate(over="ignore"):
        s = s * factors[codes]
        if not np.isfinite(s.sum()):
            raise ValueError(
                "the sum of sample_weight times class_weight is too large for float64: divide "
                "the weights of every call by the same number."
            )
    return s


def refuse_weightless(s):
    """Raise an error if all rows of the first call have weight 0."""
    if not s.any():
        raise ValueError(
            "sample_weight times class_weight is zero on every row of the first call of "
            "partial_fit: give at least one row a weight > 0."
        )
