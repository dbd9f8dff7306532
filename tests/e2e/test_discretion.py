"""Nothing is spent without a yes, and no secret and no prompt turns up where it does not belong."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.e2e.commands import ROOT, Desk, files_of, small_config
from tests.support.simulator import Endpoint


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_on_a_terminal_a_no_to_the_bill_sends_nothing(desk: Desk, answer: str):
    """The target is AWS itself here; nothing may go there."""
    dear = {model: {"input": 100.0, "output": 100.0} for model in small_config()["pricing"]}
    config = desk.write(small_config(pricing=dear))
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer.encode())
    command = [sys.executable, "-m", "fmbench", "--config", config, "--output", str(desk.results)]
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | proxy, stdin=terminal, capture_output=True, text=True, timeout=120, check=False
    )
    os.close(keyboard)
    os.close(terminal)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "to Amazon Bedrock" in done.stderr and "USD" in done.stderr
    assert list(desk.results.iterdir()) == []


@pytest.mark.slow
def test_secrets_and_prompts_stay_out_of_files_and_messages(desk: Desk, endpoint: Endpoint):
    secret, key = "sEcReTcAnArY0123456789", "bEaReRcAnArY"
    config = small_config(load={"concurrency": [2], "warmup_s": 0, "duration_s": 0.5, "min_requests": 0})
    ended = desk.run(
        config | {"simulator": {"bearer_key": key, "profile": {"ttft_s": 0.01, "tpot_s": 0.001}}},
        "--set",
        f"simulator.bearer_key={key}",
        AWS_SECRET_ACCESS_KEY=secret,
        AWS_BEARER_TOKEN_BEDROCK=key,
    )
    assert ended.status == 4, "a key is sent over TLS only, and this simulator takes nothing else"
    assert len(ended.records()) > 0
    prompt = next(ended.run.glob("prompts/*.jsonl")).read_text()[200:260]
    for name, data in files_of(ended.run).items():
        assert secret.encode() not in data, name
        assert key.encode() not in data, name
        assert name.startswith("prompts/") or prompt.encode() not in data, name
    for text in (ended.stdout, ended.stderr):
        assert secret not in text and key not in text and prompt not in text
