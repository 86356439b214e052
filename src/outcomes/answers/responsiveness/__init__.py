"""How therapists respond to the session before, and whether moving toward the preference pays."""
