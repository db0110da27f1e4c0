"""How much faster shrunk networks predict: section 4.3 of 001.

A network is trained at full size, and with switches at several λ. Each network that shrinks gives
three: with its switches, folded, and a static one of the same architecture with all layers
narrower by one factor, as wide as the parameters of the folded one allow, trained for as many
epochs. The full one and the smallest folded one are also compiled by `torch.compile`, where this
works within minutes; otherwise the column `skipped` says why not. All of them predict one row, and
many rows at once.

Seconds are CPU seconds of a call on one thread, which are those of a clock if nothing else runs.
All networks are timed in turn, in random order, many times; "seconds" is the lower quartile. So
ratios within a run hold on a busy machine, seconds themselves do so less. Speed depends on sizes
alone, so training is short; accuracy is measured wherever equal accuracy is claimed. GPUs are left
out. The authors compare with networks of a random search; here there is one static network for
each λ, and the full one.

The perceptron is trained on tables and on images of digits (MNIST), VGG on images of three
channels (a JPEG copy of CIFAR10), much narrower than VGG16. In the
quick form images of VGG are digits, enlarged.
"""

from dataclasses import dataclass

import numpy as np

from experiments.experiment import Experiment, Outcome, Verdict
from experiments.network_data import load_classes

PERCEPTRON, VGG = "perceptron", "VGG"
FULL, SWITCHES, FOLDED, STATIC = "full", "switches", "folded", "static"
COMPILED_FULL, COMPILED_FOLDED = "compiled full", "compiled folded"

# A speed-up is at least the ratio of sizes to this power where it is direct: × 16 within a factor
# of 2. Ratios below `_SMALLER` are not judged, as a power says little of them.
_DIRECT, _SMALLER = 0.75, 1.5
# Overhead dominates if the power is at most this one.
_DOMINATED = 0.25
# Ratios of seconds that are a difference.
_FASTER = 1.05


@dataclass(frozen=True)
class Sizes:
    """How much of a network is trained and timed."""

    hidden: str
    rows: tuple
    epochs: int
    learning_rate: float
    lambdas: tuple
    batch: int


_FULL = {
    PERCEPTRON: Sizes("300-100", (6000, 3000), 12, 0.004, (3e-3, 1e-2, 3e-2), 512),
    VGG: Sizes("16-24-24-48-48-96", (3000, 3000), 12, 0.004, (3e-3, 1e-2, 3e-2), 64),
}
_QUICK = {
    PERCEPTRON: Sizes("400-400", (1200, 500), 8, 0.01, (1e-2, 5e-2), 512),
    VGG: Sizes("8-16-16-24-24-48", (500, 500), 6, 0.01, (5e-2, 5e-1), 64),
}
_REPEATS, _REPEATS_QUICK = 120, 40
_SEEDS, _SEEDS_QUICK = (1, 2, 3), (1,)


class Inference(Experiment):
    """Seconds to predict, of networks that shrank and of others."""

    name = "inference"
    about = "Seconds to predict, against the sizes of networks that shrank (section 4.3)"
    datasets = ("mnist", "cifar10")
    quick_datasets = ("digits",)
    timed = True
    networks = True

    def load(self, dataset, quick, data_home):
        """As `load_classes`."""
        return load_classes(dataset, data_home)

    def jobs(self, data, quick):
        """One job per network and seed: what is compared is timed in turn."""
        networks = {"cifar10": (VGG,), "digits": (PERCEPTRON, VGG)}.get(data.name, (PERCEPTRON,))
        seeds = _SEEDS_QUICK if quick else _SEEDS
        return [
            _job((_QUICK if quick else _FULL)[network], network, seed, quick)
            for network in networks
            for seed in seeds
        ]

    def measure(self, cells, data):
        """Size, accuracy, and quantiles of seconds."""
        from experiments.networks.inference import measured

        n_training, n_test = map(int, cells[0]["rows"].split("-"))
        training, _, test = data.split(cells[0]["seed"], n_training, 0, n_test)
        return measured(cells, [_shaped(X, y, cells[0]["network"]) for X, y in (training, test)])

    def summary(self, table):
        """One row per network and batch: means over seeds."""
        keys = ["network", "kind", "lambda", "batch"]
        found = table.groupby(keys, sort=False)
        means = found[["parameters", "multiply_adds", "test", "seconds"]].mean()
        spread = found["upper_seconds"].mean() / means["seconds"]
        return means.join(spread.rename("upper / lower quartile")).reset_index()

    def draw(self, table):
        return _draw(table)

    def verdicts(self, table):
        asked = [as_fast_as_small(table), faster_at_equal_accuracy(table)]
        if PERCEPTRON in set(table["network"]):
            asked.append(overhead_dominates(table))
        asked.append(folding_helps(table))
        if table["kind"].isin([COMPILED_FULL]).any():
            asked.append(compiled_at_one_row(table))
        return asked


