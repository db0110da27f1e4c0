"""What an experiment is: cells to measure, a table, a figure, and verdicts on claims."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

import datasets


class Outcome(Enum):
    """What the numbers say of a claim.

    Each verdict states its rule. Of a claim about several cases it is that of `of_cases`:
    no claim is confirmed, with whatever conditions, which most of them contradict.
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
    """A claim, and what came of it.

    Attributes
    ----------
    claim : str
        As a sentence.
    source : str
        Where it is made.
    outcome : Outcome
    confirmed_if, conditional_if : str
        The rule: with which numbers it is confirmed, and with which with conditions. With
        all others it is not confirmed.
    figures : str
        The numbers it rests on, as a sentence, with conditions if there are any.
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

    A cell is a row of the results: a dict of plain values (str, int, float, bool) that
    says what to measure, its random seed included, so that the result depends on nothing
    else. A job is a list of cells that are measured together, as the points of a path. All
    cells of an experiment have the same keys, and so have all that is measured of them.

    Attributes
    ----------
    name : str
        On the command line.
    about : str
        One line.
    datasets, quick_datasets : tuple of str
        What it runs on unless told otherwise; the latter need no network.
    timed : bool
        Whether wall time is measured, so that cells must not run beside each other.
    """

    name: str
    about: str
    datasets: tuple
    quick_datasets: tuple
    timed = False

    def load(self, dataset, quick, data_home):
        """The data of a run, given to `jobs` and `measure`; here a `datasets.Dataset`."""
        return datasets.load(dataset, data_home=data_home)

    @abstractmethod
    def jobs(self, data, quick):
        """All there is to measure: a list of jobs, each a list of cells."""

    @abstractmethod
    def measure(self, cells, data):
        """A dict of what was measured, for each cell of a job.

        Runs in a worker process, under one BLAS thread; warnings are collected.
        """

    @abstractmethod
    def summary(self, table):
        """What the terminal shows of the results: a pandas DataFrame."""

    @abstractmethod
    def draw(self, table):
        """A matplotlib figure of the results."""

    @abstractmethod
    def verdicts(self, table):
        """A `Verdict` for each claim that the results speak of."""
