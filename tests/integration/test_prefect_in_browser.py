"""Prefect's pages as an analyst sees them: read in a real browser after a refresh that refused a file."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request

import pytest
from processes import HANGS_SECONDS

from outcomes.study import StudyFolder

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect_server")]


def in_browser(address: str, folder) -> str:
    """The page after its scripts ran; the window is high because only rows in sight are drawn."""
    browser = shutil.which("chromium")
    if not browser:
        pytest.skip("no chromium here")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}",
        "--window-size=1400,4000", "--virtual-time-budget=30000", "--dump-dom", address,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_SECONDS).stdout


def asked(api: str, path: str) -> list[dict]:
    request = urllib.request.Request(
        f"{api}/{path}", json.dumps({"sort": "START_TIME_DESC"} if "runs" in path else {}).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=HANGS_SECONDS) as answer:
        return json.loads(answer.read())


def test_the_pages_say_which_run_refused_what_and_what_to_do(
    outcomes_on_server, prefect_server, tiny_study: StudyFolder, tmp_path
):
    (tiny_study.inbox / "sessions-names.csv").write_text("client_id,therapist_id,surname\nc1,t1,Smith\n")
    with tiny_study.settings_path.open("a") as settings:
        settings.write("# a release of this test's own\n")
    assert outcomes_on_server("refresh", tiny_study.root).returncode == 1
    api = prefect_server["PREFECT_API_URL"]
    pages = api.removesuffix("/api")
    release_id = tiny_study.current.resolve().name
    run = next(one for one in asked(api, "flow_runs/filter") if one["name"].endswith(release_id))

    every = in_browser(f"{pages}/runs", tmp_path)
    assert f"{tiny_study.root.name} refresh {release_id}" in every
    assert "RefusedFiles" in every

    one = in_browser(f"{pages}/runs/flow-run/{run['id']}", tmp_path)
    for said in (run["name"], "RefusedFiles", "land: ", f"build: release {release_id}", "audit: ", "publish: current"):
        assert said in one, said
    assert "sessions-names.csv was refused" in one
    assert "Smith" not in one

    (summary,) = [one for one in asked(api, "artifacts/filter") if one["key"] == f"release-{release_id}"]
    page = in_browser(f"{pages}/artifacts/artifact/{summary['id']}", tmp_path)
    assert f"Release {release_id}" in page
    assert page.index("brief.html") < page.index("mart_session_directiveness"), "what a person opens stands first"
    (refused,) = [one for one in asked(api, "artifacts/filter") if "refused-files" in (one["key"] or "")][:1]
    page = in_browser(f"{pages}/artifacts/artifact/{refused['id']}", tmp_path)
    assert "sessions-names.csv" in page
    assert "list it under drop" in page
