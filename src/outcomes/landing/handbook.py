"""The tables of `docs/landing.md` that follow from the contract; a test keeps the page and the contract together."""

from __future__ import annotations

from outcomes.contract import CONTRACT, LEFT_OUT_REASONS, REFUSAL_REASONS, RULE_REASONS, Kind, ValueType


def refusals_table() -> str:
    """Return the refusals as a Markdown table."""
    rows = [f"| `{refusal}` | {reason} |" for refusal, reason in REFUSAL_REASONS.items()]
    return "\n".join(["| refusal | why |", "|---|---|", *rows])


def rules_table() -> str:
    """Return the row rules, in the order in which they are looked for, as a Markdown table."""
    rows = [f"| `{rule}` | {reason} |" for rule, reason in RULE_REASONS.items()]
    return "\n".join(["| rule | why |", "|---|---|", *rows])


def left_out_table() -> str:
    """Return why layouts leave rows out as a Markdown table."""
    rows = [f"| `{reason}` | {why} |" for reason, why in LEFT_OUT_REASONS.items()]
    return "\n".join(["| reason | why |", "|---|---|", *rows])


def columns_table(kind: Kind) -> str:
    """Return one kind's columns as a Markdown table."""
    rows = []
    for column in CONTRACT[kind]:
        held = column.type.value.replace("_", "-")
        if column.type is ValueType.CODE:
            held = "one of: " + ", ".join(column.codes)
        meaning = "; ".join(filter(None, (column.description, column.in_file)))
        needed = "yes" if column.required else "for the main question" if column.is_central else ""
        rows.append(f"| `{column.name}` | {held} | {needed} | {meaning} |")
    return "\n".join(["| column | holds | needed | meaning |", "|---|---|---|---|", *rows])
