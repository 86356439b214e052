"""The study's page under requests that mean harm: each is refused, nothing is told, nothing is written."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from processes import HANGS_SECONDS

from outcomes.store.files import file_sha256

HIDDEN = ("/etc/passwd", "study.toml", "root:x:", "[study]")


def whole(page) -> dict[str, str]:
    """Every file of the study with its hash."""
    return {str(path): file_sha256(path) for path in sorted(page.root.rglob("*")) if path.is_file()}


@pytest.fixture(autouse=True)
def nothing_is_written(page, tmp_path, monkeypatch):
    before = whole(page)
    yield
    assert whole(page) == before


@pytest.mark.parametrize(
    "path",
    [
        "/", "/findings", "/documents", "/codebook", "/ask", "/history", "/releases/latest", "/style.css",
        "/releases/latest/report.html", "/no-such-page",
    ],
)  # fmt: skip
@pytest.mark.parametrize("cookie", ["", "outcomes-1=x", "no cookie at all;;=;", 'outcomes-{port}="x'])
def test_without_the_token_nothing_is_told_not_even_what_there_is(page, path, cookie):
    answer = page.ask(path, Cookie=cookie.replace("{port}", str(page.port)) or None)
    assert answer.status == 401
    assert "Practice outcomes" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "%00", "%ff%fe", "token", "☃".encode().hex()])
def test_a_wrong_token_opens_nothing(page, token):
    answer = page.ask(f"/?token={token}", Cookie=None)
    assert (answer.status, answer.headers.get("set-cookie")) == (401, None)


@pytest.mark.parametrize(
    "doubled", ["/?token={t}&token={t}", "/?token={t}x", "/?Token={t}", "/?a&b&c&d&e&f&g&h&i&j&k&token={t}"]
)
def test_the_token_counts_only_as_it_was_given(page, doubled):
    assert page.ask(doubled.format(t=page.token), Cookie=None).status == 401


def test_the_link_becomes_a_cookie_that_no_script_and_no_other_site_can_use(page):
    answer = page.ask(f"/?token={page.token}", Cookie=None)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert page.token.lower() not in cookie


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}",
             "localhost:{port}.evil.example", "[::1]:{port}", "0.0.0.0:{port}", None, ""]
)  # fmt: skip
def test_another_host_name_is_refused_even_with_cookie_and_token(page, host):
    """A name elsewhere that is made to point at this machine (DNS rebinding)."""
    said = host if host is None else host.replace("{port}", str(page.port))
    assert page.ask(f"/?token={page.token}", Host=said).status in (400, 421)


def test_two_host_lines_are_refused(page):
    with socket.create_connection(("127.0.0.1", page.port)) as line:
        host = f"127.0.0.1:{page.port}"
        line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nCookie: {page.cookie}\r\n\r\n".encode())
        assert line.recv(100).split()[1] in (b"400", b"421")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/ask", "/releases/latest/report.html"])
def test_other_methods_are_refused(page, method, path):
    assert page.ask(path, method).status in (400, 405)


@pytest.mark.parametrize("path", ["/", "/findings", "/releases/latest", "/style.css"])
def test_pages_take_no_form(page, path):
    assert page.ask(path, "POST", "sql=select+1", Origin=f"http://127.0.0.1:{page.port}").status == 405


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "file://"]
)
def test_a_form_of_another_page_is_refused(page, origin):
    answer = page.ask("/ask", "POST", "sql=select+1", Origin=origin.replace("{port}", str(page.port)))
    assert answer.status == 403


def test_a_form_that_the_browser_says_comes_from_elsewhere_is_refused(page):
    for site in ("cross-site", "same-site"):
        assert page.ask("/ask", "POST", "sql=select+1", Sec_Fetch_Site=site).status == 403


def test_no_answer_lets_another_page_read_it(page):
    for path in ("/", "/style.css", "/releases/latest/report.html", "/nothing"):
        headers = page.ask(path, Origin=f"http://127.0.0.1:{page.port}").headers
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/releases/latest/../../study.toml", "/releases/latest/..%2f..%2fstudy.toml", "/releases/..%2f../study.toml",
        "/releases/%2e%2e/%2e%2e/study.toml", "/releases/latest/%252e%252e%252fstudy.toml", "/../../../etc/passwd",
        "/releases/latest//etc/passwd", "/releases/latest/%2fetc%2fpasswd", "/releases/latest/outcomes.duckdb",
        "/releases/latest/manifest.json", "/releases/latest/told.json", "/releases/latest/report.html%00.pdf",
        "/releases/..\\..\\study.toml", "/releases/latest/..%5c..%5cstudy.toml", "/releases/current/report.html",
        "/releases/lat/report.html", "/releases/.aside-x/report.html", "/style.css/../../../study.toml",
        "//evil.example/", "/static/../pages.py",
    ],
)  # fmt: skip
def test_paths_lead_to_documents_of_releases_and_nowhere_else(page, path):
    answer = page.ask(path)
    assert answer.status == 404, answer.text[:200]
    assert "[study]" not in answer.text
    assert "root:x:" not in answer.text
    assert answer.headers.get("location") is None


def test_a_link_in_a_release_that_leads_out_is_not_followed(page):
    planted = (page.root / "current").resolve() / "brief.html"
    kept = planted.read_bytes()
    planted.unlink()
    planted.symlink_to(page.root / "study.toml")
    try:
        assert page.ask("/releases/latest/brief.html").status == 404
    finally:
        planted.unlink()
        planted.write_bytes(kept)


@pytest.mark.parametrize(
    "sql",
    [
        "attach '/tmp/planted.duckdb' as planted", "attach ':memory:' as m", "copy mart_sessions to '/tmp/planted.csv'",
        "copy (select 1) to program 'id'", "install httpfs", "load httpfs", "select * from read_csv('/etc/passwd')",
        "select * from read_text('{root}/study.toml')", "select * from '/etc/passwd'", "select * from glob('/*')",
        "select * from sniff_csv('/etc/passwd')", "select * from parquet_scan('{root}/landed/*/*.parquet')",
        "pragma database_list", "pragma enable_external_access = true", "set enable_external_access = true",
        "set lock_configuration = false", "reset memory_limit", "select 1; select 2",
        "select 1; attach '/tmp/planted.duckdb'", "export database '/tmp/planted'", "import database '/tmp/planted'",
        "create table planted as select 1", "create temp table planted as select 1", "drop table mart_sessions",
        "delete from core_sessions", "update core_sessions set client_id = ''", "insert into core_sessions values (1)",
        "explain analyze copy mart_sessions to '/tmp/planted.csv'", "prepare p as select 1", "begin", "checkpoint",
        "vacuum", "use memory", "call pragma_version()", "select * from duckdb_secrets()", "select getenv('HOME')",
        "select * from query('copy mart_sessions to ''/tmp/planted.csv''')", "from asked", "", ";", "select", "\x00",
        "with recursive r as (select 1 as i union all select i + 1 from r) select max(i) from r",
    ],
)  # fmt: skip
def test_the_box_takes_one_statement_that_reads_the_release(page, sql):
    answer = page.question(sql.replace("{root}", str(page.root)))
    assert answer.status == 400, answer.text[-2_000:]
    assert "What to try." in answer.text
    assert "root:x:" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "select repeat('x', 2000000000)", "select regexp_replace(repeat('a', 100000000), 'a', 'bb', 'g')",
        "select count(*) from range(100000000000000)", "select list(i) from range(1000000000) as r(i)",
        "select * from range(10000000) as a(i), range(10000000) as b(j) order by i + j desc",
    ],
)  # fmt: skip
def test_a_question_that_takes_too_much_is_ended_and_the_page_lives(page, sql):
    answer = page.question(sql)
    assert answer.status == 400, answer.text[:300]
    assert "was stopped" in answer.text
    assert page.question("select 1").status == 200


def test_a_huge_answer_is_cut_and_says_so(page):
    answer = page.question("select i, repeat('x', 100000) as long from range(1000000000) as r(i)")
    assert answer.status == 200
    assert ", cut" in answer.text
    assert len(answer.text) < 3_000_000


def test_a_huge_or_endless_question_is_not_read(page):
    origin = f"http://127.0.0.1:{page.port}"
    assert page.ask("/ask", "POST", "sql=" + "x" * 200_000, Origin=origin).status == 413
    assert page.ask("/ask", "POST", None, Origin=origin, Transfer_Encoding="chunked").status == 413
    assert page.ask("/ask", "POST", None, Origin=origin, Content_Length="-1").status in (400, 413)


MARK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_text_from_questions_data_and_addresses_is_never_run(page):
    said = [
        page.question(MARK),
        page.question(f"select '{MARK.replace(chr(39), chr(39) * 2)}' as \"{MARK.replace(chr(34), '')}\""),
        page.ask(f"/codebook?word={quote(MARK)}"),
        page.ask(f"/releases/{quote(MARK, safe='')}"),
        page.ask(f"/releases/latest/{quote(MARK, safe='')}"),
    ]
    for answer in said:
        assert "<script" not in answer.text
        assert "<img" not in answer.text


def test_signs_that_hide_words_are_written_out(page):
    answer = page.question("select 'a' || chr(8238) || 'b' || chr(27) || '[2J'")
    assert "\\u202e" in answer.text
    assert "\x1b" not in answer.text


def test_a_crowd_is_answered_or_turned_away_and_the_page_lives(page):
    with ThreadPoolExecutor(30) as crowd:
        told = list(crowd.map(lambda _: page.ask("/documents").status, range(90)))
    assert set(told) <= {200, 503}
    assert page.ask("/documents").status == 200


def test_it_listens_on_this_machine_only(page):
    others = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, page.port), timeout=HANGS_SECONDS)


def test_files_that_a_question_names_are_not_made(tmp_path, page):
    page.question(f"copy mart_sessions to '{tmp_path}/planted.csv'")
    page.question(f"attach '{tmp_path}/planted.duckdb'")
    assert list(tmp_path.iterdir()) == []
