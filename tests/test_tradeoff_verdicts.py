"""The experiment `tradeoff`: how methods are compared, and the verdict on each claim."""

import numpy as np
import pandas as pd
import pytest

from experiments import tradeoff
from experiments.experiment import Outcome
from experiments.tradeoff import Tradeoff
from experiments.tradeoff.comparison import Comparison, compare
from experiments.tradeoff.settings import (
    ALL,
    GROUP_LASSO,
    REFITTED,
    SHRINKNET,
    SHRINKNET_1,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)
from experiments.tradeoff.verdicts import as_low_as_convex, closer_exact
from made_up_tradeoff import SIZES, losses, made_up, table_of

pytestmark = pytest.mark.untraced

# Names of the verdicts on a table, in their order.
CLAIMS = ("fits", "fits refit", "trained", "held out", "held out refit", "lowest")


def verdict_on(claim, table):
    return dict(zip(CLAIMS, Tradeoff().verdicts(table), strict=True))[claim]


# The verdict on each claim but the last, where the losses of one method are `factor` times those of
# the other from point `start` of the curve on: (factor, start, verdict).
RATIOS = {
    "better everywhere": (0.5, 1, Outcome.CONFIRMED),
    "better by more than a tie": (0.985, 1, Outcome.CONFIRMED),
    "better from 8 features on": (0.5, 3, Outcome.CONDITIONAL),
    "better at half": (0.5, 4, Outcome.NOT_CONFIRMED),
    "better from 64 features on": (0.5, 6, Outcome.NOT_CONFIRMED),
    "the same": (0.995, 1, Outcome.NOT_CONFIRMED),
    "worse": (1.3, 1, Outcome.NOT_CONFIRMED),
}

# The two methods that each claim compares, and whether by held-out loss.
COMPARED = {
    "fits": (SHRINKNET, GROUP_LASSO, False),
    "fits refit": (SHRINKNET, REFITTED, False),
    "trained": (TRAINED_SHRINKNET, TRAINED_LASSO, False),
    "held out": (SHRINKNET, GROUP_LASSO, True),
    "held out refit": (SHRINKNET, REFITTED, True),
}


def table_for(claim, factor, start):
    """A table where the comparison of `claim` has these ratios, all others the opposite outcome."""
    opposite = 2.0 if factor < 1 else 0.5
    method, other, held_out = COMPARED[claim]
    columns = {}
    for judged in (False, True):
        ours = {SHRINKNET: losses(1), TRAINED_SHRINKNET: losses(1)}
        if judged == held_out:
            ours[method] = losses(factor, start)
        theirs = dict.fromkeys((GROUP_LASSO, REFITTED), ours[SHRINKNET] / opposite)
        theirs[TRAINED_LASSO] = ours[TRAINED_SHRINKNET] / opposite
        if judged == held_out:
            theirs[other] = losses(1)
        columns[judged] = ours | theirs
    return made_up(
        {name: (SIZES, columns[False][name], columns[True][name]) for name in ours | theirs}
    )


@pytest.mark.parametrize("name", RATIOS)
@pytest.mark.parametrize("claim", CLAIMS[:-1])
def test_each_claim_has_its_own_comparison_and_rule(claim, name):
    factor, start, outcome = RATIOS[name]
    verdict = verdict_on(claim, table_for(claim, factor, start))
    assert verdict.outcome is outcome
    assert "beyond 1% of the loss and, held out, beyond one standard error" in verdict.rule
    assert "with conditions: it is lower at half of them or more, and higher" in verdict.rule


def test_better_than_the_one_is_not_better_than_the_other():
    # Held out below group lasso, above its refit: two claims, two outcomes.
    plain = losses(1)
    curves = {GROUP_LASSO: (SIZES, plain, plain), REFITTED: (SIZES, plain, 0.6 * plain)}
    curves |= {SHRINKNET: (SIZES, plain, 0.8 * plain)}
    curves |= {TRAINED_LASSO: (SIZES, plain, plain), TRAINED_SHRINKNET: (SIZES, plain, plain)}
    table = made_up(curves)
    assert verdict_on("held out", table).outcome is Outcome.CONFIRMED
    assert verdict_on("held out refit", table).outcome is Outcome.NOT_CONFIRMED


