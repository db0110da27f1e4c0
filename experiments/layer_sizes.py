"""Sizes of layers while a network shrinks, and whether they depend on the data: figure 3 of 001.

The authors show the sizes of all layers of VGG16 over time for a large and a smaller network, and
report that at the same λ networks for Fashion-MNIST stayed considerably bigger than for MNIST:
data with the same classes, inputs and shares of classes, only harder.

Fashion-MNIST is not used here. In its place stands a harder decision about the same images. A row
shows two digits beside each other, each at half its width and height. The label "digit" is the
digit on the left. The label "sum" is the last digit of the sum of both. The second image is drawn
such that both labels have exactly the same shares of classes. So the inputs, the number of classes
and the distribution of outputs are not only similar but the same, which Fashion-MNIST does not
offer: only the decision differs. A sum needs both digits and is much harder to learn from so few
rows. It is another kind of harder than clothes are, and what holds for it need not hold for them.

A perceptron with three hidden layers of switches is trained at several λ on both labels, from the
same seeds, by Adam with a learning rate that falls along a cosine and `SignVariance` with γ = 0.9.
The learning rate was chosen by validation rows of seed 0. Convolutions are left out, and λ₂ is 0.
"""

from dataclasses import dataclass

import numpy as np

from experiments.experiment import Experiment, Outcome, Verdict
from experiments.network_data import load_classes

DIGIT, SUM = "digit", "sum"
LABELS = (DIGIT, SUM)
N_DIGITS = 10

# "Considerably bigger", and by more than this many standard errors of paired differences.
_BIGGER, _CLEAR = 1.25, 2
# Figure 3: 92.07 % against 90.5 %; and what counts as simpler.
_SLIGHTLY, _SIMPLER = 0.016, 0.5


@dataclass(frozen=True)
class Sizes:
    """How much is tried and trained."""

    n_training: int
    n_validation: int
    n_test: int
    # How many rows each image is in, on the left.
    repeats: int
    hidden: str
    epochs: int
    learning_rate: float
    lambdas: tuple
    n_seeds: int


_FULL = Sizes(
    n_training=10_000,
    n_validation=3000,
    n_test=3000,
    repeats=1,
    hidden="200-200-200",
    epochs=40,
    learning_rate=0.002,
    lambdas=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    n_seeds=5,
)
_QUICK = Sizes(
    n_training=1000,
    n_validation=300,
    n_test=497,
    repeats=3,
    hidden="60-60-60",
    epochs=15,
    learning_rate=0.005,
    lambdas=(1e-3, 1e-2, 3e-2),
    n_seeds=3,
)


class LayerSizes(Experiment):
    """Sizes of layers over time and at the end, for an easy and a harder label."""

    name = "layer-sizes"
    about = "Sizes of layers over time, and λ → size for an easy and a harder label (figure 3)"
    datasets = ("mnist",)
    quick_datasets = ("digits",)
    networks = True

    def load(self, dataset, quick, data_home):
        """As `load_classes`, with ten classes, which are digits to be added."""
        data = load_classes(dataset, data_home)
        if data.n_classes != N_DIGITS:
            raise ValueError(
                f"{dataset} has {data.n_classes} classes, but layer-sizes adds digits: give data "
                f"with {N_DIGITS} classes."
            )
        return data

    def jobs(self, data, quick):
        """One job per training."""
        sizes = _QUICK if quick else _FULL
        names = ("n_training", "n_validation", "n_test", "repeats", "hidden", "epochs")
        settings = {name: getattr(sizes, name) for name in (*names, "learning_rate")}
        return [
            [{"label": label, "lambda": lam, "seed": seed, **settings}]
            for lam in sizes.lambdas
            for label in LABELS
            for seed in range(1, sizes.n_seeds + 1)
        ]

    def measure(self, cells, data):
        """Accuracies, parameters, and the sizes of layers after each epoch, from "before"."""
        from experiments.networks.layer_sizes import measured

        return [measured(cell, pairs_of(cell, data)) for cell in cells]

    def summary(self, table):
        """One row per label and λ: means over seeds."""
        groups = table.groupby(["label", "lambda"], sort=False)
        found = groups[["train", "validation", "test", "parameters"]].mean()
        ends = table.assign(end=[course_of(text)[-1] for text in table["sizes"]])
        layers = ends.groupby(["label", "lambda"], sort=False)["end"].agg(_mean_sizes)
        deviation = groups["parameters"].std().rename("±")
        return found.join(deviation).join(layers.rename("layers")).reset_index()

    def draw(self, table):
        return _draw(table)

    def verdicts(self, table):
        return [reflects_data(table), smaller_at_little_loss(table)]


