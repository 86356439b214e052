"""A look in words for people, and as JSON for machines; no value of a file but codes that go into the study file."""

from __future__ import annotations

import json

from outcomes.contract import RULE_REASONS, Rule
from outcomes.landing.refusal import counted
from outcomes.preview.columns import FoundColumn
from outcomes.preview.looks import FileLook, Look

_WIDEST_NAME = 32


def as_text(look: Look) -> str:
    """Write a look for a terminal."""
    parts = [_file(one) for one in look.files]
    if look.answers:
        parts.append(_answers(look))
    if look.study_lines:
        parts.append("Lines for study.toml; every guess says so, so read each:\n\n" + "\n".join(look.study_lines))
    return "\n\n".join(parts)


def as_json(look: Look) -> str:
    """Write a look as JSON."""
    return json.dumps(
        {
            "files": [_file_as_json(one) for one in look.files],
            "questions": [
                {
                    "question": answer.analysis, "text": answer.question, "answerable": answer.answerable,
                    "lacking": answer.lacking,
                }
                for answer in look.answers
            ],
            "study_toml": "\n".join(look.study_lines),
        },
        indent=2, ensure_ascii=False,
    )  # fmt: skip


def _file(one: FileLook) -> str:
    if one.table is None:
        return f"{one.name}\n  cannot be read: {one.refused}\n  Try: {one.hint}"
    table = one.table
    what = ", ".join(
        filter(None, (table.form, table.encoding, table.delimiter, _rows(one), counted(len(table.header), "column")))
    )
    lines = [one.name, f"  {what}"]
    lines += [f"  {note}" for note in table.notes]
    if not one.columns:
        return "\n".join(lines)
    lines.append(f"  It looks like {one.kind}." if one.kind else "  " + _no_kind(one))
    lines += ["", *_columns(one)]
    if faults := [f"    {_short(column.name)}: {column.fault}" for column in one.columns if column.fault]:
        lines += ["", "  To mend in the export:", *faults]
    if one.identifying:
        lines += [
            "",
            f"  {counted(len(one.identifying), 'column seems', 'columns seem')} to point at persons, and must "
            "not be read:",
        ]
        lines += [f"    {_short(name)}: {', '.join(kinds)}" for name, kinds in one.identifying.items()]
    if one.unknown:
        lines += ["", "  Not known:"]
        lines += [f"    {_short(name)}{_near(near)}" for name, near in one.unknown.items()]
    lines += _trial(one)
    for further in one.also:
        where = f"The sheet {further.sheet!r} looks like" if further.sheet != one.sheet else "It also holds"
        lines += ["", f"  {where} {further.kind}:", *_columns(further), *_trial(further)]
    return "\n".join(lines)


def _rows(one: FileLook) -> str:
    table = one.table
    if table.is_sample:
        return f"about {table.about_rows:,} rows (a sample: {table.n_rows:,} rows were read)"
    return counted(table.n_rows, "row")


def _no_kind(one: FileLook) -> str:
    if one.trial and one.trial.refused:
        return f"Landing would refuse it: {one.trial.refused}\n  Try: {one.trial.hint}"
    return "It looks like none of sessions, episodes, clients: no column seems to name the client."


def _near(names: tuple[str, ...]) -> str:
    return f" (perhaps {', '.join(names)})" if names else ""


def _columns(one: FileLook) -> list[str]:
    becomes: dict[str, str] = {}
    for guess in one.guesses:
        said = f"{guess.column} ({guess.why})"
        before = becomes.get(guess.found.name)
        becomes[guess.found.name] = f"{before}, {said}" if before else said
    rows = [("column", "holds", "range", "missing", "becomes")]
    for column in {column.name: column for column in one.columns}.values():
        is_hidden = column.name in (one.identifying or {})
        known = becomes | {name: f"read for {kind}" for name, kind in one.elsewhere.items()}
        fate = "not read: points at persons" if is_hidden else known.get(column.name, "not known")
        if not is_hidden and column.name not in known and column.name not in (one.unknown or {}):
            fate = "not read: no name" if column.name in one.table.nameless else "not read: dropped"
        shown = "" if is_hidden else column.range
        rows.append((_short(column.name), _holds(column), shown, f"{column.missing_share:.0%}", fate))
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _holds(column: FoundColumn) -> str:
    parts = [column.type.value]
    if column.date_format:
        parts.append("two formats" if column.second_format else column.date_format)
    if column.decimal_mark == ",":
        parts.append("decimal comma")
    if column.stand_ins:
        parts.append(f"{' '.join(column.stand_ins)} for missing?")
    return ", ".join(parts)


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _WIDEST_NAME else name[: _WIDEST_NAME - 3] + "..."


def _trial(one: FileLook) -> list[str]:
    trial = one.trial
    if trial is None or (trial.refused and one.kind is None):
        return []
    lines = [""]
    if trial.refused:
        lines += [f"  Landing would refuse it: {trial.refused}", f"  Try: {trial.hint}"]
    if trial.by_rule:
        lines.append("  Rows that would be quarantined, by rule:")
        for rule, n_rows in trial.by_rule.items():
            columns = ", ".join(_short(name) for name in trial.by_column[rule] if name)
            lines.append(f"    {rule}: {n_rows:,}{f' ({columns})' if columns else ''}: {RULE_REASONS[Rule(rule)]}")
    elif not trial.refused:
        lines.append("  No row breaks a rule.")
    return lines


def _answers(look: Look) -> str:
    lines = ["Questions that these columns can answer"]
    width = max(len(answer.analysis) for answer in look.answers)
    for answer in look.answers:
        lacking = f" (lacks {', '.join(answer.lacking)})" if answer.lacking else ""
        lines.append(f"  {answer.analysis.ljust(width)}  {answer.answerable}{lacking}")
    return "\n".join(lines)


def _file_as_json(one: FileLook) -> dict:
    if one.table is None:
        return {"file": one.name, "is_readable": False, "refused": one.refused, "hint": one.hint}
    table, hidden = one.table, one.identifying or {}
    becomes = {guess.found.name: guess for guess in one.guesses}
    columns = []
    for column in one.columns:
        guess = becomes.get(column.name)
        columns.append(
            {
                "name": column.name, "type": column.type, "missing_share": round(column.missing_share, 4),
                "n_different": column.n_different, "range": "" if column.name in hidden else column.range,
                "date_format": column.date_format, "second_date_format": column.second_format,
                "decimal_mark": column.decimal_mark,
                "becomes": guess.column if guess else None, "certainty": round(guess.certainty, 2) if guess else None,
                "why": guess.why if guess else None, "identifying": hidden.get(column.name, ()),
                "nearest": (one.unknown or {}).get(column.name, ()),
            }
        )  # fmt: skip
    return {
        "file": one.name, "is_readable": True, "format": table.form, "encoding": table.encoding,
        "delimiter": table.delimiter, "rows": table.about_rows, "rows_read": table.n_rows,
        "is_sample": table.is_sample, "notes": table.notes, "kind": one.kind, "columns": columns,
        "refused": one.trial.refused if one.trial else "", "hint": one.trial.hint if one.trial else "",
        "rows_by_rule": one.trial.by_rule if one.trial else {}, "sheet": one.sheet,
        "also": [_file_as_json(further) for further in one.also],
    }  # fmt: skip
