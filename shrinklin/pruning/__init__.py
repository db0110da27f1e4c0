"""Removal of features, or of units of a network, while a model trains: numpy only."""