def check_agreement_of_folds(compare):
    """Where folds contradict each other there is no difference."""
    plain = losses(1)
    curves = {GROUP_LASSO: (SIZES, plain, plain), SHRINKNET: (SIZES, plain, 0.8 * plain)}
    table = made_up(curves)
    agreed = compare(table, SHRINKNET, GROUP_LASSO, held_out=True)
    np.testing.assert_allclose(agreed.ratios[agreed.sizes >= 2], 0.8)
    assert len(agreed.won) >= 5
    rows = (table["method"] == SHRINKNET) & (table["fold"] == "0")
    table.loc[rows, "held_out_loss"] *= 2
    contradicted = compare(table, SHRINKNET, GROUP_LASSO, held_out=True)
    # The ratios of the two folds are 1.6 and 0.8.
    np.testing.assert_allclose(contradicted.ratios[-2:], np.sqrt(1.6 * 0.8))
    np.testing.assert_allclose(contradicted.errors[-2:], np.log(2) / 2)
    assert len(contradicted.won) == len(contradicted.lost) == 0


def test_differences_count_beyond_a_standard_error_of_the_folds(monkeypatch):
    check_agreement_of_folds(compare)
    monkeypatch.setattr(Comparison, "_beyond_errors", True)
    with pytest.raises(AssertionError):
        check_agreement_of_folds(compare)


def comparison(ratios, sizes=None):
    sizes = 2.0 ** np.arange(len(ratios)) if sizes is None else sizes
    return Comparison(np.array(sizes), np.array(ratios), np.zeros(len(ratios)))


def test_a_tie_is_neither_better_nor_worse():
    found = comparison([0.5, 0.5, 0.5, 0.995, 1.005])
    assert (found.won.tolist(), found.lost.tolist(), found.throughout) == ([1, 2, 4], [], True)
    worse = comparison([0.5, 0.5, 0.5, 0.995, 1.02])
    assert (worse.lost.tolist(), worse.throughout, worse.mostly) == ([16], False, True)
    assert str(worse) == (
        "lower at 3 (1 to 4) and higher at 1 (16 to 16) of 5 sizes from 1 to 16 features"
    )


def check_one_hundredth():
    found = comparison([0.9899, 0.9901, 1.0099, 1.0101])
    assert (found.won.tolist(), found.lost.tolist()) == ([1], [8])


def test_one_hundredth_is_a_tie(monkeypatch):
    check_one_hundredth()
    for tie in (0, 0.009, 0.011, 0.05):
        monkeypatch.setattr(Comparison, "TIE", tie)
        with pytest.raises(AssertionError):
            check_one_hundredth()


@pytest.mark.parametrize(
    ("won", "of", "mostly"),
    [(3, 6, True), (2, 6, False), (3, 5, True), (2, 5, False), (5, 11, False), (6, 11, True)],
)
def test_mostly_is_at_half_of_the_sizes(won, of, mostly):
    found = comparison([0.5] * won + [1.0] * (of - won))
    assert (found.mostly, found.throughout) == (mostly, mostly)


def test_as_often_worse_as_better_is_not_mostly():
    assert not comparison([0.5, 0.5, 2, 2]).mostly
    assert comparison([0.5, 0.5, 2, 1]).mostly


@pytest.mark.parametrize(
    ("sizes", "wide"),
    [
        ([3], False),
        ([1, 10], False),
        ([1, 2, 3, 100], False),
        ([1, 2, 3, 3.5, 4], True),
        ([1, 2, 3, 3.5, 3.9], False),
        ([10, 20, 30, 35, 39, 39.5], False),
        ([10, 20, 30, 35, 40], True),
    ],
)
def test_little_ground_confirms_nothing(sizes, wide):
    found = comparison([0.5] * len(sizes), sizes)
    assert (found.wide, found.throughout, found.mostly) == (wide, wide, True)
    assert ("too few, or too near" in str(found)) == (not wide)


