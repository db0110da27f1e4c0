"""Displays, one file each. They draw what was computed elsewhere."""

from shrinklin.display.cost import CostDisplay
from shrinklin.display.cv import CVDisplay
from shrinklin.display.front import FrontDisplay
from shrinklin.display.history import HistoryDisplay
from shrinklin.display.information import InformationCriterionDisplay
from shrinklin.display.layer_sizes import LayerSizesDisplay
from shrinklin.display.path import PathDisplay
from shrinklin.display.stability import StabilityDisplay
from shrinklin.display.summary import SummaryDisplay
from shrinklin.display.tradeoff import TradeoffDisplay

__all__ = [
    "CVDisplay",
    "CostDisplay",
    "FrontDisplay",
    "HistoryDisplay",
    "InformationCriterionDisplay",
    "LayerSizesDisplay",
    "PathDisplay",
    "StabilityDisplay",
    "SummaryDisplay",
    "TradeoffDisplay",
]
