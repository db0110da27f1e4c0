"""The objective that solvers minimise: a smooth part f plus a penalty, and the duality gap."""
