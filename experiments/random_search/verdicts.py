"""The claims."""

import numpy as np

from experiments.experiment import Outcome, Verdict
from experiments.random_search.fronts import (
    COSTS,
    SHARES,
    Mean,
    affordable,
    ahead,
    mean_of,
    of_way,
    ratios,
    seeds_of,
    test_within,
    usual,
)
from experiments.random_search.settings import (
    NARROW,
    PATH,
    PATH_AGAIN,
    PRUNED,
    SWITCHES,
    SWITCHES_AGAIN,
)

# A point of accuracy counts as the same, and so does a tenth of a size.
SAME, SAME_SIZE = 0.01, np.log(1.1)
# "Hardly exceeds": at so many of the targets it does not.
HARDLY, AT_MOST = 0.9, 3
LEAST, MOST = 4, 40
# So many targets, beyond the smallest networks of both ways, make a range. "Very high accuracy" are
# targets within two hundredths of the highest.
ENOUGH, VERY_HIGH = 5, 0.98
# A ratio counts where so many seeds have one.
SEEDS = 2
# "Less": both multiply-adds and seconds of random search are so many times as large.
CHEAPER = 2

_NUMBER, _COST = "equal number of trainings", "equal cost"
_BOUND = "95 % bound of the mean over seeds"


def searches(table, seed):
    """ShrinkNet's networks, and static ones for as many trainings and for as much cost.

    The latter are None if no first static networks cost about as much.
    """
    shrunk, static = of_way(table, SWITCHES, seed), of_way(table, usual(table), seed)
    paid = affordable(static, shrunk["multiply_adds"].sum())
    return shrunk, {_NUMBER: static.iloc[: len(shrunk)], _COST: paid}


def _compared(table, compare):
    """For each way to be fair, the mean over seeds of what two sets of networks are compared by."""
    found: dict[str, list] = {_NUMBER: [], _COST: []}
    for seed in seeds_of(table):
        shrunk, others = searches(table, seed)
        for fair, static in others.items():
            found[fair].append(np.nan if static is None else compare(static, shrunk))
    return {fair: Mean.of(values) for fair, values in found.items()}


def _paid(table):
    """How many static networks the cost of ShrinkNet pays for, as a sentence."""
    found = [searches(table, seed) for seed in seeds_of(table)]
    costs = [shrunk["multiply_adds"].sum() for shrunk, _ in found]
    share = table.loc[table["way"] == usual(table), "multiply_adds"].sum() / sum(costs)
    done = f"all that were done cost {share:.0%} of ShrinkNet's multiply-adds."
    paid = [others[_COST] for _, others in found]
    if any(rows is None for rows in paid):
        return f"Static trainings of some seed do not come near ShrinkNet's cost: {done}"
    n = [len(rows) for rows in paid]
    shares = [rows["multiply_adds"].sum() / cost for rows, cost in zip(paid, costs, strict=True)]
    return (
        f"At equal cost there are {min(n)} to {max(n)} static trainings of each seed, for "
        f"{min(shares):.0%} to {max(shares):.0%} of the multiply-adds of ShrinkNet's "
        f"{len(found[0][0])}; {done}"
    )


def _best(rows):
    return test_within(rows, np.inf)


def as_accurate(table):
    """Verdict on the best accuracies."""
    found = _compared(table, lambda static, shrunk: _best(shrunk) - _best(static))
    texts = "; ".join(f"at {fair} {mean.points}" for fair, mean in found.items())
    return Verdict(
        "ShrinkNets find models that are as accurate as static networks",
        "draft 001, 4.2",
        Outcome.of(
            all(mean.low >= -SAME for mean in found.values()),
            all(mean.value >= -SAME for mean in found.values()),
        ),
        f"ShrinkNet's test accuracy minus that of static networks has a {_BOUND} of at least "
        f"−{100 * SAME:g} point, at equal number of trainings and at equal cost",
        "so has the mean itself",
        f"Of networks that are best on validation rows, ShrinkNet's minus static: {texts}. "
        f"{_paid(table)}",
    )


