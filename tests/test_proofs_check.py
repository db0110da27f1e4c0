"""The propositions: true ones survive the search, false ones do not, and no check is blind."""

import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from matplotlib import image

from proofs_check import command, pictures
from proofs_check.a2_not_convex import convex_iff_zero
from proofs_check.a4_many_minima.printed_count import Separate, n_minimisers, penalty_and_signal
from proofs_check.b6_deep import removal
from proofs_check.claim import Claim, Mutant, Outcome, exact, search, survives
from proofs_check.report import Report, as_html, as_json, as_markdown, formula_svg
from proofs_check.statements import STATEMENTS

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
EXAMPLES = 40

every_claim = pytest.mark.parametrize("claim", STATEMENTS, ids=lambda claim: claim.name)
every_mutant = pytest.mark.parametrize(
    ("claim", "mutant"),
    [
        pytest.param(claim, mutant, id=f"{claim.name}: {mutant.name}")
        for claim in STATEMENTS
        for mutant in claim.mutants
    ],
)


@pytest.fixture(scope="module")
def outcomes():
    return {claim.name: search(claim, EXAMPLES) for claim in STATEMENTS}


@pytest.fixture(scope="module")
def report(outcomes):
    return Report([(claim, outcomes[claim.name]) for claim in STATEMENTS], EXAMPLES, 0)


# --- the statements


@every_claim
def test_corrected_statements_hold_and_printed_slips_are_found(claim, outcomes):
    outcome = outcomes[claim.name]
    assert outcome.refuted != claim.corrected, outcome
    if outcome.refuted:
        assert outcome.instance
        assert outcome.violation
        assert outcome.n_examples >= 1
    else:
        assert outcome.n_examples >= min(EXAMPLES, 10)


# What a false statement lacks: with it, it is true.
CONDITIONS = {
    "A.1 as printed": lambda problem: problem.lam >= 0,
    "A.1 printed proof: zero columns": lambda weights: all(map(any, weights.columns)),
    "A.2 as printed": lambda data: any(map(any, data.X)),
    "A.2 printed proof: witness": lambda scalar: scalar.x > 2,
    "A.3 as printed": lambda candidate: candidate.problem.correlated(),
    "A.3 printed proof": lambda candidate: any(candidate.beta),
    "A.4 as printed: existence": lambda neuron: neuron.activation != "tanh" or abs(neuron.y) < 1,
    "B.6 one branch": lambda network: removes_as_many(network, removal.ONE_OF_BOTH),
    "B.6 beside zero padding": lambda network: removes_as_many(network, removal.ANY_CONSTANT),
    "B.6 two modes": lambda unit: unit.gamma * unit.mean == 0,
    "B.7 group lasso with decay of rows": lambda given: given.s == 0,
    "B.7 decay on one side": lambda unit: not (any(unit.a) and unit.theta and any(unit.c)),
    "B.7 any activation": lambda unit: unit.activation != "tanh",
    "B.7 unit by unit": lambda network: network.depth == 2,
}


def removes_as_many(network, rules):
    """Whether no unit is removed that has to stay."""
    return removal.without_units(network, rules)[1] == removal.without_units(network)[1]


def test_every_false_statement_of_ours_has_its_condition():
    false = [claim.name for claim in STATEMENTS if not claim.corrected]
    assert {name for name in false if name.startswith("B.")} <= set(CONDITIONS)


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_missing_condition_turns_the_verdict(name):
    claim = next(claim for claim in STATEMENTS if claim.name == name)
    assert search(claim, 200).refuted
    true = dataclasses.replace(claim, instances=claim.instances.filter(CONDITIONS[name]))
    outcome = search(true, 100)
    assert not outcome.refuted, outcome
    assert outcome.n_examples >= 50


@pytest.mark.parametrize("p", [1, 2])
def test_the_threshold_of_a4_is_where_zero_stops_being_the_minimum(p):
    # By a fine grid over w, the split of w = βa at its best also on a grid.
    rng = np.random.default_rng(0)
    w, log_beta = np.geomspace(1e-3, 10, 800), np.linspace(-8, 8, 801)
    counted = {1: 0, 2: 0}
    for _ in range(60):
        s, c, lam, lam2 = (float(v) for v in rng.uniform(0.2, 3, 4))
        split = lam * np.exp(log_beta) + lam2 * (w[:, None] / np.exp(log_beta)) ** p
        least = (s * w**2 - 2 * c * w + split.min(axis=1)).min()
        column = Separate((((1,), (1,)),), lam, lam2, p)
        penalty, signal = penalty_and_signal(column, (s**0.5,), (c / s**0.5,))
        if abs(penalty / signal - 1) < 0.02:
            continue
        n = n_minimisers(penalty, signal)
        assert n == (1 if least > 0 else 2)
        counted[n] += 1
    assert min(counted.values()) > 5


def test_formulas_are_the_same_bytes_every_time():
    assert formula_svg(r"\lambda") == formula_svg(r"\lambda")


