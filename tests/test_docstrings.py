"""Public docstrings describe all parameters and all fitted attributes, in full."""

import re
import subprocess
import sys
import warnings
from ast import literal_eval
from dataclasses import is_dataclass
from inspect import Parameter, getdoc, signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import shrinklin
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
)
from shrinklin.estimators import parameters

ROOT = Path(__file__).parents[1]
ONE_ALPHA = [GroupLassoRegressor, ShrinkNetRegressor, GroupLassoClassifier, ShrinkNetClassifier]
CV = [GroupLassoRegressorCV, ShrinkNetRegressorCV, GroupLassoClassifierCV, ShrinkNetClassifierCV]
ESTIMATORS = [*ONE_ALPHA, *CV, InformationCriterion]
# Dataclasses describe their fields as attributes.
PUBLIC = [
    public
    for name in shrinklin.__all__
    if not is_dataclass(public := getattr(shrinklin, name)) and list(signature(public).parameters)
]


def entries(doc, section):
    """(name, type, description) of every entry in a section of a docstring."""
    sections = re.split(r"^(.+)\n-+\n", doc, flags=re.M)[1:]
    text = dict(zip(sections[::2], sections[1::2], strict=True)).get(section, "").strip()
    for entry in re.split(r"\n(?=\S)", text):
        head, _, description = entry.partition("\n")
        name, _, kind = head.partition(" : ")
        yield name, kind, description.strip()


def parameter_faults(doc, public):
    """What is wrong in the parameters of a docstring, given the signature."""
    wanted, found = signature(public).parameters, list(entries(doc, "Parameters"))
    if [name for name, _, _ in found] != list(wanted):
        yield f"{[name for name, _, _ in found]} instead of {list(wanted)}"
        return
    for name, kind, description in found:
        stated = re.search(r", default=(.*)$", kind)
        default = literal_eval(stated[1]) if stated else Parameter.empty
        true = wanted[name].default
        if default != true or type(default) is not type(true):
            yield f"{name} has default {true}, not {default}"
        if not description:
            yield f"{name} is not described"
        if "As for `" in description:
            yield f"{name} is described elsewhere"


def attribute_faults(doc, attributes):
    """What is wrong in the attributes of a docstring, given the names of those that fits set."""
    found = list(entries(doc, "Attributes"))
    names = [name for name, _, _ in found]
    if sorted(names) != sorted(attributes):
        yield f"{sorted(names)} instead of {sorted(attributes)}"
    yield from (f"{name} is not described" for name, kind, text in found if not (kind and text))


