"""``fmbench-load check --probe`` sends each model one small request, and says what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmbench.run.check import command
from fmbench.run.options import Options
from tests.support.simulator import running

NOVA, CLAUDE, LLAMA = (
    "us.amazon.nova-lite-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
)
SERVED: dict[str, Any] = {
    "profile": {"ttft_s": 0.005, "tpot_s": 0.001},
    "models": {CLAUDE: {"reasoning_tokens": 50, "thinks": "always"}, LLAMA: {"faults": [{"kind": "access_denied", "at": [1]}]}},
}
PRICE = {"input": 1, "output": 2}


def probed(folder: Path, capsys: pytest.CaptureFixture[str], **sections: Any) -> tuple[int, list[tuple[str, str]]]:
    """(exit status, verdict and words of each probe)."""
    models = [{"id": NOVA}, {"id": CLAUDE}, {"id": LLAMA}]
    pricing = {name: PRICE for name in (NOVA, CLAUDE, LLAMA)}
    config = {"models": models, "pricing": pricing, "region": "us-east-1", "output": str(folder / "runs")} | sections
    (folder / "cfg.yml").write_text(yaml.safe_dump(config))
    status = command(Options(config=str(folder / "cfg.yml")), True, True)
    found = json.loads(capsys.readouterr().out)["found"]
    return status, [(each["verdict"], each["what"]) for each in found if each["check"] == "probe"]


def test_each_model_is_asked_once_for_a_few_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(SERVED) as one:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", one.url)
        status, [nova, claude, llama] = probed(tmp_path, capsys)
        rows = one.settled(3)
    assert [(row["model"], row["max_tokens"]) for row in rows] == [(NOVA, 16), (CLAUDE, 16), (LLAMA, 16)]
    assert nova == ("ok", f"answered with {rows[0]['output_tokens']} tokens")
    assert claude[0] == "warning" and "none of them text within 16: it thinks unasked" in claude[1]
    assert llama[0] == "failed" and llama[1].startswith("access_denied: ")
    assert status == 3


def test_a_study_of_the_simulator_probes_the_simulator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [{"id": NOVA}, {"id": CLAUDE, "inference": {"thinking": 1024, "max_tokens": 1100}}]
    status, [nova, claude] = probed(tmp_path, capsys, simulator=SERVED, models=models, inference={"temperature": None})
    assert (status, nova[0], claude[0]) == (0, "ok", "ok")


def test_parameters_that_are_turned_down_are_told_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = {"profile": {"ttft_s": 0.005, "tpot_s": 0.001, "rejects": ["top_p", "temperature"]}}
    asked = {"temperature": 0.1, "top_p": 0.9, "stop_sequences": ["x"]}
    status, [nova] = probed(tmp_path, capsys, simulator=served, models=[{"id": NOVA}], inference=asked)
    assert (status, nova[0]) == (3, "failed")
    assert nova[1].endswith("turned down, asked for alone: temperature, top_p")


def test_tier_and_cache_are_told_as_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = {"profile": {"ttft_s": 0.005, "tpot_s": 0.001, "cache": "points", "served_tier": "default"}}
    asked = {"service_tier": {"type": "priority"}}
    sections = {"simulator": served, "models": [{"id": NOVA}], "inference": asked, "cache": {"mode": "hit"}}
    status, [nova] = probed(tmp_path, capsys, **sections)
    assert (status, nova[0]) == (0, "warning")
    assert "tier default where priority was asked for" in nova[1]
    assert "of a long prompt read from the cache" in nova[1]
