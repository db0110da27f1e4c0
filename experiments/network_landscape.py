"""Where many starts of a plain network end on XOR: figures 1 to 4 of CPNA.

Networks with one hidden layer of ReLU units are trained by Adam on the mean log-loss, without
weight decay, on k-D XOR: y = 1(x_1 ⋯ x_k > 0), x uniform on [−1, 1]^p, of which p − k columns are
irrelevant. All starts of a problem are trained at once, each as if it were alone (`networks`).

- Figures 1 and 2, sorted losses and AUCs of 100 starts, for 20 and 500 hidden units: on one draw
  of the data, where the paper averages 10.
- Figure 3, test AUC against p: of 10 starts the one with the lowest training loss, for 3 draws
  where the paper has 10, and for 1000 and 3000 rows (the text does not name the numbers).
- Figure 4, AUCs against the number of hidden units: the same, of 10 starts and 3 draws. The paper
  takes the start with the best test AUC, which no user can; the table has both.

The paper gives neither rates nor epochs. Here all trainings have the same number of steps and
batches of 100 rows. Rate and batch were chosen by the lowest training losses of six settings on one
other draw. The numbers p of figure 3 were chosen on that draw too, so that the drop is among them.

The paper calls the ends of training local minima. Some starts are trained on with all rows in a
batch, to see whether the loss still falls. Where a network tells all training rows apart, its end
is no minimum of any kind: larger last weights have a lower loss.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.experiment import Experiment, Outcome, Verdict

MINIMA, TRANSITION, UNITS = "sorted ends", "AUC against p", "AUC against units"

# Ratio of losses that is "much smaller"; the difference that counts between two lowest losses.
MUCH, LOWER = 2, 0.05
# A start has ended if training on lowers its loss by less; the share of starts that is nearly all.
ENDED, NEARLY_ALL = 0.01, 0.9
# The paper's threshold of test AUC. Within 0.1 of 1 and of 0.5 is "close to" them.
DEEP, CLOSE_TO_ONE, CLOSE_TO_HALF = 0.8, 0.9, 0.6
# AUC falls "quickly" if p at most doubles.
QUICKLY = 2
# Training AUC that "reaches 1"; a change of the test AUC that is none; "relatively small" numbers
# of hidden units are at most this share of the largest.
REACHED, NO_CHANGE, SMALL = 0.99, 0.01, 0.2


@dataclass(frozen=True)
class Training:
    """Settings of Adam.

    Attributes
    ----------
    steps, batch : int
    rate, first : float
        The learning rate, and the share of epochs in which it stays; it then falls along a cosine.
    later_rate : float
        The first rate of training on.
    n_test : int
    """

    steps: int
    batch: int = 100
    rate: float = 0.03
    first: float = 0.5
    later_rate: float = 0.003
    n_test: int = 3000


@dataclass(frozen=True)
class Sizes:
    """What is trained.

    Attributes
    ----------
    minima : tuple of (k, n, p)
    units : tuple of int
        Their numbers of hidden units.
    n_starts, n_later : int
        Starts of each, and how many of them are trained on.
    later_steps : int
    transition : dict of (k, n) to tuple of p
    width : int
        Hidden units there.
    problems : tuple of (k, n, p)
        Where the number of hidden units varies.
    widths : tuple of int
    n_best : int
        Of how many starts the best is taken, in the transition and for the widths.
    n_draws : int
    training : Training
    """

    minima: tuple
    units: tuple
    n_starts: int
    n_later: int
    later_steps: int
    transition: dict
    width: int
    problems: tuple
    widths: tuple
    n_best: int
    n_draws: int
    training: Training


_FULL = Sizes(
    minima=(
        *((4, 1000, 4), (4, 3000, 16), (4, 3000, 100)),
        *((5, 3000, 5), (5, 3000, 10), (5, 3000, 100)),
    ),
    units=(20, 500),
    n_starts=100,
    n_later=10,
    later_steps=200,
    transition={
        (3, 1000): (6, 15, 20, 30, 45),
        (3, 3000): (15, 30, 45, 60, 80),
        (4, 1000): (4, 8, 12, 16, 20),
        (4, 3000): (8, 12, 16, 20, 30),
        (5, 1000): (5, 6, 8, 10, 15),
        (5, 3000): (5, 8, 12, 16, 20),
    },
    width=500,
    problems=(
        *((3, 3000, 30), (3, 3000, 35), (4, 3000, 20)),
        *((4, 3000, 25), (5, 3000, 10), (5, 3000, 15)),
    ),
    widths=(5, 10, 20, 50, 100, 200, 500),
    n_best=10,
    n_draws=3,
    training=Training(steps=1800),
)
_QUICK = Sizes(
    minima=((3, 600, 3), (3, 600, 8), (3, 600, 60)),
    units=(10, 100),
    n_starts=16,
    n_later=8,
    later_steps=100,
    transition={(3, 300): (3, 10, 20, 40), (3, 900): (10, 20, 40, 60)},
    width=100,
    problems=((2, 600, 15), (3, 600, 8)),
    widths=(3, 10, 20, 100),
    n_best=4,
    n_draws=2,
    training=Training(steps=450, n_test=1000),
)
# How many starts are trained at once: more would leave the cache.
_AT_ONCE = 10


class NetworkLandscape(Experiment):
    """Ends of plain networks from many starts, against columns, rows and hidden units."""

    name = "network-landscape"
    about = "Where plain networks end on k-D XOR from many starts (CPNA, figures 1 to 4)"
    datasets = ("xor",)
    quick_datasets = ("xor",)
    networks = True

    def load(self, dataset, quick, data_home):
        """The sizes: each cell says which data to simulate."""
        if dataset != "xor":
            raise ValueError(f"--dataset {dataset}: this experiment simulates its own data, xor.")
        return _QUICK if quick else _FULL

    def jobs(self, data, quick):
        """One job for some starts of a problem."""
        return [*_minima_jobs(data), *_transition_jobs(data), *_width_jobs(data)]

    def measure(self, cells, data):
        """The end of each start."""
        from experiments.networks.network_landscape import measured

        return measured(cells, data.training)

    def summary(self, table):
        found = table.groupby(["figure", "k", "n", "p", "units"], sort=False)
        best = best_starts(table).groupby(["figure", "k", "n", "p", "units"], sort=False)
        return pd.DataFrame(
            {
                "lowest loss": found["loss"].min(),
                "highest": found["loss"].max(),
                "gradient norm, median": found["gradient"].median(),
                "wrong rows, median": found["n_wrong"].median(),
                "train AUC": found["train_auc"].mean(),
                "test AUC": found["test_auc"].mean(),
                "of the lowest loss": best["test_auc"].mean(),
                "highest test AUC": best["highest"].mean(),
                "shallow": found["test_auc"].agg(lambda auc: (auc < DEEP).mean()),
            }
        ).reset_index()

    def draw(self, table):
        from experiments.network_landscape_figure import drawn

        return drawn(table)

    def verdicts(self, table):
        return [
            not_equivalent(table),
            ends_are_minima(table),
            shallow_ends_grow(table),
            lowest_with_width(table, largest=False),
            lowest_with_width(table, largest=True),
            falls_quickly(table),
            later_with_rows(table),
            no_help_of_units(table),
        ]


def _cells(figure, problem, units, draw, starts, later_steps=0):
    k, n, p = problem
    same = {"figure": figure, "k": k, "n": n, "p": p, "units": units, "draw": draw}
    return [{**same, "start": start, "later_steps": later_steps} for start in starts]


def _minima_jobs(sizes):
    firsts = [*range(0, sizes.n_later, _AT_ONCE), *range(sizes.n_later, sizes.n_starts, _AT_ONCE)]
    lasts = [*firsts[1:], sizes.n_starts]
    return [
        _cells(
            *(MINIMA, problem, units, 0, range(first, last)),
            later_steps=sizes.later_steps if first < sizes.n_later else 0,
        )
        for problem in sizes.minima
        for units in sizes.units
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _transition_jobs(sizes):
    return [
        _cells(TRANSITION, (k, n, p), sizes.width, draw, range(sizes.n_best))
        for (k, n), ps in sizes.transition.items()
        for p in ps
        for draw in range(sizes.n_draws)
    ]


def _width_jobs(sizes):
    return [
        _cells(UNITS, problem, units, draw, range(sizes.n_best))
        for problem in sizes.problems
        for units in sizes.widths
        for draw in range(sizes.n_draws)
    ]


_PROBLEM = ["k", "n", "p"]
_SETTING = ["figure", *_PROBLEM, "units", "draw"]


def best_starts(table):
    """The start with the lowest training loss of each draw; `highest` is the best test AUC."""
    groups = table.groupby(_SETTING, sort=False)
    best = table.loc[groups["loss"].idxmin()]
    return best.assign(highest=groups["test_auc"].max().to_numpy())


def _of(table, figure):
    return table[table["figure"] == figure]


def _by_setting(table):
    """((k, n, p, units), rows) of the sorted ends."""
    return _of(table, MINIMA).groupby([*_PROBLEM, "units"], sort=False)


def _named(k, n, p):
    return f"k = {k}, p = {p}, {n} rows"


def not_equivalent(table):
    """Whether the lowest loss is much smaller than the highest, also after training on."""
    holds, texts = [], []
    for (*problem, units), rows in _by_setting(table):
        later = rows["later_loss"].dropna()
        ratios = [losses.max() / losses.min() for losses in (rows["loss"], later)]
        holds.append(min(ratios) >= MUCH)
        texts.append(
            f"{_named(*problem)}, {units} units: {rows['loss'].min():.3g} to "
            f"{rows['loss'].max():.3g} (× {ratios[0]:.3g}; × {ratios[1]:.3g} of {len(later)} "
            "starts after training on)"
        )
    return Verdict(
        "The local minima of plain networks are not equivalent, the lowest being much smaller than "
        "the highest",
        "CPNA, section 2.1, figures 1 and 2",
        Outcome.of_cases(holds),
        f"at every problem and number of units the highest loss is at least {MUCH} times the "
        "lowest, of all starts at the end of training, and of those that are trained on",
        "so at half of them or more",
        f"Ends of training. {'; '.join(texts)}.",
    )


def ends_are_minima(table):
    """Whether training ends at minima."""
    holds, texts = [], []
    for (*problem, units), rows in _by_setting(table):
        rows = rows[rows["later_loss"].notna()]
        fall = 1 - rows["later_loss"] / rows["loss"]
        separated = (rows["n_wrong"] == 0) | (rows["later_n_wrong"] == 0)
        share = ((fall < ENDED) & ~separated).mean()
        holds.append(share >= NEARLY_ALL)
        texts.append(
            f"{_named(*problem)}, {units} units: {share:.0%} (loss falls by {fall.median():.1%}, "
            f"all rows right in {separated.mean():.0%}, gradient {rows['gradient'].median():.1g})"
        )
    return Verdict(
        "Where training ends is a local minimum",
        "CPNA, section 2.1, which calls it so",
        Outcome.of_cases(holds),
        f"at every problem and number of units, for at least {NEARLY_ALL:.0%} of the starts that "
        f"are trained on, the loss falls by less than {ENDED:.0%}, and not all training rows are "
        "right: if they are, larger last weights have a lower loss",
        "so at half of them or more",
        f"Starts that end at a minimum, and medians. {'; '.join(texts)}.",
    )


def shallow_ends_grow(table):
    """Whether more starts end shallow with more columns."""
    holds, texts = [], []
    minima = _of(table, MINIMA)
    for (k, units), rows in minima.groupby(["k", "units"], sort=False):
        shallow = (rows["test_auc"] < DEEP).groupby(rows["p"]).agg(["mean", "size"]).sort_index()
        shares = shallow["mean"]
        variance = (shares * (1 - shares) / shallow["size"]).iloc[[0, -1]].sum()
        rises = shares.iloc[-1] - shares.iloc[0] > 2 * np.sqrt(variance)
        holds.append(shares.is_monotonic_increasing and rises)
        shown = ", ".join(f"{share:.0%} at p = {p}" for p, share in shares.items())
        texts.append(f"k = {k}, {units} units: {shown}")
    return Verdict(
        "The number of shallow local minima grows with the number of irrelevant columns",
        "CPNA, sections 1 and 2.2, figures 1 and 2",
        Outcome.of_cases(holds),
        f"for every k and number of units the share of starts with a test AUC below {DEEP} never "
        "falls with p, and that of the largest p is more than two standard errors above that of "
        "the least",
        "so for half of them or more",
        f"Starts that end shallow. {'; '.join(texts)}. Starts are counted: how many minima there "
        "are, no number of starts tells.",
    )


def lowest_with_width(table, largest):
    """Whether few units have the lowest loss at the largest p, or many at smaller p."""
    holds, texts = [], []
    minima = _of(table, MINIMA)
    few, many = minima["units"].min(), minima["units"].max()
    claimed, other = (few, many) if largest else (many, few)
    for k, of_k in minima.groupby("k", sort=False):
        for p, rows in of_k.groupby("p"):
            if bool(p == of_k["p"].max()) != largest:
                continue
            lowest = rows.groupby("units")["loss"].min()
            holds.append(lowest[claimed] <= (1 - LOWER) * lowest[other])
            texts.append(f"k = {k}, p = {p}: {lowest[few]:.3g} and {lowest[many]:.3g}")
    which = "the largest p" if largest else "p that is not the largest"
    return Verdict(
        f"For {'the largest' if largest else 'smaller'} p the networks of {claimed} hidden units "
        "have the lowest loss",
        "CPNA, section 2.1, figures 1 and 2",
        Outcome.of_cases(holds),
        f"at every {which.removeprefix('the ')} the lowest loss of {claimed} units is at least "
        f"{LOWER:.0%} below that of {other}",
        "so at half of them or more",
        f"Lowest losses of {few} and {many} units. {'; '.join(texts)}. A network of {many} units "
        f"contains that of {few}, with last weights of 0: its infimum is never higher.",
    )


def _curves(table):
    """((k, n), test AUC of the best start: a row a draw, a column a p)."""
    best = best_starts(_of(table, TRANSITION))
    for problem, rows in best.groupby(["k", "n"], sort=False):
        yield problem, rows.pivot(index="draw", columns="p", values="test_auc")


def crossing(ps, aucs, level):
    """The p at which AUC first falls below a level, between those tried; at an edge, the edge."""
    for i, auc in enumerate(aucs):
        if auc < level:
            if i == 0:
                return float(ps[0])
            return float(np.interp(level, [auc, aucs[i - 1]], [ps[i], ps[i - 1]]))
    return float(ps[-1])


def falls_quickly(table):
    """Whether test AUC falls from nearly 1 to nearly 0.5, within a factor of p."""
    holds, texts = [], []
    for (k, n), curves in _curves(table):
        aucs, ps = curves.mean().to_numpy(), curves.columns.to_numpy()
        first, last = (crossing(ps, aucs, level) for level in (CLOSE_TO_ONE, CLOSE_TO_HALF))
        falls = aucs[0] >= CLOSE_TO_ONE and aucs[-1] <= CLOSE_TO_HALF
        holds.append(falls and last <= QUICKLY * first)
        texts.append(
            f"k = {k}, {n} rows: {aucs[0]:.3f} at p = {ps[0]}, {aucs[-1]:.3f} at p = {ps[-1]}, "
            f"{CLOSE_TO_ONE} to {CLOSE_TO_HALF} between p = {first:.3g} and {last:.3g}"
        )
    return Verdict(
        "The test AUC of a plain network quickly drops from close to 1 to 0.5 with p, like a phase "
        "transition",
        "CPNA, section 2.2, figure 3",
        Outcome.of_cases(holds),
        f"for every k and number of rows, of the start with the lowest loss, it is at least "
        f"{CLOSE_TO_ONE} at the least p and at most {CLOSE_TO_HALF} at the largest, and p at most "
        f"× {QUICKLY} lies between the two levels",
        "so for half of them or more",
        f"Means over draws. {'; '.join(texts)}.",
    )


def later_with_rows(table):
    """Whether the drop is at larger p with more rows."""
    found: dict = {}
    for (k, n), curves in _curves(table):
        ps = curves.columns.to_numpy()
        found.setdefault(k, {})[n] = [crossing(ps, row, DEEP) for row in curves.to_numpy()]
    holds, texts = [], []
    for k, of_k in found.items():
        (few, fewer), (many, more) = min(of_k.items()), max(of_k.items())
        holds.append(min(more) > max(fewer))
        shown = " and ".join(
            f"{min(ps):.3g} to {max(ps):.3g} with {n} rows"
            for n, ps in ((few, fewer), (many, more))
        )
        texts.append(f"k = {k}: {shown}")
    return Verdict(
        "With more training rows the drop comes at larger p",
        "CPNA, section 2.2, figure 3",
        Outcome.of_cases(holds),
        f"for every k the p at which test AUC falls below {DEEP} is larger in every draw of more "
        "rows than in any of fewer",
        "so for half of the k or more",
        f"These p, over draws. {'; '.join(texts)}.",
    )


def no_help_of_units(table):
    """Whether training AUC reaches 1 with more units while test AUC does not rise."""
    holds, texts = [], []
    best = best_starts(_of(table, UNITS))
    for problem, rows in best.groupby(_PROBLEM, sort=False):
        train, test = (
            rows.pivot(index="draw", columns="units", values=value)
            for value in ("train_auc", "test_auc")
        )
        largest = test.columns.max()
        reference = max(units for units in test.columns if units <= SMALL * largest)
        gain = test[largest] - test[reference]
        helps = gain.mean() > max(NO_CHANGE, 2 * gain.std() / np.sqrt(len(gain)))
        holds.append(train[largest].mean() >= REACHED and not helps)
        texts.append(
            f"{_named(*problem)}: {test[reference].mean():.3f} at {reference} units, "
            f"{test[largest].mean():.3f} at {largest}, where the training AUC is "
            f"{train[largest].mean():.3f}"
        )
    return Verdict(
        "With more hidden units the training AUC reaches 1, and the test AUC no longer rises "
        "beyond a small number",
        "CPNA, section 3, figure 4",
        Outcome.of_cases(holds),
        f"at every problem the training AUC of the largest number is at least {REACHED}, and its "
        f"test AUC at most {NO_CHANGE}, or two standard errors of the difference, above that of "
        f"the largest number up to {SMALL:.0%} of it",
        "so at half of them or more",
        f"Test AUC of the start with the lowest loss, means over draws. {'; '.join(texts)}.",
    )
