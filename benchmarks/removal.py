"""What early removal costs and saves: `make bench`.

``oes97``: the drafts' study on oes97 (334 x 263 and 16 targets, standardised), λ_mse = 0.1,
λ₂ = 1e-8, full-batch Adagrad, 7000 epochs, 10 seeds. Losses are mean squared errors over
samples and targets, costs relative to training without removal with the same seed; and the
exact solver on the same objective. Needs the data: ``--arff`` names the file.

``time``: wall time of training with removal, relative to training without, on 2000 samples of
20 000 features of which 99 % die early.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import arff
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from shrinklin import GradientDescent, ShrinkNetRegressor, SignChange, SignVariance

OES97 = Path(__file__).parents[2] / "shared" / "data" / "multi_target" / "oes97.arff"
STRATEGIES = {
    "none": None,
    "sign change": SignChange(),
    "sign variance, γ = 0.99": SignVariance(gamma=0.99),
    "sign variance, γ = 0.999": SignVariance(gamma=0.999),
}


def oes97(file):
    rows = np.array([list(row) for row in arff.loadarff(file)[0]], dtype=float)
    table = StandardScaler().fit_transform(rows)
    return table[:, :-16], table[:, -16:]


def study(file, seeds=10, epochs=7000):
    """A row a strategy: mean and deviation over seeds; and the exact solver's."""
    X, Y = oes97(file)
    # The drafts average the squared error over samples and targets, the code halves it and
    # sums over targets.
    scale = Y.shape[1] / 2
    penalty = {"alpha": 0.1 * scale, "weight_decay": 1e-8 * scale}
    rows = []
    for seed in tqdm(range(seeds), desc="seeds"):
        models = {}
        for name, removal in STRATEGIES.items():
            solver = GradientDescent(max_epochs=epochs, learning_rate=0.05, removal=removal)
            model = ShrinkNetRegressor(**penalty, solver=solver, random_state=seed)
            models[name] = model.fit(X, Y)
        rows += [row(name, model, models["none"], scale) for name, model in models.items()]
    found = pd.DataFrame(rows).groupby("removal", sort=False)
    table = found.mean().join(found.std().add_suffix(" ±"))
    exact = ShrinkNetRegressor(**penalty).fit(X, Y)
    return table, exact, scale


def describe(exact, scale, X, Y):
    error = ((Y - exact.predict(X)) ** 2).mean()
    objective, features = exact.objective_ / scale, exact.get_support().sum()
    return f"exact solver: loss {error:.4f}, objective {objective:.4f}, {features} features"


def row(name, model, baseline, scale):
    cost, whole = model.cost_, baseline.cost_
    return {
        "removal": name,
        "loss": model.history_["loss"][-1] / scale,
        "loss / baseline": model.history_["loss"][-1] / baseline.history_["loss"][-1],
        "objective": model.objective_ / scale,
        "features": model.get_support().sum(),
        "neuron-epochs %": 100 * cost.neuron_epochs / whole.neuron_epochs,
        "updates %": 100 * cost.parameter_updates / whole.parameter_updates,
        "multiply-adds %": 100 * cost.multiply_adds / whole.multiply_adds,
    }


def measure_time(epochs=500, n_samples=2000, n_features=20_000, n_targets=5):
    """A row a strategy: seconds and costs, and both relative to no removal."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    W = rng.standard_normal((20, n_targets))
    Y = StandardScaler().fit_transform(X[:, :20] @ W + rng.standard_normal((n_samples, n_targets)))
    rows = []
    for name, removal in tqdm(STRATEGIES.items(), desc="strategies"):
        solver = GradientDescent(max_epochs=epochs, learning_rate=0.1, removal=removal)
        model = ShrinkNetRegressor(alpha=0.5 * n_targets, solver=solver, random_state=0)
        start = time.perf_counter()
        model.fit(X, Y)
        seconds = time.perf_counter() - start
        alive = model.history_["n_alive"]
        early = int(np.argmax(alive <= 0.01 * n_features)) or None
        rows.append((name, seconds, model.cost_.neuron_epochs, early))
    table = pd.DataFrame(rows, columns=["removal", "seconds", "neuron-epochs", "1 % left at epoch"])
    for column in ("seconds", "neuron-epochs"):
        table[f"{column} / none"] = table[column] / table[column][0]
    return table.set_index("removal")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arff", type=Path, default=OES97, help="oes97.arff, for the study")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    table = measure_time()
    table.round(4).to_csv(arguments.out / "removal_time.csv")
    print(table.round(3).to_string(), end="\n\n")
    if not arguments.arff.exists():
        print(f"oes97: skipped, {arguments.arff.name} is not there; --arff names the file")
        return
    table, *exact = study(arguments.arff)
    table.round(5).to_csv(arguments.out / "removal_oes97.csv")
    print(table.round(4).to_string())
    print(describe(*exact, *oes97(arguments.arff)))


if __name__ == "__main__":
    main()
