"""What a load process leaves behind: its journal and its answers, in parts where they are stored elsewhere."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import orjson

from fmbench.core.records import Record
from fmbench.load.outbox import Outbox
from fmbench.load.protocol import StoredFile
from fmbench.storage.journal import JournalWriter
from fmbench.storage.put_back import put_back


class AnswersWriter:
    """Appends to ``answers/<worker>.jsonl``, a line an answer; only made when the configuration asks for quality."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._path = path.absolute()

    def write(self, record: Record, text: str) -> None:
        """Keep the answer's text under its request's identity."""
        row = {"worker": record.worker, "user": record.user, "seq": record.seq, "prompt_id": record.prompt_id, "text": text}
        os.write(self._file, orjson.dumps(row) + b"\n")

    def put_back(self) -> None:
        """Write all of them again where they were, should somebody have deleted them."""
        put_back(self._file, self._path)

    def close(self) -> None:
        with suppress(OSError):
            self.put_back()
        os.fsync(self._file)
        os.close(self._file)


class Files:
    """The journal and the answers of one process. With an ``outbox`` they come in parts, a part a cell, and go to the store."""

    def __init__(self, folder: Path, name: str, keep_answers: bool, outbox: Outbox | None) -> None:
        self.journal: JournalWriter
        self.answers: AnswersWriter | None
        self.outbox = outbox
        self._folder, self._name, self._keep_answers = folder, name, keep_answers
        self._part = 0
        self.journal, self.answers = self._opened()

    @property
    def _stem(self) -> str:
        return self._name if self.outbox is None else f"{self._name}-{self._part:04d}"

    def _opened(self) -> tuple[JournalWriter, AnswersWriter | None]:
        journal = JournalWriter(self._folder / "journal" / f"{self._stem}.jsonl")
        return journal, AnswersWriter(self._folder / "answers" / f"{self._stem}.jsonl") if self._keep_answers else None

    def next_part(self) -> None:
        """The cell is over, and no request is in flight: what it left goes to the store."""
        if self.outbox is not None:
            self.close()
            self._part += 1
            self.journal, self.answers = self._opened()

    def put_back(self) -> None:
        """Write again what somebody deleted of them. Raises ``OSError`` when that cannot be done."""
        self.journal.put_back()
        if self.answers is not None:
            self.answers.put_back()

    def close(self) -> None:
        """Bring the files to the disk, and on their way to the store."""
        self.journal.close()
        if self.answers is not None:
            self.answers.close()
        if self.outbox is not None:
            for name in (f"journal/{self._stem}.jsonl", f"answers/{self._stem}.jsonl", f"health/{self._name}.jsonl"):
                self.outbox.send(name)

    def stored(self) -> dict[str, StoredFile]:
        """What the store has, by name."""
        return {} if self.outbox is None else dict(self.outbox.stored)

    def wait_for_the_store(self, timeout_s: float) -> list[str]:
        """Wait until everything is stored, but no longer than that. Returns what is not."""
        if self.outbox is None or self.outbox.wait(timeout_s):
            return []
        return self.outbox.unsent()
