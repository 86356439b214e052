"""A linear model whose rows lie in several places: shares of its evaluation, and the fit of their sum."""
