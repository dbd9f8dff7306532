"""The real SDKs of OpenAI and Anthropic, their Bedrock clients too, drive the simulator: another hand wrote the other end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulators import environment
from tests.support.simulator import Endpoint, running

pytestmark = [pytest.mark.aws_emulator, pytest.mark.slow]

FAST = {"ttft_s": 0.0, "tpot_s": 0.0005, "output_tokens": 20}
FAULTS = {"throttled": "throttle_requests", "cut": "early_end", "told": "internal_in_stream"}
OPENAI = ("openai", "openai bedrock runtime", "openai bedrock mantle")
ANTHROPIC = ("anthropic", "anthropic bedrock", "anthropic mantle")
WAYS = [(client, way) for client in OPENAI for way in ("chat", "chat stream", "responses", "responses stream")]
WAYS += [(client, way) for client in ANTHROPIC for way in ("messages", "messages stream")]


@pytest.fixture(scope="module")
def driven() -> Iterator[tuple[Endpoint, dict[tuple[str, str, str], dict[str, Any]]]]:
    """The simulator, and what each client got from it by each way, in health and in each fault."""
    models = {name: {"faults": [{"kind": kind, "rate": 1.0}]} for name, kind in FAULTS.items()}
    with running({"profile": FAST, "models": models | {"thinks": {"reasoning_tokens": 5}}}) as endpoint:
        command = [str(environment("sdks") / "python"), str(Path(__file__).with_name("drive.py")), endpoint.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        yield endpoint, {(row["client"], row["way"], row["fault"]): row for row in rows}


@pytest.mark.parametrize("fault", ["", "thinks"])
@pytest.mark.parametrize(("client", "way"), WAYS)
def test_a_healthy_answer(driven: Any, client: str, way: str, fault: str) -> None:
    endpoint, rows = driven
    row = rows[client, way, fault]
    assert "error" not in row, row
    told = [(line["input_tokens"], line["output_tokens"]) for line in endpoint.ledger()]
    assert (row["in"], row["out"]) in told
    assert len(row["text"]) == 4 * (row["out"] - (5 if fault else 0))


@pytest.mark.parametrize(("client", "way"), WAYS)
def test_a_throttle_is_the_sdks_own_rate_limit_error(driven: Any, client: str, way: str) -> None:
    row = driven[1][client, way, "throttled"]
    assert (row["error"], row["status"]) == ("RateLimitError", 429)
    assert "Too many requests, please wait before trying again." in row["message"]


@pytest.mark.parametrize(
    ("client", "way"), [(client, way) for client, way in WAYS if way != "responses stream" and "stream" in way]
)
def test_an_error_within_the_stream_is_raised(driven: Any, client: str, way: str) -> None:
    row = driven[1][client, way, "told"]
    assert row["error"] in ("APIError", "APIStatusError")
    assert "unexpected error during processing" in row["message"]


@pytest.mark.parametrize(("client", "way"), WAYS)
def test_an_answer_that_is_cut_is_not_a_whole_one(driven: Any, client: str, way: str) -> None:
    row = driven[1][client, way, "cut"]
    if "stream" not in way:
        assert row["error"] == "APIConnectionError"
    elif way == "responses stream":
        assert "Didn't receive a `response.completed` event" in row["message"]
    else:  # these helpers take a stream that ends early for its end: no count of the answer has come
        assert row["out"] in (None, 1) and len(row["text"]) == 20


@pytest.mark.parametrize("client", ["anthropic", "anthropic mantle"])
def test_tokens_are_counted(driven: Any, client: str) -> None:
    assert driven[1][client, "count", ""]["in"] == 6  # 23 bytes of prompt, four to a token


@pytest.mark.parametrize("client", [*OPENAI, "anthropic"])
def test_models_are_listed(driven: Any, client: str) -> None:
    row = driven[1][client, "models", ""]
    asked = "us.anthropic.claude-haiku-4-5-20251001-v1:0" if client == "anthropic" else "us.openai.gpt-6-sol"
    assert (row["one"], row["missing"]) == (asked, "NotFoundError")
    assert asked in row["ids"] and (client == "anthropic") == all("claude" in name for name in row["ids"])


def test_applications_ways_of_asking_are_answered(driven: Any) -> None:
    """System prompts, turns, tools, thinking, effort, cached parts, plain streams: whatever the client."""
    rows = {key: row for key, row in driven[1].items() if " variant: " in key[1]}
    assert len(rows) == 3 * (8 + 4) + 3 * 7
    assert {key: row for key, row in rows.items() if "error" in row} == {}
