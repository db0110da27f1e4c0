"""Penalties on a block of coefficients, one file each: value, prox, critical strength."""
