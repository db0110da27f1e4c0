"""The table of claims in experiments.md: `python -m docs.claims` writes it anew.

It follows from the results of the full runs, docs/experiments/*.csv.
"""

import json
from pathlib import Path

from experiments import catalogue
from experiments.experiment import Outcome
from experiments.results import read_table
from experiments.run import Finished

DOCS = Path(__file__).parent
PAGE = DOCS / "experiments.md"
START, END = "<!-- Written by `python -m docs.claims`. -->", "<!-- To here. -->"
PARTS = {"Linear models": catalogue.LINEAR, "Networks": catalogue.NETWORKS}


def finished(file):
    """The run of a CSV file."""
    settings = json.loads(file.with_suffix(".json").read_text())
    experiment, dataset = catalogue.EXPERIMENTS[settings["experiment"]], settings["dataset"]
    return Finished(experiment, dataset, settings["quick"], read_table(file), [file])


def results():
    """All full runs, in the order of the files' names."""
    return [finished(file) for file in sorted((DOCS / "experiments").glob("*.csv"))]


def found(runs, experiments):
    """Claims with their sources, and the data and pages of each outcome."""
    claims = {}
    for experiment in experiments:
        for run in (run for run in runs if run.experiment is experiment):
            page = f"[{run.dataset}](experiments/{run.files[0].stem}.md)"
            for verdict in run.verdicts:
                of_claim = claims.setdefault((verdict.claim, verdict.source), {})
                of_claim.setdefault(verdict.outcome, []).append(page)
    return claims


def table(runs):
    """The table as text: a row for each claim, and a column for each outcome."""
    lines = []
    for part, experiments in PARTS.items():
        claims = found(runs, experiments)
        if not claims:
            continue
        lines += [f"## {part}", ""]
        lines += [f"| claim | where it is made | {' | '.join(o.value for o in Outcome)} |"]
        lines += ["|" + "---|" * (2 + len(Outcome))]
        for (claim, source), outcomes in claims.items():
            cells = (", ".join(outcomes.get(outcome, [])) for outcome in Outcome)
            lines.append(f"| {claim} | {source} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def renewed(page, runs):
    """The text of the page with the table of these runs."""
    before, rest = page.split(START)
    return f"{before}{START}\n\n{table(runs)}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(), results()))
