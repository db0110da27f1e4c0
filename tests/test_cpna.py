"""Connection pruning: recipes, cells, the verdicts on made-up tables, summary and figure."""

import math
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from experiments import cpna
from experiments.cpna import (
    ALL,
    COLUMNS_FIRST,
    COURSE,
    CPA,
    CPNA,
    HIDDEN,
    NORMALISATION,
    PAPER,
    PAPERS_ORDER,
    PLAIN,
    PRUNED,
    REFITTED,
    TABLE,
    Cpna,
    better_than_plain,
    columns_suffice,
    course_improves,
    draws,
    normalisation_helps,
    reached,
    retraining_fails,
)
from experiments.cpna_recipes import RECIPES, Schedule
from experiments.experiment import Outcome

pytestmark = pytest.mark.untraced

C, S, N = Outcome.CONFIRMED, Outcome.CONDITIONAL, Outcome.NOT_CONFIRMED
END = {"train_loss": 0.1, "test_loss": 0.2, "train_auc": 99.0, "n_weights": 50}
END |= {"n_columns": 3, "n_wrong": 0}
PROBLEMS = [(3, 60), (4, 40), (5, 20)]
ALL_METHODS = [PLAIN, *PRUNED[HIDDEN], *PRUNED[ALL], REFITTED]
GOOD = dict(zip(ALL_METHODS, (60, 97, 60, 60, 99.9, 99.9, 99.9, 99.9), strict=True))


def row(figure, k, p, method, seed, auc, units=-1, decay=-1.0, epoch=-1, **end):
    cell = {"figure": figure, "k": k, "p": p, "n": 3000, "method": method, "units": units}
    cell |= {"decay": decay, "n_left": -1, "seed": seed, "epoch": epoch}
    return {**cell, **END, "test_auc": auc, **end}


def table_of(*changes):
    """Table 1 with these test AUCs at (k, p) = (3, 60), (4, 40) and so on; 4 draws."""
    return pd.DataFrame(
        [
            row(TABLE, k, p, method, seed, float(auc))
            for (k, p), change in zip(PROBLEMS, changes, strict=False)
            for method, auc in {**GOOD, **change}.items()
            for seed in range(4)
        ]
    )


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (({}, {}), C),
        (({}, {PLAIN: 90}), S),
        (({}, {PLAIN: 90}, {PLAIN: 95}), N),
        (({PLAIN: 89.9},), C),
    ],
)
def test_verdict_on_plain_networks(changes, outcome):
    assert better_than_plain(table_of(*changes)).outcome is outcome


def test_noise_is_taken_into_account():
    """Mutants: verdicts on means alone."""
    changed = [PLAIN, *PRUNED[HIDDEN][1:]]
    table = table_of({HIDDEN: 97, **dict.fromkeys(changed, 80)})
    assert {better_than_plain(table).outcome, retraining_fails(table).outcome} == {C}
    noise = np.where(table["seed"] % 2, 30, -30) * table["method"].isin(changed)
    table["test_auc"] += noise
    assert {better_than_plain(table).outcome, retraining_fails(table).outcome} == {N}


def test_of_plain_networks_the_best_of_a_draw_counts():
    table = table_of({PLAIN: 60})
    better = row(TABLE, 3, 60, PLAIN, 0, 99.0, units=500)
    _, aucs = next(draws(pd.concat([table, pd.DataFrame([better])])))
    assert list(aucs[PLAIN]) == [99, 60, 60, 60]


@pytest.mark.parametrize("what", [HIDDEN, ALL])
def test_verdict_on_the_numbers_of_the_paper(what):
    levels = [PAPER[k][what] for k, _ in PROBLEMS]

    def outcome(*above):
        changes = [{what: level + by} for level, by in zip(levels, above, strict=True)]
        return reached(table_of(*changes), what, "some layers").outcome

    assert outcome(0.01, 0.01, 0.01) is C
    assert outcome(0.01, -0.01, 0.01) is S
    assert outcome(0.01, -0.01, -0.01) is N


def test_means_reach_a_number_and_not_the_best_draw():
    table = table_of({ALL: 99})
    table.loc[table["seed"] == 0, "test_auc"] = 99.9
    assert reached(table, ALL, "all layers").outcome is N


def comparison(*gains, spread=1.0, spread_without=2.0):
    """CPNA is better by a gain for each number of units; deviations over 6 starts."""
    rows = []
    for units, gain in zip((32, 64), gains, strict=True):
        for seed, z in enumerate((-1, -0.5, -0.2, 0.2, 0.5, 1)):
            aucs = {PLAIN: 60, CPA: 80 + spread_without * z, CPNA: 80 + gain + spread * z}
            rows += [
                row(NORMALISATION, 5, 15, method, seed, auc, units, 0.0)
                for method, auc in aucs.items()
            ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("table", "outcome"),
    [
        (comparison(5, 5), C),
        (comparison(5, 0), S),
        (comparison(0, 0), N),
        # Better, but within the errors, and clearly worse.
        (comparison(0.3, 0.3), N),
        (comparison(-5, -5), N),
        # Not more consistent.
        (comparison(5, 5, spread=2.0, spread_without=1.0), N),
    ],
)
def test_verdict_on_normalisation(table, outcome):
    assert normalisation_helps(table).outcome is outcome