def fits(estimator):
    """The class, fitted to small data in all ways that set other attributes."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc"))
    y = (X["a"] + 0.1 * rng.normal(size=30)).rename("y")
    if estimator is InformationCriterion:
        yield estimator(GroupLassoRegressor()).fit(X, y)
        yield estimator(ShrinkNetRegressor()).fit(X, y)
        yield estimator(ShrinkNetClassifier()).fit(X, y > 0)
        return
    classes = {"classes": [False, True]} if "Classifier" in estimator.__name__ else {}
    y = y > 0 if classes else y
    # Fewer paths, to be fast.
    few = {"ridges": 0.0} if "ridges" in estimator().get_params() else {}
    yield estimator(**few).fit(X, y)
    if estimator in ONE_ALPHA:
        yield estimator(solver=GradientDescent(max_epochs=5)).fit(X, y)
        yield estimator().partial_fit(X, y, **classes)


def attributes_of_fits(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {name for model in fits(estimator) for name in dir(model) if name.endswith("_")}
        return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__name__)
def test_every_parameter_is_described_with_its_default(public):
    assert list(parameter_faults(getdoc(public), public)) == []


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_fitted_attribute_is_described_and_no_other(estimator):
    assert list(attribute_faults(getdoc(estimator), attributes_of_fits(estimator))) == []


@pytest.mark.parametrize("public", [*ESTIMATORS, shrinklin.regularization_path])
def test_no_placeholder_is_left(public):
    assert "$" not in getdoc(public)
    assert max(map(len, getdoc(public).splitlines())) <= 100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"^p : .*\n( .*\n)+", ""),
        (r"^(p : .*\n( .*\n)+)", r"\1\1"),
        (r"^(p : .*\n(?: .*\n)+)(ridge : .*\n(?: .*\n)+)", r"\2\1"),
        (r"^(alpha : float), default=0.1$", r"\1"),
        (r"^(alpha : float), default=0.1$", r"\1, default=0.2"),
        (r"^(fit_intercept : bool), default=True$", r"\1, default=1"),
        (r"^(tol : .*)\n( .*\n)+", r"\1\n"),
        (r"^(tol : .*)\n( .*\n)+", r"\1\n    As for `GroupLassoRegressor`.\n"),
    ],
)
def test_wrong_parameters_are_found(old, new):
    doc, changed = re.subn(old, new, getdoc(ShrinkNetRegressor), flags=re.M)
    assert changed == 1
    assert list(parameter_faults(doc, ShrinkNetRegressor))


def test_wrong_attributes_are_found():
    doc, names = getdoc(ShrinkNetRegressor), attributes_of_fits(ShrinkNetRegressor)
    assert list(attribute_faults(doc, names | {"other_"}))
    assert list(attribute_faults(doc, names - {"switch_"}))
    missing, n_missing = re.subn(r"^switch_ : .*\n( .*\n)+", "", doc, flags=re.M)
    bare, n_bare = re.subn(r"^(switch_ : .*\n)( .*\n)+", r"\1", doc, flags=re.M)
    assert n_missing == n_bare == 1
    assert list(attribute_faults(missing, names))
    assert list(attribute_faults(bare, names))


def test_descriptions_and_words_are_used():
    docs = "\n".join(getdoc(public) for public in [*ESTIMATORS, shrinklin.regularization_path])
    assert [name for name in parameters.ENTRIES if f"\n{name} : " not in docs] == []
    kinds = [parameters.REGRESSION, parameters.CLASSIFICATION, parameters.CROSS_VALIDATION]
    kinds += [parameters.GROUP_LASSO, parameters.SHRINKNET, parameters.ANY_ESTIMATOR]
    used = set(re.findall(r"\$(\w+)", "\n".join(parameters.ENTRIES.values())))
    assert {word for kind in kinds for word in kind} == used


@parameters.documented(parameters.REGRESSION, parameters.GROUP_LASSO)
def example(alpha=2.0, *, groups, solver="auto"):
    """Summary with $ and {braces}.

    Parameters
    ----------
    $solver, $groups
    own : int
    $parameters
    """


def test_lines_of_a_docstring_become_entries():
    found = list(entries(getdoc(example), "Parameters"))
    assert [name for name, _, _ in found] == [
        "solver",
        "groups",
        "own",
        "alpha",
        "groups",
        "solver",
    ]
    assert getdoc(example).startswith("Summary with $ and {braces}.\n\nParameters\n")
    kinds = {name: kind for name, kind, _ in found}
    assert kinds["alpha"] == "float, default=2.0"
    assert kinds["groups"].startswith("array-like of shape (n_features,), dict, ")
    assert kinds["solver"].endswith(', default="auto"')


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError, match="alpa"):

        @parameters.documented(parameters.REGRESSION)
        def misspelt(alpha):
            """$alpa"""

    with pytest.raises(KeyError, match="strength"):

        @parameters.documented(parameters.REGRESSION)
        def unfinished(alpha):
            """$alpha"""


def test_estimators_work_without_docstrings():
    code = (
        "import shrinklin; from sklearn.base import clone;"
        "model = shrinklin.GroupLassoRegressorCV(alphas=3);"
        "print(type(model).__doc__, clone(model))"
    )
    command = [sys.executable, "-OO", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "None GroupLassoRegressorCV(alphas=3)", result.stderr
