"""What a report may know: values from which small numbers are already gone."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.disclosure import Shown, ShownTable
from outcomes.models.state import CurvePoint, ModelStatus

ENDINGS = ("dropout", "planned", "other", "undetermined")


@dataclass(frozen=True)
class Exclusion:
    """Why some were left out, and how many."""

    reason: str
    sessions: Shown
    clients: Shown | None  # None where rows are not yet people

    @property
    def is_shown(self) -> bool:
        """Whether either number may be told."""
        return self.sessions.value is not None or (self.clients is not None and self.clients.value is not None)


@dataclass(frozen=True)
class Flow:
    """From what was read to what a model sees."""

    start: str
    start_sessions: Shown
    start_clients: Shown | None
    end: str
    end_sessions: Shown
    end_clients: Shown
    end_therapists: Shown
    exclusions: tuple[Exclusion, ...]


@dataclass(frozen=True)
class Estimate:
    """One fixed effect with its 95% interval; numbers are None where the release has none."""

    variant: str
    term: str
    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None


@dataclass(frozen=True)
class ModelFacts:
    """One declared model: what was asked, how its fit ended, what it says."""

    name: str
    kind: str
    question: str
    outcome: str
    formula: str
    link: str
    engine: str
    status: ModelStatus
    reason: str
    n_rows: Shown
    n_clients: Shown
    n_therapists: Shown
    missing: Shown  # percent of the population's sessions, or that they are few
    has_enough_therapists: bool
    estimates: tuple[Estimate, ...]
    variances: dict[tuple[str, str], float]  # (group, term) -> standard deviation
    curves: dict[str, tuple[CurvePoint, ...]]

    @property
    def is_usable(self) -> bool:
        """Whether its numbers may be told: it converged, be it with a component at zero."""
        return self.status in (ModelStatus.CONVERGED, ModelStatus.SINGULAR)

    def term(self, name: str, variant: str = "main") -> Estimate | None:
        """One fixed effect, if it was estimated."""
        found = [e for e in self.estimates if (e.term, e.variant) == (name, variant) and e.estimate is not None]
        return found[0] if found else None


@dataclass(frozen=True)
class Bin:
    """How many sessions have a value between `low` and `high`."""

    low: float
    high: float
    sessions: Shown


@dataclass(frozen=True)
class Finding:
    """An open data-quality check."""

    statement: str
    category: str
    severity: str
    share: Shown


@dataclass(frozen=True)
class Quality:
    """The audit in a report's words; counts are counts of checks."""

    n_passed: int
    n_open: int
    n_not_applicable: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from."""

    release_id: str
    code_version: str
    data_cut: str
    n_batches: int
    study_sha256: str


@dataclass(frozen=True)
class Facts:
    """All that the report is written from."""

    flows: tuple[Flow, ...]
    endings: ShownTable  # parts in the order of `ENDINGS`
    ending_shares: dict[str, Shown]
    has_endings: bool
    models: tuple[ModelFacts, ...]
    density: dict[str, tuple[Bin, ...]]  # by predictor
    quality: Quality
    provenance: Provenance
