"""What removal of units during training saves against removal at the end, and what it costs.

A perceptron is trained by Adam with a penalty on its gates at a constant rate, and then without
penalty at a rate that falls to 0 (fine-tuning). Its units are removed by some strategy

- early: from the first step on;
- late: all at once, at the end of the last epoch before fine-tuning. Sign strategies watch all
  steps, and remove what they would have removed in that epoch; the others look at its end;
- never.

All start from the same numbers and see rows in the same order. Accuracy on test rows is measured
before fine-tuning (for late removal: right after the cut) and after fine-tuning. Costs are those
of all of it: parameter updates, multiply-adds, CPU seconds.
Strategies are the sign change, the sign variance with several γ and a threshold on switches, and
closed units and a threshold on filters. (Sign variance does not suit filters, whose θ changes sign
once.)

The other part follows the authors' schedule: whenever the validation accuracy has not improved for
5 epochs, the learning rate is divided by 10, until it is too small to matter, for at most 80
epochs. It compares networks with switches and without: the epoch of the best validation accuracy,
in the second half of the training, as theirs, and the CPU seconds. The authors report means over a
random search of learning rates, penalties and batch sizes on VGG16 and a perceptron. Here there is
a perceptron alone, with one learning rate and two λ, and fewer rows of Covertype: a λ that leaves a
network about as accurate as one without switches, and one that leaves few units. Convolutions are
left out, so is λ₂. Learning rate and λ were set after trials with seeds 0 and 100. Covertype is a
copy with 93 000 of its 581 000 rows.
"""

from dataclasses import dataclass

import numpy as np

from experiments.experiment import Experiment, Outcome, Verdict
from experiments.network_data import load_classes

EARLY, LATE, NEVER = "early", "late", "never"
FIXED, PLATEAUS = "fixed", "plateaus"
SWITCH, FILTER, PLAIN = "switch", "filter", "none"
NONE, SIGN_CHANGE, SIGN_VARIANCE = "none", "sign change", "sign variance"
THRESHOLD, CLOSED = "threshold", "closed"
COSTS = {"parameter_updates": "updates", "multiply_adds": "multiply-adds", "seconds": "CPU seconds"}
_SETTING = ["lambda", "gate", "strategy", "parameter"]

# "At least an order of magnitude" and "minimal impact": a point of accuracy.
_FEW_UPDATES, _SMALL_IMPACT = 0.1, 0.01
# Less work than removal at the end, and no accuracy lost beside it.
_LESS_WORK, _NO_LOSS = 0.5, 0.005
# How many standard errors are clear, and which ratio of times counts as none: as in `authors_runs`.
_CLEAR, _SAME_TIME, _MONOTONE = 2, 1.25, 0.9


@dataclass(frozen=True)
class Sizes:
    """How much is tried and trained."""

    rows: tuple
    hidden: str
    batch: int
    learning_rate: float
    epochs: int
    fine_tuning: int
    lambdas: tuple
    # Values of 1 − γ, and of thresholds.
    gammas: tuple
    threshold: float
    n_seeds: int
    # Of the other part.
    most_epochs: int
    n_seeds_plateaus: int


_FULL = Sizes(
    rows=(20_000, 5000, 20_000),
    hidden="200-200-200",
    batch=256,
    learning_rate=0.003,
    epochs=25,
    fine_tuning=10,
    lambdas=(3e-4, 3e-3),
    gammas=(0.1, 0.01, 0.001),
    threshold=0.01,
    n_seeds=4,
    most_epochs=80,
    n_seeds_plateaus=8,
)
_QUICK = Sizes(
    rows=(1000, 300, 497),
    hidden="60-60-60",
    batch=50,
    learning_rate=0.01,
    epochs=10,
    fine_tuning=4,
    lambdas=(1e-2,),
    gammas=(0.1, 0.01),
    threshold=0.01,
    n_seeds=3,
    most_epochs=25,
    n_seeds_plateaus=3,
)


