"""Check that values fit in a floating-point dtype."""

import numpy as np


def predictions(X, coef, intercept):
    """X coef.T + intercept, of shape (n_samples, ..). Raises if a value overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        Z = X @ coef.T + intercept
    fits = np.isfinite(Z).reshape(len(Z), -1).all(axis=1)
    if not fits.all():
        raise ValueError(
            f"the predictions are too large for {Z.dtype} in {np.count_nonzero(~fits)} of {len(Z)} "
            f"rows, first in row {fits.argmin()}: check that X has the same units as in fit."
        )
    return Z


def narrowest(dtype, *arrays):
    """dtype, or float64 if dtype would turn a value into 0 or infinity, or keep few digits."""
    if dtype == np.float64:
        return dtype
    with np.errstate(over="ignore", under="ignore"):
        casts = [array.astype(dtype) for array in arrays]
    kept = all(
        np.isfinite(cast).all() and np.array_equal(np.abs(cast) >= np.finfo(dtype).tiny, array != 0)
        for cast, array in zip(casts, arrays, strict=True)
    )
    return dtype if kept else np.dtype(float)
