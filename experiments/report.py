"""The report of a run: in the terminal, and as a page."""

COMMAND = "python -m experiments"


def as_text(done):
    """The table of a run."""
    lines = [done.summary.to_string(float_format="{:.4g}".format, na_rep="")]
    n_warned = int(done.table["warning"].notna().sum())
    if n_warned:
        lines.append(
            f"\n{n_warned} of {len(done.table)} cells warned; the column `warning` says of what."
        )
    return "\n".join(lines)


def as_markdown(done):
    """A page with the command, the verdicts, the figure and the table."""
    name = done.files[0].stem
    verdicts = [
        f"- **{v.outcome.value}**: {v.claim} ({v.source}). {v.figures}\n  *{v.rule}*"
        for v in done.verdicts
    ]
    experiment, dataset = done.experiment.name, done.dataset
    command = f"{COMMAND} {experiment} --dataset {dataset}"
    parts = [
        f"# {experiment}" if experiment == dataset else f"# {experiment} on {dataset}",
        f"{done.experiment.about}. Made by `{command}{' --quick' if done.quick else ''}` from "
        f"[{name}.csv]({name}.csv), which it writes; do not edit.",
        "\n".join(verdicts),
        f"![{done.experiment.about}]({name}.png)",
        f"```text\n{as_text(done)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def claims_table(finished):
    """One row per claim and run, as a pandas DataFrame."""
    import pandas as pd

    return pd.DataFrame(
        [
            (v.claim, v.source, done.dataset, v.outcome.value, v.rule, v.figures)
            for done in finished
            for v in done.verdicts
        ],
        columns=["claim", "source", "data", "verdict", "rule", "figures"],
    )


def print_run(done):
    print(f"\n{done.experiment.about} ({done.dataset})\n\n{as_text(done)}\n")
    print("Written: " + ", ".join(str(file) for file in done.files), flush=True)


def print_claims(claims):
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=True, expand=True)
    shares = {"claim": 2, "source": 2, "rule": 3, "figures": 4}
    for name in claims:
        # The other columns are as wide as their words.
        table.add_column(name, ratio=shares.get(name), overflow="fold")
    for row in claims.itertuples(index=False):
        table.add_row(*row)
    # Narrow output, as into a file, would make sentences unreadable.
    console = Console()
    console.width = max(console.width, 160)
    console.print(table)
