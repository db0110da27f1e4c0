"""What the experiments measure with networks: the only part of them that needs torch."""

from shrinklin.messages import imported


def check_torch(name):
    """Raise an ImportError that says what to install if an experiment finds no torch."""
    imported("torch", f"The experiment {name}", "networks")
