"""The drafts' experiments: ``python -m experiments NAME``.

Each experiment has a module or a folder of its own. `experiment` defines what an experiment
is, `results` writes its cells into a CSV file that survives a kill, `backends` says where
cells are measured, and `run` puts these together.
"""