def smaller_or_equal(table):
    """Verdict on sizes at equal accuracy."""
    found = _compared(table, lambda static, shrunk: mean_of(np.log(ratios(static, shrunk))))
    texts = "; ".join(f"at {fair} {mean.times}" for fair, mean in found.items())
    return Verdict(
        "At equal accuracy ShrinkNets are smaller than static networks, or equal",
        "draft 001, 4.2, of all sizes of three layers and of scaled VGG",
        Outcome.of(
            all(mean.low >= -SAME_SIZE for mean in found.values()),
            all(mean.value >= -SAME_SIZE for mean in found.values()),
        ),
        f"the static size divided by ShrinkNet's, a geometric mean over targets, has a {_BOUND} of "
        "at least 1/1.1, at equal number of trainings and at equal cost",
        "so has the mean itself",
        f"Targets: {SHARES[0]:.0%} to 100 % of the best validation accuracy that both reach; the "
        f"smallest networks that reach a target. Sizes of static networks, divided by ShrinkNet's: "
        f"{texts}.",
    )


def ratio_curve(table, fair=_NUMBER):
    """Ratios of sizes: (n_seeds, n_targets)."""
    found = []
    for seed in seeds_of(table):
        shrunk, others = searches(table, seed)
        found.append(ratios(others[fair], shrunk))
    return np.array(found)


def geometric_mean(curves):
    """Over the seeds that have a ratio; nan where fewer than `SEEDS` have one."""
    enough = np.sum(~np.isnan(curves), axis=0) >= SEEDS
    return np.exp([mean_of(column) for column in np.where(enough, np.log(curves), np.nan).T])


def ratio_in_range(table):
    """Verdict on the ratio that the draft reports for this kind of network."""
    curve = geometric_mean(ratio_curve(table))
    known = ~np.isnan(curve)
    targets, curve = SHARES[known], curve[known]
    figures = "No target is beyond the smallest networks of both ways."
    if len(curve):
        figures = (
            f"At {len(curve)} targets that {SEEDS} seeds or more can judge, and equal number of "
            f"trainings, geometric means over seeds: "
            f"{curve.min():.2f} to {curve.max():.2f}, median {np.median(curve):.2f}; above 1 at "
            f"{np.mean(curve > 1):.0%}, above {AT_MOST} at {np.mean(curve > AT_MOST):.0%}, above "
            f"{LEAST} at {np.mean(curve > LEAST):.0%} of them."
        )
    judge = _perceptrons if (table["network"] == "perceptron").all() else _convolutions
    return judge(targets, curve, figures)


def _perceptrons(targets, curve, figures):
    below = curve[targets < VERY_HIGH]
    above, few = _share(curve > 1), _share(below <= AT_MOST)
    figures += (
        f" Below {VERY_HIGH:.0%} of the best accuracy it is at most {AT_MOST} at "
        f"{np.sum(below <= AT_MOST)} of {len(below)} targets."
    )
    possible = len(curve) >= ENOUGH and few >= HARDLY
    return Verdict(
        f"With fully connected layers the ratio of sizes is always above 1 and hardly "
        f"exceeds {AT_MOST}, except for very high accuracy",
        "draft 001, 4.3, of Covertype",
        Outcome.of(possible and above == 1, possible and above >= 0.5),
        f"it is above 1 at all of at least {ENOUGH} targets, and at most {AT_MOST} at {HARDLY:.0%} "
        f"of those below {VERY_HIGH:.0%} of the best accuracy",
        f"the same, but above 1 at half of at least {ENOUGH} targets",
        figures,
    )


def _convolutions(targets, curve, figures):
    within, possible = _share((curve >= LEAST) & (curve <= MOST)), len(curve) >= ENOUGH
    return Verdict(
        f"With convolutions the ratio of sizes is {LEAST} to {MOST} in the range of interest",
        "draft 001, 4.3, of CIFAR10",
        Outcome.of(possible and within == 1, possible and within >= 0.5),
        f"it is between {LEAST} and {MOST} at all of at least {ENOUGH} targets",
        f"at half of at least {ENOUGH} targets",
        figures,
    )


def _share(mask):
    return float(np.mean(mask)) if len(mask) else 0.0


