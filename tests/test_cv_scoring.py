"""Scorers: the weights, labels and models that they get, and `score`."""

import inspect

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import (
    brier_score_loss,
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
    top_k_accuracy_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
)

from problems import simulate, simulate_classes
from searches import (
    CLASSIFIERS,
    SINGLE,
    data_for,
    every_class,
)
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
)


@pytest.mark.parametrize("asks", [True, False])
def test_a_scorer_gets_the_weights_that_it_asks_for(asks):
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.random.default_rng(0).uniform(0.1, 5, 60)
    own = GroupLassoRegressorCV(alphas=[0.1], cv=3, tol=1e-10)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_squared_error, greater_is_better=False)
        scorer.set_score_request(sample_weight=asks)
        own.set_fit_request(sample_weight=True)
        routed = clone(own).set_params(scoring=scorer).fit(X, Y, sample_weight=s)
        weighted = clone(own).fit(X, Y, sample_weight=s).cv_scores_
    np.testing.assert_array_equal(weighted, clone(own).fit(X, Y, s).cv_scores_)
    assert np.allclose(routed.cv_scores_, weighted, rtol=1e-10) == asks


def test_weights_reach_a_scorer_without_routing():
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.random.default_rng(0).integers(1, 4, 60)
    scorer = make_scorer(mean_squared_error, greater_is_better=False)
    scored, own = (
        GroupLassoRegressorCV(alphas=3, scoring=scoring).fit(X, Y, s) for scoring in (scorer, None)
    )
    np.testing.assert_allclose(scored.cv_scores_, own.cv_scores_, rtol=1e-10)
    assert (scored.score_name_, own.score_name_) == ("score", "neg_mean_squared_error")


@pytest.mark.parametrize("routes", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, pd.Series, list])
def test_a_scorer_gets_the_weights_of_the_user(kind, routes):
    # Mutant: the scorer gets the weights of the solver, which are divided by a power of four.
    X, y = simulate(60, 4, 1)
    y, s = y.ravel(), kind(7.0 * np.arange(1, 61))

    def weighed(y, predicted, sample_weight):
        assert type(sample_weight) is type(s)
        return float(np.sum(sample_weight))

    scorer = make_scorer(weighed)
    with sklearn.config_context(enable_metadata_routing=routes):
        if routes:
            scorer.set_score_request(sample_weight=True)
        ours = GroupLassoRegressorCV([0.1], cv=3, scoring=scorer).fit(X, y, sample_weight=s)
        found = ours.score(X, y, sample_weight=s)
    expected = [np.sum(np.asarray(s)[test]) for _, test in KFold(3).split(X)]
    np.testing.assert_array_equal(ours.cv_scores_[0], expected)
    assert found == np.sum(s)


def test_the_loss_does_not_depend_on_the_unit_of_the_weights():
    X, y = data_for(GroupLassoClassifierCV)
    s = np.linspace(1, 2, 60)
    for scoring in (None, "neg_log_loss"):
        searches = [
            GroupLassoClassifierCV(alphas=3, cv=3, scoring=scoring).fit(X, y, unit * s)
            for unit in (1.0, 2.0**1020)  # whose sum is infinite
        ]
        np.testing.assert_allclose(*(search.cv_scores_ for search in searches), rtol=1e-9)
    # The last search was scored by name, and so is `score`.
    huge = searches[1].score(X, y, 2.0**1020 * s)
    assert huge == pytest.approx(searches[1].score(X, y, s), rel=1e-12)


@pytest.mark.parametrize("scoring", [lambda e, X, y: e.score(X, y), "neg_max_error"])
def test_a_scoring_that_takes_no_weights(scoring):
    X, Y = simulate(60, 4, 1)
    with pytest.raises(TypeError, match=r"scoring does not accept it .* enable metadata routing"):
        GroupLassoRegressorCV(alphas=2, scoring=scoring).fit(X, Y.ravel(), np.ones(60))


