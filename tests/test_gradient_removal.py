"""Which features gradient training removes, by every strategy, also one's own."""

import numpy as np
import pytest
from sklearn.base import is_classifier

from oracles import indicators_of
from problems import simulate
from shrinklin import (
    Annealing,
    Removal,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
    Threshold,
)
from trainings import (
    GROUP_LASSOS,
    SHRINKNETS,
    data_of,
    every_batch_size,
    every_estimator,
    every_shrinknet,
    fit,
    name_of,
    same_model,
)

REMOVALS = [Threshold(0.05), SignChange(), SignVariance(0.8), Annealing(4)]


@every_shrinknet
@every_batch_size
@pytest.mark.parametrize("removal", REMOVALS, ids=repr)
@pytest.mark.parametrize("groups", [None, [0, 1, 2, 3, 4, 5] * 2], ids=["features", "groups"])
def test_what_is_removed_is_zero_and_leaves_no_trace(estimator, batch_size, removal, groups):
    X, y = data_of(estimator)
    alpha = 0.2 if is_classifier(estimator) else 0.5
    setting = {"removal": removal, "groups": groups, "alpha": alpha}
    model = fit(estimator, X, y, batch_size=batch_size, **setting)
    support, n_alive = model.get_support(), model.history_["n_alive"]
    assert 0 < support.sum() < 12
    assert n_alive[0] == 12
    assert n_alive[-1] == support.sum()
    assert (np.diff(n_alive) <= 0).all()
    np.testing.assert_array_equal(model.switch_ != 0, support)
    np.testing.assert_array_equal(model.weight_.any(axis=0), support)
    np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    compact = X[:, support] @ model.coef_[:, support].T + model.intercept_
    whole = model.decision_function(X) if is_classifier(estimator) else model.predict(X)
    np.testing.assert_allclose(compact, whole, rtol=1e-12, atol=1e-12 * np.abs(whole).max())
    if groups is not None:
        assert (support[:6] == support[6:]).all()
        assert (model.switch_[:6] == model.switch_[6:]).all()


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
@pytest.mark.parametrize("removal", [Threshold(0.05), Annealing(4)], ids=repr)
def test_group_lasso_removes_by_norm(estimator, removal):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, removal=removal, alpha=0.2)
    assert 0 < model.get_support().sum() < 12
    # A feature may be zero without having been removed.
    assert model.get_support().sum() <= model.history_["n_alive"][-1] < 12
    assert not hasattr(model, "switch_")


@every_shrinknet
@every_batch_size
def test_sign_variance_between_sign_change_and_nothing(estimator, batch_size):
    def with_removal(removal):
        return fit(estimator, batch_size=batch_size, removal=removal, alpha=0.2)

    none, change = with_removal(None), with_removal(SignChange())
    assert same_model(with_removal(SignVariance(gamma=0)), change)
    assert same_model(with_removal(SignVariance(gamma=0.9999999)), none)
    assert none.history_["n_alive"][-1] == 12
    assert not same_model(change, none)


@every_estimator
@every_batch_size
def test_annealing_follows_its_schedule(estimator, batch_size):
    removal = Annealing(5, mu=3.0, pretrain=10)
    model = fit(estimator, batch_size=batch_size, removal=removal, max_epochs=60)
    expected = [removal.kept(12, e, 60) for e in range(61)]
    np.testing.assert_array_equal(model.history_["n_alive"], expected)
    if hasattr(model, "switch_"):  # the group lasso has further zeros
        assert model.get_support().sum() == 5


@every_estimator
def test_annealing_counts_groups(estimator):
    removal, groups = Annealing(2), np.repeat(["x", "y", "z", "t"], 3)
    model = fit(estimator, removal=removal, groups=groups, max_epochs=30)
    expected = [3 * removal.kept(4, e, 30) for e in range(31)]
    np.testing.assert_array_equal(model.history_["n_alive"], expected)
    assert len(set(groups[model.get_support()])) <= 2


class Everything(Removal):
    """Removes all switches."""

    def dead(self, watched):
        return np.ones(len(watched.gate), dtype=bool)


class Last(Removal):
    """Removes the last switch at every step."""

    def dead(self, watched):
        return np.arange(len(watched.gate)) == len(watched.gate) - 1


