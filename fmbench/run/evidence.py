"""A stored run's records as the summary reads them, with the scores of the answers where they were kept."""

from __future__ import annotations

import pandas as pd

from fmbench.core.quality import score
from fmbench.core.records import COLUMNS as RECORD_COLUMNS
from fmbench.core.records import Prompt
from fmbench.core.table import COLUMNS
from fmbench.prompts import payload
from fmbench.storage.reader import LocalRun

IDENTITY = ["worker", "user", "seq"]


def records_of(run: LocalRun) -> pd.DataFrame:
    """The columns that ``core.summary`` reads, and ``quality`` (0 to 1) for each answer that was kept and has a known truth."""
    wanted = [name for name in COLUMNS if name in RECORD_COLUMNS]
    scores = answer_scores(run)
    if scores is None:
        return run.records(wanted)
    records = run.records([*wanted, *(name for name in IDENTITY if name not in wanted)])
    return records.merge(scores, how="left", on=IDENTITY, validate="one_to_one")


def answer_scores(run: LocalRun) -> pd.DataFrame | None:
    """A row an answer: who asked for it, and its score; None where the configuration did not ask for quality."""
    if not (run.manifest.get("config") or {}).get("quality"):
        return None
    prompts = {prompt.prompt_id: prompt for path in sorted(run.folder.prompts.glob("*.jsonl")) for prompt in payload.load(path)}
    known: dict[tuple[str, str], float | None] = {}
    rows = []
    for answer in run.answers():
        asked, text = answer["prompt_id"], answer["text"]
        if (asked, text) not in known:
            known[asked, text] = _score(prompts[asked], text)
        rows.append((answer["worker"], answer["user"], answer["seq"], known[asked, text]))
    scores = pd.DataFrame(rows, columns=[*IDENTITY, "quality"]).astype({"user": "int64", "seq": "int64", "quality": "float64"})
    return scores.drop_duplicates(IDENTITY)


def _score(prompt: Prompt, text: str) -> float | None:
    return score(prompt.dataset, prompt.language, text, prompt.answers, prompt.all_classes)
