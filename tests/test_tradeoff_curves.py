"""The experiment `tradeoff`: losses by number of features, in its table and its figure."""

import numpy as np
import pandas as pd
import pytest

from experiments import tradeoff
from experiments.tradeoff import Tradeoff
from experiments.tradeoff.curves import best_within, curve, frontier, loss_at
from experiments.tradeoff.settings import (
    ALL,
    EXACT,
    GROUP_LASSO,
    REFITTED,
    SHRINKNET,
    SHRINKNET_1,
    TRAINED,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)
from made_up_tradeoff import made_up, table_of

pytestmark = pytest.mark.untraced


def check_line(at):
    found = pd.DataFrame(
        {
            "n_features": [0, 4, 4, 10, 8, 30],
            "training_loss": [1, 0.5, 0.25, 0.25, 0.3, 0.01],
            "loss": [1, 0.1, 0.64, 0.0001, 0.0001, 0.04],
        }
    )
    # Of two models with 4 features the one that fits better counts; 8 and 10 fit no better.
    np.testing.assert_allclose(at(found, [0, 4, 30, 99]), [1, 0.64, 0.04, 0.04])
    # In between the logarithm of the loss is linear.
    np.testing.assert_allclose(at(found, [2, 17]), [0.8, 0.16])


def test_loss_between_models(monkeypatch):
    check_line(loss_at)
    with pytest.raises(AssertionError):
        check_line(lambda found, k: np.interp(k, *frontier(found)[KEYS].T.to_numpy()))
    monkeypatch.setattr(tradeoff.curves, "frontier", lambda found: found.sort_values("n_features"))
    with pytest.raises(AssertionError):
        check_line(loss_at)


KEYS = ["n_features", "loss"]


def check_step_chosen(best):
    sizes, training, held_out = [0, 6, 9, 30], [1, 0.5, 0.4, 0.1], [1.1, 0.6, 0.8, 0.2]
    found = curve(made_up({SHRINKNET: (sizes, training, held_out)}), SHRINKNET, True)
    chosen = best(found, 10)
    assert (chosen["n_features"], chosen["loss"]) == (9, pytest.approx(0.8))
    assert best(found, 0)["loss"] == pytest.approx(1.1)
    assert best(found[1:], 5) is None


def test_nobody_peeks_at_held_out_rows():
    check_step_chosen(best_within)

    def peeking(found, budget):
        allowed = found[found["n_features"] <= budget]
        return None if allowed.empty else allowed.loc[allowed["loss"].idxmin()]

    with pytest.raises(AssertionError):
        check_step_chosen(peeking)


def test_summary_has_the_budgets_that_make_sense():
    table = table_of(0.5, held_out=0.7)
    found = Tradeoff().summary(table)
    assert sorted(set(found.index.get_level_values(0))) == [5, 10, 20, 50, 80]
    np.testing.assert_allclose(
        found.loc[20, SHRINKNET], [16, 0.5 * 0.9**4, 16, 0.7 * 0.9**4], atol=1e-4
    )
    few = table[table["n_features"] > 7].assign(n_columns=50)
    found = Tradeoff().summary(few)
    assert sorted(set(found.index.get_level_values(0))) == [5, 10, 20]
    assert found.loc[5].isna().all(axis=None)
    # Of few columns, all.
    found = Tradeoff().summary(few.assign(n_columns=4))
    assert set(found.index.get_level_values(0)) == {4}


def test_figure():
    table = table_of(0.5, refit=0.9, held_out=0.7)
    other = table[table["method"] == SHRINKNET].assign(method=SHRINKNET_1)
    table = pd.concat([table, other])
    figure = Tradeoff().draw(table)
    training, held_out = figure.axes
    names = [line.get_label() for line in training.lines]
    assert sorted(names) == sorted([*EXACT, *TRAINED])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    for ax in (training, held_out):
        lines = {line.get_label(): line for line in ax.lines}
        assert "sparsity" in ax.get_xlabel()
        assert [lines[name].get_linestyle() for name in TRAINED] == ["None"] * 2
        assert lines[GROUP_LASSO].get_color() == lines[TRAINED_LASSO].get_color()
        assert lines[SHRINKNET].get_color() == lines[TRAINED_SHRINKNET].get_color()
        assert len({lines[name].get_color() for name in EXACT}) == 4
    rows = table[(table["method"] == SHRINKNET) & (table["fold"] == ALL)]
    line = training.lines[names.index(SHRINKNET)]
    np.testing.assert_array_equal(line.get_xydata(), rows[["sparsity", "training_loss"]])


def test_losses_next_to_nothing_do_not_press_the_others_together():
    table = table_of(0.5)
    table.loc[table["method"] == REFITTED, "training_loss"] = 1e-6
    low, high = Tradeoff().draw(table).axes[0].get_ylim()
    assert 1e-4 < low < 0.2
    assert 1 <= high <= 1.5
