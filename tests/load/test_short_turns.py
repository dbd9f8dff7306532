"""Short turns are the process's and its children's, and change nothing else."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from struct import unpack_from

import pytest

from fmbench.short_turns import SYSCALL, TURN_NS, take_short_turns

LINUX = sys.platform == "linux" and platform.machine() in SYSCALL
GET = {"x86_64": 315, "aarch64": 275}

ASKED = """
import ctypes, os, sys
from fmbench.short_turns import take_short_turns

def attributes(pid):
    told = ctypes.create_string_buffer(48)
    assert ctypes.CDLL(None).syscall(int(sys.argv[1]), pid, told, 48, 0) == 0
    return told.raw.hex()

os.nice(3)
before = attributes(0)
taken = take_short_turns()
child = os.fork()
if not child:
    print(attributes(0), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(before, attributes(0), taken)
"""


@pytest.mark.skipif(not LINUX, reason="the call is Linux's")
def test_turns_are_short_for_the_process_and_its_children_at_the_same_priority() -> None:
    command = [sys.executable, "-c", ASKED, str(GET[platform.machine()])]
    child, rest = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    before, after, taken = rest.split()
    if taken == "False":
        pytest.skip("this system lets nobody ask for it")
    policy, priority, turn = (unpack_from(kind, bytes.fromhex(after), at)[0] for kind, at in (("=I", 4), ("=i", 16), ("=Q", 24)))
    assert (
        (policy, priority) == (os.SCHED_OTHER, min(os.nice(0) + 3, 19)) == tuple(unpack_from("=I8xi", bytes.fromhex(before), 4))
    )
    if turn:  # a kernel before 6.12 knows no turns of its own
        assert turn == TURN_NS and child == after


def test_where_the_system_has_no_such_call_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "another")
    assert take_short_turns() is False
