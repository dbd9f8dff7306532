"""Real input that lies beside the checkout, in ``../shared/data``, and is part of no package: tests skip where it is absent."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LONGBENCH = DATA / "longbench"
"""Rows of LongBench, ``<task>.jsonl``."""
BEDROCK_WIRE = DATA / "bedrock-wire"
"""Recorded answers of Amazon Bedrock, as YAML cassettes."""
