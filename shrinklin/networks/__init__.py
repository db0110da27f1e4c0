"""Networks that shrink while they train.

Call `add_switches` on a model, make the optimiser, then a `Shrinker`. In the training loop, add
``shrinker.penalty()`` to the loss and call ``shrinker.step()`` after ``optimizer.step()``. `fold`
returns a plain network at the end, and `load_shrunk` loads one that was saved. `shrink_path` does
all of this itself, for several sizes.
"""

from shrinklin.messages import imported

# Before the modules below, which need torch: the error is to name the extra.
imported("torch", "shrinklin.networks", "networks")

from shrinklin.networks.folding import fold  # noqa: E402
from shrinklin.networks.gates import Columns, Filter, Gate, Mask, Switch  # noqa: E402
from shrinklin.networks.loading import load_shrunk  # noqa: E402
from shrinklin.networks.mlp.classifier import ShrinkNetMLPClassifier  # noqa: E402
from shrinklin.networks.mlp.cv import (  # noqa: E402
    ShrinkNetMLPClassifierCV,
    ShrinkNetMLPRegressorCV,
)
from shrinklin.networks.mlp.regressor import ShrinkNetMLPRegressor  # noqa: E402
from shrinklin.networks.path import ShrinkPath, shrink_path  # noqa: E402
from shrinklin.networks.placing import add_switches  # noqa: E402
from shrinklin.networks.shrinker import Shrinker  # noqa: E402
from shrinklin.networks.sparse import sparse_csr  # noqa: E402
from shrinklin.pruning.connections import ConnectionAnnealing  # noqa: E402

__all__ = [
    "Columns",
    "ConnectionAnnealing",
    "Filter",
    "Gate",
    "Mask",
    "ShrinkNetMLPClassifier",
    "ShrinkNetMLPClassifierCV",
    "ShrinkNetMLPRegressor",
    "ShrinkNetMLPRegressorCV",
    "ShrinkPath",
    "Shrinker",
    "Switch",
    "add_switches",
    "fold",
    "load_shrunk",
    "shrink_path",
    "sparse_csr",
]
