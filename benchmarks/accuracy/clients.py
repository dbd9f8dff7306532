"""Starting each client in a process of its own, with nothing of its environment but what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.accuracy.work import LIMIT_S, MODEL, Client, Done, Row, Work, environment

HERE = Path(__file__).parent


def python_client(module: str, python: str = sys.executable) -> Client:
    """A client that is a module of this package, run by ``python``."""

    def run(work: Work) -> Done:
        command = [python, "-m", f"benchmarks.accuracy.{module}", json.dumps(asdict(work))]
        done = subprocess.run(
            command, cwd=HERE.parents[1], env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{module} failed:\n{done.stderr[-2000:]}")
        return Done.parse(done.stdout)

    return run


def build_floor(folder: Path) -> Client:
    """Compile ``floor.c`` into ``folder`` (it takes gcc and OpenSSL's headers) and return the client that it is."""
    program = folder / "floor"
    subprocess.run(["gcc", "-O2", "-Wall", "-o", str(program), str(HERE / "floor.c"), "-lssl", "-lcrypto"], check=True)

    def run(work: Work) -> Done:
        message = {"role": "user", "content": [{"text": work.text}]}
        body = json.dumps({"messages": [message], "inferenceConfig": {"maxTokens": work.tokens}})
        place = urlsplit(work.url)
        with tempfile.NamedTemporaryFile("w", dir=folder) as file:
            file.write(body)
            file.flush()
            numbers = [work.streams, 1 + work.requests, round(work.spread_s * 1000)]
            command = [str(program), str(place.hostname), str(place.port), str(int(place.scheme == "https")), *map(str, numbers)]
            command += [f"/model/{quote(MODEL, safe='')}/converse-stream", file.name]
            output = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
        first, *rows = (line.split() for line in output.splitlines())
        each = 1 + work.requests
        return Done(int(first[0]), [Row(row[0], *map(int, row[1:]), index % each == 0) for index, row in enumerate(rows)])

    return run


def at_once(client: Client, processes: int) -> Client:
    """A client in so many processes, which share the streams."""

    def run(work: Work) -> Done:
        shares = [replace(work, streams=work.streams // processes + (i < work.streams % processes)) for i in range(processes)]
        with ThreadPoolExecutor(processes) as pool:
            done = list(pool.map(client, shares))
        return Done(sum(each.cpu_ns for each in done), [row for each in done for row in each.rows])

    return run
