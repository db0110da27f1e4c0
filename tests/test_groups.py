import numpy as np
import pytest

from shrinklin.groups import Groups


def test_singletons_by_default():
    groups = Groups.from_labels(4)
    assert groups.singletons
    assert len(groups) == 4
    np.testing.assert_array_equal(groups.weights, np.ones(4))


def test_labels_of_any_kind_sort_into_contiguous_groups():
    labels = ["b", "a", "b", "c", "a", "b"]
    groups = Groups.from_labels(6, labels)
    in_order = np.array(labels)[groups.order]
    for start, stop in zip(groups.ptr[:-1], groups.ptr[1:], strict=True):
        assert len(set(in_order[start:stop])) == 1
    assert len(groups) == 3
    np.testing.assert_allclose(groups.weights, np.sqrt([2, 3, 1]))


def test_sums_norms_and_features_against_loops():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, size=10)
    groups = Groups.from_labels(10, labels)
    W = rng.normal(size=(10, 3))[groups.order]
    of = np.sort(labels)
    blocks = [W[of == label] for label in np.unique(labels)]
    np.testing.assert_allclose(groups.norms(W), [np.linalg.norm(b) for b in blocks])
    np.testing.assert_allclose(groups.sum(W), [b.sum(axis=0) for b in blocks])
    np.testing.assert_array_equal(
        groups.spread(np.arange(len(groups))), np.unique(of, return_inverse=True)[1]
    )
    np.testing.assert_array_equal(
        groups.features([1, 2]), np.flatnonzero((of == np.unique(of)[1]) | (of == np.unique(of)[2]))
    )


def test_restrict_keeps_sizes_and_weights():
    groups = Groups.from_labels(6, [0, 0, 1, 2, 2, 2])
    part = groups.restrict(np.array([0, 2]))
    np.testing.assert_array_equal(part.sizes, [2, 3])
    np.testing.assert_array_equal(part.weights, groups.weights[[0, 2]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 1]}, r"groups has shape \(2,\), X has 3 features"),
        ({"labels": [[0, 1, 2]]}, r"groups has shape \(1, 3\)"),
        ({"labels": [0, 1, np.nan]}, "groups contains NaN"),
        ({"feature_weights": [1, 2]}, r"feature_weights has shape \(2,\), X has 3 features"),
        ({"feature_weights": [1, 2, -1]}, "negative"),
        ({"feature_weights": [1, 2, np.inf]}, "infinite"),
        ({"feature_weights": ["a", "b", "c"]}, "not numeric"),
        ({"labels": [0, 0, 1], "feature_weights": [1, 2, 3]}, "differ within a group"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Groups.from_labels(3, **arguments)
