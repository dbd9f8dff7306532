"""The messages of many load processes, from one: pulses, heartbeats and Locust's statistics over its real sockets, until killed.

``python -m benchmarks.master.swarm PORT PROCESSES``.
"""

from gevent import monkey

monkey.patch_all()

import random  # noqa: E402
import sys  # noqa: E402
from collections import Counter  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import __version__  # noqa: E402
from locust.rpc import Message  # noqa: E402
from locust.rpc.zmqrpc import Client  # noqa: E402
from locust.stats import RequestStats  # noqa: E402

from fmbench.load.protocol import Pulse, encode  # noqa: E402
from fmbench.load.tally import Tally, WindowCounts  # noqa: E402

TICKS = {"fmbench_pulse": 1.0, "heartbeat": 1.0, "stats": 3.0}
"""How often a load process says what, in seconds; the last two are Locust's own."""


def pulse(name: str, requests: int = 500) -> dict[str, Any]:
    """What a load process says once it has had ``requests`` answers, TTFT spread as a model's is."""
    dice = random.Random(name)
    ttft = Counter(round(dice.gauss(-14, 8)) for _ in range(requests))
    window = WindowCounts(ok=requests, output_tokens=50 * requests, ttft=ttft)
    tally = Tally(sent=requests + 4, done=requests, ok=requests, measured=requests, usd=0.01 * requests, window=window)
    message = Pulse(run_id="run", worker=name, number=1, exhausted=False, fault=None, users=4, tally=tally)
    return encode(message)[1]


def statistics() -> dict[str, Any]:
    """Locust's statistics of three seconds of a load process with four users."""
    stats = RequestStats()
    for milliseconds in range(400, 412):
        stats.log_request("BEDROCK", "nova-lite|en_500-1000|800|measure", milliseconds, 0)
    row = {"stats": stats.serialize_stats(), "stats_total": stats.total.get_stripped_report(), "errors": {}}
    return {**row, "user_classes_count": {"User": 4}, "user_count": 4}


def speak(port: int, name: str) -> None:
    """One load process, for ever; what the master says is read and dropped."""
    client = Client("127.0.0.1", port, name)
    client.send(Message("client_ready", __version__, name))
    beat = {"state": "ready", "current_cpu_usage": 20.0, "current_memory_usage": 100_000_000}
    said = {"fmbench_pulse": pulse(name), "heartbeat": beat, "stats": statistics()}
    for kind, every in TICKS.items():
        gevent.spawn(_repeat, client, Message(kind, said[kind], name), every)
    while True:
        client.recv()


def _repeat(client: Client, message: Message, every: float) -> None:
    gevent.sleep(random.uniform(0, every))
    while True:
        client.send(message)
        gevent.sleep(every)


if __name__ == "__main__":
    gevent.joinall([gevent.spawn(speak, int(sys.argv[1]), f"worker-{index}") for index in range(int(sys.argv[2]))])