class EarlyRemovalNetworks(Experiment):
    """Removal during training, at the end and never; and how fast training converges."""

    name = "early-removal-networks"
    about = "Accuracy and cost of removal during the training of networks, and at its end"
    datasets = ("covertype93k",)
    quick_datasets = ("digits",)
    # CPU seconds differ, too, while other jobs run.
    timed = True
    networks = True

    def load(self, dataset, quick, data_home):
        """As `load_classes`."""
        return load_classes(dataset, data_home)

    def jobs(self, data, quick):
        """One job per λ, gate and seed, and one per training of the other part."""
        sizes = _QUICK if quick else _FULL
        fixed = [
            _compared(sizes, lam, gate, seed)
            for seed in range(1, sizes.n_seeds + 1)
            for lam in sizes.lambdas
            for gate in (SWITCH, FILTER)
        ]
        return fixed + [
            [_cell(sizes, PLATEAUS, seed, *setting)]
            for seed in range(1, sizes.n_seeds_plateaus + 1)
            for setting in _converging(sizes)
        ]

    def measure(self, cells, data):
        """Accuracies, parameters left, and costs."""
        from experiments.networks.early_removal_networks import measured

        return measured(cells, data.split(cells[0]["seed"], *map(int, _rows(cells[0]))))

    def summary(self, table):
        """One row per setting: means over seeds."""
        columns = ["test_before", "test", "parameters", "best_epoch", *COSTS]
        keys = ["schedule", *_SETTING, "removed"]
        return table.groupby(keys, sort=False)[columns].mean().reset_index()

    def draw(self, table):
        return _draw(table)

    def verdicts(self, table):
        return [
            saves_updates(table),
            costs_nothing(table),
            adapts(table),
            trades_off(table),
            converges_faster(table),
            takes_as_long(table),
        ]


def _rows(cell):
    return cell["rows"].split("-")


def _cell(sizes, schedule, seed, lam, gate, strategy, parameter, removed):
    return {
        "schedule": schedule,
        "lambda": lam,
        "gate": gate,
        "strategy": strategy,
        "parameter": parameter,
        "removed": removed,
        "seed": seed,
        "rows": "-".join(map(str, sizes.rows)),
        "hidden": sizes.hidden,
        "batch": sizes.batch,
        "learning_rate": sizes.learning_rate,
        "epochs": sizes.epochs if schedule == FIXED else sizes.most_epochs,
        "fine_tuning": sizes.fine_tuning if schedule == FIXED else 0,
    }


def _compared(sizes, lam, gate, seed):
    """The cells of a job."""
    strategies = [(CLOSED, 0.0), (THRESHOLD, sizes.threshold)]
    if gate == SWITCH:
        gammas = [(SIGN_VARIANCE, value) for value in sizes.gammas]
        strategies = [(SIGN_CHANGE, 1.0), *gammas, (THRESHOLD, sizes.threshold)]
    settings = [(NONE, 0.0, NEVER)]
    settings += [(*strategy, removed) for strategy in strategies for removed in (EARLY, LATE)]
    return [_cell(sizes, FIXED, seed, lam, gate, *setting) for setting in settings]


def _converging(sizes):
    """Settings of the other part; γ = 0.9, as it stays away from both ends."""
    switches = [(lam, SWITCH, SIGN_VARIANCE, 0.1, EARLY) for lam in sizes.lambdas]
    return [(0.0, PLAIN, NONE, 0.0, NEVER), *switches]


def beside(table, rows, removed, column):
    """The value of `column` in trainings of the table that are removed so, beside each of rows.

    It is that of the same seed, λ and gate, and for late removal of the same strategy.
    """
    keys = ["seed", "lambda", "gate"] + (["strategy", "parameter"] if removed == LATE else [])
    fixed = table[table["schedule"] == FIXED]
    values = fixed[fixed["removed"] == removed].set_index(keys)[column]
    return values.loc[list(rows[keys].itertuples(index=False, name=None))].to_numpy()


