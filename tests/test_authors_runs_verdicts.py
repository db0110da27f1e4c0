"""The verdicts on the authors' runs, on made-up tables: each outcome, and what turns it."""

import numpy as np
import pandas as pd
import pytest

from experiments.authors_runs import training
from experiments.authors_runs.convergence import converges_faster, same_training_time
from experiments.authors_runs.fronts import best_accuracy, ratios
from experiments.authors_runs.runs import SECONDS, SHRINKNET, STATIC
from experiments.authors_runs.sizes import CIFAR10, COVERTYPE
from experiments.authors_runs.speed import dominated_by_noise, faster
from experiments.authors_runs.verdicts import (
    always_above_one,
    as_accurate,
    better_or_equal,
    four_to_forty,
    hardly_above_three,
)
from experiments.experiment import Outcome
from made_up_runs import always, both, made_up, of_rates

pytestmark = pytest.mark.untraced

CONFIRMED, CONDITIONAL, NOT = Outcome


@pytest.fixture(scope="module", autouse=True)
def few_permutations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "N_DRAWN", 399)
        yield


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (lambda a: 4.5 + 200 * (a - 0.8), CONFIRMED),
        (always(5), CONFIRMED),
        # Up to 86 % or to 89 % of 95 %.
        (lambda a: 50 if a > 0.89 else 5, CONDITIONAL),
        (lambda a: 3 if a > 0.89 else 5, CONDITIONAL),
        (lambda a: 3 if a > 0.86 else 5, NOT),
        (always(45), NOT),
        (always(1), NOT),
    ],
)
def test_verdict_on_cifar10(ratio, outcome):
    # Below the range it does not matter.
    table = both(lambda a: ratio(a) if a >= 0.8 else 100)
    assert four_to_forty(table).outcome is outcome


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (always(1.3), CONFIRMED),
        (lambda a: 1.3 if a != 0.94 else 0.6, CONDITIONAL),
        (lambda a: 1.3 if a > 0.9 else 0.9, NOT),
        (always(1.0), NOT),
        (always(0.5), NOT),
    ],
)
def test_verdict_on_above_one(ratio, outcome):
    table = both(always(10), lambda a: ratio(a) if a >= 0.8 else 0.1)
    assert always_above_one(table).outcome is outcome


def test_above_one_must_hold_in_nearly_all_draws():
    # One small ShrinkNet makes all ratios 1.3; without it, as in a third of the draws, 0.9.
    table = both(always(0.9))
    lucky = table[table["kind"] == SHRINKNET].iloc[[-1]]
    lucky = lucky.assign(run="lucky", counted=0.7 * table["counted"].min())
    found = pd.concat([table, lucky], ignore_index=True)
    assert all(one.ratio > 1 for one in ratios(found, COVERTYPE))
    assert always_above_one(found).outcome is NOT
    assert always_above_one(table).outcome is NOT
    several = pd.concat([table, *[lucky.assign(run=f"lucky {k}") for k in range(6)]])
    assert always_above_one(several).outcome is CONFIRMED


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (lambda a: 2 if a < 0.93 else 10, CONFIRMED),
        # Nowhere above; above at two of 26 targets before; at six of them; at all of them.
        (always(2), CONDITIONAL),
        (lambda a: 2 if 0.81 <= a < 0.93 else 10, CONFIRMED),
        (lambda a: 2 if 0.83 <= a < 0.93 else 10, CONDITIONAL),
        (lambda a: 2 if 0.87 <= a < 0.93 else 10, NOT),
        (always(10), NOT),
    ],
)
def test_verdict_on_hardly_above_three(ratio, outcome):
    assert hardly_above_three(both(always(10), ratio)).outcome is outcome


def with_best(table, task, kind, accuracy, n=6):
    """With n more networks of this accuracy, larger than all others."""
    rows = table[(table["task"] == task) & (table["kind"] == kind)].iloc[[-1] * n]
    names = [f"best of {task} {k}" for k in range(n)]
    new = {"accuracy": accuracy, "val_accuracy": accuracy, "run": names}
    return pd.concat([table, rows.assign(**new)], ignore_index=True)


def test_verdict_on_accuracy():
    table = both(always(2))
    assert as_accurate(table).outcome is CONFIRMED
    assert best_accuracy(table, CIFAR10).value == 0
    slightly = with_best(table, CIFAR10, STATIC, 0.953)
    assert as_accurate(slightly).outcome is CONFIRMED
    once = with_best(table, CIFAR10, STATIC, 0.96)
    assert as_accurate(once).outcome is CONDITIONAL
    assert "ShrinkNet 95.00 %, static 96.00 %" in as_accurate(once).figures
    assert as_accurate(with_best(once, COVERTYPE, STATIC, 0.97)).outcome is NOT
    # A single ShrinkNet as accurate as six static ones: in most draws there is none.
    lucky = with_best(once, CIFAR10, SHRINKNET, 0.96, n=1)
    assert best_accuracy(lucky, CIFAR10).value == 0
    assert as_accurate(lucky).outcome is CONDITIONAL
    assert as_accurate(with_best(once, CIFAR10, SHRINKNET, 0.96)).outcome is CONFIRMED


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (always(2), always(1), CONFIRMED),
        (always(2), lambda a: 0.6 if a == 0.6 else 2, CONDITIONAL),
        (always(2), always(0.9), CONDITIONAL),
        (always(0.9), always(0.9), NOT),
    ],
)
def test_verdict_on_fronts(first, second, outcome):
    verdict = better_or_equal(both(first, second))
    assert verdict.outcome is outcome
    assert ("0.60 (at 60 %)" in verdict.figures) == (second(0.6) == 0.6)


