"""Ratings that are missing for a reason: weights, imputations combined, tipping points."""
