"""The recipes of CONTRIBUTING.md work: each is followed on a copy of the package.

Files of tests/recipes are what a contributor would write. A recipe changes at most three files of
the copy. Then the tests that judge everything of the kind run with what is new, and a script uses
it as a user would.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "tests" / "recipes"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path):
    """A copy of the package and its tests, in a folder of its own."""
    for name in ("shrinklin", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def add_file(copy, recipe, target):
    shutil.copy(RECIPES / recipe, copy / target)


def add_to_file(copy, recipe, target):
    """Put the imports of a recipe with those of a module, and its class at the end."""
    source = (RECIPES / recipe).read_text(encoding="utf-8")
    start = source.index("\nclass ")
    module = target.removesuffix(".py").replace("/", ".")
    lines = source[:start].splitlines()
    imports = [x for x in lines if x.startswith("from shrinklin") and f"from {module} " not in x]
    replace(copy, target, r"^from shrinklin", "\n".join([*imports, "from shrinklin"]))
    with (copy / target).open("a", encoding="utf-8") as file:
        file.write("\n" + source[start:])


def replace(copy, target, old, new):
    """Replace the first match of a regular expression in a file."""
    text = (copy / target).read_text(encoding="utf-8")
    changed = re.sub(old, lambda match: match.expand(new), text, count=1, flags=re.MULTILINE)
    assert changed != text
    (copy / target).write_text(changed, encoding="utf-8")


def changed_files(copy):
    """Files of the copy that differ from ours, or that we do not have."""
    found = []
    for file in sorted(copy.rglob("*.py")):
        ours = ROOT / file.relative_to(copy)
        if not ours.exists() or not filecmp.cmp(file, ours, shallow=False):
            found.append(file.relative_to(copy).as_posix())
    return found


def run(copy, *command):
    path = os.pathsep.join([str(copy), str(copy / "tests")])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def judge(copy, check, name, *tests):
    """Run the script of a recipe, and the tests of its kind with what is new."""
    origin = run(copy, "-c", "import shrinklin; print(shrinklin.__file__)")
    assert origin.startswith(str(copy))
    run(copy, "-W", "error", f"tests/recipes/{check}")
    if tests:
        files = [f"tests/{test}.py" for test in tests]
        told = run(copy, *["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k"], name, *files)
        # So many new tests came without being written.
        assert int(re.search(r"(\d+) passed", told).group(1)) >= len(tests)


def follow_penalty(copy):
    add_file(copy, "half.py", "shrinklin/penalties/half.py")
    add_to_file(copy, "half_regressor.py", "shrinklin/estimators/regressors.py")
    replace(
        copy,
        "tests/builders.py",
        "^from shrinklin",
        r"from shrinklin.penalties.half import Half\nfrom shrinklin",
    )
    norm = r"Half(): lambda w: np.linalg.norm(w) ** 0.5"
    replace(copy, "tests/builders.py", r"^PENALTIES = \{", rf"PENALTIES = {{{norm}, ")


def follow_loss(copy):
    add_file(copy, "huber.py", "shrinklin/losses/huber.py")
    add_to_file(copy, "huber_regressor.py", "shrinklin/estimators/regressors.py")
    imports = r"from scipy.special import huber\nfrom shrinklin.losses.huber import Huber\n"
    replace(copy, "tests/builders.py", "^from shrinklin", f"{imports}from shrinklin")
    row = "Huber(0.5): lambda y, z: huber(0.5, z - y).sum()"
    replace(copy, "tests/builders.py", r"^LOSSES = \{", rf"LOSSES = {{{row},")


def follow_removal(copy):
    add_to_file(copy, "smallest.py", "shrinklin/pruning/removal.py")
    replace(
        copy,
        "shrinklin/__init__.py",
        r"(removal import [^\n]*)SignVariance,",
        r"\1SignVariance, Smallest,",
    )
    replace(
        copy,
        "shrinklin/__init__.py",
        '    "Threshold",',
        '    "Smallest",\n    "Threshold",',
    )
    replace(copy, "tests/test_removal.py", r"Annealing\(3\)\]", "Annealing(3), Smallest()]")
    replace(
        copy, "tests/test_removal.py", r"^    SignVariance,", "    SignVariance,\n    Smallest,"
    )


def follow_picture(copy):
    add_file(copy, "residuals.py", "shrinklin/display/residuals.py")
    entrance = "shrinklin/display/__init__.py"
    line = "from shrinklin.display.residuals import ResidualDisplay"
    replace(copy, entrance, "^from shrinklin", f"{line}\nfrom shrinklin")
    replace(copy, entrance, r"__all__ = \[", '__all__ = ["ResidualDisplay",')


FOLLOWED = {
    "Add a penalty": (
        follow_penalty,
        ("check_half.py", "Half", "test_penalties", "test_newton", "test_coordinate_descent"),
    ),
    "Add a loss": (follow_loss, ("check_huber.py", "Huber", "test_loss")),
    "Add a removal strategy": (follow_removal, ("check_smallest.py", "Smallest", "test_removal")),
    "Add a picture": (follow_picture, ("check_residuals.py", "")),
}


@pytest.mark.parametrize("recipe", FOLLOWED)
def test_a_recipe_works_and_changes_three_files(copy, recipe):
    follow, judged = FOLLOWED[recipe]
    follow(copy)
    changed = changed_files(copy)
    assert 0 < len(changed) <= 3
    section = CONTRIBUTING.split(f"## {recipe}\n")[1].split("\n## ")[0]
    # A new file is named by its folder.
    told = [file if (ROOT / file).exists() else str(Path(file).parent) for file in changed]
    assert [file for file in told if file not in section] == []
    judge(copy, *judged)


def test_a_recipe_that_leaves_something_out_fails(copy):
    add_file(copy, "half.py", "shrinklin/penalties/half.py")
    with pytest.raises(AssertionError, match="cannot import name 'HalfRegressor'"):
        judge(copy, "check_half.py", "Half")
