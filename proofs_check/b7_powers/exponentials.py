"""The minimum of a sum of exponentials, by Newton's method."""

import numpy as np

N_STEPS, N_HALVINGS = 200, 40
ROUNDING = 1e-14


def lowest(weights, exponents):
    """The y with the least sum of w_k exp((Ey)_k).

    The sum is convex. It has to have a minimum.

    Parameters
    ----------
    weights : array-like of shape (n_terms,)
        Positive.
    exponents : array-like of shape (n_terms, n_variables)
        The matrix E.

    Returns
    -------
    ndarray of shape (n_variables,)
    """
    weights, exponents = np.asarray(weights, float), np.asarray(exponents, float)
    y = np.zeros(exponents.shape[1])
    for _ in range(N_STEPS):
        terms = weights * np.exp(exponents @ y)
        gradient = exponents.T @ terms
        if np.abs(gradient).max() <= ROUNDING * terms.sum():
            break
        step = np.linalg.solve((exponents.T * terms) @ exponents, gradient)
        y = _descended(y, step, lambda at: (weights * np.exp(exponents @ at)).sum())
    return y


def _descended(y, step, value):
    """y less the longest of step, step/2, step/4, ... that does not raise the value."""
    before = value(y)
    for _ in range(N_HALVINGS):
        # A step that is far too long overflows.
        with np.errstate(over="ignore"):
            if value(y - step) <= before:
                return y - step
        step = step / 2
    return y
