"""Whether the Gram matrix X'X takes the place of X: decided here, for every solver.

For n samples and p features it costs n p² once, and memory for p² numbers. After that no product
depends on n.
"""

from scipy import sparse

# The Gram matrix of this many features is formed whatever n is.
_SMALL = 1000
# Above this many it would not fit where X, if sparse, does.
_LARGE = 10_000
# Those of all folds are worth their memory up to so many times that of X.
_FOLDS_TO_X = 4


def takes_gram(n_samples, n_features):
    """Whether an exact solver works on the Gram matrix of all features."""
    return n_features <= max(_SMALL, min(n_samples, _LARGE))


def takes_gram_of_some(n_samples, n_features):
    """Whether it forms that of a working set, if there is none of all features."""
    return n_features <= n_samples


def takes_gram_to_train(n_samples, n_features):
    """Whether gradient training on all samples at once works on it."""
    return n_features <= min(n_samples, _LARGE)


def takes_gram_of_folds(X, n_folds):
    """Whether cross-validation may keep those of the training and held-out rows of all folds."""
    size = X.nnz if sparse.issparse(X) else X.size
    return 2 * n_folds * X.shape[1] ** 2 <= _FOLDS_TO_X * size


def gram_multiply_adds(shape, n_targets):
    """Multiply-adds of the products X'X and X'Y of an X of that shape."""
    n_samples, n_features = shape
    return n_samples * n_features * (n_features + n_targets)
