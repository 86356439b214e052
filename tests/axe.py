"""axe-core in a headless browser: fetched once a test run where npm is there; else its tests are skipped."""

from __future__ import annotations

import html as entities
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
LOOKS = {
    "desk, light": ("--window-size=1280,900",),
    "phone, dark": ("--window-size=390,900", "--blink-settings=preferredColorScheme=0"),
}
WANTED = "axe-core@4"
_FETCH_SECONDS = 90  # for half a megabyte; without a network npm would try for minutes
_SCRIPT = Path("node_modules") / "axe-core" / "axe.min.js"
_RUN = """
<script>axe.run(document, {runOnly: %s}).then(found => {
  const said = found.violations.map(one => ({rule: one.id, where: one.nodes.slice(0, 3).map(n => n.html)}));
  const out = document.createElement("pre"); out.id = "axe-found";
  out.textContent = JSON.stringify({n: found.passes.length, violations: said}); document.body.append(out);
});</script>
"""


@pytest.fixture(scope="session")
def axe(built_once) -> str:
    """The script of axe-core: the one that lies here, else one that npm fetches, once for all workers."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    here = ROOT / _SCRIPT
    path = here if here.is_file() else built_once("axe-core", _fetch) / _SCRIPT
    if not path.is_file():
        pytest.skip("axe-core is not here, and npm is not there or could not fetch it")
    return path.read_text(encoding="utf-8")


def _fetch(folder: Path) -> None:
    """Have npm put axe-core into a folder; leave it empty where that does not work."""
    if (npm := shutil.which("npm")) is None:
        return
    command = [npm, "install", WANTED, "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(command, capture_output=True, timeout=_FETCH_SECONDS, check=False, cwd=folder)
    except subprocess.TimeoutExpired:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)


def found(page: str, axe: str, folder: Path, *flags: str) -> dict:
    """What axe says of a page: how many rules it passes, and where it breaks others."""
    copy = folder / "page.html"
    run = f"<script>{axe}</script>{_RUN % json.dumps({'type': 'tag', 'values': RULES})}"
    copy.write_text(page.replace("</body>", f"{run}</body>"), encoding="utf-8")
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, "--virtual-time-budget=20000", "--dump-dom",
         copy.as_uri()],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    said = re.search(r'<pre id="axe-found">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert said, "axe did not finish"
    return json.loads(entities.unescape(said[1]))
