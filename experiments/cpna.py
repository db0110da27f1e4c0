"""Connection pruning on XOR: table 1 and figures 6 to 8 of CPNA.

Networks with one hidden layer of ReLU units are trained on k-D XOR: y = 1(x_1 ⋯ x_k > 0), x uniform
on [−1, 1]^p, with as many training as test rows. `networks` has the recipes; their settings were
chosen on draws from 100 on, by the AUC on the other rows of these draws.

- Table 1: a plain network, the best test AUC of a grid of units and weight decays, as in the paper,
  which favours it; networks whose hidden connections are pruned; those whose connections are all
  pruned, after their columns were chosen by the node form of the same algorithm. The choice begins
  again while its training loss is high, which tells without other rows that the columns are wrong.
  What is left is trained again, from new random and from its initial weights. A new network with
  two hidden layers of tanh units on the chosen columns is beside them.
- Figure 7, sorted AUCs of retraining: the draws of the table, each with its own data, where the
  paper has 100 trials.
- Figure 6, with and without normalisation: from several numbers of hidden units down to 64
  connections, for 8 starts with their own data, where the paper has 100 starts. Only hidden
  connections are pruned. Without weight decay too: with it, weights into and out of a unit end with
  similar norms, and normalising changes little.
- Figure 8, loss and AUC during a training, in the order of the paper (hidden connections, then
  those of the input) and in ours (columns, then a new network on these), for 3 draws where the
  paper has one.

The paper starts with up to 4096 units; here it is 1024.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.cpna_recipes import RECIPES
from experiments.experiment import Experiment, Outcome, Verdict

TABLE, NORMALISATION, COURSE = "table 1", "normalisation", "course"

PLAIN, HIDDEN, ALL, REFITTED = "plain", "hidden", "all", "all, refitted"
RANDOM, INITIAL = "retrained from random weights", "retrained from initial weights"
RESTARTS = (RANDOM, INITIAL)
PRUNED = {what: (what, *(f"{what}, {weights}" for weights in RESTARTS)) for what in (HIDDEN, ALL)}
CPA, CPNA = "CPA", "CPNA"
PAPERS_ORDER, COLUMNS_FIRST = "hidden connections, then input", "columns, then a new network"

# Test AUCs in % of the paper's table 1, by k.
PAPER = {
    3: {PLAIN: 82.53, HIDDEN: 96.58, ALL: 99.58, RANDOM: 70.47, INITIAL: 71.68},
    4: {PLAIN: 72.17, HIDDEN: 95.31, ALL: 98.31, RANDOM: 52.83, INITIAL: 69.32},
    5: {PLAIN: 66.24, HIDDEN: 80.03, ALL: 96.83, RANDOM: 53.21, INITIAL: 66.29},
}
# Points of AUC: "far" better or worse; no difference; trained well; at chance.
FAR, NONE, GOOD, CHANCE = 10, 1, 99, 60
# Test and training AUC are "comparable".
COMPARABLE = 2


@dataclass(frozen=True)
class Sizes:
    """What is trained.

    Attributes
    ----------
    problems : tuple of (k, p)
        Of the table.
    n : int
        Training rows, and test rows.
    plain : tuple of (units, decay)
        The grid of the plain network.
    n_draws : int
    normalisation : (k, p)
    units : tuple of int
        Hidden units from which it starts.
    n_connections : int
        What is left of them.
    decays : tuple of float
    n_starts : int
    course : (k, p)
    course_draws : int
    every : int
        How many epochs lie between two records.
    """

    problems: tuple
    n: int
    plain: tuple
    n_draws: int
    normalisation: tuple
    units: tuple
    n_connections: int
    decays: tuple
    n_starts: int
    course: tuple
    course_draws: int
    every: int


_FULL = Sizes(
    problems=((3, 60), (4, 40), (5, 20)),
    n=3000,
    plain=tuple((units, decay) for units in (20, 100, 500) for decay in (0.0, 1e-3)),
    n_draws=8,
    normalisation=(5, 15),
    units=(128, 256, 512, 1024),
    n_connections=64,
    decays=(0.0, 1e-3),
    n_starts=8,
    course=(4, 40),
    course_draws=3,
    every=5,
)
_QUICK = Sizes(
    problems=((2, 80),),
    n=600,
    plain=((10, 0.0), (50, 1e-3)),
    n_draws=3,
    normalisation=(2, 40),
    units=(32, 64),
    n_connections=16,
    decays=(0.0, 1e-3),
    n_starts=3,
    course=(2, 80),
    course_draws=1,
    every=10,
)


class Cpna(Experiment):
    """Pruned networks, retrained ones, and plain ones."""

    name = "cpna"
    about = "Connection pruning of networks on k-D XOR (CPNA, table 1 and figures 6 to 8)"
    datasets = ("xor",)
    quick_datasets = ("xor",)
    networks = True

    def load(self, dataset, quick, data_home):
        """The sizes: each cell says which data to simulate."""
        if dataset != "xor":
            raise ValueError(f"--dataset {dataset}: this experiment simulates its own data, xor.")
        return _QUICK if quick else _FULL

    def jobs(self, data, quick):
        """One job for a draw of the table, a start with several methods, or a course."""
        return [*_table_jobs(data), *_normalisation_jobs(data), *_course_jobs(data)]

    def measure(self, cells, data):
        from experiments.networks.cpna import measured

        return measured(cells)

    def summary(self, table):
        ends = _ends(table)
        groups = ends.groupby(["figure", "k", "p", "units", "decay", "method"], sort=False)
        return pd.DataFrame(
            {
                "test AUC %": groups["test_auc"].mean(),
                "±": groups["test_auc"].std(),
                "lowest": groups["test_auc"].min(),
                "highest": groups["test_auc"].max(),
                "training AUC %": groups["train_auc"].mean(),
                "weights": groups["n_weights"].mean(),
                "columns": groups["n_columns"].mean(),
                "irrelevant columns": groups["n_wrong"].mean(),
            }
        ).reset_index()

    def draw(self, table):
        from experiments.cpna_figure import drawn

        return drawn(table)

    def verdicts(self, table):
        return [
            better_than_plain(table),
            reached(table, ALL, "all layers"),
            reached(table, HIDDEN, "the hidden layer"),
            normalisation_helps(table),
            retraining_fails(table),
            columns_suffice(table),
            course_improves(table),
        ]


def _cell(figure, problem, n, method, seed, units=-1, decay=-1.0, n_left=-1, epoch=-1):
    """-1 stands for what the recipe says."""
    k, p = problem
    return {
        **{"figure": figure, "k": k, "p": p, "n": n, "method": method, "units": units},
        **{"decay": decay, "n_left": n_left, "seed": seed, "epoch": epoch},
    }


def _table_jobs(sizes):
    pruned = [*PRUNED[HIDDEN], *PRUNED[ALL], REFITTED]
    return [
        [
            *(_cell(TABLE, problem, sizes.n, PLAIN, seed, *grid) for grid in sizes.plain),
            *(_cell(TABLE, problem, sizes.n, method, seed) for method in pruned),
        ]
        for problem in sizes.problems
        for seed in range(sizes.n_draws)
    ]


def _normalisation_jobs(sizes):
    problem, n_left = sizes.normalisation, sizes.n_connections
    return [
        [
            _cell(NORMALISATION, problem, sizes.n, method, seed, units, decay, n_left)
            for method in (PLAIN, CPA, CPNA)
        ]
        for decay in sizes.decays
        for units in sizes.units
        for seed in range(sizes.n_starts)
    ]


def _course_jobs(sizes):
    recipe = RECIPES[sizes.course[0]]
    n_epochs = {
        PAPERS_ORDER: recipe.order.epochs,
        COLUMNS_FIRST: recipe.choice.epochs + recipe.pruning.epochs,
    }
    return [
        [
            _cell(COURSE, sizes.course, sizes.n, order, seed, epoch=epoch)
            for epoch in range(sizes.every, last + 1, sizes.every)
        ]
        for order, last in n_epochs.items()
        for seed in range(sizes.course_draws)
    ]


def _of(table, figure):
    return table[table["figure"] == figure]


def _ends(table):
    """The results of trained networks: of a course, the last epoch."""
    last = table.groupby(["figure", "method", "seed"])["epoch"].transform("max")
    return table[table["epoch"] == last]


def draws(table, value="test_auc"):
    """((k, p), a row a draw, a column a method) of table 1; of plain networks the best."""
    of_table = _of(table, TABLE)
    for problem, rows in of_table.groupby(["k", "p"], sort=False):
        yield problem, rows.pivot_table(index="seed", columns="method", values=value, aggfunc="max")


def error(differences):
    """Standard error of a mean."""
    return differences.std() / np.sqrt(len(differences))


def _far_above(differences):
    """Whether the mean is far above 0, beyond its errors."""
    return differences.mean() >= FAR and differences.mean() > 2 * error(differences)


def _shown(values):
    return f"{values.mean():.2f} ± {error(values):.2f}"


def _paper(k, what):
    return f" ({PAPER[k][what]})" if k in PAPER else ""


def better_than_plain(table):
    """Whether pruned networks are far better than plain ones."""
    holds, texts = [], []
    for (k, p), aucs in draws(table):
        holds.append(_far_above(aucs[ALL] - aucs[PLAIN]))
        shown = ", ".join(
            f"{name} {_shown(aucs[what])}{_paper(k, what)}"
            for name, what in (("plain", PLAIN), ("hidden", HIDDEN), ("all layers", ALL))
        )
        texts.append(f"k = {k}, p = {p}: {shown}")
    return Verdict(
        "Connection pruning leads to networks that generalise far better than plain ones",
        "CPNA, section 4.1, table 1",
        Outcome.of_cases(holds),
        f"on every problem the mean test AUC of the network pruned in all layers is at least {FAR} "
        "points, and two standard errors of the difference, above that of the plain one",
        "so on half of them or more",
        f"Mean test AUC in % and its standard error (the paper's). {'; '.join(texts)}. Of plain "
        "networks the best of a grid on the test rows of each draw.",
    )


def reached(table, what, layers):
    """Whether the numbers of the paper's table 1 are reached."""
    holds, texts = [], []
    for (k, p), aucs in draws(table):
        level = PAPER.get(k, {}).get(what, GOOD)
        holds.append(aucs[what].mean() >= level)
        texts.append(
            f"k = {k}, p = {p}: {_shown(aucs[what])}, best {aucs[what].max():.2f}, for {level}"
        )
    return Verdict(
        f"A network pruned in {layers} reaches the test AUC of the paper's table 1",
        "CPNA, section 4.1, table 1",
        Outcome.of_cases(holds),
        "on every problem the mean over draws is at or above the paper's number"
        + ("" if all(k in PAPER for k in table["k"]) else f" (problems not in the paper: {GOOD})"),
        "so on half of them or more",
        f"Mean test AUC in % and its standard error. {'; '.join(texts)}. The paper's is the best "
        "result of its search.",
    )


