"""What the answers rest on: missing ratings, other analyses, data quality, origin, methods."""
