"""Made-up results of the experiment `tradeoff`."""

import numpy as np
import pandas as pd

from experiments.tradeoff.settings import (
    ALL,
    GROUP_LASSO,
    REFITTED,
    SHRINKNET,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)


def made_up(curves, p=100):
    """A table of {method: (features, training losses, held-out losses)}."""
    rows = [
        {
            "method": method,
            "fold": fold,
            "step": step,
            "n_columns": p,
            "lambda": 10.0**-step,
            # Folds differ; only their mean lies on the curve.
            "n_features": n + (0 if fold == ALL else 0.5 - int(fold)),
            "sparsity": 1 - n / p,
            "training_loss": training,
            "held_out_loss": np.nan if fold == ALL else held_out * (0.8 + 0.4 * int(fold)),
        }
        for method, columns in curves.items()
        for fold in (ALL, "0", "1")
        for step, (n, training, held_out) in enumerate(zip(*columns, strict=True))
    ]
    return pd.DataFrame(rows)


SIZES = np.array([0, 2, 4, 8, 16, 32, 64])


def losses(factor, start=1):
    """A curve that falls with the number of features, times a factor from point `start` on.

    Before `start` it is 2% higher, apart from the empty model.
    """
    found = 0.9 ** np.arange(len(SIZES))
    found[1:start] *= 1.02
    found[start:] *= factor
    return found


def table_of(shrinknet, refit=1.0, held_out=1.0, held_out_start=1, start=1):
    """A table in which losses are these multiples of group lasso's."""
    plain = losses(1)
    ours = losses(shrinknet, start), losses(held_out, held_out_start)
    return made_up(
        {
            GROUP_LASSO: (SIZES, plain, plain),
            REFITTED: (SIZES, losses(refit), losses(refit)),
            SHRINKNET: (SIZES, *ours),
            TRAINED_LASSO: (SIZES, plain, plain),
            TRAINED_SHRINKNET: (SIZES, *ours),
        }
    )
