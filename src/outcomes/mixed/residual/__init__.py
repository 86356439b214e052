"""Linear mixed models whose errors differ in spread between groups, or follow one another."""
