"""What fits cost beside what no method avoids: `python -m benchmarks.limits`.

Each figure is a ratio of two times, or sizes, taken in turn within one run, `--repeats` times; the
median is written to results/limits.csv, and the growth drawn.

- floor: the group lasso path of 100 alphas on 100 000 × 500 × 10, of the products X'X and X'Y;
- search: a ShrinkNet path, two-ended, of the group lasso path on the same data;
- float32: the path on X in float64, of that on X in float32;
- start: a new process that imports shrinklin and fits, of one that imports sklearn.linear_model;
- memory: what paths take beside the interpreter and its imports, X included, of X;
- growth: exponents of time in the number of samples, and of features at a fixed support.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from benchmarks.problems import gaussian
from shrinklin import GroupLassoRegressor, ShrinkNetRegressor, regularization_path

TALL, WIDE = (100_000, 500, 10), (500, 20_000, 10)
SAMPLES, FEATURES = (10_000, 40_000, 100_000, 400_000), (10_000, 20_000, 40_000, 80_000)

_FIRST_FIT = """
import numpy as np
from shrinklin import GroupLassoRegressor
X = np.random.default_rng(0).standard_normal((200, 20))
GroupLassoRegressor(alpha=0.1).fit(X, X[:, :3])
"""

_MEMORY = """
import numpy as np
from pathlib import Path
import shrinklin
model = shrinklin.MODEL()
rng = np.random.default_rng(0)
def targets(X):
    Y = X[:, :TARGETS] + rng.standard_normal((len(X), TARGETS))
    return Y.argmax(axis=1) if "Classifier" in "MODEL" else Y
few = rng.standard_normal((500, 20))
shrinklin.regularization_path(model, few, targets(few), alphas=3)
def peak():
    # Linux. getrusage would begin with what the process that starts this one takes.
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])
before = peak()
X = np.empty((100_000, 500))
for rows in range(0, len(X), 1000):
    X[rows : rows + 1000] = rng.standard_normal((1000, 500))
y = targets(X)
shrinklin.regularization_path(model, X, y, alphas=ALPHAS, eps=EPS)
print((peak() - before) / X.nbytes)
"""


def path(X, Y, model=GroupLassoRegressor, n=100, eps=1e-3):
    return regularization_path(model(fit_intercept=False), X, Y, alphas=n, eps=eps)


def seconds(job):
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def ratio(job, other, repeats):
    """The median of job's time over that of the other, in turn."""
    return statistics.median(seconds(job) / seconds(other) for _ in range(repeats))


def process(code, **environment):
    """Run code in a new interpreter; returns what it printed."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    # pip compiles to bytecode what it installs; what is run from its sources has to keep it.
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""} | environment
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def memory(model, n_targets, n_alphas, eps):
    """What a path of that model takes, X included, of X."""
    code = _MEMORY
    for name, value in (
        ("MODEL", model), ("TARGETS", n_targets), ("ALPHAS", n_alphas), ("EPS", eps),
    ):  # fmt: skip
        code = code.replace(name, str(value))
    return float(process(code))


def on_tall_data(repeats):
    X, Y = gaussian(TALL)
    single = X.astype(np.float32), Y.astype(np.float32)
    bridge = ShrinkNetRegressor
    yield (
        "floor",
        "path / (X'X and X'Y)",
        ratio(lambda: path(X, Y), lambda: (X.T @ X, X.T @ Y), repeats),
    )
    yield (
        "float32, tall",
        "float64 / float32",
        ratio(lambda: path(X, Y), lambda: path(*single), repeats),
    )
    yield (
        "search, tall",
        "ShrinkNet / group lasso",
        ratio(lambda: path(X, Y, bridge), lambda: path(X, Y), repeats),
    )


def on_wide_data(repeats):
    X, Y = gaussian(WIDE, noise=3.0, n_relevant=20)
    single = X.astype(np.float32), Y.astype(np.float32)
    wide = {"n": 50, "eps": 0.1}
    yield (
        "float32, wide",
        "float64 / float32",
        ratio(lambda: path(X, Y, **wide), lambda: path(*single, **wide), repeats),
    )
    yield (
        "search, wide",
        "ShrinkNet / group lasso",
        ratio(lambda: path(X, Y, ShrinkNetRegressor, **wide), lambda: path(X, Y, **wide), repeats),
    )


def of_a_new_process(repeats):
    process(_FIRST_FIT)
    yield (
        "start",
        "first fit / import sklearn.linear_model",
        ratio(lambda: process(_FIRST_FIT), lambda: process("import sklearn.linear_model"), repeats),
    )
    for model, n_targets, n_alphas, eps in (
        ("GroupLassoRegressor", 10, 100, 1e-3),
        ("GroupLassoClassifier", 4, 20, 0.01),
        ("ShrinkNetClassifier", 4, 5, 0.1),
    ):
        yield f"memory, {model}", "path / X", memory(model, n_targets, n_alphas, eps)


def growth(repeats):
    """(name, sizes, seconds) of the tall path by samples and the wide one by features."""
    by_samples = [gaussian((n, *TALL[1:])) for n in SAMPLES[:1]]  # what compiles and pages in
    path(*by_samples[0])
    for name, sizes, shape, options in (
        ("samples", SAMPLES, lambda n: (n, *TALL[1:]), {}),
        ("features", FEATURES, lambda p: (WIDE[0], p, WIDE[2]), {"n": 50, "eps": 0.1}),
    ):
        taken = []
        for size in tqdm(sizes, desc=f"growth in {name}"):
            noise, n_relevant = (5.0, 50) if name == "samples" else (0.5, 10)
            X, Y = gaussian(shape(size), noise, n_relevant)
            runs = [seconds(lambda: path(X, Y, **options)) for _ in range(repeats)]  # noqa: B023
            taken.append(statistics.median(runs))
        yield name, sizes, taken


def draw(curves, out):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, (name, sizes, taken) in zip(figure.subplots(1, 2), curves, strict=True):
        axes.loglog(sizes, taken, "o-", label="group lasso path")
        line = np.array(sizes) / sizes[-1] * taken[-1]
        axes.loglog(sizes, line, ":", color="grey", label="proportional")
        axes.set_xticks(sizes, [f"{size:,}".replace(",", " ") for size in sizes], fontsize=8)
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes.set(xlabel=f"number of {name}", ylabel="seconds")
        axes.legend(frameon=False)
    figure.savefig(out / "growth.png", dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    path(*gaussian((500, 60, 2)))
    path(*gaussian((50, 2000, 2)), ShrinkNetRegressor, 5, 0.1)
    rows = []
    for part in (of_a_new_process, on_tall_data, on_wide_data):
        for row in part(options.repeats):
            print(*row, sep="\t", flush=True)
            rows.append(row)
    curves = list(growth(max(1, options.repeats // 2)))
    for name, sizes, taken in curves:
        exponent = np.polyfit(np.log(sizes), np.log(taken), 1)[0]
        steepest = max(np.diff(np.log(taken)) / np.diff(np.log(sizes)))
        rows += [
            (f"growth in {name}", "exponent", exponent),
            (f"growth in {name}", "largest exponent between two sizes", steepest),
        ]
        rows += [(f"{size} {name}", "seconds", t) for size, t in zip(sizes, taken, strict=True)]
    table = pd.DataFrame(rows, columns=["figure", "of what", "value"])
    table.round(3).to_csv(options.out / "limits.csv", index=False)
    draw(curves, options.out)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
