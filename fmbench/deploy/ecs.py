"""One study on ECS: a master and its workers are started, followed and stopped; nothing is left running.

The stack of ecs/template.yml says where. Tasks carry the study's id as ``startedBy``:
even one whose start was not heard of is found.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from fmbench.config.files import STDIN
from fmbench.core.failures import ExitCode, FmbenchError, Refused, UnusableInput
from fmbench.deploy.aws import Clients, MasterLog, MasterName, Stack, asking, find_stack
from fmbench.deploy.task import ending, status_of
from fmbench.run.options import Options
from fmbench.run.say import say
from fmbench.run.signals import Terminated, terminating
from fmbench.storage.store import is_remote, store_for

POLL_S = 2.0
TASKS_A_CALL = 10
"""RunTask starts at most so many."""
START_S = 900.0
"""The image is fetched in that time; a task that cannot start ends by itself long before."""
STOP_S = 180.0
"""The tasks' stopTimeout of 120 s, and what ECS takes to say that they are gone."""
WORKERS_END_S = 15.0
"""A worker without a master ends by itself within ten seconds."""
LAST_LINES_S = 30.0
"""Lines of the log come some seconds late."""
ALONE_S = 120.0
"""A master without workers ends by itself; one that waits for workers that are gone never would."""
REPORT = ("report.", "summary.", "plots/")


def run(stack_name: str, workers: int, config: str, output: str) -> int:
    """Run the study of ``config`` on ``workers`` worker tasks. Returns the master's exit status.

    The report is copied to ``<output>/<run_id>``; the last line on stdout is the run folder's address on S3. Raises
    ``UnusableInput`` and ``Refused`` before the load; an interruption lets the requests in flight end and reports what ran.
    """
    data = _configuration(config)
    try:
        with terminating(), asking():
            clients = Clients()
            return _Study(clients, find_stack(clients, stack_name), workers).run(config, data, output)
    except Terminated:
        return ExitCode.TERMINATED


def _configuration(address: str) -> bytes | None:
    """What is handed to the tasks, found usable there; None where it is on S3 already."""
    if address == STDIN:
        raise UnusableInput("--config -: a study on ECS is handed the file itself; give its path, or its address on S3.")
    config = Options(config=address).load().config
    if config.simulator is not None:
        cure = "take simulator: out, or run it here without ecs"
        raise UnusableInput(f"{address}: simulator: the endpoint of the master cannot be reached from the workers; {cure}.")
    path = config.dataset.path
    if path and not is_remote(path):
        raise UnusableInput(f'{address}: dataset.path: "{path}" is on this machine; copy it to S3 and give its address there.')
    return None if is_remote(address) else Path(address).expanduser().read_bytes()


