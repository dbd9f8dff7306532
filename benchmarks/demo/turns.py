"""``python -m benchmarks.demo.turns``: how late a process is woken beside busy loops, with the usual turns and with short ones.

Each is a process of its own that sleeps for 3 ms and works for 0.2 ms, again and again, by turns with the other. Prints a row
a process: how long after the end of its sleep it ran, milliseconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np

from benchmarks.accuracy.busy import busy
from fmbench.short_turns import take_short_turns

SLEEP_S, WORK_S = 0.003, 0.0002
SHARES = (0.5, 0.95, 0.99, 1.0)


def main() -> None:
    """One kind and the other, by turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo.turns", description=__doc__)
    parser.add_argument("--busy", type=int, default=4, metavar="LOOPS", help="busy loops beside it (default 4)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="each process (default 4)")
    parser.add_argument("--short", choices=("yes", "no"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.short:
        print(" | ".join(f"{late:.2f}" for late in lateness(options.short == "yes", options.seconds)), flush=True)
        return
    print("| turns | p50, ms | p95, ms | p99, ms | longest, ms |\n|---|--:|--:|--:|--:|", flush=True)
    with busy(options.busy):
        for _ in range(options.rounds):
            for short in ("no", "yes"):
                command = [sys.executable, "-m", "benchmarks.demo.turns", "--short", short, "--seconds", str(options.seconds)]
                done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
                print(f"| {'short' if short == 'yes' else 'usual'} | {done.stdout.strip()} |", flush=True)


def lateness(short: bool, seconds: float) -> list[float]:
    """``SHARES`` of how late this process was woken, milliseconds."""
    if short and not take_short_turns():
        raise SystemExit("this system does not let a process ask for short turns")
    late, over = [], time.monotonic() + seconds
    while (due := time.monotonic() + SLEEP_S) < over:
        time.sleep(SLEEP_S)
        late.append(time.monotonic() - due)
        worked = time.monotonic() + WORK_S
        while time.monotonic() < worked:
            pass
    return [1000 * float(np.quantile(late, share)) for share in SHARES]


if __name__ == "__main__":
    main()
