"""
A file that is read in chunks
=============================

A table of 40 features, of which 5 count, lies in a CSV file. Its chunks of rows come one after
the other: `partial_fit` makes after each the model of all rows so far, and its error on held-out
rows falls. Whoever wants the last model alone reads the whole file by `Moments.from_csv`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from shrinklin import GroupLassoRegressor, Moments, ShrinkNetRegressor

TARGETS = ["y0", "y1", "y2"]
CHUNK_ROWS, N_CHUNKS = 50, 20
MODELS = {"group lasso": GroupLassoRegressor(alpha=0.3), "ShrinkNet": ShrinkNetRegressor(alpha=0.3)}


def table(n_rows, seed):
    """Features x0 … x39 and three targets, which depend on x0 … x4."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 40)) + 0.5 * rng.normal(size=(n_rows, 1)) + 20
    Y = X[:, :5] @ np.random.default_rng(0).normal(size=(5, 3)) + 3 * rng.normal(size=(n_rows, 3))
    return pd.DataFrame(np.hstack([X, Y]), columns=[f"x{j}" for j in range(40)] + TARGETS)


def errors_as_chunks_arrive(model, file, held_out):
    """Mean squared error on held-out rows after each chunk."""
    errors = []
    for chunk in pd.read_csv(file, chunksize=CHUNK_ROWS):
        model.partial_fit(chunk.drop(columns=TARGETS), chunk[TARGETS])
        predicted = model.predict(held_out.drop(columns=TARGETS))
        errors.append(((held_out[TARGETS] - predicted) ** 2).to_numpy().mean())
    return errors


def draw(errors, out):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for name, values in errors.items():
        axes.plot(CHUNK_ROWS * np.arange(1, N_CHUNKS + 1), values, marker="o", ms=3, label=name)
    axes.axhline(9, color="0.6", linestyle=":", label="noise")
    axes.set(xlabel="rows read so far", ylabel="mean squared error, held out", xscale="log")
    ticks = [50, 100, 200, 500, 1000]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    figure.savefig(out, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("=\n\n")[1])
    parser.add_argument("--out", default="large_data.png", help="where the picture goes")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        table(CHUNK_ROWS * N_CHUNKS, seed=1).to_csv(file, index=False)
        held_out = table(50_000, seed=2)
        errors = {n: errors_as_chunks_arrive(m, file, held_out) for n, m in MODELS.items()}
        moments = Moments.from_csv(file, TARGETS, chunksize=CHUNK_ROWS)
    for name, model in MODELS.items():
        before = model.coef_
        model.fit_moments(moments)
        print(
            f"{name}: {model.get_support().sum()} of 40 features, held-out error "
            f"{errors[name][0]:.1f} after the first chunk, {errors[name][-1]:.2f} after the last; "
            f"the model of the whole file differs by {abs(model.coef_ - before).max():.0e}."
        )
    draw(errors, out)
    print(f"picture: {out}")


if __name__ == "__main__":
    main()
