"""Checks of what the user gives: each error says what was given and what to do."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

SPARSE_FORMATS = ("csr", "csc")


def check_real(name, value, least):
    """Raise unless value is a finite number >= least."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: give a finite number >= {least}.")
    if not np.isfinite(value) or value < least:
        raise ValueError(f"{name}={value!r}: give a finite number >= {least}.")


def check_weights(sample_weight, X):
    """Sample weights as float64 (n_samples,), None meaning ones; see errors."""
    if sample_weight is None:
        return np.ones(X.shape[0])
    s = check_array(sample_weight, ensure_2d=False, dtype=float, input_name="sample_weight")
    if s.ndim != 1:
        raise ValueError(f"sample_weight has shape {s.shape}: give one weight a row of X, or None.")
    check_consistent_length(s, X)
    if (s < 0).any():
        raise ValueError(
            f"sample_weight has {(s < 0).sum()} negative entries: weights are >= 0; give 0 to "
            "leave a row out."
        )
    if not s.any():
        raise ValueError("sample_weight is zero on every row: give at least one row weight > 0.")
    return s
