"""The conversions of docs/migration.md give the coefficients of other packages.

The `python` blocks of the page are run, and the functions that they define are tested here. The
objective of the other package, the peer, as its documentation states it, has its minimum at our
coefficients: this runs everywhere. And the peer itself finds the same coefficients, where it is
installed (`make bench-quick` makes .venv-bench with skglm, celer, adelie and group-lasso; glmnet
needs R). Both tests reject an alpha, and a ridge, that is wrong by a factor n, q, √q, 2 or √2.
"""

import numpy as np
import pytest

from migration_page import blocks, n, p, q, run, section
from peer_problems import CASES, objective, steepest_descent
from peers import folder_for_r, glmnet, need, peers_may_warn

pytestmark = pytest.mark.untraced

in_folder = pytest.fixture(folder_for_r)
# Factors by which a wrong conversion may be off.
WRONG = {
    "n": n,
    "1/n": 1 / n,
    "q": q,
    "1/q": 1 / q,
    "√q": np.sqrt(q),
    "1/√q": 1 / np.sqrt(q),
    "2": 2,
    "1/2": 1 / 2,
    "√2": np.sqrt(2),
    "1/√2": 1 / np.sqrt(2),
}


@pytest.mark.parametrize("name", CASES)
def test_our_coefficients_minimise_what_the_peer_documents(name):
    case = CASES[name]()
    W, b = case.solve()
    kept = W.any(axis=1).sum()
    assert 0 < kept < p
    assert steepest_descent(case, W, b) < 1e-6
    for wrong, factor in WRONG.items():
        assert steepest_descent(case, *case.solve(factor)) > 1e-3, wrong
        if case.ridge:
            assert steepest_descent(case, *case.solve(of_ridge=factor)) > 1e-3, wrong


@pytest.mark.parametrize("name", CASES)
def test_the_peer_finds_the_same_coefficients(name, in_folder):
    case = CASES[name]()
    with peers_may_warn():
        need(case.package)
        theirs, b = case.peer()
    ours, intercept = case.solve()
    scale = np.abs(ours).max()

    def same(W):
        return np.abs(theirs - W).max() <= case.accuracy * scale

    assert theirs.shape == ours.shape
    assert same(ours)
    assert b == pytest.approx(intercept, abs=50 * case.accuracy * max(1, np.abs(b).max()))
    least = objective(case, ours, intercept)
    assert objective(case, theirs, b) == pytest.approx(least, rel=max(10 * case.accuracy**2, 1e-10))
    for wrong, factor in WRONG.items():
        assert not same(case.solve(factor)[0]), wrong
        if case.ridge:
            assert not same(case.solve(of_ridge=factor)[0]), wrong


# The code blocks of the page, as they stand there.


@pytest.mark.parametrize(
    ("title", "package"),
    [("skglm", "skglm"), ("celer", "celer"), ("adelie", "adelie"), ("group-lasso", "group_lasso")],
)
def test_the_code_of_the_peer_gives_the_coefficients_of_ours(title, package, in_folder):
    text = section(title)
    with peers_may_warn():
        need(package)
        names = run(blocks("python")[0], *blocks("py", text), *blocks("python", text))
    assert names.ours.coef_.any()
    bound = (2e-3 if package == "group_lasso" else 1e-5) * np.abs(names.ours.coef_).max()
    assert np.abs(names.theirs - names.ours.coef_).max() <= bound


def test_the_code_in_r_gives_the_coefficients_of_ours(in_folder):
    text = section("glmnet")
    W, b = glmnet(*blocks("r", text))
    ours = run(blocks("python")[0], blocks("python", text)[0]).ours
    np.testing.assert_allclose(ours.coef_, W.T, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, b, atol=1e-4)
