"""The authors' own runs: sizes, fronts, draws and tests, against slow ones and known truths.

The runs themselves stand beside the repository and not in it: without them those tests skip.
"""

import re
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import DatasetError
from experiments.authors_runs import AuthorsRuns, runs, simulated, training
from experiments.authors_runs.fronts import (
    ALL_PARAMETERS,
    PLAIN,
    VALIDATED,
    Draws,
    compared,
    front,
    own_targets,
    ratios,
    targets,
)
from experiments.authors_runs.runs import FOLDER, LOGS, RUNS, SECONDS, SHRINKNET, STATIC
from experiments.authors_runs.sizes import CHANNELS, CIFAR10, COVERTYPE, counts
from experiments.authors_runs.speed import faster, scatter
from experiments.authors_runs.verdicts import always_above_one
from experiments.experiment import Outcome
from experiments.run import Place, run
from made_up_runs import difference_table, of_rates

pytestmark = pytest.mark.untraced

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_the_runs = pytest.mark.skipif(
    not (DATA / "networks" / FOLDER).is_dir(), reason=f"{FOLDER} is not beside the project"
)


@pytest.fixture(scope="module", autouse=True)
def few_permutations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "N_DRAWN", 399)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("results"), quiet=True)
    return run(AuthorsRuns(), "simulated", True, place)


def measured_table(data):
    experiment = AuthorsRuns()
    jobs = experiment.jobs(data, True)
    return pd.DataFrame(
        [
            {**cell, **found}
            for cells in jobs
            for cell, found in zip(cells, experiment.measure(cells, data), strict=True)
        ]
    )


# --- Sizes --------------------------------------------------------------------------------


def test_sizes_of_vgg16_are_the_known_ones():
    # 14 714 688 parameters before the classifier, and at 224 × 224 pixels 15 346 630 656
    # multiply-adds, 49 times those at 32 × 32.
    found = counts(CIFAR10, [*CHANNELS, 100, 50])
    classifier = 512 * 100 + 100 * 50 + 50 * 10
    assert found["parameters"] == 14_714_688 + classifier + 160
    assert found["multiply_adds"] == 15_346_630_656 // 49 + classifier
    biases = sum(CHANNELS) + 160
    # The first classifier layer is taken to read 1024 channels.
    assert found["counted"] == found["parameters"] - biases + (1024 - 512) * 100


def test_sizes_of_dense_networks_written_out():
    found = counts(COVERTYPE, [5, 4, 3])
    assert found["counted"] == 98 * 5 + 5 * 4 + 4 * 3
    assert found["multiply_adds"] == found["counted"] + 3 * 7
    assert found["parameters"] == found["multiply_adds"] + 5 + 4 + 3 + 7


# --- What is measured of a run ------------------------------------------------------------


