"""The end of a load process: what comes when it is over finds nothing to interrupt."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATE = """
import os, runpy, signal, sys, threading, time
from gevent import monkey
monkey.patch_all()
import gevent
import locust.main

def main():
    gevent.signal_handler(signal.SIGTERM, leave, 143)
    gevent.signal_handler(signal.SIGINT, leave, 130)
    threading.Thread(target=late).start()
    if sys.argv[2] != "late":
        os.kill(os.getpid(), int(sys.argv[1]))
    if sys.argv[2] == "handled meanwhile":
        gevent.sleep(0.1)
    sys.exit(5)

def leave(status):
    if sys.argv[2] == "handled meanwhile":
        gevent.sleep(0.3)
    sys.exit(status)

def late():
    gevent.sleep(0.3)
    if sys.argv[2] == "late":
        os.kill(os.getpid(), int(sys.argv[1]))
    gevent.sleep(0.3)
    print("ended in order")

locust.main.main = main
runpy.run_module("fmbench.load", run_name="__main__")
"""


@pytest.mark.parametrize("when", ["late", "unhandled", "handled meanwhile"])
@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_while_threads_end_is_no_traceback_and_keeps_the_status(number: int, when: str) -> None:
    ended = subprocess.run([sys.executable, "-c", LATE, str(number), when], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (5, "ended in order\n", "")