def early(table):
    """One row per early setting: means over seeds, beside late removal and none.

    Columns are `ratio_late_COST` and `ratio_never_COST`; `over_late`, `over_never` and
    `over_late_before` are differences of accuracies, and those ending in _error twice their
    standard errors.
    """
    rows = table[(table["schedule"] == FIXED) & (table["removed"] == EARLY)]
    found = rows[[*_SETTING, "test", "test_before", "parameters"]].copy()
    for removed in (LATE, NEVER):
        for cost in (*COSTS, "parameters"):
            found[f"ratio_{removed}_{cost}"] = rows[cost] / beside(table, rows, removed, cost)
        found[f"over_{removed}"] = rows["test"] - beside(table, rows, removed, "test")
    found["over_late_before"] = rows["test_before"] - beside(table, rows, LATE, "test_before")
    found["late_over_never_before"] = beside(table, rows, LATE, "test_before") - beside(
        table, rows, NEVER, "test_before"
    )
    groups = found.groupby(_SETTING, sort=False)
    differences = ["over_late", "over_never", "over_late_before"]
    errors = _CLEAR * groups[differences].sem().add_suffix("_error")
    return groups.mean().join(errors).reset_index()


def _named(row):
    name = {
        SIGN_VARIANCE: f"γ = {1 - row['parameter']:g}",
        THRESHOLD: f"threshold {row['parameter']:g}",
        CLOSED: "closed",
    }.get(row["strategy"], row["strategy"])
    return f"{'filter, ' if row['gate'] == FILTER else ''}{name}"


def _by_lambda(rows, text):
    """The texts of rows, by λ."""
    return "; ".join(
        f"λ = {lam:g}: " + ", ".join(text(row) for _, row in of.iterrows())
        for lam, of in rows.groupby("lambda", sort=False)
    )


def saves_updates(table):
    """Verdict on the updates that sign strategies save."""
    rows = early(table)
    rows = rows[rows["strategy"].isin([SIGN_CHANGE, SIGN_VARIANCE])]
    few = rows["ratio_never_parameter_updates"] <= _FEW_UPDATES
    holds = few & (rows["over_never"] >= -_SMALL_IMPACT)
    return Verdict(
        "The sign strategies reduce the number of parameter updates by at least an order of "
        "magnitude with only minimal impact on the final error",
        "draft 001, 3.1, of linear models; here of networks",
        Outcome.of_cases(list(holds)),
        f"at every λ the sign change and the sign variance with every γ leave at most "
        f"{_FEW_UPDATES:.0%} of the updates of a training that removes nothing, and mean test "
        f"accuracy is at most {100 * _SMALL_IMPACT:g} point lower",
        "in half of these cases or more",
        "Updates left, and accuracy beside that without removal. "
        + _by_lambda(
            rows,
            lambda row: (
                f"{_named(row)} {row['ratio_never_parameter_updates']:.0%} "
                f"({100 * row['over_never']:+.2f} ± {100 * row['over_never_error']:.2f} points)"
            ),
        )
        + ".",
    )


def costs_nothing(table):
    """Verdict on early removal against late removal."""
    rows = early(table)
    holds = (rows["ratio_late_parameter_updates"] <= _LESS_WORK) & (rows["over_late"] >= -_NO_LOSS)
    return Verdict(
        "Removal during training takes at most half the work of removal at the end, and costs no "
        "accuracy",
        "ours, after draft 001, 2.1 and 6",
        Outcome.of_cases(list(holds)),
        f"for every strategy and λ early removal makes at most {_LESS_WORK:g} of the updates that "
        f"late removal makes, and mean test accuracy, both fine-tuned, is at most "
        f"{100 * _NO_LOSS:g} points lower",
        "in half of these cases or more",
        "Updates, multiply-adds, CPU seconds and final parameters of early removal, as ratios to "
        "late removal, and the difference of accuracies. "
        + _by_lambda(
            rows,
            lambda row: (
                f"{_named(row)} "
                + " / ".join(f"{row[f'ratio_late_{cost}']:.2f}" for cost in (*COSTS, "parameters"))
                + f" ({100 * row['over_late']:+.2f} ± {100 * row['over_late_error']:.2f} points)"
            ),
        )
        + ".",
    )