def test_the_epoch_is_the_best_of_the_second_half():
    random = np.random.default_rng(0)
    for n in range(2, 9):
        accuracies = pd.Series(random.integers(0, 4, n) / 4, index=range(1, n + 1))
        later = [epoch for epoch in accuracies.index if epoch > n // 2]
        best = max(accuracies[epoch] for epoch in later)
        expected = next(epoch for epoch in later if accuracies[epoch] == best)
        assert runs.chosen_epoch(accuracies) == expected


def tables(n_epochs=6):
    """runs.csv and the logs of a ShrinkNet that shrinks, and of a static network."""
    common = {"layers": 3, "dropout": 0.0, "batch_norm": False, "learning_rate": 0.01}
    common |= {"factor": np.nan, "classifier_layer_1": np.nan, "classifier_layer_2": np.nan}
    common |= dict.fromkeys(SECONDS.values(), 0.5)
    sizes = {f"size_layer_{k}": 5000 for k in (1, 2, 3)}
    settings = pd.DataFrame(
        [
            {"group": "COVER_FC_DYNAMIC", "run": "shrinking", **common, **sizes},
            {"group": "COVER_FC_STATIC", "run": "fixed", **common, **dict.fromkeys(sizes, 10)},
            {"group": "OTHER", "run": "strange", **common, **sizes},
        ]
    )
    epochs = range(1, n_epochs + 1)
    shared = {
        "val_acc": [0.9, 0.5, 0.6, 0.79, 0.8, 0.7],
        "test_acc": [0.9, 0.1, 0.2, 0.3, 0.4, 0.5],
    }
    shared["time_training"] = [1, 2, 3, 4, 5, 6]
    shrinking = {f"size_{k}": [600, 500, 400, 300, 200 + k, 100] for k in (1, 2, 3)}
    logs = [
        {"run": name, "epoch": epoch, "measure": measure, "value": values[epoch - 1]}
        for name, measures in (("shrinking", shared | shrinking), ("fixed", shared))
        for measure, values in measures.items()
        for epoch in epochs
    ]
    return settings, pd.DataFrame(logs).astype({"value": "float32"})


def test_what_is_measured_is_that_of_the_chosen_epoch():
    data = runs.Runs.of(*tables())
    assert list(data.settings.index) == ["shrinking", "fixed"]
    found = runs.measured(data, "shrinking")
    # Not 0.9, which is in the first half; and exactly 0.8, which float32 is not.
    assert (found["epoch"], found["val_accuracy"], found["accuracy"]) == (5, 0.8, 0.4)
    assert found["near_epoch"] == 1
    assert (found["epochs"], found["training_seconds"]) == (6, 21)
    assert found["counted"] == counts(COVERTYPE, [201, 202, 203])["counted"]
    assert runs.measured(data, "fixed")["counted"] == counts(COVERTYPE, [10, 10, 10])["counted"]


def test_static_vgg_has_the_widths_of_its_factor():
    settings = {"task": CIFAR10, "kind": STATIC, "factor": 0.35}
    settings |= {"classifier_layer_1": 40.0, "classifier_layer_2": 50.0}
    found = runs.widths(settings, None)
    # Rounded down, as in the authors' code.
    assert found[:3] == [22, 22, 44]
    assert found[12:] == [179, 40, 50]


# --- Files --------------------------------------------------------------------------------


def write(folder, settings, logs):
    folder.mkdir(parents=True)
    settings.to_csv(folder / RUNS, index=False)
    logs.to_parquet(folder / LOGS)


@pytest.mark.parametrize("inside", [".", "networks"])
def test_runs_are_found_in_the_folder_or_a_subfolder(tmp_path, inside):
    write(tmp_path / inside / FOLDER, *tables())
    data = AuthorsRuns().load(FOLDER, False, tmp_path)
    assert runs.measured(data, "shrinking")["epoch"] == 5
    settings, logs = tables()
    write(tmp_path / "other" / FOLDER, settings.assign(learning_rate=0.1), logs)
    assert len(data.checksum) == 64
    assert data.checksum != runs.read(tmp_path / "other").checksum


def test_who_lacks_the_runs_is_told_where_they_are_published(tmp_path):
    for home in (None, tmp_path):
        with pytest.raises(DatasetError, match=r"github\.com/mitdbg/fastdeepnets") as error:
            AuthorsRuns().load(FOLDER, False, home)
        assert all(name in str(error.value) for name in (FOLDER, RUNS, LOGS, "--data-home"))
    with pytest.raises(ValueError, match="has the datasets smallify_authors_runs and simulated"):
        AuthorsRuns().load("digits", True, None)


def test_a_table_without_a_column_is_refused(tmp_path):
    settings, logs = tables()
    write(tmp_path / FOLDER, settings.drop(columns=["factor", "dropout"]), logs)
    with pytest.raises(DatasetError, match=r"runs\.csv has no columns dropout, factor"):
        runs.read(tmp_path)


# --- Fronts and draws ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [RUNS, LOGS])
def test_a_broken_file_is_named(tmp_path, name):
    write(tmp_path / FOLDER, *tables())
    (tmp_path / FOLDER / name).write_bytes(b"\xff\xfe\x00")
    kind = name.split(".")[1]
    with pytest.raises(DatasetError, match=rf"{re.escape(name)}: it cannot be read as (?i:{kind})"):
        AuthorsRuns().load(FOLDER, False, tmp_path)


def test_draws_are_all_draws_enumerated():
    # All 3^3 × 4^3 draws of three networks of each kind; 0 is the best of its kind.
    static, shrinknets = np.array([6.0, 5.0]), np.array([2.0, 4.0, 1.0])
    found = Draws.of((static, 3), (shrinknets, 4), np.divide)
    totals: dict = {}
    for a, b in product(product(range(3), repeat=3), product(range(4), repeat=3)):
        if min(a) < 2 and min(b) < 3:
            ratio = static[min(a)] / shrinknets[min(b)]
            totals[ratio] = totals.get(ratio, 0) + 1
    n = sum(totals.values())
    assert found.value == 3
    for ratio, times in totals.items():
        assert found.share(ratio, ratio) == pytest.approx(times / n)
    assert found.share() == pytest.approx(1)
    # The least value that so many draws do not exceed.
    for level in (0.05, 0.3, 0.5, 0.95):
        assert found.quantile(level) == min(
            r for r in totals if sum(t for q, t in totals.items() if q <= r) >= level * n
        )


def test_draws_take_as_many_networks_of_both_kinds():
    # The same sizes, trained once or ten times: neither kind is favoured.
    few, many = np.array([1.0, 2.0, 3.0]), np.repeat([1.0, 2.0, 3.0], 10)
    found = Draws.of((few, 3), (many, 30), np.divide)
    assert found.share(high=0.99) == pytest.approx(found.share(low=1.01))
    # Mutant: with 30 of the one kind, the smallest size is nearly always among them.
    assert (2 / 3) ** 30 < 1e-5 < (2 / 3) ** 3


def slow_smallest(rows, target, size, accuracy):
    able = [row for _, row in rows.iterrows() if row[accuracy] >= target]
    return min(able, key=lambda row: row[size])


@pytest.mark.parametrize("choice", [ALL_PARAMETERS, VALIDATED], ids=lambda choice: choice.size)
@pytest.mark.parametrize("value", [None, "cpu_1"])
def test_ratios_are_of_the_smallest_networks(finished, choice, value):
    table = finished.table
    for task in (CIFAR10, COVERTYPE):
        found = ratios(table, task, choice, value=value)
        for one in found[:: max(1, len(found) // 4)]:
            static, shrinknet = (
                slow_smallest(rows, one.target, choice.size, choice.accuracy)
                for rows in compared(table, task)
            )
            column = value or choice.size
            assert one.ratio == static[column] / shrinknet[column]
            assert one.smallest == (static["run"], shrinknet["run"])


def test_targets_end_where_one_kind_ends(finished):
    static, shrinknets = compared(finished.table, COVERTYPE)
    found = targets(finished.table, COVERTYPE)
    highest = min(static["accuracy"].max(), shrinknets["accuracy"].max())
    assert found[0] == 0.8
    assert highest - 0.005 < found[-1] <= highest
    assert len(found) == round((found[-1] - 0.8) / 0.005) + 1


def test_without_is_the_ratio_once_that_network_is_gone(finished):
    table = finished.table
    for one in ratios(table, CIFAR10)[::6]:
        rest = table[table["run"] != one.smallest[1]]
        [expected] = ratios(rest, CIFAR10, at=[one.target])
        assert one.without == expected.ratio < one.ratio


def test_no_network_is_as_small_and_as_accurate_as_one_on_the_front(finished):
    for rows in compared(finished.table, COVERTYPE):
        expected = {
            a["run"]
            for _, a in rows.iterrows()
            if not any(
                b["counted"] <= a["counted"]
                and b["accuracy"] >= a["accuracy"]
                and (b["counted"] < a["counted"] or b["accuracy"] > a["accuracy"])
                for _, b in rows.iterrows()
            )
        }
        assert set(front(rows)["run"]) == expected
        assert front(rows)["counted"].is_monotonic_increasing


def test_own_targets_are_the_accuracies_of_shrinknets_front(finished):
    static, shrinknets = compared(finished.table, COVERTYPE)
    found = own_targets(finished.table, COVERTYPE)
    reached = [a for a in front(shrinknets)["accuracy"] if a >= 0.8]
    assert found == [a for a in reached if a <= static["accuracy"].max()]
    assert 0 < len(found) < len(reached)


def test_only_networks_with_three_layers_are_compared():
    rows = {"task": COVERTYPE, "kind": SHRINKNET, "run": ["a", "b", "c"]}
    table = pd.DataFrame({**rows, "layers": [2, 3, 3], "plain": [True, True, False]})
    assert list(compared(table, COVERTYPE)[1]["run"]) == ["b", "c"]
    assert list(compared(table, COVERTYPE, PLAIN)[1]["run"]) == ["b"]


# --- The truth of simulated runs ----------------------------------------------------------


@pytest.mark.parametrize("advantage", [1.0, 8.0])
def test_ratios_find_the_simulated_advantage(advantage):
    truth = simulated.Truth(
        n=60, advantage=dict.fromkeys((CIFAR10, COVERTYPE), advantage), deficit=0
    )
    table = measured_table(simulated.simulated(truth, seed=1))
    found = ratios(table, COVERTYPE)
    # Accuracy follows from size alone, so only gaps between sizes are left.
    assert np.median([one.ratio for one in found]) == pytest.approx(advantage, rel=0.25)
    assert np.median([one.draws.quantile(0.5) for one in found]) == pytest.approx(
        advantage, rel=0.25
    )
    outcome = always_above_one(table).outcome
    assert (outcome is Outcome.CONFIRMED) == (advantage > 1)


def test_simulated_runs_differ_in_what_is_said(finished):
    table = finished.table
    assert table["task"].value_counts().to_dict() == {CIFAR10: 80, COVERTYPE: 80}
    difference = training.difference(table, CIFAR10, "epoch")
    assert difference.static - difference.shrinknet > 5
    assert difference.p < 0.01
    assert training.difference(table, COVERTYPE, "epoch").p > 0.05
    # Noise is a tenth of the time; on a GPU with a batch of 1, so is the difference.
    assert scatter(table, CIFAR10, "gpu_1") == pytest.approx(simulated.TRUTH.noise, rel=0.3)
    assert faster(table).outcome is Outcome.CONDITIONAL
    seconds = ratios(table, CIFAR10, value="cpu_1")
    assert min(one.ratio for one in seconds) > 2


def test_cells_do_not_depend_on_others(finished):
    data = AuthorsRuns().load("simulated", True, None)
    again = measured_table(data)
    pd.testing.assert_frame_equal(
        again.reset_index(drop=True),
        finished.table[list(again)],
        check_dtype=False,
    )
    assert not finished.table["run"].duplicated().any()


# --- Permutations -------------------------------------------------------------------------


def test_p_is_that_of_all_permutations():
    static, shrinknets = [1.0, 4.0, 6.0, 9.0], [0.0, 2.0, 3.0]
    values = np.array(static + shrinknets)
    observed = abs(np.mean(shrinknets) - np.mean(static))
    larger = [
        abs(values[list(chosen)].mean() - np.delete(values, chosen).mean()) >= observed - 1e-9
        for chosen in combinations(range(7), 3)
    ]
    found = training.difference(difference_table(static, shrinknets), CIFAR10, "epoch")
    assert (found.static, found.shrinknet) == (5, pytest.approx(5 / 3))
    assert found.p == pytest.approx(np.mean(larger), abs=0.1)


def test_a_difference_of_learning_rates_is_none_of_kinds():
    found = training.difference(of_rates(5), CIFAR10, "epoch")
    assert found.static - found.shrinknet > 10
    assert found.p < 0.01
    # All runs of a rate are in one class, so that nothing is left but noise.
    within, p = training.at_equal_rates(of_rates(5), CIFAR10, "epoch")
    assert abs(within) < 2.5
    assert training.at_equal_rates(of_rates(0), CIFAR10, "epoch")[0] == pytest.approx(0)
    shifted, p_shifted = training.at_equal_rates(of_rates(5, saved=10), CIFAR10, "epoch")
    assert shifted == pytest.approx(within - 10)
    assert p_shifted < 0.01 < p


# --- What is shown ------------------------------------------------------------------------


def test_the_summary_has_ratios_of_whole_points(finished):
    summary, table = finished.summary, finished.table
    for task, target in summary.index[:: len(summary) // 5]:
        [one] = ratios(table, task, at=[target / 100])
        row = summary.loc[task, target]
        assert row["size"] == one.ratio
        assert (row["from"], row["to"]) == one.draws.band
        [cpu] = ratios(table, task, value="cpu_large", at=[target / 100])
        assert row["cpu large"] == cpu.ratio
        assert row["static"] == (compared(table, task)[0]["accuracy"] >= target / 100).sum()
    assert summary.loc[CIFAR10]["plain"].isna().all()
    assert (summary.loc[COVERTYPE]["plain"] == summary.loc[COVERTYPE]["size"]).all()


def test_the_figure_shows_networks_fronts_and_ratios(finished):
    import matplotlib.pyplot as plt

    figure = AuthorsRuns().draw(finished.table)
    panels = np.reshape(figure.axes, (3, 2))
    for task, (cloud, sizes, speeds) in zip((CIFAR10, COVERTYPE), panels.T, strict=True):
        for place, rows in enumerate(compared(finished.table, task)):
            dots, line = cloud.lines[2 * place : 2 * place + 2]
            np.testing.assert_allclose(dots.get_xdata(), rows["counted"])
            np.testing.assert_allclose(line.get_ydata(), 100 * front(rows)["accuracy"])
        found = ratios(finished.table, task)
        np.testing.assert_allclose(sizes.lines[0].get_ydata(), [one.ratio for one in found])
        across = {line.get_ydata()[0] for line in sizes.lines[4:]}
        assert across == ({1, 4, 40} if task == CIFAR10 else {1, 3})
        for line, column in zip(speeds.lines, SECONDS, strict=False):
            expected = [one.ratio for one in ratios(finished.table, task, value=column)]
            np.testing.assert_allclose(line.get_ydata(), expected)
    plt.close(figure)


# --- The runs themselves ------------------------------------------------------------------


@pytest.fixture(scope="module")
def authors():
    return measured_table(AuthorsRuns().load(FOLDER, False, DATA))


@needs_the_runs
def test_epoch_accuracy_and_size_are_those_of_the_authors_scripts(authors):
    summary = pd.read_csv(DATA / "networks" / FOLDER / "summary.csv").set_index("run")
    expected = summary.loc[authors["run"]]
    assert len(authors) == len(summary) == 579
    assert (authors["epoch"].to_numpy() == expected["epoch"].to_numpy()).all()
    assert (authors["epochs"].to_numpy() == expected["epochs"].to_numpy()).all()
    np.testing.assert_allclose(authors["accuracy"], expected["test_acc"], atol=1e-6)
    np.testing.assert_allclose(authors["counted"], expected["size"], rtol=1e-6)
    np.testing.assert_allclose(authors["cpu_1"], expected["cpu1"])


@needs_the_runs
def test_the_drafts_figures_are_found_again(authors):
    static, shrinknets = compared(authors, CIFAR10)
    assert (len(static), len(shrinknets)) == (151, 174)
    assert shrinknets["accuracy"].max() == static["accuracy"].max() == 0.9207
    found = {task: training.difference(authors, task, "epoch") for task in (CIFAR10, COVERTYPE)}
    # The draft has 62.5 and 68.4, and 117.9 and 130.
    assert found[CIFAR10].shrinknet == pytest.approx(62.5, abs=0.3)
    assert found[CIFAR10].static == pytest.approx(68.4, abs=0.3)
    assert found[COVERTYPE].shrinknet == pytest.approx(117.9, abs=0.05)
    assert found[COVERTYPE].static == pytest.approx(130, abs=0.05)
    # "From 4x to 40x"; above 1 where the authors look, and not everywhere.
    own = [one.ratio for one in ratios(authors, CIFAR10, at=own_targets(authors, CIFAR10))]
    assert 35 < max(own) < 40
    own = [one.ratio for one in ratios(authors, COVERTYPE, at=own_targets(authors, COVERTYPE))]
    assert min(own) > 1
    assert min(one.ratio for one in ratios(authors, COVERTYPE)) < 0.6


def test_truth_can_be_changed():
    fewer = simulated.simulated(replace(simulated.TRUTH, n=3))
    assert len(fewer.settings) == 12
    assert AuthorsRuns().jobs(fewer, True)[1][0]["run"] == "cifar10_vgg_static-0"
