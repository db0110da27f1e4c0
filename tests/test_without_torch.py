"""Without torch all works but networks, whose tests are skipped by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import without_torch

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
# As where torch is not installed.
BLOCKED = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )


def test_the_package_is_imported_without_torch():
    done = python("-c", f"{BLOCKED}\nimport shrinklin; print(shrinklin.__version__)")
    assert done.returncode == 0, done.stderr


def test_networks_name_the_extra_that_has_torch():
    done = python("-c", f"{BLOCKED}\nimport shrinklin.networks")
    assert done.stderr.splitlines()[-1] == (
        "ImportError: shrinklin.networks needs torch (No module named 'torch'): "
        'pip install "torch", or in a clone of shrinklin pip install -e ".[networks]".'
    )


def test_every_file_of_networks_is_skipped_by_name():
    folders = ("tests/networks", "shrinklin/networks")
    options = ("-q", "-r", "s", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = python("-m", "pytest", *options, *folders, SHRINKLIN_LEFT_OUT="shrinklin/networks/*")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    skipped = {line.split()[2] for line in lines if line.startswith("SKIPPED")}
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    assert skipped == {f"{file.relative_to(ROOT).as_posix()}:" for file in files}


def test_a_skip_says_why(monkeypatch):
    monkeypatch.delenv("SHRINKLIN_LEFT_OUT", raising=False)
    monkeypatch.setattr(without_torch, "NEEDED", ("pytest",))
    assert without_torch.why_without_torch() is None
    monkeypatch.setattr(without_torch, "NEEDED", ("pytest", "torch_nowhere"))
    assert without_torch.why_without_torch().startswith("torch_nowhere not installed")
    monkeypatch.setenv("SHRINKLIN_LEFT_OUT", "shrinklin/networks/*")
    assert without_torch.why_without_torch() == "make test leaves networks out"


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import numpy\nimport torch\n", True),
        ("from torch import nn\n", True),
        ("from shrinklin.networks import fold\n", True),
        ("from shrinklin import SignVariance\nprint('import torch')\n", False),
        ("import torchless\n", False),
    ],
)
def test_code_that_needs_torch_is_told_from_other_code(code, needed):
    assert without_torch.needs_torch(code) == needed
