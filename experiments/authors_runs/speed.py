"""The verdicts on inference: seconds per input, at equal accuracy and at equal work."""

import numpy as np

from experiments.authors_runs.fronts import compared, ratios, tasks
from experiments.authors_runs.runs import SECONDS
from experiments.authors_runs.sizes import CIFAR10, COVERTYPE
from experiments.authors_runs.verdicts import FEW_TARGETS, TYPICAL, extremes, percent
from experiments.experiment import Outcome, Verdict

# Where the draft says that inference is too fast for an improvement to show.
NOISY = ((COVERTYPE, "cpu_1"), (COVERTYPE, "gpu_1"), (CIFAR10, "gpu_1"))
NAMES = {
    "cpu_1": "CPU, batch of 1",
    "cpu_large": "CPU, large batch",
    "gpu_1": "GPU, batch of 1",
    "gpu_large": "GPU, large batch",
}
# Seconds are a curve of this degree in work, both in logarithm.
_DEGREE = 2
_SOURCE = "draft 001, 4.3"


def faster(table):
    """Verdict on the speed at equal accuracy."""
    found = {
        case: ratios(table, case[0], value=case[1]) for case in _cases(table) if case not in NOISY
    }
    shares = {case: _share_faster(several) for case, several in found.items()}
    texts = [
        f"{task}, {NAMES[column]}: {extremes(several)}, faster at "
        f"{percent(round(shares[task, column], 2))} of the targets"
        for (task, column), several in found.items()
    ]
    sizes = [
        f"{task}: sizes {extremes(ratios(table, task))}, multiply-adds "
        f"{extremes(ratios(table, task, value='multiply_adds'))}"
        for task in tasks(table)
    ]
    return Verdict(
        "The smallest ShrinkNets predict faster than the smallest static networks that are as "
        "accurate",
        _SOURCE,
        Outcome.of_cases([share >= 1 - FEW_TARGETS for share in shares.values()]),
        "with each task, machine and batch size, except those that the draft calls noisy, the "
        "smallest ShrinkNet is faster than the smallest static network, in the runs and in half "
        f"of the draws, at {percent(1 - FEW_TARGETS)} of the targets of 80 % and more",
        "so in half of these cases or more",
        f"Seconds, static to ShrinkNet. {'; '.join(texts)}. Between the same networks, "
        f"{'; '.join(sizes)}.",
    )


def dominated_by_noise(table):
    """Verdict on where an improvement does not show."""
    cases = [*NOISY, *(case for case in _cases(table) if case not in NOISY)]
    cases = [case for case in cases if case[0] in tasks(table)]
    gains = {case: abs(_log_gain(table, *case)) for case in cases}
    scatters = {case: scatter(table, *case) for case in cases}
    texts = [
        f"{task}, {NAMES[column]}: {np.exp(gains[task, column]):.2f} against "
        f"{np.exp(scatters[task, column]):.2f}"
        for task, column in cases
    ]
    return Verdict(
        "Where inference is already very fast (COVERTYPE with a batch of 1, CIFAR10 with a batch "
        "of 1 on a GPU), noise dominates the improvement",
        _SOURCE,
        Outcome.of_cases([gains[case] <= scatters[case] for case in cases if case in NOISY]),
        "in all three cases the median ratio of seconds, over the targets of 80 % and more, is "
        "at most the scatter, as a factor: one standard deviation of the logarithm of seconds "
        "between networks of equal work",
        "so in two of them",
        f"Ratio, or its inverse if below 1, against scatter; first the three cases. "
        f"{'; '.join(texts)}.",
    )


def _cases(table):
    return [(task, column) for task in tasks(table) for column in SECONDS]


def _share_faster(found):
    holds = [one.ratio > 1 and 1 - one.draws.share(high=1) >= TYPICAL for one in found]
    return float(np.mean(holds)) if holds else 0.0


def _log_gain(table, task, column):
    found = [np.log(one.ratio) for one in ratios(table, task, value=column)]
    return float(np.median(found)) if found else 0.0


def scatter(table, task, column):
    """Standard deviation of the logarithm of seconds about a curve in the logarithm of work.

    Each kind has its own constant, as its times may be from another machine.
    """
    both = compared(table, task)
    work, seconds = (
        np.log(np.concatenate([rows[name] for rows in both])) for name in ("multiply_adds", column)
    )
    kinds = np.repeat([0.0, 1.0], [len(rows) for rows in both])
    A = np.column_stack([np.vander(work - work.mean(), _DEGREE + 1), kinds])
    residuals = seconds - A @ np.linalg.lstsq(A, seconds, rcond=None)[0]
    return float(np.sqrt((residuals**2).sum() / (len(residuals) - A.shape[1])))
