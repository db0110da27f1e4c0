"""Displays, one file each. They draw what was computed elsewhere."""
