"""A page to point at: the annex's pictures with their numbers on demand, for readers who allow scripts."""
