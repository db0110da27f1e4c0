"""Ratios of the smallest networks at target accuracies, as a table."""

import pandas as pd

from experiments.authors_runs.fronts import ALL_PARAMETERS, PLAIN, ratios, targets
from experiments.authors_runs.runs import SECONDS
from experiments.authors_runs.sizes import COVERTYPE


def ratios_of(table, task):
    """One row per target of whole points: the ratio of sizes with its band, and other ratios."""
    at = [target for target in targets(table, task) if round(1000 * target) % 10 == 0]
    sizes = ratios(table, task, at=at)
    others = {
        "all parameters": ratios(table, task, ALL_PARAMETERS, at=at),
        "multiply-adds": ratios(table, task, value="multiply_adds", at=at),
        **{name.replace("_", " "): ratios(table, task, value=name, at=at) for name in SECONDS},
    }
    return pd.DataFrame(
        {
            "size": [one.ratio for one in sizes],
            "from": [one.draws.band[0] for one in sizes],
            "to": [one.draws.band[1] for one in sizes],
            "without one": [one.without for one in sizes],
            "plain": _plain(table, task, at),
            **{name: [one.ratio for one in found] for name, found in others.items()},
            "ShrinkNets": [one.n_reach[1] for one in sizes],
            "static": [one.n_reach[0] for one in sizes],
        },
        index=pd.Index([round(100 * target) for target in at], name="target %"),
    )


def _plain(table, task, at):
    """Ratios without networks that have dropout or batch normalisation, for COVERTYPE."""
    reached = targets(table, task, PLAIN) if task == COVERTYPE else []
    found = ratios(table, task, PLAIN, at=[target for target in at if target in reached])
    known = {one.target: one.ratio for one in found}
    return [known.get(target, float("nan")) for target in at]
