"""The verdicts on training: epochs to the best one, and seconds."""

from experiments.authors_runs.fronts import BAND, USEFUL, tasks
from experiments.authors_runs.training import at_equal_rates, difference, ratio_of_means
from experiments.authors_runs.verdicts import percent
from experiments.experiment import Outcome, Verdict

_SOURCE = "draft 001, 6"
SIGNIFICANT = 0.05
# Means that differ by no more than this factor count as the same.
SAME = 1.25


def converges_faster(table):
    """Verdict on the epochs to the best one."""
    found = {task: difference(table, task, "epoch") for task in tasks(table)}
    matched = {task: at_equal_rates(table, task, "epoch") for task in found}
    holds = [
        found[task].static > found[task].shrinknet
        and found[task].p < SIGNIFICANT
        and matched[task][0] < 0
        and matched[task][1] < SIGNIFICANT
        for task in found
    ]
    texts = [_epochs(table, task, found[task], matched[task]) for task in found]
    return Verdict(
        "ShrinkNets converge faster: the mean number of epochs to the best is 62.5 against 68.4 "
        "on CIFAR10 and 117.9 against 130 on COVERTYPE",
        _SOURCE,
        Outcome.of_cases(holds),
        f"for both tasks the mean is lower with p < {SIGNIFICANT} by a permutation test, also "
        "where only runs of similar learning rates are compared (fifths of the runs)",
        "so for one of them",
        f"Means, ShrinkNet against static. {'; '.join(texts)}. The best epoch is from the second "
        "half of training, whose length depends on the initial rate and on when the rate falls: "
        "it says little about speed.",
    )


def _epochs(table, task, found, matched):
    good = difference(table, task, "epoch", lambda rows: rows["accuracy"] >= USEFUL)
    near = difference(table, task, "near_epoch")
    length = difference(table, task, "epochs")
    return (
        f"{task}: {_means(found)}, at similar rates {matched[0]:+.1f} (p = {matched[1]:.2g}); of "
        f"runs that reach {percent(USEFUL)} {_means(good)}; epochs until validation accuracy is "
        f"within a point of that of the best epoch {_means(near)}; epochs of training in all "
        f"{_means(length)}"
    )


def _means(found):
    return f"{found.shrinknet:.1f} against {found.static:.1f} (p = {found.p:.2g})"


def same_training_time(table):
    """Verdict on the time that training takes."""
    name = "training_seconds"
    tests = {task: difference(table, task, name) for task in tasks(table)}
    found = {task: ratio_of_means(table, task, name, BAND) for task in tests}
    holds = [
        tests[task].p >= SIGNIFICANT and low >= 1 / SAME and high <= SAME
        for task, (_, low, high) in found.items()
    ]
    texts = [
        f"{task}: {tests[task].shrinknet:.0f} against {tests[task].static:.0f} s (p = "
        f"{tests[task].p:.2g}), a ratio of {ratio:.2f} ({low:.2f} to {high:.2f})"
        for task, (ratio, low, high) in found.items()
    ]
    return Verdict(
        "There is no significant difference in training time",
        _SOURCE,
        Outcome.of_cases(holds),
        f"for both tasks the mean seconds of a training differ with p ≥ {SIGNIFICANT} by a "
        f"permutation test, and their ratio is between {1 / SAME:g} and {SAME:g} in "
        f"{percent(BAND)} of the bootstrap resamples",
        "so for one of them",
        f"Means, ShrinkNet against static. {'; '.join(texts)}. These are the passes over the "
        "training data alone; the authors do not name the machines.",
    )
