"""The function that solvers minimise: a smooth part f plus a penalty, and its certificate."""
