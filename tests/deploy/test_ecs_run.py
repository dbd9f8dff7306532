"""``ecs run`` starts what the template describes, follows it, hands over its result and leaves nothing running.

The stack, ECS, Cloud Map, the logs and S3 are MiniStack's, and the command is a process of its own. MiniStack without a Docker
engine keeps tasks as entries only: a proxy in front of it adds what Fargate adds (an address, exit statuses), and the test plays
the containers' part. Not tried here: Fargate itself, the ways between the tasks, IAM.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.support.emulators import make_bucket, ministack, objects

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.aws_emulator]

TEMPLATE = Path(__file__).resolve().parents[2] / "ecs/template.yml"
REGION = "us-east-1"
ADDRESS = "10.0.1.7"
CONFIG = {"models": [{"id": "us.amazon.nova-lite-v1:0"}], "dataset": {"source": "synthetic"}, "budget": {"max_requests": 10}}


class Fargate(ThreadingHTTPServer):
    """In front of MiniStack: what runs has an address, what has ended an exit status, and RunTask can be refused."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = behind
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[dict[str, Any]] = []
        """Every RunTask."""
        self.exit_statuses: dict[str, int] = {}
        self.answers: list[tuple[int, dict[str, Any]] | None] = []
        """Of the next RunTasks: HTTP status and body; None: MiniStack's."""
        self.starts_anyway = False
        """MiniStack hears of the RunTasks that have another answer too."""
        self.never_started: set[str] = set()
        """Families whose tasks stop before their container starts."""

    def as_on_fargate(self, task: dict[str, Any]) -> None:
        family = task["taskDefinitionArn"].rpartition("/")[2].partition(":")[0]
        address = {"name": "privateIPv4Address", "value": ADDRESS}
        task["attachments"] = [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [address]}]
        if family in self.never_started:
            client(self.behind, "ecs").stop_task(cluster=task["clusterArn"], task=task["taskArn"])
            task.pop("startedAt", None)
            task["containers"][0].pop("exitCode", None)
            task |= {"lastStatus": "STOPPED", "stoppedReason": "CannotPullContainerError: no such image"}
        elif task["lastStatus"] == "STOPPED" and task["taskArn"] in self.exit_statuses:
            task["containers"][0]["exitCode"] = self.exit_statuses[task["taskArn"]]


class Passing(BaseHTTPRequestHandler):
    server: Fargate

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        answer = None
        if action == "RunTask":
            self.server.asked.append(json.loads(body))
            answer = self.server.answers.pop(0) if self.server.answers else None
        if answer is None or self.server.starts_anyway:
            status, headers, data = self.ask_behind(body)
        if answer is not None:
            status, headers, data = answer[0], {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer[1]).encode()
        if action == "DescribeTasks" and status == 200:
            answered = json.loads(data)
            for task in answered["tasks"]:
                self.server.as_on_fargate(task)
            data = json.dumps(answered).encode()
        self.reply(status, headers, data)

    def ask_behind(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(self.server.behind + self.path, body or None, dict(self.headers), method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=30) as found:
                return found.status, dict(found.headers), found.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

    def reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("transfer-encoding", "connection", "date", "server")
        }
        if self.command != "HEAD":
            kept = {name: value for name, value in kept.items() if name.lower() != "content-length"} | {
                "Content-Length": str(len(data))
            }
        for name, value in kept.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        make_bucket(url, "bucket")
        create_stack(url)
        yield url


def client(url: str, service: str) -> Any:
    return boto3.client(service, endpoint_url=url, region_name=REGION)


def create_stack(url: str) -> None:
    """The template as it is, but for one resource: MiniStack has no AWS::EC2::SecurityGroupIngress."""
    ec2, stacks = client(url, "ec2"), client(url, "cloudformation")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    text, removed = re.subn(r"(?ms)^  WorkersToMaster:\n.*?\n\n", "", TEMPLATE.read_text())
    assert removed == 1
    values = {"Vpc": vpc, "Subnets": ",".join(subnets), "Image": "full:1", "WorkerImage": "worker:1", "Bucket": "bucket"}
    values["ModelArns"] = "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    stacks.create_stack(StackName="study", TemplateBody=text, Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter("stack_create_complete").wait(StackName="study", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


