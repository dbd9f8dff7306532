"""The web UI of a study, under plain Locust: who may do what, what its start does, and what its tab of cells shows."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.load.studies import entries
from tests.support.browser import CHROMIUM, browser

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
load: {concurrency: [2, 3], warmup_s: 0.2, duration_s: 0.8, min_requests: 0}
simulator: {profile: {ttft_s: 0.02, tpot_s: 0.002}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], within_s: float = 60) -> Any:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@dataclass(frozen=True)
class Site:
    """A web UI, and a client of it that sends just the headers that a test names."""

    folder: Path
    port: int
    process: subprocess.Popen[str]

    def ask(self, path: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> tuple[int, Any, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def listens(self) -> bool:
        with suppress(OSError):
            return self.ask("/")[0] in (200, 401)
        return False

    def token(self) -> dict[str, str]:
        return {"Cookie": self.ask("/")[1]["Set-Cookie"].split(";")[0]}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path, CONFIG) as found:
        yield found


@contextmanager
def serving(tmp_path: Path, config: str) -> Iterator[Site]:
    """Plain Locust with its web UI on a study."""
    (tmp_path / "cfg.yml").write_text(config)
    port = free_port()
    locustfile = ["-f", str(ROOT / "locustfiles/bedrock.py"), "--fmbench-config", "cfg.yml", "--web-port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "locust", *locustfile], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    found = Site(tmp_path, port, process)
    try:
        wait_until(lambda: found.listens() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_strangers_neither_read_nor_change_anything_and_the_form_asks_for_no_numbers(site: Site) -> None:
    elsewhere = "http://evil.example"
    assert site.ask("/stats/requests", {"Host": "evil.example"})[0] == 403
    for host in ("[", "127.0.0.1.evil.example", "evil.example:8089", "127.0.0.1@evil.example", "localhost.", "%31", "\x7f"):
        assert site.ask("/stats/requests", {"Host": host})[0] in (400, 403), host
    for origin in (elsewhere, "null", "http://[", "", "//", "file://", f"http://127.0.0.1:{site.port}.evil.example"):
        assert site.ask("/stats/requests", {"Origin": origin})[0] == 403, origin
    assert site.ask("/stats/requests", {"Sec-Fetch-Site": "cross-site"})[0] == 403
    for path in ("/swarm", "/stop", "/stats/reset"):
        assert site.ask(path, data=b"user_count=999&spawn_rate=999")[0] == 403, "without the cookie of the page"
        assert site.ask(path, {"Origin": elsewhere, **site.token()}, b"")[0] == 403
    status, headers, page = site.ask("/")
    assert status == 200 and not [name for name in headers if name.startswith("Access-Control-")]
    assert re.search(r"SameSite=Strict", headers["Set-Cookie"]) and "HttpOnly" in headers["Set-Cookie"]
    assert re.search(r'"?hide_common_options"?: *true', page), "users and ramp-up are the configuration's"

    started = site.ask("/swarm", site.token(), b"user_count=999&spawn_rate=999")
    assert json.loads(started[2])["success"] is True
    again = site.ask("/swarm", site.token(), b"user_count=5&spawn_rate=5")
    assert json.loads(again[2])["success"] is False
    wait_until(lambda: list(site.folder.glob("results/*/load.json")))
    (run,) = (site.folder / "results").iterdir()
    assert json.loads((run / "load.json").read_text())["ended"] == "done"
    rows = [json.loads(line) for line in (run / "cells.jsonl").read_text().splitlines()]
    table, *_ = json.loads(site.ask("/stats/requests")[2])["extended_stats"]
    assert [row["name"] for row in table["data"]] == [
        f"{number} of 2: lite, en_1-500, {users} users" for number, users in ((1, 2), (2, 3))
    ]
    assert [row["state"] for row in table["data"]] == [row["status"] for row in rows] == ["complete", "complete"]
    assert site.process.poll() is None, "the page stays until it is closed"


RATES = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
load:
  rate_per_min: {profile: [300, 1200], over_s: 3}
  arrivals: constant
  max_in_flight: 2
  warmup_s: 0.2
  min_requests: 0
  retry: {attempts: 3, base_s: 0.01, on: [throttled]}
simulator: {profile: {ttft_s: 0.2, tpot_s: 0.0, output_tokens: 1, faults: [{kind: throttle_requests, rate: 0.3}]}}
"""


