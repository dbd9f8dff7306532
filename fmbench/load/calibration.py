"""How many users one load process of this machine carries, at a stated error: a few seconds against the simulator.

Levels of users double until the instrument's lateness or its share of a core passes a limit. Lateness is how long after its
arrival by the kernel a first content was read; where the kernel stamps nothing, it is the TTFT error by the endpoint's ledger.
The last level within both is the machine's measure. Streams come at 50 tokens a second, as most models serve them; twice the
rate is half the users. The endpoint is on the same machine: a target elsewhere leaves the load process more of it.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ssl import create_default_context
from statistics import quantiles

from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.schema import Inference, Model, Timeouts
from fmbench.core.failures import Refused
from fmbench.core.records import Exchange, Prompt
from fmbench.prompts.payload import salt_of

LEVELS = (32, 64, 128, 256, 512)
MAX_ERROR_S = 0.003
"""How late 95 of 100 requests of a level may be read at most; where that is not measured, their TTFT error."""
MAX_CORE_SHARE = 0.7
PROFILE = {"ttft_s": 0.2, "tpot_s": 0.02, "jitter": 0.3}
"""What the endpoint has to be started with."""
TOKENS_A_SECOND = 50
_TOKENS = 25
_FEWEST_REQUESTS = 128
_FAILED_S = 60.0
_PROGRAM = "from gevent import monkey; monkey.patch_all(); from fmbench.load.calibration import main; main()"
_MODEL = "amazon.nova-lite-v1:0"


@dataclass(slots=True, frozen=True)
class Level:
    """What a number of users showed: errors in seconds, CPU as a share of one core while all of them are in flight."""

    users: int
    requests: int
    ttft_error_p50_s: float
    ttft_error_p95_s: float
    core_share: float
    cpu_us_per_event: float
    lateness_p50_s: float | None = None
    lateness_p95_s: float | None = None
    """From a first content's arrival to its reading, measured; None without the kernel's stamps."""

    @property
    def good(self) -> bool:
        """Whether lateness and CPU are within their limits."""
        late = self.ttft_error_p95_s if self.lateness_p95_s is None else self.lateness_p95_s
        return late <= MAX_ERROR_S and self.core_share <= MAX_CORE_SHARE


@dataclass(slots=True, frozen=True)
class Calibration:
    """The machine's measure: ``users_per_process`` is 0 when not even the first level was good."""

    users_per_process: int
    levels: list[Level]


def calibrate(url: str, ca_bundle: str | None = None) -> Calibration:
    """Measure against a simulator at ``url`` that nobody else uses; some ten seconds. Raises ``Refused``."""
    command = [sys.executable, "-c", _PROGRAM, url, ca_bundle or ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"calibration: the load process failed: {done.stderr.strip().splitlines()[-1:]}")
    levels = [Level(**json.loads(line)) for line in done.stdout.splitlines()]
    return Calibration(max((level.users for level in levels if level.good), default=0), levels)


def main() -> None:
    """The load process: a line of JSON a level on stdout."""
    endpoint = Endpoint(sys.argv[1], sys.argv[2] or None)
    for level in _levels(endpoint):
        print(json.dumps(asdict(level)), flush=True)


def _levels(endpoint: Endpoint) -> Iterator[Level]:
    """Levels up to and including the first that is not good, twice: what else the machine did is not its measure."""
    caller = Caller(Model(id=_MODEL), Inference(max_tokens=_TOKENS), None, Timeouts(), LEVELS[-1], False, endpoint)
    _load(caller, LEVELS[0], 1)  # connections, caches and the endpoint's own first steps are not what is measured
    gc.collect()
    gc.freeze()
    for users in LEVELS:
        level = _measure(caller, endpoint, users)
        if not level.good:
            level = _measure(caller, endpoint, users)
        yield level
        if not level.good:
            return


def _measure(caller: Caller, endpoint: Endpoint, users: int) -> Level:
    _ask(endpoint, "POST", "reset")
    cpu_began = time.process_time()
    exchanges = _load(caller, users, max(2, _FEWEST_REQUESTS // users))
    cpu = time.process_time() - cpu_began
    rows = [json.loads(line) for line in _ask(endpoint, "GET", "ledger?since=0").splitlines()]
    return _level(users, exchanges, {row["request_id"]: row for row in rows}, cpu)


def _load(caller: Caller, users: int, requests: int) -> list[Exchange]:
    """The exchanges of ``users`` users, so many of each, their starts spread over a second."""
    from fmbench.bedrock.wait_gevent import together

    prompt = Prompt(prompt_id="calibration", text="words " * 1000, tokens=1000, dataset="calibration", language="en")
    prepared = caller.prepare(prompt, salted=True)
    exchanges: list[Exchange] = []

    def user() -> None:
        for _ in range(requests):
            exchanges.append(caller.call(prepared, salt_of(len(exchanges), time.monotonic_ns())))

    together([user] * users, [number / users for number in range(users)])
    return exchanges


def _level(users: int, exchanges: list[Exchange], ledger: dict[str, dict[str, int]], cpu: float) -> Level:
    """The CPU time is related to the seconds that it would have taken with all users in flight all the time."""
    errors = [_ttft_error_s(exchange, ledger.get(str(exchange.request_id))) for exchange in exchanges]
    percentiles = quantiles(errors, n=100, method="inclusive")
    late = _latenesses(exchanges)
    events = sum(len(exchange.content_ns) for exchange in exchanges)
    seconds = sum(exchange.ended_ns - exchange.started_ns for exchange in exchanges) / users / 1e9
    return Level(
        users=users,
        requests=len(exchanges),
        ttft_error_p50_s=percentiles[49],
        ttft_error_p95_s=percentiles[94],
        core_share=cpu / seconds,
        cpu_us_per_event=cpu / max(events, 1) * 1e6,
        lateness_p50_s=late[49] if late else None,
        lateness_p95_s=late[94] if late else None,
    )


def _latenesses(exchanges: list[Exchange]) -> list[float]:
    """Percentiles 1 to 99 of the lateness, seconds; none where a request has no stamp of the kernel."""
    stamps = [(exchange.first_content_ns, exchange.first_content_read_ns) for exchange in exchanges]
    found = [(read - arrived) / 1e9 for arrived, read in stamps if arrived is not None and read is not None]
    return quantiles(found, n=100, method="inclusive") if len(found) == len(exchanges) else []


def _ttft_error_s(exchange: Exchange, row: dict[str, int] | None) -> float:
    """How far a request's TTFT is from the endpoint's own; a request that failed is wrong beyond every limit."""
    if row is None or exchange.first_content_ns is None or exchange.sent_ns is None:
        return _FAILED_S
    return abs((exchange.first_content_ns - exchange.sent_ns) - (row["first_content_ns"] - row["received_ns"])) / 1e9


def _ask(endpoint: Endpoint, method: str, page: str) -> bytes:
    context = create_default_context(cafile=endpoint.ca_bundle) if endpoint.ca_bundle else None
    request = urllib.request.Request(f"{endpoint.url}/_simulator/{page}", method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=30) as answer:
        return bytes(answer.read())