def pairs_of(cell, data):
    """Training, validation and test rows of a cell."""
    parts = data.split(cell["seed"], cell["n_training"], cell["n_validation"], cell["n_test"])
    rng = np.random.default_rng(cell["seed"])
    parts = [(halved(X), y) for X, y in parts]
    return [pairs(X, y, cell["label"], rng, cell["repeats"]) for X, y in parts]


def halved(X):
    """Images as rows, at half their width and height; images that are rows already as they are."""
    if X.ndim == 2:
        return X
    n, channels, height, width = X.shape
    blocks = X.reshape(n, channels, height // 2, 2, width // 2, 2)
    return blocks.mean(axis=(3, 5)).reshape(n, -1)


def pairs(X, y, label, rng, repeats=1):
    """Rows of two images, and their label.

    Parameters
    ----------
    X : ndarray of shape (n_images, n_features)
    y : ndarray of shape (n_images,)
        Digits, each at least once.
    label : {"digit", "sum"}
        What the row is labelled with: the first digit, or the last digit of the sum.
    rng : numpy Generator
        It draws the second images: the same for both labels.
    repeats : int
        How many rows an image comes first in.

    Returns
    -------
    X, y : ndarrays of shapes (repeats * n_images, 2 * n_features) and (repeats * n_images,)
        The label has the same shares of classes as the digits, whatever it is.
    """
    first = np.tile(np.arange(len(y)), repeats)
    # The labels "sum" are the digits in another order, and decide about the second digits.
    sums = rng.permutation(y[first])
    digits = (sums - y[first]) % N_DIGITS
    second = np.empty(len(first), dtype=int)
    for digit in range(N_DIGITS):
        rows = np.flatnonzero(digits == digit)
        second[rows] = rng.choice(np.flatnonzero(y == digit), len(rows))
    return np.hstack([X[first], X[second]]), y[first] if label == DIGIT else sums


def course_of(text):
    """Sizes over time, from their text: an array (1 + n_epochs, n_layers)."""
    return np.array([[int(n) for n in sizes.split("-")] for sizes in text.split(" ")])


def _mean_sizes(ends):
    return "-".join(f"{n:.0f}" for n in np.mean(list(ends), axis=0))


def compared(table):
    """One row per λ: sizes for both labels, and their paired difference in standard errors."""
    import pandas as pd

    rows = []
    for lam, of in table.groupby("lambda"):
        wide = of.pivot_table("parameters", "seed", "label")
        difference = (wide[SUM] - wide[DIGIT]).to_numpy()
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        means = wide.mean()
        ratio = means[SUM] / means[DIGIT]
        clear = difference.mean() > _CLEAR * error
        accuracies = of.groupby("label")["test"].mean()
        rows.append([lam, means[DIGIT], means[SUM], ratio, clear, *accuracies[[DIGIT, SUM]]])
    names = ["lambda", DIGIT, SUM, "ratio", "clear", "accuracy digit", "accuracy sum"]
    return pd.DataFrame(rows, columns=names)


def reflects_data(table):
    """Verdict on λ → size: are networks bigger where the decision is harder?"""
    found = compared(table)
    holds = found["clear"] & (found["ratio"] >= _BIGGER)
    texts = [
        f"λ = {row['lambda']:g}: {row[DIGIT]:.0f} parameters (accuracy {row['accuracy digit']:.3f})"
        f" and {row[SUM]:.0f} ({row['accuracy sum']:.3f}), × {row['ratio']:.2f}"
        f"{'' if row['clear'] else ', not clearly more'}"
        for _, row in found.iterrows()
    ]
    return Verdict(
        "At a fixed λ networks stay considerably bigger where the decision is harder, with the "
        "same number of classes, inputs and distribution of outputs",
        "draft 001, 4.4, of Fashion-MNIST and MNIST; here of sums and digits",
        Outcome.of_cases(list(holds)),
        f"at every λ the harder label leaves at least {_BIGGER} times the parameters on average, "
        f"and more by over {_CLEAR} standard errors of differences paired by seed",
        "so at half of the λ or more",
        f"Means over seeds for digits and sums. {'; '.join(texts)}.",
    )


def ends_of(table, label):
    """The λ of the best mean validation accuracy, and of the smallest network close to it."""
    means = table[table["label"] == label].groupby("lambda").mean(numeric_only=True)
    best = means["validation"].idxmax()
    close = means[means["validation"] >= means["validation"].max() - _SLIGHTLY]
    return best, close["parameters"].idxmin(), means


def smaller_at_little_loss(table):
    """Verdict on the two networks of figure 3."""
    holds, texts = [], []
    for label in LABELS:
        best, small, means = ends_of(table, label)
        share = means["parameters"][small] / means["parameters"][best]
        loss = means["test"][best] - means["test"][small]
        holds.append(share <= _SIMPLER and loss <= _SLIGHTLY)
        texts.append(
            f"{label}: {means['test'][best]:.2%} with {means['parameters'][best]:.0f} parameters "
            f"(λ = {best:g}), {means['test'][small]:.2%} with {means['parameters'][small]:.0f} "
            f"(λ = {small:g})"
        )
    return Verdict(
        "A larger λ gives a much simpler network that is only slightly less accurate",
        "draft 001, 4.4 and figure 3: 92.07 % and 90.5 %",
        Outcome.of_cases(holds),
        f"for both labels, of the λ whose mean validation accuracy is at most {_SLIGHTLY:.1%} "
        f"below the best, that of the fewest parameters has at most {_SIMPLER:g} of those of the "
        f"best λ, and a mean test accuracy at most {_SLIGHTLY:.1%} below it",
        "for one of the two labels",
        f"Mean test accuracy. {'; '.join(texts)}.",
    )


_COLORS = {DIGIT: "C0", SUM: "C3"}
_NAMES = {DIGIT: "digit (easy)", SUM: "last digit of the sum (harder)"}


def _draw(table):
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(11, 6.5), layout="constrained")
    axes = figure.subplot_mosaic([["best", "size"], ["small", "accuracy"]])
    for name, lam in zip(("best", "small"), ends_of(table, DIGIT)[:2], strict=True):
        _draw_course(axes[name], table, lam)
    _draw_against_lambda(axes["size"], table, "parameters", 1)
    axes["size"].set(ylabel="parameters left", yscale="log")
    _draw_against_lambda(axes["accuracy"], table, "test", 100)
    axes["accuracy"].set(ylabel="test accuracy, %")
    axes["size"].set_title("the same λ, two labels of the same images", fontsize="medium")
    handles, labels = axes["size"].get_legend_handles_labels()
    axes["accuracy"].legend(handles, labels, frameon=False, loc="best")
    return figure


def _draw_course(ax, table, lam):
    """The sizes of layers of the first seed, for the easy label."""
    from shrinklin.display import LayerSizesDisplay

    rows = table[(table["label"] == DIGIT) & (table["lambda"] == lam)]
    row = rows.loc[rows["seed"].idxmin()]
    course = course_of(row["sizes"])
    history = {
        "epoch": np.arange(len(course)),
        "layer_sizes": {f"layer {k + 1}": sizes for k, sizes in enumerate(course.T)},
    }
    name = f"digit, λ = {lam:g}: test accuracy {row['test']:.1%}, {row['parameters']} parameters"
    LayerSizesDisplay(history, relative=False, name=name).plot(ax)
    ax.title.set_fontsize("medium")


def _draw_against_lambda(ax, table, column, factor):
    """Means over seeds with the range of seeds."""
    for label, color in _COLORS.items():
        groups = (factor * table[table["label"] == label].set_index("lambda")[column]).groupby(
            level=0
        )
        means = groups.mean()
        ax.fill_between(
            means.index, groups.min(), groups.max(), color=color, alpha=0.2, linewidth=0
        )
        ax.plot(means.index, means, color=color, marker="o", markersize=4, label=_NAMES[label])
    ax.set(xscale="log", xlabel="λ")
