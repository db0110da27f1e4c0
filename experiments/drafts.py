"""What the drafts' settings have in common (design of their experiments, sections 5.1 and 5.2).

They average the squared error over samples and targets, and give λ and λ₂ for that; the
toolkit halves it and sums over targets. So alpha and weight_decay are λ and λ₂ times `scale`,
and losses of the toolkit are divided by it. The log-loss is a mean in both.
"""

from shrinklin import ShrinkNetClassifier, ShrinkNetRegressor

WEIGHT_DECAY = 1e-8
# They give rates from 10^-1.2 to 10^-1.95; this is one of them.
LEARNING_RATE = 0.05
# A feature all of whose weights are below, in absolute value, counts as left out.
NEGLIGIBLE = 1e-3


def scale(y):
    """The toolkit's loss of these targets or labels, in units of the drafts'.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets), or (n_samples,) of labels
    """
    return y.shape[1] / 2 if y.ndim == 2 else 1.0


def shrinknet(y):
    """The ShrinkNet estimator for these targets or labels."""
    return ShrinkNetRegressor if y.ndim == 2 else ShrinkNetClassifier