def _job(sizes, network, seed, quick):
    settings = {
        "network": network,
        "hidden": sizes.hidden,
        "rows": "-".join(map(str, sizes.rows)),
        "epochs": sizes.epochs,
        "learning_rate": sizes.learning_rate,
        "repeats": _REPEATS_QUICK if quick else _REPEATS,
        "seed": seed,
    }
    kinds = [(kind, lam) for lam in sizes.lambdas for kind in (SWITCHES, FOLDED, STATIC)]
    # To compile takes longer than a quick run may; one seed is enough elsewhere.
    if not quick and seed == 1:
        kinds += [(COMPILED_FULL, 0.0), (COMPILED_FOLDED, sizes.lambdas[-1])]
    return [
        {**settings, "kind": kind, "lambda": lam, "batch": batch}
        for kind, lam in [(FULL, 0.0), *kinds]
        for batch in (1, sizes.batch)
    ]


def _shaped(X, y, network):
    """Rows for a network: flat ones, or images of 3 × 32 × 32."""
    if network == PERCEPTRON:
        return X.reshape(len(X), -1), y
    if X.ndim == 2:
        # Digits of 8 × 8.
        images = X.reshape(-1, 1, 8, 8).repeat(4, axis=2).repeat(4, axis=3)
        X = images.repeat(3, axis=1)
    return X, y


def speeds(table):
    """Folded networks beside the full one of the same seed and batch: means over seeds.

    Columns are the ratios `parameters`, `multiply_adds` and `seconds`, full to folded, `power` and
    `power_multiply_adds`, the powers of these ratios that the speed-up is, and `one_row`.
    """
    import pandas as pd

    keys = ["network", "seed", "batch"]
    full = table[table["kind"] == FULL].set_index(keys)
    folded = table[table["kind"] == FOLDED].reset_index(drop=True)
    base = full.loc[list(folded[keys].itertuples(index=False, name=None))]
    columns = ["parameters", "multiply_adds", "seconds"]
    ratios = pd.DataFrame({name: base[name].to_numpy() / folded[name] for name in columns})
    logs = np.log(ratios).join(folded[["network", "lambda", "batch"]])
    found = np.exp(logs.groupby(["network", "lambda", "batch"], sort=False).mean()).reset_index()
    return found.assign(
        power=np.log(found["seconds"]) / np.log(found["parameters"]),
        power_multiply_adds=np.log(found["seconds"]) / np.log(found["multiply_adds"]),
        one_row=found["batch"] == 1,
    )


def _by_network(rows, text):
    return "; ".join(
        f"{network}: " + ", ".join(text(row) for _, row in of.iterrows())
        for network, of in rows.groupby("network", sort=False)
    )


def _speed(row):
    return (
        f"λ = {row['lambda']:g} × {row['seconds']:.2f} with {row['parameters']:.1f} times fewer "
        f"parameters (power {row['power']:.2f}) and {row['multiply_adds']:.1f} times fewer "
        f"multiply-adds ({row['power_multiply_adds']:.2f})"
    )


def as_fast_as_small(table):
    """Verdict on bandwidth, at many rows."""
    found = speeds(table)
    rows = found[~found["one_row"] & (found["parameters"] >= _SMALLER)]
    return Verdict(
        "An improvement in size translates directly to higher bandwidth",
        "draft 001, 4.3; here on a CPU",
        Outcome.of_cases(list(rows["power"] >= _DIRECT)),
        f"with many rows at once, at every λ that leaves a network at least {_SMALLER} times "
        f"smaller, the speed-up is at least the ratio of parameters to the power {_DIRECT}",
        "at half of them or more",
        f"Speed-up of folded networks beside the full one. {_by_network(rows, _speed)}.",
    )


