"""Losses of raw predictions, one file per kind of loss."""
