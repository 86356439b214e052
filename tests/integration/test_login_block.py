"""The mail server's login in a Prefect block: on a real Prefect server and a real mail server, nothing left behind."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mail_stand_ins import PASSWORD, USER, Mailbox, strict_mail_server, write_certificate
from operations_page import blocks
from processes import HANGS_SECONDS, CommandLine

pytestmark = pytest.mark.xdist_group("prefect_server")

OTHER_BLOCKS = """
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from pydantic import SecretStr

class TeamMailLogin(Block):
    _block_type_slug = "team-mail-login"
    username: str
    password: SecretStr

TeamMailLogin(username="typed", password="of its own type").save("ours", overwrite=True)
Secret(value='{"user": "text", "password": "as the browser saves it"}').save("as-text", overwrite=True)
Secret(value="only a password").save("half", overwrite=True)
"""
READ = """
import json, sys
from outcomes.errors import OutcomesError
from outcomes.flows.blocks import read_login
told = {}
for name in sys.argv[1:]:
    try:
        login = read_login(name)
        told[name] = [login.user, login.password]
    except (OutcomesError, OSError) as refused:
        told[name] = str(refused)
print(json.dumps(told))
"""


def python(code: str, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANGS_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def save_as_the_page_says(environment: dict[str, str], password: str) -> None:
    """Run the page's lines, with somebody who types the password."""
    (code,) = blocks("python")
    typed = f"import getpass\ngetpass.getpass = lambda: {password!r}\n"
    python(typed + code, environment)


def files_that_hold(text: str, *folders: Path) -> list[str]:
    forms = [form.encode() for form in (text, base64.b64encode(f"\0{USER.decode()}\0{text}".encode()).decode())]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]


@pytest.fixture
def mailing_study(small_study, tmp_path):
    """A study that mails through a server with STARTTLS and login; the login is in the block `mail-login`."""
    box, certificate = Mailbox(), tmp_path / "certificate.pem"
    write_certificate(certificate)
    with strict_mail_server(box, certificate) as port:
        text = small_study.settings_path.read_text()
        for old, new in {
            "stakeholders = []": 'stakeholders = ["lead@example.org"]', 'host = ""': 'host = "localhost"',
            "port = 587": f"port = {port}", 'sender = ""': 'sender = "study@example.org"',
            'login_block = ""': 'login_block = "mail-login"',
        }.items():  # fmt: skip
            assert old in text
            text = text.replace(old, new)
        small_study.settings_path.write_text(text)
        yield small_study, box, certificate


def test_a_refresh_mails_with_the_blocks_login_and_leaves_it_nowhere_in_clear(prefect_server, mailing_study, tmp_path):
    study, box, certificate = mailing_study
    outcomes = CommandLine({**prefect_server, "SSL_CERT_FILE": str(certificate)})
    save_as_the_page_says(prefect_server, PASSWORD.decode())
    done = outcomes("refresh", study.root)
    assert done.returncode == 0, done.stdout + done.stderr
    (mail,) = box.to("lead@example.org")
    attached = {part.get_filename() for part in mail.iter_attachments()}
    assert attached == {"brief.html", "brief.pdf", "report.html", "report.pdf"}
    home = Path(prefect_server["PREFECT_HOME"])
    assert files_that_hold("mail-login", home), "the server's database is there to be searched"
    assert files_that_hold(PASSWORD.decode(), home, study.root) == []
    assert PASSWORD.decode() not in done.stdout + done.stderr


def test_every_form_of_block_is_read_and_what_is_no_login_is_said_without_it(prefect_server):
    python(OTHER_BLOCKS, prefect_server)
    names = ("team-mail-login/ours", "as-text", "half", "none-such", "no-such-type/ours")
    told = json.loads(python(READ, prefect_server, *names))
    assert told["team-mail-login/ours"] == ["typed", "of its own type"]
    assert told["as-text"] == ["text", "as the browser saves it"]
    assert "holds no user and password" in told["half"]
    assert "only a password" not in told["half"]
    assert all("There is no Prefect block" in told[name] for name in ("none-such", "no-such-type/ours"))
