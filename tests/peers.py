"""The packages in docs/migration.md: which are installed, and how to call glmnet in R."""

import contextlib
import inspect
import logging
import os
import shutil
import subprocess
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

from migration_page import CLASSES, WEIGHTS, X, Y, p

NEW_NAMES = parse_version(sklearn.__version__) >= parse_version("1.8")
SINCE_1_9 = parse_version(sklearn.__version__) >= parse_version("1.9")


def rscript():
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("Rscript is not on the path")
    return found


def in_r(source):
    """What R prints; the folder has to have x.csv, y.csv, classes.csv and weights.csv."""
    begin = """
        if (!requireNamespace("glmnet", quietly = TRUE)) quit(status = 77)
        suppressMessages(library(glmnet))
        table <- function(name) as.matrix(read.csv(name, header = FALSE))
        x <- table("x.csv"); y <- table("y.csv"); w <- table("weights.csv")[, 1]
        k <- factor(table("classes.csv")[, 1])
    """
    done = subprocess.run(
        [rscript(), "-e", begin + source], capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("R has no package glmnet")
    assert done.returncode == 0, done.stderr
    return done.stdout


SHOW = """
    b <- coef(fit)
    if (!is.list(b)) b <- list(b)
    cat(format(do.call(cbind, lapply(b, as.matrix)), digits = 17))
"""


def glmnet(arguments):
    """W and intercept that glmnet finds, given its arguments or the code of its call."""
    tables = {"x": X, "y": Y, "classes": CLASSES, "weights": WEIGHTS}
    for name, table in tables.items():
        np.savetxt(f"{name}.csv", table, delimiter=",", fmt="%.17g")
    fit = arguments if "<-" in arguments else f"fit <- glmnet(x, {arguments}, thresh = 1e-22)"
    # R prints one column after the other.
    table = np.array(in_r(fit + SHOW).split(), dtype=float).reshape(-1, p + 1).T
    return table[1:], table[0]


def r_vector(values):
    return "c(" + ", ".join(map(str, values)) + ")"


def folder_for_r(tmp_path, monkeypatch):
    """A fixture: work in an empty folder, where R finds its tables; restore what adelie logs."""
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def need(package):
    if package == "glmnet":
        rscript()
    elif package == "adelie":
        # Where this is not set adelie sets it, so that the whole process keeps to one core.
        os.environ.setdefault("OMP_PROC_BIND", "false")
    if package != "glmnet":
        pytest.importorskip(package, reason=f"{package} is not in the extra `test`")


@contextlib.contextmanager
def peers_may_warn():
    """They warn of their own use of numba and numpy, and of steps as small as rounding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def defaults_of(callable_):
    signature = inspect.signature(callable_).parameters.values()
    return {parameter.name: parameter.default for parameter in signature}
