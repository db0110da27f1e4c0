"""All experiments, by the name that the command line takes."""

from experiments.authors_runs import AuthorsRuns
from experiments.cpna import Cpna
from experiments.cpna_uci import CpnaUci
from experiments.early_pruning import EarlyPruning
from experiments.early_removal_networks import EarlyRemovalNetworks
from experiments.inference import Inference
from experiments.landscape import Landscape
from experiments.layer_sizes import LayerSizes
from experiments.network_features import NetworkFeatures
from experiments.network_landscape import NetworkLandscape
from experiments.random_search import RandomSearch
from experiments.time_vs_cost import TimeVsCost
from experiments.tradeoff import Tradeoff
from experiments.xor import Xor

LINEAR = (Tradeoff(), EarlyPruning(), TimeVsCost(), Xor(), Landscape())
# First those of the ShrinkNets draft, then those of CPNA.
NETWORKS = (
    *(RandomSearch(), AuthorsRuns(), Inference(), LayerSizes(), EarlyRemovalNetworks()),
    *(NetworkLandscape(), Cpna(), CpnaUci(), NetworkFeatures()),
)
EXPERIMENTS = {experiment.name: experiment for experiment in (*LINEAR, *NETWORKS)}
