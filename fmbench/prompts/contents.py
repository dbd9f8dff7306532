"""What a dataset holds, in words: for warnings about thin buckets and for the error when nothing fits."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from fmbench.config.schema import Dataset
from fmbench.prompts.buckets import TokenBucket
from fmbench.prompts.fates import KEPT, Candidate

_EDGES = (0, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000)


def in_words(candidates: Iterable[Candidate], language: str) -> str:
    """How many usable prompts of ``language`` there are, by length; where there are none, which languages there are."""
    everything = list(candidates)
    usable = [
        each for each in everything if each.language == language and each.tokens is not None and each.why_not != "duplicate"
    ]
    if not usable:
        return f"no {language} prompt, but {_counted(f'{each.language} rows' for each in everything)}"
    steps = Counter(bisect_right(_EDGES, each.tokens or 0) - 1 for each in usable)
    lengths = ", ".join(f"{steps[step]} of {_range(step)} tokens" for step in sorted(steps))
    return f"{len(usable)} {language} prompts: {lengths}"


def thin_buckets(candidates: Sequence[Candidate], buckets: Iterable[TokenBucket], asked: int) -> list[str]:
    """A warning for each bucket with fewer prompts than asked."""
    counts = Counter(name for each in candidates for name, fate in each.fate_in.items() if fate == KEPT)
    return [
        f"bucket {bucket.name} has {_prompts(counts[bucket.name])} of the {asked} asked; "
        f"the data holds {in_words(candidates, bucket.language)}"
        for bucket in buckets
        if counts[bucket.name] < asked
    ]


def missing(candidates: Sequence[Candidate], dataset: Dataset) -> list[str]:
    """A warning for each asked task that the data does not have."""
    tasks = sorted({each.task for each in candidates})
    return [
        f"dataset.tasks: {task!r} is not in the data, which has {', '.join(tasks)}"
        for task in dataset.tasks or ()
        if task not in tasks
    ]


def same(candidates: Sequence[Candidate]) -> list[str]:
    """A warning where most rows would send what another one sends: what tells them apart is then in no prompt."""
    twice = sum(each.why_not == "duplicate" for each in candidates)
    if twice * 2 <= len(candidates):
        return []
    return [
        f"dataset: {twice} of {len(candidates)} rows would send the same text as another and are left out: "
        "place the columns that differ in dataset.template"
    ]


def nothing_fits(candidates: Sequence[Candidate], dataset: Dataset) -> str:
    """The error when no bucket has a prompt."""
    if not candidates:
        return "dataset: holds no row at all: check dataset.path, subset and split"
    held = "; ".join(in_words(candidates, language) for language in dataset.languages)
    return (
        f"dataset: none of the {len(candidates)} rows fits the asked tasks, languages and buckets "
        f"({', '.join(dataset.languages)}; {', '.join(dataset.buckets)}). The data holds {held}. "
        f"Fates: {_counted(each.why_not for each in candidates)}. Tasks: {_counted(each.task for each in candidates)}. "
        "Change dataset.tasks, languages or buckets"
    )


def _prompts(count: int) -> str:
    return "1 prompt" if count == 1 else f"{count} prompts"


def _range(step: int) -> str:
    return f"{_EDGES[step]}-{_EDGES[step + 1]}" if step + 1 < len(_EDGES) else f"{_EDGES[step]} and more"


def _counted(items: Iterable[str]) -> str:
    return ", ".join(f"{count} {item}" for item, count in Counter(items).most_common(12))
