"""Every table and column of a release, described once."""
