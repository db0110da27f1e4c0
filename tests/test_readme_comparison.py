"""What the README says that scikit-learn's `MultiTaskLasso` can do, and since which release."""

import re
from pathlib import Path

import pytest
from scipy import sparse
from sklearn.linear_model import Lasso, MultiTaskLasso, MultiTaskLassoCV

from migration_page import WEIGHTS, X, Y, p, q
from peers import SINCE_1_9, defaults_of
from shrinklin import GroupLassoRegressor

pytestmark = pytest.mark.untraced


def takes(fit, *data, **options):
    try:
        fit(*data, **options)
    except (TypeError, ValueError):
        return False
    return True


def stated(row):
    """What the README's table says of scikit-learn in this row."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    table = text.split("## What it does that scikit-learn does not")[1]
    return re.search(rf"^\| {re.escape(row)} \| (.*?) \|", table, flags=re.MULTILINE)[1]


@pytest.mark.parametrize("peer", [MultiTaskLasso, MultiTaskLassoCV])
def test_multi_task_lasso_takes_weights_and_sparse_data_since_it_is_said_to(peer):
    weighted = takes(peer().fit, X, Y, sample_weight=WEIGHTS)
    on_sparse = takes(peer().fit, sparse.csr_array(X), Y)
    assert stated("`sample_weight`, sparse X") == "since 1.9"
    assert (weighted, on_sparse) == (SINCE_1_9, SINCE_1_9)
    for data in (X, sparse.csr_array(X)):
        assert takes(GroupLassoRegressor().fit, data, Y, sample_weight=WEIGHTS)


def test_multi_task_lasso_lacks_what_it_is_said_to_lack():
    assert stated("1-D y") == "another class, `Lasso`"
    assert not takes(MultiTaskLasso().fit, X, Y[:, 0])
    assert takes(Lasso().fit, X, Y[:, 0])
    assert takes(GroupLassoRegressor().fit, X, Y[:, 0])
    assert stated("a path") == "`MultiTaskLasso.path`, without intercepts"
    alphas, coefs, gaps = MultiTaskLasso.path(X, Y, alphas=[1.0, 0.5])
    assert (len(alphas), coefs.shape, gaps.shape) == (2, (q, p, 2), (2,))
    names = defaults_of(MultiTaskLasso) | defaults_of(MultiTaskLasso.fit)
    assert not {"groups", "feature_weights", "weights", "penalty_factor"} & set(names)
    found = MultiTaskLasso().fit(X, Y)
    assert hasattr(found, "dual_gap_")
    assert not {"get_support", "transform", "partial_fit"} & set(dir(found))
