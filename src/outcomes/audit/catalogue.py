"""All checks as a page of the docs; `python -m outcomes.audit.catalogue` prints it."""

from __future__ import annotations

from outcomes.audit.suites import Check, read_suites

_INTRODUCTION = """\
# Data checks

What is checked in the tables of a release before it is published. The checks are data: one Great Expectations suite a
table, in `expectations/`. Ranges and settings come from `study.toml`; what a release's checks found is in its
`checks.html`, its `checks.json` and the table `dq_results`.

- **fatal**: nothing is published, the last release stays; **warning**: look before you rely on it; **info**: worth
  knowing.
- A column that the study does not collect, or a case that does not occur, is *not applicable*, which is not a pass.
- A check that cannot be run counts as failed. Before any suite is trusted, each kind of check must find faults that are
  planted in a small table; and a test plants a violation for every single check.
- The audit runs them as SQL; in tests, Great Expectations' own run of every check agrees. It runs the checks that have
  no such form.
- Accepted: the share of violations that is still no finding.

Generated: `python -m outcomes.audit.catalogue > docs/checks.md`.
"""


def catalogue() -> str:
    """Return the list of all checks as Markdown, table by table."""
    return _INTRODUCTION + "".join(_section(table, checks) for table, checks in read_suites().items())


def _section(table: str, checks: tuple[Check, ...]) -> str:
    head = f"\n## {table}\n\n| id | what should hold | category | severity | accepted |\n|---|---|---|---|---|\n"
    return head + "".join(_row(check) for check in checks)


def _row(check: Check) -> str:
    accepted = f"{check.tolerated_prop:.0%}" if check.tolerated_prop else "none"
    own_id = check.id.removeprefix(f"{check.table}.")
    return f"| `{own_id}` | {check.sentence} | {check.category} | {check.severity} | {accepted} |\n"


if __name__ == "__main__":
    print(catalogue(), end="")
