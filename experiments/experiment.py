"""What an experiment is: cells to measure, a table, a figure, and verdicts on claims."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

import datasets


class Outcome(Enum):
    """What the numbers say of a claim."""

    CONFIRMED = "confirmed"
    CONDITIONAL = "confirmed with conditions"
    NOT_CONFIRMED = "not confirmed"

    @classmethod
    def of(cls, everywhere, somewhere):
        """Confirmed if it holds everywhere, with conditions if only somewhere."""
        if everywhere:
            return cls.CONFIRMED
        return cls.CONDITIONAL if somewhere else cls.NOT_CONFIRMED


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
    figures : str
        The numbers it rests on, as a sentence, with conditions if there are any.
    """

    claim: str
    source: str
    outcome: Outcome
    figures: str

    def __str__(self):
        return f"{self.claim} ({self.source}): {self.outcome.value}. {self.figures}"


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
