"""How many users one load process of this machine carries, at a stated error: a few seconds against the embedded endpoint.

Levels of users double until the instrument's own TTFT error, by the endpoint's ledger, or its share of a core passes a
limit. The last level within both is the machine's measure. Streams come at 50 tokens a second, as most models serve them;
twice the rate is half the users.
"""

from __future__ import annotations

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

LEVELS = (16, 32, 64, 128, 256, 512)
MAX_ERROR_S = 0.005
"""The 99th percentile of the TTFT error that a level may show."""
MAX_CORE_SHARE = 0.7
PROFILE = {"ttft_s": 0.2, "tpot_s": 0.02, "jitter": 0.3}
"""What the endpoint has to be started with."""
_TOKENS = 50
_REQUESTS_A_USER = 2
_PROGRAM = "from gevent import monkey; monkey.patch_all(); from fmbench.bedrock.calibrate import main; main()"
_MODEL = "amazon.nova-lite-v1:0"


@dataclass(slots=True, frozen=True)
class Level:
    """What a number of users showed: errors in seconds, CPU as a share of one core."""

    users: int
    requests: int
    ttft_error_p50_s: float
    ttft_error_p99_s: float
    core_share: float
    cpu_us_per_event: float

    @property
    def good(self) -> bool:
        """Whether error and CPU are within their limits."""
        return self.ttft_error_p99_s <= MAX_ERROR_S and self.core_share <= MAX_CORE_SHARE


@dataclass(slots=True, frozen=True)
class Calibration:
    """The machine's measure: ``users_per_process`` is 0 when not even the first level was good."""

    users_per_process: int
    levels: list[Level]


def calibrate(url: str, ca_bundle: str | None = None) -> Calibration:
    """Measure against an embedded endpoint at ``url`` that nobody else uses; some ten seconds. Raises ``Refused``."""
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
    """Levels up to and including the first that is not good."""
    caller = Caller(Model(id=_MODEL), Inference(max_tokens=_TOKENS), None, Timeouts(), LEVELS[-1], False, endpoint)
    _load(caller, LEVELS[0])  # connections, caches and the endpoint's own first steps are not what is measured
    for users in LEVELS:
        _ask(endpoint, "POST", "reset")
        began, cpu_began = time.monotonic(), time.process_time()
        exchanges = _load(caller, users)
        cpu, elapsed = time.process_time() - cpu_began, time.monotonic() - began
        rows = [json.loads(line) for line in _ask(endpoint, "GET", "ledger?since=0").splitlines()]
        level = _level(users, exchanges, {row["request_id"]: row for row in rows}, cpu, elapsed)
        yield level
        if not level.good:
            return


def _load(caller: Caller, users: int) -> list[Exchange]:
    """The exchanges of ``users`` users, their starts spread over a second."""
    from fmbench.bedrock.wait_gevent import together

    prompt = Prompt(prompt_id="calibration", text="words " * 1000, tokens=1000, dataset="calibration", language="en")
    prepared = caller.prepare(prompt, salted=True)
    exchanges: list[Exchange] = []

    def user() -> None:
        for _ in range(_REQUESTS_A_USER):
            exchanges.append(caller.call(prepared, salt_of(len(exchanges), time.monotonic_ns())))

    together([user] * users, [number / users for number in range(users)])
    return exchanges


def _level(users: int, exchanges: list[Exchange], ledger: dict[str, dict[str, int]], cpu: float, elapsed: float) -> Level:
    errors = [_ttft_error_s(exchange, ledger.get(str(exchange.request_id))) for exchange in exchanges]
    percentiles = quantiles(errors, n=100)
    events = sum(len(exchange.content_ns) for exchange in exchanges)
    return Level(
        users=users,
        requests=len(exchanges),
        ttft_error_p50_s=percentiles[49],
        ttft_error_p99_s=percentiles[98],
        core_share=cpu / elapsed,
        cpu_us_per_event=cpu / max(events, 1) * 1e6,
    )


def _ttft_error_s(exchange: Exchange, row: dict[str, int] | None) -> float:
    """How far a request's TTFT is from the endpoint's own; a request that failed is as wrong as can be."""
    if row is None or exchange.first_content_ns is None or exchange.sent_ns is None:
        return float("inf")
    return abs((exchange.first_content_ns - exchange.sent_ns) - (row["first_content_ns"] - row["received_ns"])) / 1e9


def _ask(endpoint: Endpoint, method: str, page: str) -> bytes:
    context = create_default_context(cafile=endpoint.ca_bundle) if endpoint.ca_bundle else None
    request = urllib.request.Request(f"{endpoint.url}/_simulator/{page}", method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=30) as answer:
        return bytes(answer.read())
