"""The HTML report in a real browser: it draws without a network, and fits a telephone as well as a desk."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fmbench.storage.reader import LocalRun

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")]

LOOK = """
<body style="margin:0"><iframe src="report.html" style="width:{width}px;height:3000px;border:0"></iframe>
<script>
addEventListener("load", () => {{
  const inner = document.querySelector("iframe").contentWindow;
  setTimeout(() => {{
    const page = inner.document;
    const drawn = [...page.querySelectorAll(".plot")].filter(place => place.querySelector(".main-svg"));
    const wide = drawn.filter(place => place.querySelector(".main-svg").getBoundingClientRect().width > place.clientWidth + 1);
    const seen = {{
      width: inner.innerWidth, scroll: page.documentElement.scrollWidth, drawn: drawn.length, wide: wide.length,
      asked: inner.performance.getEntriesByType("resource").map(entry => entry.name)
    }};
    document.body.textContent = "SEEN" + JSON.stringify(seen) + "END";
  }}, 4000);
}});
</script></body>
"""


def seen_at(width: int, run: LocalRun, scratch: Path) -> dict[str, Any]:
    """What a browser window of ``width`` pixels makes of a report."""
    assert CHROMIUM is not None
    shutil.copy(run.path / "report.html", scratch / "report.html")
    (scratch / "look.html").write_text(LOOK.format(width=width))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"]
    flags += [f"--user-data-dir={scratch / 'profile'}", "--window-size=1400,3000", "--virtual-time-budget=30000", "--dump-dom"]
    ran = subprocess.run([CHROMIUM, *flags, f"file://{scratch / 'look.html'}"], capture_output=True, text=True, timeout=120)
    found = re.search(r"SEEN(.*?)END", ran.stdout, re.DOTALL)
    assert found is not None, ran.stderr[-2000:]
    seen: dict[str, Any] = json.loads(found[1].replace("&amp;", "&"))
    return seen


@pytest.mark.parametrize("name", ["normal", "long_names"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_draws_and_fits(report_of: Callable[[str], LocalRun], tmp_path: Path, width: int, name: str):
    seen = seen_at(width, report_of(name), tmp_path)
    assert seen["width"] == width
    assert seen["scroll"] <= width
    assert seen["drawn"] >= 2
    assert seen["wide"] == 0
    assert [address for address in seen["asked"] if not address.startswith(("data:", "blob:"))] == []
