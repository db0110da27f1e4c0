"""Pages of the documentation are reached, public names are in it, links lead somewhere.

Sphinx finds more of that (`make docs`), but has to be installed, and takes its time.
"""

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

import datasets
import shrinklin
from shrinklin import distributed

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
# Pages that sphinx-gallery makes, of the scripts in examples/.
MADE = "gallery/"
TOCTREES = (
    re.compile(r"^```\{toctree\}\n(.*?)^```", re.M | re.S),
    re.compile(r"^\.\. toctree::\n((?: +.*\n|\n)*)", re.M),
)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# What directives of sphinx name, and roles.
NAMED = re.compile(
    r"(?:image|figure|literalinclude|plot|include)(?:::|\}) (\S+)|:doc:`(?:[^`<]*<)?([^`>]+)"
)
# Of proofs_check, what one who adds a statement, or asks about one, needs.
CHECKING = {"Claim", "Mutant", "Outcome", "search", "survives"}
# A file or folder of the repository, but for names to fill in and what commands write.
PATH = re.compile(r"`((?:shrinklin|tests|docs|examples|benchmarks|datasets|experiments)/[\w./-]*)`")
MADE_LATER = ("NAME", "docs/_build", "benchmarks/outputs")
HEADING = re.compile(r"^#+ +(.*?) *#*$", re.M)


def pages(docs):
    """All pages in a folder, as names without suffix."""
    found = [page for suffix in ("md", "rst") for page in docs.rglob(f"*.{suffix}")]
    names = {page.relative_to(docs).with_suffix("").as_posix() for page in found}
    made = ("_", "api/", MADE)
    return {name for name in names if not name.startswith(made)}


def file_of(docs, name):
    return next(
        (file for file in (docs / f"{name}.md", docs / f"{name}.rst") if file.is_file()), None
    )


def entries(text):
    """The pages, or patterns of pages, that toctrees name."""
    for block in (block for toctree in TOCTREES for block in toctree.findall(text)):
        lines = [line.strip() for line in block.splitlines()]
        named = [line for line in lines if line and not line.startswith(":")]
        for line in named:
            title_and_name = re.fullmatch(r".*<(.+)>", line)
            yield title_and_name[1] if title_and_name else line


def reached(docs, name="index"):
    """Pages that toctrees lead to from that one; raises for one that is not there."""
    if name.startswith(MADE):
        return set()
    file = file_of(docs, name)
    if file is None:
        raise FileNotFoundError(f"a toctree names {name}, and there is no such page")
    found = {name}
    for entry in entries(file.read_text()):
        matching = sorted(page for page in pages(docs) if Path(page).match(entry))
        for page in matching if "*" in entry else [entry]:
            found |= reached(docs, page)
    return found


def anchor(heading):
    """What code hosts, and MyST, make of a heading."""
    heading = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def dead_links(file):
    """Links and pictures of a page that lead nowhere in the repository."""
    text = file.read_text()
    targets = [target for pair in NAMED.findall(text) for target in pair if target]
    if file.suffix == ".md":
        targets += LINK.findall(FENCED.sub("", text))
    return [target for target in targets if not leads_somewhere(file, target)]


def missing_paths(file):
    """Paths that a page names and that are not in the repository."""
    named = PATH.findall(file.read_text())
    named = [path for path in named if not any(made in path for made in MADE_LATER)]
    return [path for path in named if not (ROOT / path).exists()]


def leads_somewhere(file, target):
    if re.match(r"[a-z]+:", target):
        return True
    path, _, heading = unquote(target).partition("#")
    goal = file.parent / path if path else file
    goal = goal if goal.exists() else file_of(file.parent, path)
    if goal is None:
        return False
    if not heading or goal.suffix != ".md":
        return True
    return heading in {anchor(found) for found in HEADING.findall(goal.read_text())}


def texts():
    folders = ["", "docs/**/", "benchmarks/**/", "examples/", "datasets/**/"]
    found = {file for folder in folders for file in ROOT.glob(f"{folder}*.md")}
    found |= set(ROOT.glob("docs/*.rst")) | set(ROOT.glob("examples/*.rst"))
    made = {ROOT / "docs" / folder for folder in ("_build", "api", "gallery")}
    return sorted(file for file in found if not made & set(file.parents))


def test_every_page_is_in_a_toctree():
    assert reached(ROOT / "docs") == pages(ROOT / "docs")


def test_every_public_name_is_in_the_reference():
    text = (ROOT / "docs" / "api.rst").read_text()
    listed = re.findall(r"^   ([\w.]+)$", text, re.M)
    public = [name for name, value in vars(distributed).items() if of_its_own(distributed, value)]
    expected = set(shrinklin.__all__) | {f"distributed.{name}" for name in public}
    expected |= {f"networks.{name}" for name in names_of_networks()}
    expected |= set(datasets.__all__) | CHECKING
    assert expected <= set(listed)
    assert len(listed) == len(set(listed))


def names_of_networks():
    """Their `__all__`, read where importing it would need torch."""
    tree = ast.parse((ROOT / "shrinklin" / "networks" / "__init__.py").read_text())
    (names,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return ast.literal_eval(names)


def of_its_own(module, value):
    name = getattr(value, "__name__", "_")
    return getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")


@pytest.mark.parametrize("file", texts(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_and_picture_is_there(file):
    assert dead_links(file) == []


@pytest.mark.parametrize("file", texts(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_path_is_there(file):
    # The changelog tells of what was.
    assert missing_paths(file) == [] or file.name == "CHANGELOG.md"


def test_missing_paths_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`shrinklin/penalties/NAME.py`, `shrinklin/groups.py`, `shrinklin/gone.py`")
    assert missing_paths(page) == ["shrinklin/gone.py"]


def test_a_page_in_no_toctree_is_found(tmp_path):
    # Mutants of the two tests above, in a folder of their own.
    (tmp_path / "index.md").write_text("# A\n\n```{toctree}\n:hidden:\n\nB <b>\n```\n\ntext\n")
    (tmp_path / "b.md").write_text("# B\n\n```{toctree}\n:glob:\n\nsub/*\n```\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.rst").write_text("C\n=\n")
    assert reached(tmp_path) == pages(tmp_path) == {"index", "b", "sub/c"}
    (tmp_path / "d.md").write_text("# D\n")
    assert pages(tmp_path) - reached(tmp_path) == {"d"}
    (tmp_path / "b.md").unlink()
    with pytest.raises(FileNotFoundError, match="names b"):
        reached(tmp_path)


@pytest.mark.parametrize(
    ("line", "dead"),
    [
        ("[a](other.md)", []),
        ("[a](other.md#the-one-p--2)", []),
        ("[a](#here)", []),
        ("[a](https://example.org/x)", []),
        ("{doc}`first <other>`", []),
        ("```python\nx[0](nowhere.md)\n```", []),
        ("[a](gone.md)", ["gone.md"]),
        ("![a](gone.png)", ["gone.png"]),
        ("[a](other.md#gone)", ["other.md#gone"]),
        ("[a](#gone)", ["#gone"]),
        ("```{include} gone.md\n```", ["gone.md"]),
    ],
)
def test_dead_links_are_found(line, dead, tmp_path):
    (tmp_path / "other.md").write_text("# Other\n\n## The `one`: p = 2\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n\n{line}\n")
    assert dead_links(page) == dead
