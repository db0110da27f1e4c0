"""From an objective and a start to a `Solution`. Solvers never warn and never print."""