def seconds(**exponents):
    """Columns of seconds that are a power of the size."""
    return {
        name: lambda table, power=power: table["counted"] ** power
        for name, power in exponents.items()
    }


def test_verdict_on_speed():
    sizes = {CIFAR10: always(8), COVERTYPE: always(2)}
    assert faster(made_up(sizes)).outcome is CONFIRMED
    # As fast at any size: of the cases that count, those of the GPU are two of five.
    gpu = seconds(gpu_1=0, gpu_large=0)
    assert faster(made_up(sizes, others=gpu)).outcome is CONDITIONAL
    cpu = seconds(cpu_1=0, cpu_large=0)
    assert faster(made_up(sizes, others=cpu)).outcome is NOT
    # Those that the draft calls noisy do not count.
    noisy = seconds(gpu_1=-1)
    assert faster(made_up(sizes, others=noisy)).outcome is CONFIRMED
    assert "multiply-adds 8.00 (at 80 %)" in faster(made_up(sizes)).figures


def test_verdict_on_noise():
    sizes = {CIFAR10: always(1.5), COVERTYPE: always(1.5)}

    def jitter(power, size):
        def column(table):
            noise = np.random.default_rng(0).standard_normal(len(table))
            return table["counted"] ** power * np.exp(size * noise)

        return column

    loud = {name: jitter(0.1, 0.5) for name in SECONDS}
    assert dominated_by_noise(made_up(sizes, others=loud)).outcome is CONFIRMED
    clear = {name: jitter(1, 0.01) for name in SECONDS}
    assert dominated_by_noise(made_up(sizes, others=clear)).outcome is NOT
    mixed = clear | {"gpu_1": loud["gpu_1"]}
    assert dominated_by_noise(made_up(sizes, others=mixed)).outcome is CONDITIONAL


def by_kind(table, saved, spread=10.0):
    random = np.random.default_rng(0)
    shrinks = table["kind"] == SHRINKNET
    saves = table["task"].map(saved)
    return 100 + spread * random.standard_normal(len(table)) - saves.where(shrinks, 0)


@pytest.mark.parametrize(
    ("cifar10", "covertype", "outcome"),
    [(10, 10, CONFIRMED), (10, 0, CONDITIONAL), (0, 0, NOT), (-10, -10, NOT)],
)
def test_verdict_on_epochs(cifar10, covertype, outcome):
    table = both(always(2))
    table["epoch"] = by_kind(table, {CIFAR10: cifar10, COVERTYPE: covertype})
    assert converges_faster(table).outcome is outcome


@pytest.mark.parametrize(("saved", "outcome"), [(0, NOT), (10, CONFIRMED)])
def test_faster_because_of_the_rates_is_not_faster(saved, outcome):
    table = of_rates(5, saved)
    table = pd.concat([table, table.assign(task=COVERTYPE)], ignore_index=True)
    same = dict.fromkeys(("near_epoch", "epochs"), table["epoch"])
    table = table.assign(layers=3, plain=True, accuracy=0.9, **same)
    assert converges_faster(table).outcome is outcome
    assert "at similar rates" in converges_faster(table).figures


@pytest.mark.parametrize(
    ("saved", "spread", "outcome"),
    [
        ((0, 0), 10, CONFIRMED),
        ((10, 0), 10, CONDITIONAL),
        ((10, -10), 10, NOT),
        # No significant difference, as nothing is known.
        ((0, 0), 1000, NOT),
    ],
)
def test_verdict_on_training_time(saved, spread, outcome):
    table = both(always(2))
    table["training_seconds"] = by_kind(
        table, dict(zip((CIFAR10, COVERTYPE), saved, strict=True)), spread
    )
    assert same_training_time(table).outcome is outcome


def test_verdicts_say_what_follows_from_other_counts():
    table = both(lambda a: 5 if a >= 0.8 else 50, always(2))
    honest = table.assign(parameters=table["counted"].where(table["kind"] == SHRINKNET, 1))
    figures = four_to_forty(honest).figures
    assert "With every weight and bias counted: not confirmed, 0.00 (at" in figures
    assert "With targets of validation accuracy: confirmed, 5.00 (at 80 %)" in figures
    assert "Without the networks that have dropout" in always_above_one(table).figures
