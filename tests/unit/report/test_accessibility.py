"""Every page under axe-core in a headless browser, in light and dark, at a desk and on a phone: nothing is found."""

from __future__ import annotations

import html as entities
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from outcomes.report.write import write_report
from outcomes.study.tables.delivery import WRITTEN

ROOT = Path(__file__).parents[3]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """
<script>axe.run(document, {runOnly: %s}).then(found => {
  const said = found.violations.map(one => ({rule: one.id, where: one.nodes.slice(0, 3).map(n => n.html)}));
  const out = document.createElement("pre"); out.id = "axe-found";
  out.textContent = JSON.stringify({n: found.passes.length, violations: said}); document.body.append(out);
});</script>
"""


def _axe() -> Path | None:
    """Where `npm install axe-core` puts it: here, or for all users."""
    folders = [ROOT / "node_modules"]
    if npm := shutil.which("npm"):
        asked = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, timeout=600, check=False)
        folders.append(Path(asked.stdout.strip() or "."))
    return next((path for folder in folders if (path := folder / "axe-core" / "axe.min.js").is_file()), None)


@pytest.fixture(scope="module")
def axe() -> str:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    path = _axe()
    if path is None:
        pytest.skip("axe-core is not installed: npm install axe-core")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(fitted_release, template_study) -> Path:
    write_report(fitted_release, template_study)
    return fitted_release


def found(page: str, axe: str, folder: Path, *flags: str) -> dict:
    """What axe says of a page."""
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


LOOKS = {
    "desk, light": ("--window-size=1280,900",),
    "phone, dark": ("--window-size=390,900", "--blink-settings=preferredColorScheme=0"),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("document", WRITTEN)
def test_axe_finds_nothing(document, look, folder, axe, tmp_path):
    said = found((folder / document.files[0]).read_text(encoding="utf-8"), axe, tmp_path, *LOOKS[look])
    assert said["n"] > 15, "axe must have looked"
    assert said["violations"] == []


def test_axe_finds_what_is_planted(axe, tmp_path):
    page = '<!doctype html><html><head><title></title></head><body><img src="x.png"></body></html>'
    assert {"image-alt", "html-has-lang"} <= {one["rule"] for one in found(page, axe, tmp_path)["violations"]}
