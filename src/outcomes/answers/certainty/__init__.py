"""How sure each finding is, by rule: what speaks for it and what is open, and the word that this makes."""