def restarts(what, random, initial):
    return dict(zip(PRUNED[what][1:], (random, initial), strict=True))


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (({}, {}), C),
        (({}, restarts(HIDDEN, 60, 90)), S),
        ((restarts(HIDDEN, 90, 90), restarts(HIDDEN, 60, 90)), N),
        # What has learnt nothing cannot be lost.
        (({HIDDEN: 55, **restarts(HIDDEN, 40, 40)},), N),
        # It is about networks whose columns were not chosen.
        ((restarts(ALL, 60, 60),), C),
    ],
)
def test_verdict_on_retraining(changes, outcome):
    assert retraining_fails(table_of(*changes)).outcome is outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (({}, {}), C),
        ((restarts(ALL, 98.95, 99.9),), C),
        ((restarts(ALL, 98.85, 99.9),), S),
        ((restarts(ALL, 98.85, 98.85),), N),
        ((restarts(HIDDEN, 50, 50),), C),
    ],
)
def test_verdict_on_chosen_columns(changes, outcome):
    assert columns_suffice(table_of(*changes)).outcome is outcome


BEFORE, BETWEEN, LAST = RECIPES[4].phases


def course(*stages, method=PAPERS_ORDER, seed=0):
    """(Training, test AUC) at the ends of the three phases, and others a little before."""
    rows = []
    for epoch, (train, test) in zip((BEFORE, BETWEEN, LAST), stages, strict=True):
        rows += [
            row(COURSE, 4, 40, method, seed, 75.0, epoch=epoch - 5, train_auc=75.0),
            row(COURSE, 4, 40, method, seed, test, epoch=epoch, train_auc=train),
        ]
    return rows


GOOD_COURSE = ((100, 52), (99, 85), (98, 97))


@pytest.mark.parametrize(
    ("stages", "outcome"),
    [
        (GOOD_COURSE, C),
        (((90, 52), (99, 85), (98, 97)), N),
        (((100, 70), (99, 85), (98, 97)), N),
        (((100, 52), (99, 61), (98, 97)), N),
        (((100, 52), (99, 85), (99, 96)), N),
        (((100, 52), (99, 97.5), (98, 97)), N),
    ],
)
def test_verdict_on_the_course(stages, outcome):
    # What another order does is not judged.
    other = course(*((50, 50),) * 3, method=COLUMNS_FIRST)
    assert course_improves(pd.DataFrame(course(*stages) + other)).outcome is outcome
    two = pd.DataFrame(course(*stages) + course(*GOOD_COURSE, seed=1))
    assert course_improves(two).outcome is (C if outcome is C else S)


def test_schedule():
    schedule = Schedule(10, 100, 0.4, 1e-3, first=0.5, last_decay=1e-5, last_batch=50)
    assert [schedule.at(epoch) for epoch in (0, 4)] == [(0.4, 1e-3, 100)] * 2
    assert schedule.at(5) == (0.4, 1e-5, 50)
    assert schedule.at(9)[0] == pytest.approx(0.2 * (1 + math.cos(math.pi * 0.8)))
    assert Schedule(10, 100, 0.4, 1e-3).at(9)[1:] == (1e-3, 100)


@pytest.mark.parametrize("quick", [True, False])
def test_cells(quick):
    sizes = Cpna().load("xor", quick, None)
    jobs = Cpna().jobs(sizes, quick)
    cells = pd.DataFrame([cell for job in jobs for cell in job])
    assert not cells.duplicated().any()
    assert set(zip(cells["k"], cells["p"], strict=True)) >= set(sizes.problems)
    for job in jobs:
        same = ["figure", "k", "p", "n", "seed"]
        assert len({tuple(cell[name] for name in same) for cell in job}) == 1
    course = cells[cells["figure"] == COURSE]
    epochs = set(course.loc[course["method"] == PAPERS_ORDER, "epoch"])
    # The verdict reads the ends of the phases.
    assert epochs >= set(RECIPES[sizes.course[0]].phases)


def made_up():
    rng = np.random.default_rng(0)
    jobs = Cpna().jobs(cpna._QUICK, True)
    return pd.DataFrame(
        [{**cell, **END, "test_auc": float(rng.uniform(50, 100))} for cell in chain(*jobs)]
    )


def test_summary_figure_and_verdicts():
    table, experiment = made_up(), Cpna()
    summary = experiment.summary(table)
    of_course = table[table["epoch"] > 0].groupby("method")["epoch"].max()
    assert len(summary) == len(
        table[table["epoch"] < 0][["figure", "method", "units", "decay"]].drop_duplicates()
    ) + len(of_course)
    last = table[(table["method"] == PAPERS_ORDER) & (table["epoch"] == of_course[PAPERS_ORDER])]
    shown = summary[summary["method"] == PAPERS_ORDER]
    assert shown["test AUC %"].item() == last["test_auc"].mean()
    figure = experiment.draw(table)
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert len(panels) == 1 + 2 + 4
    _, aucs = next(draws(table))
    lines = {line.get_label(): line.get_ydata() for line in panels[0].lines}
    assert len(lines) == 7
    for method, values in lines.items():
        np.testing.assert_array_equal(values, np.sort(aucs[method])[::-1])
    assert len(experiment.verdicts(table)) == 7


def test_the_figure_has_the_levels_of_the_paper():
    table = pd.concat([made_up(), table_of({}, {}, {})])
    [ax] = [ax for ax in Cpna().draw(table).axes if ax.get_title() == "k = 5, p = 20"]
    levels = [line.get_ydata() for line in ax.lines if line.get_marker() == "<"]
    assert np.concatenate(levels).tolist() == [66.24, 80.03, 96.83]


def test_only_xor():
    with pytest.raises(ValueError, match="simulates its own data"):
        Cpna().load("wine", True, None)
