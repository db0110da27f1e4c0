"""Gradient training of linear models, with removal of features while it runs."""
