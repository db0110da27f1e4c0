"""Which model the scores of cross-validation choose."""

import numpy as np

SELECTIONS = ("best", "1se", "sparsest")


def standard_errors(scores):
    """Standard errors of the mean scores over folds: from (n_alphas, n_folds) to (n_alphas,)."""
    return scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])


def choose(scores, n_selected, selection, max_features=None, paired=False):
    """The index of the chosen model. The parameter `selection` of the estimators explains it.

    Parameters
    ----------
    scores : ndarray of shape (n_models, n_folds)
        Larger is better. Of equal models, the first is chosen.
    n_selected : ndarray of shape (n_models,)
    selection : {"best", "1se", "sparsest"}
    max_features : int, default=None
        Models that keep more features are not chosen, unless all do.
    paired : bool, default=False
        With "1se", the difference to the best score must not exceed its own standard error either.
    """
    means = scores.mean(axis=1)
    if max_features is not None:
        means = np.where(n_selected <= max(max_features, n_selected.min()), means, -np.inf)
    best = int(means.argmax())
    if selection == "best":
        return best
    of_best = scores[[best]]
    slack = standard_errors(of_best)[0] if selection == "1se" else of_best.std(ddof=1)
    if paired and selection == "1se":
        slack = np.minimum(slack, standard_errors(scores - of_best))
    near = means >= means[best] - slack
    fewest = near & (n_selected == n_selected[near].min())
    return int(np.where(fewest, means, -np.inf).argmax())
