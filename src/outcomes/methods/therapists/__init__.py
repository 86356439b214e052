"""How much therapists differ, and effects between clients and between therapists."""
