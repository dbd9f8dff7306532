"""Events in a line of words, each figure with its name."""

from __future__ import annotations

from collections.abc import Mapping

from fmbench.load.events import CellDone, CellNow, Percentiles, Waiting


def cell_words(now: CellNow) -> str:
    """``cell 3 of 12: nova-lite, en_500-1000, 8 users, 2 workers``."""
    workers = f", {now.workers} workers" if now.workers > 1 else ""
    return f"cell {now.place} of {now.cells}: {now.model}, {now.bucket}, {level_words(now.users, now.rate_per_min)}{workers}"


def level_words(users: int, rate_per_min: float | None) -> str:
    """``8 users``; ``120 requests/min`` for a level of an open loop."""
    return f"{users} user{'s' if users != 1 else ''}" if rate_per_min is None else f"{rate_per_min:g} requests/min"


def figure_words(now: CellNow) -> str:
    """The figures in one line."""
    return " · ".join(figures(now))


def figures(now: CellNow) -> list[str]:
    """The figures, each with its name."""
    parts = [
        request_words(now),
        f"TTFT {_pair(now.ttft)}",
        f"end to end {_pair(now.e2e)}",
        f"{rate(now.answers_per_min)} answers/min",
        f"{rate(now.output_tokens_per_s)} tokens/s",
    ]
    if now.failures:
        parts.append(f"{failed_words(now)} failed ({failure_words(now.failures)})")
    if now.dropped:
        parts.append(f"{now.dropped} dropped")
    return [*parts, "price unknown" if now.usd is None else f"${now.usd:.4f}"]


def request_words(now: CellNow) -> str:
    """``31 requests``; ``31 requests (45 attempts)`` where the two differ."""
    return f"{now.measured} request{'s' if now.measured != 1 else ''}{_beside(now.measured, now.attempts)}"


def failed_words(now: CellNow) -> str:
    """``2``; ``2 (16 attempts)`` where the two differ."""
    return f"{now.failed}{_beside(now.failed, now.attempts_failed)}"


def _beside(requests: int, attempts: int | None) -> str:
    return "" if attempts in (None, requests) else f" ({attempts} attempt{'s' if attempts != 1 else ''})"


def over_words(cell: CellDone) -> str:
    """The line that stays of a cell."""
    return " · ".join(over_parts(cell))


def over_parts(cell: CellDone) -> list[str]:
    """What stays of a cell: which one it was, its figures, what was said with most failures, and why it ended where it was not
    complete."""
    told = figures(cell) if cell.measured or cell.state == "complete" else []
    why = said_lines(cell)[:1] if cell.state == "complete" else [f"{cell.state}: {cell.reason}"]
    return [cell_words(cell), *told, *why]


def failure_words(failures: Mapping[str, int], most: int = 3) -> str:
    """``throttled requests 12, timeout 1``, the most frequent first."""
    kinds = sorted(failures.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in kinds)


def said_lines(now: CellNow) -> list[str]:
    """A line a kind of failure with what was said last (``throttled requests 12: Slow down.``); no letter steers a terminal."""
    kinds = sorted(now.failures.items(), key=lambda item: -item[1])[:3]
    lines = [f"{kind.replace('_', ' ')} {count}" + (f": {now.said[kind]}" if now.said.get(kind) else "") for kind, count in kinds]
    return [" ".join("".join(letter if letter.isprintable() else " " for letter in line).split()) for line in lines]


def waiting_words(waiting: Waiting) -> str:
    """What a master waits for."""
    return f"waiting for workers: {waiting.present} of {waiting.expected} have joined"


def seconds(value: float | None) -> str:
    """Milliseconds below a second; a dash for nothing seen."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def rate(value: float | None) -> str:
    """A rate; a dash for nothing seen."""
    return "-" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _pair(found: Percentiles) -> str:
    return f"p50 {seconds(found.p50)}, p95 {seconds(found.p95)} (n {found.n})"
