"""Test every statement of the drafts, and say what came of it."""

import argparse
import sys
from pathlib import Path

from proofs_check.claim import search
from proofs_check.pictures import PICTURES
from proofs_check.report import COMMAND, Report, as_html, as_json, as_markdown, print_table
from proofs_check.statements import STATEMENTS


def main(arguments=None):
    """Run from the command line; returns the exit code.

    It is 1 if a corrected statement was refuted, and 2 if the arguments are invalid.
    """
    command = parser()
    options = command.parse_args(arguments)
    if options.only is not None and options.markdown is not None:
        command.error("--markdown writes the page of all statements: leave --only out.")
    claims = chosen(command, options.only)
    report = run(claims, options.examples, options.seed, quiet=options.quiet)
    # Files first, as printing may fail, for example into a closed pipe.
    if options.json:
        options.json.write_text(as_json(report), encoding="utf-8")
    if options.html:
        options.html.write_text(as_html(report), encoding="utf-8")
    if options.markdown:
        write_markdown(options.markdown, report)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    print_table(report)
    for name in report.contradicted:
        print(f"{name} is held to be true, and was refuted.", file=sys.stderr)
    return 1 if report.contradicted else 0


def parser():
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument(
        "--examples", type=positive, default=200, help="instances a statement (200)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random instances (0)")
    parser.add_argument("--only", metavar="NAME", help='statements that begin so, as "A.2"')
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the results here")
    parser.add_argument("--html", type=writable, metavar="FILE", help="write a page to read here")
    parser.add_argument(
        "--markdown", type=writable, metavar="FILE", help="write the page of the documentation here"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    return parser


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number >= 1")
    return value


def writable(text):
    """A file that can be written; checked before anything is run."""
    file = Path(text)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from error
    return file


def chosen(command, only):
    """The claims whose names begin with `only`."""
    claims = [claim for claim in STATEMENTS if only is None or claim.name.startswith(only)]
    if not claims:
        names = ", ".join(claim.name for claim in STATEMENTS)
        command.error(f"--only {only!r}: no statement begins so. There are {names}.")
    return claims


def run(claims, examples, seed, quiet=False):
    """Search for counterexamples to all claims; returns a `Report`."""
    from threadpoolctl import threadpool_limits
    from tqdm.auto import tqdm

    results = []
    # The matrices are tiny: more threads would only be slower.
    with (
        threadpool_limits(1),
        tqdm(total=len(claims) * examples, unit="example", disable=quiet) as bar,
    ):
        for number, claim in enumerate(claims, 1):
            bar.set_description(claim.name)
            results.append((claim, search(claim, examples, seed, bar.update)))
            # A search may try more examples (shrinking) or fewer (an early counterexample).
            bar.n = number * examples
            bar.refresh()
    return Report(results, examples, seed)


def write_markdown(file, report):
    file.write_text(as_markdown(report), encoding="utf-8")
    images = file.parent / "images"
    images.mkdir(exist_ok=True)
    for picture in PICTURES:
        (images / picture.file).write_bytes(picture.png())