def test_verdicts_of_little_ground_are_conditional():
    table = table_of(0.5, held_out=0.5)
    assert len(Tradeoff().verdicts(table)) == len(CLAIMS)
    few = table[table["step"].isin([0, 4, 5, 6])]
    for whole, part in zip(
        Tradeoff().verdicts(table)[:5], Tradeoff().verdicts(few)[:5], strict=True
    ):
        assert whole.outcome is Outcome.CONFIRMED
        assert part.outcome is Outcome.CONDITIONAL
        assert "too few, or too near each other, to confirm" in part.figures


def lowest_of(trained, exact):
    """A table in which ShrinkNet's lowest losses are these multiples of group lasso's."""
    table = table_of(1.0)
    for method, factor in ((TRAINED_SHRINKNET, trained), (SHRINKNET, exact)):
        table.loc[table["method"] == method, "training_loss"] *= factor
    # The weakest λ failed; losses of folds do not count.
    table.loc[table["step"] == 6, "training_loss"] = 2
    lasso = table["method"].isin([GROUP_LASSO, TRAINED_LASSO])
    table.loc[lasso & (table["fold"] != ALL), "training_loss"] = 1e-6
    return table


def check_lowest(judge):
    for trained, exact, outcome in (
        (0.5, 0.5, Outcome.CONFIRMED),
        (1.009, 1.009, Outcome.CONFIRMED),
        (1.011, 0.5, Outcome.CONDITIONAL),
        (0.5, 1.011, Outcome.CONDITIONAL),
        (1.011, 1.011, Outcome.NOT_CONFIRMED),
    ):
        assert judge(lowest_of(trained, exact)).outcome is outcome


def test_verdict_of_the_lowest_loss(monkeypatch):
    check_lowest(lambda table: verdict_on("lowest", table))
    figures = as_low_as_convex(lowest_of(0.5, 2)).figures
    assert "Adagrad: 0.295 (32 features, λ = 1e-05) against 0.59 (32 features" in figures
    assert "exact: 1.18 (32 features, λ = 1e-05) against 0.59" in figures
    assert "of λ 1 to 1e-06 against 1 to 1e-06" in figures
    assert "training loss alone" in figures
    with pytest.raises(AssertionError):
        check_lowest(lambda table: closer_exact(table)[0])

    # Mutants: the last step in place of the lowest; folds are not left out.
    def last(table, method):
        return table[(table["method"] == method) & (table["fold"] == ALL)].iloc[-1]

    def any_fold(table, method):
        rows = table[table["method"] == method].reset_index()
        return rows.loc[rows["training_loss"].idxmin()]

    for mutant in (last, any_fold):
        monkeypatch.setattr(tradeoff.verdicts, "lowest", mutant)
        with pytest.raises(AssertionError):
            check_lowest(as_low_as_convex)


def test_no_size_in_common_confirms_nothing():
    few, many = np.array([0, 2, 3]), np.array([40, 50, 60])
    y = np.array([1, 0.5, 0.4])
    curves = {GROUP_LASSO: (few, y, y), REFITTED: (few, y, y), SHRINKNET: (many, y / 9, y / 9)}
    curves |= {TRAINED_LASSO: (few, y, y), TRAINED_SHRINKNET: (many, y / 9, y / 9)}
    for verdict in Tradeoff().verdicts(made_up(curves))[:5]:
        assert verdict.outcome is Outcome.NOT_CONFIRMED
        assert "No number of features in common" in verdict.figures
    # A method that never keeps a feature confirms nothing either.
    curves[SHRINKNET] = curves[TRAINED_SHRINKNET] = (np.zeros(3), np.ones(3), np.ones(3))
    assert Tradeoff().verdicts(made_up(curves))[0].outcome is Outcome.NOT_CONFIRMED


def test_p_1_is_told_where_it_was_measured():
    table = table_of(0.5, held_out=0.7)
    assert "With p = 1" not in Tradeoff().verdicts(table)[0].figures
    other = table[table["method"] == SHRINKNET].assign(method=SHRINKNET_1)
    verdict = Tradeoff().verdicts(pd.concat([table, other]))[0]
    assert "With p = 1 lower at 6 (2 to 64) and higher at 0 of 6 sizes" in verdict.figures
