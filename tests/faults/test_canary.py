"""Secrets and prompts turn up in nothing that a run leaves behind, and in no command line of its processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.commands import files_of, wait_until
from tests.faults.hostile import ANSWER, hostile
from tests.faults.trials import config, desk

MARKER = "mArKeRoFaPrOmPt"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "sEcReTcAnArY0123456789",
    "AWS_SESSION_TOKEN": "tOkEnCaNaRy0123456789",
    "FMBENCH_SECRET": "sHaReDcAnArY0123456789",
}


def command_lines() -> bytes:
    """Of every process that there is."""
    lines = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            lines.append(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:  # ended in between
            continue
    return b"\n".join(lines)


@pytest.mark.slow
@pytest.mark.long
def test_a_run_leaves_no_secret_and_no_prompt_behind(tmp_path: Path) -> None:
    rows = [{"text": f"{MARKER} {number}: " + "one two three " * 50} for number in range(8)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    seen: list[bytes] = []

    def look() -> None:
        seen.append(command_lines())

    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(tmp_path, ledger, TMPDIR=str(scratch), **SECRETS)
        dataset = {"source": "jsonl", "path": str(tmp_path / "data.jsonl"), "buckets": ["100-300"], "prompts_per_bucket": 4}
        command = at.start_run(config(dataset=dataset), "--processes", "2")
        wait_until(lambda: (look(), len(ledger) or command.process.poll() is not None)[1])
        look()
        ended = command.ended()
    assert ended.status == 0, ended.stderr
    assert any(MARKER in asked.text for asked in ledger.asked), "the marker is what was asked"
    left = files_of(ended.run) | {f"tmp/{name}": data for name, data in files_of(scratch).items()}
    texts = {"stdout": ended.stdout.encode(), "stderr": ended.stderr.encode(), "command lines": b"\n".join(seen)} | left
    for name, data in texts.items():
        assert not [which for which, secret in SECRETS.items() if secret.encode() in data], name
        assert name.startswith(("prompts/", "answers/")) or MARKER.encode() not in data, name
