"""Malformed input that is bred by what code it reaches: the parsers of ``tests/fuzz`` under atheris.

``pip install atheris`` (Linux; no dependency of this project, and not in CI), then
``python -m benchmarks.fuzz.guided TARGET [--seconds 60] [--seed 1]``. At the first finding it ends, with the input in a file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

EXAMPLES = 50


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris  # type: ignore[import-not-found, unused-ignore]

    with atheris.instrument_imports(include=["fmbench"]):
        from tests.fuzz.mutation import Mutator
        from tests.fuzz.parsers import all_targets

    scratch = Path(tempfile.mkdtemp(prefix="fmbench-fuzz-"))
    targets = all_targets(scratch)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz.guided")
    parser.add_argument("target", choices=sorted(targets))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    target, mutator = targets[given.target], Mutator(given.seed)
    corpus = scratch / "seeds"
    corpus.mkdir()
    for number in range(EXAMPLES):
        (corpus / str(number)).write_bytes(target.make(mutator))

    def read(data: bytes) -> None:
        """Whole, and cut in two where its last byte says."""
        target.read([data])
        if data:
            place = len(data) * data[-1] // 256
            target.read([data[:place], data[place:]])

    limits = [f"-max_total_time={given.seconds}", f"-seed={given.seed}", "-timeout=5", "-max_len=8192", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], str(corpus), *limits], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
