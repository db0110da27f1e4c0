"""All experiments, by the name that the command line takes."""

from experiments.cpna_uci import CpnaUci
from experiments.early_pruning import EarlyPruning
from experiments.landscape import Landscape
from experiments.network_features import NetworkFeatures
from experiments.time_vs_cost import TimeVsCost
from experiments.tradeoff import Tradeoff
from experiments.xor import Xor

_ALL = (Tradeoff(), EarlyPruning(), TimeVsCost(), Xor(), Landscape(), CpnaUci(), NetworkFeatures())
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}