def adapts(table):
    """Verdict on accuracy before fine-tuning."""
    rows = early(table)
    holds = rows["over_late_before"] > rows["over_late_before_error"]
    return Verdict(
        "Removal while training lets the units that stay adapt; after removal at the end they "
        "need fine-tuning",
        "draft 001, 2.1",
        Outcome.of_cases(list(holds)),
        f"for every strategy and λ accuracy before fine-tuning is higher with early removal than "
        f"with late removal, on average by more than {_CLEAR} standard errors of differences "
        "paired by seed",
        "in half of these cases or more",
        "Points of accuracy before fine-tuning, early minus late removal, and in brackets what "
        "late removal itself changes. "
        + _by_lambda(
            rows,
            lambda row: (
                f"{_named(row)} {100 * row['over_late_before']:+.2f} ± "
                f"{100 * row['over_late_before_error']:.2f} "
                f"({100 * row['late_over_never_before']:+.2f})"
            ),
        )
        + ".",
    )


def trades_off(table):
    """Verdict on γ: as γ → 1, does cost rise, and does accuracy?"""
    found = early(table)
    holds, texts = [], []
    for lam, rows in found.groupby("lambda", sort=False):
        gammas = rows[rows["strategy"].isin([SIGN_CHANGE, SIGN_VARIANCE])]
        gammas = gammas.sort_values("parameter", ascending=False)
        shares = gammas["ratio_never_parameter_updates"]
        order = _rank_correlation(shares.round(6))
        eager, patient = gammas.iloc[0], gammas.iloc[-1]
        lower = eager["over_never"] < -eager["over_never_error"]
        regained = patient["over_never"] > eager["over_never"]
        holds.append(bool(order >= _MONOTONE and lower and regained))
        texts.append(
            f"λ = {lam:g}: rank correlation of updates with γ {order:+.2f}; accuracy beside none "
            f"{100 * eager['over_never']:+.2f} ± {100 * eager['over_never_error']:.2f} points at "
            f"γ = 0 and {100 * patient['over_never']:+.2f} ± "
            f"{100 * patient['over_never_error']:.2f} at {1 - patient['parameter']:g}"
        )
    return Verdict(
        "γ trades cost for accuracy: as γ → 1 the cost rises, and the accuracy to that without "
        "removal",
        "draft 002, 5.2, of linear models; here of networks",
        Outcome.of_cases(holds),
        f"at every λ updates have a rank correlation with γ of at least {_MONOTONE} (γ = 0 is the "
        f"sign change), accuracy at γ = 0 is lower than without removal by more than {_CLEAR} "
        "standard errors, and higher at the largest γ",
        "so at half of the λ or more",
        ". ".join(texts) + ".",
    )


def _rank_correlation(values):
    """Of values with their places; 0 if all are the same."""
    if values.nunique() < 2:
        return 0.0
    return float(np.corrcoef(np.arange(len(values)), values.rank())[0, 1])


def plateaus(table, column):
    """Values with switches by λ, and those without, as pairs of arrays over seeds."""
    rows = table[table["schedule"] == PLATEAUS].sort_values("seed")
    plain = rows.loc[rows["gate"] == PLAIN, column].to_numpy()
    switches = rows[rows["gate"] == SWITCH]
    return {lam: (of[column].to_numpy(), plain) for lam, of in switches.groupby("lambda")}


