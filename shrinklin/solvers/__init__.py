"""Solvers: given an objective and a start, they return a `Solution`. They never warn or print."""