def test_an_error_of_a_scoring_that_takes_weights_is_its_own():
    """Whether a scoring takes weights is found by calling it, not by reading its message."""

    def fails(e, X, y, sample_weight=None):
        raise TypeError("needs a target beside sample_weight")

    def refuses(e, X, y, **others):
        if others:
            raise TypeError("nothing else, please")
        return e.score(X, y)

    X, Y = simulate(60, 4, 1)
    model = GroupLassoRegressorCV(alphas=2, scoring=fails)
    for s in (None, np.ones(60)):
        with pytest.raises(TypeError, match=r"^needs a target beside sample_weight$"):
            model.fit(X, Y.ravel(), s)
    model.set_params(scoring=refuses).fit(X, Y.ravel())
    with pytest.raises(TypeError, match=r"scoring does not accept it \(nothing else, please\)"):
        model.fit(X, Y.ravel(), np.ones(60))


@pytest.mark.parametrize(
    ("scoring", "error", "message"),
    [
        (lambda e, X, y: [1.0, 2.0], ValueError, r"fold 0: scoring gave an array of shape \(2,\)"),
        (["r2", "max_error"], ValueError, "give one score to choose by"),
        ({"a": "r2"}, ValueError, "give one score to choose by"),
    ],
)
def test_scorings_that_give_no_number(scoring, error, message):
    X, Y = data_for(GroupLassoRegressorCV)
    with pytest.raises(error, match=message):
        GroupLassoRegressorCV(alphas=2, scoring=scoring).fit(X, Y)


needs_labels = {
    "log loss": (
        make_scorer(log_loss, response_method="predict_proba", greater_is_better=False),
        lambda y, P, classes: -log_loss(y, P, labels=classes),
    ),
    "top k": ("top_k_accuracy", lambda y, P, c: top_k_accuracy_score(y, P, labels=c)),
}
if "labels" in inspect.signature(brier_score_loss).parameters:  # scikit-learn 1.7
    needs_labels["Brier"] = (
        "neg_brier_score",
        lambda y, P, classes: -brier_score_loss(y, P, labels=classes),
    )


@pytest.mark.parametrize("name", needs_labels)
@pytest.mark.parametrize("text", [False, True])
def test_scores_of_folds_that_lack_a_class(name, text):
    scoring, expected = needs_labels[name]
    X, y = simulate_classes(60, 4, 3)
    y = np.sort(y)
    y = np.array(["a", "b", "c"])[y] if text else y
    model = GroupLassoClassifierCV([0.05], ridges=0, cv=KFold(3), scoring=scoring, tol=1e-10).fit(
        X, y
    )
    for k, (train, test) in enumerate(KFold(3).split(X)):
        assert len(np.unique(y[test])) < 3
        s = np.zeros(60)
        s[train] = 1
        single = GroupLassoClassifier(0.05, tol=1e-10).fit(X, y, s)
        found = expected(y[test], single.predict_proba(X[test]), single.classes_)
        assert model.cv_scores_[0, k] == pytest.approx(found, rel=1e-8)
    # The same for `score`.
    found = expected(y[:10], model.predict_proba(X[:10]), model.classes_)
    assert model.score(X[:10], y[:10]) == pytest.approx(found, rel=1e-12)


def test_of_two_classes_the_second_is_positive_where_a_score_asks():
    X, codes = simulate_classes(60, 4, 2)
    scoring = make_scorer(brier_score_loss, response_method="predict_proba")
    numbers, text = (
        GroupLassoClassifierCV([0.05], cv=KFold(3), scoring=scoring).fit(X, labels).cv_scores_
        for labels in (codes, np.array(["no", "yes"])[codes])
    )
    np.testing.assert_array_equal(numbers, text)


def test_what_labels_do_not_mend_is_an_error():
    X, y = simulate_classes(60, 4, 3)

    def refuse(model, X, y):
        raise ValueError("no score of these")

    with pytest.raises(ValueError, match="fold 0: no score of these"):
        GroupLassoClassifierCV([0.05], cv=KFold(3), scoring=refuse).fit(X, np.sort(y))
    with pytest.raises(ValueError, match="multi_class must be in"):
        GroupLassoClassifierCV([0.05], scoring="roc_auc").fit(X, y)


