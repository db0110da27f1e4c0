"""What is said to install is what is needed, and pip can install it: no registry has shrinklin."""

import ast
import configparser
import importlib
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import experiments.__main__
import proofs_check.__main__
from shrinklin.messages import imported
from test_architecture import FOLDERS, OURS, Imports, called, nodes

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?")
# What needs ray is not tested, and no extra has it.
NO_EXTRA = {"ray"}


def parsed(requirement):
    """The package of a requirement, and its extras."""
    name, extras = REQUIREMENT.match(requirement).groups()
    return name, set((extras or "").split(",")) - {""}


EXTRAS = {
    extra: dict(parsed(line) for line in lines.split("\n") if line)
    for extra, lines in CONFIG["options.extras_require"].items()
}
ALWAYS = {parsed(line)[0] for line in CONFIG["options"]["install_requires"].split("\n") if line}


def calls(source):
    """Module, extra and package of each call of `imported` whose module stands there."""
    for node in nodes(source, ast.Call):
        if getattr(node.func, "id", None) == "imported":
            given = [getattr(value, "value", None) for value in node.args]
            if len(given) > 1 and isinstance(node.args[1], ast.Starred):
                given = [given[0], *starred(source, node.args[1].value.id)]
            name, _, extra, package = [*given, *[None] * 3][:4]
            if name is not None:
                yield name, extra, package or name.split(".")[0]


def starred(source, name):
    """The values of a tuple of that name."""
    for node in nodes(source, ast.Assign):
        if getattr(node.targets[0], "id", None) == name:
            return [value.value for value in node.value.elts]
    raise ValueError(name)


HINTS = {
    (module, *call)
    for module, source in OURS.items()
    if not module.startswith("tests")
    for call in calls(source)
} | {
    (main.__name__, name, extra, name)
    for main, extra in ((experiments.__main__, "experiments"), (proofs_check.__main__, "proofs"))
    for name in main.NEEDED
}


# It reads the files of all that is installed.
distributions = cache(packages_distributions)


def wrong_hint(name, extra, package, extras):
    """What is wrong with a hint, "" if nothing is."""
    top = name.split(".")[0]
    needed, its_extras = parsed(package)
    theirs = distributions().get(top, [top])
    if needed not in [distribution.lower() for distribution in theirs]:
        return f"{top} is imported and {needed} named"
    if extra is None:
        return "" if needed in NO_EXTRA else "no extra is named"
    if needed not in extras.get(extra, {}):
        return f"the extra {extra} has no {needed}"
    return "" if its_extras <= extras[extra][needed] else f"the extra lacks some of {package}"


@pytest.mark.parametrize(("module", "name", "extra", "package"), sorted(HINTS, key=str))
def test_a_hint_names_what_is_imported_and_an_extra_that_has_it(module, name, extra, package):
    assert wrong_hint(name, extra, package, EXTRAS) == ""


def test_no_hint_is_overlooked():
    folders = {module.split(".")[0] for module, *_ in HINTS}
    assert folders == {"shrinklin", "datasets", "experiments", "proofs_check"}
    # Where the module is a variable, its values are in HINTS.
    hidden = {
        module
        for module, source in OURS.items()
        if list(called(source)).count("imported") > len(list(calls(source)))
    }
    assert hidden - {"tests.test_extras"} == {"experiments.__main__", "proofs_check.__main__"}


def test_wrong_hints_are_noticed():
    assert wrong_hint("tqdm.auto", "plot", "tqdm", EXTRAS) == ""
    for wrong in (
        ("tqdm.auto", "plots", "tqdm"),
        ("tqdm.auto", "distributed", "tqdm"),
        ("tqdm.auto", None, "tqdm"),
        ("arff", "data", "arff"),
        ("dask.array", "distributed", "dask[diagnostics]"),
    ):
        assert wrong_hint(*wrong, EXTRAS)


@pytest.mark.parametrize(("name", "package"), [("tqdm.auto", None), ("arff", "liac-arff")])
def test_the_error_says_what_to_install(monkeypatch, name, package):
    assert imported(name, "x", "plot", package) is importlib.import_module(name)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError) as error:
        imported(name, "A bar", "plot", package)
    package = package or "tqdm"
    text = str(error.value)
    assert text.startswith(f"A bar needs {package} (")
    assert text.endswith(
        f'): pip install "{package}", or in a clone of shrinklin pip install -e ".[plot]".'
    )
    assert error.value.name == name
    with pytest.raises(ImportError, match=r'\): pip install "tqdm"\.$'):
        imported("tqdm.nowhere", "A bar")


