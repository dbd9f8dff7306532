"""``python -m benchmarks.accuracy``: every client, the same endpoint, the same work, medians of some repeats."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from itertools import product
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.accuracy import ledger
from benchmarks.accuracy.busy import busy
from benchmarks.accuracy.clients import at_once, build_floor, python_client
from benchmarks.accuracy.judge import Verdict, judge
from benchmarks.accuracy.peers import PEERS, peers
from benchmarks.accuracy.reference import build_reference, by_reference
from benchmarks.accuracy.whole_run import whole_run
from benchmarks.accuracy.work import POSTED, Client, Work
from fmbench.simulator import RunningSimulator, start
from fmbench.simulator.behaviour import Simulator

PROFILE = {"ttft_s": 0.2, "tpot_s": 0.01, "jitter": 0.5}
Judge = Callable[[Client, Work], Verdict]
UNREFERRED = tuple(f"fmbench, {api}" for api in ("messages", "responses"))
"""What endpoint.c cannot judge: it speaks ConverseStream and Chat Completions."""
TWO = 1.8
"""How much more two load processes have to carry than one."""
ONE_PROCESS_STREAMS = 128


def main() -> None:
    """Run what the arguments ask for, and print one table."""
    options = _options()
    print("| streams | client | CPU per event, µs | × floor | TTFT error p50, ms | p99, ms | TPOT error p99, % | requests |")
    print("|---|---|--:|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        clients = {"floor (C)": build_floor(Path(folder)), "fmbench": python_client("client_fmbench")}
        for api in options.apis:
            clients[f"fmbench, {api}"] = by_api(clients["fmbench"], api)
        if not options.no_whole_run:
            clients["fmbench, a whole run"] = whole_run
        if not options.no_boto3:
            clients["boto3 loop"] = python_client("client_boto3")
        if options.peers:
            clients |= peers()
        referred = {name: client for name, client in clients.items() if name not in UNREFERRED}
        for tls in options.tls:
            with start(Simulator.model_validate({"profile": PROFILE, "tls": tls == "tls"})) as endpoint:
                for streams, loops in product(options.streams, options.busy):
                    work = Work(url=endpoint.url, ca_bundle=endpoint.ca_bundle, streams=streams, requests=options.requests)
                    label = f"{streams}, {tls}" + (f", beside {loops} busy loops" if loops else "")
                    with busy(loops):
                        _print_rows(label, _measure(clients, work, options.repeats, _by_ledger))
                        if options.reference:
                            judge_by = partial(by_reference, build_reference(Path(folder)))
                            _print_rows(f"{label}, judged by endpoint.c", _measure(referred, work, options.repeats, judge_by))
                if not options.no_two and tls == options.tls[0]:
                    _two_processes(clients["fmbench"], endpoint, options, tls)
    print(f"\nMedians of {options.repeats}. Clients and endpoint share {os.cpu_count()} CPUs.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="medians of so many (default 5)")
    parser.add_argument("--streams", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--requests", type=int, default=4, help="requests a stream, beside its first (default 4)")
    parser.add_argument("--tls", nargs="+", choices=["plain", "tls"], default=["plain", "tls"])
    parser.add_argument("--apis", nargs="*", default=list(POSTED), help="rows of fmbench by these APIs too (default: all of SSE)")
    parser.add_argument(
        "--busy",
        type=int,
        nargs="+",
        default=[0],
        metavar="LOOPS",
        help="beside so many busy loops; `--busy 0 2`: quiet and busy",
    )
    parser.add_argument("--reference", action="store_true", help="the same clients again, their TTFT judged by endpoint.c")
    parser.add_argument("--no-boto3", action="store_true", help="leave the slow loop out")
    parser.add_argument("--no-whole-run", action="store_true", help="leave whole runs of fmbench-load out")
    parser.add_argument("--no-two", action="store_true", help="leave two processes beside one out")
    parser.add_argument(
        "--peers", action="store_true", help="other load generators too; installs each into an environment of its own"
    )
    return parser.parse_args()


def by_api(client: Client, api: str) -> Client:
    """The client, asking by another API."""
    return lambda work: client(replace(work, api=api))


def _two_processes(client: Client, endpoint: RunningSimulator, options: argparse.Namespace, tls: str) -> None:
    """One process, and two with 1.8 times its streams."""
    for processes, streams in ((1, ONE_PROCESS_STREAMS), (2, round(TWO * ONE_PROCESS_STREAMS))):
        work = Work(url=endpoint.url, ca_bundle=endpoint.ca_bundle, streams=streams, requests=options.requests)
        name = f"fmbench, {processes} process{'es' if processes > 1 else ''}"
        _print_rows(f"{streams}, {tls}", _measure({name: at_once(client, processes)}, work, options.repeats, _by_ledger))


def _measure(clients: dict[str, Client], work: Work, repeats: int, judged: Judge) -> dict[str, list[Verdict]]:
    """Each client in turn, so often; the verdicts by client. A peer that fails says why, and has none."""
    verdicts: dict[str, list[Verdict]] = {name: [] for name in clients}
    for _ in range(repeats):
        for name in list(verdicts):
            try:
                verdicts[name].append(judged(clients[name], work))
            except Exception as error:
                if name not in PEERS:
                    raise
                print(f"{name} has no row at {work.streams} streams: {error}", file=sys.stderr, flush=True)
                del verdicts[name]
    return verdicts


def _by_ledger(client: Client, work: Work) -> Verdict:
    """By the word of the simulator."""
    ledger.reset(work.url, work.ca_bundle)
    done = client(work)
    return judge(done, ledger.read(work.url, work.ca_bundle))


def _print_rows(streams: str, verdicts: dict[str, list[Verdict]]) -> None:
    middle: dict[str, dict[str, Any]] = {
        name: {field.name: median(getattr(each, field.name) for each in found) for field in fields(Verdict)}
        for name, found in verdicts.items()
    }
    floor = middle.get("floor (C)", {}).get("cpu_us")
    for name, row in middle.items():
        ratio = f"{row['cpu_us'] / floor:.2f}" if floor else ""
        print(
            f"| {streams} | {name} | {row['cpu_us']:.1f} | {ratio} | {row['ttft_p50_ms']:.2f} "
            f"| {row['ttft_p99_ms']:.2f} | {_or_nothing(row['tpot_percent'])} | {row['requests']:.0f} |",
            flush=True,
        )


def _or_nothing(value: float) -> str:
    return "" if isnan(value) else f"{value:.2f}"


if __name__ == "__main__":
    main()
