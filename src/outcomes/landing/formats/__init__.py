"""Readers: from the bytes of a source file to records, one module a format."""
