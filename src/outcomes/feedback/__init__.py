"""Pages for single therapists: own clients against own past, for that therapist only; off unless switched on."""

from outcomes.feedback.write import Written, write_feedback

__all__ = ["Written", "write_feedback"]
