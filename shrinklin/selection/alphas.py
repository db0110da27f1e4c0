"""The alphas to solve for: a grid from α_max down, or values that the user gives."""

from numbers import Integral

import numpy as np

from shrinklin.blas import one_blas_thread
from shrinklin.messages import warn
from shrinklin.validation.entries import real_array
from shrinklin.validation.parameters import check_real

# If the gradient at zero is below this share of its largest possible value, it is rounding error.
_NOTHING = 1e-12


def strength_grid(largest, n, eps):
    """n strengths, evenly spaced on a logarithmic scale from the largest down to eps times it."""
    return largest * np.geomspace(1, eps, n)


def alpha_grid(alphas, eps, problem, objective):
    """Alphas from large to small. `regularization_path` describes `alphas` and `eps`."""
    with one_blas_thread():
        alphas = _alphas(alphas, eps, problem, objective)
    problem.check(alphas[-1])
    return alphas


def largest_useful_alpha(problem, objective):
    """α_max, or 0 if only rounding errors could make a feature enter."""
    noise = _NOTHING * np.sqrt(2 * objective.smooth.value_at_zero)
    with one_blas_thread():
        if objective.residual_scale <= noise:
            return 0.0
        return problem.alpha_at(objective.strength_max())


def warn_if_alphas_are_too_large(name, problem, objective, path):
    """Warn if no model of a search keeps a feature because all alphas exceed α_max."""
    largest = largest_useful_alpha(problem, objective)
    if not path.n_selected.any() and path.alphas[-1] > largest > 0:
        warn(
            f"{name} keeps no feature at any of its alphas: even the smallest, "
            f"{path.alphas[-1]:g}, is above alpha_max={largest:.3g}, where the first feature "
            f"enters. Give alphas between {largest / 1000:.2g} and {largest:.2g}, or "
            "only their number.",
        )


def _alphas(alphas, eps, problem, objective):
    if isinstance(alphas, Integral) and not isinstance(alphas, bool):
        if alphas < 1:
            raise ValueError(f"alphas={alphas}: give the number of alphas, >= 1, or their values.")
        check_real("eps", eps, 0, open_end=True)
        if eps >= 1:
            raise ValueError(
                f"eps={eps!r}: give the ratio of the smallest to the largest "
                "alpha, between 0 and 1."
            )
        # If no feature can enter, as with a constant y, any grid is as good.
        grid = strength_grid(objective.strength_max() or 1.0, alphas, eps)
        return np.array([problem.alpha_at(strength) for strength in grid])
    wanted = f"alphas={alphas!r}: give the number of alphas, or a 1-D array of finite values >= 0."
    return np.sort(non_negative(alphas, wanted))[::-1]


def non_negative(values, wanted):
    """Finite numbers >= 0, as a 1-D array that is not empty. `wanted` is the error message."""
    try:
        values = real_array(values)
    except ValueError as error:
        raise ValueError(f"{wanted} ({error})") from error
    if values.ndim != 1 or values.size == 0 or not (values >= 0).all() or np.isinf(values).any():
        raise ValueError(wanted)
    return values
