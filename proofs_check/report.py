"""The results of the searches: a table, JSON, a page of HTML, a page of Markdown.

A `Report` pairs every claim with its outcome; all four are made from it alone. matplotlib
draws formulas and pictures. The HTML page contains them, so it needs no other file and no
network.
"""

import base64
import html
import io
import json
import re
from dataclasses import asdict, dataclass

from proofs_check import pictures
from proofs_check.claim import Claim, Outcome

COMMAND = "python -m proofs_check"

_INTRODUCTION = (
    "Every statement of the drafts' appendix, as printed and as corrected, was put to a search "
    "for counterexamples: instances are drawn at random, edge cases among them, and a failing "
    "one is shrunk to the smallest that can be found. The rule: a statement is refuted if the "
    "search finds a counterexample, and holds if it finds none in as many instances as were asked "
    "for (200, unless --examples says otherwise). A statement that is refuted is false, as the "
    "counterexample shows, in exact numbers wherever algebra decides. One that holds is not "
    "proved by that; but each check is tested on deliberately false statements, which it refutes. "
    "Statements B.1 to B.7 are not in the drafts: shrinklin rests on them, or they look right and "
    "are not."
)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto;
  padding: 0 1rem; color: #222; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid #ddd; }
.holds { color: #1a7f37; } .refuted { color: #cf222e; } .verdict { font-weight: 600; }
.claim { margin: 1.5rem 0; } .formula { display: block; margin: .5rem 0; max-width: 100%; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; }
figcaption, .source { color: #666; font-size: .9rem; }
.wide { overflow-x: auto; }
"""


@dataclass(frozen=True)
class Report:
    """Claims with their outcomes.

    Attributes
    ----------
    results : list of (Claim, Outcome)
    examples, seed : int
        Of the searches.
    """

    results: list[tuple[Claim, Outcome]]
    examples: int
    seed: int

    @property
    def contradicted(self):
        """Names of the corrected statements for which a counterexample was found."""
        return [
            claim.name for claim, outcome in self.results if claim.corrected and outcome.refuted
        ]

    def statements(self):
        """{"A.1": its results, ...} in order."""
        groups: dict[str, list] = {}
        for claim, outcome in self.results:
            groups.setdefault(claim.name.split()[0].rstrip(":"), []).append((claim, outcome))
        return groups


def print_table(report):
    """Print one row per claim."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=True)
    for column in ("statement", "domain", "verdict", "examples"):
        table.add_column(column, overflow="fold")
    table.add_column("smallest counterexample", overflow="fold", min_width=20)
    table.add_column("time", no_wrap=True)
    for claim, outcome in report.results:
        color = "red" if outcome.refuted else "green"
        table.add_row(
            f"[bold]{_plain(claim.name)}[/bold]",
            _plain(claim.domain),
            f"[{color}]{outcome.verdict}[/{color}]",
            str(outcome.n_examples),
            _plain(_counterexample(outcome)),
            f"{outcome.seconds:.1f} s",
        )
    console = Console()
    # Output into a pipe has no width, and narrower columns are unreadable.
    console.width = max(console.width, 100)
    console.print(table)


def _plain(text):
    from rich.markup import escape

    return escape(text)


def _counterexample(outcome):
    return f"{outcome.instance}: {outcome.violation}" if outcome.refuted else ""


def as_json(report):
    """The report as JSON text."""
    claims = [
        {
            "name": claim.name,
            "formula": list(claim.formula),
            "says": claim.says,
            "source": claim.source,
            "domain": claim.domain,
            "corrected": claim.corrected,
            "verdict": outcome.verdict,
            **asdict(outcome),
        }
        for claim, outcome in report.results
    ]
    content = {"examples": report.examples, "seed": report.seed, "claims": claims}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_html(report):
    """The report as one page that needs no other file."""
    sections = [_section(name, results) for name, results in report.statements().items()]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the paper proves, and what is true</title><style>{_STYLE}</style></head><body>
<h1>What the paper proves, and what is true</h1>
<p>{html.escape(_INTRODUCTION)}</p>
<p class="source">{report.examples} examples a statement, seed {report.seed}
(<code>{COMMAND} --examples {report.examples} --seed {report.seed}</code>).</p>
<div class="wide"><table><tr><th>Statement</th><th>Verdict</th><th>Examples</th><th>Time</th></tr>
{"".join(_row(claim, outcome) for claim, outcome in report.results)}</table></div>
{"".join(sections)}
</body></html>
"""


def _row(claim, outcome):
    return (
        f'<tr><td><a href="#{_anchor(claim)}">{html.escape(claim.name)}</a></td>'
        f"<td>{_verdict(outcome)}</td><td>{outcome.n_examples}</td>"
        f"<td>{outcome.seconds:.1f} s</td></tr>\n"
    )


def _verdict(outcome):
    return f'<span class="verdict {outcome.verdict}">{outcome.verdict}</span>'


def _anchor(claim):
    return "".join(c if c.isalnum() else "-" for c in claim.name.lower())


def _section(name, results):
    drawn = "".join(
        f'<figure><img alt="{html.escape(picture.caption)}" src="data:image/png;base64,'
        f'{_encoded(picture.png())}"><figcaption>{html.escape(picture.caption)}</figcaption>'
        "</figure>"
        for picture in pictures.of(name)
    )
    claims = "".join(_claim(claim, outcome) for claim, outcome in results)
    return f"<h2>{html.escape(name)}</h2>{claims}{drawn}"


def _claim(claim, outcome):
    formulas = "".join(
        f'<img class="formula" alt="{html.escape(line)}" '
        f'src="data:image/svg+xml;base64,{_encoded(formula_svg(line))}">'
        for line in claim.formula
    )
    found = ""
    if outcome.refuted:
        found = (
            f"<p>Counterexample: <b>{html.escape(outcome.instance)}</b>.<br>"
            f"{html.escape(outcome.violation)}.</p>"
        )
    return (
        f'<div class="claim" id="{_anchor(claim)}"><h3>{html.escape(claim.name)} — '
        f"{_verdict(outcome)}</h3>{formulas}<p>{html.escape(claim.says)} "
        f'<span class="source">({html.escape(claim.domain)}; {html.escape(claim.source)}.)</span>'
        f"</p>{found}</div>"
    )


def _encoded(data):
    return base64.b64encode(data).decode()


def formula_svg(line):
    """A line of mathematics as an SVG picture, in bytes."""
    from matplotlib import font_manager, mathtext, rc_context

    buffer, font = io.BytesIO(), font_manager.FontProperties(size=13)
    # The same bytes every time: identifiers depend on the content, and there is no date.
    with rc_context({"svg.hashsalt": "proofs_check"}):
        mathtext.math_to_image(f"${line}$", buffer, prop=font, dpi=110, format="svg")
    return re.sub(rb"<dc:date>.*?</dc:date>", b"", buffer.getvalue())


def as_markdown(report, images="images"):
    """The report as a page of documentation; pictures stand in the folder `images`.

    It contains neither times nor numbers of examples, as these depend on the machine.
    """
    lines = [
        "# What the paper proves, and what is true",
        "",
        f"*Made by `{COMMAND} --markdown docs/propositions.md` (seed {report.seed}); do not edit.*",
        "",
        _INTRODUCTION,
        "",
        "| statement | domain | verdict |",
        "|---|---|---|",
    ]
    lines += [f"| {c.name} | {_cell(c.domain)} | {o.verdict} |" for c, o in report.results]
    for name, results in report.statements().items():
        lines += ["", f"## {name}"]
        for claim, outcome in results:
            lines += _markdown_claim(claim, outcome)
        for picture in pictures.of(name):
            lines += ["", f"![{picture.caption}]({images}/{picture.file})", "", picture.caption]
    return "\n".join(lines) + "\n"


def _cell(text):
    return text.replace("|", "\\|")


def _markdown_claim(claim, outcome):
    lines = ["", f"### {claim.name}: {outcome.verdict}", ""]
    for line in claim.formula:
        lines += ["$$", line, "$$", ""]
    lines.append(f"{claim.says} ({claim.domain}; {claim.source}.)")
    if outcome.refuted:
        lines += ["", f"Counterexample: `{outcome.instance}`: {outcome.violation}."]
    return lines