def overhead_dominates(table):
    """Verdict on single rows of a perceptron."""
    found = speeds(table)
    rows = found[
        found["one_row"] & (found["network"] == PERCEPTRON) & (found["parameters"] >= _SMALLER)
    ]
    others = found[found["one_row"] & (found["network"] != PERCEPTRON)]
    beside = f" Not judged: {_by_network(others, _speed)}." if len(others) else ""
    return Verdict(
        "Where a prediction is very fast already, for one row of a perceptron, a smaller network "
        "saves next to nothing",
        "draft 001, 4.3, of COVERTYPE: “dominated by noise”",
        Outcome.of_cases(list(rows["power"] <= _DOMINATED)),
        f"at every λ that leaves a network at least {_SMALLER} times smaller, the speed-up is at "
        f"most the ratio of parameters to the power {_DOMINATED}",
        "at half of them or more",
        f"Speed-up of folded networks for one row. {_by_network(rows, _speed)}.{beside}",
    )


def equally_accurate(table):
    """Folded networks beside the smallest static one that is as accurate: means over seeds.

    Columns are the accuracies `test` and `static_test`, and the ratios `parameters`, and `seconds`
    for many rows, static to folded; NaN where no static network is as accurate.
    """
    import pandas as pd

    rows = table[table["batch"] > 1]
    columns = ["parameters", "test", "seconds"]
    means = rows.groupby(["network", "kind", "lambda"], sort=False)[columns].mean().reset_index()
    found = []
    for _, own in means[means["kind"] == FOLDED].iterrows():
        others = means[
            (means["network"] == own["network"])
            & means["kind"].isin([STATIC, FULL])
            & (means["test"] >= own["test"])
        ]
        none = pd.Series(np.nan, columns)
        other = others.sort_values("parameters").iloc[0] if len(others) else none
        found.append(
            {
                **own[["network", "lambda", "test"]],
                "static_test": other["test"],
                "parameters": other["parameters"] / own["parameters"],
                "seconds": other["seconds"] / own["seconds"],
            }
        )
    return pd.DataFrame(found)


def faster_at_equal_accuracy(table):
    """Verdict on networks that are static, at equal accuracy."""
    found = equally_accurate(table)
    better = (found["seconds"] > _FASTER) & (found["parameters"] > 1)

    def text(row):
        own = f"λ = {row['lambda']:g} ({row['test']:.1%})"
        if np.isnan(row["seconds"]):
            return f"{own} no static one is as accurate"
        return (
            f"{own} static {row['static_test']:.1%}, × {row['parameters']:.2f} parameters and "
            f"× {row['seconds']:.2f} seconds"
        )

    return Verdict(
        "At equal accuracy networks that shrank are smaller and predict faster than static ones",
        "draft 001, 4.3 and figures 1–2",
        Outcome.of_cases(list(better | found["seconds"].isna())),
        f"at every λ the smallest static network (of those of equal size, and the full one) that "
        f"is at least as accurate on test rows, on average over seeds, has more parameters and "
        f"takes over {_FASTER} times the seconds for many rows, or there is none",
        "at half of the λ or more",
        f"Means over seeds. {_by_network(found, text)}.",
    )


def pairs_of(table, slow, fast):
    """Ratios of seconds of two kinds at the same λ: geometric means over seeds."""
    keys = ["network", "lambda", "batch", "seed"]
    seconds = [table[table["kind"] == kind].set_index(keys)["seconds"] for kind in (slow, fast)]
    logs = np.log(seconds[0] / seconds[1])
    return np.exp(logs.groupby(level=keys[:-1], sort=False).mean()).reset_index()


def folding_helps(table):
    """Verdict on switches that are folded."""
    ratios = pairs_of(table, SWITCHES, FOLDED)
    beside = pairs_of(table, STATIC, FOLDED)["seconds"]
    return Verdict(
        "Folding switches into layers makes predictions faster",
        "ours, after draft 001, 3.2",
        Outcome.of_cases(list(ratios["seconds"] > _FASTER)),
        f"for every λ, with one row and with many, the network with switches takes over {_FASTER} "
        "times the seconds of the folded one",
        "in half of the cases or more",
        "Seconds with switches, as multiples of those of the folded network. "
        + _by_network(
            ratios,
            lambda row: (
                f"λ = {row['lambda']:g}, {row['batch']} "
                f"{'row' if row['batch'] == 1 else 'rows'} × {row['seconds']:.2f}"
            ),
        )
        + f". Static networks of equal size, whose layers have other shapes, take × "
        f"{beside.min():.2f} to × {beside.max():.2f}.",
    )


