"""Penalties on blocks of coefficients: value, prox, curvature, critical strength; one file each."""
