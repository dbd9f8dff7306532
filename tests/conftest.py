"""What holds for every test: no AWS account, no dataset hub, no proxy between a test and its loopback servers."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


def _leave_the_world_outside() -> None:
    """Set for this process and all that it starts: a test that calls AWS or a hub by mistake fails instead of spending."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "FMBENCH_", "LOCUST_"))]:
        del os.environ[name]
    for name in [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


_leave_the_world_outside()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job is started deaf to SIGINT, and so would be everything that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only a test that is marked as one of timing may be tried again, and once."""
    for item in items:
        if item.get_closest_marker("timing"):
            item.add_marker(pytest.mark.flaky(reruns=1))