def compiled_at_one_row(table):
    """Verdict on single rows, with less overhead."""
    rows = table[(table["batch"] == 1) & (table["seed"] == table["seed"].min())]
    holds, texts = [], []
    for network, of in rows.groupby("network", sort=False):
        by_kind = of.set_index("kind")
        skipped = by_kind.loc[[COMPILED_FULL, COMPILED_FOLDED], "skipped"].dropna()
        if len(skipped):
            texts.append(f"{network}: {skipped.iloc[0]}")
            holds.append(False)
            continue
        full, small = by_kind.loc[COMPILED_FULL], by_kind.loc[COMPILED_FOLDED]
        ratio = full["seconds"] / small["seconds"]
        lam = small["lambda"]
        folded = of[(of["kind"] == FOLDED) & (of["lambda"] == lam)].iloc[0]
        measurable = ratio > _FASTER and small["upper_seconds"] < full["seconds"]
        # What has more overhead is no software made for latency.
        holds.append(measurable and small["seconds"] <= folded["seconds"])
        eager = by_kind.loc[FULL]
        texts.append(
            f"{network}: compiled {1e6 * full['seconds']:.1f} and {1e6 * small['seconds']:.1f} µs "
            f"(× {ratio:.2f}), not compiled {1e6 * eager['seconds']:.1f} and "
            f"{1e6 * folded['seconds']:.1f} µs, at λ = {lam:g}"
        )
    return Verdict(
        "With software made for latency the improvement can be measured for one row, too",
        "draft 001, 4.3; here torch.compile",
        Outcome.of_cases(holds),
        f"compiled, the full network takes over {_FASTER} times the seconds of the smallest "
        "folded one for one row, beyond quartiles of repetitions, and to compile the folded one "
        "does not slow it down, for every network",
        "for half of the networks or more; what could not be compiled does not count as confirmed",
        f"Full and folded. {'; '.join(texts)}.",
    )


_COLORS = {FULL: "0.35", SWITCHES: "C1", FOLDED: "C0", STATIC: "C2"}
_COLORS |= {COMPILED_FULL: "C4", COMPILED_FOLDED: "C4"}
_MARKERS = {FULL: "X", SWITCHES: "s", FOLDED: "o", STATIC: "^"}
_MARKERS |= {COMPILED_FULL: "P", COMPILED_FOLDED: "P"}


def _draw(table):
    """Seconds against parameters, a panel for each network and batch."""
    import matplotlib.pyplot as plt

    networks = list(table["network"].unique())
    figure, axes = plt.subplots(
        len(networks), 2, figsize=(9.5, 3.7 * len(networks) + 0.7), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    for row, network in zip(axes, networks, strict=True):
        of = table[table["network"] == network]
        for ax, (batch, rows) in zip(row, of.groupby("batch"), strict=True):
            _draw_seconds(ax, rows)
            ax.set_title(f"{network}, {batch} row{'s' * (batch > 1)}", fontsize="medium")
    labels: dict = {}
    for ax in axes.flat:
        labels |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    figure.legend(labels.values(), labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_seconds(ax, rows):
    """Lower quartiles, bars to the upper ones, and a line of seconds proportional to parameters."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    for kind in dict.fromkeys(rows["kind"]):
        of = rows[rows["kind"] == kind].dropna(subset=["seconds"])
        micro = 1e6 * of[["seconds", "upper_seconds"]]
        above = micro["upper_seconds"] - micro["seconds"]
        name = "compiled" if kind.startswith("compiled") else kind
        ax.errorbar(
            of["parameters"], micro["seconds"], [0 * above, above], color=_COLORS[kind],
            marker=_MARKERS[kind], markerfacecolor="none", markersize=7, linestyle="",
            label=name,
        )  # fmt: skip
    full = rows[rows["kind"] == FULL][["parameters", "seconds"]].mean()
    sizes = np.array([rows["parameters"].min(), full["parameters"]])
    proportional = 1e6 * full["seconds"] * sizes / full["parameters"]
    ax.plot(sizes, proportional, color="0.6", linestyle=":", label="proportional")
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="µs per call")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(EngFormatter(sep=""))
        axis.set_minor_locator(NullLocator())
