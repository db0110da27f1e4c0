"""The methods, the size of a run, and its cells."""

from dataclasses import dataclass

import numpy as np

GROUP_LASSO, REFITTED = "group lasso", "group lasso, refitted"
SHRINKNET, SHRINKNET_1 = "ShrinkNet, p = 2", "ShrinkNet, p = 1"
TRAINED_LASSO, TRAINED_SHRINKNET = "group lasso, Adagrad", "ShrinkNet, Adagrad"
EXACT = (GROUP_LASSO, REFITTED, SHRINKNET, SHRINKNET_1)
TRAINED = (TRAINED_LASSO, TRAINED_SHRINKNET)

ALL = "all"

# For classification; gina_prior2, one of the drafts' two datasets, has 3468 rows.
MOST_ROWS, MOST_ROWS_QUICK = 3468, 400


def _rounded(values):
    """Floats of six significant digits, as the last bits may differ on another CPU.

    Cells are identified by their values, and a run may be continued on another machine.
    """
    return [float(f"{value:.6g}") for value in values]


# The drafts' λ for the mean squared error: group lasso 1 to 1e-3, ShrinkNet 10 to 1e-4.
LAMBDAS = {
    TRAINED_LASSO: _rounded(np.logspace(0, -3, 13)),
    TRAINED_SHRINKNET: _rounded(np.logspace(1, -4, 11)),
}
LOG_RATES = (-1.2, -1.95)


@dataclass(frozen=True)
class Plan:
    """The size of a run.

    Attributes
    ----------
    steps : dict of str to int
        The number of alphas on the path of each exact method; 0 leaves the method out.
    eps : float
        Ratio of the last alpha to the first.
    epochs : tuple of int
        Epochs of gradient training, for the strongest and for the weakest λ.
    n_folds : int
    """

    steps: dict
    eps: float
    epochs: tuple
    n_folds: int


def plan(data, quick):
    """The `Plan` of a dataset: it takes minutes, in the quick form seconds.

    Group lasso gets more steps than ShrinkNet: they cost little, and more features enter in one
    step.
    """
    if data.card.task == "regression":
        return _regression_plan(quick, len(data.X))
    return _classification_plan(quick)


def _regression_plan(quick, n_samples):
    if quick:
        return Plan(_steps(24, 12, 6), 3e-3, (300, 700), 2)
    return Plan(_steps(60, 40, 40), 1e-3, (1000, 100_000), 5 if n_samples <= 5000 else 2)


def _classification_plan(quick):
    # A step of p = 1 takes four times as long as one of p = 2: too long for the quick form.
    if quick:
        return Plan(_steps(24, 8, 0), 3e-3, (300, 400), 2)
    return Plan(_steps(40, 16, 12), 3e-3, (1000, 2000), 2)


def _steps(lasso, shrinknet, shrinknet_1):
    return dict(zip(EXACT, (lasso, lasso, shrinknet, shrinknet_1), strict=True))


# Cells: all that a result depends on, apart from the data.


def path_cells(plan_, method, fold):
    shares = _rounded(plan_.eps ** np.linspace(0, 1, plan_.steps[method]) ** 2)
    return [_cell(plan_, method, fold, k, share) for k, share in enumerate(shares)]


def training_cells(plan_, method, fold):
    lambdas = LAMBDAS[method]
    rates = _rounded(np.logspace(*LOG_RATES, len(lambdas)))
    fewest, most = plan_.epochs
    epochs = np.geomspace(fewest, most, len(lambdas)).round().astype(int)
    return [
        _cell(plan_, method, fold, k, lambdas[k], int(epochs[k]), rates[k])
        for k in range(len(lambdas))
    ]


def _cell(plan_, method, fold, step, strength, epochs=0, rate=0.0):
    """`strength` is a share of the largest alpha of the path; for Adagrad, the drafts' λ."""
    return {
        "method": method,
        "fold": fold,
        "n_folds": plan_.n_folds,
        "step": step,
        "strength": strength,
        "epochs": epochs,
        "learning_rate": rate,
        # Another seed for each step, so that one lucky start does not decide a whole curve.
        "seed": step,
    }