def test_a_scorer_sees_the_gap_of_its_model():
    # Mutant: the gap of the objective of another alpha.
    X, y = data_for(GroupLassoClassifierCV)
    gaps = []

    def score(model, X, y):
        gaps.append(model.dual_gap_)
        return 0.0

    GroupLassoClassifierCV([0.2, 0.01], cv=3, scoring=score).fit(X, y)
    assert max(gaps) <= 1e-6 * np.log(3)


@every_class
def test_a_scorer_sees_a_model_as_fit_leaves_it(cls):
    X, y = data_for(cls)
    seen = []

    def score(model, X, y):
        seen.append(set(vars(model)))
        return model.score(X, y)

    cls(alphas=[0.1, 0.05], ridges=0, cv=2, scoring=score).fit(X, y)
    alone = {name for name in vars(SINGLE[cls]().fit(X, y)) if name.endswith("_")}
    assert len(seen) == 4
    assert all(alone <= names for names in seen)


@every_class
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.untraced
def test_score_is_that_of_scoring(cls, weighted):
    X, y = data_for(cls)
    weights = {"sample_weight": np.linspace(1, 5, 60)} if weighted else {}
    default = cls([0.05], ridges=0, cv=3).fit(X, y)
    single = SINGLE[cls](0.05).fit(X, y)
    # As for the estimator of one alpha, and for LassoCV.
    assert default.score(X, y, **weights) == pytest.approx(single.score(X, y, **weights))
    scorings = ["neg_mean_squared_error", "neg_max_error"]
    if cls in CLASSIFIERS:
        scorings = ["neg_log_loss", "balanced_accuracy", "roc_auc_ovr"]
    elif weighted:
        scorings = ["neg_mean_squared_error", "explained_variance"]
    for scoring in scorings:
        y_ = y[:, 0] if scoring == "neg_max_error" else y
        model = cls([0.05], cv=3, scoring=scoring).fit(X, y_)
        assert model.score_name_ == scoring
        expected = get_scorer(scoring)(model, X, y_, **weights)
        assert model.score(X, y_, **weights) == pytest.approx(expected, rel=1e-12)


def test_score_is_that_of_grid_search():
    X, y = data_for(GroupLassoClassifierCV)
    ours = GroupLassoClassifierCV([0.05], cv=3, scoring="roc_auc_ovr").fit(X, y)
    theirs = GridSearchCV(GroupLassoClassifier(), {"alpha": [0.05]}, cv=3, scoring="roc_auc_ovr")
    assert ours.score(X, y) == pytest.approx(theirs.fit(X, y).score(X, y))


def test_score_takes_metadata_where_they_are_routed():
    X, y = data_for(GroupLassoRegressorCV)

    def power(y, predicted, exponent):
        return -float(np.mean(np.abs(y - predicted) ** exponent))

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(power).set_score_request(exponent=True)
        model = GroupLassoRegressorCV([0.1], cv=3, scoring=scorer).fit(X, y, exponent=2)
        expected = -mean_squared_error(y, model.predict(X))
        assert model.score(X, y, exponent=2) == pytest.approx(expected)
        default = GroupLassoRegressorCV([0.1], cv=3).fit(X, y)
        with pytest.raises(ValueError, match=r"score was given \['exponent'\], which reach"):
            default.score(X, y, exponent=2)
    with pytest.raises(ValueError, match=r"score was given \['exponent'\], which reach"):
        model.score(X, y, exponent=2)


def test_labels_that_a_model_does_not_know_have_no_log_loss():
    X, y = data_for(GroupLassoClassifierCV)
    model = GroupLassoClassifierCV([0.1], cv=3, scoring="neg_log_loss").fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[7\] that the model was not fitted to: give"):
        model.score(X, np.where(y == 2, 7, y))
    assert model.score(X, y[:, None]) == model.score(X, y)
