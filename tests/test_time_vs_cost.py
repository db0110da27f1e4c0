"""Time against cost: counts against formulas, fits and verdicts on made-up seconds.

No test looks at how long anything took.
"""

import re

import numpy as np
import pandas as pd
import pytest

from experiments import time_vs_cost
from experiments.experiment import Outcome
from experiments.run import Place, run
from experiments.time_vs_cost import (
    ANNEALING,
    MOMENTS,
    MULTIPLY_ADDS,
    NEURON_EPOCHS,
    NONE,
    SAMPLES,
    SIGN_CHANGE,
    Sizes,
    TimeVsCost,
    fit,
)
from shrinklin import Annealing

pytestmark = pytest.mark.untraced

EPOCHS, TARGETS = 20, 8
COSTS = np.geomspace(1e3, 1e7, 30)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run like the quick one, only smaller."""
    small = Sizes(samples=(128, 256), moments=(32, 64), epochs=EPOCHS, repeats=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_vs_cost, "_QUICK", small)
        place = Place(tmp_path_factory.mktemp("results"), quiet=True)
        return run(TimeVsCost(), "simulated", True, place)


# --- What is measured -------------------------------------------------------------------


def test_costs_are_those_of_the_products(finished):
    table = finished.table
    assert (table["seconds"] > 0).all()
    assert table["warning"].isna().all()
    assert len(table) == 4 * 4
    whole = table[table["strategy"] == NONE]
    p, n = whole["n_features"], whole["n_samples"]
    np.testing.assert_array_equal(whole[NEURON_EPOCHS], EPOCHS * p)
    # X times W, and its transpose times the residuals; or the Gram matrix times W.
    an_epoch = np.where(whole["form"] == SAMPLES, 2 * n * p, p * p) * TARGETS
    np.testing.assert_array_equal(whole[MULTIPLY_ADDS], EPOCHS * an_epoch)
    assert set(whole["form"]) == {SAMPLES, MOMENTS}


def test_costs_of_annealing_are_those_of_its_schedule(finished):
    table = finished.table[finished.table["strategy"] == ANNEALING]
    for row in table.itertuples():
        schedule = Annealing(row.n_features // 16, mu=10.0)
        kept = [schedule.kept(row.n_features, epoch, EPOCHS) for epoch in range(EPOCHS + 1)]
        assert row.neuron_epochs == sum(kept[:-1])
        # The product of an epoch's end is that of the next one's beginning.
        left = np.array(kept[1:])
        of_each = 2 * row.n_samples * left if row.form == SAMPLES else left**2
        assert row.multiply_adds == TARGETS * of_each.sum()
    # Mutant: costs of what was there at the beginning.
    assert (table[NEURON_EPOCHS] < 0.5 * EPOCHS * table["n_features"]).all()


def test_counts_depend_on_the_cell_alone(finished):
    cells = [cell for job in TimeVsCost().jobs(None, True) for cell in job]
    assert all(cell["repeats"] >= 3 for cell in cells)
    small = [{**cell, "epochs": EPOCHS, "repeats": 1} for cell in cells if cell["n_features"] < 65]
    together, alone = (
        TimeVsCost().measure(small, None),
        [TimeVsCost().measure([cell], None)[0] for cell in small],
    )
    for column in (NEURON_EPOCHS, MULTIPLY_ADDS):
        assert [one[column] for one in together] == [one[column] for one in alone]
    assert small[1]["strategy"] == SIGN_CHANGE
    table = finished.table.set_index(["form", "n_features", "strategy"])
    assert table.loc[(MOMENTS, 32, SIGN_CHANGE), NEURON_EPOCHS] == together[1][NEURON_EPOCHS]


@pytest.mark.parametrize("quick", [True, False])
def test_the_grid_has_both_forms(quick):
    cells = pd.DataFrame([cell for job in TimeVsCost().jobs(None, quick) for cell in job])
    assert not cells.duplicated().any()
    samples, moments = (cells[cells["form"] == form] for form in (SAMPLES, MOMENTS))
    # Fewer samples than features are read; of no more features the moments are.
    assert (samples["n_samples"] < samples["n_features"]).all()
    assert (moments["n_samples"] >= moments["n_features"]).all()
    for of_form in (samples, moments):
        assert of_form["n_features"].max() >= 32 * of_form["n_features"].min()
    # The linear measure supposes these.
    assert samples["n_samples"].nunique() == cells["epochs"].nunique() == 1


def test_the_fastest_repetition_counts(monkeypatch):
    seconds = iter([5.0, 2.0, 3.0, 4.0, 1.0, 6.0])
    monkeypatch.setattr(time_vs_cost, "_trained", lambda *_: (next(seconds), 7, 8))
    job = TimeVsCost().jobs(None, True)[0]
    found = TimeVsCost().measure([{**cell, "repeats": 3} for cell in job[:2]], None)
    # One after the other, three times: 5, 3, 1 and 2, 4, 6.
    assert [one["seconds"] for one in found] == [1.0, 2.0]


def test_it_runs_alone_and_on_its_own_data(tmp_path):
    assert TimeVsCost().timed
    with pytest.raises(ValueError, match="leave --dataset out"):
        run(TimeVsCost(), "digits", True, Place(tmp_path, quiet=True))


# --- What is concluded ------------------------------------------------------------------


def test_a_line_is_found():
    found = fit(COSTS, 2e-3 + 3e-9 * COSTS)
    assert found.slope == pytest.approx(3e-9)
    assert found.intercept == pytest.approx(2e-3)
    assert found.r_squared == pytest.approx(1)
    assert found.exponent == pytest.approx(1, abs=1e-4)
    assert found.overhead == pytest.approx(2e-3, rel=1e-3)
    assert found.factor == pytest.approx(3e-9, rel=2e-3)
    assert found.linear
    np.testing.assert_allclose(found.power(COSTS), 2e-3 + 3e-9 * COSTS, rtol=1e-4)


@pytest.mark.parametrize("overhead", [0, 1e-4, 1e-2])
@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0])
def test_the_exponent_is_that_beyond_the_overhead(exponent, overhead):
    seconds = overhead + (COSTS / 1e7) ** exponent
    found = fit(COSTS, seconds)
    assert found.exponent == pytest.approx(exponent, abs=1e-2)
    assert found.linear == (exponent == 1)
    # Neither unit matters.
    other = fit(1e-6 * COSTS, 1e3 * seconds)
    assert other.exponent == pytest.approx(found.exponent, abs=1e-3)
    assert other.r_squared == pytest.approx(found.r_squared)
    if overhead > 1e-3 and exponent >= 1:
        # Mutant: the slope in logarithms of all that is there.
        assert abs(np.polyfit(np.log(COSTS), np.log(seconds), 1)[0] - exponent) > 0.1


@pytest.mark.parametrize(("exponent", "linear"), [(0.7, False), (0.8, True), (1.2, True)])
def test_linear_is_an_exponent_near_1(exponent, linear):
    assert fit(COSTS, COSTS**exponent).linear == linear
    assert not fit(COSTS, COSTS**1.3).linear


def test_r_squared_is_what_the_line_explains():
    rng = np.random.default_rng(0)
    seconds = 1 + COSTS / 1e7 + 0.3 * rng.standard_normal(len(COSTS))
    found = fit(COSTS, seconds)
    assert found.r_squared == pytest.approx(np.corrcoef(COSTS, seconds)[0, 1] ** 2)
    assert not fit(COSTS, rng.uniform(1, 2, len(COSTS))).linear
    # Proportional on the whole, and yet no line explains it.
    scattered = fit(COSTS, COSTS * np.tile([1.0, 6.0, 1.0], len(COSTS) // 3))
    assert scattered.exponent == pytest.approx(1, abs=0.1)
    assert scattered.r_squared < 0.9
    assert not scattered.linear


def made_up(of_samples, of_moments):
    """Seconds as functions of the features, epochs and targets being given.

    Multiply-adds grow as the features over samples, as their square over moments.
    """
    rows = []
    for form, seconds in ((SAMPLES, of_samples), (MOMENTS, of_moments)):
        for p in np.geomspace(32, 4096, 20):
            for strategy, left in ((NONE, 1.0), (ANNEALING, 0.3)):
                counts = {
                    NEURON_EPOCHS: left * p * 100,
                    MULTIPLY_ADDS: 1e5 * left * p if form == SAMPLES else 800 * (left * p) ** 2,
                }
                row = {"form": form, "strategy": strategy, "seconds": 1e-2 + seconds(left * p)}
                rows.append({**row, **counts})
    return pd.DataFrame(rows)


def linear(p):
    return 1e-4 * p


def quadratic(p):
    return 1e-7 * p**2


@pytest.mark.parametrize(
    ("of_samples", "of_moments", "neuron_epochs", "multiply_adds"),
    [
        (linear, quadratic, Outcome.CONDITIONAL, Outcome.CONFIRMED),
        (linear, linear, Outcome.CONFIRMED, Outcome.CONDITIONAL),
        (quadratic, quadratic, Outcome.NOT_CONFIRMED, Outcome.CONDITIONAL),
        (quadratic, linear, Outcome.CONDITIONAL, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdicts(of_samples, of_moments, neuron_epochs, multiply_adds):
    table = made_up(of_samples, of_moments)
    found = TimeVsCost().verdicts(table)
    assert [verdict.outcome for verdict in found] == [neuron_epochs, multiply_adds]


def test_the_verdict_says_under_which_condition():
    neuron_epochs, multiply_adds = TimeVsCost().verdicts(made_up(linear, quadratic))
    assert neuron_epochs.figures.startswith("Only where an epoch reads samples.")
    # 1e-4 seconds a feature in 100 epochs are 1000 ns.
    assert "samples: 1000 ns a neuron-epoch, R² 1.000, exponent 1.00" in neuron_epochs.figures
    assert "exponent 2.00" in neuron_epochs.figures
    assert "Only" not in multiply_adds.figures
    # 0.125, but for the last bit.
    shown = r"moments: 0\.1[23] ns a multiply-add, R² 1\.000, exponent 1\.00"
    assert re.search(shown, multiply_adds.figures)


# --- What is shown ----------------------------------------------------------------------


def test_the_summary_has_a_row_a_form_and_cost():
    summary = TimeVsCost().summary(made_up(linear, quadratic))
    assert list(zip(summary["form"], summary["cost"], strict=True)) == [
        (SAMPLES, "neuron-epoch"),
        (SAMPLES, "multiply-add"),
        (MOMENTS, "neuron-epoch"),
        (MOMENTS, "multiply-add"),
    ]
    assert summary["linear"].tolist() == [True, True, False, True]
    assert summary["ns each"][0] == pytest.approx(1000)
    assert summary["intercept (s)"][0] == pytest.approx(1e-2)
    np.testing.assert_allclose(summary["exponent"], [1, 1, 2, 1], atol=1e-2)


def test_the_figure_has_every_cell_twice(finished):
    import matplotlib.pyplot as plt

    for table in (finished.table, made_up(quadratic, linear)):
        figure = TimeVsCost().draw(table)
        for panel, cost in zip(figure.axes, (NEURON_EPOCHS, MULTIPLY_ADDS), strict=True):
            assert panel.get_xscale() == panel.get_yscale() == "log"
            points = [line.get_xydata() for line in panel.lines if line.get_linestyle() == "None"]
            shown = np.concatenate(points)
            known = table[[cost, "seconds"]].to_numpy()
            assert sorted(map(tuple, shown)) == sorted(map(tuple, known))
            assert len(panel.get_legend().get_texts()) == 4
        plt.close(figure)
