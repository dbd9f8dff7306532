"""The payload file ``prompts/payload_<bucket>.jsonl``: one prompt a line, written once and read by every load process.

Load processes import this module, so it stands on the standard library and the record types alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from fmbench.core.records import Prompt

SALT_LENGTH = 18
"""Digits in a salt. Tokenizers cut digits into runs of three or of one, so that each salt costs the same number of tokens."""

_LINE_BREAKS = re.compile("[\u0085\u2028\u2029]")
"""Characters that JSON leaves as they are and that some readers of lines break at."""


def salted(text: str, salt: str) -> str:
    """``text`` with words at its very start that no other request has, so that no prompt cache can answer it."""
    return f"Request {salt}.\n\n{text}"


def salt_of(*identity: object) -> str:
    """The salt of the request that ``identity`` (run id, worker, sequence number, …) names: SALT_LENGTH decimal digits.

    The same identity gives the same salt; two different ones collide with a probability of 1e-18.
    """
    digest = hashlib.blake2b(repr(identity).encode(), digest_size=16).digest()
    return f"{int.from_bytes(digest) % 10**SALT_LENGTH:0{SALT_LENGTH}d}"


def file_name(bucket: str) -> str:
    """The payload file's name for a bucket such as ``en_500-1000``."""
    return f"payload_{bucket}.jsonl"


def write(path: Path, prompts: Iterable[Prompt]) -> str:
    """Write the payload file whole or not at all, and return its SHA-256 (hex). A line a prompt, whatever the text holds."""
    content = b"".join(_line(prompt) for prompt in prompts)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)
    return hashlib.sha256(content).hexdigest()


def load(path: str | Path) -> list[Prompt]:
    """The prompts of a payload file, in its order. Keys that a ``Prompt`` does not have are ignored."""
    return [_prompt(json.loads(line)) for line in Path(path).read_bytes().split(b"\n") if line.strip()]


def _line(prompt: Prompt) -> bytes:
    row = asdict(prompt)
    if prompt.shared is None:
        del row["shared"]
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return _LINE_BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8") + b"\n"


def _prompt(row: dict[str, object]) -> Prompt:
    known = {name: row[name] for name in Prompt.__dataclass_fields__ if name in row}
    return Prompt(**known)  # type: ignore[arg-type]
