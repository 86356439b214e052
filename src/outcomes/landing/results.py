"""What landing reports: one frozen record a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from outcomes.contract import Kind, Refusal, Rule


@dataclass(frozen=True)
class Landed:
    """A file that became a batch.

    Attributes
    ----------
    file_name : str
        Name of the source file in the inbox.
    batch_id : str
        Name of the batch's folder, `<sequence>-<first 12 of the source's SHA-256>`.
    rows_read, rows_landed, rows_quarantined : int
        Records of the file; the first is the sum of the other two.
    quarantined_by_rule : dict of Rule to int
        Quarantined rows by the first rule that they break.
    columns_dropped : tuple of str
        Columns of the file that `study.toml` drops; they were not read.
    """

    file_name: str
    kind: Kind
    batch_id: str
    sequence: int
    sha256: str
    rows_read: int
    rows_landed: int
    rows_quarantined: int
    quarantined_by_rule: dict[Rule, int] = field(default_factory=dict)
    columns_dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A file whose content was landed before.

    `under_other_settings` is true where `study.toml` has changed since the batch was landed: the batch keeps the types,
    ranges and names that were declared then.
    """

    file_name: str
    batch_id: str
    sha256: str
    under_other_settings: bool = False


@dataclass(frozen=True)
class Refused:
    """A file of which nothing was landed.

    Attributes
    ----------
    refusal : Refusal
        The reason, one of the contract's list.
    message, hint : str
        What is wrong, where and how often; what to try. Never a value of the file.
    rows_read, rows_quarantined : int
        Zero where the file was refused before its rows were read.
    again : bool
        True where the same content was refused before under the same `study.toml` and was not read again.
    """

    file_name: str
    kind: Kind | None
    sha256: str
    refusal: Refusal
    message: str
    hint: str
    rows_read: int = 0
    rows_quarantined: int = 0
    quarantined_by_rule: dict[Rule, int] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True)
class LandingReport:
    """What became of every file; `ignored` are names that landing leaves alone (hidden, temporary, folders)."""

    landed: tuple[Landed, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    refused: tuple[Refused, ...] = ()
    ignored: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say in one line what became of the inbox."""
        rows = sum(outcome.rows_landed for outcome in self.landed)
        quarantined = sum(outcome.rows_quarantined for outcome in self.landed)
        return (
            f"{len(self.landed)} new files ({rows:,} rows landed, {quarantined:,} quarantined), "
            f"{len(self.skipped)} known, {len(self.refused)} refused"
        )
