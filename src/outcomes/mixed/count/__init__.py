"""Counts: the Poisson and the negative binomial mixed model."""
