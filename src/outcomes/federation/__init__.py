"""Fit one model over several studies that may not share rows: rounds of files, of which only sums can be read."""
