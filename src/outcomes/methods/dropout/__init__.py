"""Dropout: agreement of definitions, life tables, competing endings, endings that are not known."""
