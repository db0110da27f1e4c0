"""Decides for every solver whether the Gram matrix X'X replaces X.

With n samples and p features, the Gram matrix costs n p² multiply-adds once, and memory for p²
numbers. After that, the cost of a product does not depend on n.
"""

from scipy import sparse

# Up to this many features, the Gram matrix is formed for any n.
_SMALL = 1000
# With more features, a sparse X may fit in memory although the Gram matrix does not.
_LARGE = 10_000
# The Gram matrices of all folds may use up to this many times the memory of X.
_FOLDS_TO_X = 4


def takes_gram(n_samples, n_features):
    """Whether an exact solver uses the Gram matrix of all features."""
    return n_features <= max(_SMALL, min(n_samples, _LARGE))


def takes_gram_of_some(n_samples, n_features):
    """Whether an exact solver forms the Gram matrix of a working set, if not of all features."""
    return n_features <= n_samples


def takes_gram_to_train(n_samples, n_features):
    """Whether gradient training on all samples at once uses the Gram matrix."""
    return n_features <= min(n_samples, _LARGE)


def takes_gram_of_folds(X, n_folds):
    """Whether cross-validation may keep the Gram matrices of all training and held-out rows."""
    size = X.nnz if sparse.issparse(X) else X.size
    return 2 * n_folds * X.shape[1] ** 2 <= _FOLDS_TO_X * size


def gram_multiply_adds(shape, n_targets):
    """Multiply-adds of the products X'X and X'Y, for X of this shape."""
    n_samples, n_features = shape
    return n_samples * n_features * (n_features + n_targets)
