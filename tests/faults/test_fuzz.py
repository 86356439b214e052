"""Whatever a file or a study file holds: a clear error or a right result, no traceback, nothing half-written."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from outcomes.errors import OutcomesError
from outcomes.landing import Landed, Refused, Skipped, land_file
from outcomes.store.files import read_json
from outcomes.study import StudyFolder, create_study

from .deliveries import HEADER

ORDINARY, STUDY_FILES = 30, 5_000
SLOW = {"sessions.csv": 2_000, "sessions.ndjson": 2_000, "sessions.parquet": 1_000}
COLUMNS = HEADER.split(",")
CELLS = st.one_of(
    st.sampled_from(["", "NA", "-99", "t1", "c1x", "5", "5,5", "1e3", "inf", "nan", "2024-01-31"]),
    st.sampled_from(['"', '""', "\x00", "=1+1", "\u202e"]),
    st.text(max_size=12),
    st.integers(-5, 2000).map(str),
    st.floats(0, 10).map(str),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=4, max_size=6), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def csv_files(draw) -> bytes:
    delimiter, end = draw(st.sampled_from(",;\t")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    header = draw(st.sampled_from([COLUMNS, COLUMNS[:-1], [*COLUMNS, "strange"], [*COLUMNS, "satisfaction"]]))
    quote = draw(st.sampled_from(['"{}"', "{}", '"{}']))
    lines = [header, *([quote.format(cell) for cell in row] for row in draw(ROWS))]
    content = end.join(delimiter.join(line) for line in lines).encode("utf-8", "surrogatepass")
    cut = draw(st.integers(0, 40))
    return draw(
        st.sampled_from([content, content[: len(content) - cut], content + b"\xff" * cut, b"\xef\xbb\xbf" + content])
    )


@st.composite
def ndjson_files(draw) -> bytes:
    records = draw(st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "strange"]), VALUES, max_size=6), max_size=8))
    content = "\n".join(json.dumps(record, ensure_ascii=draw(st.booleans())) for record in records)
    return content.encode("utf-8", "surrogatepass") + draw(st.sampled_from([b"", b"\n", b"{", b"\x00", b"\n[1]\n"]))


@st.composite
def parquet_files(draw) -> bytes:
    n_rows = draw(st.integers(0, 6))
    kinds = st.sampled_from([CELLS, st.integers(-9, 99), st.floats(), st.booleans(), st.dates()])
    frame = pl.DataFrame(
        {name: draw(st.lists(draw(kinds), min_size=n_rows, max_size=n_rows)) for name in COLUMNS}, strict=False
    )
    stream = io.BytesIO()
    frame.write_parquet(stream)
    content = bytearray(stream.getvalue())
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] ^= draw(st.integers(0, 255))
    return bytes(content)


class Inbox:
    """One study into which file after file is dropped; what each leaves is looked at and then taken away."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # thousands of files need not reach a disk
        self.root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None)) / "study"
        create_study(self.root)
        self.template = (self.root / "study.toml").read_text()
        (self.root / "study.toml").write_text(self.template.replace("max_bad_share = 0.05", "max_bad_share = 1.0 "))
        self.study = StudyFolder.open(self.root)

    def look(self, name: str, content: bytes) -> None:
        path = self.root / "inbox" / name
        path.write_bytes(content)
        outcome = land_file(self.study, path)
        if isinstance(outcome, Refused):
            assert outcome.message
            assert outcome.hint
            assert not self.study.landed.exists() or not list(self.study.landed.iterdir())
        else:
            assert isinstance(outcome, Landed | Skipped)
            manifest = read_json(self.study.landed / outcome.batch_id / "manifest.json")
            batch = pl.read_parquet(self.study.landed / outcome.batch_id / "batch.parquet")
            assert batch.height == manifest["rows_landed"] == manifest["rows_read"] - manifest["rows_quarantined"]
            assert batch["satisfaction"].is_between(0, 10).all()
            assert batch["client_id"].null_count() == 0
        assert not list(self.root.rglob(".aside-*"))
        for folder in (self.study.landed, self.study.quarantine):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def inbox():
    made = Inbox()
    yield made
    shutil.rmtree(made.root.parent)


def often(n: int):
    return settings(
        max_examples=n, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )


FORMATS = {"sessions.csv": csv_files(), "sessions.ndjson": ndjson_files(), "sessions.parquet": parquet_files()}


def drive(inbox: Inbox, name: str, n: int) -> None:
    @often(n)
    @given(FORMATS[name])
    def each(content: bytes) -> None:
        inbox.look(name, content)

    each()


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_landed_rightly_or_refused_in_words(inbox, name):
    drive(inbox, name, ORDINARY)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_thousands_of_files_are_landed_rightly_or_refused_in_words(inbox, name):
    drive(inbox, name, SLOW[name])


PIECES = st.sampled_from(
    ['"', "'", "[", "]", "=", "\n", "#", "\x00", "9" * 40, "-1", "true", "[study]\n", "\u202e", "{", '"""', "nan"]
)  # fmt: skip


def refusal_of(root: Path) -> OutcomesError | None:
    try:
        StudyFolder.open(root)
    except OutcomesError as refused:
        return refused
    return None


def drive_study_file(inbox: Inbox, n: int) -> None:
    @often(n)
    @given(st.data())
    def each(data) -> None:
        text = inbox.template
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(text)))
            end = min(len(text), start + data.draw(st.sampled_from([0, 0, 1, 5, 60])))
            text = text[:start] + data.draw(st.one_of(PIECES, st.text(max_size=6))) + text[end:]
        (inbox.root / "study.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        refusal = refusal_of(inbox.root)
        if refusal:
            assert refusal.hint
            assert str(refusal).replace("\n", "").replace("\t", "").isprintable()

    try:
        each()
    finally:
        (inbox.root / "study.toml").write_text(inbox.template.replace("max_bad_share = 0.05", "max_bad_share = 1.0 "))


def test_a_study_file_is_taken_or_refused_in_words(inbox):
    drive_study_file(inbox, 5 * ORDINARY)


@pytest.mark.slow
def test_thousands_of_study_files_are_taken_or_refused_in_words(inbox):
    drive_study_file(inbox, STUDY_FILES)
