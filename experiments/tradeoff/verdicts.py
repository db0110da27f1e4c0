"""The verdicts: what the results say about each claim."""

from experiments.experiment import Outcome, Verdict
from experiments.tradeoff.comparison import Comparison, at_budgets, compare
from experiments.tradeoff.models import RIDGE_C
from experiments.tradeoff.settings import (
    ALL,
    GROUP_LASSO,
    REFITTED,
    SHRINKNET,
    SHRINKNET_1,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)


def closer_exact(table):
    """The drafts' claim, for exact solutions; and compared with the refit, which is our own."""
    figures = [
        "Exact solvers, training loss (features) of ShrinkNet p = 2 to group lasso's: "
        + at_budgets(table, SHRINKNET, GROUP_LASSO)
    ]
    if SHRINKNET_1 in set(table["method"]):
        figures.append(f"With p = 1 {compare(table, SHRINKNET_1, GROUP_LASSO)}")
    lasso = _verdict(
        "ShrinkNet fits closer than group lasso at the same sparsity",
        "drafts 001 and 002, section 5.1",
        compare(table, SHRINKNET, GROUP_LASSO),
        figures,
    )
    refit = _verdict(
        "ShrinkNet fits closer than group lasso refitted on its support, at the same sparsity",
        "ours",
        compare(table, SHRINKNET, REFITTED),
        ["Training loss; the refit on all rows is without a penalty, ShrinkNet keeps its own"],
    )
    return lasso, refit


def closer_trained(table):
    """The drafts' claim, tested as they did."""
    return _verdict(
        "Trained by Adagrad, ShrinkNet fits closer than group lasso at the same sparsity",
        "drafts 001 and 002, section 5.1 and figure",
        compare(table, TRAINED_SHRINKNET, TRAINED_LASSO),
        [
            "Training loss (features) of ShrinkNet to group lasso's: "
            + at_budgets(table, TRAINED_SHRINKNET, TRAINED_LASSO),
            "Adagrad's ShrinkNet to the exact one: "
            + at_budgets(table, TRAINED_SHRINKNET, SHRINKNET),
        ],
    )


def better_held_out(table):
    """Our own claims, about held-out rows."""
    better = "At the same number of features ShrinkNet predicts held-out rows better than "
    ridge = [f"Classes are refitted with a ridge here, C = {RIDGE_C:g}"]
    claims = {
        GROUP_LASSO: (f"{better}group lasso", []),
        REFITTED: (f"{better}group lasso refitted on its support", ridge),
    }
    return [
        _verdict(
            claim,
            "ours",
            compare(table, SHRINKNET, other, held_out=True),
            [
                f"Held-out loss (features) of ShrinkNet p = 2 to that of {other}: "
                + at_budgets(table, SHRINKNET, other, held_out=True),
                *remarks,
            ],
        )
        for other, (claim, remarks) in claims.items()
    ]


def as_low_as_convex(table):
    """The drafts' claim that the lack of convexity does no harm in practice."""
    pairs = {"Adagrad": (TRAINED_SHRINKNET, TRAINED_LASSO), "exact": (SHRINKNET, GROUP_LASSO)}
    found = {way: [lowest(table, method) for method in pair] for way, pair in pairs.items()}
    holds = [
        ours["training_loss"] <= (1 + Comparison.TIE) * theirs["training_loss"]
        for ours, theirs in found.values()
    ]
    texts = [
        f"{way}: {_at(ours)} against {_at(theirs)}, of λ {_span(table, pairs[way][0])} against "
        + _span(table, pairs[way][1])
        for way, (ours, theirs) in found.items()
    ]
    return Verdict(
        "Though its objective is not convex, ShrinkNet reaches as low a loss as group lasso",
        "drafts 001 and 002, section 5.1",
        Outcome.of_cases(holds),
        f"its lowest loss is at most {Comparison.TIE:.0%} higher, both by Adagrad and exact",
        "so in one of these two ways",
        f"Lowest training loss of ShrinkNet against group lasso's, {'; '.join(texts)}. It "
        "depends on these ranges, as losses fall with λ where training succeeds, and it is about "
        "training loss alone.",
    )


def lowest(table, method):
    """The row with a method's lowest training loss, among its fits on all rows."""
    rows = table[(table["method"] == method) & (table["fold"] == ALL)]
    return rows.loc[rows["training_loss"].idxmin()]


def _at(row):
    return f"{row['training_loss']:.3g} ({row['n_features']:g} features, λ = {row['lambda']:.3g})"


def _span(table, method):
    strengths = table.loc[(table["method"] == method) & (table["fold"] == ALL), "lambda"]
    return f"{strengths.max():.3g} to {strengths.min():.3g}"


def _verdict(claim, source, comparison, figures):
    """What a `Comparison` says about the claim that the first method is better."""
    tie, fewest, times = Comparison.TIE, Comparison.FEWEST, Comparison.LEAST_RANGE
    return Verdict(
        claim,
        source,
        Outcome.of(comparison.throughout, comparison.mostly),
        "its loss is higher at none of the numbers of features that both reach, and lower at half "
        f"of them or more (beyond {tie:.0%} of the loss and, held out, beyond one standard error "
        f"over folds); there are at least {fewest}, the largest {times} times the smallest",
        "it is lower at half of them or more, and higher at fewer",
        f"{_capital(str(comparison))}. {'. '.join(figures)}.",
    )


def _capital(text):
    return text[:1].upper() + text[1:]
