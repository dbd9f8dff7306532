"""A prompt cache by blocks of the prompt's beginning, as serving engines keep it."""

from __future__ import annotations

from collections import OrderedDict

from fmbench.simulator.text import BYTES_PER_TOKEN

BLOCK_TOKENS = 64
_BLOCK_BYTES = BLOCK_TOKENS * BYTES_PER_TOKEN
_CAPACITY = 65_536


class PromptCache:
    """Remembers 65,536 blocks of 64 tokens, each together with all that stood before it; the least recently used go first."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def serve(self, prompt: bytes) -> tuple[int, int]:
        """(tokens read, tokens written): the whole blocks at the beginning seen before, and the whole blocks that are new."""
        read = written = before = 0
        for end in range(_BLOCK_BYTES, len(prompt) + 1, _BLOCK_BYTES):
            before = hash((before, prompt[end - _BLOCK_BYTES : end]))
            if before in self._blocks:
                read += BLOCK_TOKENS
                self._blocks.move_to_end(before)
            else:
                written += BLOCK_TOKENS
                self._blocks[before] = None
        while len(self._blocks) > _CAPACITY:
            self._blocks.popitem(last=False)
        return read, written
