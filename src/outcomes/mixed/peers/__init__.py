"""statsmodels behind the same results: a second engine, and models without random effects."""