@every_mutant
def test_every_mutant_is_refuted(claim, mutant):
    assert not survives(claim, mutant)


def test_every_statement_of_the_drafts_is_there_printed_and_corrected():
    names = [claim.name for claim in STATEMENTS]
    assert len(set(names)) == len(names)
    for statement in ("A.1", "A.2", "A.3", "A.4"):
        assert any(n.startswith(f"{statement} as printed") for n in names)
        assert any(n.startswith(f"{statement} corrected") for n in names)
    for statement in ("B.1", "B.2", "B.3", "B.4", "B.5", "B.6", "B.7"):
        assert statement in names
    assert all(claim.mutants for claim in STATEMENTS if claim.corrected)


def test_a_true_statement_in_place_of_a_printed_one_turns_the_verdict():
    printed = next(claim for claim in STATEMENTS if claim.name == "A.2 as printed")
    assert search(printed, EXAMPLES).refuted
    assert not search(dataclasses.replace(printed, violation=convex_iff_zero), EXAMPLES).refuted


# --- the search


def below(bound):
    return lambda n: None if n < bound else f"{n} is not below {bound}"


SMALL = Claim("n", (r"n < 50",), "n is small.", "here", "n >= 0", st.integers(0), below(50))


def test_the_smallest_counterexample_is_found():
    outcome = search(SMALL, 200)
    assert (outcome.refuted, outcome.instance) == (True, "50")
    assert outcome.violation == "50 is not below 50"
    assert outcome.verdict == "refuted"


def test_what_holds_is_tried_as_often_as_asked():
    seen = []
    outcome = search(dataclasses.replace(SMALL, violation=lambda n: seen.append(n)), 70)
    assert not outcome.refuted
    assert outcome.n_examples == len(seen) == 70
    assert (outcome.instance, outcome.verdict) == (None, "holds")


def test_the_seed_decides():
    def drawn(seed):
        seen = []
        search(dataclasses.replace(SMALL, violation=lambda n: seen.append(n)), 30, seed)
        return seen

    assert drawn(1) == drawn(1) != drawn(2)


def test_every_instance_is_reported():
    calls = []
    outcome = search(SMALL, 100, report=lambda: calls.append(1))
    assert len(calls) == outcome.n_examples


def test_a_mutant_that_is_right_survives():
    assert survives(SMALL, Mutant("true", below(10**100), st.integers(0, 9)))
    assert not survives(SMALL, Mutant("false", below(1)))


def test_numbers_are_shown_exactly():
    from fractions import Fraction

    assert exact([Fraction(1, 3), (2, Fraction(4, 2))]) == "[1/3, [2, 2]]"
    assert exact(0.5) == "0.5"


# --- the command


@pytest.fixture
def small(monkeypatch):
    claims = (
        dataclasses.replace(SMALL, name="A.2 as printed", corrected=False, formula=(r"a < b",)),
        dataclasses.replace(SMALL, name="B.1", violation=lambda n: None, says="<n & m> is n."),
    )
    monkeypatch.setattr(command, "STATEMENTS", claims)
    return claims


def test_the_exit_code_tells_of_corrected_statements_alone(small, monkeypatch, capsys):
    assert command.main(["--examples", "5", "--quiet"]) == 0
    false = dataclasses.replace(small[1], violation=below(0))
    monkeypatch.setattr(command, "STATEMENTS", (small[0], false))
    assert command.main(["--examples", "5", "--quiet"]) == 1
    assert "B.1 is held to be true, and was refuted" in capsys.readouterr().err


def test_the_table_has_a_row_a_claim(small, capsys):
    command.main(["--examples", "200", "--quiet"])
    out = capsys.readouterr().out
    for part in ("A.2 as", "B.1", "refuted", "holds", "n >= 0", "200"):
        assert part in out
    assert "50 is not below" in re.sub(r"\s+|│", " ", out).replace("  ", " ")


def test_only_chooses(small, capsys):
    command.main(["--only", "B", "--examples", "3", "--quiet"])
    out = capsys.readouterr().out
    assert "B.1" in out
    assert "A.2" not in out
    refuse(["--only", "C"], "--only 'C': no statement begins so. There are A.2 as printed", capsys)


def test_a_progress_bar_names_the_claim(small, capsys):
    command.main(["--examples", "3"])
    assert "B.1" in capsys.readouterr().err


def refuse(arguments, message, capsys):
    """Not the exit code of a refutation, and before anything is run."""
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_done_is_refused_at_once(small, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "run", None)
    refuse(["--examples", "0"], "0: give a whole number >= 1", capsys)
    refuse(["--html", str(tmp_path)], "cannot be written", capsys)
    (tmp_path / "file").write_text("")
    refuse(["--json", str(tmp_path / "file" / "x.json")], "cannot be written", capsys)
    page = str(tmp_path / "page.md")
    refuse(["--only", "B", "--markdown", page], "leave --only out", capsys)


