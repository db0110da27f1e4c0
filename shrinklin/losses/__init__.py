"""Losses of raw predictions, a file each."""
