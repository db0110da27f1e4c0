"""Docstrings of the estimators for tables: every parameter with its default, every attribute."""

from inspect import getdoc

import numpy as np
import pandas as pd
import pytest

from shrinklin.networks import (
    ConnectionAnnealing,
    ShrinkNetMLPClassifier,
    ShrinkNetMLPClassifierCV,
    ShrinkNetMLPRegressor,
    ShrinkNetMLPRegressorCV,
)
from tests.networks.tables import table_for
from tests.test_docstrings import attribute_faults, parameter_faults

SINGLE = [ShrinkNetMLPRegressor, ShrinkNetMLPClassifier]
CV = [ShrinkNetMLPRegressorCV, ShrinkNetMLPClassifierCV]
every_class = pytest.mark.parametrize("public", [*SINGLE, *CV])


def attributes_of_fits(public):
    X, y = table_for("classifier" if "Classifier" in public.__name__ else "regressor")
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    ways = [{"sizes": 1, "cv": 2}]
    if public in SINGLE:
        ways = [{"early_stopping": True}, {"removal": ConnectionAnnealing({"2": 3})}]
    fits = [public((5,), max_epochs=4, random_state=0, **way).fit(X, y) for way in ways]
    return {n for fit in fits for n in vars(fit) if n.endswith("_") and not n.startswith("_")}


@every_class
def test_every_parameter_is_described_with_its_default(public):
    assert list(parameter_faults(getdoc(public), public)) == []


@every_class
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs
def test_every_fitted_attribute_is_described_and_no_other(public):
    attributes = attributes_of_fits(public)
    assert "module_" in attributes
    assert list(attribute_faults(getdoc(public), attributes)) == []


@every_class
def test_no_placeholder_is_left(public):
    assert "$" not in getdoc(public)
    assert max(map(len, getdoc(public).splitlines())) <= 100
    assert np.all([line == line.rstrip() for line in getdoc(public).splitlines()])
