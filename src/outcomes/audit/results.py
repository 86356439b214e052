"""What an audit found, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from outcomes.errors import ChecksFailed
from outcomes.study.answerable import Answer


class Category(StrEnum):
    """Kahn's three questions to data (Kahn et al. 2016, doi 10.13063/2327-9214.1244)."""

    CONFORMANCE = "conformance"  # does the value have the form that was agreed?
    COMPLETENESS = "completeness"  # is it there?
    PLAUSIBILITY = "plausibility"  # can it be true?


class Severity(StrEnum):
    """What a failed check means for the release."""

    INFO = "info"  # worth knowing
    WARNING = "warning"  # look before you rely on it
    FATAL = "fatal"  # nothing is published


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"  # there was nothing to check: not collected, not declared
    ERROR = "error"  # the check itself could not be run; it counts as failed


@dataclass(frozen=True)
class CheckResult:
    """One check and how it ended.

    Attributes
    ----------
    check_id : str
        Stable over releases.
    column_name : str
        Empty where the check is about the table or several columns.
    n_violated, n_denominator : int or None
        How many of how many; None where the check could not be run, 0 of 0 where there was nothing to check.
    counted : str
        What the denominator counts.
    tolerated_prop : float
        Share of violations that is accepted, 0-1.
    statement, outcome, remedy : str
        What should hold; what was found; what to do if it does not hold.
    """

    check_id: str
    table_name: str
    column_name: str
    check_type: str
    category: Category
    severity: Severity
    status: Status
    n_violated: int | None
    n_denominator: int | None
    counted: str
    tolerated_prop: float
    statement: str
    outcome: str
    remedy: str

    @property
    def percent_violated(self) -> float | None:
        """Share of violations in percent; None where nothing was counted."""
        return (
            100 * self.n_violated / self.n_denominator if self.n_denominator and self.n_violated is not None else None
        )

    @property
    def sentence(self) -> str:
        """What should hold and what was found, for a reader who knows nothing of the checks."""
        return f"{self.statement} {self.outcome}"

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it."""
        return self.status in (Status.FAILED, Status.ERROR)

    @property
    def is_fatal(self) -> bool:
        """Whether it stops the publication; a fatal check that could not be run stops it too."""
        return self.is_open and self.severity is Severity.FATAL


@dataclass(frozen=True)
class AuditReport:
    """All checks of one release.

    Attributes
    ----------
    folder : Path
        The release's folder, with `checks.json`, `checks.html` and the table `dq_results` in its database.
    checks : tuple of CheckResult
        In the order of tables and suites.
    answers : tuple of Answer
        Which of the study's questions the data can answer; empty where outcomes are withheld.
    sources : tuple of str
        What is known of the study's kinds of sources.
    """

    folder: Path
    checks: tuple[CheckResult, ...]
    answers: tuple[Answer, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def fatal(self) -> tuple[CheckResult, ...]:
        """Open findings that stop the publication."""
        return tuple(check for check in self.checks if check.is_fatal)

    @property
    def open(self) -> tuple[CheckResult, ...]:
        """All open findings, the gravest first."""
        gravest_first = list(reversed(Severity))
        return tuple(
            sorted((check for check in self.checks if check.is_open), key=lambda c: gravest_first.index(c.severity))
        )

    def count(self, status: Status, severity: Severity | None = None) -> int:
        """Number of checks that ended so."""
        return sum(c.status is status and severity in (None, c.severity) for c in self.checks)

    def summary(self) -> str:
        """Say the audit in one line."""
        parts = [f"{self.count(Status.PASSED)} of {len(self.checks)} checks passed"]
        parts += [
            f"{n} {name}"
            for n, name in (
                (len(self.fatal), "fatal"),
                (sum(c.severity is Severity.WARNING for c in self.open), "to look at"),
                (sum(c.severity is Severity.INFO for c in self.open), "worth knowing"),
                (self.count(Status.NOT_APPLICABLE), "not applicable"),
            )
            if n
        ]
        return ", ".join(parts)

    def raise_if_fatal(self) -> None:
        """Refuse to go on where a fatal check failed.

        Raises
        ------
        ChecksFailed
            With each check, how many of how many rows, and what to do.
        """
        if self.fatal:
            raise ChecksFailed("\n".join(self._story()), " ".join(_unique(check.remedy for check in self.fatal)))

    def _story(self) -> Iterator[str]:
        noun = "check" if len(self.fatal) == 1 else "checks"
        yield f"{len(self.fatal)} fatal data-quality {noun} failed; nothing was published, the last release stays."
        for check in self.fatal:
            yield f"  {check.check_id}: {check.sentence}"
        yield f"  All checks: {self.folder / 'checks.html'}"


def _unique(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(texts))
