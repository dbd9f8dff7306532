"""What the demo is tried beside, apart from busy loops: processes that compile and write, and stops of its load processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.accuracy.stops import STOP_S, load_processes

COMPILE = """
import asyncio, compileall, os, shutil, sys
folder = os.path.join(sys.argv[1], "modules")
shutil.copytree(os.path.dirname(asyncio.__file__), folder, ignore=shutil.ignore_patterns("__pycache__"))
while True:
    compileall.compile_dir(folder, force=True, quiet=2, workers=1)
    with open(os.path.join(sys.argv[1], "written"), "wb") as file:
        file.write(os.urandom(4 << 20))
        file.flush()
        os.fsync(file.fileno())
"""
"""Without an end: 30 modules compiled, then 4 MiB written through to the disk."""
NEW_PROCESSES = """
import subprocess, sys
while True:
    subprocess.call([sys.executable, "-c", "import decimal, email.message, json"])
"""
"""Without an end: a process that lives for a few hundredths of a second."""


@contextmanager
def work(compilers: int, starters: int) -> Iterator[None]:
    """So many processes that compile and write, and so many that start others, for as long as this is entered."""
    with tempfile.TemporaryDirectory() as folder:
        programs = [COMPILE] * compilers + [NEW_PROCESSES] * starters
        running = [_started(program, Path(folder, str(number))) for number, program in enumerate(programs)]
        try:
            yield
        finally:
            for process in running:
                process.kill()
                process.wait()


def _started(program: str, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir()
    return subprocess.Popen([sys.executable, "-c", program, str(folder)])


@contextmanager
def stops(root: int, every_s: float | None) -> Iterator[None]:
    """The load processes below ``root`` stand still for ``STOP_S`` together, again each ``every_s`` seconds; None: never."""
    over = threading.Event()
    thread = threading.Thread(target=_stop, args=(root, every_s, over))
    if every_s is not None:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if every_s is not None:
            thread.join()


def _stop(root: int, every_s: float | None, over: threading.Event) -> None:
    while not over.wait(every_s):
        with suppress(psutil.Error):
            found = load_processes(root)
            _send(found, signal.SIGSTOP)
            over.wait(STOP_S)
            _send(found, signal.SIGCONT)


def _send(processes: list[int], what: signal.Signals) -> None:
    for process in processes:
        with suppress(OSError):
            os.kill(process, what)
