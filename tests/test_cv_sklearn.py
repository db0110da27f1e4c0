"""Cross-validation in scikit-learn: its checks, searches, pipelines and metadata."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import (
    make_scorer,
    mean_squared_error,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from searches import SINGLE, data_for, every_class
from shrinklin import (
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    ShrinkNetClassifierCV,
)


@pytest.mark.parametrize("estimator", [cls(alphas=2, eps=0.1, cv=2) for cls in SINGLE], ids=repr)
@pytest.mark.filterwarnings(
    "ignore:No features were selected", "ignore:.*Further steps no longer change"
)
@pytest.mark.untraced
def test_check_estimator(estimator):
    if isinstance(estimator, GroupLassoClassifierCV):
        estimator.set_params(ridges=0.03)
    if isinstance(estimator, ShrinkNetClassifierCV):
        estimator.set_params(alphas=1, ridges=0.0)  # more would take a minute
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


@pytest.mark.filterwarnings("ignore:Scoring failed")
@every_class
@pytest.mark.untraced
def test_searches_of_scikit_learn_work(cls):
    X, y = data_for(cls, 120, 5)
    alphas = list(np.geomspace(1, 0.05, 3))
    single = make_pipeline(StandardScaler(), SINGLE[cls]())
    grid = {f"{cls._single.__name__.lower()}__alpha": alphas}
    searches = [
        GridSearchCV(single, grid, cv=3),
        RandomizedSearchCV(single, grid, n_iter=2, cv=3, random_state=0),
        HalvingGridSearchCV(single, grid, cv=3, random_state=0, min_resources=60),
    ]
    chosen = [next(iter(search.fit(X, y).best_params_.values())) for search in searches]
    assert set(chosen) <= set(alphas)
    assert searches[0].best_score_ == max(searches[0].cv_results_["mean_test_score"])


def test_in_a_pipeline_and_a_search():
    X, Y = data_for(GroupLassoRegressorCV)
    pipeline = make_pipeline(StandardScaler(), GroupLassoRegressorCV(alphas=4))
    search = GridSearchCV(pipeline, {"grouplassoregressorcv__selection": ["best", "1se"]}, cv=2)
    assert search.fit(X, Y).best_estimator_[-1].cv_scores_.shape == (4, 5)


def test_groups_of_rows_reach_the_splitter():
    X, Y = data_for(GroupLassoRegressorCV)
    owners = np.arange(60) % 7
    model = GroupLassoRegressorCV(alphas=3, cv=list(GroupKFold(3).split(X, Y, owners))).fit(X, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        cv = GroupKFold(3).set_split_request(groups=True)
        routed = GroupLassoRegressorCV(alphas=3, cv=cv).fit(X, Y, groups=owners)
        with pytest.raises(Exception, match="clusters"):
            GroupLassoRegressorCV(alphas=3, cv=cv).fit(X, Y, clusters=owners)
    np.testing.assert_array_equal(routed.cv_scores_, model.cv_scores_)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        GroupLassoRegressorCV(alphas=3, cv=GroupKFold(3)).fit(X, Y, groups=owners)


def test_metadata_of_every_kind_are_cut_to_the_rows():
    X, Y = data_for(GroupLassoRegressorCV)
    seen = []

    def score(estimator, X, y, *, frame, table, names, word):
        del estimator, y
        seen.append((len(frame), table.shape, len(names), word))
        assert list(frame["row"]) == list(names) == list(table.toarray()[:, 0])
        return float(len(X))

    scorer = make_scorer(mean_squared_error)
    scorer.__class__ = type(
        "Recording", (type(scorer),), {"__call__": lambda _, *args, **kw: score(*args, **kw)}
    )
    metadata = {
        "frame": pd.DataFrame({"row": np.arange(60)}, index=np.arange(60)[::-1]),
        "table": sparse.csc_array(np.arange(60)[:, None]),
        "names": list(range(60)),
        "word": "x" * 60,
    }
    with sklearn.config_context(enable_metadata_routing=True):
        scorer.set_score_request(**dict.fromkeys(metadata, True))
        GroupLassoRegressorCV(alphas=1, cv=3, scoring=scorer).fit(X, Y, **metadata)
    assert seen == [(20, (20, 1), 20, "x" * 60)] * 3


KINDS = {
    "frame": lambda X: pd.DataFrame(X, columns=list("abcdef"), index=np.arange(len(X))[::-1]),
    "array": np.asarray,
    "list": np.ndarray.tolist,
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
}


def of_kind(kind, data):
    """The data as an array, to compare them."""
    return data.toarray() if sparse.issparse(data) else np.asarray(data)


class SeesRows(KFold):
    """A splitter that keeps the data that it is given."""

    seen: list

    def split(self, X, y=None, groups=None):
        self.seen.append((X, y))
        return super().split(X, y, groups)


@every_class
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.untraced
def test_scorers_and_splitters_see_the_data_as_they_were_given(cls, kind):
    X, y = data_for(cls, 30, 6)
    X = KINDS[kind](X)
    if kind == "frame":
        y = pd.Series(y if y.ndim == 1 else y[:, 0], index=X.index, name="y")
    elif kind == "list":
        y = y.tolist()
    seen: list = []

    def score(model, X, y):
        seen.append((X, y))
        return float(np.sum(of_kind(kind, model.predict(X)) == 0))

    cv = SeesRows(3)
    for search in (
        cls([0.05], ridges=0, cv=cv, scoring=score),
        GridSearchCV(SINGLE[cls](), {"alpha": [0.05]}, cv=cv, scoring=score, refit=False),
    ):
        cv.seen = []
        search.fit(X, y)
        assert cv.seen[0][0] is X or (search.__class__ is GridSearchCV and kind == "csc")
        assert cv.seen[0][1] is y
    ours, theirs = seen[:3], seen[3:]
    assert len(theirs) == 3
    for (X, y), (their_X, their_y) in zip(ours, theirs, strict=True):
        assert (type(X), type(y)) == (type(their_X), type(their_y))
        np.testing.assert_array_equal(of_kind(kind, X), of_kind(kind, their_X))
        np.testing.assert_array_equal(y, their_y)
        if kind == "frame":
            pd.testing.assert_frame_equal(X, their_X)
            pd.testing.assert_series_equal(y, their_y)
