"""Columns that pictures of guidance beside preference are drawn over, where nobody names others."""

GUIDANCE, PREFERENCE = "directiveness_score", "directiveness_preferred_score"
