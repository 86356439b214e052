"""The words of the source files: kinds of files, types of cells, roles of columns, closed lists."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What one source file holds, told by its name and never by its content."""

    SESSIONS = "sessions"
    EPISODES = "episodes"
    CLIENTS = "clients"


class ValueType(StrEnum):
    """How the text of a cell is read."""

    IDENTIFIER = "identifier"  # an opaque pseudonym, kept as text
    INTEGER = "integer"
    DATE = "date"
    YES_NO = "yes_no"
    SCALE = "scale"  # a number with a range that study.toml declares
    CODE = "code"  # one of a closed list


class Ending(StrEnum):
    """How an episode ended, in the words of the source."""

    AGREED = "agreed"
    CLIENT_ENDED = "client_ended"
    JUDGED_PREMATURE = "judged_premature"
    THERAPIST_LEFT = "therapist_left"
    MOVED_AWAY = "moved_away"
    DIED = "died"
    REFERRED_ON = "referred_on"
    SERVICE_CLOSED = "service_closed"
    OPEN = "open"
    UNKNOWN = "unknown"


AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75 and over")
GENDERS = ("woman", "man", "non-binary", "other", "not stated")


class Role(StrEnum):
    """What a column is in the study's question."""

    EXPOSURE = "exposure"  # what therapists do
    OUTCOME = "outcome"  # what the study asks for
    MEDIATOR = "mediator"  # an experience on the way from the exposure to an outcome
    MODERATOR = "moderator"  # what the effect of the exposure may depend on
    TRAIT = "trait"  # what a client brings along
    KEY = "key"  # who, where and which course
    DESIGN = "design"  # when and how it was observed

    @property
    def is_consequence(self) -> bool:
        """Whether it may be brought about by the exposure: withheld until a study that requires a seal is sealed."""
        return self in (Role.OUTCOME, Role.MEDIATOR)