class Site:
    """The stack, seen with plain clients, and the command on it."""

    def __init__(self, emulator: str, front: Fargate, folder: Path) -> None:
        self.emulator, self.front, self.folder = emulator, front, folder
        self.ecs = client(emulator, "ecs")
        found = client(emulator, "cloudformation").describe_stacks(StackName="study")["Stacks"][0]["Outputs"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in found}
        self.cluster = self.outputs["Cluster"]

    def start(self, workers: int = 3, config: dict[str, Any] | None = None, stack: str = "study") -> subprocess.Popen[str]:
        (self.folder / "cfg.yml").write_text(yaml.safe_dump(config or CONFIG))
        command = [
            sys.executable,
            "-m",
            "fmbench",
            "ecs",
            "run",
            "--stack",
            stack,
            "--workers",
            str(workers),
            "--config",
            "cfg.yml",
        ]
        variables = {**os.environ, "AWS_ENDPOINT_URL": self.front.url, "AWS_REGION": REGION}
        return subprocess.Popen(
            command, cwd=self.folder, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def running(self) -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster=self.cluster)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []

    def arns(self, what: str) -> list[str]:
        return [task["taskArn"] for task in self.running() if task["taskDefinitionArn"] == self.outputs[what]]

    def wait_for(self, workers: int) -> str:
        """The master's ARN, once it and so many workers run."""
        until(lambda: len(self.arns("WorkerTask")) == workers)
        (master,) = self.arns("MasterTask")
        return master

    def end(self, arn: str, status: int) -> None:
        """The container in the task ends."""
        self.front.exit_statuses[arn] = status
        self.ecs.stop_task(cluster=self.cluster, task=arn, reason="Essential container in task exited")

    def log(self, master: str, *lines: str) -> None:
        """The master's container says ``lines``."""
        logs, group, stream = client(self.emulator, "logs"), "/ecs/study/master", f"master/fmbench/{master.rpartition('/')[2]}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def store_run(self, run_id: str) -> str:
        for name in ("manifest.json", "report.md", "report.html", "plots/ttft.png", "records/part-0.parquet"):
            client(self.emulator, "s3").put_object(Bucket="bucket", Key=f"fmbench/results/{run_id}/{name}", Body=name.encode())
        return f"s3://bucket/fmbench/results/{run_id}"

    def assert_nothing_is_left(self) -> None:
        assert self.running() == []
        names = client(self.emulator, "servicediscovery").list_instances(ServiceId=self.outputs["MasterService"])
        assert names["Instances"] == []
        assert objects(self.emulator, "bucket", "fmbench/configurations/") == {}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)


def ended(command: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, errors = command.communicate(timeout=120)
    finally:
        command.kill()
    return command.returncode, out, errors


@pytest.fixture
def site(emulator: str, tmp_path: Path) -> Iterator[Site]:
    with Fargate(emulator) as front:
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        try:
            yield Site(emulator, front, tmp_path)
        finally:
            front.shutdown()
            thread.join()


def test_a_study_is_started_followed_and_handed_over(site: Site):
    command = site.start(workers=12)
    master = site.wait_for(workers=12)
    handed_over = objects(site.emulator, "bucket", "fmbench/configurations/")
    (name,) = handed_over
    assert handed_over[name] == (site.folder / "cfg.yml").read_bytes()
    registered = client(site.emulator, "servicediscovery").list_instances(ServiceId=site.outputs["MasterService"])["Instances"]
    assert [instance["Attributes"]["AWS_INSTANCE_IPV4"] for instance in registered] == [ADDRESS]

    lead, *joins = site.front.asked
    config = f"s3://bucket/fmbench/configurations/{name}"
    common = ["--config", config, "--output", "s3://bucket/fmbench/results"]
    assert lead["overrides"]["containerOverrides"] == [
        {"name": "fmbench", "command": [*common, "--yes", "--master", "--expect-workers", "12"]}
    ]
    assert [join["count"] for join in joins] == [10, 2]
    for join in joins:
        assert join["overrides"]["containerOverrides"] == [
            {"name": "fmbench", "command": [*common, "--worker", "--master-host", "master.study.local"]}
        ]
    for asked, group in ((lead, "MasterSecurityGroup"), *((join, "WorkerSecurityGroup") for join in joins)):
        assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
            "subnets": site.outputs["Subnets"].split(","),
            "securityGroups": [site.outputs[group]],
            "assignPublicIp": "DISABLED",
        }

    address = site.store_run("20261123T000000Z-study-aaaaaa")
    site.log(master, "cell 1 of 4", address)
    for worker in site.arns("WorkerTask"):
        site.end(worker, 0)
    site.end(master, 0)
    status, out, errors = ended(command)
    assert (status, out.splitlines()[-1]) == (0, address), errors
    assert "cell 1 of 4" in errors
    assert "master ended: exit status 0" in errors
    local = site.folder / "results/20261123T000000Z-study-aaaaaa"
    assert {str(path.relative_to(local)) for path in local.rglob("*.*")} == {"report.md", "report.html", "plots/ttft.png"}
    site.assert_nothing_is_left()


