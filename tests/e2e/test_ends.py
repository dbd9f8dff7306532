"""Every way in which a run ends: its exit status, what is on disk, and what the endpoint saw of it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, Command, Desk, Ended, load_processes, small_config, wait_until
from tests.support.emulators import free_port
from tests.support.simulator import Endpoint


def only_run(desk: Desk) -> Path:
    (run,) = desk.results.iterdir()
    return run


def assert_nothing_happened(desk: Desk, endpoint: Endpoint) -> None:
    """No request, and no run folder."""
    assert endpoint.counts()["requests"] == 0
    assert not desk.results.exists() or list(desk.results.iterdir()) == []


def long_config(**load: Any) -> dict[str, Any]:
    return small_config(load={"concurrency": [4], "warmup_s": 0, "duration_s": 120, "min_requests": 0} | load)


def assert_reported(ended: Ended, endpoint: Endpoint, status: str) -> None:
    """What ran is reported, and agrees with the ledger."""
    assert ended.manifest["status"] == status
    assert (ended.run / "report.md").stat().st_size > 0
    records = ended.records()
    assert len(records) > 0
    assert len(records) == len(endpoint.settled(len(records)))


def test_2_an_unusable_configuration_sends_nothing(desk: Desk, endpoint: Endpoint):
    config = small_config(load={"concurrency": [0], "duration_s": "soon"}, sede=3)
    ended = desk.run(config)
    assert (ended.status, ended.stdout) == (2, "")
    for path in ("load.concurrency[0] = 0", 'load.duration_s = "soon"', "sede = 3"):
        assert path in ended.stderr
    assert f"{desk.folder}/cfg.yml:" in ended.stderr
    assert_nothing_happened(desk, endpoint)


def test_2_data_without_a_prompt_for_any_bucket_sends_nothing(desk: Desk, endpoint: Endpoint):
    rows = desk.folder / "rows.jsonl"
    rows.write_text('{"input": "Why?", "context": "Because.", "answers": ["Because."], "dataset": "x", "language": "en"}\n')
    ended = desk.run(small_config(dataset={"source": "jsonl", "path": str(rows), "buckets": ["5000-6000"]}))
    assert ended.status == 2
    assert_nothing_happened(desk, endpoint)


@pytest.mark.parametrize("command", [[], ["--dry-run"]])
def test_2_every_model_that_no_request_can_be_made_to_is_named_before_anything_is_sent(
    desk: Desk, endpoint: Endpoint, command: list[str]
):
    models = [
        {"id": "us.amazon.nova-lite-v1:0"},
        {"id": "my.own-model", "api": "invoke"},
        {"id": "amazon.titan-text-express-v1", "api": "invoke-stream", "inference": {"system": "Be brief."}},
        {"id": "my.model", "inference": {"guardrail": {"guardrailId": "x"}}},
        {"id": "my.other-model", "region": "not a region"},
    ]
    ended = desk.run(small_config(models=models), *command)
    assert (ended.status, ended.stdout) == (2, "")
    assert "4 faults" in ended.stderr and "models[0]" not in ended.stderr
    for number, said in enumerate(["Write family:", "inference.system has no place", "guardrailId", "'not a region'"], 1):
        (line,) = [line for line in ended.stderr.splitlines() if f"models[{number}]" in line]
        assert f"{desk.folder}/cfg.yml:" in line and said in line
    assert_nothing_happened(desk, endpoint)


def test_2_an_endpoint_that_is_no_address(desk: Desk):
    ended = desk.run(small_config(), AWS_ENDPOINT_URL_BEDROCK_RUNTIME="127.0.0.1:9")
    assert ended.status == 2
    assert "127.0.0.1:9" in ended.stderr


def test_0_rows_at_a_path_relative_to_where_the_command_was_started(desk: Desk, endpoint: Endpoint):
    rows = desk.folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": f"Say {number}. " + "Please. " * 60}) + "\n" for number in range(4)))
    relative = os.path.relpath(rows, ROOT)
    assert not Path(relative).is_absolute()
    ended = desk.run(small_config(dataset={"source": "jsonl", "path": relative, "buckets": ["1-500"]}))
    assert ended.status == 0, ended.stderr
    assert len(ended.records()) == endpoint.counts()["requests"] > 0


def test_a_profile_alone_points_a_run_at_another_endpoint_and_the_manifest_says_so(desk: Desk, endpoint: Endpoint):
    profile = "[profile lab]\nregion = eu-central-1\naws_access_key_id = a\naws_secret_access_key = b\nservices = local\n"
    services = f"[services local]\nbedrock_runtime =\n  endpoint_url = {endpoint.url}\n"
    (desk.folder / "aws").write_text(profile + services)
    del desk.variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    config = {name: value for name, value in small_config().items() if name != "region"}
    variables = {"AWS_CONFIG_FILE": str(desk.folder / "aws"), "AWS_PROFILE": "lab"}
    ended = desk.run(config, **variables, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert ended.status == 0, ended.stderr
    assert (ended.manifest["endpoint"], ended.manifest["region"]) == (endpoint.url, "eu-central-1")
    assert endpoint.url in ended.stderr
    assert len(ended.records()) == endpoint.counts()["requests"] > 0


def test_3_no_credentials(desk: Desk, endpoint: Endpoint):
    ended = desk.run(small_config(), AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert ended.status == 3
    assert "AWS_PROFILE" in ended.stderr
    assert_nothing_happened(desk, endpoint)


def test_3_a_budget_in_dollars_for_a_model_without_a_price(desk: Desk, endpoint: Endpoint):
    config = small_config(models=[{"id": "my.own-model-v1:0"}], budget={"max_usd": 1.0}, pricing={})
    ended = desk.run(config)
    assert ended.status == 3
    assert "my.own-model-v1:0" in ended.stderr and "pricing" in ended.stderr
    assert_nothing_happened(desk, endpoint)
    assert desk.run(config, "--dry-run").status == 3


def test_3_an_output_that_cannot_be_written(desk: Desk, endpoint: Endpoint):
    (desk.folder / "file").write_text("in the way")
    ended = desk.call("--config", desk.write(small_config()), "--output", str(desk.folder / "file"))
    assert ended.status == 3
    assert "--output" in ended.stderr
    assert_nothing_happened(desk, endpoint)


@pytest.mark.slow
def test_4_the_number_of_requests_is_never_passed(desk: Desk, endpoint: Endpoint):
    ended = desk.run(long_config(), "--set", "budget.max_requests=37")
    assert ended.status == 4, ended.stderr
    assert endpoint.settled(1)[-1]["n"] <= 37
    assert len(ended.records()) == endpoint.counts()["requests"] == 37
    assert_reported(ended, endpoint, "stopped")


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_4_the_dollars_are_never_passed(desk: Desk, endpoint: Endpoint, processes: str):
    limit = 0.002
    ended = desk.run(long_config(), "--set", f"budget.max_usd={limit}", "--processes", processes)
    assert ended.status == 4, ended.stderr
    ledger = endpoint.settled(1)
    spent = sum((row["input_tokens"] * 0.06 + row["output_tokens"] * 0.24) / 1e6 for row in ledger)
    assert 0.5 * limit < spent <= limit
    assert_reported(ended, endpoint, "stopped")


@pytest.mark.slow
def test_4_an_endpoint_that_is_not_there(desk: Desk):
    desk.variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = f"http://127.0.0.1:{free_port()}"
    ended = desk.run(long_config())
    assert ended.status == 4, ended.stderr
    assert ended.manifest["ended"] == "target_down"
    records = ended.records()
    assert set(records.failure) == {"connect"}
    assert records.sent_at.isna().all() and records.ttft_s.isna().all()
    assert (ended.run / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_load_in_good_order(desk: Desk, endpoint: Endpoint, number: signal.Signals, status: int):
    command = desk.start_run(long_config())
    wait_until(lambda: endpoint.counts()["requests"] > 20)
    command.process.send_signal(number)
    ended = command.ended()
    assert ended.status == status, ended.stderr
    assert_reported(ended, endpoint, "interrupted")
    records = ended.records()
    assert (records.outcome == "ok").all(), "requests in flight were not let end"
    assert ended.manifest["accounting"]["abandoned"] == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_first_request_leaves_nothing(desk: Desk, endpoint: Endpoint, number: signal.Signals, status: int):
    config = small_config(dataset={"buckets": ["20000-30000"], "prompts_per_bucket": 400})
    command = desk.start_run(config)
    wait_until(lambda: desk.results.exists() and list(desk.results.glob("*/prompts")))
    command.process.send_signal(number)
    ended = command.ended()
    assert ended.status == status, ended.stderr
    assert_nothing_happened(desk, endpoint)


@pytest.mark.slow
def test_5_a_load_process_is_killed(desk: Desk, endpoint: Endpoint):
    command = desk.start_run(long_config(duration_s=12), "--processes", "2")
    wait_until(lambda: endpoint.counts()["requests"] > 20)
    os.kill(load_processes(command.process.pid)[-1], signal.SIGKILL)
    ended = command.ended()
    assert ended.status == 5, ended.stderr
    records = ended.records()
    ledger = endpoint.settled(1)
    assert len(records) >= len(ledger), "a request reached the endpoint and has no row"
    assert {row["request_id"] for row in ledger} >= set(records.request_id.dropna())
    accounting = ended.manifest["accounting"]
    assert accounting["sent"] == accounting["ok"] + accounting["failed"] + accounting["abandoned"] + accounting["lost"]
    assert ended.manifest["status"] == "incomplete"


@pytest.mark.slow
def test_a_run_whose_own_process_was_killed_is_reported_from_its_journals(desk: Desk, endpoint: Endpoint):
    command: Command = desk.start_run(long_config())
    wait_until(lambda: endpoint.counts()["requests"] > 20)
    command.process.kill()
    command.ended()
    run = only_run(desk)
    wait_until(lambda: endpoint.counts()["in_flight"] == 0 and (run / "load.json").exists())
    ended = desk.call("report", str(run))
    assert ended.status == 0, ended.stderr
    records = ended.records()
    assert len(records) == len(endpoint.ledger())
    assert (run / "report.md").exists()
    assert not (run / "journal").exists()


@pytest.mark.slow
def test_1_a_report_that_cannot_be_written_costs_no_record(desk: Desk, endpoint: Endpoint):
    """The fault: pictures that cannot be stored, since a file of another's making is in their place."""
    command = desk.start_run(small_config(load={"concurrency": [3], "warmup_s": 0, "duration_s": 3, "min_requests": 0}))
    wait_until(lambda: endpoint.counts()["requests"] > 5)
    (only_run(desk) / "plots").write_text("in the way")
    ended = command.ended()
    assert ended.status == 1, ended.stderr
    assert ended.manifest["status"] == "failed"
    assert len(ended.records()) == len(endpoint.settled(1))
    (ended.run / "plots").unlink()
    assert desk.call("report", str(ended.run)).status == 0
    assert (ended.run / "report.md").exists()


def test_a_dry_run_sends_nothing_and_makes_no_folder(desk: Desk, endpoint: Endpoint):
    ended = desk.run(small_config(), "--dry-run")
    assert ended.status == 0, ended.stderr
    for word in ("nova", "llama", "en_100-300", "requests", "USD", "4 cells"):
        assert word in ended.stdout
    assert_nothing_happened(desk, endpoint)
