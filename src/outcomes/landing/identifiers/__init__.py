"""What points at a person: column names, patterns, numbers with check digits, names."""
