"""The connection around guidance."""
