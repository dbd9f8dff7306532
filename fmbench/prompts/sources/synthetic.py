"""Rows made here, offline and from the seed alone: LongBench's shape, any asked length, and answers that are known.

Each row is of one bucket and of one of ``core.synthetic_tasks.TASKS``, in turn; its paragraphs are about people who never lived.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.core.synthetic_tasks import TASKS
from fmbench.prompts.buckets import TokenBucket, buckets_of
from fmbench.prompts.reading.rows import Loaded, Row, Source, SourceTools, is_name
from fmbench.prompts.writing import prose_en, prose_zh
from fmbench.prompts.writing.story import Story

REVISION = "1"
"""Raise it when the same seed gives other rows."""

PROSE = {"en": prose_en, "zh": prose_zh}
_ATTEMPTS = 60


def load(dataset: Dataset, tools: SourceTools) -> Loaded:
    """``prompts_per_bucket`` rows for each bucket. Raises ``UnusableInput`` for a language, task or bucket it cannot make."""
    tasks = _asked_tasks(dataset)
    _check_languages(dataset)
    _check_templates(tasks, tools)
    buckets = buckets_of(dataset)
    rows: list[Row] = []
    for bucket in buckets:
        floors = {task: _floor(bucket, task, tools) for task in tasks}
        for number in range(dataset.prompts_per_bucket):
            task = tasks[number % len(tasks)]
            rows.append(_made(bucket, task, number, floors[task], tools))
            tools.progress("writing synthetic prompts", len(rows), len(buckets) * dataset.prompts_per_bucket)
    return Loaded(rows, {"name": dataset.name or dataset.source, "revision": REVISION, "sha256": None, "rows": len(rows)})


def _asked_tasks(dataset: Dataset) -> Sequence[str]:
    unknown = [task for task in dataset.tasks or () if task not in TASKS]
    if unknown:
        raise UnusableInput(f"dataset.tasks: source: synthetic has no task {unknown[0]!r}; it has {', '.join(TASKS)}")
    return dataset.tasks or TASKS


def _check_languages(dataset: Dataset) -> None:
    unknown = [language for language in dataset.languages if language not in PROSE]
    if unknown:
        raise UnusableInput(f"dataset.languages: source: synthetic does not write {unknown[0]!r}; it writes {', '.join(PROSE)}")


def _check_templates(tasks: Sequence[str], tools: SourceTools) -> None:
    for task in tasks:
        unknown = sorted(filter(is_name, (tools.placed(task) or frozenset()) - {"context", "input"}))
        if unknown:
            raise UnusableInput(
                f"dataset.template: {{{unknown[0]}}} is no column of source: synthetic, whose rows have context and input; "
                f"write {{{{{unknown[0]}}}}} for these letters themselves"
            )


def _story(bucket: TokenBucket, task: str, name: str, tools: SourceTools) -> Story:
    return Story(PROSE[bucket.language], bucket.language, task, random.Random(f"{tools.seed}/{name}"))


def _row(story: Story, bucket: TokenBucket, row_id: str) -> Row:
    return Row(
        task=story.task,
        language=bucket.language,
        input=story.question,
        context=story.context(),
        answers=[story.answer()],
        all_classes=None,
        row_id=row_id,
        where=f"synthetic {row_id}",
    )


def _floor(bucket: TokenBucket, task: str, tools: SourceTools) -> int:
    """About the fewest tokens that a prompt of ``task`` takes."""
    least = max(tools.measure(_row(_story(bucket, task, f"floor {n}", tools), bucket, "floor")) for n in range(5))
    if least >= bucket.high:
        raise UnusableInput(
            f"dataset.buckets: {bucket.low}-{bucket.high}: a synthetic prompt takes {least} tokens or more with its question and "
            f"template: ask for buckets that end above {least + 20}"
        )
    return least


def _made(bucket: TokenBucket, task: str, number: int, floor: int, tools: SourceTools) -> Row:
    name = f"{bucket.name}-{number}"
    story = _story(bucket, task, f"{name}/{task}", tools)
    target = story.random.randrange(max(bucket.low, floor), bucket.high)
    tolerance = max(24, target // 50)
    for _ in range(_ATTEMPTS):
        row = _row(story, bucket, name)
        tokens = tools.measure(row)
        if bucket.low <= tokens < bucket.high and abs(target - tokens) <= tolerance:
            return row
        story.resize(target - tokens, tokens)
    raise UnusableInput(f"dataset.buckets: {bucket.low}-{bucket.high}: too narrow to write a synthetic prompt for: make it wider")


SOURCE = Source(load=load, ignores=("path", "repo", "subset", "split", "columns"))
