"""The researcher's door: a study as an object, its releases, tables, fits and pictures."""
