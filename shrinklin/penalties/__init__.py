"""Penalties on a block of coefficients, a file each: value, prox, curvature, critical strength."""
