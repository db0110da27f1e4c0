"""The verdicts on sizes and on accuracy."""

import numpy as np

from experiments.authors_runs.fronts import (
    ALL,
    ALL_PARAMETERS,
    BAND,
    PLAIN,
    VALIDATED,
    best_accuracy,
    compared,
    own_targets,
    ratios,
    tasks,
)
from experiments.authors_runs.sizes import CIFAR10, COVERTYPE
from experiments.experiment import Outcome, Verdict

# The draft's figures of sizes: CIFAR10 from 4 to 40, COVERTYPE above 1 and hardly above 3.
LEAST, MOST, HARDLY = 4, 40, 3
# A typical draw agrees, or nearly all do.
TYPICAL, NEARLY_ALL = 0.5, 0.9
# "Hardly exceeds" allows for this share of the targets. "Very high" are targets within two points
# of the highest.
FEW_TARGETS, VERY_HIGH = 0.1, 0.02
# Where fewer networks of a kind reach a target, the fronts end.
FEW = 5
# "As accurate": within half a point, about two standard errors with CIFAR10's 10 000 test images.
AS_ACCURATE = 0.005

_SOURCE, _SIZES = "draft 001, 4.2", "draft 001, 4.3"
_RATIO = "the ratio, of the smallest networks that reach the target, static to ShrinkNet, is "
_GRID = "at every target of 80 % and more, in steps of half a point up to what both kinds reach, "
_HALF = "so at half of the targets or more"


def percent(share):
    return f"{100 * share:.4g} %"


def four_to_forty(table):
    """Verdict on the sizes for CIFAR10."""
    return _on_sizes(
        table,
        CIFAR10,
        "On CIFAR10 the improvement in size goes from 4x to 40x, at accuracies of 80 to 100 %",
        _in_range,
        f"{_GRID}{_RATIO}between {LEAST} and {MOST} in the runs and in half of the draws",
        _HALF,
        [ALL_PARAMETERS, VALIDATED],
    )


def always_above_one(table):
    """Verdict on the sizes for COVERTYPE: never larger."""
    return _on_sizes(
        table,
        COVERTYPE,
        "On COVERTYPE the compression ratio is always above 1",
        _above_one,
        f"{_GRID}{_RATIO}above 1 in the runs and in {percent(NEARLY_ALL)} of the draws",
        _HALF,
        [ALL_PARAMETERS, VALIDATED, PLAIN],
    )


def hardly_above_three(table):
    """Verdict on the sizes for COVERTYPE: not much smaller."""
    return _on_sizes(
        table,
        COVERTYPE,
        "On COVERTYPE the compression ratio hardly exceeds 3x, except for very high accuracy",
        _hardly,
        f"{_RATIO}at most {HARDLY}, in the runs and in half of the draws, at all but "
        f"{percent(FEW_TARGETS)} of the targets of 80 % and more that are over two points below "
        f"the highest that both kinds reach, and above {HARDLY} at some target within two points",
        f"it is at most {HARDLY} at half of the former or more",
        [ALL_PARAMETERS, VALIDATED, PLAIN],
    )


def _in_range(found):
    return _everywhere(
        [LEAST <= one.ratio <= MOST and one.draws.share(LEAST, MOST) >= TYPICAL for one in found]
    )


def _above_one(found):
    return _everywhere(
        [one.ratio > 1 and 1 - one.draws.share(high=1) >= NEARLY_ALL for one in found]
    )


def _everywhere(holds):
    """An outcome, and where it holds."""
    return Outcome.of_cases(holds), f"it holds at {sum(holds)} of {len(holds)} targets"


def _hardly(found):
    edge = max((one.target for one in found), default=1.0) - VERY_HIGH
    within = [
        one.ratio <= HARDLY and one.draws.share(high=HARDLY) >= TYPICAL
        for one in found
        if one.target < edge
    ]
    beyond = [
        one.ratio > HARDLY and one.draws.share(high=HARDLY) < TYPICAL
        for one in found
        if one.target >= edge
    ]
    share = np.mean(within) if within else 0.0
    text = (
        f"it is at most {HARDLY} at {sum(within)} of {len(within)} targets below "
        f"{percent(edge)}, and above at {sum(beyond)} of {len(beyond)} from there on"
    )
    return Outcome.of(share >= 1 - FEW_TARGETS and any(beyond), share >= 0.5), text


def _on_sizes(table, task, claim, rule, confirmed_if, conditional_if, choices):
    """A verdict on ratios of sizes, and what it is where networks are compared otherwise."""
    found = ratios(table, task)
    outcome, where = rule(found)
    own = ratios(table, task, at=own_targets(table, task))
    texts = [
        f"{extremes(found)}; {where}",
        hangs_on(found),
        _seldom_small(table, task),
        "Only at the accuracies of ShrinkNet's own front, as in the authors' figure: "
        f"{extremes(own)}{'; ' + greatest(own) if own else ''}",
        *(_otherwise(table, task, choice, rule) for choice in choices),
    ]
    return Verdict(claim, _SIZES, outcome, confirmed_if, conditional_if, ". ".join(texts) + ".")


