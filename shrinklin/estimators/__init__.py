"""What users call: parameters, docstrings, input and output. No mathematics."""
