"""The binomial mixed model."""
