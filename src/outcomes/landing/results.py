"""What landing reports: one frozen record a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from outcomes.contract import Kind, LeftOut, Refusal, Rule
from outcomes.landing.refusal import listed


@dataclass(frozen=True)
class Landed:
    """A file that became a batch.

    Attributes
    ----------
    file_name : str
        Name of the source file in the inbox.
    batch_id : str
        Name of the batch's folder, `<sequence>-<first 12 of sha256>`.
    sha256 : str
        SHA-256 of the source file; of that and the kind where one file feeds several kinds.
    rows_read, rows_landed, rows_quarantined : int
        Records of the file; the first is the sum of the other two.
    quarantined_by_rule : dict of Rule to int
        Quarantined rows by the first rule that they break.
    columns_dropped : tuple of str
        Columns of the file that `study.toml` or the layout drops; they were not read.
    layout : str
        Name of the layout that made rows of an export; '' where each row was taken as it stands.
    rows_left_out : dict of LeftOut to int
        Rows of the export that are none of this kind, by reason; not among `rows_read`.
    notes : tuple of str
        What a data manager should know of the export.
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
    layout: str = ""
    rows_left_out: dict[LeftOut, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def account(self) -> str:
        """Say where every row of an export went, and which columns the layout left; '' without a layout."""
        if not self.layout:
            return ""
        n_left_out = sum(self.rows_left_out.values())
        reasons = [f"{n:,} {reason}" for reason, n in self.rows_left_out.items() if n]
        parts = [
            f"{self.file_name} as {self.kind}: {self.rows_read + n_left_out:,} rows of the export = "
            f"{self.rows_landed:,} landed + {self.rows_quarantined:,} quarantined + {n_left_out:,} left out"
            + (f" ({', '.join(reasons)})" if reasons else "")
        ]
        if self.columns_dropped:
            parts.append(f"columns not read: {listed(self.columns_dropped)}")
        return "; ".join([*parts, *self.notes])


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
    refused_at : str
        When that was, ISO 8601; empty where it is refused now.
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
    refused_at: str = ""


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
            f"{n_files(self.landed)} new files ({rows:,} rows landed, {quarantined:,} quarantined), "
            f"{n_files(self.skipped)} known, {n_files(self.refused)} refused"
        )


def n_files(outcomes: Iterable[Landed | Skipped | Refused]) -> int:
    """Count files: one that feeds several kinds has an outcome for each."""
    return len({outcome.file_name for outcome in outcomes})
