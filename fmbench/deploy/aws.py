"""What a study on ECS asks of AWS besides its tasks: the stack, the master's name in Cloud Map, the master's log."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from fmbench.core.failures import FmbenchError, Refused, UnusableInput
from fmbench.core.neutral import PROVIDER_ERRORS, discreet
from fmbench.deploy.task import private_address, task_id
from fmbench.patience import given
from fmbench.run.say import say

OUTPUTS = (
    "Cluster",
    "MasterTask",
    "WorkerTask",
    "Subnets",
    "MasterSecurityGroup",
    "WorkerSecurityGroup",
    "MasterService",
    "MasterHost",
    "Results",
)
"""What ecs/template.yml says about itself."""
NAME_S = 60.0
POLL_S = 1.0


@contextmanager
def asking(kind: type[FmbenchError] = Refused) -> Iterator[None]:
    """Turns what AWS refuses, or cannot be asked, into an error of that kind."""
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        what = f"{error.operation_name}: {answer.get('Code', '?')}: {answer.get('Message', '')}"
        raise kind(f"AWS refused {what}; docs/running-on-aws.md lists what these credentials need.") from error
    except BotoCoreError as error:
        raise Refused(
            f"AWS cannot be asked ({' '.join(discreet(str(error)).split())}); check credentials, AWS_REGION and the network."
        ) from error


class Clients:
    """boto3's clients of one region: ``AWS_REGION``, else the profile's."""

    def __init__(self) -> None:
        session = boto3.Session()
        region = os.environ.get("AWS_REGION") or session.region_name
        if not region:
            raise UnusableInput("AWS_REGION: is not set; set it to the region of the stack, such as us-east-1.")
        self.region: str = region
        try:
            given(session.get_credentials)
        except (BotoCoreError, *PROVIDER_ERRORS) as error:
            raise Refused(f"AWS cannot be asked: no credentials ({type(error).__name__}: {discreet(str(error))}).") from error
        settings = ClientConfig(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=10, read_timeout=60)
        self.stacks, self.ecs, self.names, self.logs = (
            session.client(service, region_name=region, config=settings)
            for service in ("cloudformation", "ecs", "servicediscovery", "logs")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack of ecs/template.yml: where tasks run, what they may do, where results go."""

    cluster: str
    master_task: str
    worker_task: str
    subnets: list[str]
    master_group: str
    worker_group: str
    master_service: str
    master_host: str
    results: str


def find_stack(clients: Clients, name: str) -> Stack:
    """The stack's outputs. Raises ``UnusableInput`` when there is no such stack, or it is not one of ecs/template.yml."""
    try:
        (found,) = clients.stacks.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        cure = "create it from ecs/template.yml, or set AWS_REGION to where it is"
        raise UnusableInput(f'--stack "{name}": there is no such stack in {clients.region}; {cure}.') from error
    values = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    missing = [output for output in OUTPUTS if output not in values]
    if missing:
        cure = "create or update it from ecs/template.yml, and wait until that is complete"
        raise UnusableInput(f'--stack "{name}": is {found["StackStatus"]} and has no output {", ".join(missing)}; {cure}.')
    return _stack_of(values)


def _stack_of(values: dict[str, str]) -> Stack:
    return Stack(
        cluster=values["Cluster"],
        master_task=values["MasterTask"],
        worker_task=values["WorkerTask"],
        subnets=values["Subnets"].split(","),
        master_group=values["MasterSecurityGroup"],
        worker_group=values["WorkerSecurityGroup"],
        master_service=values["MasterService"],
        master_host=values["MasterHost"],
        results=values["Results"],
    )


class MasterName:
    """The name by which workers find the master: one study at a time has it. RunTask itself gives no task a name."""

    def __init__(self, clients: Clients, stack: Stack) -> None:
        self._names, self._ecs, self._stack = clients.names, clients.ecs, stack
        self._taken: str | None = None

    def check_free(self) -> None:
        """Takes out masters that are gone. Raises ``Refused`` when another study is under way."""
        for instance in self._names.list_instances(ServiceId=self._stack.master_service)["Instances"]:
            tasks = self._ecs.describe_tasks(cluster=self._stack.cluster, tasks=[instance["Id"]])["tasks"]
            if any(task["lastStatus"] != "STOPPED" for task in tasks):
                cure = "wait for its end, stop that task, or make a second stack"
                raise Refused(f"another study is under way on this stack (master task {instance['Id']}); {cure}.")
            self._names.deregister_instance(ServiceId=self._stack.master_service, InstanceId=instance["Id"])

    def take(self, master: dict[str, Any]) -> None:
        """Give the name to the running task ``master``, and wait until Cloud Map has it."""
        self._taken = task_id(master["taskArn"])
        done = self._names.register_instance(
            ServiceId=self._stack.master_service,
            InstanceId=self._taken,
            Attributes={"AWS_INSTANCE_IPV4": private_address(master)},
        )
        end = time.monotonic() + NAME_S
        while (operation := self._names.get_operation(OperationId=done["OperationId"])["Operation"])["Status"] != "SUCCESS":
            if operation["Status"] == "FAIL" or time.monotonic() > end:
                reason = operation.get("ErrorMessage", f"not done within {NAME_S:.0f} s")
                raise Refused(f"{self._stack.master_host}: Cloud Map did not take the master's address ({reason}); try again.")
            time.sleep(POLL_S)

    def give_back(self) -> None:
        """Take the master out of Cloud Map, if it was brought in."""
        if self._taken is not None:
            self._names.deregister_instance(ServiceId=self._stack.master_service, InstanceId=self._taken)
            self._taken = None


class MasterLog:
    """What the master says, line by line as CloudWatch has it; the run folder's address is among it."""

    def __init__(self, clients: Clients, stack: Stack) -> None:
        self._client, self._results = clients.logs, stack.results
        definition = clients.ecs.describe_task_definition(taskDefinition=stack.master_task)["taskDefinition"]
        (container,) = definition["containerDefinitions"]
        self.container: str = container["name"]
        self._options: dict[str, str] = container["logConfiguration"]["options"]
        self._next: dict[str, str] = {}
        self.address: str | None = None

    def place_of(self, master: str) -> dict[str, str]:
        """The log group and stream of the task ``master``."""
        stream = f"{self._options['awslogs-stream-prefix']}/{self.container}/{task_id(master)}"
        return {"logGroupName": self._options["awslogs-group"], "logStreamName": stream}

    def show(self, master: str) -> None:
        """Say what is new, on stderr."""
        while True:
            try:
                answer = self._client.get_log_events(**self.place_of(master), **self._next, startFromHead=True)
            except self._client.exceptions.ResourceNotFoundException:  # nothing was said yet
                return
            for event in answer["events"]:
                self._hear(event["message"].rstrip())
            if not answer["events"]:
                return
            self._next = {"nextToken": answer["nextForwardToken"]}

    def _hear(self, line: str) -> None:
        if line.startswith(f"{self._results}/") and " " not in line:
            self.address = line
        say(f"master | {line}")

    def wait_for_address(self, master: str, seconds: float) -> None:
        """Show the last lines, which come some seconds after the task has ended."""
        end = time.monotonic() + seconds
        self.show(master)
        while self.address is None and time.monotonic() < end:
            time.sleep(POLL_S)
            self.show(master)
