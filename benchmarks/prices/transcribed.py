"""An independent list of Bedrock's prices: LiteLLM's, fetched as a wheel of that release and read from it. Nothing of it is kept
here, and the program does not use it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASE = "litellm==1.110.2"
MEMBER = "litellm/model_prices_and_context_window_backup.json"
TEXT = ("chat", "responses", "completion", None)
HOMES = {
    "": ("us-east-1",),
    "us.": ("us-east-1", "us-west-2", "us-east-2"),
    "eu.": ("eu-west-2", "eu-central-1", "eu-west-3"),
    "apac.": ("ap-northeast-1", "ap-southeast-2", "ap-south-1"),
    "au.": ("ap-southeast-2",),
    "jp.": ("ap-northeast-1", "ap-northeast-3"),
    "in.": ("ap-south-1",),
    "us-gov.": ("us-gov-west-1", "us-gov-east-1"),
    "global.": ("us-east-1", "eu-west-2", "ap-northeast-1"),
}
"""Where the price of an id holds that names no region: a model's own id is listed with its price of us-east-1."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model in one region, and its rates in USD a token as the list names them."""

    model_id: str
    region: str
    rates: Mapping[str, Any]


def fetched() -> dict[str, Any]:
    """The list, from the package index that pip is set up with."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--only-binary", ":all:", "--dest", folder, RELEASE], check=True, capture_output=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            prices: dict[str, Any] = json.loads(wheel.read(MEMBER))
    return prices


def listed(prices: Mapping[str, Any]) -> Iterator[Listed]:
    """Every text model of Bedrock that is billed by the token on demand, in each region of which the list says a price."""
    for key, row in prices.items():
        if row.get("litellm_provider") not in ("bedrock", "bedrock_converse") or row.get("mode") not in TEXT:
            continue
        if not row.get("input_cost_per_token") or not row.get("output_cost_per_token") or "@" in key:
            continue
        *region, model_id = key.removeprefix("bedrock/").split("/")
        if "." not in model_id or len(region) > 1:
            continue  # a name of another service, or a commitment
        prefix = next((each for each in HOMES if each and model_id.startswith(each)), "")
        yield from (Listed(model_id, where, row) for where in region or HOMES[prefix])
