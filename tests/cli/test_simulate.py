"""``fmbench-load simulate``: the endpoint on its own, for as long as it is wanted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_answers_boto3_until_it_is_interrupted(tmp_path: Path, number: signal.Signals, status: int):
    (tmp_path / "cfg.yml").write_text("models: [{id: a.model-v1:0}]\nsimulator: {profile: {ttft_s: 0, tpot_s: 0}}\n")
    command = [sys.executable, "-m", "fmbench", "simulate", "--port", "0", "--config", str(tmp_path / "cfg.yml")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        client = boto3.client("bedrock-runtime", endpoint_url=where["url"], region_name="us-east-1")
        message = {"role": "user", "content": [{"text": "Say something."}]}
        answer = client.converse(modelId="a.model-v1:0", messages=[message], inferenceConfig={"maxTokens": 3})
        assert answer["usage"]["outputTokens"] == 3
        client.close()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME={where['url']}" in said


def test_an_address_that_is_not_ours_is_refused():
    command = [sys.executable, "-m", "fmbench", "simulate", "--host", "203.0.113.1", "--port", "80"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "cannot listen" in done.stderr
