"""Linear models whose linked effects are too many to be eliminated exactly: solved by iteration, traces by random
probes."""
