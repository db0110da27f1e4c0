"""Which columns a network needs: ours against LassoNet, a forest and a linear model.

Data with columns of noise: digits (optdigits) and segment, each beside as many columns that are its
own in another order of the rows, and XOR of three columns among irrelevant ones. Each way of
choosing is asked for a number of columns:

- "annealed network": masks in front of the columns, which leave by `Annealing` while the network
  trains (the node form of CPNA). On XOR it begins again from other weights while its training loss
  is high.
- "ShrinkNetMLP": `ShrinkNetMLPClassifier(n_features=…)`; "ShrinkNetMLP, own choice" is the
  estimator as it comes, which chooses the number.
- "switches, λ": a switch in front of each column and four λ; of the networks with at most as many
  columns the one that is best on validation rows.
- "linear, annealed": a linear ShrinkNet that loses columns by `Annealing`.
- "forest": the columns of highest importance by impurity in a random forest of 200 trees, and a
  second forest on these.
- "LassoNet" (Lemhadri, Ruan, Abraham, Tibshirani, 2021), the authors' package: the first network
  on its path with at most as many columns. It is compared if it is installed (``pip install
  lassonet``; 0.0.21 runs with torch 2.13). The validation rows stop its training early.

Columns are judged twice: by the model that chose them ("own accuracy"), and by a plain network that
is trained on them anew, the same for all ways ("refitted"). Rows are split 64 : 16 : 20 into
training, validation and test rows; XOR is drawn anew for each seed. Times are CPU seconds on one
thread; those of a path count up to the network that is taken.

What our sizes leave out: LassoNet has its own settings except for batches of 256 rows, with which
it finds XOR and without which it does not, and steps of λ by 3 instead of 2 %, which save time.
Where its path jumps it keeps fewer columns than are asked for. Settings, ours too, were chosen on
seeds from 100 on; the seeds here begin at 0.
"""

import time
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

import datasets
from experiments.experiment import Experiment, Outcome, Verdict
from experiments.network_data import ClassData, Tables, load_classes, with_noise
from experiments.repeated import mean, standard_error
from shrinklin import Annealing, GradientDescent, ShrinkNetClassifier

ANNEALED, SHRINKNET_MLP, SWITCHES = "annealed network", "ShrinkNetMLP", "switches, λ"
OWN_CHOICE = "ShrinkNetMLP, own choice"
LINEAR, FOREST, LASSONET = "linear, annealed", "forest", "LassoNet"
WAYS = (ANNEALED, SHRINKNET_MLP, SWITCHES, OWN_CHOICE, LINEAR, FOREST, LASSONET)
_FAST = (ANNEALED, OWN_CHOICE, LINEAR, FOREST)
OWN, REFITTED = "accuracy", "refitted"

XOR, K = "xor", 3
# Test rows per training row, which decides how much the rows of splits overlap. Data that are drawn
# anew do not.
OVERLAP = {XOR: 0.0}
SPLIT = (0.64, 0.16, 0.2)
# Points of accuracy that noise may hide where something is "no worse"; a clear ratio of times.
MARGIN, MUCH_FASTER = 1.0, 2.0
# Ways are compared where they keep so many of the columns that are asked for.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Sizes:
    """How many columns of each dataset are asked for, ways, seeds, and the size of XOR."""

    asked: dict
    ways: tuple
    seeds: int
    n_xor: int
    p_xor: int


