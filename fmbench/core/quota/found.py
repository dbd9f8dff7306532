"""What a run's search for quotas found, from its records: the log of each model's bursts says how its quota works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count, takewhile
from typing import Any

import numpy as np

from fmbench.core.quantiles import Floats
from fmbench.core.quota.burst import SHORT, Seen
from fmbench.core.quota.replay import MINUTE_S
from fmbench.core.quota.search import Onset, conclude
from fmbench.core.table import Rows

_WORDS = {"throttled_requests": "requests", "throttled_tokens": "tokens", "throttled_daily": "daily"}


def quota_searches(load: Mapping[str, Any], rows: Rows, lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``summary.json``'s ``search`` for ``of: quota``: an item a model; empty when none was asked for.

    ``limit`` and ``ci95`` are of tokens a minute where tokens were throttled, else of requests a minute; None: nothing was
    throttled. ``finished``: the search was not cut.
    """
    asked = load.get("search") or {}
    if asked.get("of") != "quota":
        return []
    bursts: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        bursts.setdefault((line["model"], line["bucket"]), []).append(line)
    models = rows.words["model"]
    return [_row(*arm, asked, rows[models.is_(arm[0])], of_arm) for arm, of_arm in bursts.items()]


def is_finished(lines: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the search of a model needs no further burst, by its lines of ``cells.jsonl``."""
    lines = list(lines)
    told = [line["burst"] for line in lines if line.get("burst")]
    if not told:  # lines of an earlier version
        return bool(lines) and all(line["status"] == "complete" for line in lines)
    return any(burst["last"] for burst in told)


def bursts_told(lines: Iterable[Mapping[str, Any]]) -> list[int]:
    """The cells of a model's first bursts that were sent to their end, in their order; of one that was sent again the last."""
    cells = {line["burst"]["number"]: line["cell"] for line in lines if line.get("burst") and line["status"] == "complete"}
    return [cells[number] for number in takewhile(cells.__contains__, count())]


def _row(model: str, bucket: str, asked: Mapping[str, Any], rows: Rows, lines: list[Mapping[str, Any]]) -> dict[str, Any]:
    log = log_of(rows, float(asked.get("minute_s") or MINUTE_S) / MINUTE_S)
    found = conclude(log) if log else None
    limit = None if found is None else found.tokens or found.requests
    return {
        "model": model,
        "bucket": bucket,
        "of": "quota",
        "limit": None if limit is None else limit.per_minute,
        "ci95": None if limit is None else _ends(limit),
        "requests": len(log),
        "finished": is_finished(lines),
        "bursts": len(lines),
        "quota": None
        if found is None
        else {
            "requests_per_min": _onset(found.requests),
            "tokens_per_min": _onset(found.tokens),
            "throttled_by": sorted({seen.word for seen in log if seen.word is not None}),
            "window": found.window,
            "reserves_max_tokens": found.reserves,
            "burndown": found.burndown,
            "contradicted": found.contradicted,
            "most_requests_per_min": found.most_requests,
            "most_tokens_per_min": found.most_tokens,
        },
        "steps": [],
    }


def _onset(onset: Onset | None) -> dict[str, Any] | None:
    if onset is None:
        return None
    return {"per_minute": onset.per_minute, "ci95": _ends(onset)}


def _ends(onset: Onset) -> list[float | None]:
    """The ends of its interval; None: no size is too large for the log."""
    return [onset.low, onset.high if np.isfinite(onset.high) else None]


def log_of(rows: Rows, scale: float) -> list[Seen]:
    """The requests that were admitted or throttled, in their order, on a clock whose minutes are the service's (``scale`` of
    ours). Requests pass others on their way: a refusal is placed where it was heard, after all that may have been let through."""
    words = rows.words["failure"]
    throttled = {word: words.is_(word) for word in _WORDS}
    told = rows.ok | np.logical_or.reduce(list(throttled.values()))
    rows = rows[told & ~np.isnan(rows.number("sent_at"))]
    decided = np.where(rows.ok, rows.number("sent_at"), rows.number("ended_at"))
    order = np.argsort(decided, kind="stable")
    rows, decided = rows[order], decided[order]
    words, tokens = rows.words["failure"], _prompt_tokens(rows)
    short = (rows.number("output_tokens") <= SHORT) & ~np.isnan(rows.number("ttft_s"))
    over = np.where(short, rows.number("sent_at") + rows.number("ttft_s"), rows.number("ended_at"))
    numbers = (decided, over, *(rows.number(name) for name in ("max_tokens", "output_tokens")))
    return [
        Seen(
            at=at / scale,
            ended_at=ended / scale,
            input_tokens=int(prompt),
            max_tokens=int(most),
            output_tokens=0 if np.isnan(output) else int(output),
            word=None if code < 0 else _WORDS[words.names[code]],
        )
        for at, ended, most, output, prompt, code in zip(*numbers, tokens, words.codes, strict=True)
    ]


def _prompt_tokens(rows: Rows) -> Floats:
    """As the service counts them; of throttled requests, which it does not count, by the nearest size that it did."""
    cached = np.nan_to_num(rows.number("cache_read_tokens")) + np.nan_to_num(rows.number("cache_write_tokens"))
    told, ours = rows.number("input_tokens") + cached, rows.number("prompt_tokens")
    known = ~np.isnan(told)
    if not known.any():
        return np.nan_to_num(ours)
    sizes, first = np.unique(ours[known], return_index=True)
    beyond = told[known][first] - sizes
    nearest = np.abs(ours[:, None] - sizes[None, :]).argmin(axis=1) if len(sizes) else np.zeros(len(ours), dtype=np.int64)
    return np.asarray(np.where(known, told, np.maximum(1.0, np.nan_to_num(ours) + beyond[nearest])))
