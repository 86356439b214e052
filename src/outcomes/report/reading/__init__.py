"""From the tables of a release to words and numbers that a page may print."""
