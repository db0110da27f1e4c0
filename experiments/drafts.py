"""What the drafts' experiments have in common (sections 5.1 and 5.2).

The drafts average the squared error over samples and targets, and give λ and λ₂ for that; the
toolkit halves it and sums over targets. So alpha and weight_decay are λ and λ₂ times `scale`,
and losses of the toolkit are divided by `scale`. The log-loss is a mean in both.
"""

from shrinklin import ShrinkNetClassifier, ShrinkNetRegressor

WEIGHT_DECAY = 1e-8
# The drafts give a range, 10^-1.2 to 10^-1.95; this rate is within it.
LEARNING_RATE = 0.05
# A feature counts as left out if all its weights are below this in absolute value.
NEGLIGIBLE = 1e-3


def scale(y):
    """The toolkit's loss divided by the drafts', for these targets or labels.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets), or (n_samples,) of labels
    """
    return y.shape[1] / 2 if y.ndim == 2 else 1.0


def shrinknet(y):
    """The ShrinkNet estimator for these targets or labels."""
    return ShrinkNetRegressor if y.ndim == 2 else ShrinkNetClassifier