def test_a_rate_with_its_drops_and_both_latencies_in_the_web_ui(tmp_path: Path) -> None:
    with serving(tmp_path, RATES) as site:
        site.ask("/swarm", site.token(), b"")
        wait_until(lambda: list(site.folder.glob("results/*/load.json")))
        (run,) = (site.folder / "results").iterdir()
        assert json.loads((run / "load.json").read_text())["ended"] == "done"
        (row,) = json.loads(site.ask("/stats/requests")[2])["extended_stats"][0]["data"]
    assert row["name"] == "1 of 1: lite, en_1-500, 750 requests/min"
    records = [record for record in entries(run, "record") if record["phase"] == "measure"]
    dropped = [record for record in records if record["outcome"] == "dropped"]
    assert len(dropped) > 5 and row["dropped"] == str(len(dropped))
    assert max(record["attempt"] for record in records) > 1, "retries are made there, too"
    last: dict[tuple[Any, ...], Any] = {}  # of each request that began in the window, by the rows' documentation
    for record in sorted(entries(run, "record"), key=lambda record: record["attempt"]):
        of = (record["worker"], record["user"], record["seq"] - record["attempt"])
        if record["outcome"] != "dropped" and (of in last or (record["phase"] == "measure" and record["attempt"] == 1)):
            last[of] = record
    failed = sum(record["outcome"] == "failed" for record in last.values())
    attempts = sum(record["outcome"] == "failed" for record in records)
    assert attempts > failed and row["failed"] == f"{failed} ({attempts} attempts)"
    answered = [record for record in records if record["outcome"] == "ok"]
    for column, shown in zip(("ttft_s", "e2e_s"), row["planned"].split(", "), strict=True):
        late = sorted(record[column] + record["sent_at"] - record["intended_at"] for record in answered)
        p95 = late[math.ceil(0.95 * len(late)) - 1]
        assert float(shown.removesuffix(" ms")) == pytest.approx(1000 * p95, rel=0.03)
    planned = sum(record["attempt"] == 1 for record in entries(run, "record"))
    assert planned == pytest.approx(0.2 * 5 + 1.5 * 5 + 1.5 * 20, abs=1), "every moment of the plan has a row"


def test_it_listens_to_this_machine_alone(site: Site) -> None:
    outside = socket.gethostbyname(socket.gethostname())
    if outside.startswith("127."):
        pytest.skip("this machine has no other address")
    with socket.socket() as probe:
        assert probe.connect_ex((outside, site.port)) != 0


def test_beyond_this_machine_it_takes_a_password(tmp_path: Path) -> None:
    (tmp_path / "cfg.yml").write_text(CONFIG)
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles/bedrock.py"), "--fmbench-config", "cfg.yml"]
    command += ["--web-host", "0.0.0.0", "--web-port", str(free_port())]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 3
    assert "FMBENCH_WEB_PASSWORD" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.timing
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_whole_run_by_clicking(site: Site, tmp_path: Path) -> None:
    with browser(f"http://127.0.0.1:{site.port}/", tmp_path) as page:
        wait_until(lambda: "start" in page.text().lower())
        asked = "[...document.querySelectorAll('[name=userCount], [name=spawnRate]')].map(field => field.disabled)"
        assert page.value(asked) == [True, True], "users and ramp-up are the configuration's"
        wait_until(lambda: page.click("Start") or page.click("Start swarming") or page.click("Start Swarm"))
        wait_until(lambda: page.click("Cells"))
        wait_until(lambda: list(site.folder.glob("results/*/load.json")))
        (run,) = (site.folder / "results").iterdir()
        assert json.loads((run / "load.json").read_text())["ended"] == "done"
        shown = wait_until(lambda: (text := page.text()).count("complete") >= 2 and text)
        for number, users in ((1, 2), (2, 3)):
            assert f"{number} of 2: lite, en_1-500, {users} users" in shown
        page.picture(tmp_path / "cells.png")
        assert (tmp_path / "cells.png").stat().st_size > 10_000
