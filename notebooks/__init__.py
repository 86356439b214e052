"""Notebooks that ship with the package, for marimo; `outcomes notebook DIR` opens one on a study."""
