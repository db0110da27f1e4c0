"""Objectives for the tests of what lies below the estimators."""

import numpy as np

from shrinklin import CoordinateDescent
from shrinklin.groups import Groups
from shrinklin.objective import Objective
from shrinklin.penalties import GroupLasso


def build(X, Y, penalty=None, strength=1.0, labels=None, weights=None, gram="auto", **options):
    """The objective of (X, Y); `share` sets the strength to a share of its maximum."""
    groups = Groups.from_labels(X.shape[1], labels, weights)
    s = options.get("sample_weight", np.ones(len(Y)))
    fit_intercept = options.get("fit_intercept", True)
    quadratic = CoordinateDescent(gram).quadratic(X, Y, s, groups.order, fit_intercept)
    objective = Objective(quadratic, penalty or GroupLasso(), groups, strength)
    share = options.get("share")
    return objective if share is None else objective.at(share * objective.strength_max())


def solve(objective, W=None, gram="auto", tol=1e-9, max_iter=10_000):
    W = np.zeros(objective.shape) if W is None else W
    return CoordinateDescent(gram).solve(objective, W, tol=tol, max_iter=max_iter)
