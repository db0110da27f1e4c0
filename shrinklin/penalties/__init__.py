"""Penalties on a block of coefficients, a file each."""
