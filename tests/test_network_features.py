"""Columns that networks choose: the data, peers without torch, and verdicts on made-up tables."""

import numpy as np
import pandas as pd
import pytest

from experiments import network_features
from experiments.experiment import Outcome
from experiments.network_features import (
    ANNEALED,
    FOREST,
    LASSONET,
    LINEAR,
    OWN,
    OWN_CHOICE,
    REFITTED,
    WAYS,
    XOR,
    Kept,
    NetworkFeatures,
    as_good_as_lassonet,
    better_columns,
    faster,
    lassonet_outperforms,
    no_noise,
)

pytestmark = pytest.mark.untraced

SEEDS = 5
CASES = [("optdigits", 10), ("optdigits", 20), ("segment", 4), (XOR, 3)]
WAVES = np.linspace(-1, 1, SEEDS)


def made_up(gains=None, noise=0.1, columns_of_noise=None, seconds=None, ways=WAYS):
    """A table: by way, the gain in accuracy, a number or one for each case."""
    rows = []
    for place, (data, asked) in enumerate(CASES):
        for seed in range(SEEDS):
            for way in ways:
                gain = np.broadcast_to((gains or {}).get(way, 0.0), len(CASES))[place]
                moved = noise * WAVES[(seed * (1 + WAYS.index(way))) % SEEDS]
                accuracy = 90 + 3 * WAVES[seed] + gain + moved
                asked_of_way = 0 if way == OWN_CHOICE else asked
                wrong = (columns_of_noise or {}).get((way, data, asked), 0)
                rows.append(
                    {
                        "data": data, "seed": seed, "way": way, "asked": asked_of_way,
                        "quick": False, "columns": asked, "noise_columns": wrong, OWN: accuracy,
                        REFITTED: accuracy + 1, "seconds": (seconds or {}).get(way, 1.0 + seed),
                        "warning": np.nan,
                    }
                )  # fmt: skip
    table = pd.DataFrame(rows)
    return table.drop_duplicates(["data", "seed", "way", "asked"], ignore_index=True)


# --- What is measured -------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    return NetworkFeatures().load("network-features", True, None)


def rows(data, name, seed=0):
    return network_features.rows_of(name, data[name], network_features._QUICK, seed)


