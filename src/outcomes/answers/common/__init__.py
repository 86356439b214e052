"""What several answers share: rows, fits, estimates, the risk set, simulated cohorts."""
