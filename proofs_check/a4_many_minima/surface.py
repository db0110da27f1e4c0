"""The objective of A.4 over two switches, for its picture."""

from fractions import Fraction

import numpy as np

from proofs_check.a4_many_minima.one_layer import Problem

# Two features, somewhat correlated; both are kept at the minimum.
EXAMPLE = Problem(
    X=((Fraction(2), Fraction(1)), (Fraction(0), Fraction(2)), (Fraction(-1), Fraction(1))),
    Y=((Fraction(3),), (Fraction(-2),), (Fraction(-3),)),
    lam=Fraction(1),
    lam2=Fraction(1, 2),
    p=2,
)


def surface(example, grid):
    """The objective over (β₁, β₂), minimised over A; two features, p = 2.

    Parameters
    ----------
    example : Problem
    grid : ndarray of shape (m,)
        The values of each switch.

    Returns
    -------
    values : ndarray of shape (m, m)
        One row per β₂ and one column per β₁, as in `contour(grid, grid, values)`.
    """
    if example.p != 2:
        raise ValueError(f"A has a closed form for p = 2, not for p = {example.p}.")
    X, Y = example.arrays()
    beta = np.stack(np.meshgrid(grid, grid), axis=-1)
    gated = X * beta[..., None, :]
    moment = np.swapaxes(gated, -1, -2) @ Y
    ridge = np.swapaxes(gated, -1, -2) @ gated + float(example.lam2) * np.eye(X.shape[1])
    explained = np.sum(moment * np.linalg.solve(ridge, moment), axis=(-1, -2))
    return np.sum(Y**2) - explained + float(example.lam) * np.abs(beta).sum(axis=-1)
