"""The seal of a study: which specification was fixed when, and whether outcomes had been seen by then.

`seals.jsonl` in the study folder has one line per seal. What is sealed is the analysis part of `study.toml`, as it is
understood (comments and layout do not count): models, multiverse, dropout definition, cohort, scales.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from outcomes.errors import StorageError
from outcomes.languages import later
from outcomes.store.files import read_lines, write_text
from outcomes.study.folder import StudyFolder
from outcomes.study.settings import StudySettings

SEALS = "seals.jsonl"
SEALED_PARTS = ("cohort", "dropout", "models", "multiverse", "scales")


class SealState(StrEnum):
    """What a reader may make of the results."""

    EXPLORATORY = "exploratory"
    WITHHELD = "withheld"
    SEALED_BEFORE = "sealed_before_outcomes"
    SEALED_AFTER = "sealed_after_outcomes"
    CHANGED = "changed_after_sealing"


@dataclass(frozen=True)
class Seal:
    """One line of `seals.jsonl`.

    Attributes
    ----------
    spec_sha256 : str
        Of the specification, see `specification_sha256`.
    sealed_at : str
        ISO time, UTC.
    is_before_outcomes : bool
        The study required a seal, and no database with outcomes had been built by then.
    """

    spec_sha256: str
    sealed_at: str
    is_before_outcomes: bool

    @property
    def day(self) -> str:
        """The day of the seal."""
        return self.sealed_at[:10]


@dataclass(frozen=True)
class Sealing:
    """Where a study stands: its state, its present specification, and the seal that counts (None where none does)."""

    state: SealState
    spec_sha256: str
    seal: Seal | None

    @property
    def is_withheld(self) -> bool:
        """Whether outcomes stay out of the database."""
        return self.state is SealState.WITHHELD

    @property
    def sentence(self) -> str:
        """What the report says."""
        day = self.seal.day if self.seal else ""
        return {
            SealState.EXPLORATORY: "Exploratory: the specification was not sealed.",
            SealState.WITHHELD: later("Outcomes are withheld until the specification is sealed."),
            SealState.SEALED_BEFORE: f"Sealed on {day}, before outcomes were seen.",
            SealState.SEALED_AFTER: f"Sealed on {day}, when outcomes were already visible.",
            SealState.CHANGED: f"Exploratory: the specification was changed after it was sealed on {day}.",
        }[self.state]


def specification_sha256(settings: StudySettings) -> str:
    """Hash what is sealed, in canonical JSON; a setting at its default counts as not written."""
    parts = settings.model_dump(mode="json", include=set(SEALED_PARTS), exclude_defaults=True)
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_seals(study: StudyFolder) -> tuple[Seal, ...]:
    """Read the seals, oldest first.

    Raises
    ------
    StorageError
        If a line is no seal.
    """
    try:
        return tuple(Seal(**line) for line in read_lines(study.root / SEALS))
    except TypeError:
        raise StorageError(f"{SEALS} holds a line that is no seal", "run `outcomes verify`") from None


def write_seals(study: StudyFolder, seals: tuple[Seal, ...]) -> None:
    """Write all seals in one atomic step."""
    write_text(study.root / SEALS, "".join(json.dumps(asdict(seal)) + "\n" for seal in seals))


def read_sealing(study: StudyFolder) -> Sealing:
    """Say where the study stands: the first seal of the present specification counts, else the last one before it."""
    seals, present = read_seals(study), specification_sha256(study.settings)
    own = next((seal for seal in seals if seal.spec_sha256 == present), None)
    if own:
        state = SealState.SEALED_BEFORE if own.is_before_outcomes else SealState.SEALED_AFTER
        return Sealing(state, present, own)
    if seals:
        return Sealing(SealState.CHANGED, present, seals[-1])
    return Sealing(SealState.WITHHELD if study.settings.seal.required else SealState.EXPLORATORY, present, None)
