"""The same question in every defensible way."""
