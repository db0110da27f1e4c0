"""The smallest network that reaches an accuracy, of either kind, and ratios between the two.

Which network is the smallest may hang on a single run. So we also ask for the ratio in draws:
m networks of either kind, with replacement, m being the smaller number of runs. Among n networks
in the order of their size, the first of a draw is the k-th with probability
(1 − (k − 1)/n)^m − (1 − k/n)^m. Both kinds are drawn independently, so the distribution of the
ratio is known exactly. Draws in which no network reaches the target are left out.
"""

from dataclasses import dataclass

import numpy as np

from experiments.authors_runs.runs import SHRINKNET, STATIC
from experiments.authors_runs.sizes import COVERTYPE

# Of the accuracies that the draft is about, those from here on; and of its fronts.
USEFUL, ALL = 0.8, 0.5
# In thousandths, so that targets are exact.
_STEP = 5
# The draft compares networks of so many layers on COVERTYPE.
_LAYERS = 3
# The band holds this share of the draws.
BAND = 0.9
# First networks that are rarer than this, in draws, are left out.
_NEVER = 1e-12


@dataclass(frozen=True)
class Choice:
    """How networks are compared.

    Attributes
    ----------
    name : str
    size : {"counted", "parameters"}
        The smallest network is the one with the least of this.
    accuracy : {"accuracy", "val_accuracy"}
        What reaches the target: accuracy on test or on validation data.
    plain : bool
        Leave out networks with dropout or batch normalisation on COVERTYPE.
    """

    name: str = "as the authors count"
    size: str = "counted"
    accuracy: str = "accuracy"
    plain: bool = False


AUTHORS = Choice()
ALL_PARAMETERS = Choice("with every weight and bias counted", size="parameters")
VALIDATED = Choice("with targets of validation accuracy", accuracy="val_accuracy")
PLAIN = Choice("without the networks that have dropout or batch normalisation", plain=True)


@dataclass(frozen=True, eq=False)
class Draws:
    """A comparison of the two kinds, in the runs themselves and in draws.

    Attributes
    ----------
    value : float
        In the runs.
    values, shares : ndarray
        The values in draws, ascending, and their probabilities, which sum to 1.
    """

    value: float
    values: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, first, second, combine):
        """Combine the first networks of two kinds.

        Parameters
        ----------
        first, second : tuple of (ndarray, int)
            Values of the networks that qualify, the best network first, and the number of runs.
        combine : ufunc
            Of a value of the first and one of the second.
        """
        n_drawn = min(first[1], second[1])
        both = [_foremost(values, n_runs, n_drawn) for values, n_runs in (first, second)]
        (a, p), (b, q) = both
        values, shares = combine.outer(a, b).ravel(), np.outer(p, q).ravel()
        order = np.argsort(values, kind="stable")
        return cls(float(combine(a[0], b[0])), values[order], shares[order] / shares.sum())

    def share(self, low=-np.inf, high=np.inf):
        """The share of draws from `low` to `high`."""
        return float(self.shares[(self.values >= low) & (self.values <= high)].sum())

    def quantile(self, level):
        place = np.searchsorted(np.cumsum(self.shares), level)
        return float(self.values[min(place, len(self.values) - 1)])

    @property
    def band(self):
        """Both ends of the middle `BAND` of the draws."""
        return self.quantile((1 - BAND) / 2), self.quantile((1 + BAND) / 2)


def _foremost(values, n_runs, n_drawn):
    """Values that may be foremost in a draw, and the probability of each."""
    later = (1 - np.arange(len(values) + 1) / n_runs) ** n_drawn
    shares = later[:-1] - later[1:]
    possible = shares > _NEVER
    return np.asarray(values, dtype=float)[possible], shares[possible]


@dataclass(frozen=True, eq=False)
class AtTarget:
    """The smallest networks that reach a target, of both kinds.

    Attributes
    ----------
    target : float
    draws : Draws
        Of the ratio, static to ShrinkNet.
    smallest : tuple of str
        The names of the two networks, the static one first.
    n_reach : tuple of int
        How many networks of either kind reach the target.
    without : float
        The ratio without that ShrinkNet; NaN if no other reaches the target.
    """

    target: float
    draws: Draws
    smallest: tuple
    n_reach: tuple
    without: float

    @property
    def ratio(self):
        """In the runs themselves."""
        return self.draws.value


def tasks(table):
    """The tasks of a table, in its order."""
    return list(table["task"].unique())


def compared(table, task, choice=AUTHORS):
    """The rows of a task, as a pair: static networks, and ShrinkNets."""
    rows = table[table["task"] == task]
    if task == COVERTYPE:
        rows = rows[rows["layers"] == _LAYERS]
        rows = rows[rows["plain"]] if choice.plain else rows
    return tuple(rows[rows["kind"] == kind] for kind in (STATIC, SHRINKNET))


def targets(table, task, choice=AUTHORS, start=USEFUL):
    """Target accuracies in steps of half a point, up to the highest that both kinds reach."""
    highest = min(rows[choice.accuracy].max() for rows in compared(table, task, choice))
    steps = range(round(1000 * start), 1001, _STEP)
    return [step / 1000 for step in steps if step / 1000 <= highest]


def own_targets(table, task):
    """The accuracies of ShrinkNet's front, as in the authors' scripts, where both kinds reach."""
    static, shrinknets = compared(table, task)
    found = front(shrinknets)["accuracy"]
    return list(found[(found >= USEFUL) & (found <= static["accuracy"].max())])


def front(rows):
    """The networks than which no other is both as small and as accurate, by size."""
    rows = rows.sort_values(["counted", "accuracy"], ascending=[True, False], kind="stable")
    best_before = rows["accuracy"].cummax().shift(fill_value=-1.0)
    return rows[rows["accuracy"] > best_before]


def ratios(table, task, choice=AUTHORS, *, value=None, start=USEFUL, at=None):
    """Compare the smallest networks that reach each target.

    Parameters
    ----------
    value : str, default=None
        The column that is compared; None: the size.
    start : float, default=USEFUL
        The lowest target.
    at : list of float, default=None
        The targets; None: those of `targets`.

    Returns
    -------
    list of AtTarget
    """
    value = value or choice.size
    found = targets(table, task, choice, start) if at is None else at
    both = [
        [rows[name].to_numpy() for name in (choice.accuracy, value, "run")]
        for kind in compared(table, task, choice)
        for rows in [kind.sort_values(choice.size, kind="stable")]
    ]
    return [_at_target(both, target) for target in found]


def _at_target(both, target):
    """`both` holds accuracies, values and names of the static networks and of ShrinkNets."""
    able = [accuracies >= target for accuracies, _, _ in both]
    static, shrinknets = (v[good] for (_, v, _), good in zip(both, able, strict=True))
    return AtTarget(
        target,
        Draws.of((static, len(able[0])), (shrinknets, len(able[1])), np.divide),
        tuple(str(names[good][0]) for (_, _, names), good in zip(both, able, strict=True)),
        (len(static), len(shrinknets)),
        float(static[0] / shrinknets[1]) if len(shrinknets) > 1 else np.nan,
    )


def best_accuracy(table, task):
    """`Draws` of the best ShrinkNet's test accuracy less the best static network's."""
    static, shrinknets = (
        np.sort(rows["accuracy"].to_numpy())[::-1] for rows in compared(table, task)
    )
    return Draws.of((shrinknets, len(shrinknets)), (static, len(static)), np.subtract)
