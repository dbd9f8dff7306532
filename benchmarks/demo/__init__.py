"""The demo, again and again, and what is true of it."""

from pathlib import Path

CONFIG = Path(__file__).resolve().parents[2] / "configs/quickstart.yml"
