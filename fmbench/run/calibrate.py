"""How many users a load process of this machine carries: measured once, kept for the machine, and held against each plan.

A plan that puts at most ``ENOUGH_ANYWHERE`` users on a load process needs no calibration. A larger one uses the measure that is
kept in the user's cache folder; where there is none of this machine, these versions and the last ``FRESH_S``, it is taken first.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fmbench.core.failures import ExitCode, FmbenchError
from fmbench.run.options import Options
from fmbench.run.say import say
from fmbench.simulator import start
from fmbench.simulator.behaviour import Simulator
from fmbench.storage.atomic import write_json
from fmbench.storage.manifest import versions

ENOUGH_ANYWHERE = 64
"""Users that any load process carries."""
FRESH_S = 30 * 24 * 3600


def command(as_json: bool) -> int:
    """``fmbench-load calibrate``: measure, keep it, and print it."""
    measure = _measured()
    print(json.dumps(measure, indent=2) if as_json else table(measure), flush=True)
    return ExitCode.DONE


def table(measure: dict[str, Any]) -> str:
    """The answer in a sentence, and the levels as a Markdown table."""
    limits = f"p95 within {measure['max_ttft_error_s'] * 1000:.0f} ms, CPU within {measure['max_core_share'] * 100:.0f} %"
    head = f"| users | requests | TTFT error p50, ms | p95, ms | read late p50, ms | p95, ms | CPU, % of a core | {limits} |"
    lines = [answer(measure), "", head, "|--:|--:|--:|--:|--:|--:|--:|---|"]
    for level in measure["levels"]:
        names = ("ttft_error_p50_s", "ttft_error_p95_s", "lateness_p50_s", "lateness_p95_s")
        errors = " | ".join(_ms(level.get(name)) for name in names)
        said = "yes" if level["users"] <= measure["users_per_process"] else "no"
        lines.append(f"| {level['users']} | {level['requests']} | {errors} | {level['core_share'] * 100:.0f} | {said} |")
    rate, cpus = measure["tokens_per_s"], measure["cpus"]
    beside = f"Streams of {rate} tokens a second from the simulator, which shares this machine's {cpus} CPUs."
    return "\n".join([*lines, "", beside])


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.2f}"


def answer(measure: dict[str, Any]) -> str:
    """``This machine carries about 128 users per load process at ≤ 3 ms TTFT error``, or why that is not known."""
    users, stated = measure["users_per_process"], f"at ≤ {measure['max_ttft_error_s'] * 1000:.0f} ms TTFT error"
    if not users:
        lowest = measure["levels"][0]["users"]
        return f"This machine does not carry {lowest} users per load process {stated}: it is too slow, or busy."
    return f"This machine carries about {users} users per load process {stated}."


@dataclass(frozen=True, slots=True)
class Fit:
    """A plan's users beside what the machine carries. ``measure`` is what the manifest keeps."""

    measure: dict[str, Any]
    most_users: int
    processes: int

    @property
    def per_process(self) -> int:
        """The most users that the plan puts on one load process."""
        return -(-self.most_users // self.processes)

    def words(self) -> str:
        """What the user is told before the load begins."""
        carries = self.measure["users_per_process"]
        asks = f"{answer(self.measure)[:-1]}; the plan asks for {self.per_process}"
        if self.per_process <= carries:
            return f"{asks}."
        if not carries:
            return f"{asks}. Use a machine that does nothing else, or fewer users."
        wanted = -(-self.most_users // carries)
        if wanted <= self.measure["cpus"]:
            return f"{asks}: use --processes {wanted}."
        return f"{asks}. That takes {wanted} load processes with a core each: use more machines (--master) or fewer users."

    def entry(self) -> dict[str, Any]:
        """For the manifest's ``environment.calibration``."""
        return self.measure | {"asked_per_process": self.per_process, "processes": self.processes}


def held_against(options: Options, levels: list[int]) -> Fit | None:
    """The machine's measure beside the plan's levels; None when the plan needs none, or its users are carried elsewhere.

    A calibration that fails is told and costs nothing else.
    """
    fit = Fit({}, max(levels), _processes(options))
    if options.master or fit.per_process <= ENOUGH_ANYWHERE:
        return None
    try:
        return Fit(kept() or _measured(), fit.most_users, fit.processes)
    except FmbenchError as error:
        say(f"warning: {error}")
        return None


def kept() -> dict[str, Any] | None:
    """The measure of this machine that is still fresh; None when there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        measure: dict[str, Any] = json.loads(cache_file().read_text())
        if measure["of"] == machine() and 0 <= time.time() - measure["measured_at"] < FRESH_S:
            return measure
    return None


def cache_file() -> Path:
    """Where the measure is kept: the platform's folder for a user's caches."""
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "fmbench-load" / "calibration.json"


def _measured() -> dict[str, Any]:
    """Take the measure, and keep it; one of a machine that was too busy is not kept. Raises ``Refused``."""
    from fmbench.load import calibration

    say("Calibrating: how many users a load process of this machine carries (about 15 s, once).")
    with start(Simulator.model_validate({"profile": calibration.PROFILE})) as endpoint:
        found = calibration.calibrate(endpoint.url)
    measure = {
        "users_per_process": found.users_per_process,
        "max_ttft_error_s": calibration.MAX_ERROR_S,
        "max_core_share": calibration.MAX_CORE_SHARE,
        "tokens_per_s": calibration.TOKENS_A_SECOND,
        "measured_at": time.time(),
        "cpus": _cpus(),
        "of": machine(),
        "levels": [asdict(level) for level in found.levels],
    }
    if measure["users_per_process"]:
        with suppress(OSError):
            write_json(cache_file(), measure)
    return measure


def machine() -> dict[str, Any]:
    """What a measure is of: another one is taken when any of this changes."""
    packages = {name: version for name, version in versions().items() if name in ("fmbench-load", "botocore", "gevent")}
    own = {"host": socket.gethostname(), "machine": platform.machine(), "cpus": _cpus(), "python": platform.python_version()}
    return own | packages


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes(options: Options) -> int:
    return options.processes if options.processes > 0 else _cpus()