def test_files_are_written_even_where_the_table_cannot_be_printed(tmp_path):
    file = tmp_path / "a.json"
    result = subprocess.run(
        [sys.executable, "-m", "proofs_check", "--only", "A.2", "--examples", "5", "--json", file],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(file.read_text(encoding="utf-8"))["claims"]


def test_reports_are_written(small, tmp_path):
    files = {kind: tmp_path / "new" / f"report.{kind}" for kind in ("json", "html", "markdown")}
    arguments = [part for kind, file in files.items() for part in (f"--{kind}", str(file))]
    assert command.main(["--examples", "100", "--seed", "3", "--quiet", *arguments]) == 0
    content = json.loads(files["json"].read_text(encoding="utf-8"))
    assert (content["examples"], content["seed"]) == (100, 3)
    assert [claim["verdict"] for claim in content["claims"]] == ["refuted", "holds"]
    assert content["claims"][0]["instance"] == "50"
    assert "&lt;n &amp; m&gt;" in files["html"].read_text(encoding="utf-8")
    assert (files["markdown"].parent / "images" / "proofs_a2.png").stat().st_size > 5000


def test_it_runs_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "proofs_check", "--only", "A.2", "--examples", "20"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "A.2 corrected" in result.stdout


# --- the pages


def test_the_page_stands_alone_and_says_everything(report):
    page = as_html(report)
    for claim, outcome in report.results:
        assert claim.name in page
        assert f'class="verdict {outcome.verdict}"' in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) > 2 * len(STATEMENTS)
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    anchors = {source[1:] for source in sources if source.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]*)"', page))
    assert page.count("data:image/png") == len(pictures.PICTURES)


@every_claim
def test_every_formula_is_drawn(claim):
    assert claim.formula
    for line in claim.formula:
        assert b"<svg" in formula_svg(line)


def test_json_is_complete(report):
    content = json.loads(as_json(report))
    assert [claim["name"] for claim in content["claims"]] == [c.name for c in STATEMENTS]
    for claim in content["claims"]:
        assert claim["refuted"] == (claim["instance"] is not None)


def test_the_page_of_the_documentation_is_up_to_date(report):
    page = (ROOT / "docs" / "propositions.md").read_text(encoding="utf-8")

    # Counterexamples may shrink further in a longer run; all else is the same.
    def without_counterexamples(text):
        return re.sub(r"(?m)^Counterexample: .*$", "Counterexample", text)

    assert without_counterexamples(as_markdown(report)) == without_counterexamples(page)
    for picture in pictures.PICTURES:
        assert (ROOT / "docs" / "images" / picture.file).exists()


# --- pictures


@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.statement)
def test_pictures_are_drawn(picture):
    pixels = image.imread(io.BytesIO(picture.png()), format="png")
    assert min(pixels.shape[:2]) > 300
    assert pixels[..., :3].std() > 0.05


def test_the_picture_of_the_infimum_falls_and_never_arrives():
    (line,) = pictures.infimum().axes[0].get_lines()
    values = line.get_ydata()
    assert (np.diff(values) < 0).all()
    assert values[-1] > 0
    assert values[-1] < 1e-3 * values[0]


def test_the_picture_of_the_minima_has_four_of_the_same_value():
    from proofs_check.a4_many_minima.surface import EXAMPLE, surface

    marks = [line.get_xydata()[0] for line in pictures.minima().axes[0].get_lines()]
    signs = {tuple(np.sign(mark)) for mark in marks}
    assert len(signs) == len(marks) == 4
    line = pictures.SWITCHES
    values = surface(EXAMPLE, line)
    at = [values[np.argmin(abs(line - y)), np.argmin(abs(line - x))] for x, y in marks]
    np.testing.assert_allclose(at, at[0], rtol=1e-9)
    # Minima, not points of the border or of the axes.
    assert min(abs(np.concatenate(marks))) > 0
    assert max(abs(np.concatenate(marks))) < line[-1]
    assert at[0] < min(values[len(line) // 2].min(), values[:, len(line) // 2].min())


def test_a_report_names_what_contradicts_it():
    found = Outcome(True, 3, "n = 1", "it is 1", 0.0)
    report = Report([(dataclasses.replace(SMALL, name="B.9"), found)], 5, 0)
    assert report.contradicted == ["B.9"]


@pytest.mark.parametrize(
    "claim", [c for c in STATEMENTS if not c.corrected], ids=lambda claim: claim.name
)
def test_a_check_of_a_false_statement_does_not_always_say_no(claim):
    # The printed values of A.2 are wrong at every rational x: of nothing else may that be said.
    everywhere = claim.name in ("A.2 printed proof: values", "A.2 printed proof: middle")
    unfounded = dataclasses.replace(
        claim,
        violation=lambda instance: "holds here" if claim.violation(instance) is None else None,
    )
    assert search(unfounded, 200).refuted != everywhere
