"""Secrets do not come back from an endpoint that echoes what it was sent, and stand on no page, in no object, in no message."""

from __future__ import annotations

import json
import stat
import sys
import textwrap
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.e2e.commands import files_of, wait_until
from tests.faults.hostile import ANSWER, Asked, error, hostile
from tests.faults.store import failing_store
from tests.faults.test_canary import MARKER, SECRETS
from tests.faults.trials import config, desk
from tests.support.emulators import free_port

pytestmark = [pytest.mark.slow, pytest.mark.long]
STDERR = "sTdErRcAnArY0123456789"


def echo(asked: Asked) -> bytes:
    """A refusal that repeats the whole head of the request, as text and as JSON, and the beginning of the prompt."""
    if asked.number % 3:
        return ANSWER
    headers = [line.partition(": ")[::2] for line in asked.head.splitlines()[1:]]
    said = asked.head if asked.number % 2 else json.dumps(dict(headers))
    return error("500 I", "InternalServerException", f"{asked.text[:60]} {said}")


def assert_clean(texts: dict[str, bytes]) -> None:
    for name, data in texts.items():
        assert not [which for which, secret in SECRETS.items() if secret.encode() in data], name
        assert STDERR.encode() not in data, name
        assert name.startswith("prompts/") or MARKER.encode() not in data, name


def test_an_echo_and_what_is_stored_on_s3(tmp_path: Path) -> None:
    rows = [{"text": f"{MARKER} {number}: " + "one two three " * 50} for number in range(8)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = {"source": "jsonl", "path": str(tmp_path / "data.jsonl"), "buckets": ["100-300"], "prompts_per_bucket": 4}
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    with hostile(echo) as ledger, failing_store() as store:
        at = desk(tmp_path, ledger, AWS_ENDPOINT_URL_S3=store.url, TMPDIR=str(scratch), **SECRETS)
        ended = at.call("--config", at.write(config(dataset=dataset)), "--output", "s3://bucket/runs")
        assert ended.status == 0, ended.stderr
        stored = store.below(ended.address.removeprefix("s3://") + "/")
    assert {"manifest.json", "report.html", "config.yml"} <= stored.keys()
    assert b"x-amz-security-token" in "".join(asked.head for asked in ledger.asked).lower().encode(), "the secret was sent"
    left = {f"tmp/{name}": data for name, data in files_of(scratch).items()}
    assert_clean(stored | left | {"stdout": ended.stdout.encode(), "stderr": ended.stderr.encode()})


def test_the_pages_of_the_web_ui(tmp_path: Path) -> None:
    port = free_port()
    load = {"concurrency": [4], "warmup_s": 0, "duration_s": 60, "min_requests": 0}
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({}))

    def page(path: str) -> bytes:
        try:
            with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            return b""

    with hostile(echo) as ledger:
        at = desk(tmp_path, ledger, **SECRETS)
        command = at.start_run(config(load=load), "--web", "--web-port", str(port))
        wait_until(lambda: (len(ledger) > 30 and page("/")) or command.process.poll() is not None)
        paths = ("/", "/stats/requests", "/stats/report", "/stats/requests/csv", "/stats/failures/csv", "/exceptions", "/logs")
        pages = {path: page(path) for path in (*paths, "/exceptions/csv", "/worker-count", "/tasks")}
        command.process.terminate()
        ended = command.ended()
    assert pages["/"] and pages["/stats/requests"]
    assert_clean(pages | {"stderr": ended.stderr.encode()})


def test_what_a_credential_process_writes_to_stderr(tmp_path: Path) -> None:
    script = tmp_path / "provider.py"
    script.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import sys
        sys.exit("no session: {STDERR}")
        """)
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "aws").write_text(f"[default]\nregion = us-east-1\ncredential_process = {script}\n")
    variables = {"AWS_CONFIG_FILE": str(tmp_path / "aws"), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    at = desk(tmp_path, None, **variables)
    study = at.write(config())
    for arguments in (["--output", "results"], ["--output", "s3://bucket/x"], ["--live-prices"]):
        ended = at.call("--config", study, *arguments, AWS_ENDPOINT_URL_S3="http://127.0.0.1:9")
        assert ended.status == 3, ended.stderr
        assert "credential" in ended.stderr
        assert_clean({"stderr": ended.stderr.encode(), "stdout": ended.stdout.encode()})
    checked = at.call("check", "--config", study)
    assert_clean({"stderr": checked.stderr.encode(), "stdout": checked.stdout.encode()})
