"""What an experiment is: cells to measure, a table, a figure, and verdicts on claims."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

import datasets


class Outcome(Enum):
    """What the numbers say about a claim.

    Each verdict states its rule. For a claim about several cases the rule is `of_cases`: a
    claim that most cases contradict is not confirmed, not even with conditions.
    """

    CONFIRMED = "confirmed"
    CONDITIONAL = "confirmed with conditions"
    NOT_CONFIRMED = "not confirmed"

    @classmethod
    def of(cls, everywhere, somewhere):
        """Confirmed if it holds everywhere, with conditions if only somewhere."""
        if everywhere:
            return cls.CONFIRMED
        return cls.CONDITIONAL if somewhere else cls.NOT_CONFIRMED

    @classmethod
    def of_cases(cls, holds):
        """Confirmed if it holds in all cases, with conditions if in half of them or more."""
        n_holds = sum(map(bool, holds))
        return cls.of(n_holds == len(holds) > 0, 2 * n_holds >= len(holds) > 0)


@dataclass(frozen=True)
class Verdict:
    """A claim, and what the numbers say about it.

    Attributes
    ----------
    claim : str
        As a sentence.
    source : str
        Where it is made.
    outcome : Outcome
    confirmed_if, conditional_if : str
        The rule: when it is confirmed, and when with conditions. Otherwise it is not
        confirmed.
    figures : str
        The numbers behind the outcome, as sentences, with the conditions if there are any.
    """

    claim: str
    source: str
    outcome: Outcome
    confirmed_if: str
    conditional_if: str
    figures: str

    @property
    def rule(self):
        """The rule as a sentence."""
        return (
            f"Confirmed: {self.confirmed_if}; with conditions: {self.conditional_if}; else not "
            "confirmed."
        )

    def __str__(self):
        return f"{self.claim} ({self.source}): {self.outcome.value}. {self.figures} {self.rule}"


class Experiment(ABC):
    """Base of the experiments.

    A cell is a row of the results: a dict of plain values (str, int, float, bool) that says
    what to measure. It includes the random seed, so the result depends on the cell and the
    data alone. A job is a list of cells that are measured together, such as the points of a
    path. All cells of an experiment have the same keys, and so have all their results.

    Attributes
    ----------
    name : str
        Its name on the command line.
    about : str
        What it is about, in one line.
    datasets, quick_datasets : tuple of str
        The default datasets; the quick ones need no network.
    timed : bool
        Whether wall time is measured; then cells do not run in parallel.
    networks : bool
        Whether networks are trained, which needs torch.
    """

    name: str
    about: str
    datasets: tuple
    quick_datasets: tuple
    timed = False
    networks = False

    def load(self, dataset, quick, data_home):
        """The data of a run, passed to `jobs` and `measure`; by default a `datasets.Dataset`."""
        return datasets.load(dataset, data_home=data_home)

    @abstractmethod
    def jobs(self, data, quick):
        """Everything to measure: a list of jobs, each a list of cells."""

    @abstractmethod
    def measure(self, cells, data):
        """Measure a job; returns one dict of results per cell.

        Runs in a worker process with one BLAS thread; warnings are collected.
        """

    @abstractmethod
    def summary(self, table):
        """A pandas DataFrame of the results, which the terminal shows."""

    @abstractmethod
    def draw(self, table):
        """A matplotlib figure of the results."""

    @abstractmethod
    def verdicts(self, table):
        """A `Verdict` for each claim that the results are about."""
