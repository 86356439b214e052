"""Ratings that are missing for a reason."""