_FULL = Sizes({"optdigits": (10, 20, 40), "segment": (4, 8), XOR: (K,)}, WAYS, 5, 3000, 40)
_QUICK = Sizes({"digits": (20,), "wine": (4,), XOR: (K,)}, _FAST, 3, 1200, 10)


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a seed.

    Attributes
    ----------
    name : str
        The dataset's.
    training, validation, test : tuple of ndarray
        X and y.
    n_classes : int
    """

    name: str
    training: tuple
    validation: tuple
    test: tuple
    n_classes: int


@dataclass(frozen=True, eq=False)
class Kept:
    """The columns that a way of choosing keeps.

    Attributes
    ----------
    columns : ndarray of int
    accuracy : float
        Of the model that chose them, on the test rows, in %.
    seconds : float
    held_out : float or None
        The accuracy on the validation rows, in %, if it is needed.
    """

    columns: np.ndarray
    accuracy: float
    seconds: float
    held_out: float | None = None


class NetworkFeatures(Experiment):
    """Columns kept and accuracy, on data with columns of noise."""

    name = "network-features"
    about = "Columns that networks choose, beside LassoNet, a forest and a linear model"
    datasets = ("network-features",)
    quick_datasets = ("network-features",)
    timed = True
    networks = True

    def load(self, dataset, quick, data_home):
        """All datasets, or the one that is named."""
        sizes = _QUICK if quick else _FULL
        names = list(sizes.asked) if dataset == self.name else [dataset]
        if not set(names) <= set(sizes.asked):
            raise ValueError(
                f"--dataset {dataset}: give one of {', '.join(sizes.asked)}, or {self.name} for "
                "all."
            )
        return Tables({name: noisy(name, sizes, data_home) for name in names})

    def jobs(self, data, quick):
        sizes = _QUICK if quick else _FULL
        return [
            [
                {"data": name, "seed": seed, "way": way, "asked": n, "quick": quick}
                for n in ((0,) if way == OWN_CHOICE else sizes.asked[name])
            ]
            for name in data
            for seed in range(sizes.seeds)
            for way in ways(sizes)
        ]

    def measure(self, cells, data):
        from experiments.networks.network_features import refitted

        name, seed, way = (cells[0][key] for key in ("data", "seed", "way"))
        sizes = _QUICK if cells[0]["quick"] else _FULL
        rows = rows_of(name, data[name], sizes, seed)
        asked = [cell["asked"] for cell in cells]
        found = chosen(way)(rows, asked, seed)
        return [results(kept, rows, seed, refitted) for kept in found]

    def summary(self, table):
        return summary(table)

    def draw(self, table):
        return draw(table)

    def verdicts(self, table):
        found = [no_noise(table), better_columns(table)]
        if LASSONET in set(table["way"]):
            found += [as_good_as_lassonet(table), faster(table), lassonet_outperforms(table)]
        return found


def ways(sizes):
    """The ways of choosing columns; LassoNet is one if it is installed."""
    return [way for way in sizes.ways if way != LASSONET or find_spec("lassonet")]


def noisy(name, sizes, data_home):
    """A table beside columns of noise. XOR, which is drawn by seeds, has only its size."""
    if name == XOR:
        return ClassData(name, np.empty((0, sizes.p_xor)), np.arange(2), f"{sizes.n_xor} rows")
    return with_noise(load_classes(name, data_home))


def rows_of(name, data, sizes, seed):
    """The `Rows` of a seed."""
    if name == XOR:
        n = sizes.n_xor
        X, y = datasets.make_xor(3 * n, data.X.shape[1], K, random_state=seed)
        X = X.astype(np.float32)
        parts = [(X[at : at + n], y[at : at + n]) for at in (0, n, 2 * n)]
    else:
        n = len(data.y)
        n_validation, n_test = round(SPLIT[1] * n), round(SPLIT[2] * n)
        parts = data.split(seed, n - n_validation - n_test, n_validation, n_test)
    training, validation, test = parts
    return Rows(name, training, validation, test, data.n_classes)


def n_informative(name, n_columns):
    """The first columns are informative, and the others noise."""
    return K if name == XOR else n_columns // 2


def chosen(way):
    """The function that chooses columns: of rows, the numbers that are asked for, and a seed."""
    if way in (LINEAR, FOREST):
        return {LINEAR: linear, FOREST: forest}[way]
    from experiments.networks import network_features as networks

    return {
        ANNEALED: networks.annealed,
        SHRINKNET_MLP: networks.estimated,
        OWN_CHOICE: networks.estimated,
        SWITCHES: networks.switched,
        LASSONET: networks.lassonet,
    }[way]


def linear(rows, asked, seed):
    """Linear ShrinkNets that lose columns by annealing."""
    found = []
    for n in asked:
        start = time.process_time()
        solver = GradientDescent(max_epochs=300, removal=Annealing(n))
        model = ShrinkNetClassifier(1e-3, solver=solver, random_state=seed)
        model.fit(*rows.training)
        seconds = time.process_time() - start
        found.append(
            Kept(np.flatnonzero(model.get_support()), 100 * model.score(*rows.test), seconds)
        )
    return found


def forest(rows, asked, seed):
    """The columns of highest importance by impurity, and a forest on these."""
    start = time.process_time()
    X, y = rows.training
    new = RandomForestClassifier(200, random_state=seed)
    order = np.argsort(-new.fit(X, y).feature_importances_, kind="stable")
    chosen_after = time.process_time() - start
    found = []
    for n in asked:
        start, columns = time.process_time(), np.sort(order[:n])
        again = RandomForestClassifier(200, random_state=seed).fit(X[:, columns], y)
        seconds = chosen_after + time.process_time() - start
        X_test, y_test = rows.test
        found.append(Kept(columns, 100 * again.score(X_test[:, columns], y_test), seconds))
    return found


def results(kept, rows, seed, refitted):
    """The results of a cell; empty if no model has as few columns."""
    if kept is None:
        return dict.fromkeys(["columns", "noise_columns", OWN, REFITTED, "seconds"])
    n_columns = rows.training[0].shape[1]
    noise = kept.columns >= n_informative(rows.name, n_columns)
    return {
        "columns": len(kept.columns),
        "noise_columns": int(noise.sum()),
        OWN: kept.accuracy,
        REFITTED: refitted(rows, kept.columns, seed),
        "seconds": kept.seconds,
    }


def summary(table):
    """Means over the seeds."""
    by = table.groupby(["data", "asked", "way"], sort=False)
    means = by[["columns", "noise_columns", OWN, REFITTED, "seconds"]].mean()
    errors = {
        (data, asked, way): standard_error(found[OWN], overlap(data))
        for (data, asked, way), found in by
    }
    means.insert(3, "± (standard error)", pd.Series(errors))
    return means.round(2)


def overlap(data):
    """Test rows per training row, as `mean` takes them."""
    return OVERLAP.get(data, SPLIT[2] / SPLIT[0])


def cases(table):
    """The pairs of a dataset and a number of columns that was asked for."""
    asked = table[table["asked"] > 0]
    return list(dict.fromkeys(zip(asked["data"], asked["asked"], strict=True)))


def difference(table, case, way, other, column):
    """The `Mean` over seeds of the difference of two ways in points.

    None if one of them has no model, or fewer columns than are asked for by more than a tenth.
    """
    data, asked = case
    rows = table[(table["data"] == data) & (table["asked"] == asked)]
    of, kept = (
        rows.pivot(index="seed", columns="way", values=name) for name in (column, "columns")
    )
    found = (of[way] - of[other]).to_numpy(float)
    few = kept[[way, other]].mean().min() < NEARLY_ALL * asked
    return None if few or np.isnan(found).any() else mean(found, overlap(data))


def differences(table, way, other, column):
    """`difference` of each case, by its title."""
    found = {title(case): difference(table, case, way, other, column) for case in cases(table)}
    return {name: one for name, one in found.items() if one is not None}


def _of_case(table, case, way):
    data, asked = case
    return table[(table["data"] == data) & (table["asked"] == asked) & (table["way"] == way)]


def title(case):
    data, asked = case
    return f"{data} {asked}"


def _listed(found):
    return "; ".join(f"{name} {one}" for name, one in found.items())


def _note(table):
    """What all verdicts say of the runs."""
    installed = LASSONET in set(table["way"])
    return f"{table['seed'].nunique()} seeds" + (
        "" if installed else "; without LassoNet: the full form compares it if it is installed"
    )


def _left_out(table, way):
    """The cases that are not compared because `way` keeps too few columns."""
    few = [
        f"{title(case)} ({n:.1f})"
        for case in cases(table)
        for n in [_of_case(table, case, way)["columns"].mean()]
        if not n >= NEARLY_ALL * case[1]
    ]
    return (
        f" Not compared, as {way} keeps fewer columns on the mean: {', '.join(few)}." if few else ""
    )


def no_noise(table):
    """Our claim about columns of noise."""
    found = table[table["asked"] > 0].groupby(["way", "data", "asked"], sort=False)
    noise = found["noise_columns"].sum()
    ours = {title(case): int(noise[ANNEALED, *case]) for case in cases(table)}
    holds = [n == 0 for n in ours.values()]
    totals = noise.groupby("way", sort=False).sum()
    kept = found["columns"].sum().groupby("way", sort=False).sum()
    return Verdict(
        "The annealed network keeps no column of noise",
        "ours",
        Outcome.of_cases(holds),
        "it keeps none with any seed, on any dataset, at any number of columns",
        "so on half of the datasets and numbers of columns or more",
        f"{_note(table)}. Noise columns of the annealed network, summed over seeds: "
        + "; ".join(f"{name} {n}" for name, n in ours.items())
        + ". All ways, of all columns that they kept: "
        + "; ".join(f"{way} {totals[way]:.0f} of {kept[way]:.0f}" for way in totals.index)
        + ".",
    )


def better_columns(table):
    """Our claim about the columns of the forest and of the linear model."""
    found = {other: differences(table, ANNEALED, other, REFITTED) for other in (FOREST, LINEAR)}
    holds = [one.not_below_0(MARGIN) for of in found.values() for one in of.values()]
    better = sum(one.above_0 for of in found.values() for one in of.values())
    return Verdict(
        "The columns of the annealed network are at least as good for a network as those of a "
        "forest or of a linear model",
        "ours",
        Outcome.of_cases(holds),
        "for each dataset, number of columns and peer, the interval of the difference in accuracy "
        f"of a network trained anew reaches 0 and stays above -{MARGIN:g} points",
        "for half of them or more",
        f"{_note(table)}. Differences in points with 95 % intervals: "
        + " | ".join(f"from the {other}: {_listed(of)}" for other, of in found.items())
        + f". It holds in {sum(holds)} of {len(holds)} cases; better in {better}.",
    )


def as_good_as_lassonet(table):
    """Our claim about accuracy beside LassoNet."""
    found = {column: differences(table, ANNEALED, LASSONET, column) for column in (OWN, REFITTED)}
    holds = [one.not_below_0(MARGIN) for of in found.values() for one in of.values()]
    return Verdict(
        "With as many columns, the annealed network is at least as accurate as LassoNet",
        "ours; LassoNet: Lemhadri, Ruan, Abraham and Tibshirani (2021)",
        Outcome.of_cases(holds),
        "for each dataset and number of columns, the interval of the difference reaches 0 and "
        f"stays above -{MARGIN:g} points, both for the models themselves and for a network "
        "trained anew on the columns of each",
        "for half of them or more",
        f"{_note(table)}. Differences in points with 95 % intervals, the models themselves: "
        f"{_listed(found[OWN])}; trained anew: {_listed(found[REFITTED])}. It holds in "
        f"{sum(holds)} of {len(holds)} cases." + _left_out(table, LASSONET),
    )


def faster(table):
    """Our claim about time beside LassoNet."""
    found = {}
    for data, asked in cases(table):
        theirs, ours = (
            _of_case(table, (data, asked), way).set_index("seed")["seconds"]
            for way in (LASSONET, ANNEALED)
        )
        found[title((data, asked))] = theirs / ours
    holds = [ratio.min() >= MUCH_FASTER for ratio in found.values()]
    return Verdict(
        "The annealed network needs much less time than LassoNet's path",
        "ours",
        Outcome.of_cases(holds),
        f"for each dataset and number of columns it needs at most 1/{MUCH_FASTER:g} of the CPU "
        "time, with every seed",
        "for half of them or more",
        f"{_note(table)}. LassoNet's CPU time divided by ours, median (range): "
        + "; ".join(
            f"{name} {ratio.median():.3g} ({ratio.min():.3g} to {ratio.max():.3g})"
            for name, ratio in found.items()
        )
        + ". The whole path has networks of all sizes; its time is counted up to the one that is "
        "compared.",
    )


def lassonet_outperforms(table):
    """LassoNet's claim about other ways of selecting features."""
    peers = [way for way in WAYS if way not in (LASSONET, OWN_CHOICE)]
    found = {peer: differences(table, LASSONET, peer, REFITTED) for peer in peers}
    names = list(dict.fromkeys(name for of in found.values() for name in of))
    better = [all(of[name].above_0 for of in found.values() if name in of) for name in names]
    counts = "; ".join(
        f"{peer} {sum(one.above_0 for one in of.values())} and "
        f"{sum(one.below_0 for one in of.values())} of {len(of)}"
        for peer, of in found.items()
    )
    return Verdict(
        "LassoNet significantly outperforms other methods of feature selection",
        "Lemhadri, Ruan, Abraham and Tibshirani (2021), abstract, of the methods of its time",
        Outcome.of_cases(better),
        "for each dataset and number of columns, a network trained anew on its columns is more "
        "accurate than one on those of each other way: the whole interval of the difference is "
        "above 0",
        "for half of them or more",
        f"{_note(table)}. It is so in {sum(better)} of {len(better)} cases. Cases in which its "
        f"columns are better and worse than those of a peer: {counts}."
        + _left_out(table, LASSONET),
    )