def normalisation_helps(table):
    """Whether normalising gives better and more consistent networks."""
    holds, texts = [], []
    for (decay, units), rows in _of(table, NORMALISATION).groupby(["decay", "units"], sort=False):
        aucs = rows.pivot(index="seed", columns="method", values="test_auc")
        gain, spread = aucs[CPNA] - aucs[CPA], aucs.std()
        better = gain.mean() > 2 * error(gain)
        holds.append(better and spread[CPNA] < spread[CPA])
        shown = ", ".join(
            f"{method} {aucs[method].mean():.1f} (deviation {spread[method]:.1f})"
            for method in (PLAIN, CPA, CPNA)
        )
        texts.append(f"weight decay {decay:g}, {units} units: {shown}")
    return Verdict(
        "Pruning with normalisation (CPNA) is better and more consistent than without (CPA)",
        "CPNA, section 3.1, figure 6",
        Outcome.of_cases(holds),
        "for every weight decay and number of units its mean test AUC is more than two standard "
        "errors of the paired difference above, and its deviation over starts smaller",
        "so for half of them or more",
        f"Mean test AUC in %. {'; '.join(texts)}.",
    )


def retraining_fails(table):
    """The claim on lottery tickets, of networks whose hidden connections are pruned."""
    holds, texts = [], []
    for (k, p), aucs in draws(table):
        what, *restarts = PRUNED[HIDDEN]
        learnt = aucs[what].mean() >= CHANCE
        holds += [learnt and _far_above(aucs[what] - aucs[restart]) for restart in restarts]
        random, initial = (_shown(aucs[restart]) for restart in restarts)
        texts.append(
            f"k = {k}, p = {p}: pruned {_shown(aucs[what])}, random {random}{_paper(k, RANDOM)}, "
            f"initial {initial}{_paper(k, INITIAL)}"
        )
    return Verdict(
        "A pruned network that is trained again, from random or from its initial weights, is far "
        "worse",
        "CPNA, section 4.1, table 1 and figure 7",
        Outcome.of_cases(holds),
        "for both weights on every problem the network whose hidden connections were pruned has a "
        f"mean test AUC of at least {CHANCE} %, and at least {FAR} points and two standard errors "
        "of the difference more than what is trained again",
        "so in half of these cases or more",
        f"Mean test AUC in % and its standard error (the paper's). {'; '.join(texts)}.",
    )


