"""Seeded sampling that does not depend on the order in which rows stand in their files."""

from __future__ import annotations

import hashlib


def rank(seed: int, bucket: str, prompt_id: str) -> bytes:
    """A prompt's place in its bucket's queue: the first n by rank are a uniform sample, in an order that is random too.

    It depends on these three alone, so a row keeps its rank when other rows come, go or move.
    """
    return hashlib.blake2b(f"{seed}\0{bucket}\0{prompt_id}".encode(), digest_size=16).digest()
