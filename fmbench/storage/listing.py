"""The keys of an S3 listing, from a server that is not trusted: whole and within bounds, or refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fmbench.core.failures import Refused

MOST_PAGES = 2_000
"""Pages that a listing may have, 1,000 objects each."""
PAGE_BYTES = 1 << 20
"""What a page counts as: a whole one is worth some more seconds, however few objects it has."""
WITHIN_S = 300.0
"""How long the pages of a listing may take, together."""


def listed_keys(pages: Iterable[Mapping[str, Any]], address: str, came: Callable[[int], None] = lambda size: None) -> list[str]:
    """The keys on all ``pages`` of what is stored at ``address``. ``came`` hears about how many bytes each page had.

    Raises ``Refused`` for pages that never end, and for an answer that is no whole listing.
    """
    keys: list[str] = []
    begun = time.monotonic()
    for number, page in enumerate(pages, 1):
        keys += _keys_on(page, address)
        came(PAGE_BYTES)
        if number > MOST_PAGES or time.monotonic() - begun > WITHIN_S:
            limits = f"{MOST_PAGES:,} pages or {WITHIN_S:g} s"
            raise Refused(f"{address}: has not been listed within {limits}; give an address nearer to the run.")
    return keys


def _keys_on(page: Mapping[str, Any], address: str) -> list[str]:
    cut = page.get("IsTruncated") and not page.get("NextContinuationToken")
    if cut or "IsTruncated" not in page:
        what = "it breaks off" if cut else "something else"
        raise Refused(f"{address}: what answers there gave no whole list of objects ({what}); check AWS_ENDPOINT_URL_S3.")
    return [item["Key"] for item in page.get("Contents", [])]