def _error(values):
    """Twice the standard error of the mean."""
    return _CLEAR * values.std(ddof=1) / np.sqrt(len(values))


def converges_faster(table):
    """Verdict on the epoch of the best validation accuracy."""
    holds, texts = [], []
    tests, all_epochs = plateaus(table, "test"), plateaus(table, "best_epoch_of_all")
    for lam, (switches, plain) in plateaus(table, "best_epoch").items():
        difference = switches - plain
        lost = tests[lam][1].mean() - tests[lam][0].mean()
        holds.append(difference.mean() < -_error(difference) and lost <= _SMALL_IMPACT)
        texts.append(
            f"λ = {lam:g}: {switches.mean():.1f} and {plain.mean():.1f} (difference "
            f"{difference.mean():+.1f} ± {_error(difference):.1f}; of all epochs "
            f"{all_epochs[lam][0].mean():.1f} and {all_epochs[lam][1].mean():.1f}; test accuracy "
            f"{tests[lam][0].mean():.3f} and {tests[lam][1].mean():.3f})"
        )
    return Verdict(
        "Networks with switches converge in fewer epochs than those without",
        "draft 001, 6: 62.5 against 68.4 epochs (CIFAR10), 117.9 against 130 (COVERTYPE)",
        Outcome.of_cases(holds),
        f"at every λ the mean epoch of the best validation accuracy is earlier with switches, by "
        f"more than {_CLEAR} standard errors of differences paired by seed, and mean test accuracy "
        f"at most {100 * _SMALL_IMPACT:g} point lower",
        "so at half of the λ or more",
        f"Mean best epoch with switches and without, second half. {'; '.join(texts)}. "
        f"{_at_the_cap(table)}",
    )


def _at_the_cap(table):
    """How many trainings of the other part did not end by themselves, as a sentence."""
    rows = table[table["schedule"] == PLATEAUS]
    capped = rows["n_epochs"] >= rows["epochs"]
    counts = capped.groupby(rows["lambda"]).agg(["sum", "size"])
    texts = [
        f"{of['sum']} of {of['size']} {f'with λ = {lam:g}' if lam else 'without switches'}"
        for lam, of in counts.iterrows()
    ]
    return f"The cap of {rows['epochs'].max()} epochs ended {', '.join(texts)}."


def takes_as_long(table):
    """Verdict on the seconds of a training with switches."""
    rows = table.assign(each=table["seconds"] / table["n_epochs"])
    holds, texts = [], []
    of_epochs = plateaus(rows, "each")
    for lam, (switches, plain) in plateaus(table, "seconds").items():
        logs = np.log(switches / plain)
        holds.append(abs(logs.mean()) + _error(logs) <= np.log(_SAME_TIME))
        an_epoch = np.exp(np.log(of_epochs[lam][0] / of_epochs[lam][1]).mean())
        texts.append(
            f"λ = {lam:g}: × {np.exp(logs.mean()):.2f} of the CPU seconds (× {an_epoch:.2f} an "
            f"epoch), known within a factor of {np.exp(_error(logs)):.2f}"
        )
    return Verdict(
        "There is no significant difference in training time with switches and without",
        "draft 001, 6, of switches that are not optimised",
        Outcome.of_cases(holds),
        f"at every λ the mean ratio of CPU seconds, with {_CLEAR} standard errors to either side, "
        f"is within a factor of {_SAME_TIME} of 1",
        "so at half of the λ or more",
        f"Geometric means, with units that leave early. {'; '.join(texts)}.",
    )


_COLORS = {
    (SWITCH, SIGN_CHANGE): "C3",
    (SWITCH, SIGN_VARIANCE): "C0",
    (SWITCH, THRESHOLD): "C2",
    (SWITCH, NONE): "0.35",
    (FILTER, CLOSED): "C1",
    (FILTER, THRESHOLD): "C4",
    (FILTER, NONE): "0.65",
}
_MARKERS = {SIGN_CHANGE: "P", SIGN_VARIANCE: "o", THRESHOLD: "s", CLOSED: "D", NONE: "X"}


