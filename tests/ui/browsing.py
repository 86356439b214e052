"""The study's page in a process of its own, as a user starts it, and bare requests to it."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

from processes import HANGS_SECONDS, private_environment


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Page:
    """The running page: its link, and requests as somebody who has or lacks the cookie makes them."""

    root: Path
    link: str
    said: list[str] = field(default_factory=list)
    cookie: str = ""

    @property
    def port(self) -> int:
        return urlsplit(self.link).port

    @property
    def token(self) -> str:
        return urlsplit(self.link).query.removeprefix("token=")

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str | None) -> Answer:
        """Send one request as it stands: no client of ours mends the path."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else body.encode()
        if content is not None and "Content-Length" not in sent:
            sent["Content-Length"] = str(len(content))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGS_SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode("utf-8", "replace"),
            )
        finally:
            connection.close()

    def question(self, sql: str) -> Answer:
        """Ask in SQL, as the form does."""
        return self.ask("/ask", "POST", f"sql={quote_plus(sql)}", Origin=f"http://127.0.0.1:{self.port}")


@contextmanager
def opened_page(root: Path, home: Path) -> Iterator[Page]:
    """The page of a study, opened by its link; Ctrl-C ends it in peace, and it has not said the token again."""
    command = [sys.executable, "-u", "-m", "outcomes.cli", "ui", str(root)]
    environment = private_environment(home)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        said: list[str] = []
        for line in run.stdout:
            said.append(line)
            if link := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line):
                break
        else:
            raise AssertionError("".join(said))
        rest = threading.Thread(target=lambda: said.extend(run.stdout), daemon=True)
        rest.start()
        opened = Page(root, link[0], said)
        first = opened.ask(f"/?token={opened.token}")
        opened.cookie = first.headers["set-cookie"].split(";")[0]
        try:
            yield opened
        finally:
            run.send_signal(2)
            exit_code = run.wait(HANGS_SECONDS)
        rest.join(HANGS_SECONDS)
        assert exit_code == 0
        assert "Traceback" not in "".join(said)
        assert opened.token not in "".join(said[2:])
