"""Gradient training of linear models, with features that leave on the way."""