def _draw(table):
    """Accuracy against updates for each λ, and both ways to converge."""
    import matplotlib.pyplot as plt

    fixed = table[table["schedule"] == FIXED]
    lambdas = list(fixed["lambda"].unique())
    n = len(lambdas) + 1
    figure, axes = plt.subplots(1, n, figsize=(4.2 * n, 5), layout="constrained")
    for ax, lam in zip(axes, lambdas, strict=False):
        _draw_removals(ax, fixed[fixed["lambda"] == lam])
        ax.set_title(f"λ = {lam:g} (full: early, open: late)", fontsize="medium")
    _draw_epochs(axes[-1], table)
    labels: dict = {}
    for ax in axes[:-1]:
        labels |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    figure.legend(
        labels.values(), labels, loc="outside lower center", ncols=3, frameon=False,
    )  # fmt: skip
    return figure


def _draw_removals(ax, rows):
    """Late removal as open markers, early as full ones, joined by a line; ± a standard error."""
    never = rows[(rows["removed"] == NEVER)]
    for (gate, strategy, parameter), of in rows.groupby(["gate", "strategy", "parameter"]):
        ends = [of[of["removed"] == removed] for removed in (EARLY, LATE) if strategy != NONE]
        points = [(100 * _share(end, never), 100 * end["test"].mean()) for end in ends or [of]]
        color = _COLORS[gate, strategy]
        ax.plot(*zip(*points, strict=True), color=color, linewidth=0.8, alpha=0.6)
        row = {"gate": gate, "strategy": strategy, "parameter": parameter}
        for end, (x, y), full in zip(ends or [of], points, (True, False), strict=False):
            ax.errorbar(
                x, y, 100 * end["test"].sem(), color=color, elinewidth=0.8,
                marker=_MARKERS[strategy],
                markersize=4 + _bigger(strategy, parameter),
                markerfacecolor=color if full else "white", capsize=2, linestyle="",
                label=_label(row) if full else None,
            )  # fmt: skip
    ax.set(xlabel="parameter updates, % of no removal", ylabel="test accuracy, %", xlim=(0, 105))


def _share(end, never):
    base = never.groupby(["seed", "gate"])["parameter_updates"].mean()
    own = end.set_index(["seed", "gate"])["parameter_updates"]
    return (own / base.loc[own.index]).mean()


def _bigger(strategy, parameter):
    """Larger markers for larger γ."""
    return -np.log10(parameter) if strategy == SIGN_VARIANCE else 2


def _label(row):
    gate = "filters" if row["gate"] == FILTER else "switches"
    if row["strategy"] == NONE:
        return f"{gate}, no removal"
    return f"{gate}, {_named(row).removeprefix('filter, ')}"


def _draw_epochs(ax, table):
    """The best epoch of each seed, with switches and without."""
    found = plateaus(table, "best_epoch")
    plain = next(iter(found.values()))[1]
    values = {"without": plain} | {f"λ = {lam:g}": of for lam, (of, _) in found.items()}
    for place, epochs in enumerate(values.values()):
        spread = np.linspace(-0.15, 0.15, len(epochs))
        ax.plot(place + spread, epochs, "o", color="C0" if place else "0.35", markersize=4)
        ax.errorbar(
            place, epochs.mean(), _error(epochs) / _CLEAR, color="black", marker="_",
            markersize=28, capsize=4,
        )  # fmt: skip
        ax.annotate(
            f"{epochs.mean():.1f}", (place + 0.25, epochs.mean()), va="center", fontsize="small"
        )
    ax.set_xticks(range(len(values)), values)
    ax.set(xlim=(-0.5, len(values) - 0.2), ylim=(0, None), ylabel="epoch of the best accuracy")
    ax.set_title("with switches, and without", fontsize="medium")
