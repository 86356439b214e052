"""The raw files of the recipes whose ratings are made of smaller things: items of forms, codes of utterances."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from raw_files import of_one_course

from outcomes.simulate import Cohort

PHQ, SRS, UTTERANCES = 9, 4, 20
_PHQ_MOST = 3
WRONG_TOTALS = 5
"""Stored totals of the PHQ-9 that are one more than their items."""


def _answers(session: dict[str, str], chance: random.Random) -> tuple[list[int], list[float]]:
    """Answers to the PHQ-9 that fall over the sessions, and marks on the SRS around the alliance."""
    level = max(_PHQ_MOST * 0.9 - 0.25 * int(session["session_number"]), 0.1)
    phq = [min(max(round(chance.gauss(level, 0.6)), 0), _PHQ_MOST) for _ in range(PHQ)]
    mark = float(session["alliance"] or 7)
    return phq, [round(min(max(chance.gauss(mark, 0.3), 0), 10), 1) for _ in range(SRS)]


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    path.write_text(out.getvalue(), encoding="utf-8")


def item_columns(cohort: Cohort, root: Path) -> None:
    """One row a session with its items side by side; some totals were typed in wrong, missed sessions have none."""
    chance, rows, wrong = random.Random(4), [], WRONG_TOTALS
    for session in of_one_course(cohort)[0].filter(attended="yes").iter_rows(named=True):
        phq, srs = _answers(session, chance)
        is_wrong, wrong = wrong > 0, wrong - 1
        rows.append([
            session["client_id"], session["therapist_id"], session["session_number"], session["session_date"],
            *phq, min(sum(phq) + is_wrong, 27), *srs, session["directiveness"], session["satisfaction"],
        ])  # fmt: skip
    header = ["client", "therapist", "session", "day", *(f"phq_{n}" for n in range(1, PHQ + 1)), "phq_total",
              *(f"srs_{n}" for n in range(1, SRS + 1)), "guidance", "satisfaction"]  # fmt: skip
    _write(root / "inbox" / "answers.csv", header, rows)


def item_rows(cohort: Cohort, root: Path) -> None:
    """The same answers, each in a row of its own."""
    chance, rows = random.Random(4), []
    for session in of_one_course(cohort)[0].filter(attended="yes").iter_rows(named=True):
        phq, srs = _answers(session, chance)
        key = [session["client_id"], session["therapist_id"], session["session_number"], session["session_date"]]
        rows += [[*key, form, n, one] for form, every in (("PHQ", phq), ("SRS", srs)) for n, one in enumerate(every, 1)]
    _write(root / "inbox" / "answers.csv", ["client", "therapist", "session", "day", "form", "item", "answer"], rows)


def coded(cohort: Cohort, root: Path) -> None:
    """Two coders' codes of each attended session's utterances; nine of ten are coded as they were meant."""
    chance, rows = random.Random(5), []
    directive, other = ("ADW", "ADP", "CO", "DI"), ("AF", "OQ", "RE", "SU")
    for session in of_one_course(cohort)[0].filter(attended="yes").iter_rows(named=True):
        share = float(session["directiveness"] or 5) / 10
        for turn in range(1, UTTERANCES + 1):
            meant = chance.random() < share
            for coder in ("k1", "k2"):
                seen = meant if chance.random() < 0.9 else not meant
                code = chance.choice(directive if seen else other)
                rows.append([
                    session["client_id"], session["therapist_id"], session["session_number"], session["session_date"],
                    session["satisfaction"], turn, coder, code,
                ])  # fmt: skip
    header = ["client", "therapist", "session", "day", "satisfaction", "turn", "coder", "code"]
    _write(root / "inbox" / "codes.csv", header, rows)
