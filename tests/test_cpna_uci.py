"""Pruned networks on real data: the cells, the linear model, and verdicts on made-up tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from experiments import cpna_uci
from experiments.cpna_uci import (
    BEST,
    CHOSEN,
    CONNECTIONS,
    CPNA,
    EQUIVALENT,
    ITS_EQUIVALENT,
    LINEAR,
    MODELS,
    PAPER,
    CpnaUci,
    as_good_as_the_best,
    better_than_equivalent,
    outperforms,
)
from experiments.experiment import Outcome

pytestmark = pytest.mark.untraced

RUNS = 10
WAVES = np.linspace(-1, 1, RUNS)


def made_up(gains, noise=0.1, base=97.0):
    """A table of the paper's datasets: by model, the gain over NN (best) on each dataset.

    Runs differ by much more than models do.
    """
    rows = []
    for place, name in enumerate(PAPER):
        for run in range(RUNS):
            for model in MODELS:
                gain = gains.get(model, [0.0] * 5)[place]
                moved = noise * WAVES[(run * (1 + MODELS.index(model))) % RUNS]
                accuracy = base + 2 * WAVES[run] + gain + moved
                n, _ = PAPER[name].get(model, (500, 0))
                rows.append(
                    {
                        "data": name, "run": run, "model": model, "quick": False, "units": 256,
                        "first_connections": n - 10, "last_connections": 10, "columns": 7,
                        "accuracy": accuracy, "best_accuracy": accuracy + 0.2, "seconds": 0.5,
                        "warning": np.nan,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_a_job_has_all_models_of_a_split():
    jobs = CpnaUci().jobs(dict.fromkeys(PAPER), False)
    assert len(jobs) == 5 * 10
    assert all([cell["model"] for cell in job] == list(MODELS) for job in jobs)
    assert all(len({(cell["data"], cell["run"]) for cell in job}) == 1 for job in jobs)


def test_quick_data_need_no_file():
    data = CpnaUci().load("cpna-uci", True, None)
    assert list(data) == ["wine", "digits"]
    assert list(CpnaUci().load("wine", False, None)) == ["wine"]
    assert data.checksum != CpnaUci().load("wine", False, None).checksum
    with pytest.raises(ValueError, match="give one of car, segment"):
        CpnaUci().load("oes97", False, None)


def test_the_papers_connections_are_those_of_its_table():
    for name, known in PAPER.items():
        assert sum(CONNECTIONS[name]) == known[CPNA][0]


def test_splits_are_four_to_one_and_scaled_by_training_rows():
    data = CpnaUci().load("wine", True, None)["wine"]
    training, test = cpna_uci.four_to_one(data, 3)
    assert (len(training[1]), len(test[1])) == (142, 36)
    np.testing.assert_allclose(training[0].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(training[0].std(axis=0), 1, atol=1e-4)
    assert np.abs(test[0].mean(axis=0)).max() > 0.01
    # No row is in both: classes add up.
    together = np.bincount(training[1]) + np.bincount(test[1])
    np.testing.assert_array_equal(together, np.bincount(load_wine().target))


def test_the_linear_model_counts_its_coefficients():
    data = CpnaUci().load("wine", True, None)["wine"]
    found = cpna_uci.of_linear(*cpna_uci.four_to_one(data, 0), 2, 0)
    assert found["first_connections"] == 3 * found["columns"]
    assert 0 < found["columns"] < 13
    assert found["accuracy"] > 85


ALL, NONE = [1.0] * 5, [0.0] * 5


@pytest.mark.parametrize(
    ("gains", "noise", "outcome"),
    [
        ({CPNA: NONE}, 0.1, Outcome.CONFIRMED),
        ({CPNA: ALL}, 0.1, Outcome.CONFIRMED),
        # Worse on one, on three, and worse by little but surely.
        ({CPNA: [0, 0, 0, 0, -2], CHOSEN: [-2] * 5}, 0.1, Outcome.CONDITIONAL),
        ({CPNA: [0, 0, -2, -2, -2], CHOSEN: [-2] * 5}, 0.1, Outcome.NOT_CONFIRMED),
        ({CPNA: [-0.5] * 5, CHOSEN: [-0.5] * 5}, 0.1, Outcome.NOT_CONFIRMED),
        # Good with more connections.
        ({CPNA: [-2] * 5, CHOSEN: NONE}, 0.1, Outcome.CONDITIONAL),
        # Noise alone does not confirm.
        ({CPNA: NONE}, 4, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_the_best(gains, noise, outcome):
    assert as_good_as_the_best(made_up(gains, noise)).outcome is outcome


@pytest.mark.parametrize(
    ("gains", "noise", "outcome"),
    [
        ({CPNA: ALL, EQUIVALENT: NONE}, 0.1, Outcome.CONFIRMED),
        ({CPNA: [1, 1, 1, 0, 0], EQUIVALENT: NONE}, 0.1, Outcome.CONDITIONAL),
        ({CPNA: [1, 1, 0, 0, 0], EQUIVALENT: NONE}, 0.1, Outcome.NOT_CONFIRMED),
        ({CPNA: ALL, EQUIVALENT: ALL}, 0.1, Outcome.NOT_CONFIRMED),
        ({CPNA: ALL, EQUIVALENT: NONE}, 4, Outcome.NOT_CONFIRMED),
        # Another size is not what is claimed.
        ({CHOSEN: ALL, ITS_EQUIVALENT: NONE}, 0.1, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_the_equivalent(gains, noise, outcome):
    assert better_than_equivalent(made_up(gains, noise)).outcome is outcome


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ({CPNA: ALL}, Outcome.CONFIRMED),
        ({CPNA: [1, 1, 1, 0, 0]}, Outcome.CONFIRMED),
        ({CPNA: [1, 1, 1, 0, -1]}, Outcome.CONDITIONAL),
        ({CPNA: [1, 0, 0, 0, 0]}, Outcome.CONDITIONAL),
        ({CPNA: [1, 0, 0, 0, -1]}, Outcome.NOT_CONFIRMED),
        ({CPNA: NONE}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_better_minima(gains, outcome):
    assert outperforms(made_up(gains)).outcome is outcome


def test_verdicts_say_numbers_and_the_papers_protocol():
    verdicts = CpnaUci().verdicts(made_up({CPNA: ALL}, noise=0))
    assert "car +1.00 (+1.00 to +1.00); segment" in verdicts[0].figures
    assert "as the paper recorded: car +1.00" in verdicts[0].figures
    assert "in the paper car +1.77, segment +2.13" in verdicts[1].figures
    assert "better on 5, worse on 0 of 5" in verdicts[2].figures


def test_summary_and_figure_are_the_table():
    table = made_up({CPNA: ALL})
    found = CpnaUci().summary(table)
    assert found.loc[("car", CPNA), "accuracy"] == pytest.approx(98, abs=0.06)
    assert found.loc[("car", CPNA), "connections"] == 152
    assert found.loc[("car", BEST), "paper's accuracy"] == 100
    assert np.isnan(found.loc[("car", LINEAR), "paper's accuracy"])
    figure = CpnaUci().draw(table)
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in panels][:2] == ["car", "segment"]
    x, y = panels[0].containers[1][0].get_data()
    assert (x[0], y[0]) == (152, pytest.approx(98, abs=0.06))
