"""Networks with fully connected layers as scikit-learn estimators, for tables.

`base` has the order of a fit. `rows` standardises a table, `outputs` has the losses, `training`
the loop over epochs, and `layers` turns a trained network into a plain one and back.
"""
