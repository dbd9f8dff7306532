"""A task as ECS describes it (DescribeTasks)."""

from __future__ import annotations

from typing import Any

from fmbench.core.failures import ExitCode, Refused


def task_id(arn: str) -> str:
    """The last part of a task's ARN."""
    return arn.rpartition("/")[2]


def private_address(task: dict[str, Any]) -> str:
    """The address that the task has inside its network. Raises ``Refused`` when it has none."""
    details = [detail for attachment in task.get("attachments", []) for detail in attachment.get("details", [])]
    found = [str(detail["value"]) for detail in details if detail.get("name") == "privateIPv4Address"]
    if not found:
        raise Refused(f"{task['taskArn']}: runs without a private IPv4 address; give the stack subnets that have some.")
    return found[0]


def _container(task: dict[str, Any]) -> dict[str, Any]:
    containers: list[dict[str, Any]] = task.get("containers", [])
    return containers[0] if containers else {}


def ending(task: dict[str, Any]) -> str:
    """How a task ended: its container's exit status, and what ECS says about it."""
    code = _container(task).get("exitCode")
    reasons = [task.get("stoppedReason"), _container(task).get("reason")]
    return ", ".join(["no exit status" if code is None else f"exit status {code}", *(reason for reason in reasons if reason)])


def status_of(master: dict[str, Any]) -> int:
    """The master's exit status where it is one of ours; one that was killed is a fault, one that never started is refused."""
    code = _container(master).get("exitCode")
    if code is None and "startedAt" not in master:
        raise Refused(f"the master did not start: {ending(master)}.")
    return int(code) if code in set(ExitCode) else ExitCode.FAULT