class _Study:
    """The tasks of one study, from the first to the last."""

    def __init__(self, clients: Clients, stack: Stack, workers: int) -> None:
        self._clients, self._stack, self._workers = clients, stack, workers
        self.id = f"fmbench-{secrets.token_hex(6)}"
        self._master = ""
        self._names: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._name = MasterName(clients, stack)
        self._log = MasterLog(clients, stack)
        self._alone_since: float | None = None

    def run(self, config: str, data: bytes | None, output: str) -> int:
        store = store_for(self._stack.results.rpartition("/")[0], self._clients.region)
        handed_over = f"configurations/{self.id}.yml"
        self._name.check_free()
        try:
            if data is not None:
                store.put_bytes(handed_over, data)
                config = f"{store.address}/{handed_over}"
            status = self._run_study(config)
            self._wait_until_stopped(list(self._names), WORKERS_END_S)
        finally:
            self._leave_nothing_running()
            if data is not None:
                with suppress(Refused):  # of no consequence to the study
                    store.delete(handed_over)
        self._log.wait_for_address(self._master, 0 if status in (ExitCode.UNUSABLE, ExitCode.REFUSED) else LAST_LINES_S)
        self._hand_over(output)
        return status

    def _run_study(self, config: str) -> int:
        """Start and follow, up to the master's end; when interrupted, up to the end that it then makes."""
        try:
            self._start(config)
            with asking(FmbenchError):  # no longer before the first request
                return self._follow_to_the_end()
        except (KeyboardInterrupt, Terminated) as error:
            if not self._master:
                raise
            say("interrupted: the requests in flight end, and what ran is reported. Once more, and nothing is waited for.")
            self._stop([self._master], "interrupted")
            self._wait_until_stopped([self._master], STOP_S)
            return ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED

    def _start(self, config: str) -> None:
        stack = self._stack
        common = ["--config", config, "--output", stack.results]
        lead = [*common, "--yes", "--master", "--expect-workers", str(self._workers)]
        self._master = self._run_tasks(stack.master_task, stack.master_group, lead, 1, "master")[0]
        self._name.take(self._wait_for_the_master())
        join = [*common, "--worker", "--master-host", stack.master_host]
        for first in range(0, self._workers, TASKS_A_CALL):
            count = min(TASKS_A_CALL, self._workers - first)
            self._run_tasks(stack.worker_task, stack.worker_group, join, count, "worker", first + 1)

    def _run_tasks(self, definition: str, group: str, command: list[str], count: int, what: str, number: int = 0) -> list[str]:
        network = {"subnets": self._stack.subnets, "securityGroups": [group], "assignPublicIp": "DISABLED"}
        answer = self._clients.ecs.run_task(
            cluster=self._stack.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            count=count,
            startedBy=self.id,
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": self._log.container, "command": command}]},
        )
        started = [str(task["taskArn"]) for task in answer["tasks"]]
        self._names |= {arn: f"{what} {number + place}" if number else what for place, arn in enumerate(started)}
        if len(started) < count:
            reasons = "; ".join(str(failure.get("reason")) for failure in answer.get("failures", [])) or "no reason given"
            cure = "try again later, or ask for a higher quota of Fargate vCPUs"
            raise Refused(f"ECS started {len(started)} of {count} {what} tasks ({reasons}); {cure}.")
        return started

    def _wait_for_the_master(self) -> dict[str, Any]:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            master = self._look().get(self._master, {})
            if master.get("lastStatus") == "RUNNING":
                return master
            if master.get("lastStatus") == "STOPPED":
                raise Refused(f"the master did not start: {ending(master)}.")
            time.sleep(POLL_S)
        raise Refused(f"the master did not start within {START_S:.0f} s; see the task in the ECS console.")

    def _follow_to_the_end(self) -> int:
        while True:
            tasks = self._look()
            self._log.show(self._master)
            master = tasks.get(self._master, {})
            if master.get("lastStatus") == "STOPPED":
                return status_of(master)
            self._check_workers([task for arn, task in tasks.items() if arn != self._master])
            time.sleep(POLL_S)

    def _check_workers(self, workers: list[dict[str, Any]]) -> None:
        """A master waits for each of its workers: one that never came, or that all are gone, has to be told from here."""
        stopped = [task for task in workers if task["lastStatus"] == "STOPPED"]
        for task in stopped:
            if "startedAt" not in task:
                raise Refused(f"{self._names[task['taskArn']]} did not start: {ending(task)}.")
        if len(stopped) < self._workers:
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > ALONE_S:
            self._stop([self._master], "every worker has ended")

    def _look(self) -> dict[str, dict[str, Any]]:
        """The tasks as ECS sees them, by ARN; what changed is said."""
        found: dict[str, dict[str, Any]] = {}
        arns = list(self._names)
        for first in range(0, len(arns), 100):
            answer = self._clients.ecs.describe_tasks(cluster=self._stack.cluster, tasks=arns[first : first + 100])
            found |= {task["taskArn"]: task for task in answer["tasks"]}
        for arn, task in found.items():
            words = f"ended: {ending(task)}" if task["lastStatus"] == "STOPPED" else str(task["lastStatus"]).lower()
            if self._said.get(arn) != words:
                self._said[arn] = words
                say(f"{self._names[arn]} {words}")
        return found

    def _stop(self, arns: list[str], reason: str) -> None:
        """Each is told, whatever comes of telling the others."""
        with ExitStack() as each:
            for arn in arns:
                each.callback(
                    self._clients.ecs.stop_task, cluster=self._stack.cluster, task=arn, reason=f"fmbench-load: {reason}"
                )

    def _wait_until_stopped(self, arns: list[str], seconds: float) -> list[str]:
        """Those that have not ended by then."""
        end = time.monotonic() + seconds
        while True:
            tasks = self._look()
            self._log.show(self._master)
            left = [arn for arn in arns if tasks.get(arn, {}).get("lastStatus", "STOPPED") != "STOPPED"]
            if not left or time.monotonic() > end:
                return left
            time.sleep(POLL_S)

    def _leave_nothing_running(self) -> None:
        """Stop every task of this study, even one whose start was not heard of; what cannot be stopped is named."""
        try:
            with asking(FmbenchError):
                self._stop_all()
        except FmbenchError:
            say(f"Tasks may still be running: look for those started by {self.id} in the cluster {self._stack.cluster}.")
            raise

    def _stop_all(self) -> None:
        with ExitStack() as always:
            always.callback(self._name.give_back)
            seen = self._look()
            running = [arn for arn in self._names if seen.get(arn, {}).get("lastStatus") != "STOPPED"]
            self._stop(running, "the study is over")
            unheard_of = self._unheard_of()
            self._stop(unheard_of, "the study is over")
        for arn in self._wait_until_stopped([*running, *unheard_of], STOP_S):
            say(f"{arn} was told to stop and has not yet; look after it in the ECS console.")

    def _unheard_of(self) -> list[str]:
        """Tasks of this study that RunTask started without our hearing of it."""
        pages = self._clients.ecs.get_paginator("list_tasks").paginate(cluster=self._stack.cluster, startedBy=self.id)
        arns = [arn for page in pages for arn in page["taskArns"] if arn not in self._names]
        self._names |= {arn: "a task that was being started" for arn in arns}
        return arns

    def _hand_over(self, output: str) -> None:
        address = self._log.address
        if address is None:
            place = self._log.place_of(self._master)
            say(f"The master's log names no run folder; it is {place['logStreamName']} in {place['logGroupName']}.")
            return
        target = Path(output).expanduser() / address.rpartition("/")[2]
        try:
            store = store_for(address, self._clients.region)
            for name in [name for name in store.list() if name.startswith(REPORT)]:
                store.get_file(name, target / name)
            say(f"The report is in {target}.")
        except (Refused, OSError) as error:  # the study itself is whole
            say(f"The report could not be copied to {target}: {error}")
        print(address, flush=True)
