"""What a fit minimises: formulation × task × groups."""
