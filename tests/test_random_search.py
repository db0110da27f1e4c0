"""The experiment `random-search`: its cells, how ways are compared, and the verdicts."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from experiments.experiment import Outcome
from experiments.random_search import RandomSearch
from experiments.random_search.fronts import (
    SHARES,
    Mean,
    affordable,
    ahead,
    best_within,
    ratios,
    smallest,
)
from experiments.random_search.settings import (
    CIFAR10,
    COVERTYPE,
    DIGITS,
    NARROW,
    PATH,
    PATH_AGAIN,
    PRUNED,
    RANDOM,
    SCALED,
    SETTINGS,
    SWITCHES,
    SWITCHES_AGAIN,
    VGG16,
    jobs,
    problem,
)
from experiments.random_search.verdicts import (
    as_accurate,
    cheaper_front,
    from_scratch,
    ratio_curve,
    ratio_in_range,
    searches,
    smaller_or_equal,
    while_training,
)

pytestmark = pytest.mark.untraced

SIZES = 100 * 2 ** np.arange(11)
BUDGETS = (20_000, 2000, 500)


def accuracy_of(sizes):
    """Of static networks: 0.6 to 0.9."""
    return 0.6 + 0.03 * np.log2(np.asarray(sizes) / SIZES[0])


def network(way, seed, draw, size, accuracy, cost=1.0, budget=None):
    # Seeds differ by much more than ways do.
    accuracy += 0.02 * seed
    costs = dict.fromkeys(("seconds", "multiply_adds", "parameter_updates"), cost)
    asked = {"way": way, "seed": seed, "draw": draw, "budget": budget}
    return {**asked, "parameters": size, "validation": accuracy, "test": accuracy, **costs}


def made_up(
    kind="perceptron", factor=1.0, shift=0.0, noise=0.0, cost=1.0, path=0.0, pruned=0.0, again=0.0,
    path_again=0.0, path_cost=1.0,
):  # fmt: skip
    """Networks of three seeds.

    ShrinkNet's are smaller than static ones of the same accuracy by the factor, one for each size
    or the same for all. Its accuracies are shifted, with noise between seeds, and a training costs
    `cost` static ones. The front is ahead of static networks by `path`.
    """
    static = RANDOM if kind == "perceptron" else SCALED
    factors = np.broadcast_to(factor, SIZES.shape)
    rows = []
    for seed in range(3):
        moved = shift + noise * (seed - 1)
        for draw, (size, accuracy) in enumerate(zip(SIZES, accuracy_of(SIZES), strict=True)):
            small, found = size / factors[draw], accuracy + moved
            rows += [
                network(static, seed, draw, size, accuracy),
                network(SWITCHES, seed, draw, small, found, cost),
                network(SWITCHES_AGAIN, seed, draw, small, found + again),
            ]
        for draw, budget in enumerate(BUDGETS):
            level = accuracy_of(max(SIZES[budget >= SIZES]))
            front = level + path + noise * (seed - 1)
            of_ways = {PATH: front, PATH_AGAIN: front + path_again, PRUNED: front - pruned}
            of_ways[NARROW] = level
            rows += [
                network(way, seed, draw, budget, accuracy, path_cost / len(BUDGETS), budget)
                for way, accuracy in of_ways.items()
            ]
    return pd.DataFrame(rows).assign(network=kind)


# --- Cells ------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_cells(setting):
    cells = pd.DataFrame([cell for job in jobs(setting) for cell in job])
    assert not cells.duplicated().any()
    assert set(cells["seed"]) == set(range(setting.n_seeds))
    counts = cells.groupby("way").size() / setting.n_seeds
    n = len(setting.budgets)
    expected = {RANDOM: setting.n_random, SCALED: setting.n_scaled, NARROW: n, PRUNED: n}
    expected |= {PATH: n, PATH_AGAIN: n, SWITCHES: setting.n_switches}
    expected[SWITCHES_AGAIN] = setting.n_switches
    assert counts.to_dict() == {way: n for way, n in expected.items() if n}
    # More static trainings than ShrinkNet's, whose trainings cost more.
    assert counts[setting.usual] > counts[SWITCHES]
    low, high = setting.strengths
    assert cells["strength"].dropna().between(low, high).all()
    for text in cells["sizes"].dropna():
        sizes = np.array([int(n) for n in text.split("-")])
        assert len(sizes) == len(setting.full)
        assert (sizes <= setting.full).all()
        assert (sizes >= np.maximum(np.floor(np.array(setting.full) / 20), 1)).all()


def test_scaled_sizes_have_one_factor_and_random_ones_a_factor_each():
    setting = replace(VGG16, n_random=40, n_scaled=40, n_seeds=1)
    cells = pd.DataFrame([cell for job in jobs(setting) for cell in job])
    shares = {
        way: np.array([np.array(text.split("-"), dtype=int) for text in rows["sizes"]])
        / np.array(setting.full)
        for way, rows in cells[cells["sizes"].notna()].groupby("way")
    }
    np.testing.assert_allclose(np.ptp(shares[SCALED], axis=1), 0, atol=1 / 128)
    assert np.median(np.ptp(shares[RANDOM], axis=1)) > 0.5
    # Log-uniform: as many below the geometric mean of the ends as above.
    for found in shares.values():
        assert 0.25 < np.mean(found < 20**-0.5) < 0.75


def test_the_large_network_is_twice_that_of_the_draft():
    # VGG16 of ImageNet has 64 to 512 channels, and the draft takes 5000 hidden units.
    assert VGG16.full[0] == 128
    assert VGG16.full[7:13] == (1024,) * 6
    assert VGG16.full[13:] == (5000,)
    assert len(COVERTYPE.full) == 3
    assert [setting.usual for setting in (COVERTYPE, CIFAR10, VGG16)] == [RANDOM, SCALED, SCALED]


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'iris': give one of covertype93k, cifar10, cifar10-vgg"):
        problem("iris")


# --- Comparisons ------------------------------------------------------------------------


def test_networks_are_chosen_as_loops_would():
    rng = np.random.default_rng(0)
    for _ in range(20):
        sizes, validation, test = rng.permutation(12) + 1, rng.permutation(12), rng.random(12)
        rows = pd.DataFrame({"parameters": sizes, "validation": validation, "test": test})
        for bound in range(14):
            fits = [i for i in range(12) if sizes[i] <= bound]
            best = best_within(rows, bound)
            assert (best is None) == (not fits)
            if fits:
                assert best["test"] == test[max(fits, key=lambda i: validation[i])]
            good = [i for i in range(12) if validation[i] >= bound]
            least = smallest(rows, bound)
            assert (least is None) == (not good)
            if good:
                assert least["parameters"] == min(sizes[i] for i in good)


@pytest.mark.parametrize("factor", [0.5, 1, 4])
def test_the_ratio_is_that_of_sizes_at_equal_accuracy(factor):
    curves = ratio_curve(made_up(factor=factor))
    assert curves.shape == (3, len(SHARES))
    known = ~np.isnan(curves)
    np.testing.assert_allclose(curves[known], factor)
    # Where the smallest networks do, an even smaller one might.
    targets = SHARES * (accuracy_of(SIZES[-1]) + 0.02 * np.arange(3)[:, None])
    reached = accuracy_of(SIZES[0]) + 0.02 * np.arange(3)[:, None]
    np.testing.assert_array_equal(known, targets > reached)


def test_the_ratio_is_at_the_best_accuracy_that_both_reach():
    rows = pd.DataFrame({"parameters": [10, 20, 30], "validation": [0.1, 0.7, 0.9]})
    weak = pd.DataFrame({"parameters": [1, 5, 6], "validation": [0.1, 0.6, 0.7]})
    assert ratios(rows, weak)[-1] == 20 / 6
    assert ratios(weak, rows)[-1] == 6 / 20


def test_what_a_cost_pays_for():
    rows = pd.DataFrame({"multiply_adds": [3.0, 4.0, 1.0]})
    for cost, n in ((3, 1), (3.9, 1), (5.5, 2), (7, 2), (7.4, 2), (7.6, 3), (10, 3)):
        assert len(affordable(rows, cost)) == n
    # Nothing that is compared costs about as much.
    for cost in (1, 4.3, 11):
        assert affordable(rows, cost) is None
    assert np.isnan(ahead(rows, None)).all()


def test_ahead_of_networks_at_most_as_large():
    front = pd.DataFrame({"parameters": [100, 10, 1], "test": [0.9, 0.8, 0.7]})
    others = pd.DataFrame(
        {"parameters": [101, 90, 10, 5], "test": [1.0, 0.6, 0.5, 0.4], "validation": [4, 3, 2, 1]}
    )
    np.testing.assert_allclose(ahead(front, others), [0.3, 0.3, np.nan])


def test_bounds_are_those_of_student():
    # For three seeds the quantile is 2.92.
    mean = Mean.of([1.0, 2.0, 3.0])
    assert mean.value == 2
    assert mean.low == pytest.approx(2 - 2.92 / np.sqrt(3), abs=1e-3)
    assert Mean.of([5.0]).value == 5
    assert np.isnan(Mean.of([5.0]).low)
    assert np.isnan(Mean.of([5.0, np.nan]).value)


# --- Verdicts ---------------------------------------------------------------------------

YES, SOME, NO = Outcome.CONFIRMED, Outcome.CONDITIONAL, Outcome.NOT_CONFIRMED
# From smaller networks on, with ratios of ShrinkNet's favour.
MIXED = np.repeat([2.0, 1.0], [8, 3])
CASES = [
    (as_accurate, {}, YES),
    (as_accurate, {"shift": 0.05}, YES),
    (as_accurate, {"shift": -0.005}, YES),
    (as_accurate, {"shift": -0.02}, NO),
    (as_accurate, {"noise": 0.02}, SOME),
    (as_accurate, {"noise": 0.001}, YES),
    (smaller_or_equal, {}, YES),
    (smaller_or_equal, {"factor": 4}, YES),
    (smaller_or_equal, {"factor": 0.5}, NO),
    (smaller_or_equal, {"factor": 1, "noise": 0.1}, SOME),
    (ratio_in_range, {"factor": 2}, YES),
    (ratio_in_range, {"factor": 1}, NO),
    (ratio_in_range, {"factor": 8}, NO),
    (ratio_in_range, {"factor": 0.5}, NO),
    (ratio_in_range, {"factor": MIXED}, SOME),
    # Large at the highest accuracies alone.
    (ratio_in_range, {"factor": np.repeat([2.0, 3.9], [10, 1])}, YES),
    (ratio_in_range, {"factor": np.repeat([2.0, 3.9], [8, 3])}, NO),
    (ratio_in_range, {"kind": "vgg", "factor": 8}, YES),
    (ratio_in_range, {"kind": "vgg", "factor": 2}, NO),
    (ratio_in_range, {"kind": "vgg", "factor": 64}, NO),
    (ratio_in_range, {"kind": "vgg", "factor": np.repeat([8.0, 1.0], [8, 3])}, SOME),
    (cheaper_front, {"path_cost": 4}, YES),
    (cheaper_front, {"path_cost": 4, "path": 0.05}, YES),
    # All static networks cost less than twice as much.
    (cheaper_front, {"path_cost": 6}, SOME),
    (cheaper_front, {"path_cost": 4, "noise": 0.05}, SOME),
    (cheaper_front, {"path_cost": 11, "path": -0.02}, NO),
    # For the cost of the front there are only the smallest static networks.
    (cheaper_front, {"path_cost": 2, "path": -0.02}, SOME),
    (from_scratch, {}, YES),
    (from_scratch, {"again": -0.02}, SOME),
    (from_scratch, {"path_again": -0.02}, SOME),
    (from_scratch, {"again": -0.02, "path_again": -0.02}, NO),
    (while_training, {"pruned": 0.01}, YES),
    (while_training, {}, NO),
    (while_training, {"pruned": -0.01}, NO),
]


@pytest.mark.parametrize(("verdict", "given", "outcome"), CASES)
def test_verdicts(verdict, given, outcome):
    found = verdict(made_up(**given))
    assert found.outcome is outcome
    assert "nan" not in found.figures


def test_a_few_targets_make_no_range():
    table = made_up(factor=2)
    # Without all but the largest networks.
    few = table[(table["budget"].notna()) | (table["draw"] > 8)]
    verdict = ratio_in_range(few)
    assert verdict.outcome is NO
    assert "At 4 targets" in verdict.figures
    few = few.assign(network="vgg", way=few["way"].replace(RANDOM, SCALED))
    assert ratio_in_range(few).outcome is NO
    none = ratio_in_range(table[(table["budget"].notna()) | (table["draw"] > 9)])
    assert none.outcome is NO
    assert "No target is beyond" in none.figures
    assert "not comparable" in smaller_or_equal(few[few["draw"] != 9]).figures


def test_a_lead_over_pruning_that_varies_is_one_with_conditions():
    table = made_up(pruned=0.01)
    first = (table["way"] == PRUNED) & (table["seed"] == 0)
    table.loc[first, "test"] += 0.015
    assert while_training(table).outcome is SOME


def test_dearer_trainings_leave_more_static_ones_to_compare_with():
    # The best static networks come last: at equal number of trainings they are not there.
    table = made_up(cost=2)
    static = table["way"] == RANDOM
    table = table[~(table["way"].isin([SWITCHES, SWITCHES_AGAIN]) & (table["draw"] > 4))]
    assert "At equal cost there are 10 to 10 static trainings" in as_accurate(table).figures
    assert as_accurate(table).outcome is NO
    # So they are not at equal cost either.
    table.loc[static, "multiply_adds"] = 2.0
    assert as_accurate(table).outcome is YES


def test_static_networks_that_cost_little_are_not_compared_at_equal_cost():
    # 11 static networks for a cost of 13.2 and of 16.5.
    for cost, comparable in ((1.2, True), (1.5, False)):
        table = made_up(cost=cost)
        assert (searches(table, 0)[1]["equal cost"] is not None) is comparable
        for verdict in (as_accurate(table), smaller_or_equal(table)):
            assert (verdict.outcome is YES) is comparable
            assert ("at equal cost not comparable" in verdict.figures) is not comparable
    assert "do not come near ShrinkNet's cost" in as_accurate(table).figures
    assert "cost 67% of ShrinkNet's" in as_accurate(table).figures
    figures = as_accurate(made_up(cost=1.2)).figures
    assert "11 to 11 static trainings of each seed, for 83% to 83% of the multiply" in figures


def test_a_ratio_of_one_seed_is_none():
    table = made_up(factor=2)
    assert "At 21 targets" in ratio_in_range(table).figures
    # In two seeds only the largest networks are there.
    few = table[(table["seed"] == 0) | table["budget"].notna() | (table["draw"] > 8)]
    assert "At 4 targets" in ratio_in_range(few).figures


def test_the_front_is_compared_at_the_budgets_of_all_seeds():
    table = made_up(path_cost=11, path=0.05)
    assert "Budgets with no" not in cheaper_front(table).figures
    # One seed has no small static network, and a front that is worse than that of the others.
    static = (table["way"] == RANDOM) & (table["seed"] == 1) & (table["parameters"] <= 500)
    front = (table["way"] == PATH) & (table["budget"] == 500)
    table.loc[front, "test"] -= 0.3
    assert cheaper_front(table).outcome is NO
    verdict = cheaper_front(table[~static])
    assert verdict.outcome is SOME
    assert "+5.0 points (bound +5.0), without the budgets 500, for which" in verdict.figures
    # In that seed the others do not cost enough.
    assert "for equal multiply-adds: not comparable." in verdict.figures
    figures = cheaper_front(made_up(path_cost=4, path=0.05)).figures
    # Beside networks of at most 800 parameters, for the same cost: (17 + 8 + 5) / 3 points.
    assert "multiply-adds: +10.0 points (bound +10.0)." in figures
    # Nothing is left to compare.
    static = (table["way"] == RANDOM) & (table["parameters"] < 20_000)
    assert cheaper_front(table[~static]).outcome is NO


def test_validation_rows_choose():
    table = made_up()
    table["test"] = 1 - table["validation"]
    front = made_up(path=0.2, path_cost=4)
    front["validation"] = 0.5
    # Tests of the networks that validation rows find best, not of those best in tests.
    assert "+0.0 points" in as_accurate(table).figures
    for rows in (table[table["way"] == way] for way in (RANDOM, SWITCHES)):
        assert best_within(rows, np.inf)["parameters"] == SIZES[-1]


# --- Summary and figure -----------------------------------------------------------------


def test_summary():
    found = RandomSearch().summary(made_up(factor=2, path=0.01, cost=3))
    assert list(found.index) == [
        RANDOM, SWITCHES, SWITCHES_AGAIN, PATH, PATH_AGAIN, PRUNED, NARROW
    ]  # fmt: skip
    levels = [accuracy_of(size) + 0.02 for size in (12_800, 1600, 400)]
    columns = [f"<= {budget}" for budget in BUDGETS]
    np.testing.assert_allclose(found.loc[RANDOM, columns].astype(float), levels)
    np.testing.assert_allclose(found.loc[PATH, columns].astype(float), np.add(levels, 0.01))
    assert found.loc[SWITCHES, "its parameters"] == SIZES[-1] / 2
    assert found.loc[SWITCHES, "CPU s"] == 33
    assert found["trainings"].to_dict() == {
        RANDOM: 11, SWITCHES: 11, SWITCHES_AGAIN: 11, PATH: 1, PATH_AGAIN: 3, PRUNED: 1, NARROW: 3
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["perceptron", "vgg"])
def test_the_figure_shows_the_numbers(kind):
    figure = RandomSearch().draw(made_up(kind, factor=2))
    fronts, ratio, costs, legend = figure.axes
    (line,) = [line for line in fronts.get_lines() if line.get_label() == SWITCHES]
    assert line.get_ydata()[-1] == pytest.approx(accuracy_of(SIZES[-1]) + 0.02)
    np.testing.assert_allclose(ratio.get_lines()[0].get_ydata(), 2)
    assert len(costs.get_lines()) == 5
    names = [text.get_text() for text in legend.get_legend().get_texts()]
    assert SWITCHES in names
    assert (RANDOM if kind == "perceptron" else SCALED) in names
    plt.close(figure)


def test_the_experiment_names_its_data():
    assert set(RandomSearch.datasets + RandomSearch.quick_datasets) < set(SETTINGS)
    assert SETTINGS["digits"] is DIGITS
