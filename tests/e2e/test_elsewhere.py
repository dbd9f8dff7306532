"""Against AWS as others emulate it: results on S3, calls to a Bedrock that nobody here wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmbench.storage.runfolder import RunFolder
from fmbench.storage.upload import upload
from tests.e2e.commands import Desk, files_of, small_config
from tests.support.emulators import objects
from tests.support.simulator import Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.aws_emulator]


def test_a_run_lands_on_s3_and_is_reported_from_there(desk: Desk, endpoint: Endpoint, aws_server: str):
    scratch = desk.folder / "scratch"
    scratch.mkdir()
    desk.variables.update(AWS_ENDPOINT_URL_S3=aws_server, AWS_REGION="us-east-1", TMPDIR=str(scratch))
    ended = desk.call("--config", desk.write(small_config()), "--output", "s3://bucket/studies")
    assert ended.status == 0, ended.stderr
    run_id = ended.address.rpartition("/")[2]
    assert ended.address == f"s3://bucket/studies/{run_id}"
    before = objects(aws_server, "bucket", f"studies/{run_id}/")
    assert {"manifest.json", "config.yml", "summary.json", "report.md", "report.html", "locust/stats.csv"} <= before.keys()
    assert not [path for path in scratch.rglob("*") if path.is_file()], "a local copy stayed behind"

    again = desk.call("report", ended.address)
    assert (again.status, again.address) == (0, ended.address), again.stderr
    assert objects(aws_server, "bucket", f"studies/{run_id}/") == before

    local = desk.folder / run_id
    for name, data in before.items():
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_bytes(data)
    assert desk.call("report", str(local)).status == 0
    assert files_of(local) == before, "the report of the same run differs between a folder and S3"


def test_what_was_measured_here_is_stored_there_byte_by_byte(
    desk: Desk, endpoint: Endpoint, aws_server: str, monkeypatch: pytest.MonkeyPatch
):
    ended = desk.run(small_config(load={"concurrency": [2], "warmup_s": 0, "duration_s": 0.5, "min_requests": 0}))
    assert ended.status == 0, ended.stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws_server)
    upload(RunFolder(ended.run, f"s3://bucket/copies/{ended.run.name}"))
    assert objects(aws_server, "bucket", f"copies/{ended.run.name}/") == files_of(ended.run)


def test_results_that_cannot_be_stored_stay_here(desk: Desk, endpoint: Endpoint, aws_server: str):
    """The bucket is taken away while the run goes on."""
    import boto3

    client = boto3.client("s3", endpoint_url=aws_server, region_name="us-east-1")
    client.create_bucket(Bucket="short-lived")
    desk.variables.update(AWS_ENDPOINT_URL_S3=aws_server, AWS_REGION="us-east-1", TMPDIR=str(desk.folder))
    config = small_config(load={"concurrency": [2], "warmup_s": 0, "duration_s": 4, "min_requests": 0})
    command = desk.start("--config", desk.write(config), "--output", "s3://short-lived/x")
    endpoint.settled(1, within_s=60)
    for item in client.list_objects_v2(Bucket="short-lived").get("Contents", []):
        client.delete_object(Bucket="short-lived", Key=item["Key"])
    client.delete_bucket(Bucket="short-lived")
    ended = command.ended()
    assert ended.status == 1, ended.stderr
    assert "no such bucket" in ended.stderr
    assert Path(ended.address).is_dir()
    assert len(ended.records()) == len(endpoint.ledger())
    assert (ended.run / "report.md").exists()


def test_an_output_bucket_that_is_not_there_is_refused_before_the_first_request(desk: Desk, endpoint: Endpoint, aws_server: str):
    desk.variables.update(AWS_ENDPOINT_URL_S3=aws_server, AWS_REGION="us-east-1")
    ended = desk.call("--config", desk.write(small_config()), "--output", "s3://never-made/x")
    assert (ended.status, ended.stdout) == (3, "")
    assert "never-made" in ended.stderr
    assert endpoint.counts()["requests"] == 0


def test_a_bedrock_that_nobody_here_wrote(desk: Desk, aws_server: str):
    config = small_config(
        models=[
            {"id": "us.amazon.nova-lite-v1:0", "label": "stream"},
            {"id": "us.amazon.nova-lite-v1:0", "label": "whole", "api": "converse"},
            {"id": "anthropic.claude-3-haiku-20240307-v1:0", "label": "invoke", "api": "invoke"},
            {"id": "anthropic.claude-3-haiku-20240307-v1:0", "label": "invoke-stream", "api": "invoke-stream"},
            {"id": "meta.llama3-70b-instruct-v1:0", "label": "llama-stream", "api": "invoke-stream"},
        ],
        load={"concurrency": [4], "warmup_s": 0.2, "duration_s": 1, "min_requests": 0},
        pricing={},
    )
    ended = desk.run(config, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=aws_server)
    assert ended.status == 0, ended.stderr
    records = ended.records()
    assert set(records.model) == {"stream", "whole", "invoke", "invoke-stream", "llama-stream"}
    assert set(records.outcome) == {"ok"}, records[records.outcome != "ok"][["model", "failure", "message"]].drop_duplicates()
    assert (records.input_tokens > 0).all() and (records.output_tokens > 0).all()
    accounting = ended.manifest["accounting"]
    assert accounting["sent"] == accounting["ok"] == len(records)
    assert ended.json("summary.json")["accounting"]["locust_differs"] == []
    assert ended.manifest["endpoint"] == aws_server
