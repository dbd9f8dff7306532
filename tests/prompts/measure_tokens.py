"""How far apart tokenizers are: characters a token, for JSON-lines files of LongBench's shape (docs/datasets.md).

``python tests/prompts/measure_tokens.py FILE.jsonl …``; tokenizers that are not installed are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

LONGEST = 1_000_000
"""Characters of each file that are counted."""


def counters() -> dict[str, Callable[[str], int]]:
    """What can count here: ours, and others' where they are installed."""
    found: dict[str, Callable[[str], int]] = {}
    if find_spec("fmbench"):
        from fmbench.prompts.tokens import HeuristicTokenizer, default_tokenizer

        found = {"used here": default_tokenizer().count, "heuristic": HeuristicTokenizer().count}
    if find_spec("rs_bpe"):
        from rs_bpe.bpe import openai

        found |= {"cl100k": openai.cl100k_base().count, "o200k": openai.o200k_base().count}
    if find_spec("mistral_common"):
        import mistral_common
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer

        tekken = Tekkenizer.from_file(Path(mistral_common.__file__).parent / "data" / "tekken_240911.json")
        found["tekken"] = lambda text: len(tekken.encode(text, False, False))
    return found


def main(paths: list[str]) -> None:
    """Print a line a file and tokenizer."""
    counting = counters()
    for path in paths:
        lines = Path(path).read_bytes().splitlines()
        text = "\n".join(json.loads(line)["context"] for line in lines)[:LONGEST]
        figures = "  ".join(f"{name} {len(text) / count(text):.2f}" for name, count in counting.items())
        print(f"{Path(path).stem}: {figures}")


if __name__ == "__main__":
    main(sys.argv[1:])
