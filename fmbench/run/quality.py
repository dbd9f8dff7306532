"""Scoring the answers of a run, once: ``answers/*.jsonl`` → ``scores/*.parquet``. On every core where there are many."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from fmbench.core.quality import metric_name, score
from fmbench.core.records import Prompt
from fmbench.prompts import payload
from fmbench.run.say import Progress, progress_bar
from fmbench.storage.reader import LocalRun
from fmbench.storage.scores import answers_in, write_scores

MANY = 400
"""From so many different answers on, more processes are worth their start."""
CHUNK = 25

Question = tuple[str, str, str, Sequence[str], Sequence[str] | None]
"""The arguments of ``core.quality.score``."""


def score_answers(run: LocalRun) -> None:
    """Score the answers that were kept and have no scores yet. What is scored stays scored: ``answers/`` is not needed again.

    Scores follow from answers and prompts alone. Raises ``KeyError`` for an answer to a prompt that the run does not have.
    """
    left = [path for path in sorted(run.folder.answers.glob("*.jsonl")) if not _scores_of(run, path).exists()]
    if not left:
        return
    prompts = {prompt.prompt_id: prompt for path in sorted(run.folder.prompts.glob("*.jsonl")) for prompt in payload.load(path)}
    with progress_bar() as progress:
        scoring = Scoring(prompts, progress, sum(_lines_in(path) for path in left))
        try:
            for path in left:
                write_scores(_scores_of(run, path), map(scoring.rows, answers_in(path)))
        finally:
            scoring.close()


def _scores_of(run: LocalRun, answers: Path) -> Path:
    return run.folder.scores / f"{answers.stem}.parquet"


def _lines_in(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


class Scoring:
    """Scores batches of answers; one that was given before, to the same prompt, is looked up."""

    def __init__(self, prompts: Mapping[str, Prompt], progress: Progress, total: int) -> None:
        self._prompts, self._progress, self._total = prompts, progress, total
        self._known: dict[tuple[str, bytes], float | None] = {}
        self._done = 0
        self._pool: ProcessPoolExecutor | None = None

    def rows(self, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows of ``scores/`` for lines of ``answers/``."""
        keys = [_key(answer) for answer in answers]
        new = {key: answer["text"] for key, answer in zip(keys, answers, strict=True) if key not in self._known}
        questions = [self._question(prompt_id, text) for (prompt_id, _), text in new.items()]
        self._known |= dict(zip(new, self._scores(questions, len(answers)), strict=True))
        return [self._row(answer, self._known[key]) for key, answer in zip(keys, answers, strict=True)]

    def close(self) -> None:
        """End the processes; what they have not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _question(self, prompt_id: str, text: str) -> Question:
        prompt = self._prompts[prompt_id]
        return prompt.dataset, prompt.language, text, prompt.answers, prompt.all_classes

    def _scores(self, questions: list[Question], answers: int) -> Iterator[float | None]:
        chunks = [questions[start : start + CHUNK] for start in range(0, len(questions), CHUNK)]
        for scores in self._chunks(chunks, len(questions)):
            yield from scores
            answers -= len(scores)
            self._tell(len(scores))
        self._tell(answers)

    def _chunks(self, chunks: list[list[Question]], count: int) -> Iterable[list[float | None]]:
        cores = os.cpu_count() or 1
        if self._pool is None and count >= MANY and cores > 1:
            self._pool = ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
        return map(_score_all, chunks) if self._pool is None else self._pool.map(_score_all, chunks)

    def _tell(self, done: int) -> None:
        self._done += done
        self._progress("scoring answers", self._done, self._total)

    def _row(self, answer: Mapping[str, Any], quality: float | None) -> dict[str, Any]:
        prompt = self._prompts[answer["prompt_id"]]
        named = {name: answer[name] for name in ("worker", "user", "seq", "prompt_id")}
        return {**named, "metric": metric_name(prompt.dataset, prompt.language), "quality": quality}


def _key(answer: Mapping[str, Any]) -> tuple[str, bytes]:
    return answer["prompt_id"], hashlib.blake2b(answer["text"].encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _score_all(questions: list[Question]) -> list[float | None]:
    return [score(*question) for question in questions]


def _begin(parent: int) -> None:
    """A process that scores: a Ctrl-C is its parent's business, and it does not outlive that."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
