"""Early removal of units: what is tried, and what is concluded from made-up tables."""

import numpy as np
import pandas as pd
import pytest

from experiments.early_removal_networks import (
    CLOSED,
    COSTS,
    EARLY,
    FILTER,
    FIXED,
    LATE,
    NEVER,
    NONE,
    PLAIN,
    PLATEAUS,
    SIGN_CHANGE,
    SIGN_VARIANCE,
    SWITCH,
    EarlyRemovalNetworks,
    adapts,
    beside,
    converges_faster,
    costs_nothing,
    saves_updates,
    takes_as_long,
    trades_off,
)
from experiments.experiment import Outcome

pytestmark = pytest.mark.untraced

STRATEGIES = [(SWITCH, SIGN_CHANGE, 1.0), (SWITCH, SIGN_VARIANCE, 0.1)]
STRATEGIES += [(SWITCH, SIGN_VARIANCE, 0.01), (FILTER, CLOSED, 0.0)]
SEEDS = (1, 2, 3, 4)
EMPTY = {"best_epoch": np.nan, "best_epoch_of_all": np.nan, "n_epochs": 10}


def row(removed, seed, lam, strategy, share, change, before):
    """Costs and accuracies differ between seeds by much more than between ways to remove."""
    gate, name, parameter = strategy
    costs = dict.fromkeys(COSTS, share * 1000.0 * seed)
    accuracies = {"test": 0.6 + 0.05 * seed + change, "test_before": 0.6 + 0.05 * seed + before}
    setting = {"schedule": FIXED, "lambda": lam, "gate": gate, "strategy": name}
    setting |= {"parameter": parameter, "removed": removed, "seed": seed}
    return {**setting, **accuracies, "parameters": 100, **EMPTY, **costs}


def removals(share=0.05, change=0.0, before=0.02, late=0.8, noise=0.0, lam=1e-3):
    """A table: of early removal the share of updates and the changes of accuracy.

    Shares and changes are numbers, or one for each strategy. Beside late removal accuracy is
    `change` higher, too, and `before` higher before fine-tuning.
    """
    rows = []
    shares, changes, untuned = (
        np.broadcast_to(values, len(STRATEGIES)) for values in (share, change, before)
    )
    for seed in SEEDS:
        moved = noise * (seed - np.mean(SEEDS))
        for gate in (SWITCH, FILTER):
            rows.append(row(NEVER, seed, lam, (gate, NONE, 0.0), 1.0, 0.0, 0.0))
        for strategy, s, c, b in zip(STRATEGIES, shares, changes, untuned, strict=True):
            rows.append(row(EARLY, seed, lam, strategy, s, c + moved, b + moved))
            rows.append(row(LATE, seed, lam, strategy, late, 0.0, 0.0))
    return pd.DataFrame(rows)


def two(first, second):
    return pd.concat([removals(**first), removals(**second, lam=1e-2)], ignore_index=True)


