"""The prepare step: a dataset's rows become payload files, one a bucket, and each row's fate is written down."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from fmbench.config.schema import Config
from fmbench.core.failures import UnusableInput
from fmbench.core.records import Prompt
from fmbench.prompts import contents, fates, payload
from fmbench.prompts.buckets import buckets_of
from fmbench.prompts.fates import Candidate, Judge
from fmbench.prompts.reading.rows import Loaded, Progress, Row, SourceTools
from fmbench.prompts.sources import source_of
from fmbench.prompts.templates import Templates, templates_for
from fmbench.prompts.tokens import Tokenizer, default_tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketInfo:
    """One payload file. Token figures are the local tokenizer's, of the exact text sent, salt included."""

    name: str
    file: str
    """The payload file's name in the prompts folder."""
    count: int
    sha256: str
    tokens_min: int
    tokens_mean: float
    tokens_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompts:
    """What the prepare step made. ``buckets`` holds those that have prompts, in the configuration's order."""

    buckets: dict[str, BucketInfo]
    datasets: list[dict[str, Any]]
    tokenizer: dict[str, Any]
    warnings: list[str]


def prepare(config: Config, folder: Path, progress: Progress) -> PreparedPrompts:
    """Write ``folder/payload_<bucket>.jsonl`` and ``folder/fates.csv``, and say what they hold.

    The same configuration and data give the same bytes. Raises ``UnusableInput`` when there are no prompts to be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = default_tokenizer()
    text = _Text(templates_for(config.dataset), tokenizer, any(map(config.salted, config.models)))
    shared = text.templates.shared if any(map(config.cache_points, config.models)) else None
    with tempfile.TemporaryDirectory(prefix="fmbench-prompts-") as scratch:
        tools = SourceTools(config.seed, Path(scratch), lambda row: text.measure(text.of(row)), progress, text.templates.placed)
        loaded = source_of(config.dataset.source).load(config.dataset, tools)
        judge = Judge(config, text.of, text.measure)
        candidates = judge.judge(loaded.rows, progress)
        fates.write(folder / "fates.csv", candidates)
        buckets = _write_payloads(config, folder, judge, candidates, loaded.rows, text, shared)
        manifest_row = _manifest_row(loaded, candidates)
    _check(config, candidates, buckets)
    return PreparedPrompts(
        buckets=buckets,
        datasets=[manifest_row],
        tokenizer={"name": tokenizer.name, "version": tokenizer.version, "note": tokenizer.note},
        warnings=_warnings(config, loaded, candidates),
    )


class _Text:
    """A row's text, and what it counts when it is sent."""

    def __init__(self, templates: Templates, tokenizer: Tokenizer, salted: bool) -> None:
        self.templates = templates
        self.of = templates.render
        self._tokenizer = tokenizer
        self._salted = salted

    def measure(self, text: str) -> int:
        """Tokens of the exact text sent: every salt is as long as any other."""
        return self._tokenizer.count(payload.salted(text, "0" * payload.SALT_LENGTH) if self._salted else text)


def _write_payloads(
    config: Config,
    folder: Path,
    judge: Judge,
    candidates: Sequence[Candidate],
    rows: Sequence[Row],
    text: _Text,
    shared: Callable[[Row], int | None] | None,
) -> dict[str, BucketInfo]:
    written = {}
    for bucket in buckets_of(config.dataset):
        kept = judge.kept(candidates, bucket)
        if kept:
            prompts = [_prompt(candidate, rows[candidate.index], text, shared) for candidate in kept]
            written[bucket.name] = _bucket_info(bucket.name, folder, prompts)
    return written


def _prompt(candidate: Candidate, row: Row, text: _Text, shared: Callable[[Row], int | None] | None) -> Prompt:
    return Prompt(
        prompt_id=candidate.prompt_id,
        text=text.of(row),
        tokens=candidate.tokens or 0,
        dataset=row.task,
        language=row.language,
        answers=row.answers,
        all_classes=row.all_classes,
        shared=None if shared is None else shared(row),
    )


def _bucket_info(name: str, folder: Path, prompts: Sequence[Prompt]) -> BucketInfo:
    file = payload.file_name(name)
    tokens = [prompt.tokens for prompt in prompts]
    return BucketInfo(
        name=name,
        file=file,
        count=len(prompts),
        sha256=payload.write(folder / file, prompts),
        tokens_min=min(tokens),
        tokens_mean=sum(tokens) / len(tokens),
        tokens_max=max(tokens),
    )


def _check(config: Config, candidates: Sequence[Candidate], buckets: dict[str, BucketInfo]) -> None:
    if not buckets:
        raise UnusableInput(contents.nothing_fits(candidates, config.dataset))
    interest = config.objectives.bucket
    if interest is not None and interest not in buckets:
        held = contents.in_words(candidates, interest.split("_")[0])
        raise UnusableInput(
            f"objectives.bucket: {interest} has no prompt, so the run could not answer its question; the data holds {held}"
        )


def _warnings(config: Config, loaded: Loaded, candidates: Sequence[Candidate]) -> list[str]:
    thin = contents.thin_buckets(candidates, buckets_of(config.dataset), config.dataset.prompts_per_bucket)
    return [*loaded.warnings, *contents.missing(candidates, config.dataset), *contents.same(candidates), *thin]


def _manifest_row(loaded: Loaded, candidates: Sequence[Candidate]) -> dict[str, Any]:
    tasks = Counter(candidate.task for candidate in candidates)
    fate_counts = Counter(line[4] for candidate in candidates for line in candidate.lines())
    digest = loaded.origin["sha256"] or _digest(loaded.rows)
    return {**loaded.origin, "sha256": digest, "tasks": dict(sorted(tasks.items())), "fates": dict(sorted(fate_counts.items()))}


def _digest(rows: Sequence[Row]) -> str:
    """The SHA-256 of the rows as they were read, for data that is not one file."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(astuple(row)[: None if row.columns else -1]).encode())
    return digest.hexdigest()
