"""No ordinary test fails because a machine is busy: none asserts a time, and time-outs only end hangs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
LEAST_SECONDS = 600  # of a time-out; what it waits for takes a tenth of it at most
CLOCKS = {"perf_counter", "process_time", "elapsed", "duration"}


def calls_and_asserts() -> Iterator[tuple[str, ast.AST]]:
    """Every call and assertion of the tests, with its place."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call | ast.Assert):
                yield f"{path.relative_to(TESTS)}:{node.lineno}", node


def test_no_time_out_is_tight():
    given = [
        (place, word.value.value)
        for place, node in calls_and_asserts()
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "timeout" and isinstance(word.value, ast.Constant)
    ]
    assert [place for place, seconds in given if seconds < LEAST_SECONDS] == []


def test_no_assertion_reads_a_clock():
    read = [
        place
        for place, node in calls_and_asserts()
        if isinstance(node, ast.Assert)
        for part in ast.walk(node.test)
        if (isinstance(part, ast.Name) and part.id in CLOCKS)
        or (isinstance(part, ast.Attribute) and part.attr in CLOCKS)
    ]
    assert read == []
