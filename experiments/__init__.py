"""The drafts' experiments, one module a figure: ``python -m experiments NAME``.

`experiment` says what an experiment is, `results` how its cells get into a CSV file that
survives a kill, `backends` where they are measured, `run` puts these together.
"""
