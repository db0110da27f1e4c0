"""Removal of units during training, for linear models and networks. Arrays are NumPy's."""
