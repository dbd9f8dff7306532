"""Put on the path of a load process: counts, by the second, in whose code its CPU time goes. Written at its exit."""

import atexit
import collections
import json
import os
import pathlib
import signal
import sys
import time

INTERVAL_S = 0.002
HOMES = ("fmbench", "botocore", "boto3", "urllib3", "locust", "gevent")
found: collections.Counter[str] = collections.Counter()


def home_of(path: str) -> str:
    parts = path.split(os.sep)
    return next((home for home in HOMES if home in parts), "the rest")


def sample(number: int, frame: object) -> None:
    code = getattr(frame, "f_code", None)
    found[f"{int(time.time())} {home_of(code.co_filename if code else '')}"] += 1


if "-f" in sys.orig_argv and "fmbench.load" in sys.orig_argv:
    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    atexit.register(lambda: pathlib.Path(os.environ["SAMPLES"]).write_text(json.dumps(found)))
