"""``python -m benchmarks.demo.ends``: the ends of answers held against the endpoint's ledger, beside busy loops.

The demo's study of the longer prompts against a simulator that is asked for its ledger. Prints, over all measured requests, how
far TTFT and end-to-end latency are off the ledger's, and how late first contents and ends were read, milliseconds. What both are
off by alike is the endpoint's: a busy one reads requests late. What the load process adds to an end is in their difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.accuracy.busy import busy
from benchmarks.accuracy.work import environment
from benchmarks.demo import CONFIG
from fmbench.simulator import start
from fmbench.simulator.behaviour import Simulator

SHARES = (0.5, 0.95, 0.99, 1.0)


def main() -> None:
    """Run once, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo.ends", description=__doc__)
    parser.add_argument("--busy", type=int, default=2, metavar="LOOPS", help="busy loops beside it (default 2)")
    options = parser.parse_args()
    config = yaml.safe_load(CONFIG.read_text())
    simulator = Simulator.model_validate(config.pop("simulator"))
    config["dataset"]["buckets"] = config["dataset"]["buckets"][1:]
    with tempfile.TemporaryDirectory() as folder, start(simulator) as endpoint, busy(options.busy):
        records = _records(config | {"output": folder}, Path(folder), endpoint.url)
        ledger = pd.DataFrame(json.loads(line) for line in urllib.request.urlopen(f"{endpoint.url}/_simulator/ledger"))
    print("| ms | p50 | p95 | p99 | most |\n|---|--:|--:|--:|--:|")
    for name, values in _errors(records, ledger).items():
        print(f"| {name} | {' | '.join(f'{1000 * value:.2f}' for value in np.quantile(values, SHARES))} |")


def _records(config: dict[str, Any], folder: Path, url: str) -> pd.DataFrame:
    path = folder / "cfg.yml"
    path.write_text(yaml.safe_dump(config))
    variables = environment(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=url)
    command = [sys.executable, "-m", "fmbench", "--config", str(path), "--yes"]
    done = subprocess.run(command, env=variables, cwd=CONFIG.parents[1], capture_output=True, text=True, check=True)
    return pd.read_parquet(Path(done.stdout.splitlines()[-1]) / "records")


def _errors(records: pd.DataFrame, ledger: pd.DataFrame) -> dict[str, pd.Series]:
    measured = records[(records["phase"] == "measure") & (records["outcome"] == "ok")]
    both = measured.set_index("request_id").join(ledger.set_index("request_id").add_prefix("true_"), how="inner")
    assert len(both) == len(measured), "requests are missing in the ledger"
    ttft = both["ttft_s"] - (both["true_first_content_ns"] - both["true_received_ns"]) / 1e9
    e2e = both["e2e_s"] - (both["true_ended_ns"] - both["true_received_ns"]) / 1e9
    return {
        "TTFT, off by": ttft.abs(),
        "end to end, off by": e2e.abs(),
        "end to end − TTFT, off by": (e2e - ttft).abs(),
        "first content read late": both["ttft_read_s"] - both["ttft_s"],
        "end read late": both["e2e_read_s"] - both["e2e_s"],
    }


if __name__ == "__main__":
    main()
