"""Data as solvers see them: one view of X, moments, and readers of files."""
