"""Planted faults: rows, files and oddities, each with its truth."""
