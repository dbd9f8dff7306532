"""What becomes of each row: kept in a bucket, or why not."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fmbench.config.schema import Config
from fmbench.core.neutral import neutral_cell
from fmbench.prompts.buckets import TokenBucket, buckets_of, place
from fmbench.prompts.reading.rows import Progress, Row
from fmbench.prompts.sampling import rank

COLUMNS = ("prompt_id", "task", "language", "tokens", "fate", "bucket", "where")
KEPT, SAMPLED_OUT = "kept", "sampled out"


@dataclass(slots=True)
class Candidate:
    """A row, without its text."""

    index: int
    prompt_id: str
    task: str
    language: str
    where: str
    content: str
    """A digest of context, input and the other columns that are sent."""
    text: str = ""
    """A digest of the exact text that would be sent; empty where the row was turned away before."""
    tokens: int | None = None
    why_not: str = ""
    """Why no bucket takes it; empty: some do."""
    fate_in: dict[str, str] = field(default_factory=dict)
    """``kept`` or ``sampled out``, for each bucket that it lies in."""

    def lines(self) -> list[tuple[str, ...]]:
        """Its lines of fates.csv: one, or one for each of the buckets that overlap where it lies."""
        fates = self.fate_in or {"": self.why_not}
        tokens = "" if self.tokens is None else str(self.tokens)
        return [(self.prompt_id, self.task, self.language, tokens, fate, bucket, self.where) for bucket, fate in fates.items()]


class Judge:
    """Decides, for a configuration, the fate of each row. Neither the order of rows nor of files changes what is kept."""

    def __init__(self, config: Config, text_of: Callable[[Row], str], measure: Callable[[str], int]) -> None:
        self._config = config
        self._buckets = buckets_of(config.dataset)
        self._text_of = text_of
        self._measure = measure

    def judge(self, rows: Sequence[Row], progress: Progress) -> list[Candidate]:
        """A candidate for each row, in the rows' order."""
        candidates = []
        for index, row in enumerate(rows):
            candidates.append(self._candidate(index, row))
            progress("counting tokens", index + 1, len(rows))
        _tell_apart(candidates)
        _set_duplicates_aside(candidates)
        self._sample(candidates)
        return candidates

    def kept(self, candidates: Iterable[Candidate], bucket: TokenBucket) -> list[Candidate]:
        """The prompts of a bucket in the order of its payload file."""
        taken = [candidate for candidate in candidates if candidate.fate_in.get(bucket.name) == KEPT]
        return sorted(taken, key=lambda candidate: self._rank(bucket, candidate))

    def _candidate(self, index: int, row: Row) -> Candidate:
        content = _digest("\0".join([row.context, row.input, *row.columns.values()]))
        prompt_id = f"{row.task}:{row.row_id or content[:16]}"
        candidate = Candidate(index, prompt_id, row.task, row.language, row.where, content, why_not=self._turned_away(row))
        if not candidate.why_not:
            text = self._text_of(row)
            if not text.strip():
                candidate.why_not = "empty"
                return candidate
            candidate.text, candidate.tokens = _digest(text), self._measure(text)
            candidate.why_not = place(self._buckets, row.language, candidate.tokens)[1]
        return candidate

    def _turned_away(self, row: Row) -> str:
        asked = self._config.dataset
        if asked.tasks is not None and row.task not in asked.tasks:
            return "wrong task"
        if row.language not in asked.languages:
            return "wrong language"
        return "" if any(part.strip() for part in (row.context, row.input, *row.columns.values())) else "empty"

    def _sample(self, candidates: Iterable[Candidate]) -> None:
        holders: defaultdict[TokenBucket, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            if not candidate.why_not and candidate.tokens is not None:
                for bucket in place(self._buckets, candidate.language, candidate.tokens)[0]:
                    holders[bucket].append(candidate)
        for bucket in self._buckets:
            queue = sorted(holders[bucket], key=lambda candidate: self._rank(bucket, candidate))
            for position, candidate in enumerate(queue):
                kept = position < self._config.dataset.prompts_per_bucket
                candidate.fate_in[bucket.name] = KEPT if kept else SAMPLED_OUT

    def _rank(self, bucket: TokenBucket, candidate: Candidate) -> bytes:
        return rank(self._config.seed, bucket.name, candidate.prompt_id)


def table(candidates: Iterable[Candidate]) -> str:
    """The whole of fates.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for candidate in candidates:
        writer.writerows([neutral_cell(cell) for cell in line] for line in candidate.lines())
    return out.getvalue()


def write(path: Path, candidates: Iterable[Candidate]) -> None:
    """Write fates.csv, UTF-8."""
    path.write_text(table(candidates), encoding="utf-8", newline="")


def _tell_apart(candidates: Iterable[Candidate]) -> None:
    """Give rows that share an id but not their content different ids."""
    contents: defaultdict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        contents[candidate.prompt_id].add(candidate.content)
    for candidate in candidates:
        if len(contents[candidate.prompt_id]) > 1:
            candidate.prompt_id += f":{candidate.content[:8]}"


def _set_duplicates_aside(candidates: Iterable[Candidate]) -> None:
    """Of rows that would send the same text, the one with the least id stays."""
    first: dict[tuple[str, str], Candidate] = {}
    in_order = sorted((candidate for candidate in candidates if candidate.text), key=lambda candidate: candidate.prompt_id)
    for candidate in in_order:
        if first.setdefault((candidate.language, candidate.text), candidate) is not candidate:
            candidate.why_not = "duplicate"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
