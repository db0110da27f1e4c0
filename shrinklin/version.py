"""The version, which models are pickled with."""

__version__ = "0.1.0"
