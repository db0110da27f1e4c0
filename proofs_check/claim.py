"""What a claim is, and how it is put to the test.

A `Claim` says that something holds for every instance. It is tested by search: hypothesis
draws instances (`Claim.instances`), and `Claim.violation` says how the claim fails for an
instance, if it does. A failing instance is shrunk to the smallest that can be found. No
verdict is written down anywhere: a claim is refuted if and only if the search finds a
counterexample. If the search finds none, that is no proof.
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

# Enough to refute a mutant that is wrong only by a little.
MUTANT_EXAMPLES = 200


@dataclass(frozen=True)
class Mutant:
    """A claim that is false on purpose: the check of the true claim has to refute it.

    Attributes
    ----------
    name : str
        What is wrong about it.
    violation : callable
        As for `Claim`.
    instances : SearchStrategy, or None
        None: those of the claim.
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
        Lines of LaTeX mathematics, limited to what matplotlib's mathtext supports.
    says : str
        The claim in words.
    source : str
        Where it is stated.
    domain : str
        For which data and parameters it is claimed, in words.
    instances : SearchStrategy
        Draws instances, including edge cases, small ones first.
    violation : callable
        Takes an instance. Returns None if the claim holds for it, else a sentence that says
        how it fails, in exact numbers where possible.
    show : callable
        Takes an instance. Returns one line that describes it completely.
    corrected : bool
        Whether we hold it to be true, so that a counterexample is an error.
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
    """The result of the search for a counterexample.

    Attributes
    ----------
    refuted : bool
    n_examples : int
        Instances tried, including those tried while shrinking.
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
    """Whether the claim fails for an instance; counts its calls."""

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
        Called for every instance.

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
    """A number, or nested lists of numbers, as text: fractions stay fractions."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(exact(entry) for entry in value) + "]"
    if isinstance(value, Fraction):
        return str(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
