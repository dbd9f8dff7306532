"""A limit of open files that a load process's users would meet is refused before the first request."""

from __future__ import annotations

import resource

import pytest

from fmbench.config.schema import Config
from fmbench.core.failures import Refused
from fmbench.run.checks import OWN_FILES, check_open_files
from fmbench.run.options import Options

MODELS = [{"id": "us.amazon.nova-lite-v1:0"}]


@pytest.mark.parametrize(
    ("users", "options", "limit", "fits"),
    [
        (100, Options(), 100 + OWN_FILES, True),
        (100, Options(), 99 + OWN_FILES, False),
        (100, Options(processes=2), 50 + OWN_FILES, True),
        (101, Options(processes=2), 50 + OWN_FILES, False),
        (100, Options(master=True), 64, True),
        (100, Options(), resource.RLIM_INFINITY, True),
    ],
)
def test_users_have_to_fit_into_it(monkeypatch: pytest.MonkeyPatch, users: int, options: Options, limit: int, fits: bool) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1, limit))
    config = Config.model_validate({"models": MODELS, "load": {"concurrency": [1, users]}})
    if fits:
        check_open_files(config, options)
        return
    with pytest.raises(Refused, match=r"open files, and the system's limit is .*ulimit -n"):
        check_open_files(config, options)