def _otherwise(table, task, choice, rule):
    found = ratios(table, task, choice)
    outcome, where = rule(found)
    return f"{choice.name[0].upper()}{choice.name[1:]}: {outcome.value}, {extremes(found)}; {where}"


def extremes(found):
    """The least and the greatest ratio, and where they are."""
    if not found:
        return "no target is reached by both kinds"
    least, most = (f(found, key=lambda one: one.ratio) for f in (min, max))
    return (
        f"{least.ratio:.2f} (at {percent(least.target)}) to {most.ratio:.2f} (at "
        f"{percent(most.target)}), median {np.median([one.ratio for one in found]):.2f}"
    )


def hangs_on(found):
    """How far the ratios hang on single networks."""
    if not found:
        return "Nothing is compared"
    static, shrinknets = (len({one.smallest[kind] for one in found}) for kind in (0, 1))
    n_few = sum(min(one.n_reach) < FEW for one in found)
    return (
        f"{shrinknets} ShrinkNets and {static} static networks decide all {len(found)} targets, "
        f"and at {n_few} fewer than {FEW} networks of a kind reach the target; {greatest(found)}"
    )


def _seldom_small(table, task):
    """How many static networks there are where ShrinkNets are."""
    static, shrinknets = compared(table, task)
    n_smaller = (static["counted"] < shrinknets["counted"].median()).sum()
    return f"{n_smaller} of {len(static)} static networks are smaller than the median ShrinkNet"


def greatest(found):
    """What the greatest ratio is in the draws, and without its ShrinkNet."""
    most = max(found, key=lambda one: one.ratio)
    if np.isnan(most.without):
        return "only one ShrinkNet reaches the target with the greatest ratio"
    low, high = most.draws.band
    return (
        f"the greatest ratio is {low:.2f} to {high:.2f} in {percent(BAND)} of the draws, and "
        f"{most.without:.2f} without its ShrinkNet"
    )


def as_accurate(table):
    """Verdict on the best accuracies."""
    found = {task: best_accuracy(table, task) for task in tasks(table)}
    holds = [
        draws.value >= -AS_ACCURATE and draws.share(low=-AS_ACCURATE) >= NEARLY_ALL
        for draws in found.values()
    ]
    texts = [_accuracies(table, task, draws) for task, draws in found.items()]
    return Verdict(
        "ShrinkNets find models that are as accurate as static networks",
        _SOURCE,
        Outcome.of_cases(holds),
        "for both tasks the best ShrinkNet's test accuracy is at most half a point below that of "
        f"the best static network, in the runs and in {percent(NEARLY_ALL)} of the draws",
        "so for one of them",
        f"Best test accuracies. {'; '.join(texts)}.",
    )


def _accuracies(table, task, draws):
    static, shrinknets = compared(table, task)
    best = [rows["accuracy"].max() for rows in (shrinknets, static)]
    validated = [
        rows.loc[rows["val_accuracy"].idxmax(), "accuracy"] for rows in (shrinknets, static)
    ]
    low, high = (100 * end for end in draws.band)
    return (
        f"{task}: ShrinkNet {100 * best[0]:.2f} %, static {100 * best[1]:.2f} %, a difference of "
        f"{100 * draws.value:+.2f} points, {low:+.2f} to {high:+.2f} in {percent(BAND)} of the "
        f"draws; where validation accuracy is best {100 * validated[0]:.2f} % and "
        f"{100 * validated[1]:.2f} %; of {len(shrinknets)} and {len(static)} trainings"
    )


def better_or_equal(table):
    """Verdict on the fronts."""
    found = {task: ratios(table, task, start=ALL) for task in tasks(table)}
    holds = [
        one.ratio >= 1 and one.draws.share(low=1) >= TYPICAL
        for several in found.values()
        for one in several
    ]
    texts = [
        f"{task}: {_larger(several)}; {ALL_PARAMETERS.name}: "
        f"{_larger(ratios(table, task, ALL_PARAMETERS, start=ALL))}"
        for task, several in found.items()
    ]
    return Verdict(
        "ShrinkNets are better than static networks, or equally good, in size and accuracy",
        _SOURCE,
        Outcome.of_cases(holds),
        "for both tasks, at every target of 50 % and more in steps of half a point that both "
        "kinds reach, the smallest ShrinkNet is no larger than the smallest static network, in "
        "the runs and in half of the draws",
        "so at half of the targets of both tasks or more",
        f"{'; '.join(texts)}.",
    )


def _larger(found):
    larger = [one for one in found if one.ratio < 1]
    text = f"ShrinkNet is larger at {len(larger)} of {len(found)} targets"
    if not larger:
        return text
    least = min(larger, key=lambda one: one.ratio)
    return f"{text}, with ratios down to {least.ratio:.2f} (at {percent(least.target)})"
