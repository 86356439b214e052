"""Bring every real export of ../shared/sources through check, init --from and refresh, and print the result.

Run as `python benchmarks/sources.py FOLDER [land]`; prints the table of docs/recipes/real-exports.md. With `land` the
files are landed only, which takes seconds where a refresh takes minutes; the account of the rows is the same.
Each is tried twice: with the study file as `init --from` drafts it, and with one that a data manager would make,
which the tests of real sources use too. The table has counts, reasons and names of columns, no cell.
"""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from outcomes.study.settings import AnalysisName

_TESTS = Path(__file__).parents[1] / "tests" / "unit" / "landing"
_SHORT = f"\n[answers]\nleave_out = {json.dumps([one.value for one in AnalysisName])}\n[recovery]\ncohorts = 0\n"
_COMPANIONS = ("dictionary", "event", "questionnaire-")  # no data: what an export is read with
_PHQ = """
format = "fhir"
fhir = { questionnaire = "dictionary.csv", points = { LA6568-5 = 0, LA6569-3 = 1, LA6570-1 = 2, LA6571-9 = 3 } }
order = "date"
drop = ["*"]
[sources.sessions.columns]
client_id = "subject"
session_date = "authored"
distress = "PHQ.Score"
[sources.sessions.constants]
therapist_id = "t1"
"""
_DISTRESS = """
[scales.distress]
minimum = 0
maximum = 27
rater = "client"
[instruments.distress]
instrument = "PHQ-9"
items = "PHQ.{item}"
"""


def corrected() -> dict[str, str]:
    """Return by file the study file that reads it, in full."""
    STUDY = runpy.run_path(str(_TESTS / "conftest.py"))["STUDY"]
    FILES = runpy.run_path(str(_TESTS / "layouts" / "test_layout_real_sources.py"))["FILES"]

    def text(sessions: str, scales: str = "") -> str:
        return STUDY.format(max_bad_share=1, max_bytes=10**9, sessions=sessions, episodes="", scales=scales).replace(
            "maximum = 10\n", "maximum = 200\n"
        )

    fhir = "fhir/QuestionnaireResponse-mii-exa-pro-phq-9-response.json"
    return {name: text(sessions) for name, (sessions, *_) in FILES.items()} | {fhir: text(_PHQ, _DISTRESS)}


def row(source: Path, name: str, study_text: str | None, step: str) -> str:
    """Try one file up to a step; return a row of the table."""
    with tempfile.TemporaryDirectory(prefix="outcomes-sources-") as folder:
        room = Path(folder) / "given"
        shutil.copytree(source.parent, room)
        given = room / source.name
        companions = [one for one in sorted(room.iterdir()) if one.name.lower().startswith(_COMPANIONS)]
        tables = [one for one in companions if one.suffix == ".csv"]
        _, looked = _outcomes("check", "--json", given, *tables)
        look = next(one for one in json.loads(looked)["files"] if one["file"] == given.name)
        marked = sum(bool(one["identifying"]) for one in look["columns"])
        checked = (
            f"{look['format']}, {look['rows']:,} rows, {marked} columns that identify, {look['kind'] or 'no kind'}"
        )
        study = Path(folder) / "drafted"
        code, said = _outcomes("init", study, "--from", given, *tables)
        if code:
            drafted = _words(said)
        else:
            n_guesses = said.partition("read the ")[2].partition(" guesses")[0]
            drafted = f"{n_guesses} guesses; {_refreshed(study, given, companions, step)}"
        by_hand = "–"
        if study_text:
            study = Path(folder) / "corrected"
            study.mkdir()
            (study / "study.toml").write_text(study_text + _SHORT, encoding="utf-8")
            by_hand = _refreshed(study, given, companions, step)
    cells = (cell.replace("|", "\\|") for cell in (f"`{name}`", checked, drafted, by_hand))
    return f"| {' | '.join(cells)} |"


def _refreshed(study: Path, given: Path, companions: list[Path], step: str) -> str:
    """Bring a study to a step with one file in its inbox; return the account of its rows, or why it was refused."""
    (study / "inbox").mkdir(exist_ok=True)
    name = "sessions" + given.suffix if study.name == "corrected" else given.name
    shutil.copy(given, study / "inbox" / name)
    for one in companions:
        if one.name.lower().startswith(("dictionary", "questionnaire-")):
            shutil.copy(one, study / "dictionary.csv")
    code, said = _outcomes(step, study)
    told = []
    for path in sorted(study.glob("landed/*/manifest.json")):
        one = json.loads(path.read_text())
        left_out = sum(one.get("rows_left_out", {}).values())
        n_rows = one.get("rows_in_export", one["rows_read"])
        assert n_rows == one["rows_landed"] + one["rows_quarantined"] + left_out
        told.append(
            f"{n_rows} rows = {one['rows_landed']} landed + {one['rows_quarantined']} quarantined + {left_out} left out"
        )
    for path in sorted(study.glob("quarantine/*.refused.json")):
        one = json.loads(path.read_text())
        told.append(f"refused ({one['refusal']}): {one['message']}")
    if code and not told:
        told.append(_words(said))
    return "; ".join(told)


def _outcomes(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "outcomes.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout or done.stderr


def _words(said: str) -> str:
    """Return what a command said last, on one line."""
    return " ".join(said.split("outcomes: ")[-1].split())[:300]


def main(sources: Path, step: str = "refresh") -> None:
    """Print one row a data file, in the order of their names."""
    by_hand = corrected()
    files = [one for one in sorted(sources.rglob("*")) if one.suffix in (".csv", ".json")]
    print(f"| file | `check` | `init --from`, then `{step}` as drafted | `{step}` with the study file mended |")
    print("|---|---|---|---|")
    for one in files:
        if not one.name.lower().startswith(_COMPANIONS):
            name = one.relative_to(sources).as_posix()
            print(row(one, name, by_hand.get(name), step), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
