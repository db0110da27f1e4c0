"""Networks that shrink while they train."""

from shrinklin.messages import imported

imported("torch", "shrinklin.networks", "networks")

from shrinklin.networks.folding import fold  # noqa: E402
from shrinklin.networks.gates import Columns, Filter, Gate, Mask, Switch  # noqa: E402
from shrinklin.networks.loading import load_shrunk  # noqa: E402
from shrinklin.networks.placing import add_switches  # noqa: E402
from shrinklin.networks.shrinker import Shrinker  # noqa: E402

__all__ = [
    "Columns",
    "Filter",
    "Gate",
    "Mask",
    "Shrinker",
    "Switch",
    "add_switches",
    "fold",
    "load_shrunk",
]
