"""Losses of raw predictions, one file each."""
