"""FMBench's source files and filters as a dataset: where prompts come from, and which buckets they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fmbench.core.failures import UnusableInput
from fmbench.migration.source import Old

LONGBENCH = frozenset(
    {
        *("2wikimqa", "dureader", "gov_report", "hotpotqa", "lcc", "lsht", "multi_news", "multifieldqa_en", "multifieldqa_zh"),
        *("musique", "narrativeqa", "passage_count", "passage_retrieval_en", "passage_retrieval_zh", "qasper", "qmsum"),
        *("repobench-p", "samsum", "trec", "triviaqa", "vcsum"),
    }
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One of FMBench's filters: a range of tokens of a language, in a payload file."""

    language: str
    low: int
    high: int
    file: str

    @property
    def bucket(self) -> str:
        return f"{self.low}-{self.high}"

    @property
    def name(self) -> str:
        """The bucket's name here."""
        return f"{self.language}_{self.bucket}"


def dataset(old: Old, path: str | None) -> tuple[dict[str, Any], list[Filter]]:
    """The ``dataset:`` section, and the filters that it keeps; ``path``: where the data is, if the user said so."""
    filters = kept_filters(old)
    section = _source(old) | ({"path": path} if path else {})
    section["languages"] = list(dict.fromkeys(each.language for each in filters))
    section["buckets"] = list(dict.fromkeys(each.bucket for each in filters))
    most = old.number("datasets", "max_iters_per_combination")
    section["prompts_per_bucket"] = int(most) if most else 100
    for key in ("max_iters_per_combination", "min_iters_per_combination", "ds_N"):
        if old.has("datasets", key):
            what = "prompts_per_bucket has it" if key.startswith("max") else "dropped"
            old.note(("datasets", key), f"{what}: a cell lasts load.duration_s and load.min_requests, not a number of bursts")
    return section, filters


def kept_filters(old: Old) -> list[Filter]:
    """The filters whose payload files an experiment sends. A payload file that no filter makes is told."""
    found = {each.file: each for each in _filters(old)}
    wanted: dict[str, None] = {}
    for number, _ in enumerate(old.items("experiments")):
        files = [str(file) for file in old.items("experiments", number, "payload_files")]
        wanted |= dict.fromkeys(files)
        for file in files:
            if file not in found:
                old.note(("experiments", number, "payload_files"), f"{file} dropped: no filter makes it")
    kept = [each for each in found.values() if each.file in wanted]
    for each in found.values():
        if each not in kept:
            old.note(("datasets", "filters"), f"{each.file} dropped: no experiment sends it")
    if not kept:
        raise UnusableInput(f"{old.document.origin}: no experiment sends a payload file that a filter makes.")
    return kept


def _filters(old: Old) -> list[Filter]:
    filters = []
    for number, _ in enumerate(old.items("datasets", "filters")):
        place = ("datasets", "filters", number)
        low, high = old.number(*place, "min_length_in_tokens"), old.number(*place, "max_length_in_tokens")
        language = old.text(*place, "language") or "en"
        file = old.text(*place, "payload_file") or f"payload_{language}_{low:g}-{high:g}.jsonl"
        if low is None or high is None or low >= high:
            old.note(place, "dropped: it has no range of tokens")
            continue
        filled = file.replace("{lang}", language).replace("{min}", f"{low:g}").replace("{max}", f"{high:g}")
        filters.append(Filter(language, int(low), int(high), filled))
    return filters


def _source(old: Old) -> dict[str, Any]:
    place = ("s3_read_data", "source_data_files")
    files = [str(file) for file in old.items(*place)]
    tasks = [_longbench_task(file) for file in files]
    if files and all(tasks):
        chosen = list(dict.fromkeys(task for task in tasks if task))
        old.note(place, "source: longbench, its tasks; read from the hub, or from dataset.path (import-fmbench --data)")
        if any("_e." in file or "_e/" in file for file in files):
            old.note(place, "LongBench-E's files (…_e) dropped: their rows are of the same tasks")
        return {"source": "longbench", "tasks": chosen}
    if not files:
        raise UnusableInput(f"{old.document.origin}: s3_read_data.source_data_files names no data; add it, or use init.")
    repo, subset, split = _hub(files[0])
    old.note(place, f"source: huggingface, {repo}" + (f"; only the first of {len(files)}" if len(files) > 1 else ""))
    section: dict[str, Any] = {"source": "huggingface", "repo": repo}
    section |= {key: value for key, value in (("subset", subset), ("split", split)) if value and value != "default"}
    return section | {"columns": _columns(old)}


def _longbench_task(file: str) -> str | None:
    name = file.split("/")[2] if file.startswith("hf:") and file.count("/") >= 2 else file.rsplit("/", 1)[-1]
    if file.startswith("hf:") and not file.lower().split("/")[1].startswith("longbench"):
        return None
    task = name.removesuffix(".jsonl").removesuffix("_e")
    return task if task in LONGBENCH else None


def _hub(file: str) -> tuple[str, str | None, str | None]:
    """Repository, subset and split of ``hf:org/name/subset/split``, or of the ``org/name.jsonl`` that was made from them."""
    parts = file.removeprefix("hf:").removesuffix(".jsonl").split("/")
    return "/".join(parts[:2]), parts[2] if len(parts) > 2 else None, parts[3] if len(parts) > 3 else None


def _columns(old: Old) -> dict[str, str]:
    keys = [str(key) for key in old.items("datasets", "prompt_template_keys")]
    asked = old.text("datasets", "question_col_key") or next(iter(keys), None)
    if asked is None:
        raise UnusableInput(f"{old.document.origin}: its prompts are images alone; text is what is sent here.")
    rest = [key for key in keys if key != asked]
    columns = {"input": asked} | ({"context": rest[0]} if rest else {})
    truth = old.text("datasets", "ground_truth_col_key")
    if old.has("datasets", "image_col"):
        old.note(("datasets", "image_col"), "dropped: images are not sent, the text of each row is")
    return columns | ({"answers": truth} if truth else {})


def bucket_of_interest(old: Old, filters: list[Filter]) -> str | None:
    """The bucket whose payload file ``dataset_of_interest`` is a part of; None: of none."""
    place = ("metrics", "dataset_of_interest")
    wanted = old.text(*place) or ""
    found = [each for each in filters if wanted in each.file] or [each for each in filters if wanted in each.name]
    if not wanted or not found:
        old.note(place, "dropped: no kept payload file is called so; every bucket is reported, and the largest is judged")
        return None
    old.note(place, f"objectives.bucket: {found[0].name}")
    return found[0].name
