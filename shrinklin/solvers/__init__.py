"""Solvers: from an objective and a start to a `Solution`. They never warn and never print."""
