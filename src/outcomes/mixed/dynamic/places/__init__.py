"""A dynamic model whose rows lie in several places: each evaluates its part at given parameters, sums come back."""
