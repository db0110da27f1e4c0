"""Checks of sample weights and class weights."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from shrinklin.validation.entries import check_unmasked, real_array
from shrinklin.validation.parameters import check_real


def weights_of_rows(sample_weight, X):
    """Sample weights as float64 of shape (n_samples,). None means ones."""
    if sample_weight is None:
        return np.ones(X.shape[0])
    check_unmasked("sample_weight", sample_weight)
    given = np.asarray(sample_weight)
    if given.ndim != 1:
        raise ValueError(
            f"sample_weight has shape {given.shape}: give one weight per row of X, or None."
        )
    try:
        # Booleans select rows.
        s = given.astype(float) if given.dtype == bool else real_array(sample_weight)
    except ValueError as error:
        raise ValueError(
            f"sample_weight of dtype {given.dtype} is not numeric ({error}): give one finite "
            "weight >= 0 per row of X, or None."
        ) from error
    check_consistent_length(s, X)
    if not np.isfinite(s).all():
        raise ValueError(
            f"sample_weight contains NaN or infinity on {(~np.isfinite(s)).sum()} rows: give "
            "finite weights >= 0, 0 to leave a row out."
        )
    if (s < 0).any():
        raise ValueError(
            f"sample_weight has {(s < 0).sum()} negative entries: weights are >= 0; give 0 to "
            "leave a row out."
        )
    return s


def check_weights(sample_weight, X):
    """`weights_of_rows`. Raises an error if all weights are zero."""
    s = weights_of_rows(sample_weight, X)
    if not s.any():
        raise ValueError("sample_weight is zero on every row: give at least one row a weight > 0.")
    return s


def relative_weights(sample_weight, X):
    """Weights scaled so that the largest is near 1, if results depend only on their ratios."""
    s = check_weights(sample_weight, X)
    return s / power_of_four(s.max())


def power_of_four(sizes):
    """Powers of four near the sizes. Division by them, or by their square roots, is exact."""
    return np.ldexp(1.0, (np.frexp(sizes)[1] - 1) // 2 * 2)


def weigh_classes(class_weight, classes, codes, sample_weight):
    """Sample weights times the weights of their classes, `classes[codes]`."""
    s = sample_weight * _class_weights(class_weight, classes, codes, sample_weight)[codes]
    present = classes[np.unique(codes[s > 0])].tolist()
    if len(present) < 2:
        found = f"one class, {present[0]!r}," if present else "no class"
        raise ValueError(
            f"y has {found} on the rows whose sample_weight and class_weight are not 0: a "
            "classifier needs at least two classes."
        )
    return s


def _class_weights(class_weight, classes, codes, sample_weight):
    if isinstance(class_weight, str) and class_weight == "balanced":
        # Balanced by weight, not by count: a row of weight 2 counts like two equal rows.
        share = np.bincount(codes, sample_weight, len(classes)) / sample_weight.sum()
        return 1 / (len(classes) * np.where(share > 0, share, 1.0))
    given = {} if class_weight is None else class_weight
    if not isinstance(given, dict):
        raise ValueError(
            f'class_weight={given!r}: give None, "balanced", or a dict of label to weight.'
        )
    for label, weight in given.items():
        check_real(f"class_weight[{label!r}]", weight, 0)
    found = classes.tolist()
    _check_labels_of_weights(given, found)
    return np.array([float(given.get(label, 1)) for label in found])


def _check_labels_of_weights(class_weight, found):
    """As in scikit-learn, a dict with labels that y lacks must contain all labels of y."""
    unknown = [label for label in class_weight if label not in found]
    without = [label for label in found if label not in class_weight]
    if unknown and without:
        raise ValueError(
            f"class_weight has weights for {unknown}, which are not among the labels {found} of y, "
            f"but none for {without}: give every label of y a weight; 1 leaves it unchanged."
        )