def cheaper_front(table):
    """Our claim: one training is enough for a front."""
    static = usual(table)
    leads: dict[str, list] = {"all": [], "paid": []}
    factors: dict[str, list] = {cost: [] for cost in COSTS}
    for seed in seeds_of(table):
        path, others = of_way(table, PATH, seed), of_way(table, static, seed)
        paid = affordable(others, path["multiply_adds"].sum())
        leads["all"].append(ahead(path, others))
        leads["paid"].append(ahead(path, paid))
        for cost, values in factors.items():
            values.append(others[cost].sum() / path[cost].sum())
    (every, left_out), (equal, not_paid) = (_at_common_budgets(leads[of], path) for of in leads)
    times = {cost: float(np.mean(values)) for cost, values in factors.items()}
    cheap = min(times["multiply_adds"], times["seconds"]) >= CHEAPER
    n = len(of_way(table, static, seeds_of(table)[0]))
    return Verdict(
        "One annealed front has networks as accurate as random search of sizes, for less",
        "ours",
        Outcome.of(cheap and every.low >= -SAME, every.value >= -SAME or equal.low >= -SAME),
        f"at the front's budgets for which every seed has a static network, its test accuracy "
        f"minus that of the best static network at most as large has a {_BOUND} of at least "
        f"−{100 * SAME:g} point, and all static networks took at least {CHEAPER} times its "
        "multiply-adds and its seconds",
        "the mean is, or the bound with static networks for the multiply-adds of the front, at the "
        "budgets for which every seed has one of these",
        f"The front, one training, minus the best of {n} static ones ({static}), which took "
        f"{times['multiply_adds']:.1f} times its multiply-adds, {times['parameter_updates']:.1f} "
        f"times its updates and {times['seconds']:.1f} times its seconds: {every.points}"
        f"{left_out}; minus the best of those for equal multiply-adds: {equal.points}{not_paid}.",
    )


def _at_common_budgets(leads, path):
    """The `Mean` of leads at the budgets that all seeds can compare, and which these leave out.

    Parameters
    ----------
    leads : list of ndarray, one for each seed
        A number for each network of the front, nan where there is none to compare it with.
    path : DataFrame
        The front of a seed.
    """
    leads = np.array(leads)
    common = ~np.isnan(leads).any(axis=0)
    names = [f"{budget:g}" for budget in path["budget"][~common]]
    without = f", without the budgets {', '.join(names)}, for which some seed has none"
    return Mean.of([mean_of(of[common]) for of in leads]), without if names and common.any() else ""


def _difference(table, way, other):
    """Test accuracies of two ways whose networks belong together, pair by pair."""
    found = []
    for seed in seeds_of(table):
        both = (of_way(table, each, seed).set_index("draw")["test"] for each in (way, other))
        one, two = both
        found.append((one - two).mean())
    return Mean.of(found)


def from_scratch(table):
    """Our claim: are the sizes enough?"""
    pairs = {SWITCHES: SWITCHES_AGAIN, PATH: PATH_AGAIN}
    found = {way: _difference(table, again, way) for way, again in pairs.items()}
    sizes = _difference(table, PATH_AGAIN, NARROW)
    texts = "; ".join(f"{way} {mean.points}" for way, mean in found.items())
    return Verdict(
        "The sizes that are found, trained from scratch, give networks as accurate",
        "ours",
        Outcome.of_cases([mean.low >= -SAME for mean in found.values()]),
        f"both for ShrinkNet and for the front, test accuracies from scratch minus those of the "
        f"networks found have a {_BOUND} of at least −{100 * SAME:g} point",
        "for one of them",
        f"From scratch minus found: {texts}. What sizes alone do: the front's sizes from scratch "
        f"minus networks narrower by one factor, for the same numbers of parameters, "
        f"{sizes.points}.",
    )


def while_training(table):
    """The drafts' conjecture about removal during training."""
    found = _difference(table, PATH, PRUNED)
    costs = table[table["way"].isin([PATH, PRUNED])].groupby("way")[list(COSTS)].sum()
    times = costs.loc[PRUNED] / costs.loc[PATH]
    return Verdict(
        "Pruning while training gives better small networks than pruning a trained network once",
        "draft 001, 6, of ShrinkNets; here of the annealed front",
        Outcome.of(found.low > 0, found.value > 0),
        f"at the front's budgets, its test accuracies minus those of the network that is pruned at "
        f"the end and trained on have a {_BOUND} above 0",
        "so is the mean itself",
        f"The front minus pruned at the end: {found.points}. Pruning at the end took "
        f"{times['multiply_adds']:.1f} times its multiply-adds and {times['seconds']:.1f} times "
        "its seconds.",
    )
