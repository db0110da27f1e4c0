"""What a claim is, and how it is put to the test.

A `Claim` says of every instance that something holds. It is tested by search: hypothesis
draws instances (`Claim.instances`), `Claim.violation` says of each how the claim fails
there, if it does, and a failing instance is shrunk to the smallest that can be found. No
verdict is written down anywhere: a claim is refuted if and only if the search finds a
counterexample. What was found is no proof where nothing was found.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

# A mutant that is wrong everywhere is found at once, one that is off by a little soon.
MUTANT_EXAMPLES = 200


@dataclass(frozen=True)
class Mutant:
    """A claim that is wrong on purpose, which the same check has to refute.

    Attributes
    ----------
    name : str
        What is wrong with it.
    violation : callable
        As for `Claim`.
    instances : SearchStrategy, or None
        None takes those of the claim.
    """

    name: str
    violation: Callable[[Any], str | None]
    instances: SearchStrategy | None = None


@dataclass(frozen=True)
class Claim:
    """A statement about every instance of a kind.

    Attributes
    ----------
    name : str
        "A.1 as printed", for instance: the statement, then the version.
    formula : tuple of str
        Lines in LaTeX's mathematics, as far as matplotlib's mathtext knows it.
    says : str
        The claim in words.
    source : str
        Where it stands.
    domain : str
        What is quantified over, in words.
    instances : SearchStrategy
        Draws instances, edge cases among them, small ones first.
    violation : callable
        Of an instance: None where the claim holds, else a sentence, in exact numbers
        where it can be, that says how it fails.
    show : callable
        Of an instance: one line that gives it completely.
    corrected : bool
        Whether it is held to be true, so that a counterexample is an error.
    mutants : tuple of Mutant
    """

    name: str
    formula: tuple[str, ...]
    says: str
    source: str
    domain: str
    instances: SearchStrategy
    violation: Callable[[Any], str | None]
    show: Callable[[Any], str] = field(default_factory=lambda: str)
    corrected: bool = True
    mutants: tuple[Mutant, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What the search for a counterexample came to.

    Attributes
    ----------
    refuted : bool
    n_examples : int
        Instances tried, those of shrinking among them.
    instance, violation : str, or None
        The smallest counterexample found, and how the claim fails there.
    seconds : float
    """

    refuted: bool
    n_examples: int
    instance: str | None
    violation: str | None
    seconds: float

    @property
    def verdict(self):
        return "refuted" if self.refuted else "holds"


@dataclass
class _Counted:
    """A predicate of instances that counts how often it is asked."""

    violation: Callable[[Any], str | None]
    report: Callable[[], None]
    n_examples: int = field(default=0)

    def __call__(self, instance):
        self.n_examples += 1
        self.report()
        return self.violation(instance) is not None


def search(claim, examples=200, seed=0, report=lambda: None):
    """Look for a counterexample to a claim.

    Parameters
    ----------
    claim : Claim
    examples : int, default=200
        How many instances to draw, at most.
    seed : int, default=0
        The same seed draws the same instances.
    report : callable
        Called at every instance.

    Returns
    -------
    Outcome
    """
    fails = _Counted(claim.violation, report)
    start = time.perf_counter()
    instance = _find(claim.instances, fails, examples, seed)
    seconds = time.perf_counter() - start
    if instance is None:
        return Outcome(False, fails.n_examples, None, None, seconds)
    shown, violation = claim.show(instance[0]), claim.violation(instance[0])
    return Outcome(True, fails.n_examples, shown, violation, seconds)


def survives(claim, mutant, examples=MUTANT_EXAMPLES, seed=0):
    """Whether a mutant of a claim goes unnoticed.

    Parameters
    ----------
    claim : Claim
    mutant : Mutant
        One of its mutants.
    examples, seed : int
        As for `search`.

    Returns
    -------
    bool
    """
    instances = mutant.instances if mutant.instances is not None else claim.instances
    fails = _Counted(mutant.violation, lambda: None)
    return _find(instances, fails, examples, seed, shrink=False) is None


def _find(instances, fails, examples, seed, shrink=True):
    """The smallest failing instance in a tuple, or None."""
    phases = [Phase.explicit, Phase.generate] + ([Phase.shrink] if shrink else [])
    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    try:
        return (find(instances, fails, settings=options, random=Random(seed)),)
    except NoSuchExample:
        return None


def exact(value):
    """A number, or nested lists of numbers, as the reader should see them."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(exact(entry) for entry in value) + "]"
    if isinstance(value, Fraction):
        return str(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
