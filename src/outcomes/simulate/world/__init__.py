"""A synthetic cohort with known truth: who is in it, what happens, what the record holds."""
