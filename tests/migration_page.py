"""docs/migration.md: its text, its code, and the data that this code makes."""

import contextlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np

TEXT = (Path(__file__).parents[1] / "docs" / "migration.md").read_text()


def blocks(language, text=TEXT):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def section(title):
    return re.split(r"^## ", TEXT.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def run(*sources):
    names: dict = {"__name__": "page"}
    with contextlib.redirect_stdout(io.StringIO()):
        for source in sources:
            exec(source, names)
    return SimpleNamespace(**names)


# What the `python` blocks of the page define.
PAGE = run(*blocks("python"))
X, Y, CLASSES = PAGE.X, PAGE.Y, PAGE.classes
n, p, q = PAGE.n, PAGE.p, PAGE.q
WEIGHTS = np.random.default_rng(1).uniform(0.5, 2, n)
