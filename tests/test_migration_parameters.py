"""The tables of docs/migration.md name every parameter of the other packages and its default."""

import importlib
import re
import shutil

import numpy as np
import pytest

from migration_page import PAGE, TEXT, section
from peers import NEW_NAMES, defaults_of, folder_for_r, in_r, need, peers_may_warn
from shrinklin import GroupLassoClassifier

pytestmark = pytest.mark.untraced

in_folder = pytest.fixture(folder_for_r)


def first_cells(title):
    """The code (in backticks) in the first column of the tables in a section of the page."""
    rows = re.findall(r"^\| (.*?) \|", section(title), flags=re.MULTILINE)
    return " ".join(" ".join(re.findall(r"`([^`]*)`", row)) for row in rows)


def missing_and_wrong(cells, defaults):
    """Parameters that the page does not name, and stated defaults that are in no `defaults`.

    Where the page names a parameter twice, the first value is its default.
    """
    names = set(re.findall(r"[\w.]*\w", cells))
    missing = {name for given in defaults for name in given} - names
    stated: dict = {}
    for name, value in re.findall(r"([\w.]*\w)=([-\w.\"]+)", cells):
        stated.setdefault(name, value.strip('"'))
    wrong = []
    for name, value in stated.items():
        real = [given[name] for given in defaults if name in given]
        if real and not any(same_value(value, theirs) for theirs in real):
            wrong.append((name, value, real))
    return missing, wrong


def same_value(stated, real):
    try:
        return float(stated) == float(real)
    except (TypeError, ValueError):
        return stated == str(real)


PEERS = {
    "MultiTaskLasso": ("sklearn.linear_model", ["MultiTaskLasso"]),
    "LogisticRegression": ("sklearn.linear_model", ["LogisticRegression"]),
    "skglm": ("skglm", ["MultiTaskLasso", "GroupLasso", "SparseLogisticRegression"]),
    "celer": ("celer", ["MultiTaskLasso", "GroupLasso", "LogisticRegression"]),
    "adelie": ("adelie", ["grpnet"]),
    "group-lasso": ("group_lasso", ["GroupLasso", "LogisticGroupLasso"]),
}


@pytest.mark.parametrize("title", PEERS)
def test_every_parameter_is_on_the_page_with_its_default(title):
    module, names = PEERS[title]
    if module == "sklearn.linear_model" and not NEW_NAMES:
        pytest.skip("the page names the parameters of scikit-learn 1.8 and later")
    with peers_may_warn():
        need(module)
        peers = [getattr(importlib.import_module(module), name) for name in names]
    cells = first_cells(title)
    assert missing_and_wrong(cells, [defaults_of(peer) for peer in peers]) == (set(), [])
    # A parameter that is missing, and a default that is wrong, are noticed.
    alpha = defaults_of(peers[0]) | {"new": 1}
    assert missing_and_wrong(cells, [alpha])[0] == {"new"}
    assert missing_and_wrong("tol=1e-3", [{"tol": 1e-4}])[1]


def test_every_parameter_of_glmnet_is_on_the_page(in_folder):
    np.savetxt("x.csv", [[1]])
    for name in ("y", "weights", "classes"):
        shutil.copy("x.csv", f"{name}.csv")
    shown = in_r('f <- formals(glmnet); cat(paste(names(f), as.character(f)), sep = "\\n")')
    defaults = dict(line.split(" ", 1) for line in shown.splitlines())
    del defaults["..."]
    cells = first_cells("glmnet")
    missing, wrong = missing_and_wrong(cells, [defaults])
    assert not missing
    # The default of one depends on the data, that of the other is a list.
    assert {name for name, _, _ in wrong} <= {"lambda.min.ratio", "type.multinomial"}


def test_our_names_on_the_page_are_ours():
    """The values of parameters in the second column are our defaults."""
    ours = defaults_of(GroupLassoClassifier) | defaults_of(PAGE.GroupLassoRegressorCV)
    cells = re.findall(r"^\| .*? \| (.*) \|$", TEXT, flags=re.MULTILINE)
    shown = " ".join(" ".join(re.findall(r"`([^`]*)`", cell)) for cell in cells)
    for name, value in re.findall(r"(alpha|alphas|eps|tol|max_iter)=([-\w.]+)", shown):
        assert name in ours
        # alpha=2 is no default: it goes with the strengths of group-lasso as feature weights.
        assert same_value(value.replace("_", ""), ours[name]) or (name, value) == ("alpha", "2")
