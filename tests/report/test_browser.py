"""The HTML report in a real browser: it draws without a network, and fits a telephone as well as a desk."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
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


FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


def seen_at(width: int, run: LocalRun, scratch: Path) -> dict[str, Any]:
    """What a browser window of ``width`` pixels makes of a report."""
    assert CHROMIUM is not None
    shutil.copy(run.path / "report.html", scratch / "report.html")
    (scratch / "look.html").write_text(LOOK.format(width=width))
    flags = [*FLAGS, "--allow-file-access-from-files", f"--user-data-dir={scratch / 'profile'}"]
    flags += ["--window-size=1400,3000", "--virtual-time-budget=30000", "--dump-dom"]
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


def test_pictures_follow_a_window_that_becomes_narrow(report_of: Callable[[str], LocalRun], tmp_path: Path):
    """Chromium opens at 500 pixels or more, and takes its picture at 390: what did not follow would reach the right edge."""
    assert CHROMIUM is not None
    shot = tmp_path / "shot.png"
    flags = [
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--hide-scrollbars",
        "--window-size=390,4000",
        f"--screenshot={shot}",
    ]
    subprocess.run(
        [CHROMIUM, *flags, f"--screenshot={shot}", f"file://{report_of('normal').path / 'report.html'}"],
        capture_output=True,
        timeout=120,
    )
    pixels = matplotlib.image.imread(shot)[:, :, :3]
    assert pixels.shape[:2] == (4000, 390)
    below_contents = pixels[60:]
    assert (below_contents[:, -8:] == 1).all(), "only the contents, which scroll sideways on their own, may reach the edge"
    assert (pixels < 0.5).any()