def outcomes(verdict, first, second):
    table = two(first, second).sample(frac=1, random_state=0).reset_index(drop=True)
    return verdict(table).outcome


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({}, {}, Outcome.CONFIRMED),
        ({}, {"share": 0.11}, Outcome.CONDITIONAL),
        ({}, {"change": -0.011}, Outcome.CONDITIONAL),
        ({"share": 0.11}, {"change": -0.011}, Outcome.NOT_CONFIRMED),
        # Of filters nothing is asked.
        ({"share": [0.05] * 3 + [0.9]}, {}, Outcome.CONFIRMED),
        ({"share": [0.05, 0.2, 0.2, 0.05]}, {"share": 0.3}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_updates(first, second, outcome):
    assert outcomes(saves_updates, first, second) is outcome


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({}, {}, Outcome.CONFIRMED),
        ({"share": 0.39}, {"share": 0.39}, Outcome.CONFIRMED),
        ({"share": 0.41}, {}, Outcome.CONDITIONAL),
        ({"share": 0.41}, {"change": -0.006}, Outcome.NOT_CONFIRMED),
        ({"share": 0.1, "late": 0.15}, {"share": 0.1, "late": 0.15}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_late_removal(first, second, outcome):
    assert outcomes(costs_nothing, first, second) is outcome


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({}, {}, Outcome.CONFIRMED),
        ({}, {"before": 0.0}, Outcome.CONDITIONAL),
        ({"before": -0.02}, {"before": -0.02}, Outcome.NOT_CONFIRMED),
        # Higher, by less than it varies between seeds.
        ({"noise": 0.05}, {"noise": 0.05}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_before_fine_tuning(first, second, outcome):
    assert outcomes(adapts, first, second) is outcome


RISING = {"share": [0.05, 0.1, 0.5, 0.9], "change": [-0.05, -0.03, -0.01, 0.0]}


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (RISING, RISING, Outcome.CONFIRMED),
        (RISING, {**RISING, "change": 0.0}, Outcome.CONDITIONAL),
        ({**RISING, "share": 0.1}, {**RISING, "change": 0.0}, Outcome.NOT_CONFIRMED),
        ({**RISING, "share": [0.5, 0.1, 0.05, 1]}, {"share": 1}, Outcome.NOT_CONFIRMED),
        ({**RISING, "noise": 0.1}, {**RISING, "noise": 0.1}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_gamma(first, second, outcome):
    assert outcomes(trades_off, first, second) is outcome


def test_what_is_beside_a_training_is_of_its_own_start():
    """Mutant: means of all seeds."""
    table = removals(share=0.3).sample(frac=1, random_state=0)
    rows = table[table["removed"] == EARLY]
    for removed, share in ((LATE, 0.3 / 0.8), (NEVER, 0.3)):
        found = rows["parameter_updates"] / beside(table, rows, removed, "parameter_updates")
        np.testing.assert_allclose(found, share)


def converging(earlier, slower, noise=0.0, lams=(1e-3, 1e-2), lost=(0, 0), spread=0.0):
    """Best epochs that are earlier with switches, and seconds that are a multiple, for each λ.

    With switches accuracy is `lost`; the logarithms of seconds have this spread.
    """
    rows = []
    for seed in SEEDS:
        settings = [(0.0, PLAIN, 0.0, 1.0, 0.0)]
        settings += [
            (lam, SWITCH, *of) for lam, *of in zip(lams, earlier, slower, lost, strict=True)
        ]
        for lam, gate, epochs, factor, less in settings:
            if gate == SWITCH:
                factor = factor * np.exp(spread * (seed - np.mean(SEEDS)))
            moved = noise * (seed - np.mean(SEEDS)) if gate == SWITCH else 0
            best = 20 * seed - epochs + moved
            rows.append(
                {
                    "schedule": PLATEAUS, "lambda": lam, "gate": gate, "seed": seed,
                    "strategy": NONE if gate == PLAIN else SIGN_VARIANCE, "parameter": 0.1,
                    "removed": NEVER if gate == PLAIN else EARLY, "test": 0.9 - less,
                    "test_before": np.nan, "parameters": 100, "best_epoch": best,
                    "best_epoch_of_all": best, "n_epochs": 100 if seed == 1 else 50,
                    "epochs": 100, "parameter_updates": np.nan,
                    "multiply_adds": np.nan, "seconds": 10.0 * seed * factor,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("earlier", "noise", "lost", "outcome"),
    [
        ((5, 5), 0, (0, 0.009), Outcome.CONFIRMED),
        ((5, 0), 0, (0, 0), Outcome.CONDITIONAL),
        # Early because it is worse.
        ((5, 5), 0, (0.07, 0), Outcome.CONDITIONAL),
        ((-5, -5), 0, (0, 0), Outcome.NOT_CONFIRMED),
        # Earlier by less than it varies.
        ((5, 5), 8, (0, 0), Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_convergence(earlier, noise, lost, outcome):
    table = converging(earlier, (1, 1), noise, lost=lost).sample(frac=1, random_state=0)
    verdict = converges_faster(table)
    assert verdict.outcome is outcome
    assert (
        "The cap of 100 epochs ended 1 of 4 without switches, 1 of 4 with λ = 0.001, 1 of 4"
        in verdict.figures
    )


@pytest.mark.parametrize(
    ("slower", "spread", "outcome"),
    [
        ((1.05, 0.95), 0.02, Outcome.CONFIRMED),
        ((1.0, 2.0), 0, Outcome.CONDITIONAL),
        # Faster is different, too.
        ((0.5, 2.0), 0, Outcome.NOT_CONFIRMED),
        # Nobody knows.
        ((1.0, 1.0), 0.5, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_seconds(slower, spread, outcome):
    assert takes_as_long(converging((0, 0), slower, spread=spread)).outcome is outcome


def test_summary_figure_and_all_verdicts():
    import matplotlib.pyplot as plt

    table = pd.concat([two({}, {}), converging((5, 5), (1, 1))], ignore_index=True)
    experiment = EarlyRemovalNetworks()
    assert len(experiment.verdicts(table)) == 6
    summary = experiment.summary(table)
    assert len(summary) == 2 * (2 + 2 * len(STRATEGIES)) + 3
    figure = experiment.draw(table)
    assert len(figure.axes) == 3
    assert figure.axes[-1].texts[0].get_text() == "50.0"
    plt.close(figure)


@pytest.mark.parametrize("quick", [True, False])
def test_cells(quick):
    jobs = EarlyRemovalNetworks().jobs(None, quick)
    table = pd.DataFrame([cell for job in jobs for cell in job])
    assert not table.duplicated().any()
    # What is compared is in one job.
    for job in jobs:
        assert len({(cell["seed"], cell["lambda"], cell["gate"]) for cell in job}) == 1
    fixed = table[table["schedule"] == FIXED]
    assert (fixed["removed"] == EARLY).sum() == (fixed["removed"] == LATE).sum()