@every_estimator
@every_batch_size
@pytest.mark.parametrize("removal", [Threshold(1e9), Everything(), Annealing(2)], ids=repr)
def test_what_is_not_penalised_is_never_removed(estimator, batch_size, removal):
    omega = np.ones(12)
    omega[[7, 11]] = 0  # y does not depend on them
    model = fit(estimator, feature_weights=omega, removal=removal, batch_size=batch_size)
    np.testing.assert_array_equal(np.flatnonzero(model.get_support()), [7, 11])


@every_shrinknet
@pytest.mark.parametrize("removal", [SignChange(), SignVariance(0)], ids=repr)
def test_sign_changes_do_not_remove_what_is_not_penalised(estimator, removal):
    omega = np.arange(12) % 2
    models = [
        fit(estimator, feature_weights=w, removal=removal, alpha=0.3, batch_size=5)
        for w in (omega, np.ones(12))
    ]
    assert models[0].get_support()[omega == 0].all()
    assert not models[1].get_support()[omega == 0].all()


@pytest.mark.parametrize("seed", range(10))
def test_annealing_of_filters_ends_with_its_number_of_features(seed):
    omega = np.repeat([1, 0], [8, 4])
    X, Y = simulate(60, 12, 3)
    model = fit(
        ShrinkNetRegressor(0.5), X, Y, feature_weights=omega, gate="filter", random_state=seed,
        removal=Annealing(6), max_epochs=200,
    )  # fmt: skip
    assert model.history_["n_alive"][-1] == 6


@every_estimator
def test_a_strategy_of_ones_own(estimator):
    X, y = data_of(estimator)
    model = fit(estimator, X, y, removal=Last(), max_epochs=20)
    np.testing.assert_array_equal(model.history_["n_alive"], np.maximum(12 - np.arange(21), 0))
    assert not model.get_support().any()
    # Without features the intercept is still trained.
    longer = fit(estimator, X, y, removal=Last(), max_epochs=3000)
    mean = longer.predict_proba(X)[0] if is_classifier(estimator) else longer.predict(X)[0]
    Y = indicators_of(y) if is_classifier(estimator) else y
    np.testing.assert_allclose(mean, Y.mean(axis=0), atol=1e-3)


class Answers(Removal):
    """A strategy that gives a prepared answer."""

    def __init__(self, answer, memory=None):
        self.answer, self.memory = answer, memory

    def dead(self, watched):
        if self.memory is not None:
            watched.memory["n"] = self.memory
        return self.answer(watched)


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        (lambda w: (w.sizes < 0.1).astype(int), r"int64 of shape \(12,\)"),
        (lambda w: np.flatnonzero(w.sizes < 0.1), r"int64 of shape \(\d+,\)"),
        (lambda w: w.sizes[:3] < 0.1, r"bool of shape \(3,\)"),
        (lambda w: None, r"object of shape \(\)"),
    ],
    ids=["numbers", "positions", "too short", "nothing"],
)
def test_what_a_strategy_says_is_checked(answer, given):
    message = rf"Answers.dead returned {given}: it should return booleans of shape \(12,\)"
    with pytest.raises(ValueError, match=message):
        fit(SHRINKNETS[0], removal=Answers(answer))


def test_what_a_strategy_remembers_is_checked():
    removal = Answers(lambda w: np.arange(len(w.gate)) == 0, memory=1)
    with pytest.raises(ValueError, match=r"memory\['n'\] has shape \(\).*one entry per switch"):
        fit(SHRINKNETS[0], removal=removal)


def test_a_list_of_booleans_is_a_mask():
    removal = Answers(lambda w: [True] + [False] * (len(w.gate) - 1))
    assert fit(SHRINKNETS[0], removal=removal, max_epochs=5).get_support().sum() == 7


@pytest.mark.parametrize("estimator", GROUP_LASSOS, ids=name_of)
@pytest.mark.parametrize("removal", [SignChange(), SignVariance()], ids=repr)
def test_group_lasso_has_no_signs_to_follow(estimator, removal):
    with pytest.raises(
        ValueError, match=r"Sign.* follows the signs of switches, but the group lasso"
    ):
        fit(estimator, removal=removal)
