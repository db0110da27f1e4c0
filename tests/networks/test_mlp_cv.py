"""The choice of a network's size by cross-validation."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    make_scorer,
    max_error,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinklin.networks import ShrinkNetMLPClassifierCV, ShrinkNetMLPRegressorCV
from tests.networks.tables import linnerud, table_for, wine

SHORT = {"random_state": 0, "max_epochs": 12, "sizes": [60, 30], "cv": 3}
CVS = {
    "regressor": ShrinkNetMLPRegressorCV((12,), **SHORT),
    "classifier": ShrinkNetMLPClassifierCV((12,), **SHORT),
}
every_kind = pytest.mark.parametrize("kind", CVS)


def search(kind, **parameters):
    return clone(CVS[kind]).set_params(**parameters)


# The regressor has the same code.
@parametrize_with_checks(
    [ShrinkNetMLPClassifierCV((20,), max_epochs=20, sizes=1, cv=2, learning_rate=0.05)],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": "folds of repeated rows are others"
    },
)
def test_check_estimator(estimator, check):
    check(estimator)


@every_kind
def test_path_has_the_sizes_and_the_chosen_network_is_on_it(kind):
    X, y = table_for(kind)
    model = search(kind).fit(X, y)
    sizes = [each.n_parameters_ for each in model.path_]
    assert sizes[0] > sizes[1]
    assert all(n <= budget for n, budget in zip(sizes, (60, 30), strict=True))
    assert model.cv_scores_.shape == (2, 3)
    (chosen,) = (each for each in model.path_ if each.n_parameters_ == model.n_parameters_)
    np.testing.assert_array_equal(chosen.predict(X), model.predict(X))
    np.testing.assert_array_equal(chosen.get_support(), model.get_support())


@every_kind
def test_scores_are_those_of_networks_trained_on_the_other_rows(kind):
    """A front of the training rows of a fold alone has the same scores on the rest."""
    X, y = table_for(kind)
    train, test = next(KFold(3, shuffle=True, random_state=0).split(X))
    model = search(kind, cv=[(train, test)], selection="best").fit(X, y)
    # The second number that the generator draws is the seed of the fold.
    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=2)

    class Second(np.random.RandomState):
        def randint(self, *args, size=None, **kwargs):
            return seeds[::-1]

    alone = search(kind, cv=[(np.arange(len(train)), np.arange(3))], selection="best")
    alone.set_params(random_state=Second(0)).fit(X[train], y[train])
    metric = {
        "regressor": lambda each: -mean_squared_error(y[test], each.predict(X[test])),
        "classifier": lambda each: -log_loss(y[test], each.predict_proba(X[test])),
    }[kind]
    expected = [metric(each) for each in alone.path_]
    np.testing.assert_allclose(model.cv_scores_[:, 0], expected, rtol=1e-10)


@every_kind
def test_selection_follows_the_scores(kind):
    X, y = table_for(kind)
    model = search(kind, selection="best", sizes=4).fit(X, y)
    means = model.cv_scores_.mean(axis=1)
    sizes = [each.n_parameters_ for each in model.path_]
    assert model.n_parameters_ == sizes[means.argmax()]
    nearby = search(kind, selection="1se", sizes=4).fit(X, y)
    best = model.cv_scores_[means.argmax()]
    near = means >= best.mean() - best.std(ddof=1) / np.sqrt(3)
    assert nearby.n_parameters_ == min(n for n, ok in zip(sizes, near, strict=True) if ok)


@every_kind
def test_same_bits_for_any_number_of_workers(kind):
    X, y = table_for(kind)
    one, two = (search(kind, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_scores_, two.cv_scores_)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    assert vars(one.cost_) == vars(two.cost_)


def test_scoring_by_name_and_by_hand():
    X, y = wine()
    named = search("classifier", scoring="accuracy").fit(X, y)
    assert named.score_name_ == "accuracy"
    assert named.score(X, y) == accuracy_score(y, named.predict(X))

    def share(estimator, X, y):
        return np.mean(estimator.predict(X) == y)

    by_hand = search("classifier", scoring=share).fit(X, y)
    np.testing.assert_allclose(by_hand.cv_scores_, named.cv_scores_)
    assert by_hand.score_name_ == "score"
    X, Y = linnerud()
    model = search("regressor", sizes=[70, 40]).fit(X, Y)
    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))


def test_score_is_that_of_scoring():
    X, y = wine()
    model = search("classifier", scoring="neg_log_loss").fit(X, y)
    assert model.score(X, y) == pytest.approx(-log_loss(y, model.predict_proba(X)))


def test_groups_of_rows_reach_the_splitter():
    X, y = wine()
    owners = np.arange(len(y)) % 7
    given = search("classifier", cv=list(GroupKFold(3).split(X, y, owners))).fit(X, y)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = search("classifier", cv=GroupKFold(3).set_split_request(groups=True))
        routed.fit(X, y, groups=owners)
    np.testing.assert_array_equal(routed.cv_scores_, given.cv_scores_)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        search("classifier", cv=GroupKFold(3)).fit(X, y, groups=owners)


def test_a_scorer_without_weights_is_not_given_them_when_they_are_routed():
    X, y = linnerud()
    model = search("regressor", scoring="neg_max_error").fit(X, y[:, 0])
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = search("regressor", scoring=make_scorer(max_error))
        weighted.set_fit_request(sample_weight=True).fit(X, y[:, 0], np.ones(len(X)))
    np.testing.assert_array_equal(weighted.cv_scores_, -model.cv_scores_)


class Killed(Exception):
    pass


@every_kind
def test_a_killed_search_goes_on_with_the_folds_that_it_lacks(kind, tmp_path):
    X, y = table_for(kind)
    seen, front = [], type(CVS[kind])._front

    class Counting(type(CVS[kind])):
        def _front(self, network, budgets, seed, table):
            seen.append(len(table))
            if len(seen) == 3:
                raise Killed
            return front(self, network, budgets, seed, table)

    model = Counting((12,), **SHORT, memory=str(tmp_path))
    with pytest.raises(Killed):
        model.fit(X, y)
    model.fit(X, y)
    # All rows and one fold, the one that was killed, and the two that were lacking.
    assert len(seen) == 5
    whole = search(kind).fit(X, y)
    np.testing.assert_array_equal(model.cv_scores_, whole.cv_scores_)
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))
    assert vars(model.cost_) == vars(whole.cost_)
    model.set_params(alpha=0.001).fit(X, y)
    assert len(seen) == 9


def test_members_know_names_and_labels():
    X, y = wine()
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(13)])
    model = search("classifier").fit(frame, y)
    for member in model.path_:
        assert set(member.predict(frame)) <= set(y)
        assert list(member.get_feature_names_out()) == list(frame.columns[member.get_support()])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sizes": [5]}, "sizes=.5.: give numbers from 8"),
        ({"sizes": 0}, "sizes=0: give a whole number >= 1"),
        ({"sizes": 2.5}, "sizes=2.5: give a whole number, or a list"),
        ({"sizes": [50, 30.5]}, "an entry of sizes=30.5: give a whole number"),
        ({"selection": "worst"}, "selection='worst': give one of"),
        ({"scoring": 3}, "scoring=3: give one score"),
        ({"cv": 1}, "k-fold cross-validation requires at least one"),
        ({"learning_rate": -1}, "learning_rate=-1: give a finite number > 0"),
        ({"max_epochs": 1}, "max_epochs=1 is less than the number of sizes, 2"),
    ],
    ids=range(9),
)
def test_wrong_parameters_are_refused(parameters, message):
    X, y = wine()
    model = search("classifier", **parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "path_")
