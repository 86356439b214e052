"""The pull from a REDCap server, tried on a stand-in that answers as one does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from exports import REDCAP_STUDY, as_redcap, clean_rows

from outcomes.errors import StorageError, StudyError, UsageError
from outcomes.landing import Landed, land_file
from outcomes.operate.redcap_server import TOKEN, file_name, pull

SECRET = "0123456789ABCDEF0123456789ABCDEF"
FIELDS = ["record_id", "therapist", "gender", "full_name", "visit_date", "came", "sat", "dir"]
FORMS = ["intake"] * 4 + ["visit"] * 4
METADATA = "\n".join(
    [
        "field_name,form_name,field_type,select_choices_or_calculations,"
        "text_validation_type_or_show_slider_number,identifier",
        *(
            f"{name},{form},text,,,{'y' if name == 'full_name' else ''}"
            for name, form in zip(FIELDS, FORMS, strict=True)
        ),
    ]
)


class Server(HTTPServer):
    """A REDCap server of one project; `asked` has the fields of each question."""

    records = ""
    status = 200
    says = ""
    moved_to = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[list[str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        fields = [value for key, (value, *_) in sorted(form.items()) if key.startswith("fields")]
        self.server.asked.append(fields)
        content, kind = form["content"][0], form["format"][0]
        if self.server.says or form["token"] != [SECRET]:
            text = self.server.says or 'ERROR: You do not have permissions for "Ann Marker"'
        elif content == "metadata":
            rows = [
                dict(zip(("field_name", "form_name"), pair, strict=True)) for pair in zip(FIELDS, FORMS, strict=True)
            ]
            text = json.dumps(rows) if kind == "json" else METADATA
        else:
            text = self.server.records
        self.send_response(307 if self.server.moved_to else self.server.status)
        if self.server.moved_to:
            self.send_header("Location", self.server.moved_to)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    with Server() as server:
        server.records = as_redcap(clean_rows(), tmp_path).content.decode()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pulling(door, server, monkeypatch):
    """A study that names the server."""
    monkeypatch.setenv(TOKEN, SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    door.declare(
        sessions=REDCAP_STUDY.replace('instrument = "visit"', f'instrument = "visit", server = "{server.address}"')
    )
    return door


def test_what_is_pulled_is_landed_like_an_export(pulling, server):
    (pulled,) = pull(pulling.study)
    path = pulling.root / "inbox" / pulled.name
    landed = land_file(pulling.study, path)
    assert isinstance(landed, Landed), landed
    assert landed.rows_landed == 48
    assert (pulling.root / "dictionary.csv").read_text() == METADATA


def test_only_what_the_study_maps_is_asked_for_and_nothing_that_identifies(pulling, server):
    pull(pulling.study)
    asked = set(server.asked[-1])
    assert asked >= {"record_id", "therapist", "visit_date", "came", "sat", "dir", "visit_complete", "intake_complete"}
    assert not asked & {"full_name", "gender"}


def test_the_same_content_is_not_dropped_twice(pulling, server):
    (first,), (second,) = pull(pulling.study), pull(pulling.study)
    assert (first.is_new, second.is_new) == (True, False)
    assert [path.name for path in (pulling.root / "inbox").iterdir()] == [first.name]


@pytest.mark.parametrize("damage", ["says", "status", "moved"])
def test_a_server_that_refuses_leaves_the_inbox_as_it_is_and_is_not_quoted(pulling, server, damage):
    if damage == "says":
        server.says = 'ERROR: "Ann Marker" is not allowed'
    elif damage == "status":
        server.status, server.says = 403, "<html>Ann Marker</html>"
    else:
        server.moved_to = server.address.replace("/api/", "/elsewhere/api/")
    if damage == "moved":
        server.says = "moved"
    with pytest.raises(StorageError) as caught:
        pull(pulling.study)
    assert "Marker" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert not list((pulling.root / "inbox").iterdir())
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_told_in_words(pulling, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(StorageError, match="cannot be reached"):
        pull(pulling.study)


@pytest.mark.parametrize("token", ["", "short", SECRET + "0", SECRET[:-1] + "\n"])
def test_a_token_that_is_none_is_told_without_it(pulling, monkeypatch, token):
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(UsageError, match=TOKEN) as caught:
        pull(pulling.study)
    assert not token or token not in str(caught.value)


def test_a_study_without_a_server_says_how_to_name_one(door):
    door.declare()
    with pytest.raises(UsageError, match="No source"):
        pull(door.study)


@pytest.mark.parametrize("server", ["http://redcap.example.org/api/", "https://redcap.example.org/", "ftp://x/api/"])
def test_an_address_that_would_show_the_token_is_refused_by_the_study_file(door, server):
    door.declare(sessions=REDCAP_STUDY.replace('instrument = "visit"', f'instrument = "visit", server = "{server}"'))
    with pytest.raises(StudyError, match=r"https://|/api/"):
        door.study  # noqa: B018


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*_DATA_*.csv", "pulled_DATA_2025-01-07.csv"), ("*sessions*", "pulledsessions2025-01-07.csv"),
     ("redcap*.csv", "redcappulled-2025-01-07.csv")],
)  # fmt: skip
def test_the_file_gets_a_name_that_fits_the_pattern(pattern, name):
    assert file_name(pattern, "2025-01-07") == name


def test_a_pattern_that_fits_no_name_is_refused():
    with pytest.raises(UsageError):
        file_name("sessions.parquet", "2025-01-07")