def test_xor_is_drawn_by_the_seed(data):
    one, same, other = (rows(data, XOR, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.test[0], same.test[0])
    assert not np.array_equal(one.test[0], other.test[0])
    parts = [one.training, one.validation, one.test]
    for X, y in parts:
        np.testing.assert_array_equal(y, X[:, :3].prod(axis=1) > 0)
    assert not np.intersect1d(*(X[:, 0] for X, _ in parts[:2])).size


def test_tables_have_noise_in_their_second_half(data):
    of = rows(data, "wine")
    assert of.training[0].shape == (178 - 28 - 36, 26)
    assert network_features.n_informative("wine", 26) == 13
    assert network_features.n_informative(XOR, 40) == 3


def test_lassonet_has_no_rows_where_it_is_not_installed(data, monkeypatch):
    sizes = network_features._FULL
    monkeypatch.setattr(network_features, "find_spec", lambda name: None)
    assert LASSONET not in network_features.ways(sizes)
    monkeypatch.setattr(network_features, "find_spec", lambda name: name)
    assert network_features.ways(sizes) == list(WAYS)


def test_a_way_has_one_job_for_each_seed(data):
    jobs = NetworkFeatures().jobs(data, True)
    assert len(jobs) == 3 * 3 * len(network_features._QUICK.ways)
    for job in jobs:
        assert len({(cell["data"], cell["seed"], cell["way"]) for cell in job}) == 1
        assert (job[0]["asked"] == 0) == (job[0]["way"] == OWN_CHOICE)


@pytest.mark.parametrize("way", [network_features.linear, network_features.forest])
def test_peers_keep_as_many_columns_as_are_asked_for(data, way):
    of = rows(data, "wine")
    found = way(of, [3, 26], 0)
    assert [len(kept.columns) for kept in found] == [3, 26]
    assert len(set(found[0].columns)) == 3
    assert all(kept.accuracy > 70 for kept in found)
    # The same cell, the same result.
    again = way(of, [3], 0)[0]
    np.testing.assert_array_equal(again.columns, found[0].columns)
    assert again.accuracy == found[0].accuracy


def test_results_count_noise(data):
    of = rows(data, "wine")
    kept = Kept(np.array([0, 12, 13, 25]), 91.0, 0.5)
    found = network_features.results(kept, of, 0, lambda rows, columns, seed: 7.0 * len(columns))
    assert found == {"columns": 4, "noise_columns": 2, OWN: 91.0, REFITTED: 28.0, "seconds": 0.5}
    empty = network_features.results(None, of, 0, None)
    assert list(empty) == list(found)
    assert set(empty.values()) == {None}


def test_other_data_are_refused():
    with pytest.raises(ValueError, match="give one of digits, wine, xor"):
        NetworkFeatures().load("segment", True, None)


# --- What is concluded ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        ([], Outcome.CONFIRMED),
        (CASES[:1], Outcome.CONDITIONAL),
        (CASES[:3], Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_noise(wrong, outcome):
    # What another way keeps does not count.
    kept = {(ANNEALED, *case): 1 for case in wrong} | {(FOREST, *CASES[3]): 2}
    verdict = no_noise(made_up(columns_of_noise=kept))
    assert verdict.outcome is outcome
    assert "forest 10 of 185" in verdict.figures


@pytest.mark.parametrize(
    ("gains", "noise", "outcome"),
    [
        ({}, 0.1, Outcome.CONFIRMED),
        ({LASSONET: [3, 0, 0, 0]}, 0.1, Outcome.CONDITIONAL),
        ({LASSONET: [3, 3, 3, 0]}, 0.1, Outcome.NOT_CONFIRMED),
        ({ANNEALED: -0.5}, 0.1, Outcome.NOT_CONFIRMED),
        ({ANNEALED: 0.5}, 0.1, Outcome.CONFIRMED),
        # Noise alone does not confirm.
        ({}, 5, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_lassonets_accuracy(gains, noise, outcome):
    assert as_good_as_lassonet(made_up(gains, noise)).outcome is outcome


def test_lassonets_columns_count_as_well_as_its_network():
    table = made_up({ANNEALED: 2})
    better = table["way"] == LASSONET
    table.loc[better, REFITTED] += 4
    assert as_good_as_lassonet(table).outcome is Outcome.CONDITIONAL


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ({}, Outcome.CONFIRMED),
        ({FOREST: 3}, Outcome.CONDITIONAL),
        ({FOREST: 3, LINEAR: [3, 0, 0, 0]}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_columns(gains, outcome):
    assert better_columns(made_up(gains)).outcome is outcome


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [
        ({LASSONET: 100.0}, Outcome.CONFIRMED),
        ({}, Outcome.NOT_CONFIRMED),
        # With the slowest seed, 5 s, it is no longer twice as fast.
        ({LASSONET: 9.9}, Outcome.NOT_CONFIRMED),
        ({LASSONET: 10.1}, Outcome.CONFIRMED),
    ],
)
def test_verdict_on_time(seconds, outcome):
    assert faster(made_up(seconds=seconds)).outcome is outcome


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ({LASSONET: 2}, Outcome.CONFIRMED),
        ({LASSONET: [2, 2, 0, 0]}, Outcome.CONDITIONAL),
        ({LASSONET: [2, 0, 0, 0]}, Outcome.NOT_CONFIRMED),
        # One peer is enough to contradict it.
        ({LASSONET: 2, ANNEALED: 2}, Outcome.NOT_CONFIRMED),
        ({}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_lassonets_claim(gains, outcome):
    assert lassonet_outperforms(made_up(gains)).outcome is outcome


def test_ways_without_a_model_are_left_out():
    table = made_up({LASSONET: 2})
    empty = (table["way"] == "switches, λ") & (table["data"] == "optdigits")
    table.loc[empty, ["columns", "noise_columns", OWN, REFITTED, "seconds"]] = np.nan
    verdict = lassonet_outperforms(table)
    assert verdict.outcome is Outcome.CONFIRMED
    assert "switches, λ 2 and 0 of 2; linear, annealed 4 and 0 of 4" in verdict.figures


def test_cases_with_too_few_columns_are_not_compared():
    table = made_up({LASSONET: [0, 0, 5, 5]})
    few = (table["way"] == LASSONET) & (table["data"] == "segment")
    assert as_good_as_lassonet(table).outcome is Outcome.CONDITIONAL
    table.loc[few, "columns"] = 2
    verdict = as_good_as_lassonet(table)
    assert "It holds in 4 of 6 cases. Not compared, as LassoNet keeps fewer" in verdict.figures
    assert "on the mean: segment 4 (2.0)." in verdict.figures


def test_without_lassonet_its_verdicts_are_left_out():
    table = made_up(ways=[way for way in WAYS if way != LASSONET])
    verdicts = NetworkFeatures().verdicts(table)
    assert len(verdicts) == 2
    assert all("without LassoNet" in verdict.figures for verdict in verdicts)
    assert len(NetworkFeatures().verdicts(made_up())) == 5


def test_summary_and_figure_are_the_table():
    table = made_up({ANNEALED: 2})
    found = NetworkFeatures().summary(table)
    assert found.loc[("optdigits", 10, ANNEALED), OWN] == pytest.approx(92, abs=0.1)
    figure = NetworkFeatures().draw(table)
    assert len(figure.axes) == 2 * 3
    container = figure.axes[0].containers[0]
    assert container.get_label() == ANNEALED
    np.testing.assert_allclose(container[0].get_ydata(orig=False), [8, 8], atol=0.1)
