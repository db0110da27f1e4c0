"""What docs/migration.md says of other packages, apart from the conversions of alpha."""

import importlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, MultiTaskLassoCV, Ridge

from migration_page import CLASSES, PAGE, X, Y, n
from peer_problems import (
    GROUPED,
    LABELS,
    ROOTS,
    Case,
    classifier,
    l1,
    objective,
    regressor,
    rows_of,
    squared,
    steepest_descent,
)
from peers import NEW_NAMES, folder_for_r, glmnet, need, peers_may_warn
from shrinklin import ShrinkNetRegressor

pytestmark = pytest.mark.untraced

in_folder = pytest.fixture(folder_for_r)


def test_a_standardised_response_is_that_of_glmnet(in_folder):
    arguments = 'y, family = "mgaussian", lambda = 0.1, standardize.response = TRUE'
    W, b = glmnet(arguments)
    np.testing.assert_allclose(PAGE.coef, W.T, atol=1e-5)
    np.testing.assert_allclose(PAGE.intercept, b, atol=1e-4)
    unscaled, _ = glmnet(arguments.replace("TRUE", "FALSE"))
    assert np.abs(PAGE.coef - unscaled.T).max() > 1e-2


def test_a_standardised_response_is_fitted_in_its_own_deviations():
    """Our coefficients minimise the objective of glmnet on y / sd(y); this needs no glmnet."""
    sd = Y.std(axis=0)
    W, b = PAGE.coef.T / sd, PAGE.intercept / sd
    rows = rows_of(norms=X.std(axis=0), alpha=0.1)
    case = Case("glmnet", regressor(0.1), Y / sd, squared(Y / sd, 1 / (2 * n)), *rows, None)
    assert steepest_descent(case, W, b) < 1e-5
    assert steepest_descent(case, W * sd, b * sd) > 1e-2


def test_without_l1_it_is_ridge_regression():
    ours = regressor(**PAGE.of_elastic_net(0.5, 0), tol=1e-12).fit(X, Y)
    theirs = Ridge(alpha=0.5 * n).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)


def test_logistic_regression_without_l1_may_have_many_classes():
    strength = PAGE.alpha_of_C(0.5, n)
    ours = classifier(**PAGE.of_elastic_net(strength, 0), tol=1e-10).fit(X, CLASSES)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=100_000).fit(X, CLASSES)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


def test_cross_validation_is_that_of_scikit_learn():
    name = "alphas" if NEW_NAMES else "n_alphas"
    theirs = MultiTaskLassoCV(**{name: 6}, eps=0.01, cv=4, tol=1e-10, max_iter=100_000).fit(X, Y)
    ours = PAGE.GroupLassoRegressorCV(6, eps=0.01, cv=4, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(-ours.cv_scores_, theirs.mse_path_, rtol=1e-6)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)


def test_liblinear_penalises_its_intercept():
    ours = classifier(PAGE.alpha_of_C(0.5, n), tol=1e-10).fit(X, CLASSES > 0)
    saga = l1(0.5).fit(X, CLASSES > 0)
    liblinear = l1(0.5).set_params(solver="liblinear").fit(X, CLASSES > 0)
    assert saga.intercept_ == pytest.approx(ours.intercept_, rel=1e-4)
    assert liblinear.intercept_ != pytest.approx(ours.intercept_, rel=0.1)


def step_of_group_lasso(W, reg, length=0.01):
    """One step of its iteration on centred data, with half the gradient, as in its source."""
    centred = X - X.mean(axis=0)
    Z = W - length * 0.5 * centred.T @ (centred @ W - (Y - Y.mean(axis=0))) / n
    for members, root in zip(GROUPED, ROOTS, strict=True):
        norm = np.linalg.norm(Z[members])
        Z[members] *= max(0, 1 - length * reg * root / norm)
    return Z


def test_group_lasso_takes_half_a_gradient():
    reg = 0.25
    for alpha, stays in [(PAGE.alpha_of_group_lasso(reg), True), (reg, False)]:
        W = regressor(alpha, groups=LABELS, tol=1e-12).fit(X, Y).coef_.T
        moved = np.abs(step_of_group_lasso(W, reg) - W).max()
        assert (moved < 1e-10) == stays


def test_group_lasso_does_not_minimise_its_own_loss():
    with peers_may_warn():
        need("group_lasso")
        from group_lasso import GroupLasso

        options = {"group_reg": 0.25, "l1_reg": 0, "supress_warning": True, "random_state": 0}
        peer = GroupLasso(groups=LABELS, tol=1e-7, n_iter=10_000, **options).fit(X, Y)
    W, b = peer.coef_, np.reshape(peer.intercept_, -1)
    documented = Case(
        "group_lasso", None, Y, squared(Y, 1 / (2 * n)), GROUPED, 0.25 * ROOTS, peer=None
    )
    assert objective(documented, W, b) == pytest.approx(peer.loss(X, Y))
    model = regressor(0.25, groups=LABELS).fit(X, Y)
    assert model.objective_ < 0.999 * peer.loss(X, Y)


@pytest.mark.parametrize(("p_of_ours", "power", "name"), [(2, 2 / 3, "L2_3"), (1, 1 / 2, "L0_5")])
def test_shrinknet_of_one_target_has_the_penalty_of_skglm(p_of_ours, power, name):
    y, alpha = Y[:, 0], 0.3

    def value(model):
        penalty = (np.abs(model.coef_) ** power).sum()
        return ((y - model.predict(X)) ** 2).mean() / 2 + alpha * penalty

    ours = ShrinkNetRegressor(alpha, p=p_of_ours, tol=1e-10).fit(X, y)
    assert value(ours) == pytest.approx(ours.objective_)
    with peers_may_warn():
        need("skglm")
        skglm = importlib.import_module("skglm")
        penalty = getattr(importlib.import_module("skglm.penalties"), name)(alpha)
        solver = importlib.import_module("skglm.solvers").AndersonCD(
            tol=1e-8, max_iter=1000, ws_strategy="fixpoint"
        )
        quadratic = importlib.import_module("skglm.datafits").Quadratic()
        theirs = skglm.GeneralizedLinearEstimator(quadratic, penalty, solver).fit(X, y)
    # The problem is not convex: skglm finds a local minimum, at best the same.
    assert value(ours) <= value(theirs) * (1 + 1e-8)


def test_adelie_leaves_the_end_of_a_path_out(in_folder):
    with peers_may_warn():
        need("adelie")
        import adelie

        glm = adelie.glm.gaussian(y=X[:, 0].copy(), dtype=np.float64)
        lmdas = np.geomspace(1, 1e-4, 20)
        states = [
            adelie.grpnet(
                np.asfortranarray(X), glm, lmda_path=lmdas, early_exit=exits, progress_bar=False
            )
            for exits in (True, False)
        ]
    assert len(states[0].lmdas) < len(states[1].lmdas) == 20
