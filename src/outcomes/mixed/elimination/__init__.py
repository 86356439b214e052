"""Algebra of the random effects: levels eliminated in closed form, what is left by connected components."""