_MARKS = dict(zip(WAYS, "Do^ps*v", strict=True))


def draw(table):
    """Test error against columns: of the models themselves, and of networks trained anew."""
    import matplotlib.pyplot as plt

    names = list(table["data"].unique())
    figure, axes = plt.subplots(
        len(names), 2, figsize=(7.5, 1.2 + 2.6 * len(names)), layout="constrained", squeeze=False,
        sharey="row",
    )  # fmt: skip
    for row, name in zip(axes, names, strict=True):
        for ax, column in zip(row, (OWN, REFITTED), strict=True):
            _panel(ax, table[table["data"] == name], name, column)
    axes[0, 0].set_title("the model that chose the columns", fontsize="medium")
    axes[0, 1].set_title("a network trained on them anew", fontsize="medium")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _panel(ax, table, name, column):
    from matplotlib.ticker import LogFormatter

    ways_there = list(dict.fromkeys(table["way"]))
    for place, way in enumerate(ways_there):
        by = table[table["way"] == way].groupby("asked")
        # Beside one another where all keep the same number.
        shift = 1 + 0.015 * (place - (len(ways_there) - 1) / 2)
        ax.errorbar(
            by["columns"].mean() * shift,
            100 - by[column].mean(),
            yerr=[standard_error(found[column], overlap(name)) for _, found in by],
            fmt=_MARKS[way],
            color=f"C{WAYS.index(way)}",
            capsize=2,
            linestyle="-",
            linewidth=1,
            markersize=5,
            label=way,
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
    ax.set_xlabel(f"{name}: columns kept")
    if column == OWN:
        ax.set_ylabel("test error (%)")
    ax.grid(alpha=0.3)
