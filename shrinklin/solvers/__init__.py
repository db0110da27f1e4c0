"""Solvers: each takes an `Objective` and a start, and returns a `Solution`."""
