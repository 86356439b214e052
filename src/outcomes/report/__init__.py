"""The report for stakeholders: one HTML page that is safe to hand out, and the same as PDF.

How to add a section
--------------------
1. Write `report/section_<name>.py` with `section(con, settings, teller) -> Section | None`; None where it has
   nothing to say (a table that this release does not have). Look at `section_effects.py`.
2. Put the module into `SECTIONS` of `report/page.py`, where it belongs in the order.

`con` is the release's database, read only. `rows.table_rows(con, "table")` reads a table (no rows where it is missing);
`rows.told(row, teller, form)` makes an `Estimate` of a row, or words in its place (`Unsaid`) where the fit
did not converge or was refused; `rows.refusal(con, "analysis", teller)` says why an analysis was refused.

`blocks` has what a section is made of (`headline`, `paragraph`, `note`, `heading`, `bullets`, `table`, `fold`,
`Picture`), `pieces` what a sentence or a cell is made of: `say("By session {t}: {risk}", t=Given("8"), risk=estimate)`.
A plain string with a digit in it is an error: a number is an `Estimate` (with interval and state), a `Shown` count from
`outcomes.disclosure`, or `Given` with the kind of number it is. Write for practice leads and service users.
"""

from outcomes.report.write import is_written, write_report

__all__ = ["is_written", "write_report"]
