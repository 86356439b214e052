"""How much therapists differ."""