def columns_suffice(table):
    """Whether what is left can be trained again once the columns are chosen."""
    holds, texts = [], []
    for (k, p), aucs in draws(table):
        what, *restarts = PRUNED[ALL]
        holds += [(aucs[what] - aucs[restart]).mean() <= NONE for restart in restarts]
        random, initial = (_shown(aucs[restart]) for restart in restarts)
        texts.append(
            f"k = {k}, p = {p}: pruned {_shown(aucs[what])}, random {random}, initial {initial}, a "
            f"new network {_shown(aucs[REFITTED])}"
        )
    return Verdict(
        "Once the columns are chosen, the pruned network is as good when it is trained again",
        "ours, beside CPNA, section 4.1",
        Outcome.of_cases(holds),
        "for both weights on every problem the mean test AUC of the network pruned in all layers "
        f"is at most {NONE} point above that of what is trained again",
        "so in half of these cases or more",
        f"Mean test AUC in % and its standard error. {'; '.join(texts)}. What retraining lacks "
        "before is the choice of columns.",
    )


def course_improves(table):
    """Whether each pruning of figure 8 improves the test AUC."""
    course = _of(table, COURSE)
    course = course[course["method"] == PAPERS_ORDER]
    stages = _stages(course)
    texts = [
        f"draw {seed}: " + ", ".join(f"{train:.1f} / {test:.1f}" for train, test in of_draw)
        for seed, of_draw in stages.items()
    ]
    holds = []
    for (train, test), (_, hidden), (last_train, last) in stages.values():
        memorised = train >= GOOD and test <= CHANCE
        holds.append(
            memorised and hidden >= test + FAR and last > hidden and last >= last_train - COMPARABLE
        )
    return Verdict(
        "A trained network with a perfect training AUC and a bad test AUC improves much as its "
        "hidden connections are pruned, and is as good on test rows as those of the input are",
        "CPNA, section 4.1, figure 8",
        Outcome.of_cases(holds),
        f"in every draw: training AUC at least {GOOD} % and test AUC at most {CHANCE} % before "
        f"pruning; test AUC at least {FAR} points higher after the hidden connections; higher "
        f"still, and at most {COMPARABLE} points below the training AUC, at the end",
        "so in half of the draws or more",
        f"Training / test AUC in %, at these three times. {'; '.join(texts)}.",
    )


def _stages(course):
    """(training, test AUC) before pruning, after the hidden connections, at the end; by draw."""
    recipe = RECIPES[course["k"].iloc[0]]
    found = {}
    for seed, rows in course.groupby("seed", sort=False):
        rows = rows.set_index("epoch")
        ends = [rows.loc[:epoch].iloc[-1] for epoch in recipe.phases]
        found[seed] = [(row["train_auc"], row["test_auc"]) for row in ends]
    return found