@pytest.mark.parametrize(
    ("main", "package"),
    [
        (main, package)
        for main in (experiments.__main__, proofs_check.__main__)
        for package in main.NEEDED
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_a_command_needs_is_asked_for_before_anything_is_run(
    monkeypatch, capsys, main, package
):
    monkeypatch.setitem(sys.modules, package, None)
    assert main.main() == 2
    extra = main.__name__.split(".")[0].removesuffix("_check")
    assert f'pip install "{package}", or in a clone' in capsys.readouterr().err
    assert package in EXTRAS[extra]


@pytest.mark.parametrize("main", [experiments.__main__, proofs_check.__main__])
def test_a_command_asks_for_all_that_its_folder_imports(main):
    folder = main.__name__.split(".")[0]
    sources = {name: source for name, source in OURS.items() if name.split(".")[0] == folder}
    asked = {name for module, name, *_ in HINTS if module in sources}
    found = {i.split(".")[0] for s in sources.values() for i, _ in Imports(s).found} - {""}
    # Both are of those that are always there.
    always = ALWAYS | {"sklearn", "joblib"} | set(FOLDERS) | sys.stdlib_module_names
    # A peer: without it the experiments leave its rows out, and say so.
    always |= {"lassonet"}
    assert found - always <= {name.split(".")[0] for name in asked}


# What documents and docstrings say.


KINDS = ("md", "rst", "py")


def texts():
    found = [*ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    for folder in ("docs", "fuzz", *FOLDERS.keys() - {"tests"}):
        found += [
            file for kind in ("md", "rst", "py") for file in (ROOT / folder).rglob(f"*.{kind}")
        ]
    found += [*(ROOT / "proofs_check").rglob("*.py"), *(ROOT / "fuzz").rglob("*.py")]
    made = {ROOT / "docs" / folder for folder in ("_build", "api", "gallery")}
    return sorted(file for file in found if not made & set(file.parents))


def impossible(text):
    """Advice that pip cannot follow, or that names an extra that is not there."""
    found = re.findall(r"pip\s+install\s+(?:-e\s+)?\"?(shrinklin\b[^\"`\s]*)", text)
    found += re.findall(r"(?<!\.whl)\bshrinklin\[\w+\]", text)
    for extras in re.findall(r"\"\.\[([\w,-]+)\]\"", text):
        found += [extra for extra in extras.split(",") if extra not in EXTRAS]
    for packages, extra in re.findall(r"[Nn]eeds (\w+(?: and \w+)?), of the extra ``(\w+)``", text):
        found += [name for name in packages.split(" and ") if name not in EXTRAS.get(extra, {})]
    found += [e for e in re.findall(r"the extra ``(\w+)``", text) if e not in EXTRAS]
    return found


def test_no_text_advises_what_cannot_be_done():
    found = {file: impossible(file.read_text(encoding="utf-8")) for file in texts()}
    assert len(found) > 100
    assert {file: wrong for file, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    "text",
    [
        'pip install "shrinklin[plot]"',
        "`pip install shrinklin`",
        "(needs tqdm, ``shrinklin[plot]``)",
        'pip install -e ".[plots]"',
        'pip install ".[plot,fies]"',
        'pip install -e ".[test-plots]"',
        "Needs pandas and pyarow, of the extra ``files``.",
        "needs tqdm, of the extra ``distributed``",
        "It needs the extra ``prof``.",
    ],
)
def test_impossible_advice_is_noticed(text):
    assert len(impossible(text)) >= 1


def test_the_readme_lists_the_extras_that_users_need():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| ", text.split("| extra | for |")[1], flags=re.MULTILINE)
    users = ["plot", "files", "distributed", "networks", "proofs", "data", "experiments"]
    assert listed[: len(users)] == users
    assert set(users) <= set(EXTRAS)


def test_what_is_pinned_is_what_an_extra_may_have():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    needed = CONFIG["options.extras_require"]["networks"].split()
    bounds = {line.name: line.specifier for line in map(Requirement, needed)}
    assert pinned
    assert all(version in bounds[name] for name, version in pinned.items())


def test_only_networks_need_torch():
    having = {extra for extra, needed in EXTRAS.items() if {"torch", "torch-pruning"} & set(needed)}
    assert having == {"networks", "test-networks"}
    assert "networks" not in EXTRAS["test"].get("shrinklin", ())
