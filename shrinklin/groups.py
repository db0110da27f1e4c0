"""Partition of the features into groups, each penalised as one block.

Convention: inside the package, features are sorted so that every group is a
contiguous slice, ``ptr[g]:ptr[g + 1]``. `Groups.order` maps this internal order to
the user's columns: internal row i is the user's feature ``order[i]``.
"""

from dataclasses import dataclass

import numpy as np

from shrinklin.validation.entries import is_missing, real_array


@dataclass(frozen=True)
class Groups:
    """Contiguous groups of features with one penalty weight each.

    Attributes
    ----------
    order : ndarray of shape (n_features,)
        Index of the user's feature at every internal position.
    ptr : ndarray of shape (n_groups + 1,)
        Boundaries of the groups in the internal order.
    weights : ndarray of shape (n_groups,)
        ω_g ≥ 0.
    """

    order: np.ndarray
    ptr: np.ndarray
    weights: np.ndarray

    @classmethod
    def from_labels(cls, n_features, labels=None, feature_weights=None):
        """Build from one label and one weight per feature.

        Without labels, every feature is its own group with ω = 1. With labels,
        ω_g = √(number of features in g). `feature_weights` replaces these weights.
        """
        codes = np.arange(n_features) if labels is None else _group_codes(labels, n_features)
        order = np.argsort(codes, kind="stable")
        sizes = np.bincount(codes, minlength=1)
        ptr = np.concatenate([[0], np.cumsum(sizes)])
        if feature_weights is None:
            weights = np.sqrt(sizes) if labels is not None else np.ones(len(sizes))
        else:
            weights = _group_weights(feature_weights, order, ptr)
        return cls(order, ptr, weights.astype(float))

    def __len__(self):
        return len(self.weights)

    @property
    def sizes(self):
        return np.diff(self.ptr)

    @property
    def singletons(self):
        return len(self.order) == len(self)

    def sum(self, rows):
        """Sum of `rows` (n_features, ...) over every group."""
        return rows if self.singletons else np.add.reduceat(rows, self.ptr[:-1])

    def spread(self, values):
        """`values` (n_groups,) repeated for every feature of the group."""
        return values if self.singletons else np.repeat(values, self.sizes)

    def norms(self, W):
        """Frobenius norm of every block of W (n_features, n_targets)."""
        return np.sqrt(self.sum(np.einsum("jt,jt->j", W, W)))

    def features(self, members):
        """Internal positions of the features of the groups `members`."""
        if self.singletons:
            return np.asarray(members)
        slices = [np.arange(self.ptr[g], self.ptr[g + 1]) for g in members]
        return np.concatenate(slices) if slices else np.empty(0, dtype=int)

    def restrict(self, members):
        """Only the groups `members`, over their own features."""
        if self.singletons:
            ptr = np.arange(len(members) + 1)
        else:
            ptr = np.concatenate([[0], np.cumsum(self.sizes[members])])
        return Groups(np.arange(ptr[-1]), ptr, self.weights[members])


def _group_codes(labels, n_features):
    wanted = f"give one label per feature, {n_features} in all: numbers, strings or tuples."
    if hasattr(labels, "shape") and np.ndim(labels) > 1:
        raise ValueError(f"groups has shape {labels.shape}: {wanted}")
    codes: dict = {}
    try:
        labels = list(labels)
        owners = [codes.setdefault(label, len(codes)) for label in labels]
    except TypeError as error:
        raise ValueError(f"groups={labels!r} are not labels: {wanted}") from error
    if len(labels) != n_features:
        raise ValueError(
            f"groups has {len(labels)} labels, but X has {n_features} features: {wanted}"
        )
    if any(map(is_missing, codes)):
        raise ValueError(
            "groups contains None or NaN: every feature needs a label. Give a feature that belongs "
            "to no group a label of its own."
        )
    return np.array(owners, dtype=int)


def _group_weights(feature_weights, order, ptr):
    try:
        per_feature = real_array(feature_weights)
    except ValueError as error:
        raise ValueError(
            f"feature_weights={feature_weights!r} is not numeric ({error}): give one finite "
            "weight >= 0 per feature."
        ) from error
    if per_feature.shape != order.shape:
        raise ValueError(
            f"feature_weights has shape {per_feature.shape}, but X has {len(order)} features: give "
            f"one weight per feature, an array of shape ({len(order)},)."
        )
    if not np.isfinite(per_feature).all() or (per_feature < 0).any():
        raise ValueError(
            "feature_weights contains a negative, infinite or NaN entry: give finite weights >= 0 "
            "(0 leaves the feature unpenalised)."
        )
    per_feature = per_feature[order]
    weights = per_feature[ptr[:-1]]
    if not np.array_equal(np.repeat(weights, np.diff(ptr)), per_feature):
        raise ValueError(
            "feature_weights differ within a group: a group is penalised as one "
            "block, so give all its features the same weight."
        )
    return weights
