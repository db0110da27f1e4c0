"""Where plain networks end: the cells, the verdicts on made-up tables, summary and figure."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from experiments import network_landscape
from experiments.experiment import Outcome
from experiments.network_landscape import (
    MINIMA,
    TRANSITION,
    UNITS,
    NetworkLandscape,
    best_starts,
    crossing,
    ends_are_minima,
    falls_quickly,
    later_with_rows,
    lowest_with_width,
    no_help_of_units,
    not_equivalent,
    shallow_ends_grow,
)

pytestmark = pytest.mark.untraced

C, S, N = Outcome.CONFIRMED, Outcome.CONDITIONAL, Outcome.NOT_CONFIRMED
END = {"loss": 0.5, "gradient": 0.01, "n_wrong": 5, "train_auc": 0.9, "test_auc": 0.8}
NO_LATER = {"later_loss": np.nan, "later_n_wrong": np.nan}


def row(figure, k=3, n=600, p=3, units=10, draw=0, start=0, **end):
    cell = {"figure": figure, "k": k, "n": n, "p": p, "units": units, "draw": draw}
    return {**cell, "start": start, "later_steps": 0, **END, **NO_LATER, **end}


def ends(losses, later=None, **of_all):
    """Sorted ends; all are trained on, by default without change."""
    return [
        row(MINIMA, start=i, loss=loss, **{"later_loss": then, "later_n_wrong": 5, **of_all})
        for i, (loss, then) in enumerate(zip(losses, later or losses, strict=True))
    ]


SPREAD, EVEN = [0.1, 0.15, 0.2], [0.1, 0.15, 0.19]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (ends(SPREAD), ends(SPREAD, p=9), C),
        (ends(SPREAD), ends(EVEN, p=9), S),
        (ends(EVEN), ends(EVEN, p=9), N),
        # Units are cases, too.
        (ends(SPREAD), ends(EVEN, units=100), S),
        # The difference goes as training goes on.
        (ends(SPREAD, EVEN), ends(SPREAD, EVEN, p=9), N),
        # Far apart between problems is not far apart.
        (ends(EVEN), ends([10 * loss for loss in EVEN], p=9), N),
    ],
)
def test_verdict_on_equivalence(first, second, outcome):
    assert not_equivalent(pd.DataFrame(first + second)).outcome is outcome


def test_starts_that_are_not_trained_on_count_at_the_end_of_training_alone():
    table = pd.DataFrame([*ends(SPREAD), row(MINIMA, start=3, loss=1.0)])
    verdict = not_equivalent(table)
    assert verdict.outcome is C
    assert "0.1 to 1 (× 10; × 2 of 3 starts" in verdict.figures


@pytest.mark.parametrize(
    ("later", "wrong", "later_wrong", "outcome"),
    [
        ([0.1, 0.2], 5, 5, C),
        ([0.0995, 0.199], 5, 5, C),
        ([0.09, 0.18], 5, 5, N),
        ([0.09, 0.2], 5, 5, N),
        # All rows are right, at first or later: no minimum, however little the loss falls.
        ([0.1, 0.2], 0, 0, N),
        ([0.1, 0.2], 5, 0, N),
    ],
)
def test_verdict_on_minima(later, wrong, later_wrong, outcome):
    rows = ends([0.1, 0.2], later, n_wrong=wrong, later_n_wrong=later_wrong)
    # What is not trained on is not judged.
    table = pd.DataFrame([*rows, row(MINIMA, start=2, loss=1.0, n_wrong=0)])
    assert ends_are_minima(table).outcome is outcome


def starts(p, shallow, n=20, **of_all):
    return [
        row(MINIMA, p=p, start=i, test_auc=0.6 if i < shallow else 0.9, **of_all) for i in range(n)
    ]


@pytest.mark.parametrize(
    ("shallow", "outcome"),
    [
        ((0, 4, 20), C),
        ((0, 0, 20), C),
        # Within two standard errors.
        ((5, 6, 7), N),
        ((0, 10, 9), N),
        ((20, 20, 20), N),
    ],
)
def test_verdict_on_shallow_ends(shallow, outcome):
    rows = [starts(p, n_shallow) for p, n_shallow in zip((3, 8, 60), shallow, strict=True)]
    # The order of the table does not matter.
    table = pd.DataFrame(chain(*rows[::-1]))
    assert shallow_ends_grow(table).outcome is outcome
    more = pd.DataFrame(chain(*(starts(p, 10, units=100) for p in (3, 8, 60))))
    mixed = shallow_ends_grow(pd.concat([table, more])).outcome
    assert mixed is (S if outcome is C else N)


def lowest(few, many):
    """One start of each width at p = 3, 8 and 60, and a higher one."""
    return pd.DataFrame(
        [
            row(MINIMA, p=p, units=units, start=start, loss=loss + start)
            for units, losses in ((10, few), (100, many))
            for p, loss in zip((3, 8, 60), losses, strict=True)
            for start in (0, 1)
        ]
    )


@pytest.mark.parametrize(
    ("few", "many", "at_smaller", "at_largest"),
    [
        ((2, 2, 1), (1, 1, 2), C, C),
        ((2, 2, 2), (1, 1, 1), C, N),
        ((2, 1, 1), (1, 1, 1), S, N),
        ((1, 1, 1), (2, 2, 2), N, C),
        # A little lower is not lower.
        ((2, 2, 1.98), (1.96, 1.96, 2), N, N),
    ],
)
def test_verdicts_on_the_lowest_loss(few, many, at_smaller, at_largest):
    table = lowest(few, many)
    smaller, largest = (lowest_with_width(table, of) for of in (False, True))
    assert (smaller.outcome, largest.outcome) == (at_smaller, at_largest)
    assert "100 hidden units" in smaller.claim
    assert "10 hidden units" in largest.claim
    assert "p = 60" in largest.figures
    assert "p = 60" not in smaller.figures


def curve(aucs, n=600, k=3, draws=2, ps=(4, 8, 16, 32)):
    """Test AUC of the start with the lowest loss; another start has a better one."""
    return [
        row(TRANSITION, k=k, n=n, p=p, draw=draw, start=start, loss=loss, test_auc=test)
        for draw in range(draws)
        for p, auc in zip(ps, aucs, strict=True)
        for start, loss, test in ((0, 0.2, 0.99), (1, 0.1, auc))
    ]


QUICK = (0.99, 0.95, 0.55, 0.5)


@pytest.mark.parametrize(
    ("aucs", "outcome"),
    [
        (QUICK, C),
        # The level is crossed between values that were tried.
        ((0.99, 0.9, 0.6, 0.5), C),
        ((0.99, 0.85, 0.65, 0.5), N),
        ((0.99, 0.95, 0.7, 0.65), N),
        ((0.85, 0.8, 0.5, 0.5), N),
        ((0.99, 0.99, 0.99, 0.99), N),
    ],
)
def test_verdict_on_the_drop(aucs, outcome):
    assert falls_quickly(pd.DataFrame(curve(aucs))).outcome is outcome
    both = falls_quickly(pd.DataFrame(curve(aucs) + curve(QUICK, k=4))).outcome
    assert both is (C if outcome is C else S)


def test_crossing_interpolates():
    assert crossing([4, 8, 16], [1.0, 0.9, 0.7], 0.8) == pytest.approx(12)
    assert crossing([4, 8], [0.7, 0.6], 0.8) == 4
    assert crossing([4, 8], [1.0, 0.9], 0.8) == 8
    # The first crossing counts.
    assert crossing([1, 2, 3, 4], [1.0, 0.6, 1.0, 0.0], 0.8) == pytest.approx(1.5)


def test_verdict_on_more_rows():
    fewer, more = curve(QUICK), curve((0.99, 0.99, 0.95, 0.5), n=900)
    assert later_with_rows(pd.DataFrame(fewer + more)).outcome is C
    assert later_with_rows(pd.DataFrame(fewer + curve(QUICK, n=900))).outcome is N
    # Mutant: the means of draws, of which one is not later.
    more = [{**row, "test_auc": 0.7} if row["draw"] and row["p"] > 4 else row for row in more]
    assert later_with_rows(pd.DataFrame(fewer + more)).outcome is N


def widths(test, train=(0.9, 0.95, 1.0), noise=0.0, p=3):
    """AUCs of 10, 20 and 100 units; the start with the higher loss has other ones."""
    return [
        row(
            *(UNITS, 3, 600, p, units, draw, start),
            loss=0.1 + start,
            train_auc=of_train if not start else 0.5,
            test_auc=(of_test + (noise * (-1) ** draw if units == 100 else 0)) if not start else 1,
        )
        for units, of_test, of_train in zip((10, 20, 100), test, train, strict=True)
        for draw in range(4)
        for start in (0, 1)
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (widths((0.7, 0.9, 0.9)), C),
        (widths((0.7, 0.9, 0.8)), C),
        (widths((0.7, 0.8, 0.9)), N),
        # Within the errors.
        (widths((0.7, 0.88, 0.9), noise=0.1), C),
        (widths((0.7, 0.9, 0.9), train=(0.9, 0.95, 0.98)), N),
        (widths((0.7, 0.9, 0.9)) + widths((0.7, 0.8, 0.9), p=4), S),
    ],
)
def test_verdict_on_hidden_units(rows, outcome):
    assert no_help_of_units(pd.DataFrame(rows)).outcome is outcome


def test_best_starts_have_the_lowest_loss():
    best = best_starts(pd.DataFrame(curve(QUICK)))
    assert list(best["test_auc"]) == [*QUICK, *QUICK]
    assert set(best["highest"]) == {0.99}
    assert set(best["start"]) == {1}


@pytest.mark.parametrize("quick", [True, False])
def test_cells(quick):
    sizes = NetworkLandscape().load("xor", quick, None)
    jobs = NetworkLandscape().jobs(sizes, quick)
    cells = pd.DataFrame([cell for job in jobs for cell in job])
    assert not cells.duplicated().any()
    for job in jobs:
        # One network at a time would take longer, and more than these leave the cache.
        assert len({cell["start"] for cell in job}) == len(job) <= 10
        for other in job:
            assert {**other, "start": 0} == {**job[0], "start": 0}
    minima = cells[cells["figure"] == MINIMA]
    of_each = minima.groupby(["k", "n", "p", "units"])
    assert len(of_each) == len(sizes.minima) * len(sizes.units)
    assert set(of_each.size()) == {sizes.n_starts}
    assert set(of_each["later_steps"].agg(lambda steps: (steps > 0).sum())) == {sizes.n_later}
    for k, n in sizes.transition:
        # Whole epochs.
        assert sizes.training.steps * sizes.training.batch % n == 0, (k, n)


def whole_table():
    rng = np.random.default_rng(0)
    jobs = NetworkLandscape().jobs(network_landscape._QUICK, True)
    rows = []
    for cell in chain(*jobs):
        loss = float(rng.uniform(0.1, 0.5))
        auc = {"train_auc": 0.95, "test_auc": float(rng.uniform(0.5, 1))}
        later = {"later_loss": 0.9 * loss, "later_n_wrong": 3} if cell["later_steps"] else NO_LATER
        rows.append({**cell, **END, "loss": loss, **auc, **later})
    return pd.DataFrame(rows)


def test_summary_figure_and_verdicts():
    table, experiment = whole_table(), NetworkLandscape()
    summary = experiment.summary(table)
    settings = table[["figure", "k", "n", "p", "units"]].drop_duplicates()
    assert len(summary) == len(settings)
    first = summary.iloc[0]
    rows = table[(table["figure"] == MINIMA) & (table["p"] == 3) & (table["units"] == 10)]
    assert first["lowest loss"] == rows["loss"].min()
    assert first["of the lowest loss"] == rows.loc[rows["loss"].idxmin(), "test_auc"]
    assert first["shallow"] == (rows["test_auc"] < 0.8).mean()
    figure = experiment.draw(table)
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert len(panels) == 3 + 3 + 1 + 2
    sorted_losses = panels[0].lines[0].get_ydata()
    np.testing.assert_array_equal(sorted_losses, np.sort(rows["loss"]))
    assert len(experiment.verdicts(table)) == 8


def test_only_xor():
    with pytest.raises(ValueError, match="simulates its own data"):
        NetworkLandscape().load("wine", True, None)
