"""One thing that is not as it was written."""

from __future__ import annotations

from dataclasses import dataclass

FOREIGN = "the file does not belong there"


@dataclass(frozen=True)
class Alteration:
    """The file (below the study folder) and what is wrong with it."""

    file: str
    what: str

    @property
    def for_the_trail(self) -> dict[str, str]:
        """What the trail says of it; a foreign file's own name, which may name a person, is left out."""
        return {"file": self.file.rpartition("/")[0] if self.what == FOREIGN else self.file, "what": self.what}
