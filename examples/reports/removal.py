"""
What early removal costs and saves
==================================

ShrinkNet trained by full-batch Adagrad with a switch before every feature: without removal,
with features removed while it runs by each of the strategies, and beside them the exact
solver on the same objective. The task is to complete the lower half of a handwritten digit
(32 targets) from its upper half (32 features) and as many columns of noise. What a fit
spends is counted, not timed.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    Annealing,
    CostDisplay,
    GradientDescent,
    HistoryDisplay,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
    Threshold,
)

EPOCHS = 3000
STRATEGIES = {
    "no removal": None,
    "threshold": Threshold(1e-2),
    "sign change": SignChange(),
    "sign variance": SignVariance(gamma=0.99),
    "annealing": Annealing(n_features=20),
}


def digits_and_noise():
    """Standardised X (1797, 64) and Y (1797, 32)."""
    images = load_digits().data
    noise = np.random.default_rng(0).normal(size=(len(images), 32))
    X = StandardScaler().fit_transform(np.hstack([images[:, :32], noise]))
    Y = StandardScaler().fit_transform(images[:, 32:])
    return X, Y


def fit_all(X, Y):
    """A fitted model for every strategy, and the exact one."""
    models = {
        name: ShrinkNetRegressor(
            alpha=0.3,
            solver=GradientDescent(max_epochs=EPOCHS, removal=removal),
            random_state=0,
            verbose=1,
        ).fit(X, Y)
        for name, removal in STRATEGIES.items()
    }
    return models | {"exact solver": ShrinkNetRegressor(alpha=0.3).fit(X, Y)}


def table(models):
    """What each model reached and what it spent, relative to training without removal."""
    first = models["no removal"].cost_
    rows = [
        {
            "objective": model.objective_,
            "features": int(model.get_support().sum()),
            "neuron-epochs": model.cost_.neuron_epochs / first.neuron_epochs,
            "parameter updates": model.cost_.parameter_updates / first.parameter_updates,
            "multiply-adds": model.cost_.multiply_adds / first.multiply_adds,
        }
        for model in models.values()
    ]
    return pd.DataFrame(rows, index=list(models))


def draw(models, out):
    """One training on the left, what all of them cost on the right."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    HistoryDisplay.from_estimator(models["sign variance"], ax=left)
    left.set_title("training with SignVariance(gamma=0.99)")
    CostDisplay.from_estimators(models, ax=right)
    right.set_title("what each fit cost")
    figure.savefig(out, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("=\n\n")[1])
    parser.add_argument("--out", default="removal.png", help="where the picture goes")
    out = parser.parse_args().out
    models = fit_all(*digits_and_noise())
    print(table(models).round(4).to_string())
    draw(models, out)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
