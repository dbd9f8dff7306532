"""The end of a run in the web UI: the answer in a bar below the page, the report's files, and the way to close the page."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from flask import Flask, Response, send_file

from fmbench.config.schema import Config
from fmbench.load.events import STAYS

if TYPE_CHECKING:
    from fmbench.load.controller.status import Progress

REPORT_FILES = re.compile(r"report\.(?:html|md)|summary\.(?:json|csv)|plots/[A-Za-z0-9_-]+\.png")
CLOSES_AFTER_S = 0.5
"""So long the page may take to hear that it is being closed."""
BAR = """
<div id="fmbench" hidden style="position:fixed;bottom:0;left:0;right:0;padding:10px 16px;background:#16202a;color:#fff;
font:14px sans-serif;z-index:9999"><span id="fmbench-answer"></span> <a id="fmbench-report" hidden target="_blank"
style="color:#9cf" href="study/report.html">Open the report</a> <button id="fmbench-close">Close</button></div>
<script src="study/charts.js" defer></script>
<script>
(() => {
  const at = id => document.getElementById(id);
  let running = false;
  async function look() {
    let now;
    try { now = await (await fetch("study/end")).json(); } catch { return; }
    if (now.over && running && now.report) { location.reload(); return; }
    running = running || !now.report;
    at("fmbench").hidden = !now.over;
    document.body.style.paddingBottom = now.over ? "60px" : "";
    at("fmbench-answer").textContent = now.answer;
    at("fmbench-report").hidden = !now.report;
  }
  at("fmbench-close").onclick = async () => {
    await fetch("stop", {method: "POST"});
    clearInterval(timer);
    at("fmbench-answer").textContent = "This page is closed: fmbench-load has ended.";
  };
  const timer = setInterval(look, 1000);
  look();
})();
</script>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What the web UI may know of a run and do with it."""

    folder: Path
    config: Config
    progress: Progress
    begun: Callable[[], bool]
    over: Callable[[], bool]
    """Whether the load is."""
    close: Callable[[], None]
    """Ends the process."""


class Ending:
    """What there is to see once the load is over."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def routes(self, app: Flask) -> None:
        """Adds the addresses of the end: all of them only read."""
        app.add_url_rule("/study/end", "fmbench_end", self._end, methods=["GET"])
        app.add_url_rule("/study/<path:name>", "fmbench_report", self._file, methods=["GET"])

    def summary(self) -> dict[str, Any] | None:
        """The summary of this run's report; None: it is not written yet."""
        with suppress(OSError, ValueError):
            written = [(self._study.folder / name).stat().st_mtime_ns for name in ("summary.json", "report.html")]
            loaded = (self._study.folder / "load.json").stat().st_mtime_ns
            if self._study.over() and min(written) >= loaded:  # a resumed run has the report of its first part until then
                found: dict[str, Any] = json.loads((self._study.folder / "summary.json").read_text())
                return found
        return None

    def close(self) -> Response:
        """Closes the page, and with it the process, once the answer is out."""
        gevent.spawn_later(CLOSES_AFTER_S, self._study.close)
        return _json({"success": True, "message": "the page is being closed"})

    def _end(self) -> Response:
        summary = self.summary()
        return _json({"over": self._study.over(), "report": summary is not None, "answer": self._answer(summary)})

    def _answer(self, summary: dict[str, Any] | None) -> str:
        if summary is None:
            return self._where_the_report_is()
        verdict = (summary.get("validity") or {}).get("verdict")
        if verdict == "INVALID":
            return "No answer: this run is INVALID, and its report says why."
        searched = any(each.get("of") == "quota" for each in summary.get("search") or ())
        lead = "" if summary.get("recommendation") or searched else "No recommendation: "
        return f"{lead}{summary.get('recommendation_reason')} Validity: {verdict}."

    def _where_the_report_is(self) -> str:
        if not self._study.folder.is_dir():
            return "The run is over, and its report stored with it."
        if STAYS in os.environ:
            return "The load is over; the report is being written."
        return f"The load is over: fmbench-load report {self._study.folder} writes the report."

    def _file(self, name: str) -> Response:
        """One of the report's files, cut off from this page: what stands in it cannot press our buttons."""
        path = self._study.folder / name
        if not REPORT_FILES.fullmatch(name) or self.summary() is None or path.is_symlink() or not path.is_file():
            return Response("there is no such file of a report\n", 404)
        response = send_file(path.resolve())
        response.headers["Content-Security-Policy"] = "sandbox allow-scripts allow-downloads"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value), mimetype="application/json")
