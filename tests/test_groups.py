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
    np.testing.assert_allclose(groups.weights, np.sqrt([3, 2, 1]))


def test_labels_are_told_apart_by_what_they_are():
    assert len(Groups.from_labels(3, [1, "1", 2])) == 3
    assert len(Groups.from_labels(3, [(0, 1), (0, 2), (0, 1)])) == 2


def test_sums_norms_and_features_against_loops():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, size=10)
    groups = Groups.from_labels(10, labels)
    W = rng.normal(size=(10, 3))[groups.order]
    of = labels[groups.order]
    names = list(dict.fromkeys(labels))
    blocks = [W[of == label] for label in names]
    np.testing.assert_allclose(groups.norms(W), [np.linalg.norm(b) for b in blocks])
    np.testing.assert_allclose(groups.sum(W), [b.sum(axis=0) for b in blocks])
    np.testing.assert_array_equal(groups.spread(np.array(names)), of)
    np.testing.assert_array_equal(groups.features([1, 2]), np.flatnonzero(np.isin(of, names[1:3])))


def test_restrict_keeps_sizes_and_weights():
    groups = Groups.from_labels(6, [0, 0, 1, 2, 2, 2])
    part = groups.restrict(np.array([0, 2]))
    np.testing.assert_array_equal(part.sizes, [2, 3])
    np.testing.assert_array_equal(part.weights, groups.weights[[0, 2]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 1]}, "groups has 2 labels, but X has 3 features"),
        ({"labels": np.array([[0, 1, 2]])}, r"groups has shape \(1, 3\)"),
        ({"labels": [[0], [1], [2]]}, "are not labels: give one label per feature"),
        ({"labels": 5}, "groups=5 are not labels"),
        ({"labels": [0, 1, np.nan]}, "groups contains None or NaN"),
        ({"labels": [0, 1, None]}, "groups contains None or NaN"),
        ({"feature_weights": [1, 2]}, r"feature_weights has shape \(2,\), but X has 3 features"),
        ({"feature_weights": [1, 2, -1]}, "negative"),
        ({"feature_weights": [1, 2, np.inf]}, "infinite"),
        ({"feature_weights": ["a", "b", "c"]}, "not numeric"),
        ({"labels": [0, 0, 1], "feature_weights": [1, 2, 3]}, "differ within a group"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Groups.from_labels(3, **arguments)
