"""Periods of the calendar: a page tells of whole ones only, and each is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from outcomes.languages import month, month_alone, spoken
from outcomes.study.tables.feedback import PeriodLength

_YEAR = 12


@dataclass(frozen=True, order=True)
class Period:
    """One quarter, half-year or year.

    Attributes
    ----------
    start : date
        Its first day.
    length : PeriodLength
    """

    start: date
    length: PeriodLength

    @property
    def last_month(self) -> date:
        """First day of its last month."""
        return date(self.start.year, self.start.month + self.length.months - 1, 1)

    @property
    def end(self) -> date:
        """The first day after it."""
        months = self.start.month - 1 + self.length.months
        return date(self.start.year + months // _YEAR, months % _YEAR + 1, 1)

    @property
    def label(self) -> str:
        """Its name in a sentence: "January to June 2024"."""
        if self.length is PeriodLength.YEAR:
            return f"{self.start:%Y}"
        return spoken("{first} to {last}", first=month_alone(self.start), last=month(self.last_month))

    @property
    def short(self) -> str:
        """Its name under a picture: "Jan-Jun 2024"."""
        if self.length is PeriodLength.YEAR:
            return f"{self.start:%Y}"
        return f"{month_alone(self.start, is_short=True)}\N{EN DASH}{month(self.last_month, is_short=True)}"

    def is_over(self, today: date, data_until: date | None, settle_days: int) -> bool:
        """Say whether it may be told: it ended long enough ago, and the data reach its last month.

        Parameters
        ----------
        today : date
        data_until : date or None
            First day of the last month that enough clients of the study had a session in or after; None without one.
        settle_days : int
            How long late files are waited for.
        """
        is_settled = today >= self.end + timedelta(days=settle_days)
        return is_settled and data_until is not None and data_until >= self.last_month