@pytest.mark.parametrize(("of_the_master", "of_the_command"), [(4, 4), (2, 2), (137, 1)])
def test_the_exit_status_is_that_of_the_master(site: Site, of_the_master: int, of_the_command: int):
    command = site.start(workers=1)
    master = site.wait_for(workers=1)
    site.log(master, site.store_run(f"20261123T000000Z-study-{of_the_master:06}"))
    site.end(site.arns("WorkerTask")[0], 0)
    site.end(master, of_the_master)
    status, _, errors = ended(command)
    assert status == of_the_command, errors
    assert f"master ended: exit status {of_the_master}" in errors
    site.assert_nothing_is_left()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_stops_what_it_started_and_shows_what_ran(site: Site, number: int, status: int):
    command = site.start(workers=2)
    master = site.wait_for(workers=2)
    address = site.store_run(f"20261123T000000Z-study-sig{status}")
    site.log(master, address)
    site.end(site.arns("WorkerTask")[0], 143)
    command.send_signal(number)
    found, out, errors = ended(command)
    assert (found, out.splitlines()) == (status, [address]), errors
    site.assert_nothing_is_left()


def test_workers_that_ecs_does_not_start_end_the_study(site: Site):
    site.front.answers = [None, (200, {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})]
    status, out, errors = ended(site.start(workers=2))
    assert (status, out) == (3, ""), errors
    assert "0 of 2 worker tasks (Capacity is unavailable at this time)" in errors
    site.assert_nothing_is_left()


def test_tasks_whose_start_was_not_heard_of_are_stopped_too(site: Site):
    site.front.answers = [None, (400, {"__type": "ClientException", "message": "nobody knows what became of it"})]
    site.front.starts_anyway = True
    status, out, errors = ended(site.start(workers=2))
    assert (status, out) == (3, ""), errors
    assert len(re.findall("a task that was being started ended", errors)) == 2
    site.assert_nothing_is_left()


def test_a_refusal_of_aws_is_one_message_and_leaves_nothing(site: Site):
    denied = {"__type": "AccessDeniedException", "message": "not authorized to perform: iam:PassRole"}
    site.front.answers = [None, (400, denied)]
    status, out, errors = ended(site.start(workers=2))
    assert (status, out) == (3, ""), errors
    assert "iam:PassRole" in errors
    assert "Traceback" not in errors
    site.assert_nothing_is_left()


@pytest.mark.parametrize("family", ["study-master", "study-worker"])
def test_a_task_that_cannot_start_ends_the_study_and_says_why(site: Site, family: str):
    site.front.never_started = {family}
    status, out, errors = ended(site.start(workers=1))
    assert (status, out) == (3, ""), errors
    assert "did not start: no exit status, CannotPullContainerError" in errors
    site.assert_nothing_is_left()


def test_one_study_at_a_time_has_the_name_of_the_master(site: Site):
    first = site.start(workers=1)
    master = site.wait_for(workers=1)
    status, _, errors = ended(site.start(workers=1))
    assert (status, len(site.running())) == (3, 2), errors
    assert master.rpartition("/")[2] in errors
    site.end(site.arns("WorkerTask")[0], 0)
    site.end(master, 3)
    assert ended(first)[0] == 3
    site.assert_nothing_is_left()


@pytest.mark.parametrize(
    ("config", "stack", "said"),
    [
        (CONFIG, "never-made", "never-made"),
        ({**CONFIG, "dataset": {"source": "jsonl", "path": "here.jsonl"}}, "study", "dataset.path"),
        ({**CONFIG, "simulator": {}}, "study", "simulator"),
        ({**CONFIG, "load": {"concurrency": [0]}}, "study", "concurrency"),
    ],
)
def test_what_the_tasks_could_not_use_is_said_before_anything_starts(site: Site, config: dict[str, Any], stack: str, said: str):
    status, out, errors = ended(site.start(config=config, stack=stack))
    assert (status, out) == (2, ""), errors
    assert said in errors
    assert site.front.asked == []
